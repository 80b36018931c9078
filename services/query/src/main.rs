//! The binary `tonghop-query`: query alone.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use tonghop_query::{Query, QueryGrpc, routes};
use tonghop_runtime::metrics::Metrics;
use tonghop_runtime::process::{self, Trouble};
use tonghop_runtime::serve::{one_port, with_reflection};
use tonghop_runtime::telemetry;
use tonghop_store::Tiles;
use tonic::service::Routes;

/// Answers totals, explanations, coverage; writes nothing.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address for REST and gRPC.
    #[arg(long, env = "TONGHOP_LISTEN", default_value = "127.0.0.1:8083")]
    listen: SocketAddr,
    /// The tiles' database: postgres://user:password@host/database.
    #[arg(long, value_name = "URL", env = "TONGHOP_DATABASE", hide_env_values = true)]
    database: String,
    /// Where aggregation is reached, which says when totals move.
    #[arg(long, value_name = "URL", env = "TONGHOP_AGGREGATION", default_value = "http://127.0.0.1:8082")]
    aggregation: String,
}

const SERVICES: [&str; 2] = ["tonghop.query.v1.QueryService", ""];

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::around("tonghop-query", false, run(Arguments::parse())).await
}

async fn run(arguments: Arguments) -> Result<(), Trouble> {
    let aggregation = process::channel(&arguments.aggregation)?;
    let tiles = Tiles::open(&arguments.database).await?;
    let query = Query::new(tiles.clone(), aggregation);
    let all = Routes::new(QueryGrpc(query.clone()).into_service());
    let all = with_reflection(all, tonghop_proto::DESCRIPTORS, &SERVICES).await?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
    query.register(&metrics);
    for pool in tiles.pools() {
        metrics.pool("tiles", pool.role(), pool.most(), move || pool.open_and_idle());
    }
    let app = one_port(all.prepare(), routes(query.clone()), &metrics);
    process::run("tonghop-query", arguments.listen, app, |stopped| query.run(stopped)).await?;
    Ok(tiles.close().await?)
}
