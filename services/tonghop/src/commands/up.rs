//! `tonghop up`: all three services in one process.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tonghop_access::{Access, IssuerArguments};
use tonghop_ingestion::fair::TrafficArguments;
use tonghop_runtime::tls::TlsArguments;

use crate::output::say;
use crate::settings::Settings;
use crate::trouble::{Trouble, chain};
use crate::up::{Running, UpOptions, start};

/// What `up` takes.
#[derive(Debug, Args)]
pub struct UpArguments {
    /// Settings, in TOML; `config.default.toml` beside the sources has them all.
    #[arg(long, env = "TONGHOP_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where the database lies; made where it is not there [default: ./tonghop-data].
    #[arg(long, env = "TONGHOP_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// A database to use instead of files: postgres://user:password@host/database. Empty: files.
    #[arg(long, value_name = "URL", env = "TONGHOP_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// Address for REST and gRPC [default: 127.0.0.1:8080].
    #[arg(long, env = "TONGHOP_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Ledger entries rolled up in one transaction at most [default: 256].
    #[arg(long, env = "TONGHOP_BATCH_ENTRIES")]
    pub batch_entries: Option<usize>,
    /// How much it lets in.
    #[command(flatten)]
    pub traffic: TrafficArguments,
    /// Whom it lets in: anybody to do anything (open); anybody to read what is public, all else with a key (keys);
    /// nobody without a key (closed) [default: keys].
    #[arg(long, value_enum, env = "TONGHOP_ACCESS")]
    pub access: Option<Access>,
    /// A file with the administrator's key: who sends it may do everything [default: admin.key in the data directory,
    /// which is made where it is not there].
    #[arg(long, value_name = "FILE", env = "TONGHOP_ADMIN_KEY_FILE")]
    pub admin_key_file: Option<PathBuf>,
    /// TLS of the port.
    #[command(flatten)]
    pub tls: TlsArguments,
    /// A file with the key by which services in processes of their own are known, where there are such on the same
    /// database.
    #[arg(long, value_name = "FILE", env = "TONGHOP_SERVICE_KEY_FILE")]
    pub service_key_file: Option<PathBuf>,
    /// Whose tokens it takes beside keys.
    #[command(flatten)]
    pub issuer: IssuerArguments,
}

impl UpArguments {
    /// What was typed or is in the environment, over the file, over the defaults.
    fn options(self) -> Result<UpOptions, Trouble> {
        let file = Settings::load(self.config.as_deref())?;
        let unset = |name: &str| Trouble::refused(format!("the setting {name} is not set anywhere"));
        Ok(UpOptions {
            access: self.access.or(file.access).unwrap_or_default(),
            traffic: self.traffic.or(file.traffic()).into(),
            tls: match self.tls.files() {
                Some(files) => Some(files),
                None => file.tls()?,
            },
            issuer: match self.issuer.settings() {
                Some(issuer) => Some(issuer),
                None => file.issuer()?,
            },
            admin_key_file: self.admin_key_file.or(file.admin_key_file).filter(|f| !f.as_os_str().is_empty()),
            service_key_file: self
                .service_key_file
                .or(file.service_key_file)
                .filter(|f| !f.as_os_str().is_empty()),
            data_dir: self.data_dir.or(file.data_dir).ok_or_else(|| unset("data_dir"))?,
            database: self.database.or(file.database).filter(|url| !url.is_empty()),
            listen: self.listen.or(file.listen).ok_or_else(|| unset("listen"))?,
            batch_entries: self.batch_entries.or(file.batch_entries).unwrap_or(256).max(1),
        })
    }
}

/// Runs until it is told to stop.
///
/// # Errors
/// Where it cannot start.
pub async fn run(arguments: UpArguments) -> Result<(), Trouble> {
    let options = arguments.options()?;
    let data = match &options.database {
        // Without its URL, which may hold a password.
        Some(_) => "in the database that was named".to_owned(),
        None => options.data_dir.display().to_string(),
    };
    let running = start_with(options).await?;
    say(format_args!("tonghop is up on {}", running.url()));
    say(format_args!("  REST  {}/v1/totals …", running.url()));
    say(format_args!("  gRPC  {} (tonghop.ingestion.v1, tonghop.query.v1, …)", running.address));
    say(format_args!("  data  {data}"));
    say(format_args!("  keys  {}", keys(&running)));
    say("Ctrl-C stops it.");
    until_told().await?;
    say("stopping");
    running.stop().await;
    Ok(())
}

/// Who may come in, and where the administrator's key is; never the key.
fn keys(running: &Running) -> String {
    let file = running.administrator_key.display();
    match running.access {
        Access::Open => {
            "none are asked for: anybody who reaches it may do anything (--access open)".to_owned()
        }
        Access::Keys => format!("reading is public, all else takes a key; the administrator's is in {file}"),
        Access::Closed => format!("everything takes a key; the administrator's is in {file}"),
    }
}

/// Starts the services, for whoever has the key that is made with them.
///
/// # Errors
/// Why they do not start.
pub async fn start_at(data_dir: PathBuf, listen: SocketAddr) -> Result<Running, Trouble> {
    start_with(UpOptions { access: Access::Keys, ..UpOptions::new(data_dir, listen) }).await
}

async fn start_with(options: UpOptions) -> Result<Running, Trouble> {
    let listen = options.listen;
    start(options).await.map_err(|error| {
        Trouble::refused(format!("the services do not start on {listen}: {}", chain(error.as_ref())))
    })
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// Where signals cannot be waited for.
pub async fn until_told() -> Result<(), Trouble> {
    let told = tonghop_runtime::process::until_told().await;
    told.map_err(|error| Trouble::refused(format!("cannot wait for signals: {error}")))
}

/// Does some work on temporary data; told to stop, it leaves off, so that the data is removed.
///
/// # Errors
/// Those of the work, or that it was told to stop.
pub async fn unless_told(work: impl Future<Output = Result<(), Trouble>>) -> Result<(), Trouble> {
    tokio::select! {
        done = work => done,
        told = until_told() => told.and(Err(Trouble::refused("stopped before it was done"))),
    }
}
