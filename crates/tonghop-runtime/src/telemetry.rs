//! Logs: one line an event on stderr, for people; `TONGHOP_LOG` says how much.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. What is said by `TONGHOP_LOG` (as `info`, or `tonghop_query=debug`) is shown; warnings only
/// where it is not set and `quiet` is asked for.
pub fn start(quiet: bool) {
    let filter = EnvFilter::try_from_env("TONGHOP_LOG")
        .unwrap_or_else(|_| EnvFilter::new(if quiet { "warn" } else { "info,sea_orm_migration=warn" }));
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours);
    // A second start in one process (tests) keeps the first.
    let _ = lines.with_writer(std::io::stderr).try_init();
}
