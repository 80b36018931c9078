//! A service as a process of its own: its port, its signals, the other services, its end.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tonic::transport::{Channel, Endpoint};

use crate::tls::{Tls, TlsClient};
use crate::{Readiness, Stopper};

/// How long requests and streams under way may take to finish.
const DRAIN: Duration = Duration::from_secs(10);
/// How long a connection to another service may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a connection is tried while nothing comes, and how long it may then be silent.
const ALIVE: Duration = Duration::from_secs(5);

/// Why a process cannot do its work.
pub type Trouble = Box<dyn Error + Send + Sync>;

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// Where signals cannot be waited for.
pub async fn until_told() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// A channel to the service at a URL. It connects when it is first used, and again whenever that is needed; a
/// connection on which nothing comes back is given up.
///
/// # Errors
/// Where the URL is none, or what TLS takes cannot be used.
pub fn channel(url: &str, tls: &TlsClient) -> Result<Channel, Trouble> {
    let mut endpoint = Endpoint::from_shared(url.to_owned()).map_err(|e| format!("the URL {url}: {e}"))?;
    if url.starts_with("https:") {
        endpoint = endpoint.tls_config(tls.config()?).map_err(|e| format!("TLS to {url}: {e}"))?;
    }
    let endpoint = endpoint.connect_timeout(CONNECT).tcp_nodelay(true);
    let endpoint = endpoint.http2_keep_alive_interval(ALIVE).keep_alive_timeout(ALIVE);
    Ok(endpoint.keep_alive_while_idle(true).connect_lazy())
}

/// A service to be run: what it answers, what it does beside that, and how it looks whether it can.
#[derive(Debug)]
pub struct Service<Work, Probe> {
    /// What it is called.
    pub name: &'static str,
    /// What it answers.
    pub app: Router,
    /// TLS of its port, where it speaks that.
    pub tls: Option<Tls>,
    /// What it does beside answering; ends when it is told to stop.
    pub work: Work,
    /// Whether it can do its work.
    pub readiness: Readiness,
    /// A small piece of its work; says what is in the way.
    pub probe: Probe,
}

/// Serves, and does the work beside it, until the process is told to stop. Then it is not ready any more, goes on
/// for `grace`, and lets what is under way finish, within bounds. Says on stdout where it listens.
///
/// # Errors
/// Where it cannot listen, or the port fails.
pub async fn run<Work, Probe, Looked>(
    service: Service<Work, Probe>,
    listen: SocketAddr,
    grace: Duration,
    stopper: Stopper,
) -> Result<(), Trouble>
where
    Work: Future<Output = ()> + Send + 'static,
    Probe: Fn() -> Looked + Send + Sync + 'static,
    Looked: Future<Output = Result<(), String>> + Send,
{
    let Service { name, app, tls, work, readiness, probe } = service;
    let listener =
        TcpListener::bind(listen).await.map_err(|e| format!("{listen} cannot be listened on: {e}"))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    println!("{name} is up on {scheme}://{}", listener.local_addr()?);
    let (watched, stop) = (readiness.clone(), stopper.stop());
    let watching = tokio::spawn(async move { watched.watch(probe, stop).await });
    let mut working = tokio::spawn(work);
    let stop = stopper.stop();
    let mut serving = tokio::spawn(crate::serve::serve(listener, app, tls, async move { stop.told().await }));
    tokio::select! {
        told = until_told() => told?,
        served = &mut serving => return Ok(served??),
    }
    tracing::info!(grace_seconds = grace.as_secs(), "told to stop");
    readiness.drain();
    tokio::time::sleep(grace).await;
    stopper.tell();
    let drained =
        tokio::time::timeout(DRAIN, async { (&mut working).await.is_ok() && (&mut serving).await.is_ok() });
    if drained.await.is_err() {
        tracing::warn!("some requests did not finish in time");
        serving.abort();
    }
    watching.abort();
    Ok(())
}

/// A process's exit code: 0, or 1 with the reason on stderr.
pub fn exit(outcome: Result<(), Trouble>) -> ExitCode {
    let Err(trouble) = outcome else { return ExitCode::SUCCESS };
    let mut text = trouble.to_string();
    let mut source = trouble.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    eprintln!("{text}");
    ExitCode::FAILURE
}
