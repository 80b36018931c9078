//! `tonghop registry load`: what figures are checked against.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sha2::{Digest, Sha256};
use tonghop_proto::registry::LoadRegistryRequest;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::commands::push::hexadecimal;
use crate::output::{say, say_all};
use crate::shipped;
use crate::trouble::Trouble;

/// What can be done with the registry.
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    /// Load a whole registry: the CSV files of a directory, or the one that ships.
    Load(LoadArguments),
}

/// What `registry load` takes.
#[derive(Debug, Args)]
pub struct LoadArguments {
    /// Directory with units.csv, indicators.csv and the other tables; left out, what ships is loaded.
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
    pub key: Option<String>,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

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
    let client = Client::connect(&arguments.server.url).await?;
    let response = client
        .load_registry(LoadRegistryRequest {
            source: arguments.source,
            idempotency_key: arguments.key.unwrap_or_else(|| key_of(&tables)),
            note: arguments.note,
            tables: tables.into_iter().collect(),
            dry_run: arguments.dry_run,
        })
        .await?;
    say_all(&response.changes);
    say(match (arguments.dry_run, response.replayed, response.position) {
        (true, ..) => "dry run: nothing was changed".to_owned(),
        (_, true, position) => format!("already loaded, at position {position}"),
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
