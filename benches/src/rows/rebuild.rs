//! Row 4: a national year from scratch.

use std::time::Instant;

use crate::dense::{Dense, Levels};
use crate::figures::Month;
use crate::peers::python::{Python, write_columns};
use crate::rows::month::SUBMISSION;
use crate::setup::{Setup, connections, push_all};
use crate::table::Table;
use crate::{Outcome, disk};

const YEAR: i32 = 2024;
const PEERS: [(&str, &str); 3] = [("duckdb", "DuckDB"), ("polars", "Polars"), ("chdb", "ClickHouse (chdb)")];

/// Measures it.
pub(crate) async fn run(setup: &Setup) -> Outcome<Vec<Table>> {
    let country = &setup.country;
    let months: Vec<Month> = (0..12).map(|n| Month::of(YEAR, n)).collect();
    let values = country.values() * months.len();
    let expected = country.expected(&months);
    let ceiling = |levels| format!("dense arrays, {}", name(levels));
    let work = format!("roll-up of a national year of {values} values, from scratch");
    let mut table = Table::new(4, work, "s", &[&ceiling(Levels::Stored), &ceiling(Levels::All)]);
    table.notes.push(format!(
        "{} communes × {} indicators × 12 months, SYNTHETIC, into 20 standard periods. tonghop: the Rebuild call, which reads \
         and decodes the ledger, rolls up, and writes tiles and the totals of nation and provinces (districts and communes are \
         rolled up when asked for). Peers: over a table of their own that is loaded and not timed; all on two threads",
        country.communes.len(),
        country.indicators
    ));

    let columns = setup.directory()?;
    write_columns(country, &months, columns.path())?;
    let mut python = match &setup.python {
        Some(python) => Some(Python::start(python, columns.path())?),
        None => {
            table.notes.push("DuckDB, Polars and chdb were not there".to_owned());
            None
        }
    };
    let dense = Dense::of(country, YEAR);
    let mut systems = Vec::new();
    for (engine, name) in setup.on("tonghop, rebuild from the ledger") {
        let fresh = setup.fresh(engine).await?;
        let channels = connections(&fresh.system.url, 4).await?;
        for month in &months {
            let last = push_all(&channels, &setup.messages(*month, SUBMISSION)).await?;
            fresh.system.rolled_up(last).await?;
            eprintln!("  {name}: {} is in", month.period());
        }
        systems.push((name, fresh));
    }
    for round in 0..setup.rounds {
        eprintln!("row 4: round {} of {}", round + 1, setup.rounds);
        table.canaries.push(disk::canary(&setup.work)?);
        for levels in [Levels::Stored, Levels::All] {
            let begun = Instant::now();
            let (nation, cells) = dense.roll_up(levels);
            let took = begun.elapsed().as_secs_f64();
            let right = nation == expected.nation && cells == expected.cells * country.indicators as u64;
            note(&mut table, &ceiling(levels), took, right);
        }
        for (name, fresh) in &systems {
            let begun = Instant::now();
            fresh.system.rebuild().await?;
            let took = begun.elapsed().as_secs_f64();
            note(&mut table, name, took, true);
            let agrees = fresh.system.agrees(country, &YEAR.to_string(), &expected, 0).await?;
            let memory = fresh.system.memory()?;
            eprintln!("  {name}: {} MiB resident, {} MiB at most", memory.0 >> 20, memory.1 >> 20);
            table.of(name).wrong.extend(agrees.err());
        }
        for levels in [Levels::Stored, Levels::All] {
            for (peer, shown) in PEERS {
                let Some(python) = &mut python else { continue };
                let shown = format!("{shown}, {}", name(levels));
                // One without the memory for it is said to be, and the others go on.
                match python.roll_up(peer, if levels == Levels::All { "all" } else { "stored" }) {
                    Ok(answer) => {
                        let right = answer.nation == expected.nation
                            && answer.cells == expected.cells * country.indicators as u64;
                        note(&mut table, &shown, answer.seconds, right);
                    }
                    Err(error) => table.notes.push(format!("{shown}: {error}")),
                }
            }
        }
    }
    for (_, name) in setup.on("tonghop, rebuild from the ledger") {
        table.at_most(&name, Some("DuckDB, nation and provinces"), 1.0);
        table.at_most(&name, Some("DuckDB, all four levels"), 1.0);
    }
    Ok(vec![table])
}

fn name(levels: Levels) -> &'static str {
    match levels {
        Levels::Stored => "nation and provinces",
        Levels::All => "all four levels",
    }
}

fn note(table: &mut Table, name: &str, took: f64, right: bool) {
    eprintln!("  {name}: {took:.3} s");
    let one = table.of(name);
    one.values.push(took);
    one.wrong.extend((!right).then(|| "other sums".to_owned()));
}
