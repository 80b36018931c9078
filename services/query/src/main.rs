//! The binary `tonghop-query`: query alone.

use std::process::ExitCode;

use clap::Parser;
use tonghop_access::{AccessArguments, Authority, behind};
use tonghop_query::{Query, QueryGrpc, keep_answers, routes};
use tonghop_runtime::arguments::{DatabaseArguments, ServiceArguments, check};
use tonghop_runtime::metrics::Metrics;
use tonghop_runtime::process::{self, Service, Trouble};
use tonghop_runtime::serve::{one_port, with_reflection};
use tonghop_runtime::{Readiness, Stopper, memory, telemetry};
use tonghop_store::Tiles;
use tonic::service::Routes;

/// Answers totals, explanations, coverage; writes nothing.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    service: ServiceArguments,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    access: AccessArguments,
    /// Where aggregation is reached, which says when totals move.
    #[arg(long, value_name = "URL", env = "TONGHOP_AGGREGATION", default_value = "http://127.0.0.1:8082")]
    aggregation: String,
}

/// Its port where nothing is said.
const PORT: u16 = 8083;
const SERVICES: [&str; 2] = ["tonghop.query.v1.QueryService", ""];

#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::Allocator;

#[tokio::main]
async fn main() -> ExitCode {
    memory::in_small_pages();
    telemetry::around("tonghop-query", false, run(Arguments::parse())).await
}

async fn run(arguments: Arguments) -> Result<(), Trouble> {
    let listen = arguments.service.listen(PORT);
    if arguments.service.check {
        return check(listen, &arguments.service.tls).await;
    }
    let access = arguments.access.settings()?;
    let aggregation = process::channel(&arguments.aggregation, &arguments.service.tls_client())?;
    let aggregation = access.speaking(aggregation)?;
    let tiles = Tiles::open(&arguments.database.url()?).await?;
    let tls = arguments.service.tls.server()?;
    let (stopper, readiness) = (Stopper::new(), Readiness::of(&SERVICES));
    #[expect(clippy::disallowed_methods, reason = "here a process is put together")]
    let now = jiff::Timestamp::now;
    let authority = Authority::new(access, now)?;
    let query = Query::new(tiles.clone(), aggregation, &authority, now, stopper.stop());
    let all = Routes::new(QueryGrpc(query.clone()).into_service());
    let (all, rest) = behind(&authority, all, routes(query.clone()));
    let all = with_reflection(all, tonghop_proto::DESCRIPTORS, &readiness)?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
    query.register(&metrics);
    authority.register(&metrics);
    for pool in tiles.pools() {
        metrics.pool("tiles", pool.role(), pool.most(), move || pool.open_and_idle());
    }
    let app = one_port(all.prepare(), rest, &readiness, &metrics);
    let app = keep_answers(&query, app, &metrics);
    let work = query.clone().run();
    let probe = move || {
        let query = query.clone();
        async move { query.probe().await }
    };
    let service = Service { name: "tonghop-query", app, tls, work, readiness, probe };
    process::run(service, listen, arguments.service.grace(), stopper).await?;
    Ok(tiles.close().await?)
}
