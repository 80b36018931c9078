//! Serving REST and gRPC on one port, and gRPC within a process.

use std::convert::Infallible;
use std::future::Future;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use axum::serve::ListenerExt;
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, Server};

/// Bytes in flight in an in-process connection.
const PIPE: usize = 1 << 20;

/// One port for both: gRPC services with health and reflection, and REST beside them.
pub fn one_port(grpc: Routes, rest: Router) -> Router {
    let health = Router::new().route("/healthz", get(|| async { (StatusCode::OK, "ok\n") }));
    grpc.into_axum_router().merge(rest).merge(health)
}

/// Adds reflection, from the services' descriptions, and health.
///
/// # Errors
/// Where the descriptions do not decode.
pub async fn with_reflection(
    routes: Routes,
    descriptors: &'static [u8],
    services: &[&str],
) -> Result<Routes, tonic_reflection::server::Error> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(descriptors)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let (reporter, health) = tonic_health::server::health_reporter();
    for service in services {
        reporter.set_service_status(*service, tonic_health::ServingStatus::Serving).await;
    }
    Ok(routes.add_service(reflection).add_service(health))
}

/// Serves until `shutdown` resolves, then lets requests under way finish.
///
/// # Errors
/// Where the port cannot be served.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    // Small answers must not wait for the acknowledgement of the packet before.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delays");
        }
    });
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
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
        Server::builder().add_routes(routes).serve_with_incoming_shutdown(incoming, shutdown).await
    }
}
