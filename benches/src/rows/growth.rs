//! Rows 6 and 7: what history costs, and ten years of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
use tonghop_proto::query::GetTotalsRequest;

use crate::Outcome;
use crate::figures::{Month, indicator};
use crate::rows::month::SUBMISSION;
use crate::setup::{Engine, Fresh, Setup, connections, push_all, visible};
use crate::system::{GET_TOTALS, Kept, System};
use crate::table::{Table, percentile};
use crate::wire::call;

/// Values in a push.
const VALUES: usize = 1200;
/// Pushes, and questions, in one round.
const TIMES: usize = 40;
/// The first year of history. The map of 2024 holds for all of it.
const FIRST_YEAR: i32 = 2015;

/// The month whose figures the pushes that are measured revise: the last of the history.
fn last(months: usize) -> Month {
    Month::of(FIRST_YEAR, months - 1)
}

/// Bytes below a directory.
fn bytes_in(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

impl Fresh {
    /// What is stored takes, in bytes.
    async fn stored(&self) -> Outcome<u64> {
        match &self.database {
            None => Ok(bytes_in(self.directory.path())),
            Some(database) => crate::peers::postgres::size_of(&database.url()).await,
        }
    }
}

/// Loads months of history, each when the one before is rolled up.
async fn load(setup: &Setup, system: &System, months: std::ops::Range<usize>) -> Outcome<()> {
    let channels = connections(&system.url, 4).await?;
    for n in months {
        let month = Month::of(FIRST_YEAR, n);
        let begun = Instant::now();
        let last = push_all(&channels, &setup.messages(month, SUBMISSION)).await?;
        let acknowledged = begun.elapsed();
        system.rolled_up(last).await?;
        let memory = system.memory()?;
        eprintln!(
            "  {}: acknowledged {:.2} s, rolled up {:.2} s, {} MiB resident",
            month.period(),
            acknowledged.as_secs_f64(),
            begun.elapsed().as_secs_f64(),
            memory.0 >> 20
        );
    }
    Ok(())
}

/// The medians of pushing, of being readable and of a look-up that nobody has asked for, in ms.
async fn costs(setup: &Setup, system: &System, months: usize, round: usize) -> Outcome<[f64; 3]> {
    let country = &setup.country;
    let communes = (VALUES / country.indicators).max(1);
    let month = last(months);
    let (mut pushed, mut seen, mut looked) = (vec![], vec![], vec![]);
    for n in 0..TIMES {
        let from = (round * TIMES + n) * communes % (country.communes.len() - communes);
        // The same values again would change nothing: each round revises by another amount.
        let key = format!("growth-{months}-{round}-{n}");
        let message = country.message_plus(from..from + communes, month, &key, 1 + round as i64);
        let begun = Instant::now();
        let position = system.push(Bytes::from(message)).await?;
        pushed.push(begun.elapsed().as_secs_f64() * 1000.0);
        let acknowledged = Instant::now();
        visible(system, &month.period(), position).await?;
        seen.push(acknowledged.elapsed().as_secs_f64() * 1000.0);
        let unit = &country.provinces[n % country.provinces.len()];
        let request = GetTotalsRequest {
            indicator: indicator(n % country.indicators),
            unit: unit.clone(),
            period: month.year.to_string(),
            ..GetTotalsRequest::default()
        };
        let begun = Instant::now();
        call(&system.channel, GET_TOTALS, request.encode_to_vec().into()).await?;
        looked.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    Ok([pushed, seen, looked].map(|mut times| percentile(&mut times, 50)))
}

/// Row 6: one month of history beside many; between them a year, which ends with the same month as many years do.
pub(crate) async fn run(setup: &Setup) -> Outcome<Vec<Table>> {
    let country = &setup.country;
    let (few, year, many) = (1, 12, setup.months.max(2));
    let histories: BTreeSet<usize> = [few, year, many].into_iter().filter(|months| *months <= many).collect();
    let works =
        ["a push of 1,200 values, acknowledged", "from acknowledgement to the nation's total", "a look-up"];
    let mut tables = Vec::new();
    let mut sizes = Table::new(6, "bytes a stored value", "B", &[]);
    for (engine, name) in setup.on("tonghop") {
        let mut of_engine: Vec<Table> = works
            .iter()
            .map(|work| Table::new(6, format!("{work}, {engine}: p50"), "ms", &["1 month of history"]))
            .collect();
        // Side by side, so that all histories meet the machine as it is at one time.
        let mut systems = Vec::new();
        for months in histories.iter().copied() {
            let fresh = setup.fresh(engine).await?;
            load(setup, &fresh.system, 0..months).await?;
            systems.push((months, fresh));
        }
        for round in 0..setup.rounds {
            for (months, fresh) in &systems {
                let measured = costs(setup, &fresh.system, *months, round).await?;
                for (table, value) in of_engine.iter_mut().zip(measured) {
                    table.of(&history(*months)).values.push(value);
                }
            }
        }
        for (months, fresh) in systems {
            let values = (country.values() * months) as f64;
            // Before what replaces everything stands beside what it replaced.
            let stored = fresh.stored().await? as f64 / values;
            sizes.of(&format!("{name}, {}", history(months))).values.push(stored);
            let begun = Instant::now();
            fresh.system.rebuild().await?;
            let rebuilt = begun.elapsed().as_secs_f64();
            sizes.notes.push(format!(
                "{name}, {}: rebuilt in {rebuilt:.2} s, {:.2} µs a value; {} MiB resident after it",
                history(months),
                rebuilt * 1e6 / values,
                fresh.system.memory()?.0 >> 20
            ));
        }
        for mut table in of_engine {
            table.at_most(&history(many), Some(&history(few)), 1.1);
            if year < many {
                table.at_most(&history(many), Some(&history(year)), 1.1);
            }
            tables.push(table);
        }
        sizes.at_most(&format!("{name}, {}", history(many)), None, 4.0);
    }
    sizes.notes.push(format!(
        "months of {} values, ledger and totals of a running system with their indexes and logs; for some communes of one month \
         a few revisions as well",
        country.values()
    ));
    tables.push(sizes);
    Ok(tables)
}

fn history(months: usize) -> String {
    if months == 1 { "1 month of history".to_owned() } else { format!("{months} months of history") }
}

/// Row 7: loads everything, starts again on it, and asks.
pub(crate) async fn decade(setup: &Setup) -> Outcome<Vec<Table>> {
    let country = &setup.country;
    let mut starts = Table::new(7, format!("start to first answer on {} months", setup.months), "s", &[]);
    let mut memory = Table::new(7, "resident memory", "MiB", &[]);
    let mut answers = Table::new(7, "a look-up nobody has asked for: p50", "ms", &[]);
    for (engine, name) in setup.on("tonghop") {
        let Fresh { system, directory, database } = setup.fresh(engine).await?;
        let begun = Instant::now();
        load(setup, &system, 0..setup.months).await?;
        let took = begun.elapsed();
        memory.of(&format!("{name}, when loaded")).values.push((system.memory()?.0 >> 20) as f64);
        memory.of(&format!("{name}, at most while loading")).values.push((system.memory()?.1 >> 20) as f64);
        system.stop()?;
        let stored = match (&engine, &database) {
            (Engine::Postgres, Some(database)) => crate::peers::postgres::size_of(&database.url()).await?,
            _ => bytes_in(directory.path()),
        };
        let values = (country.values() * setup.months) as f64;
        starts.notes.push(format!(
            "{name}: {values} values loaded and rolled up in {:.0} s; {:.2} bytes a value stored",
            took.as_secs_f64(),
            stored as f64 / values
        ));
        for _ in 0..setup.rounds {
            let begun = Instant::now();
            let url = database.as_ref().map(|database| database.url());
            let kept = match &url {
                None => Kept::Files(directory.path()),
                Some(url) => Kept::Database(url, directory.path()),
            };
            let system = System::start(&setup.tonghop, kept).await?;
            let last = Month::of(FIRST_YEAR, setup.months - 1);
            let ask = |at: usize, unit: &str, period: String| GetTotalsRequest {
                indicator: indicator(at % country.indicators),
                unit: unit.to_owned(),
                period,
                ..GetTotalsRequest::default()
            };
            system.totals(ask(0, "VN", last.year.to_string())).await?;
            starts.of(&name).values.push(begun.elapsed().as_secs_f64());
            let mut took = vec![];
            for n in 0..200 {
                let unit = &country.provinces[n % country.provinces.len()];
                let begun = Instant::now();
                let year = FIRST_YEAR + (n / 12 % (setup.months / 12).max(1)) as i32;
                system.totals(ask(n, unit, year.to_string())).await?;
                took.push(begun.elapsed().as_secs_f64() * 1000.0);
            }
            answers.of(&name).values.push(percentile(&mut took, 50));
            tokio::time::sleep(Duration::from_millis(200)).await;
            memory.of(&format!("{name}, after the questions")).values.push((system.memory()?.0 >> 20) as f64);
            system.stop()?;
        }
        starts.at_most(&name, None, 5.0);
        memory.at_most(&format!("{name}, when loaded"), None, 2048.0);
        memory.at_most(&format!("{name}, after the questions"), None, 2048.0);
    }
    Ok(vec![starts, memory, answers])
}
