//! `tonghop map diff`: what became of units between two days, both ways.

use clap::{Args, Subcommand};
use tonghop_proto::registry::{DiffMapsRequest, UnitChange};

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::json;
use crate::map_rows;
use crate::output::{say, say_all};
use crate::trouble::Trouble;

/// Units shown where nothing narrows them down.
const SHOWN: usize = 200;

/// What can be asked of the map.
#[derive(Debug, Subcommand)]
pub enum MapCommand {
    /// What is different between the maps of two days: what ended as what, what began from what, which codes
    /// another territory carries now.
    Diff(DiffArguments),
}

/// What `map diff` takes.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The earlier day: 2025-06-30.
    pub from: String,
    /// The later day: 2025-07-01.
    pub to: String,
    /// Only units that carry this code on one of the days.
    #[arg(long, default_value = "")]
    pub unit: String,
    /// Only units of this level: province.
    #[arg(long, default_value = "")]
    pub level: String,
    /// JSON in the shape of the REST interface, everything in one document.
    #[arg(long)]
    pub json: bool,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Asks, and shows the answer.
///
/// # Errors
/// Where it is refused.
pub async fn run(command: MapCommand) -> Result<(), Trouble> {
    let MapCommand::Diff(arguments) = command;
    let client = Client::connect(&arguments.server).await?;
    let request = DiffMapsRequest {
        from: arguments.from,
        to: arguments.to,
        level: arguments.level,
        code: arguments.unit,
        ..DiffMapsRequest::default()
    };
    let diff = client.map_diff(request).await?;
    if arguments.json {
        say(json::pretty(&tonghop_proto::json::maps::map_diff(&diff)));
        return Ok(());
    }
    say(format_args!("from the map of {} to the map of {}", diff.from, diff.to));
    say_all(map_rows::levels(&diff.levels).lines(0));
    say("");
    let units: &[UnitChange] = &diff.units;
    if units.is_empty() {
        say("no unit is different");
    }
    say_all(map_rows::changes(units, SHOWN, units.len() as u64));
    Ok(())
}
