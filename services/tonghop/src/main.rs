//! The binary `tonghop`: what was typed, to what it does, to an exit code.

use std::process::ExitCode;

use clap::Parser;
use tonghop::arguments::{Arguments, Command};
use tonghop::{commands, trouble};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Services that run on say what they do; other commands only what went wrong in them.
    tonghop_runtime::telemetry::start(!matches!(arguments.command, Command::Up(_)));
    match commands::run(arguments.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => trouble::report(&trouble),
    }
}
