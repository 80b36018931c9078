//! The binary `tonghop-aggregation`: aggregation alone.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tonghop_aggregation::{Aggregation, AggregationGrpc, Settings};
use tonghop_runtime::metrics::Metrics;
use tonghop_runtime::process::{self, Trouble};
use tonghop_runtime::serve::{one_port, with_reflection};
use tonghop_runtime::telemetry;
use tonghop_store::Tiles;
use tonic::service::Routes;
use uuid::Uuid;

/// Tails the ledger and keeps tiles and totals. Of several, one is active and the others stand by.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address for gRPC.
    #[arg(long, env = "TONGHOP_LISTEN", default_value = "127.0.0.1:8082")]
    listen: SocketAddr,
    /// The tiles' database: postgres://user:password@host/database.
    #[arg(long, value_name = "URL", env = "TONGHOP_DATABASE", hide_env_values = true)]
    database: String,
    /// Where ingestion is reached, which has the ledger.
    #[arg(long, value_name = "URL", env = "TONGHOP_INGESTION", default_value = "http://127.0.0.1:8081")]
    ingestion: String,
    /// Ledger entries rolled up in one transaction at most.
    #[arg(long, env = "TONGHOP_BATCH_ENTRIES", default_value = "256")]
    batch_entries: usize,
}

const SERVICES: [&str; 2] = ["tonghop.aggregation.v1.AggregationService", ""];

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::around("tonghop-aggregation", false, run(Arguments::parse())).await
}

async fn run(arguments: Arguments) -> Result<(), Trouble> {
    let ingestion = process::channel(&arguments.ingestion)?;
    let tiles = Tiles::open(&arguments.database).await?;
    let aggregation = Aggregation::new(tiles.clone(), ingestion, settings(&arguments));
    let all = Routes::new(AggregationGrpc(aggregation.clone()).into_service());
    let all = with_reflection(all, tonghop_proto::DESCRIPTORS, &SERVICES).await?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
    aggregation.register(&metrics);
    for pool in tiles.pools() {
        metrics.pool("tiles", pool.role(), pool.most(), move || pool.open_and_idle());
    }
    let app = one_port(all.prepare(), Default::default(), &metrics);
    let work = |stopped| aggregation.run(stopped);
    process::run("tonghop-aggregation", arguments.listen, app, work).await?;
    Ok(tiles.close().await?)
}

fn settings(arguments: &Arguments) -> Settings {
    #[expect(clippy::disallowed_methods, reason = "here a process is put together")]
    let now = jiff::Timestamp::now;
    Settings {
        // A process that starts again is another one: its earlier self may still be there.
        holder: Uuid::now_v7().to_string(),
        lease: Duration::from_secs(4),
        batch_entries: arguments.batch_entries.max(1),
        batch_bytes: 8 << 20,
        now,
    }
}
