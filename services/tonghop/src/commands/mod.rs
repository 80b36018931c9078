//! One module a command.

pub mod compliance;
pub mod demo;
pub mod explain;
pub mod form;
pub mod key;
pub mod load;
pub mod map;
pub mod push;
pub mod registry;
pub mod report;
pub mod review;
pub mod totals;
pub mod up;
pub mod verify;

use crate::arguments::Command;
use crate::trouble::Trouble;

/// Does what was asked.
///
/// # Errors
/// Why it was not done, or what was found wrong.
pub async fn run(command: Command) -> Result<(), Trouble> {
    match command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Up(arguments) => up::run(arguments).await,
        Command::Push(arguments) => push::run(arguments).await,
        Command::Form(arguments) => form::run(arguments).await,
        Command::Totals(arguments) => totals::run(arguments).await,
        Command::Explain(arguments) => explain::run(arguments).await,
        Command::Verify(server) => verify::run(server).await,
        Command::Registry(command) => registry::run(command).await,
        Command::Map(command) => map::run(command).await,
        Command::Review(command) => review::run(command).await,
        Command::Report(command) => report::run(command).await,
        Command::Compliance(arguments) => compliance::run(arguments).await,
        Command::Key(command) => key::run(command).await,
        Command::LoadMonth(arguments) => load::run(arguments).await,
    }
}
