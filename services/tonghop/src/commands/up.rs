//! `tonghop up`: all three services in one process.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::output::say;
use crate::trouble::{Trouble, chain};
use crate::up::{Running, UpOptions, start};

/// What `up` takes.
#[derive(Debug, Args)]
pub struct UpArguments {
    /// Where the database lies; made where it is not there.
    #[arg(long, env = "TONGHOP_DATA_DIR", default_value = "./tonghop-data")]
    pub data_dir: PathBuf,
    /// Address for REST and gRPC.
    #[arg(long, env = "TONGHOP_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// Runs until it is told to stop.
///
/// # Errors
/// Where it cannot start.
pub async fn run(arguments: UpArguments) -> Result<(), Trouble> {
    let running = start_at(arguments.data_dir.clone(), arguments.listen).await?;
    say(format_args!("tonghop is up on http://{}", running.address));
    say(format_args!("  REST  http://{}/v1/totals …", running.address));
    say(format_args!("  gRPC  {} (tonghop.ingestion.v1, tonghop.query.v1, …)", running.address));
    say(format_args!("  data  {}", arguments.data_dir.display()));
    say("Ctrl-C stops it.");
    until_told().await?;
    say("stopping");
    running.stop().await;
    Ok(())
}

/// Starts the services.
///
/// # Errors
/// Why they do not start.
pub async fn start_at(data_dir: PathBuf, listen: SocketAddr) -> Result<Running, Trouble> {
    start(UpOptions::new(data_dir, listen)).await.map_err(|error| {
        Trouble::refused(format!("the services do not start on {listen}: {}", chain(error.as_ref())))
    })
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// Where signals cannot be waited for.
pub async fn until_told() -> Result<(), Trouble> {
    let cannot = |error: std::io::Error| Trouble::refused(format!("cannot wait for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
