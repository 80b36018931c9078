//! Which trace something belongs to, within a process and from one to the next (W3C Trace Context).
//!
//! A request's trace is the one that its `traceparent` names, or a new one. What the request makes other services
//! do is in the same trace: calls through a [`TracedChannel`] say so, and what is done later can be given the
//! [`parent`] to go on from.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::metadata::AsciiMetadataValue;
use tonic::metadata::errors::InvalidMetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::Language;

/// The header that carries a trace's context.
const TRACE_PARENT: &str = "traceparent";

/// The trace that is being worked in, as 32 hexadecimal digits; none where there is no trace.
pub fn id() -> Option<String> {
    id_of(&Span::current())
}

fn id_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// The span that is being worked in, as a W3C `traceparent` that something later, or elsewhere, can
/// [go on from](continue_from); empty where there is no trace.
pub fn parent() -> String {
    let mut carried = Carried::default();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carried);
    carried.parent
}

/// Makes a new span a part of the trace that a `traceparent` names, under the span it names. One that is malformed
/// names none, and the span begins a trace, or stays where it is. The span's field `trace_id`, where it has one,
/// says the trace.
pub fn continue_from(span: &Span, trace_parent: &str) {
    let carried = Carried { parent: trace_parent.to_owned(), state: String::new() };
    adopt(span, &carried);
}

/// Says that a span's work was done as a part of another's, in another trace.
pub fn link(span: &Span, other: &Span) {
    span.add_link(other.context().span().span_context().clone());
}

fn adopt(span: &Span, carrier: &dyn Extractor) {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), carrier);
    if context.span().span_context().is_valid() {
        // Where there is no tracer, or the span is of no interest, there is nothing to be put under a parent.
        let _ = span.set_parent(context);
    }
    if let Some(id) = id_of(span) {
        span.record("trace_id", id);
    }
}

/// A context on its way, as text.
#[derive(Default)]
struct Carried {
    parent: String,
    state: String,
}

impl Extractor for Carried {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACE_PARENT => Some(&self.parent),
            _ => Some(&self.state),
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACE_PARENT]
    }
}

impl Injector for Carried {
    fn set(&mut self, key: &str, value: String) {
        match key {
            TRACE_PARENT => self.parent = value,
            _ => self.state = value,
        }
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Gives a call to another service the trace that it is made in, asks for an answer in the language that is spoken, and
/// says who calls, where that is to be said.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    authorization: Option<AsciiMetadataValue>,
}

impl Interceptor for Carry {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
        let mut carried = Carried::default();
        TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carried);
        for (name, text) in [(TRACE_PARENT, carried.parent), ("tracestate", carried.state)] {
            // What is not text of a header is left out: a call is worth more than its trace.
            if let (false, Ok(value)) = (text.is_empty(), text.parse()) {
                request.metadata_mut().insert(name, value);
            }
        }
        if request.metadata().get("accept-language").is_none() {
            let language = AsciiMetadataValue::from_static(Language::spoken().code());
            request.metadata_mut().insert("accept-language", language);
        }
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        Ok(request)
    }
}

/// A channel through which every call carries the trace and the language it is made in, and who makes it.
pub type TracedChannel = InterceptedService<Channel, Carry>;

/// A channel as one through which every call carries its trace.
pub fn traced_channel(channel: Channel) -> TracedChannel {
    InterceptedService::new(channel, Carry::default())
}

/// A channel as one through which every call carries its trace, and is made by the holder of a key.
///
/// # Errors
/// Where the key has characters that cannot be sent.
pub fn channel_of_holder(channel: Channel, key: &str) -> Result<TracedChannel, InvalidMetadataValue> {
    let mut authorization: AsciiMetadataValue = format!("Bearer {key}").parse()?;
    // Shown in no log.
    authorization.set_sensitive(true);
    Ok(InterceptedService::new(channel, Carry { authorization: Some(authorization) }))
}

/// What a request is, in words of which there are few.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) operation: String,
    pub(crate) transport: &'static str,
}

impl Asked {
    pub(crate) fn of(request: &Request) -> Asked {
        let content = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let matched = request.extensions().get::<MatchedPath>();
        if content.starts_with(b"application/grpc") {
            // Which methods there are, only the answer tells; which services, the routes do.
            let known = matched.map(|_| request.uri().path().trim_start_matches('/').to_owned());
            return Asked { operation: known.unwrap_or_else(unmatched), transport: "grpc" };
        }
        let method = match *request.method() {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            Method::OPTIONS => "OPTIONS",
            _ => "other",
        };
        let path = matched.map_or("unmatched", MatchedPath::as_str);
        Asked { operation: format!("{method} {path}"), transport: "rest" }
    }

    /// How it ended: the HTTP status, or the name of the gRPC code, as far as the answer's beginning tells.
    pub(crate) fn status(&self, response: &Response) -> String {
        match self.transport {
            "grpc" => format!("{:?}", code(response)),
            _ => response.status().as_u16().to_string(),
        }
    }

    /// What was asked for, where no answer tells: a method that does not exist is not taken at its word.
    pub(crate) fn unanswered(&self) -> Asked {
        let operation = match self.transport {
            "grpc" => "unanswered".to_owned(),
            _ => self.operation.clone(),
        };
        Asked { operation, transport: self.transport }
    }

    /// What was asked for, once it is known whether there is such a thing.
    pub(crate) fn answered(self, response: &Response) -> Asked {
        let no_such = self.transport == "grpc" && code(response) == Code::Unimplemented;
        if no_such { Asked { operation: unmatched(), ..self } } else { self }
    }
}

fn unmatched() -> String {
    "unmatched".to_owned()
}

fn code(response: &Response) -> Code {
    Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code())
}

/// The span of a request, which is a part of the trace that its headers name.
pub fn request(operation: &str, transport: &'static str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        "request",
        otel.name = operation,
        otel.kind = "server",
        otel.status_code = Empty,
        operation,
        transport,
        trace_id = Empty,
        status = Empty,
    );
    adopt(&span, &Headers(headers));
    span
}

/// Answers a request within a span, which is a part of the trace that its headers name.
pub(crate) async fn traced(request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    let span = self::request(&asked.operation, asked.transport, request.headers());
    let response = next.run(request).instrument(span.clone()).await;
    span.record("status", asked.status(&response));
    let fault = match asked.transport {
        "grpc" => {
            matches!(code(&response), Code::Internal | Code::Unavailable | Code::Unknown | Code::DataLoss)
        }
        _ => response.status().is_server_error(),
    };
    if fault {
        span.record("otel.status_code", "ERROR");
    }
    response
}
