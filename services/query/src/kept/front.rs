//! In front of everything else: gives what is kept, and keeps what is given.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::Entry;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tonghop_runtime::metrics::{Metrics, Operated};
use tonghop_runtime::{Failure, FailureKind, Language, Text, telemetry, trace};
use tonghop_store::Checkpoint;
use tower::Service;

use super::answers::{Answer, LARGEST};
use super::request::{Operation, asked};
use crate::Query;
use crate::present::PLAINLY_OF;

/// The longest message of a question, with what is before it on the wire: as long as gRPC takes otherwise.
const LONGEST_QUESTION: usize = (4 << 20) + 5;
/// How long a question may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);
/// The header that says how old an answer is: one that has it is another one a second later.
const STALE: &str = "tonghop-stale-seconds";

/// What gRPC says where the service is at fault: unknown, internal, unavailable.
const BROKEN: [&[u8]; 3] = [b"2", b"13", b"14"];

/// Puts what is kept of query's answers in front of an application that gives them.
pub fn keep_answers(query: &Arc<Query>, app: Router, metrics: &Metrics) -> Router {
    let operated = Operation::all().map(|(operation, name)| match operation.grpc {
        true => metrics.operated(&name, "grpc"),
        false => metrics.operated(&name, "rest"),
    });
    let shared = Arc::new(Shared { query: Arc::clone(query), operated: operated.collect() });
    Router::new().fallback_service(Front { app, shared })
}

struct Shared {
    query: Arc<Query>,
    /// Where what is given is counted, by operation.
    operated: Vec<Operated>,
}

#[derive(Clone)]
struct Front {
    app: Router,
    shared: Arc<Shared>,
}

type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.app, context)
    }

    fn call(&mut self, request: Request) -> Answering {
        let (parts, body) = request.into_parts();
        match Operation::of(&parts) {
            None => Box::pin(self.app.call(Request::from_parts(parts, body))),
            Some(operation) => {
                let (app, shared) = (self.app.clone(), Arc::clone(&self.shared));
                let language = Language::of_headers(&parts.headers);
                let answering = async move { Ok(shared.answer(app, operation, parts, body).await) };
                Box::pin(language.speaking(answering))
            }
        }
    }
}

impl Shared {
    async fn answer(&self, mut app: Router, operation: Operation, mut parts: Parts, body: Body) -> Response {
        let begun = Instant::now();
        let message = match operation.grpc {
            false => Bytes::new(),
            true => match arrived(body).await {
                Ok(message) => message,
                Err(failure) => return tonic::Status::from(failure).into_http(),
            },
        };
        let Some(present) = self.query.present().await else {
            return ask(&mut app, parts, message).await;
        };
        let asked = asked(operation, &parts, &message);
        let (slot, cleared) = self.query.kept.slot(present.standing(), &asked);
        // Whether who asks has the answer already is found out here, so that there is an answer to keep.
        let known: Vec<HeaderValue> = match parts.headers.entry(header::IF_NONE_MATCH) {
            Entry::Occupied(entry) => entry.remove_entry_mult().1.collect(),
            Entry::Vacant(_) => vec![],
        };
        let (mut given, mut otherwise) = (true, None);
        let work_out = async || {
            given = false;
            let asking = ask(&mut app, parts.clone(), message.clone());
            let response = PLAINLY_OF.scope(present.clone(), asking).await;
            match self.keep(&present, cleared, response).await {
                Worked::Kept(answer) => {
                    let answer = Arc::new(answer);
                    self.query.kept.count(&asked, &answer);
                    return Some(answer);
                }
                Worked::Given(response) => otherwise = Some(response),
                Worked::Unsure => otherwise = Some(ask(&mut app, parts.clone(), message.clone()).await),
            }
            None
        };
        let answer = slot.get_or_init(work_out).await.clone();
        let Some(answer) = answer else {
            let response = match otherwise {
                Some(response) => response,
                // It was not to be kept when somebody else asked.
                None => ask(&mut app, parts, message).await,
            };
            return unless_known(&known, response);
        };
        let response = unless_known(&known, answer.response());
        if given {
            self.note(operation, &parts.headers, &response, begun);
        }
        response
    }

    /// What becomes of an answer that was read without a transaction.
    async fn keep(&self, present: &Checkpoint, cleared: u64, response: Response) -> Worked {
        let grpc = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|t| t.as_bytes().starts_with(b"application/grpc"));
        // One message of gRPC is in memory as a whole already; of other answers only those are that say their length.
        if !grpc && response.body().size_hint().exact().is_none() {
            return Worked::Unsure;
        }
        let good = response.status() == StatusCode::OK && !response.headers().contains_key(STALE);
        let (head, body) = response.into_parts();
        let Ok(collected) = body.collect().await else { return Worked::Unsure };
        // A connection that broke while it lay in the pool is met here once; within a transaction the next one is tried.
        let said = |headers: &HeaderMap| headers.get("grpc-status").cloned();
        let status = said(&head.headers).or_else(|| collected.trailers().and_then(said));
        if head.status.is_server_error()
            || status.as_ref().is_some_and(|status| BROKEN.contains(&status.as_bytes()))
        {
            return Worked::Unsure;
        }
        let is_present = async || {
            self.query.present().await.is_some_and(|now| now.standing() == present.standing())
                && !self.query.kept.cleared_since(cleared)
        };
        if !is_present().await {
            return Worked::Unsure;
        }
        let trailers = collected.trailers().cloned();
        let ended_well = !grpc || status.is_some_and(|status| status == "0");
        let answer = Answer { headers: head.headers, trailers, body: collected.to_bytes() };
        if good && ended_well && answer.body.len() <= LARGEST {
            return Worked::Kept(answer);
        }
        let mut response = answer.response();
        *response.status_mut() = head.status;
        Worked::Given(response)
    }

    /// Counts what was given out of what is kept, as what is worked out is counted; where spans are sent, it has one too.
    fn note(&self, operation: Operation, headers: &HeaderMap, response: &Response, begun: Instant) {
        self.query.measures.kept.inc();
        let Some(operated) = self.operated.get(operation.at) else { return };
        operated.note(response.status(), begun.elapsed());
        if telemetry::sends_spans() {
            let span = trace::request(operated.operation(), operated.transport(), headers);
            let status = response.status();
            span.record("status", if operation.grpc { "Ok" } else { status.as_str() });
        }
    }
}

/// What became of an answer that was worked out.
enum Worked {
    /// It can be given again: a good one, that says nothing of its age.
    Kept(Answer),
    /// It is right, and is not to be given again.
    Given(Response),
    /// It is not known to be of one state, or streams: it is to be worked out within a transaction.
    Unsure,
}

async fn ask(app: &mut Router, parts: Parts, message: Bytes) -> Response {
    let answered = app.call(Request::from_parts(parts, Body::from(message))).await;
    answered.unwrap_or_else(|never| match never {})
}

/// A question's message, as it is on the wire.
async fn arrived(body: Body) -> Result<Bytes, Failure> {
    match tokio::time::timeout(ARRIVAL, Limited::new(body, LONGEST_QUESTION).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let detail = Text::of("một câu hỏi có nhiều nhất 4 MiB", "a question has at most 4 MiB");
            Err(Failure::new(FailureKind::TooLarge, detail))
        }
        Ok(Err(error)) => {
            let detail = Text::of(
                format!("câu hỏi bị ngắt giữa chừng: {error}"),
                format!("the question broke off: {error}"),
            );
            Err(Failure::new(FailureKind::NotUnderstood, detail))
        }
        Err(_) => {
            let detail = Text::of(
                "câu hỏi đến quá lâu; hãy thử lại",
                "the question took too long to arrive; try again",
            );
            Err(Failure::new(FailureKind::Unavailable, detail))
        }
    }
}

/// An answer; only that it is the same, to whom has it already.
fn unless_known(known: &[HeaderValue], response: Response) -> Response {
    let Some(tag) = response.headers().get(header::ETAG) else { return response };
    let named = known.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut named = named.map(|one| one.trim_ascii()).map(|one| one.strip_prefix(b"W/").unwrap_or(one));
    if !named.any(|one| one == tag.as_bytes()) || response.status() != StatusCode::OK {
        return response;
    }
    let mut same = Response::new(Body::empty());
    *same.status_mut() = StatusCode::NOT_MODIFIED;
    for name in [header::ETAG, header::VARY, header::CACHE_CONTROL, HeaderName::from_static(STALE)] {
        for value in response.headers().get_all(&name) {
            same.headers_mut().append(&name, value.clone());
        }
    }
    same
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    #[test]
    fn who_has_it_already_is_told_so() {
        for (tags, status) in [("\"abc\"", 304), ("\"x\", W/\"abc\"", 304), ("\"abcd\"", 200), ("*", 200)] {
            let response = ([(header::ETAG, "\"abc\"")], "body").into_response();
            let known = [tags.parse().expect("tags")];
            assert_eq!(unless_known(&known, response).status(), status, "{tags}");
        }
        assert_eq!(unless_known(&[], ([(header::ETAG, "\"abc\"")], "body").into_response()).status(), 200);
    }
}
