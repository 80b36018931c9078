//! Serving REST and gRPC on one port, and gRPC within a process.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, Server};

use crate::first_bytes::FirstBytes;
use crate::language::spoken;
use crate::metrics::{Metrics, counted};
use crate::tls::Tls;
use crate::trace::traced;
use crate::{Failure, FailureKind, Readiness, Text};

/// Bytes in flight in an in-process connection.
const PIPE: usize = 1 << 20;

/// Requests answered at once; a stream counts until it begins.
const REQUESTS_AT_ONCE: usize = 1024;
/// How long an answer, or the beginning of a stream, may take, the request's arrival included.
const LONGEST_REQUEST: Duration = Duration::from_secs(300);

/// One port for both: gRPC services with health and reflection, REST beside them, how the process is, and its metrics.
pub fn one_port(grpc: Routes, rest: Router, readiness: &Readiness, metrics: &Arc<Metrics>) -> Router {
    let limit = Arc::new(Semaphore::new(REQUESTS_AT_ONCE));
    let bounded = middleware::from_fn_with_state(limit, bounded);
    let counted = middleware::from_fn_with_state(Arc::clone(metrics), counted);
    let answers = grpc.into_axum_router().merge(rest).fallback(nowhere).layer(bounded).layer(counted);
    let answers = answers.layer(middleware::from_fn(spoken));
    // How it is, it says also when it has too much to do.
    answers.layer(middleware::from_fn(traced)).merge(readiness.routes()).merge(metrics.routes())
}

/// What is asked for where nothing is: in the terms of gRPC whoever speaks that, as a problem all others.
async fn nowhere(request: Request) -> Response {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    if media_type.is_some_and(|media_type| media_type.starts_with("application/grpc")) {
        return tonic::Status::unimplemented("there is no such method").into_http();
    }
    let path = request.uri().path();
    let detail = Text::of(
        format!("không có gì tại {path}: xem danh sách ở /openapi.json"),
        format!("nothing is at {path}: /openapi.json lists what there is"),
    );
    Failure::new(FailureKind::NotFound, detail).into_response()
}

/// Answers within bounds: what comes on top of them is told to come again.
async fn bounded(State(limit): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let Ok(_permit) = limit.try_acquire() else {
        let detail = Text::of(
            "quá nhiều yêu cầu cùng lúc; hãy thử lại sau giây lát",
            "too many requests at once; try again in a moment",
        );
        return Failure::new(FailureKind::Unavailable, detail).into_response();
    };
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail =
                Text::of("yêu cầu xử lý quá lâu; hãy thử lại", "the request took too long; try again");
            Failure::new(FailureKind::Unavailable, detail).into_response()
        }
    }
}

/// Adds reflection, from the services' descriptions, and health, which follows the readiness.
///
/// # Errors
/// Where the descriptions do not decode.
pub fn with_reflection(
    routes: Routes,
    descriptors: &'static [u8],
    readiness: &Readiness,
) -> Result<Routes, tonic_reflection::server::Error> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(descriptors)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    // Older clients, as grpcurl before 1.8.8, know the earlier name alone.
    let (now, before) = (reflection().build_v1()?, reflection().build_v1alpha()?);
    let (reporter, health) = tonic_health::server::health_reporter();
    tokio::spawn(readiness.clone().report(reporter));
    Ok(routes.add_service(now).add_service(before).add_service(health))
}

/// The longest frame taken over HTTP/2, and how many bytes of one request, and of all of a connection, may be on their
/// way before they are read: a submission comes in one go. With HTTP/2's own 16 KiB and 64 KiB it comes in dozens of
/// pieces, and whoever sends it waits for leave several times.
const FRAME: u32 = 1 << 20;
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// Connections at once; more are closed as they come, so that those that are there go on.
const CONNECTIONS: usize = 4096;
/// How long a connection has for its first bytes, and one of HTTP/1 for each head of a request, the wait for it included.
const HEAD: Duration = Duration::from_secs(30);
/// Bytes of a request's head: its line and headers.
const HEAD_BYTES: usize = 64 << 10;
/// Headers of a request.
const HEADERS: usize = 100;
/// Requests at once on one connection of HTTP/2; whoever has more waits with them.
const STREAMS: u32 = 256;
/// Requests on one connection that were begun and given up and are not cleaned away yet: more are a flood, for which
/// the connection is closed (CVE-2023-44487, and what came after it).
const RESETS: usize = 32;
/// How often a silent connection of HTTP/2 is asked whether somebody is there, and how long it has to answer.
const ALIVE: Duration = Duration::from_secs(30);

/// How connections are served.
fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_frame_size(FRAME)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .max_header_list_size(HEAD_BYTES as u32)
        .keep_alive_interval(ALIVE)
        .keep_alive_timeout(ALIVE);
    builder
}

/// Serves until `shutdown` resolves, then lets requests under way finish; over TLS, where that is given.
///
/// # Errors
/// Where the port cannot be served.
pub async fn serve(
    mut listener: TcpListener,
    app: Router,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let builder = builder();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let under_way = GracefulShutdown::new();
    let following = async {
        match tls.clone() {
            Some(tls) => tls.follow().await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(shutdown, following);
    loop {
        // Waits by itself where no more connections can be opened.
        let (connection, from) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut shutdown => break,
            () = &mut following => break,
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(connections = CONNECTIONS, "too many connections: one more is closed");
            continue;
        };
        // Small answers must not wait for the acknowledgement of the packet before.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delays");
        }
        let service = TowerToHyperService::new(app.clone());
        let (watcher, builder, tls) = (under_way.watcher(), builder.clone(), tls.clone());
        tokio::spawn(async move {
            let _place = place;
            let ended = match tls {
                None => {
                    let connection = TokioIo::new(FirstBytes::within(HEAD, connection));
                    watcher.watch(builder.serve_connection_with_upgrades(connection, service)).await
                }
                Some(tls) => match tls.accept(connection, from).await {
                    Ok(connection) => {
                        let connection = TokioIo::new(FirstBytes::within(HEAD, connection));
                        watcher.watch(builder.serve_connection_with_upgrades(connection, service)).await
                    }
                    Err(error) => Err(error.into()),
                },
            };
            if let Err(error) = ended {
                tracing::debug!(error = &*error, "a connection ended early");
            }
        });
    }
    drop(listener);
    under_way.shutdown().await;
    Ok(())
}

/// The receiving end of an in-process connection: services to be put behind it.
#[derive(Debug)]
pub struct InProcess {
    connections: mpsc::Receiver<Result<DuplexStream, Infallible>>,
}

/// A channel to services of the same process. What is called through it goes through the same encoding,
/// limits and errors as over a socket, so running services apart changes the wiring only.
pub fn in_process() -> (Channel, InProcess) {
    let (sender, connections) = mpsc::channel(16);
    let connect = tower::service_fn(move |_: http::Uri| {
        let sender = sender.clone();
        async move {
            let (ours, theirs) = tokio::io::duplex(PIPE);
            sender.send(Ok(theirs)).await.map_err(|_| {
                std::io::Error::new(std::io::ErrorKind::NotConnected, "the services have stopped")
            })?;
            Ok::<_, std::io::Error>(TokioIo::new(ours))
        }
    });
    let channel = Endpoint::from_static("http://in-process").connect_with_connector_lazy(connect);
    (channel, InProcess { connections })
}

impl InProcess {
    /// Serves until `shutdown` resolves.
    ///
    /// # Errors
    /// Where the transport fails.
    pub async fn serve(
        self,
        routes: Routes,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), tonic::transport::Error> {
        let incoming = ReceiverStream::new(self.connections).map(|c| c.map_err(|never| match never {}));
        let incoming = incoming.map(|c: Result<DuplexStream, std::io::Error>| c);
        let routes = routes.into_axum_router().layer(middleware::from_fn(spoken));
        let routes = Routes::from(routes.layer(middleware::from_fn(traced)));
        Server::builder().add_routes(routes).serve_with_incoming_shutdown(incoming, shutdown).await
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn get_slow(app: Router) -> StatusCode {
        let request = Request::builder().uri("/slow").body(Body::empty()).expect("a request");
        app.oneshot(request).await.expect("an answer").status()
    }

    #[tokio::test]
    async fn what_comes_on_top_of_the_bound_is_told_to_come_again() {
        let limit = Arc::new(Semaphore::new(1));
        let slow = get(|| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            "done"
        });
        let layer = middleware::from_fn_with_state(limit, bounded);
        let app = Router::new().route("/slow", slow).layer(layer);
        let (first, second) = tokio::join!(get_slow(app.clone()), get_slow(app.clone()));
        let mut both = [first, second];
        both.sort();
        assert_eq!(both, [StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE]);
        assert_eq!(get_slow(app).await, StatusCode::OK, "the place is free again");
    }
}
