//! `tonghop registry load`: what figures are checked against.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sha2::{Digest, Sha256};
use tonghop_proto::registry::LoadRegistryRequest;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::commands::push::hexadecimal;
use crate::json;
use crate::map_rows;
use crate::output::{say, say_all};
use crate::shipped;
use crate::trouble::Trouble;
use crate::words;

/// What can be done with the registry.
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    /// Load a whole registry, the CSV files of a directory or the one that ships; or a reform, changes.csv and its
    /// successions.csv.
    Load(LoadArguments),
}

/// What `registry load` takes.
#[derive(Debug, Args)]
pub struct LoadArguments {
    /// Directory with units.csv, indicators.csv and the other tables, or with changes.csv; left out, what ships is
    /// loaded.
    pub dir: Option<PathBuf>,
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Who loads it.
    #[arg(long, default_value = "registry")]
    pub source: String,
    /// Why.
    #[arg(long, default_value = "")]
    pub note: String,
    /// Idempotency key; left out, it follows from the content, so that the same tables loaded twice are a replay.
    #[arg(long)]
    pub idempotency_key: Option<String>,
    /// What it changes, or would, as JSON.
    #[arg(long)]
    pub json: bool,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Units shown of each day on which the map changes.
const SHOWN: usize = 40;

/// Loads a registry, or says what a load would change.
///
/// # Errors
/// Where it is refused.
pub async fn run(command: RegistryCommand) -> Result<(), Trouble> {
    let RegistryCommand::Load(arguments) = command;
    let tables = match &arguments.dir {
        Some(dir) => shipped::tables(dir)?,
        None => shipped::registry_files(),
    };
    let client = Client::connect(&arguments.server).await?;
    let response = client
        .load_registry(LoadRegistryRequest {
            source: arguments.source,
            idempotency_key: arguments.idempotency_key.unwrap_or_else(|| key_of(&tables)),
            note: arguments.note,
            tables: tables.into_iter().collect(),
            dry_run: arguments.dry_run,
        })
        .await?;
    if arguments.json {
        say(json::pretty(&tonghop_proto::json::maps::load(&response)));
        return Ok(());
    }
    say_all(&response.changes);
    for change in &response.map {
        say(format_args!("from {} on:", change.date));
        say_all(map_rows::levels(&change.levels).lines(2));
        say_all(map_rows::changes(&change.units, SHOWN, change.total));
        if change.successions + change.successions_gone > 0 {
            say(format_args!(
                "successions: {} new, {} gone",
                words::number(&change.successions.to_string()),
                words::number(&change.successions_gone.to_string())
            ));
        }
    }
    say(match (arguments.dry_run, response.replayed, response.position) {
        (_, true, position) => format!("already loaded, at position {position}"),
        (true, ..) => "dry run: nothing was changed".to_owned(),
        (_, _, 0) => "nothing changes".to_owned(),
        (_, _, position) => format!("loaded at position {position}"),
    });
    Ok(())
}

/// A key that follows from the tables' names and content.
pub fn key_of(tables: &[shipped::File]) -> String {
    let mut digest = Sha256::new();
    for (name, bytes) in tables {
        digest.update(name.as_bytes());
        digest.update([0]);
        digest.update(Sha256::digest(bytes));
    }
    format!("sha256-{}", hexadecimal(&digest.finalize()))
}
