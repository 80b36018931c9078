//! The binary `tonghop-ingestion`: ingestion alone.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use tonghop_ingestion::submission::Limits;
use tonghop_ingestion::{Ingestion, IngestionGrpc, routes};
use tonghop_runtime::metrics::Metrics;
use tonghop_runtime::process::{self, Trouble};
use tonghop_runtime::serve::{one_port, with_reflection};
use tonghop_runtime::telemetry;
use tonghop_store::Ledger;
use tonic::service::Routes;

/// Takes submissions, checks every figure, appends to the ledger.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address for REST and gRPC.
    #[arg(long, env = "TONGHOP_LISTEN", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The ledger's database: postgres://user:password@host/database.
    #[arg(long, value_name = "URL", env = "TONGHOP_DATABASE", hide_env_values = true)]
    database: String,
    /// Where aggregation is reached, which knows what became of a submission.
    #[arg(long, value_name = "URL", env = "TONGHOP_AGGREGATION", default_value = "http://127.0.0.1:8082")]
    aggregation: String,
}

const SERVICES: [&str; 4] = [
    "tonghop.ingestion.v1.IngestionService",
    "tonghop.ingestion.v1.LedgerService",
    "tonghop.registry.v1.RegistryService",
    "",
];

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::around("tonghop-ingestion", false, run(Arguments::parse())).await
}

async fn run(arguments: Arguments) -> Result<(), Trouble> {
    let aggregation = process::channel(&arguments.aggregation)?;
    let ledger = Ledger::open(&arguments.database).await?;
    #[expect(clippy::disallowed_methods, reason = "here a process is put together")]
    let now = jiff::Timestamp::now;
    let ingestion = Ingestion::open(ledger.clone(), Some(aggregation), Limits::default(), now).await?;
    let grpc = IngestionGrpc(ingestion.clone());
    let all = Routes::new(grpc.submissions()).add_service(grpc.ledger()).add_service(grpc.registry());
    let all = with_reflection(all, tonghop_proto::DESCRIPTORS, &SERVICES).await?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
    ingestion.register(&metrics);
    for pool in ledger.pools() {
        metrics.pool("ledger", pool.role(), pool.most(), move || pool.open_and_idle());
    }
    let app = one_port(all.prepare(), routes(ingestion), &metrics);
    process::run("tonghop-ingestion", arguments.listen, app, |_| async {}).await?;
    Ok(ledger.close().await?)
}
