//! The services in one process, over SQLite files in one directory or one PostgreSQL database.
//!
//! Each service is reached by the others through its own gRPC API over an in-process connection, as it would
//! be over a socket. Running them apart changes what stands in this file and nothing else.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonghop_access::{Access, Authority, behind, inside};
use tonghop_aggregation::{Aggregation, AggregationGrpc, Settings};
use tonghop_ingestion::submission::Limits;
use tonghop_ingestion::{Ingestion, IngestionGrpc};
use tonghop_query::{Query, QueryGrpc};
use tonghop_runtime::metrics::Metrics;
use tonghop_runtime::serve::{in_process, one_port, serve, with_reflection};
use tonghop_runtime::{Readiness, Stopper};
use tonghop_store::{Ledger, Tiles};
use tonic::service::Routes;
use tonic::transport::Channel;
use uuid::Uuid;

/// The gRPC services of all three.
const SERVICES: [&str; 7] = [
    "tonghop.ingestion.v1.IngestionService",
    "tonghop.ingestion.v1.LedgerService",
    "tonghop.ingestion.v1.ReportService",
    "tonghop.registry.v1.RegistryService",
    "tonghop.aggregation.v1.AggregationService",
    "tonghop.query.v1.QueryService",
    "",
];

/// What to start.
#[derive(Clone, Debug)]
pub struct UpOptions {
    /// Where the database files lie; made if missing.
    pub data_dir: PathBuf,
    /// A database's URL, instead of files.
    pub database: Option<String>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Ledger entries rolled up in one transaction at most.
    pub batch_entries: usize,
    /// Whom it lets in.
    pub access: Access,
}

impl UpOptions {
    /// Over files, with the usual batch size, open to anybody.
    pub fn new(data_dir: impl Into<PathBuf>, listen: SocketAddr) -> UpOptions {
        UpOptions {
            data_dir: data_dir.into(),
            database: None,
            listen,
            batch_entries: 256,
            access: Access::Open,
        }
    }
}

/// What runs.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    channel: Channel,
    readiness: Readiness,
    stopper: Stopper,
    tasks: JoinSet<()>,
    ledger: Ledger,
    tiles: Tiles,
}

/// How long requests under way may take to finish.
const DRAIN: Duration = Duration::from_secs(10);

impl Running {
    /// Stops it: no new requests, those under way are finished, what is acknowledged is on disk.
    pub async fn stop(mut self) {
        self.readiness.drain();
        self.stopper.tell();
        let drained = tokio::time::timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!("some requests did not finish in time");
            self.tasks.shutdown().await;
        }
        for closed in [self.tiles.close().await, self.ledger.close().await] {
            if let Err(error) = closed {
                tracing::warn!(error = &error as &dyn Error, "a database did not close");
            }
        }
    }

    /// A channel to all services, within the process.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }
}

async fn databases(options: &UpOptions) -> Result<(Ledger, Tiles), Box<dyn Error + Send + Sync>> {
    if let Some(url) = &options.database {
        return Ok((Ledger::open(url).await?, Tiles::open(url).await?));
    }
    std::fs::create_dir_all(&options.data_dir)
        .map_err(|e| format!("the data directory {} cannot be made: {e}", options.data_dir.display()))?;
    let file = |name: &str| format!("sqlite://{}", options.data_dir.join(name).display());
    Ok((Ledger::open(&file("ledger.sqlite")).await?, Tiles::open(&file("tiles.sqlite")).await?.owned()))
}

/// Starts all three services.
///
/// # Errors
/// Where the directory, a database or the port cannot be used.
pub async fn start(options: UpOptions) -> Result<Running, Box<dyn Error + Send + Sync>> {
    let (ledger, tiles) = databases(&options).await?;
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|e| format!("{} cannot be listened on: {e}", options.listen))?;
    let address = listener.local_addr()?;

    let (ingestion_channel, ingestion_end) = in_process();
    let (aggregation_channel, aggregation_end) = in_process();
    let (all_channel, all_end) = in_process();
    #[expect(clippy::disallowed_methods, reason = "here a process is put together")]
    let now: fn() -> Timestamp = Timestamp::now;
    let (stopper, readiness) = (Stopper::new(), Readiness::of(&SERVICES));
    let (to_aggregation, limits) = (Some(aggregation_channel.clone()), Limits::default());
    let ingestion = Ingestion::open(ledger.clone(), to_aggregation, limits, now, stopper.stop()).await?;
    let aggregation = Aggregation::new(
        tiles.clone(),
        ingestion_channel,
        Settings {
            holder: match &options.database {
                // One process owns the directory, so that after a crash it need not wait for its own lease to end.
                None => "embedded".to_owned(),
                Some(_) => Uuid::now_v7().to_string(),
            },
            lease: Duration::from_secs(10),
            batch_entries: options.batch_entries,
            batch_bytes: 8 << 20,
            now,
        },
        stopper.stop(),
    );
    let query = Query::new(tiles.clone(), aggregation_channel, now, stopper.stop());

    let of_ingestion = IngestionGrpc(ingestion.clone());
    let of_aggregation = AggregationGrpc(aggregation.clone());
    let of_query = QueryGrpc(query.clone());
    let all = Routes::new(of_ingestion.submissions())
        .add_service(of_ingestion.ledger())
        .add_service(of_ingestion.registry())
        .add_service(of_ingestion.reports())
        .add_service(of_aggregation.clone().into_service())
        .add_service(of_query.into_service());
    let rest = tonghop_ingestion::routes(ingestion.clone())
        .merge(tonghop_aggregation::routes(aggregation.clone()))
        .merge(tonghop_query::routes(query.clone()));
    let authority = Authority::new(options.access, now);
    let (public, rest) = behind(&authority, all.clone(), rest);
    let public = with_reflection(public, tonghop_proto::DESCRIPTORS, &readiness)?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
    ingestion.register(&metrics);
    aggregation.register(&metrics);
    query.register(&metrics);
    for (database, pools) in [("ledger", ledger.pools()), ("tiles", tiles.pools())] {
        for pool in pools {
            metrics.pool(database, pool.role(), pool.most(), move || pool.open_and_idle());
        }
    }
    let app = one_port(public.prepare(), rest, &readiness, &metrics);
    let app = tonghop_query::keep_answers(&query, app, &metrics);

    let stopping = || {
        let stop = stopper.stop();
        async move { stop.told().await }
    };
    let mut tasks = JoinSet::new();
    let inner = inside(Routes::new(of_ingestion.ledger()));
    let ended = |what: &'static str| {
        move |result: Result<(), tonic::transport::Error>| {
            if let Err(error) = result {
                tracing::error!(error = &error as &dyn Error, "{what} ended");
            }
        }
    };
    let (a, b, c) = (stopping(), stopping(), stopping());
    tasks.spawn(async move { ended("the ledger within the process")(ingestion_end.serve(inner, a).await) });
    let inner = inside(Routes::new(of_aggregation.into_service()));
    tasks
        .spawn(async move { ended("aggregation within the process")(aggregation_end.serve(inner, b).await) });
    tasks.spawn(async move { ended("the services within the process")(all_end.serve(inside(all), c).await) });
    tasks.spawn(aggregation.clone().run());
    tasks.spawn(query.run());
    let (watched, stop) = (readiness.clone(), stopper.stop());
    tasks.spawn(async move {
        let probe = || async {
            ingestion.probe().await?;
            aggregation.probe().await
        };
        watched.watch(probe, stop).await;
    });
    let port_stop = stopping();
    tasks.spawn(async move {
        if let Err(error) = serve(listener, app, port_stop).await {
            tracing::error!(error = &error as &dyn Error, "the port ended");
        }
    });
    Ok(Running { address, channel: all_channel, readiness, stopper, tasks, ledger, tiles })
}
