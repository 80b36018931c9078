//! The binary `tonghop`: what was typed, to what it does, to an exit code.

use std::process::ExitCode;

use clap::Parser;
use tonghop::arguments::{Arguments, Command};
use tonghop::spoken::language;
use tonghop::{commands, trouble};
use tonghop_runtime::{memory, process, telemetry};

#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::Allocator;

#[tokio::main]
async fn main() -> ExitCode {
    memory::in_small_pages();
    let arguments = Arguments::parse();
    // Services that run on say what they do; other commands only what went wrong in them.
    let quiet = !matches!(arguments.command, Command::Up(_));
    let telemetry = match telemetry::start("tonghop", quiet) {
        Ok(telemetry) => telemetry,
        Err(trouble) => return process::exit(Err(trouble)),
    };
    let language = language(arguments.lang, |name| std::env::var(name).ok());
    let outcome = language.speaking(commands::run(arguments.command)).await;
    telemetry.end().await;
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => trouble::report(&trouble),
    }
}
