//! A service as a process of its own: its port, its signals, the other services, its end.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};

/// How long requests and streams under way may take to finish.
const DRAIN: Duration = Duration::from_secs(10);
/// How long a connection to another service may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a connection is tried while nothing comes, and how long it may then be silent.
const ALIVE: Duration = Duration::from_secs(5);

/// Why a process cannot do its work.
pub type Trouble = Box<dyn Error + Send + Sync>;

/// Resolves when the process is to stop.
pub type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

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
/// Where the URL is none.
pub fn channel(url: &str) -> Result<Channel, Trouble> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|e| format!("the URL {url}: {e}"))?;
    let endpoint = endpoint.connect_timeout(CONNECT).tcp_nodelay(true);
    let endpoint = endpoint.http2_keep_alive_interval(ALIVE).keep_alive_timeout(ALIVE);
    Ok(endpoint.keep_alive_while_idle(true).connect_lazy())
}

/// Serves, and does the work beside it, until the process is told to stop; what is under way then may finish,
/// within bounds. Says on stdout where it listens.
///
/// # Errors
/// Where it cannot listen, or the port fails.
pub async fn run<Work>(
    name: &str,
    listen: SocketAddr,
    app: Router,
    work: impl FnOnce(Stopped) -> Work,
) -> Result<(), Trouble>
where
    Work: Future<Output = ()> + Send + 'static,
{
    let listener =
        TcpListener::bind(listen).await.map_err(|e| format!("{listen} cannot be listened on: {e}"))?;
    println!("{name} is up on http://{}", listener.local_addr()?);
    let stop = watch::Sender::new(false);
    let stopped = || -> Stopped {
        let mut stopped = stop.subscribe();
        Box::pin(async move {
            // The sender's end counts as a stop.
            let _ = stopped.wait_for(|stop| *stop).await;
        })
    };
    let mut working = tokio::spawn(work(stopped()));
    let mut serving = tokio::spawn(crate::serve::serve(listener, app, stopped()));
    tokio::select! {
        told = until_told() => told?,
        served = &mut serving => return Ok(served??),
    }
    stop.send_replace(true);
    let drained =
        tokio::time::timeout(DRAIN, async { (&mut working).await.is_ok() && (&mut serving).await.is_ok() });
    if drained.await.is_err() {
        tracing::warn!("some requests did not finish in time");
        serving.abort();
    }
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
