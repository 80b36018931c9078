//! The services in one process, over SQLite files in one directory or one PostgreSQL database.
//!
//! Each service is reached by the others through its own gRPC API over an in-process connection, as it would
//! be over a socket. Running them apart changes what stands in this file and nothing else.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonghop_access::{Access, Authority, FileKey, IssuerSettings, Settings, behind, inside};
use tonghop_aggregation::{Aggregation, AggregationGrpc};
use tonghop_ingestion::fair::Traffic;
use tonghop_ingestion::submission::Limits;
use tonghop_ingestion::{Given, Ingestion, IngestionGrpc};
use tonghop_query::{Query, QueryGrpc};
use tonghop_runtime::metrics::Metrics;
use tonghop_runtime::serve::{in_process, one_port, serve, with_reflection};
use tonghop_runtime::tls::{Tls, TlsFiles};
use tonghop_runtime::trace::traced_channel;
use tonghop_runtime::{Readiness, Stopper};
use tonghop_store::{Ledger, Tiles};
use tonic::service::Routes;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::client::Client;
use crate::trouble::Trouble;

/// The gRPC services of all three.
const SERVICES: [&str; 8] = [
    "tonghop.access.v1.AccessService",
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
    /// How much it lets in.
    pub traffic: Traffic,
    /// A file with the administrator's key; one in the data directory, which is made where it is not there, where none
    /// is named.
    pub admin_key_file: Option<PathBuf>,
    /// TLS of the port, where it is to speak that.
    pub tls: Option<TlsFiles>,
    /// Whose tokens are taken beside keys.
    pub issuer: Option<IssuerSettings>,
    /// A file with the key by which services in processes of their own are known, where there are such.
    pub service_key_file: Option<PathBuf>,
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
            traffic: Traffic::default(),
            admin_key_file: None,
            tls: None,
            issuer: None,
            service_key_file: None,
        }
    }
}

/// What runs.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whom it lets in.
    pub access: Access,
    /// Where the administrator's key is, where any is asked for.
    pub administrator_key: PathBuf,
    administrator: Option<FileKey>,
    speaks_tls: bool,
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

    /// All services, within the process, spoken to by the administrator.
    ///
    /// # Errors
    /// Where the key cannot be sent.
    pub fn administered(&self) -> Result<Client, Trouble> {
        Client::over(self.channel.clone(), self.administrator.as_ref().map(FileKey::written))
    }

    /// The URL of its port.
    pub fn url(&self) -> String {
        let scheme = if self.speaks_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
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
    made(&options.data_dir)?;
    let file = |name: &str| format!("sqlite://{}", options.data_dir.join(name).display());
    Ok((Ledger::open(&file("ledger.sqlite")).await?, Tiles::open(&file("tiles.sqlite")).await?.owned()))
}

/// The administrator's key, and where it is; it is made where no other is named and none is there.
fn administrator(options: &UpOptions) -> Result<(PathBuf, Option<FileKey>), Box<dyn Error + Send + Sync>> {
    if options.access == Access::Open {
        return Ok((PathBuf::new(), None));
    }
    if let Some(file) = &options.admin_key_file {
        return Ok((file.clone(), Some(FileKey::read(file)?)));
    }
    made(&options.data_dir)?;
    let file = options.data_dir.join("admin.key");
    let key = FileKey::read_or_make(&file, &tonghop_ingestion::random()?)?;
    Ok((file, Some(key)))
}

fn made(directory: &Path) -> Result<(), String> {
    std::fs::create_dir_all(directory)
        .map_err(|e| format!("the data directory {} cannot be made: {e}", directory.display()))
}

/// Starts all three services.
///
/// # Errors
/// Where the directory, a database or the port cannot be used.
pub async fn start(options: UpOptions) -> Result<Running, Box<dyn Error + Send + Sync>> {
    let (administrator_key, administrator) = administrator(&options)?;
    let tls = options.tls.clone().map(Tls::read).transpose()?;
    let speaks_tls = tls.is_some();
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
    let service = options.service_key_file.as_deref().map(FileKey::read).transpose()?;
    let settings = Settings {
        access: options.access,
        administrator: administrator.clone(),
        service,
        issuer: options.issuer.clone(),
    };
    let authority = Authority::new(settings, now)?;
    let to_aggregation = Some(traced_channel(aggregation_channel.clone()));
    let given = Given {
        limits: Limits { traffic: options.traffic, ..Limits::default() },
        authority: authority.clone(),
        now,
        random: tonghop_ingestion::random,
        stop: stopper.stop(),
    };
    let ingestion = Ingestion::open(ledger.clone(), to_aggregation, given).await?;
    let aggregation = Aggregation::new(
        tiles.clone(),
        traced_channel(ingestion_channel),
        tonghop_aggregation::Settings {
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
    let channel = traced_channel(aggregation_channel);
    let query = Query::new(tiles.clone(), channel, &authority, now, stopper.stop());

    let of_ingestion = IngestionGrpc(ingestion.clone());
    let of_aggregation = AggregationGrpc(aggregation.clone());
    let of_query = QueryGrpc(query.clone());
    let all = Routes::new(of_ingestion.submissions())
        .add_service(of_ingestion.ledger())
        .add_service(of_ingestion.registry())
        .add_service(of_ingestion.reports())
        .add_service(of_ingestion.access())
        .add_service(of_aggregation.clone().into_service())
        .add_service(of_query.into_service());
    let rest = tonghop_ingestion::routes(ingestion.clone())
        .merge(tonghop_aggregation::routes(aggregation.clone()))
        .merge(tonghop_query::routes(query.clone()));
    let (all, rest) = behind(&authority, all, rest);
    let public = with_reflection(all.clone(), tonghop_proto::DESCRIPTORS, &readiness)?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
    ingestion.register(&metrics);
    authority.register(&metrics);
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
    tasks.spawn(async move { ended("the services within the process")(all_end.serve(all, c).await) });
    tasks.spawn(aggregation.clone().run());
    tasks.spawn(query.run());
    tasks.spawn(ingestion.clone().run());
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
        if let Err(error) = serve(listener, app, tls, port_stop).await {
            tracing::error!(error = &error as &dyn Error, "the port ended");
        }
    });
    let access = options.access;
    let channel = all_channel;
    Ok(Running {
        address,
        access,
        administrator_key,
        administrator,
        speaks_tls,
        channel,
        readiness,
        stopper,
        tasks,
        ledger,
        tiles,
    })
}
