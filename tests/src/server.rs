//! All services in one process, over a directory or a database that goes with the test.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::OnceCell;
use tonghop::up::{self, Running, UpOptions};
use tonghop_core::registry::Draft;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::aggregation::{
    GetStatusRequest, RebuildRequest, VerifyRequest, VerifyResponse, WatchRequest,
};
use tonghop_proto::ingestion::ingestion_service_client::IngestionServiceClient;
use tonghop_proto::ingestion::ledger_service_client::LedgerServiceClient;
use tonghop_proto::ingestion::{GetHeadRequest, GetHeadResponse, VerifyChainRequest};
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonghop_proto::registry::registry_service_client::RegistryServiceClient;
use tonghop_proto::registry::{LoadRegistryRequest, LoadRegistryResponse};
use tonghop_proto::registry_draft;
use tonghop_testkit::postgres::{Database, On};
use tonic::Status;
use tonic::transport::Channel;

/// How long the roll-up may take to reach a position.
const PATIENCE: Duration = Duration::from_secs(60);
/// Under which the registry that ships is loaded.
pub const REGISTRY_KEY: &str = "shipped-registry";

/// The registry's tables by file name.
pub type Tables = HashMap<String, Vec<u8>>;

/// The tables that ship.
pub fn shipped() -> Tables {
    tonghop::shipped::registry(None).expect("the registry is in the binary")
}

/// The registry that ships, as a draft to build from.
pub fn shipped_draft() -> Draft {
    let wire = tonghop_ingestion::registry_tables::read(&shipped().into_iter().collect());
    registry_draft::draft(wire.expect("the tables that ship are read")).expect("and make a draft")
}

/// A server, and what it keeps everything in.
pub struct Server {
    data: Data,
    running: Option<Running>,
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
}

/// Where a server keeps everything; goes when it is dropped.
#[derive(Debug)]
pub enum Data {
    /// SQLite files.
    Files(TempDir),
    /// A PostgreSQL database.
    Database(Database),
}

impl Data {
    fn new(on: On) -> Data {
        match on {
            On::Sqlite => Data::Files(tempfile::tempdir().expect("a directory")),
            On::Postgres(server) => Data::Database(server.database()),
        }
    }

    /// The URL of the tiles' database.
    fn tiles(&self) -> String {
        match self {
            Data::Files(directory) => format!("sqlite://{}", directory.path().join("tiles.sqlite").display()),
            Data::Database(database) => database.url(),
        }
    }

    /// The same again, while no server runs on it.
    fn copy(&self) -> Data {
        match self {
            Data::Files(from) => {
                let to = tempfile::tempdir().expect("a directory");
                copy(from.path(), to.path());
                Data::Files(to)
            }
            Data::Database(from) => Data::Database(from.copy()),
        }
    }
}

impl Server {
    /// With the registry that ships, at position 1, on SQLite.
    pub async fn start() -> Server {
        Server::start_on(On::Sqlite).await
    }

    /// With the registry that ships, at position 1.
    ///
    /// Its databases are copies of those of a server that loaded it through the API, once for each binary.
    pub async fn start_on(on: On) -> Server {
        static IN_FILES: OnceCell<Data> = OnceCell::const_new();
        static IN_POSTGRES: OnceCell<Data> = OnceCell::const_new();
        let loaded = match on {
            On::Sqlite => &IN_FILES,
            On::Postgres(_) => &IN_POSTGRES,
        };
        let loaded = loaded
            .get_or_init(|| async {
                let server = Server::over(Data::new(on), 256).await;
                let answer = server.load(REGISTRY_KEY, shipped(), false).await.expect("the registry loads");
                assert_eq!(answer.position, 1);
                server.wait(1).await;
                server.stop().await
            })
            .await;
        Server::over(loaded.copy(), 256).await
    }

    /// With nothing in it, on SQLite.
    pub async fn empty(batch_entries: usize) -> Server {
        Server::over(Data::new(On::Sqlite), batch_entries).await
    }

    async fn over(data: Data, batch_entries: usize) -> Server {
        let (running, base) = run(&data, batch_entries).await;
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Server { data, running: Some(running), http, base }
    }

    /// Stops it and starts it again on the same data.
    pub async fn restart(&mut self, batch_entries: usize) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        let (running, base) = run(&self.data, batch_entries).await;
        (self.running, self.base) = (Some(running), base);
    }

    /// Stops it, lets somebody at the database of its tiles, and starts it again.
    pub async fn tampered(&mut self, with: impl AsyncFnOnce(&str)) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        with(&self.data.tiles()).await;
        self.restart(256).await;
    }

    /// Stops it; its data stay as long as what is returned.
    pub async fn stop(mut self) -> Data {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        self.data
    }

    /// To all services, within the process.
    pub fn channel(&self) -> Channel {
        self.running.as_ref().expect("it runs").channel()
    }

    /// Submissions over gRPC.
    pub fn ingestion(&self) -> IngestionServiceClient<Channel> {
        IngestionServiceClient::new(self.channel())
    }

    /// The ledger.
    pub fn ledger(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.channel())
    }

    /// The registry.
    pub fn registry(&self) -> RegistryServiceClient<Channel> {
        RegistryServiceClient::new(self.channel())
    }

    /// The roll-up.
    pub fn aggregation(&self) -> AggregationServiceClient<Channel> {
        AggregationServiceClient::new(self.channel())
    }

    /// Answers.
    pub fn query(&self) -> QueryServiceClient<Channel> {
        QueryServiceClient::new(self.channel())
    }

    /// Loads a registry, or asks what that would change.
    ///
    /// # Errors
    /// As the service answers.
    pub async fn load(
        &self,
        key: &str,
        tables: Tables,
        dry_run: bool,
    ) -> Result<LoadRegistryResponse, Status> {
        let request = LoadRegistryRequest {
            source: "test".to_owned(),
            idempotency_key: key.to_owned(),
            note: String::new(),
            tables,
            dry_run,
        };
        Ok(self.registry().load_registry(request).await?.into_inner())
    }

    /// The ledger's last position and digest.
    pub async fn head(&self) -> GetHeadResponse {
        self.ledger().get_head(GetHeadRequest {}).await.expect("the head").into_inner()
    }

    /// Waits until everything up to a position is rolled up.
    pub async fn wait(&self, position: i64) {
        let reached = tokio::time::timeout(PATIENCE, async {
            let stream = self.aggregation().watch(WatchRequest {}).await;
            let mut stream = stream.expect("the roll-up's progress").into_inner();
            loop {
                match stream.message().await {
                    Ok(Some(message)) if message.position >= position => return,
                    Ok(Some(_)) => {}
                    ended => panic!("the roll-up's progress ended: {ended:?}"),
                }
            }
        });
        if reached.await.is_err() {
            let status = self.aggregation().get_status(GetStatusRequest {}).await;
            panic!("position {position} is not rolled up: {status:?}");
        }
    }

    /// Makes all totals anew from the ledger.
    pub async fn rebuild(&self) {
        self.aggregation().rebuild(RebuildRequest {}).await.expect("a rebuild");
    }

    /// Recomputes every tile and total from the ledger; the last message of that.
    pub async fn verify(&self) -> VerifyResponse {
        let mut stream = self.aggregation().verify(VerifyRequest {}).await.expect("verified").into_inner();
        let mut last = VerifyResponse::default();
        while let Some(message) = stream.message().await.expect("verified") {
            last = message;
        }
        last
    }

    /// That the ledger's chain holds, and that every total is what the ledger makes it.
    pub async fn assert_clean(&self) {
        let head = self.head().await;
        let chain = self.ledger().verify_chain(VerifyChainRequest {}).await.expect("walked").into_inner();
        assert_eq!(
            (chain.entries, chain.digest.as_str(), chain.broken.as_str()),
            (head.position, head.digest.as_str(), "")
        );
        self.wait(head.position).await;
        let verified = self.verify().await;
        assert_eq!((verified.done, verified.position), (true, head.position));
        assert!(verified.differences.is_empty(), "{:#?}", verified.differences);
    }
}

async fn run(data: &Data, batch_entries: usize) -> (Running, String) {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = match data {
        Data::Files(directory) => UpOptions::new(directory.path(), listen),
        Data::Database(database) => {
            UpOptions { database: Some(database.url()), ..UpOptions::new("/nowhere", listen) }
        }
    };
    let running = up::start(UpOptions { batch_entries, ..options }).await.expect("it starts");
    let base = format!("http://{}", running.address);
    (running, base)
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        std::fs::copy(&path, to.join(name)).expect("copied");
    }
}
