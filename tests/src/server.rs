//! All services in one process, over a directory or a database that goes with the test.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::OnceCell;
use tonghop::up::{self, Running, UpOptions};
use tonghop_access::{Access, IssuerSettings};
use tonghop_core::registry::Draft;
use tonghop_ingestion::fair::Traffic;
use tonghop_ingestion::registry_tables::{self, Given};
use tonghop_proto::registry_draft;
use tonghop_testkit::postgres::{Database, On};

use crate::Api;

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
    let given =
        registry_tables::read(&shipped().into_iter().collect()).expect("the tables that ship are read");
    let Given::Whole(mut wire, reform) = given else { panic!("a whole registry ships") };
    if let Some(reform) = reform {
        registry_draft::put_on(&mut wire, reform).expect("its later changes fit");
    }
    registry_draft::draft(*wire).expect("and make a draft")
}

/// A server, and what it keeps everything in.
pub struct Server {
    access: Guard,
    data: Data,
    running: Option<Running>,
    api: Api,
}

/// Whom a server lets in, and how much of it.
#[derive(Debug)]
struct Guard {
    access: Access,
    /// Where the keys of files are.
    keys: Option<KeyFiles>,
    /// Whose tokens it takes.
    issuer: Option<IssuerSettings>,
    traffic: Traffic,
}

/// What the administrator of a guarded server sends.
pub const ADMINISTRATOR: &str = "the-administrator-of-this-test-0123456789";
/// What another service of a guarded server sends.
pub const SERVICE: &str = "another-service-of-this-test-0123456789ab";

impl Guard {
    fn open() -> Guard {
        Guard { access: Access::Open, keys: None, issuer: None, traffic: Traffic::default() }
    }

    fn of(access: Access) -> Guard {
        Guard { access, keys: Some(KeyFiles::new()), ..Guard::open() }
    }
}

/// The files with the keys of [`ADMINISTRATOR`] and [`SERVICE`]; they go when this is dropped.
#[derive(Debug)]
pub struct KeyFiles(TempDir);

impl KeyFiles {
    /// Writes them.
    pub fn new() -> KeyFiles {
        let folder = tempfile::tempdir().expect("a directory");
        for (file, key) in [("administrator", ADMINISTRATOR), ("service", SERVICE)] {
            std::fs::write(folder.path().join(file), format!("{key}\n")).expect("written");
        }
        KeyFiles(folder)
    }

    /// Where the administrator's is.
    pub fn administrator(&self) -> PathBuf {
        self.0.path().join("administrator")
    }

    /// Where the services' is.
    pub fn service(&self) -> PathBuf {
        self.0.path().join("service")
    }
}

impl Default for KeyFiles {
    fn default() -> KeyFiles {
        KeyFiles::new()
    }
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

    /// With the registry that ships, at position 1, for holders of keys.
    pub async fn guarded(on: On, access: Access) -> Server {
        let data = Server::start_on(on).await.stop().await;
        Server::under(Guard::of(access), data, 256).await
    }

    /// With the registry that ships; it takes so much, and no more.
    pub async fn taking(access: Access, traffic: Traffic) -> Server {
        let data = Server::start().await.stop().await;
        Server::under(Guard { traffic, ..Guard::of(access) }, data, 256).await
    }

    /// With the registry that ships, for holders of keys and of an issuer's tokens.
    pub async fn believing(issuer: IssuerSettings) -> Server {
        let data = Server::start().await.stop().await;
        Server::under(Guard { issuer: Some(issuer), ..Guard::of(Access::Keys) }, data, 256).await
    }

    /// Where its files lie; none where it has a database.
    pub fn files(&self) -> Option<&Path> {
        match &self.data {
            Data::Files(directory) => Some(directory.path()),
            Data::Database(_) => None,
        }
    }

    /// With nothing in it, on SQLite.
    pub async fn empty(batch_entries: usize) -> Server {
        Server::empty_on(On::Sqlite, batch_entries).await
    }

    /// With nothing in it.
    pub async fn empty_on(on: On, batch_entries: usize) -> Server {
        Server::over(Data::new(on), batch_entries).await
    }

    async fn over(data: Data, batch_entries: usize) -> Server {
        Server::under(Guard::open(), data, batch_entries).await
    }

    async fn under(access: Guard, data: Data, batch_entries: usize) -> Server {
        let (running, api) = run(&access, &data, batch_entries).await;
        Server { access, data, running: Some(running), api }
    }

    /// Stops it and starts it again on the same data.
    pub async fn restart(&mut self, batch_entries: usize) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        let (running, api) = run(&self.access, &self.data, batch_entries).await;
        (self.running, self.api) = (Some(running), api);
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
}

impl Deref for Server {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

async fn run(guard: &Guard, data: &Data, batch_entries: usize) -> (Running, Api) {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = match data {
        Data::Files(directory) => UpOptions::new(directory.path(), listen),
        Data::Database(database) => {
            UpOptions { database: Some(database.url()), ..UpOptions::new("/nowhere", listen) }
        }
    };
    let options = UpOptions {
        batch_entries,
        access: guard.access,
        traffic: guard.traffic,
        issuer: guard.issuer.clone(),
        admin_key_file: guard.keys.as_ref().map(KeyFiles::administrator),
        service_key_file: guard.keys.as_ref().map(KeyFiles::service),
        ..options
    };
    let running = up::start(options).await.expect("it starts");
    let api = Api::new(format!("http://{}", running.address), running.channel());
    (running, api)
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        std::fs::copy(&path, to.join(name)).expect("copied");
    }
}
