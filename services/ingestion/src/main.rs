//! The binary `tonghop-ingestion`: ingestion alone.

use std::process::ExitCode;

use clap::Parser;
use tonghop_access::{Access, AccessArguments, Authority, behind};
use tonghop_ingestion::fair::TrafficArguments;
use tonghop_ingestion::submission::Limits;
use tonghop_ingestion::{Given, Ingestion, IngestionGrpc, routes};
use tonghop_runtime::arguments::{DatabaseArguments, ServiceArguments, check};
use tonghop_runtime::metrics::Metrics;
use tonghop_runtime::process::{self, Service, Trouble};
use tonghop_runtime::serve::{one_port, with_reflection};
use tonghop_runtime::{Readiness, Stopper, memory, telemetry};
use tonghop_store::Ledger;
use tonic::service::Routes;

/// Takes submissions, checks every figure, appends to the ledger.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    service: ServiceArguments,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    traffic: TrafficArguments,
    #[command(flatten)]
    access: AccessArguments,
    /// Where aggregation is reached, which knows what became of a submission.
    #[arg(long, value_name = "URL", env = "TONGHOP_AGGREGATION", default_value = "http://127.0.0.1:8082")]
    aggregation: String,
}

/// Its port where nothing is said.
const PORT: u16 = 8081;
const SERVICES: [&str; 6] = [
    "tonghop.access.v1.AccessService",
    "tonghop.ingestion.v1.IngestionService",
    "tonghop.ingestion.v1.LedgerService",
    "tonghop.registry.v1.RegistryService",
    "tonghop.ingestion.v1.ReportService",
    "",
];

#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::Allocator;

#[tokio::main]
async fn main() -> ExitCode {
    memory::in_small_pages();
    telemetry::around("tonghop-ingestion", false, run(Arguments::parse())).await
}

async fn run(arguments: Arguments) -> Result<(), Trouble> {
    let listen = arguments.service.listen(PORT);
    if arguments.service.check {
        return check(listen, &arguments.service.tls).await;
    }
    let access = arguments.access.settings()?;
    if access.access != Access::Open && access.administrator.is_none() {
        return Err(
            "nobody could give the first key: --admin-key-file FILE or TONGHOP_ADMIN_KEY_FILE names the \
                    administrator's; or --access open, where nobody else reaches it"
                .into(),
        );
    }
    let aggregation = process::channel(&arguments.aggregation, &arguments.service.tls_client())?;
    let aggregation = access.speaking(aggregation)?;
    let ledger = Ledger::open(&arguments.database.url()?).await?;
    let tls = arguments.service.tls.server()?;
    let (stopper, readiness) = (Stopper::new(), Readiness::of(&SERVICES));
    #[expect(clippy::disallowed_methods, reason = "here a process is put together")]
    let now = jiff::Timestamp::now;
    let authority = Authority::new(access, now)?;
    let given = Given {
        limits: Limits { traffic: arguments.traffic.into(), ..Limits::default() },
        authority: authority.clone(),
        now,
        random: tonghop_ingestion::random,
        stop: stopper.stop(),
    };
    let ingestion = Ingestion::open(ledger.clone(), Some(aggregation), given).await?;
    let grpc = IngestionGrpc(ingestion.clone());
    let all = Routes::new(grpc.submissions())
        .add_service(grpc.ledger())
        .add_service(grpc.registry())
        .add_service(grpc.reports())
        .add_service(grpc.access());
    let (all, rest) = behind(&authority, all, routes(ingestion.clone()));
    let all = with_reflection(all, tonghop_proto::DESCRIPTORS, &readiness)?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
    ingestion.register(&metrics);
    authority.register(&metrics);
    for pool in ledger.pools() {
        metrics.pool("ledger", pool.role(), pool.most(), move || pool.open_and_idle());
    }
    let app = one_port(all.prepare(), rest, &readiness, &metrics);
    let work = ingestion.clone().run();
    let probe = move || {
        let ingestion = ingestion.clone();
        async move { ingestion.probe().await }
    };
    let service = Service { name: "tonghop-ingestion", app, tls, work, readiness, probe };
    process::run(service, listen, arguments.service.grace(), stopper).await?;
    Ok(ledger.close().await?)
}
