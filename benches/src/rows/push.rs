//! Row 3: a push of 1,200 values, and sixteen of them in flight.

use std::time::Instant;

use bytes::Bytes;

use crate::figures::{Country, Month};
use crate::peers::echo::{ECHO, Echoing, question};
use crate::peers::{postgres, sqlite};
use crate::setup::{Setup, connections, push_all};
use crate::table::{Table, percentile};
use crate::wire::{call, call_each};
use crate::{Outcome, disk};

/// Values in a push.
const VALUES: usize = 1200;
/// Pushes of each contestant in a round.
const PUSHES: usize = 60;
/// Pushes of a round in which many are in flight.
const MANY: usize = 480;
/// About how many bytes the answer to a push has.
const RECEIPT: usize = 230;
/// In flight then.
const IN_FLIGHT: usize = 16;

const LOG: &str = "log append";
const LOG_AND_ECHO: &str = "log append, and a bare tonic echo of the push";
const SINGLE_AND_ECHO: &str = "PostgreSQL, a bare commit of one row, and a bare tonic echo of the push";
const SINGLE: &str = "PostgreSQL, a bare commit of one row";
const DELTA: &str = "PostgreSQL, delta upsert of four levels";
const SQLITE: &str = "SQLite, rows of four levels";

/// The `n`th push: some communes in a month.
fn part(country: &Country, n: usize) -> (std::ops::Range<usize>, Month) {
    let communes = (VALUES / country.indicators).max(1);
    let in_month = country.communes.len() / communes;
    let from = n % in_month * communes;
    (from..from + communes, Month::of(2024, n / in_month))
}

/// The `n`th push as a message. What is pushed through `tonghop` is one province's at a time in neither.
pub(crate) fn message(country: &Country, n: usize) -> Bytes {
    let (communes, month) = part(country, n);
    Bytes::from(country.message(communes, month, &format!("push-{n}")))
}

/// Measures both.
pub(crate) async fn run(setup: &Setup) -> Outcome<Vec<Table>> {
    let country = &setup.country;
    let mut alone = Table::new(3, format!("a push of {VALUES} values, durable: p50"), "ms", &[LOG, SINGLE]);
    alone.notes.push(format!("{PUSHES} pushes of each in a round, one after the other, SYNTHETIC"));
    let mut many =
        Table::new(3, format!("pushes of {VALUES} values"), "/s", &["log appends, one after the other"]);
    many.notes.push(format!("{MANY} pushes in a round, {IN_FLIGHT} in flight over as many connections"));

    let mut systems = Vec::new();
    for (engine, name) in setup.on("tonghop") {
        systems.push((name, setup.fresh(engine).await?));
    }
    let directory = setup.directory()?;
    let mut log = disk::appending(&directory.path().join("raw.log"))?;
    let mut rows = postgres::Rows::new(setup.postgres, country).await?;
    let mut lite = sqlite::Rows::new(&directory.path().join("rows.sqlite"), country).await?;
    let mut expected = vec![0; country.indicators];
    let echo = Echoing::start()?;
    let echoes = connections(&echo.grpc, IN_FLIGHT).await?;
    let echoed = question(message(country, 0).len(), RECEIPT);
    let small = [7_u8; 100];
    let mut next = 0;
    for round in 0..setup.rounds {
        eprintln!("row 3: round {} of {}", round + 1, setup.rounds);
        alone.canaries.push(disk::canary(&setup.work)?);
        let pushes = next..next + PUSHES;
        next += PUSHES;
        let parts: Vec<_> = pushes.clone().map(|n| part(country, n)).collect();
        for (communes, month) in &parts {
            for commune in communes.clone() {
                for (at, sum) in expected.iter_mut().enumerate() {
                    *sum += crate::figures::value(commune, at, *month);
                }
            }
        }

        let mut took = vec![];
        for (communes, month) in &parts {
            let bytes = disk::rows(country, communes.clone(), *month);
            took.push(milliseconds(disk::append(&mut log, &bytes)?));
        }
        let sum: f64 = took.iter().sum();
        many.of("log appends, one after the other").values.push(PUSHES as f64 * 1000.0 / sum);
        median(&mut alone, LOG, took);

        // What a service comes to that takes a push, writes it, and does nothing else.
        let mut took = vec![];
        for (communes, month) in &parts {
            let bytes = disk::rows(country, communes.clone(), *month);
            let begun = Instant::now();
            disk::append(&mut log, &bytes)?;
            call(&echoes[0], ECHO, echoed.clone()).await?;
            took.push(milliseconds(begun.elapsed()));
        }
        median(&mut alone, LOG_AND_ECHO, took);

        for (name, fresh) in &systems {
            let (mut took, mut last) = (vec![], 0);
            for n in pushes.clone() {
                let message = message(country, n);
                let begun = Instant::now();
                last = fresh.system.push(message).await?;
                took.push(milliseconds(begun.elapsed()));
            }
            median(&mut alone, name, took);
            // Whoever comes next has the machine to itself.
            fresh.system.rolled_up(last).await?;
        }

        let mut took = vec![];
        for _ in 0..PUSHES {
            let begun = Instant::now();
            rows.single(&small).await?;
            took.push(milliseconds(begun.elapsed()));
        }
        median(&mut alone, SINGLE, took);

        let mut took = vec![];
        for _ in 0..PUSHES {
            let begun = Instant::now();
            rows.single(&small).await?;
            call(&echoes[0], ECHO, echoed.clone()).await?;
            took.push(milliseconds(begun.elapsed()));
        }
        median(&mut alone, SINGLE_AND_ECHO, took);

        let mut took = vec![];
        for (communes, month) in &parts {
            let batch = postgres::Batch::of(country, communes.clone(), *month);
            let begun = Instant::now();
            rows.delta(&batch).await?;
            took.push(milliseconds(begun.elapsed()));
        }
        median(&mut alone, DELTA, took);

        let mut took = vec![];
        for (communes, month) in &parts {
            let batch = sqlite::batch(country, communes.clone(), *month);
            let begun = Instant::now();
            lite.with_totals(&batch).await?;
            took.push(milliseconds(begun.elapsed()));
        }
        median(&mut alone, SQLITE, took);

        let begun = Instant::now();
        call_each(&echoes, IN_FLIGHT, ECHO, vec![echoed.clone(); MANY]).await?;
        let rate = MANY as f64 / begun.elapsed().as_secs_f64();
        many.of(&format!("bare tonic echoes of pushes, {IN_FLIGHT} in flight")).values.push(rate);

        let messages: Vec<Bytes> = (next..next + MANY).map(|n| message(country, n)).collect();
        next += MANY;
        for (name, fresh) in &systems {
            let channels = connections(&fresh.system.url, IN_FLIGHT).await?;
            let begun = Instant::now();
            let last = push_all(&channels, &messages).await?;
            let rate = MANY as f64 / begun.elapsed().as_secs_f64();
            eprintln!("  {name}, {IN_FLIGHT} in flight: {rate:.0}/s");
            many.of(&format!("{name}, {IN_FLIGHT} in flight")).values.push(rate);
            fresh.system.rolled_up(last).await?;
        }
    }
    for (name, sums) in [(DELTA, rows.nation().await?), (SQLITE, lite.nation().await?)] {
        if sums != expected {
            alone.of(name).wrong.push("other sums".to_owned());
        }
    }
    for (engine, name) in setup.on("tonghop") {
        match engine {
            crate::setup::Engine::Sqlite => alone.at_most(&name, Some(LOG), 3.0),
            crate::setup::Engine::Postgres => alone.at_most(&name, Some(SINGLE), 1.5),
        }
        many.at_least(
            &format!("{name}, {IN_FLIGHT} in flight"),
            Some("log appends, one after the other"),
            1.0,
        );
    }
    check(setup, &systems, next, &mut alone).await?;
    Ok(vec![alone, many])
}

/// What the systems say of everything that was pushed.
async fn check(
    setup: &Setup,
    systems: &[(String, crate::setup::Fresh)],
    pushes: usize,
    table: &mut Table,
) -> Outcome<()> {
    let country = &setup.country;
    let mut sum = 0;
    for n in 0..pushes {
        let (communes, month) = part(country, n);
        sum += communes.map(|c| crate::figures::value(c, 0, month)).sum::<i64>();
    }
    for (name, fresh) in systems {
        let request = tonghop_proto::query::GetTotalsRequest {
            indicator: crate::figures::indicator(0),
            unit: "VN".into(),
            period: "2024".into(),
            ..Default::default()
        };
        let totals = fresh.system.totals(request).await?;
        let said = totals.first().and_then(|t| t.value.clone()).unwrap_or_default();
        if said != sum.to_string() {
            table.of(name).wrong.push(format!("the nation's total is {said}, not {sum}"));
        }
    }
    Ok(())
}

fn milliseconds(took: std::time::Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

fn median(table: &mut Table, name: &str, mut took: Vec<f64>) {
    let p50 = percentile(&mut took, 50);
    eprintln!("  {name}: p50 {p50:.3} ms, p99 {:.3} ms", percentile(&mut took, 99));
    table.of(name).values.push(p50);
}
