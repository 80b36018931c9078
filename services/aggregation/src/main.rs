//! The binary `tonghop-aggregation`: aggregation alone.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tonghop_access::{AccessArguments, Authority, behind};
use tonghop_aggregation::{Aggregation, AggregationGrpc, Settings, routes};
use tonghop_runtime::arguments::{DatabaseArguments, ServiceArguments, check};
use tonghop_runtime::metrics::Metrics;
use tonghop_runtime::process::{self, Service, Trouble};
use tonghop_runtime::serve::{one_port, with_reflection};
use tonghop_runtime::{Readiness, Stopper, memory, telemetry};
use tonghop_store::Tiles;
use tonic::service::Routes;
use uuid::Uuid;

/// Tails the ledger and keeps tiles and totals. Of several, one is active and the others stand by.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    service: ServiceArguments,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    access: AccessArguments,
    /// Where ingestion is reached, which has the ledger.
    #[arg(long, value_name = "URL", env = "TONGHOP_INGESTION", default_value = "http://127.0.0.1:8081")]
    ingestion: String,
    /// Ledger entries rolled up in one transaction at most.
    #[arg(long, env = "TONGHOP_BATCH_ENTRIES", default_value = "256")]
    batch_entries: usize,
}

/// Its port where nothing is said.
const PORT: u16 = 8082;
const SERVICES: [&str; 2] = ["tonghop.aggregation.v1.AggregationService", ""];

#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::Allocator;

#[tokio::main]
async fn main() -> ExitCode {
    memory::in_small_pages();
    telemetry::around("tonghop-aggregation", false, run(Arguments::parse())).await
}

async fn run(arguments: Arguments) -> Result<(), Trouble> {
    let listen = arguments.service.listen(PORT);
    if arguments.service.check {
        return check(listen, &arguments.service.tls).await;
    }
    let access = arguments.access.settings()?;
    let ingestion = process::channel(&arguments.ingestion, &arguments.service.tls_client())?;
    let ingestion = access.speaking(ingestion)?;
    let tiles = Tiles::open(&arguments.database.url()?).await?;
    let tls = arguments.service.tls.server()?;
    let (stopper, readiness) = (Stopper::new(), Readiness::of(&SERVICES));
    let aggregation = Aggregation::new(tiles.clone(), ingestion, settings(&arguments), stopper.stop());
    let all = Routes::new(AggregationGrpc(aggregation.clone()).into_service());
    #[expect(clippy::disallowed_methods, reason = "here a process is put together")]
    let now = jiff::Timestamp::now;
    let authority = Authority::new(access, now)?;
    let (all, rest) = behind(&authority, all, routes(aggregation.clone()));
    let all = with_reflection(all, tonghop_proto::DESCRIPTORS, &readiness)?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
    aggregation.register(&metrics);
    authority.register(&metrics);
    for pool in tiles.pools() {
        metrics.pool("tiles", pool.role(), pool.most(), move || pool.open_and_idle());
    }
    let app = one_port(all.prepare(), rest, &readiness, &metrics);
    let (rolling, keeping) = (aggregation.clone().run(), aggregation.clone().keep_keys(authority));
    let work = async move {
        tokio::join!(rolling, keeping);
    };
    let probe = move || {
        let aggregation = aggregation.clone();
        async move { aggregation.probe().await }
    };
    let service = Service { name: "tonghop-aggregation", app, tls, work, readiness, probe };
    process::run(service, listen, arguments.service.grace(), stopper).await?;
    Ok(tiles.close().await?)
}

fn settings(arguments: &Arguments) -> Settings {
    #[expect(clippy::disallowed_methods, reason = "here a process is put together")]
    let now = jiff::Timestamp::now;
    Settings {
        // A process that starts again is another one: its earlier self may still be there.
        holder: Uuid::now_v7().to_string(),
        lease: Duration::from_secs(3),
        batch_entries: arguments.batch_entries.max(1),
        batch_bytes: 8 << 20,
        now,
    }
}
