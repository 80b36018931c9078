//! Rows 1 and 2: a national month, acknowledged durable, and then readable.

use std::time::Instant;

use bytes::Bytes;
use tokio::task::JoinSet;

use crate::figures::Month;
use crate::peers::{postgres, sqlite};
use crate::setup::{Engine, Fresh, Setup, connections, push_all, visible};
use crate::table::Table;
use crate::wire::Http;
use crate::{Outcome, disk};

/// Values in one submission, about.
pub(crate) const SUBMISSION: usize = 10_000;
/// Provinces that push at once.
const PUSHING: usize = 4;

const LOG: &str = "raw log";
const COPY: &str = "PostgreSQL, COPY into a keyed table";
const UPSERT: &str = "PostgreSQL, upsert of arrays";
const SQLITE: &str = "SQLite, keyed rows";

/// Whose turn it is.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Log,
    Grpc(Engine),
    Rest(Engine),
    Copy,
    Upsert,
    Sqlite,
}

/// Measures both.
pub(crate) async fn run(setup: &Setup) -> Outcome<Vec<Table>> {
    let country = &setup.country;
    let month = Month::of(2024, 0);
    let values = country.values();
    let work = format!("a national month of {values} values, durable");
    let mut durable = Table::new(1, work, "s", &[LOG]);
    let mut readable = Table::new(
        2,
        format!("the same month readable: {values} values pushed over gRPC and in the totals of all levels"),
        "s",
        &[],
    );
    durable.notes.push(format!(
        "{} communes × {} indicators, SYNTHETIC; submissions of about {SUBMISSION} values within a province, {PUSHING} \
         connections pushing at once; a raw log has 16 bytes a value and is synced once for each {SUBMISSION}; peers write \
         one transaction for each submission",
        country.communes.len(),
        country.indicators
    ));
    let expected = country.expected(&[month]);
    let parts = country.submissions(SUBMISSION);
    let messages = setup.messages(month, SUBMISSION);
    let documents: Vec<Bytes> =
        parts.iter().map(|p| Bytes::from(country.document(p.clone(), month))).collect();
    let logged: Vec<Vec<u8>> = (0..country.communes.len())
        .step_by(SUBMISSION / country.indicators)
        .map(|from| {
            let to = (from + SUBMISSION / country.indicators).min(country.communes.len());
            disk::rows(country, from..to, month)
        })
        .collect();
    let copied: Vec<_> = parts.iter().map(|p| postgres::Batch::of(country, p.clone(), month)).collect();
    let inserted: Vec<_> = parts.iter().map(|p| sqlite::batch(country, p.clone(), month)).collect();
    let mut rows = postgres::Rows::new(setup.postgres, country).await?;
    let of_sqlite = setup.directory()?;
    let mut lite = sqlite::Rows::new(&of_sqlite.path().join("rows.sqlite"), country).await?;

    let on = |turn: fn(Engine) -> Turn| setup.engines.iter().map(move |engine| turn(*engine));
    let mut all = vec![Turn::Log];
    all.extend(on(Turn::Grpc));
    all.extend(on(Turn::Rest));
    all.extend([Turn::Copy, Turn::Upsert, Turn::Sqlite]);
    let turns = |round: usize| {
        let mut turns = all.clone();
        turns.rotate_left(round % all.len());
        turns
    };
    for round in 0..setup.rounds {
        eprintln!("row 1 and 2: round {} of {}", round + 1, setup.rounds);
        durable.canaries.push(disk::canary(&setup.work)?);

        // Whoever comes first differs by round: what the one before left to be done is not always in the same one's time.
        for turn in turns(round) {
            match turn {
                Turn::Log => {
                    let directory = setup.directory()?;
                    let path = directory.path().join("raw.log");
                    let mut log = disk::appending(&path)?;
                    let begun = Instant::now();
                    for batch in &logged {
                        disk::append(&mut log, batch)?;
                    }
                    let took = begun.elapsed().as_secs_f64();
                    let right = disk::sums(&path, country.indicators)? == expected.nation;
                    note(&mut durable, LOG, took, right);
                }
                Turn::Grpc(engine) => {
                    let name = format!("tonghop over gRPC, {engine}");
                    let Fresh { system, .. } = &setup.fresh(engine).await?;
                    let channels = connections(&system.url, PUSHING).await?;
                    let begun = Instant::now();
                    let last = push_all(&channels, &messages).await?;
                    let acknowledged = begun.elapsed().as_secs_f64();
                    visible(system, &month.period(), last).await?;
                    let seen = begun.elapsed().as_secs_f64();
                    let agrees = system.agrees(country, &month.period(), &expected, last).await?;
                    let agrees = agrees.and(system.agrees_below(country, month).await?);
                    eprintln!("  {name}: acknowledged {acknowledged:.2} s, readable {seen:.2} s");
                    durable.of(&name).values.push(acknowledged);
                    readable.of(&format!("acknowledged, {engine}")).values.push(acknowledged);
                    let readable = readable.of(&format!("readable, {engine}"));
                    readable.values.push(seen);
                    readable.wrong.extend(agrees.err());
                }
                Turn::Rest(engine) => {
                    let name = format!("tonghop over REST, JSON, {engine}");
                    let Fresh { system, .. } = &setup.fresh(engine).await?;
                    let begun = Instant::now();
                    post_all(&system.url, &documents).await?;
                    let took = begun.elapsed().as_secs_f64();
                    eprintln!("  {name}: {took:.2} s");
                    durable.of(&name).values.push(took);
                }
                Turn::Copy => {
                    rows.empty().await?;
                    let begun = Instant::now();
                    for batch in &copied {
                        rows.copy(batch).await?;
                    }
                    let took = begun.elapsed().as_secs_f64();
                    let right = rows.sums().await? == expected.nation;
                    note(&mut durable, COPY, took, right);
                }
                Turn::Upsert => {
                    rows.empty().await?;
                    let begun = Instant::now();
                    for batch in &copied {
                        rows.upsert(batch).await?;
                    }
                    let took = begun.elapsed().as_secs_f64();
                    let right = rows.sums().await? == expected.nation;
                    note(&mut durable, UPSERT, took, right);
                }
                Turn::Sqlite => {
                    lite.empty().await?;
                    let begun = Instant::now();
                    for batch in &inserted {
                        lite.upsert(batch).await?;
                    }
                    let took = begun.elapsed().as_secs_f64();
                    let right = lite.sums().await? == expected.nation;
                    note(&mut durable, SQLITE, took, right);
                }
            }
        }
    }
    for (engine, name) in setup.on("tonghop over gRPC") {
        durable.at_most(&name, Some(LOG), 5.0);
        durable.at_most(&name, Some(COPY), 1.0 / 6.0);
        durable.at_most(&format!("tonghop over REST, JSON, {engine}"), Some(&name), 2.0);
        readable.at_most(&format!("readable, {engine}"), Some(&format!("acknowledged, {engine}")), 2.0);
    }
    Ok(vec![durable, readable])
}

fn note(table: &mut Table, name: &str, took: f64, right: bool) {
    eprintln!("  {name}: {took:.3} s");
    let one = table.of(name);
    one.values.push(took);
    one.wrong.extend((!right).then(|| "other sums".to_owned()));
}

/// Posts documents over some connections, one after the other on each.
async fn post_all(url: &str, documents: &[Bytes]) -> Outcome<()> {
    let mut under_way = JoinSet::new();
    for first in 0..PUSHING {
        let mine: Vec<(usize, Bytes)> =
            documents.iter().cloned().enumerate().skip(first).step_by(PUSHING).collect();
        let mut http = Http::connect(url).await?;
        under_way.spawn(async move {
            for (n, document) in mine {
                let key = format!("json-{n}");
                let headers = [("idempotency-key", key.as_str()), ("content-type", "application/json")];
                http.ask("POST", "/v1/submissions", &headers, document).await?;
            }
            Ok::<(), String>(())
        });
    }
    while let Some(done) = under_way.join_next().await {
        done.map_err(|e| e.to_string())??;
    }
    Ok(())
}
