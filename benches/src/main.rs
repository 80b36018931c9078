//! Measures tonghop beside what the machine can do and beside what a team would pick.
//!
//! Everything is done in rounds in which all contestants take their turns, so that a ratio is of two values from
//! about the same minute; what waits for the disk has a canary beside it; all contestants' answers are compared.
//!
//! | module | idea |
//! |---|---|
//! | `figures`, `registry` | the SYNTHETIC figures, and the registry they belong to |
//! | `system`, `wire` | tonghop's release binary, spoken to over loopback |
//! | `disk`, `dense` | the ceilings: the raw log and the canary, arrays |
//! | `peers` | what a team would pick, and the bare echo |
//! | `setup`, `rows` | the works that are measured |
//! | `table`, `plot` | what came out, as a table and as a picture |

// Times and ratios, no figures.
#![allow(clippy::float_arithmetic)]
#![allow(missing_docs, reason = "a program, whose only reader is beside it")]

mod dense;
mod disk;
mod figures;
mod peers;
mod plot;
mod registry;
mod rows;
mod setup;
mod system;
mod table;
mod wire;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::figures::Country;
use crate::setup::{Engine, Setup};
use crate::table::Table;

/// What went well, or what went wrong in words.
pub(crate) type Outcome<T> = Result<T, String>;

/// What can be typed.
#[derive(Debug, Parser)]
#[command(name = "tonghop-benches", about = "Measures tonghop beside ceilings and peers")]
struct Arguments {
    /// Rows of the list of goals.
    #[arg(long, value_delimiter = ',', default_value = "1,2,3,4,5")]
    rows: Vec<u8>,
    /// tonghop's release binary.
    #[arg(long, default_value = "target/release/tonghop")]
    tonghop: PathBuf,
    /// Databases under tonghop.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    on: Vec<Engine>,
    /// How often everything is done.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only works whose name has this in it, of rows 0 and 5.
    #[arg(long, default_value = "")]
    only: String,
    /// Indicators a commune and month.
    #[arg(long, default_value_t = 120)]
    indicators: usize,
    /// Months of history, of rows 6 (36 are meant) and 7 (120).
    #[arg(long, default_value_t = 36)]
    months: usize,
    /// Seconds of steady load a round.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// One round of less, to see that it works.
    #[arg(long)]
    quick: bool,
    /// Python with the peers of `peers.py`.
    #[arg(long, default_value = "target/python/bin/python")]
    python: PathBuf,
    /// Serves what others are compared with, and measures nothing.
    #[arg(long, hide = true)]
    serve_echo: bool,
    /// Where what came out is put: one file of JSON and one of Markdown a run.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Outcome<()> {
    if arguments.serve_echo {
        return peers::echo::serve().await;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?.to_owned();
    let registry = root.join("data/registry");
    let (rounds, indicators, seconds) = match arguments.quick {
        true => (1, arguments.indicators.min(12), 3),
        false => (arguments.rounds, arguments.indicators, arguments.seconds),
    };
    let work = root.join("target/bench/work");
    for directory in [&work, &arguments.out] {
        std::fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    }
    let setup = Setup {
        tonghop: arguments.tonghop.clone(),
        country: Country::read(&registry, indicators)?,
        registry,
        work,
        python: Some(arguments.python.clone()).filter(|python| python.exists()),
        rounds,
        engines: arguments.on.clone(),
        postgres: peers::postgres::server()?,
        months: arguments.months,
        only: arguments.only.clone(),
        steady: Duration::from_secs(seconds),
    };
    let mut tables: Vec<Table> = Vec::new();
    if arguments.rows.contains(&0) {
        tables.extend(rows::alone::run(&setup).await?);
    }
    if arguments.rows.contains(&1) {
        tables.extend(rows::month::run(&setup).await?);
    }
    if arguments.rows.contains(&2) {
        tables.extend(rows::steady::run(&setup).await?);
    }
    if arguments.rows.contains(&3) {
        tables.extend(rows::push::run(&setup).await?);
    }
    if arguments.rows.contains(&4) {
        tables.extend(rows::rebuild::run(&setup).await?);
    }
    if arguments.rows.contains(&5) {
        tables.extend(rows::reading::run(&setup).await?);
    }
    if arguments.rows.contains(&6) {
        tables.extend(rows::growth::run(&setup).await?);
    }
    if arguments.rows.contains(&7) {
        tables.extend(rows::growth::decade(&setup).await?);
    }
    if arguments.rows.contains(&8) {
        tables.extend(rows::neighbours::run(&setup).await?);
    }
    let page: String = tables.iter().map(Table::markdown).collect();
    println!("{page}");
    let name = arguments.rows.iter().map(u8::to_string).collect::<Vec<_>>().join("-");
    let json = serde_json::to_vec_pretty(&tables).map_err(|e| e.to_string())?;
    for (extension, content) in [("md", page.into_bytes()), ("json", json)] {
        let path = arguments.out.join(format!("rows-{name}.{extension}"));
        std::fs::write(&path, content).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    for (at, table) in tables.iter().enumerate() {
        let path = arguments.out.join(format!("row-{}-{at}.svg", table.row));
        std::fs::write(&path, plot::svg(table)).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    let wrong = tables.iter().flat_map(|t| &t.contestants).any(|c| !c.wrong.is_empty());
    if wrong { Err("some answers were wrong; see the table".to_owned()) } else { Ok(()) }
}
