//! What spans are sent to: a collector in the test's own process.

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// How long spans may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A span as it was received; ids in hexadecimal.
#[derive(Clone, Debug)]
pub struct Span {
    /// The process that it came from, by its `service.name`.
    pub service: String,
    /// What it is called.
    pub name: String,
    /// Which trace it is in.
    pub trace: String,
    /// Its id.
    pub id: String,
    /// Its parent's id; empty where it has none.
    pub parent: String,
    /// Trace and span of each link.
    pub links: Vec<(String, String)>,
    /// What it says of itself, as text.
    pub attributes: BTreeMap<String, String>,
}

/// Receives spans.
#[derive(Debug)]
pub struct Collector {
    /// Where it is reached.
    pub url: String,
    spans: watch::Receiver<Vec<Span>>,
}

struct Receiving(watch::Sender<Vec<Span>>);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(truth) => truth.to_string(),
        other => format!("{other:?}"),
    };
    let value = |pair: &KeyValue| pair.value.as_ref().and_then(|v| v.value.as_ref()).map(text);
    attributes.iter().map(|pair| (pair.key.clone(), value(pair).unwrap_or_default())).collect()
}

#[tonic::async_trait]
impl TraceService for Receiving {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut received = Vec::new();
        for of_process in request.into_inner().resource_spans {
            let process = texts(&of_process.resource.unwrap_or_default().attributes);
            let service = process.get("service.name").cloned().unwrap_or_default();
            let spans = of_process.scope_spans.into_iter().flat_map(|scope| scope.spans);
            received.extend(spans.map(|span| Span {
                service: service.clone(),
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                links: span.links.iter().map(|l| (hex(&l.trace_id), hex(&l.span_id))).collect(),
                attributes: texts(&span.attributes),
                name: span.name,
            }));
        }
        self.0.send_modify(|spans| spans.extend(received));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Starts one, for as long as the test's runtime runs.
    pub async fn start() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let (sender, spans) = watch::channel(Vec::new());
        let service = TraceServiceServer::new(Receiving(sender));
        let serving = Server::builder().add_service(service);
        tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
        Collector { url, spans }
    }

    /// All spans, once they are such.
    pub async fn until(&self, enough: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let mut seen = self.spans.clone();
        let waited = tokio::time::timeout(PATIENCE, seen.wait_for(|spans| enough(spans))).await;
        match waited {
            Ok(spans) => spans.expect("the collector lives").clone(),
            Err(_) => panic!("not these spans: {:#?}", self.spans.borrow().as_slice()),
        }
    }
}
