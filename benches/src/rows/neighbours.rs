//! Row 8: 34 systems push at once, one of them twenty times as much as the others and one garbage: what the others notice.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::Outcome;
use crate::figures::{Country, Month};
use crate::setup::{Fresh, Setup, connections};
use crate::system::{SUBMIT, System, position};
use crate::table::{Table, percentile};
use crate::wire::{Http, call};

/// Systems that push what a province does.
const OTHERS: usize = 32;
/// Values in a push of theirs, of which each sends one a second.
const VALUES: usize = 1200;
/// How much more one sends: at one time in so many pushes, at the next in one.
const TIMES: usize = 20;
/// Months that are pushed, from this year on; all of them end before the units of 2025 change.
const FIRST_YEAR: i32 = 2016;
const MONTHS: usize = 108;
/// Connections of each of the two.
const CONNECTIONS: usize = 4;

/// What a system sends, second by second.
struct Pushes {
    /// Each with the part of a second at which it is due.
    seconds: Vec<Vec<(Duration, Bytes)>>,
}

/// A run of communes for a system and a second, so that nobody pushes what another does.
fn message(country: &Country, system: usize, second: usize, part: usize, values: usize) -> Bytes {
    let communes = (values / country.indicators).max(1);
    let places = (country.communes.len() / communes).max(1);
    let from = (system * 7 + second * 3 + part) % places * communes;
    let month = Month::of(FIRST_YEAR, (second + part + system % 4 * (MONTHS / 4)) % MONTHS);
    let source = format!("synthetic-bench-{system}");
    let key = format!("{second}-{part}");
    Bytes::from(country.message_of(&source, from..(from + communes).min(country.communes.len()), month, &key))
}

fn of_other(country: &Country, system: usize, seconds: usize) -> Pushes {
    // Not all in the same moment, and each always in the same.
    let due = Duration::from_millis((system * 1000 / OTHERS) as u64);
    let second = |second| vec![(due, message(country, system, second, 0, VALUES))];
    Pushes { seconds: (0..seconds).map(second).collect() }
}

fn of_heavy(country: &Country, seconds: usize) -> Pushes {
    let second = |second: usize| match second % 2 {
        0 => {
            (0..TIMES).map(|part| (Duration::ZERO, message(country, OTHERS, second, part, VALUES))).collect()
        }
        _ => vec![(Duration::ZERO, message(country, OTHERS, second, 0, VALUES * TIMES))],
    };
    Pushes { seconds: (0..seconds).map(second).collect() }
}

/// JSON of a push in which every unit is unknown: each has to be explained.
fn garbage(country: &Country) -> Bytes {
    let figures: Vec<_> = country
        .figures(0..(VALUES / country.indicators).max(1), Month::of(2024, 0))
        .into_iter()
        .map(|f| json!({"unit": format!("{}x", f.unit), "indicator": f.indicator, "period": f.period, "value": "1"}))
        .collect();
    Bytes::from(json!({"source": "synthetic-garbage", "figures": figures}).to_string())
}

/// Sends what is due when it is due, whether or not what was sent before is answered; how long each push took from when it
/// was due, in milliseconds, and the last position.
async fn push(channels: Vec<Channel>, pushes: Pushes, begin: Instant) -> Outcome<(Vec<f64>, i64)> {
    let mut under_way = JoinSet::new();
    let mut sent = 0;
    for (second, of_second) in pushes.seconds.into_iter().enumerate() {
        for (offset, message) in of_second {
            let due = begin + Duration::from_secs(second as u64) + offset;
            tokio::time::sleep_until(due.into()).await;
            let channel = channels[sent % channels.len()].clone();
            sent += 1;
            under_way.spawn(async move {
                let position = position(call(&channel, SUBMIT, message).await?)?;
                Ok::<_, String>((due.elapsed().as_secs_f64() * 1000.0, position))
            });
        }
    }
    let (mut took, mut last) = (vec![], 0);
    while let Some(done) = under_way.join_next().await {
        let (one, position) = done.map_err(|e| e.to_string())??;
        took.push(one);
        last = last.max(position);
    }
    Ok((took, last))
}

/// Sends garbage, which has to be refused, as often as the others push twenty times over.
async fn send_garbage(
    mut http: Vec<Http>,
    document: Bytes,
    begin: Instant,
    seconds: usize,
) -> Outcome<usize> {
    let mut refused = 0;
    for n in 0..seconds * TIMES {
        let due = begin + Duration::from_millis((n * 1000 / TIMES) as u64);
        tokio::time::sleep_until(due.into()).await;
        let at = n % http.len();
        let headers = [("content-type", "application/json"), ("idempotency-key", "garbage")];
        match http[at].ask("POST", "/v1/submissions", &headers, document.clone()).await {
            Err(error) if error.contains(" 422 ") || error.contains(" 429 ") => refused += 1,
            Err(error) => return Err(error),
            Ok(_) => return Err("garbage was accepted".to_owned()),
        }
    }
    Ok(refused)
}

/// The others push for some seconds, with or without the two beside them: how long each of their pushes took.
async fn others(
    setup: &Setup,
    system: &System,
    seconds: usize,
    from: usize,
    beside: bool,
) -> Outcome<Vec<f64>> {
    let country = &setup.country;
    let mut systems = JoinSet::new();
    let mut prepared = Vec::new();
    for of in 0..OTHERS {
        let mut pushes = of_other(country, of, from + seconds);
        pushes.seconds.drain(..from);
        prepared.push((connections(&system.url, 1).await?, pushes));
    }
    let mut heavy = of_heavy(country, from + seconds);
    heavy.seconds.drain(..from);
    let heavy = (connections(&system.url, CONNECTIONS).await?, heavy);
    let mut http = Vec::new();
    for _ in 0..CONNECTIONS {
        http.push(system.http().await?);
    }
    let document = garbage(country);
    let begin = Instant::now() + Duration::from_millis(100);
    let mut two = JoinSet::new();
    if beside {
        two.spawn(async move { push(heavy.0, heavy.1, begin).await.map(|(_, last)| last) });
        two.spawn(async move { send_garbage(http, document, begin, seconds).await.map(|_| 0) });
    }
    for (channels, pushes) in prepared {
        systems.spawn(push(channels, pushes, begin));
    }
    let (mut all, mut last) = (vec![], 0);
    while let Some(done) = systems.join_next().await {
        let (took, position) = done.map_err(|e| e.to_string())??;
        all.extend(took);
        last = last.max(position);
    }
    while let Some(done) = two.join_next().await {
        last = last.max(done.map_err(|e| e.to_string())??);
    }
    // Whoever comes next has the machine to itself.
    system.rolled_up(last).await?;
    Ok(all)
}

/// Measures it.
pub(crate) async fn run(setup: &Setup) -> Outcome<Vec<Table>> {
    let seconds = (setup.steady.as_secs() as usize).max(2);
    let mut table = Table::new(8, format!("a push of {VALUES} values of one of {OTHERS} systems"), "ms", &[]);
    table.notes.push(format!(
        "each sends one a second for {seconds} s a round, SYNTHETIC; beside them one sends {TIMES} times as much, in many \
         pushes or in one, and one sends {TIMES} documents a second in which every unit is unknown"
    ));
    for (engine, name) in setup.on("tonghop") {
        let Fresh { system, .. } = &setup.fresh(engine).await?;
        for round in 0..setup.rounds {
            eprintln!("row 8, {name}: round {} of {}", round + 1, setup.rounds);
            for (part, beside) in [(0, false), (1, true)] {
                let from = (2 * round + part) * seconds;
                let mut took = others(setup, system, seconds, from, beside).await?;
                let with = if beside { "beside the two" } else { "alone" };
                let (p50, p99) = (percentile(&mut took, 50), percentile(&mut took, 99));
                eprintln!("  {with}: p50 {p50:.1} ms, p99 {p99:.1} ms of {} pushes", took.len());
                table.of(&format!("{name}, {with}, p50")).values.push(p50);
                table.of(&format!("{name}, {with}, p99")).values.push(p99);
            }
        }
        table.at_most(&format!("{name}, beside the two, p99"), Some(&format!("{name}, alone, p99")), 2.0);
    }
    Ok(vec![table])
}
