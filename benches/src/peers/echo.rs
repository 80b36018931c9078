//! The bare minimum: a gRPC server and an HTTP server that answer bytes of a wanted size and do nothing else, in a
//! process of their own as tonghop is.

use std::convert::Infallible;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use prost::Message;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;

use crate::Outcome;

/// The method.
pub(crate) const ECHO: &str = "/bench.Echo/Answer";
/// The largest answer.
const LARGEST: usize = 1 << 20;

/// What is asked: an answer of a size, by a question of the size that it has with its padding.
#[derive(Clone, PartialEq, Message)]
struct Question {
    #[prost(uint32, tag = "1")]
    size: u32,
    #[prost(bytes = "bytes", tag = "2")]
    padding: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(bytes = "bytes", tag = "1")]
    body: Bytes,
}

/// A question of about as many bytes as another one, for an answer of about as many as another one.
pub(crate) fn question(of: usize, answer: usize) -> Bytes {
    let padding = Bytes::from(vec![7; of.saturating_sub(6)]);
    let size = u32::try_from(answer.saturating_sub(3)).unwrap_or(0);
    Question { size, padding }.encode_to_vec().into()
}

#[derive(Clone)]
struct Echo(Bytes);

impl UnaryService<Question> for Echo {
    type Response = Answer;
    type Future = std::future::Ready<Result<Response<Answer>, Status>>;

    fn call(&mut self, request: Request<Question>) -> Self::Future {
        let size = (request.get_ref().size as usize).min(LARGEST);
        std::future::ready(Ok(Response::new(Answer { body: self.0.slice(..size) })))
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "bench.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(this, request).await) })
    }
}

async fn json(State(all): State<Bytes>, Path(size): Path<usize>) -> impl axum::response::IntoResponse {
    ([("content-type", "application/json")], all.slice(..size.min(LARGEST)))
}

/// Serves both until the process ends; the first line on the output says where.
pub(crate) async fn serve() -> Outcome<()> {
    let all = Bytes::from(vec![b'7'; LARGEST]);
    let listen = || TcpListener::bind("127.0.0.1:0");
    let said = |e: std::io::Error| e.to_string();
    let (grpc, http) = (listen().await.map_err(said)?, listen().await.map_err(said)?);
    let (a, b) = (grpc.local_addr().map_err(said)?, http.local_addr().map_err(said)?);
    println!("http://{a} http://{b}");
    let service = Echo(all.clone());
    let incoming = TcpIncoming::from(grpc).with_nodelay(Some(true));
    let serving = tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming);
    tokio::spawn(serving);
    let app = Router::new().route("/json/{size}", get(json)).with_state(all);
    let http = http.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    axum::serve(http, app).await.map_err(said)
}

/// The process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Echoing {
    child: Child,
    pub(crate) grpc: String,
    pub(crate) http: String,
}

impl Echoing {
    /// Starts it.
    pub(crate) fn start() -> Outcome<Echoing> {
        let binary = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut command = Command::new(binary);
        let mut child =
            command.arg("--serve-echo").stdout(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
        let mut said = String::new();
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        output.read_line(&mut said).map_err(|e| e.to_string())?;
        let (grpc, http) = said.trim().split_once(' ').ok_or_else(|| format!("the echo said {said:?}"))?;
        Ok(Echoing { child, grpc: grpc.to_owned(), http: http.to_owned() })
    }
}

impl Drop for Echoing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
