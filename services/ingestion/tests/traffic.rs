//! Who sends too much, too fast, too slowly or too many at once is told so, and for how long; nobody else notices.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use jiff::Timestamp;
use prost::Message;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonghop_access::{Authority, Caller, Grant, Identity, Settings};
use tonghop_ingestion::fair::{Rate, Traffic};
use tonghop_ingestion::submission::Limits;
use tonghop_ingestion::{Given, Ingestion, IngestionGrpc, routes, wire};
use tonghop_proto::ingestion::ingestion_service_client::IngestionServiceClient;
use tonghop_proto::ingestion::{
    Document, Figure, GetStreamProgressRequest, SubmitRequest, SubmitStreamRequest,
};
use tonghop_runtime::{FailureKind, Stopper};
use tonghop_store::Ledger;
use tonic::Code;
use tonic::service::Routes;
use tonic_types::StatusExt;
use tower::ServiceExt;

/// A ledger without a registry, in which nothing is ever taken: what is tested comes before.
struct World {
    ingestion: Arc<Ingestion>,
    _stopper: Stopper,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new(traffic: Traffic) -> World {
        let directory = tempfile::tempdir().expect("a directory");
        let url = format!("sqlite://{}", directory.path().join("ledger.sqlite").display());
        let ledger = Ledger::open(&url).await.expect("a ledger");
        let (limits, stopper) = (Limits { traffic, ..Limits::default() }, Stopper::new());
        let now: fn() -> Timestamp = || Timestamp::UNIX_EPOCH;
        let given = Given {
            limits,
            authority: Authority::new(Settings::open(), now).expect("an authority"),
            now,
            random: tonghop_ingestion::random,
            stop: stopper.stop(),
        };
        let ingestion = Ingestion::open(ledger, None, given).await.expect("ingestion");
        World { ingestion, _stopper: stopper, _directory: directory }
    }

    /// REST, as one who comes with this caller.
    fn rest(&self, caller: &Caller) -> Router {
        routes(Arc::clone(&self.ingestion)).layer(axum::Extension(caller.clone()))
    }

    /// gRPC, as one who comes with this caller.
    fn grpc(&self, caller: &Caller) -> IngestionServiceClient<Router> {
        let services = Routes::new(IngestionGrpc(Arc::clone(&self.ingestion)).submissions());
        let services = services.into_axum_router().layer(axum::Extension(caller.clone()));
        IngestionServiceClient::with_origin(services, "http://in-process".parse().expect("an origin"))
    }
}

fn holder(key: &str) -> Caller {
    Caller::new(Identity::Key { key: key.into() }, Some(format!("source-{key}")), Grant::all())
}

fn push(body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/v1/submissions").header("content-type", "application/json");
    request.body(body.into()).expect("a request")
}

async fn send(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
}

fn retry_after(response: &Response<Body>) -> u64 {
    response.headers()["retry-after"].to_str().expect("text").parse().expect("seconds")
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// A body whose pieces are sent one by one.
fn in_pieces() -> (tokio::sync::mpsc::Sender<Bytes>, Body) {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let frames = ReceiverStream::new(receiver).map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
    (sender, Body::new(StreamBody::new(frames)))
}

#[tokio::test]
async fn a_key_that_sends_too_often_is_told_for_how_long_and_others_are_not() {
    let requests = Rate { per_second: 2, burst: 3 };
    let world = World::new(Traffic { requests, ..Traffic::default() }).await;
    tokio::time::pause();
    let (one, other) = (world.rest(&holder("one")), world.rest(&holder("other")));
    for _ in 0..3 {
        // Understood so far that its idempotency key is missed.
        assert_eq!(send(&one, push("{}")).await.status(), StatusCode::BAD_REQUEST);
    }
    let refused = send(&one, push("{}")).await;
    assert_eq!((refused.status(), retry_after(&refused)), (StatusCode::TOO_MANY_REQUESTS, 1));
    assert!(text(refused).await.contains("too many requests a second"));
    assert_eq!(send(&other, push("{}")).await.status(), StatusCode::BAD_REQUEST);

    // The same, from the same bucket, over gRPC.
    let mut client = world.grpc(&holder("one"));
    let status = client.submit(SubmitRequest::default()).await.expect_err("refused");
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let wait = status.get_details_retry_info().expect("for how long").retry_delay;
    assert_eq!(wait, Some(Duration::from_secs(1)));
    tokio::time::advance(Duration::from_millis(500)).await;
    let status = client.submit(SubmitRequest::default()).await.expect_err("no key");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    // Where nobody has to say who they are, nobody is held to a key's rate.
    let open = world.rest(&Caller::open());
    for _ in 0..10 {
        assert_eq!(send(&open, push("{}")).await.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_key_that_sends_too_much_waits_until_it_is_paid_for() {
    let bytes = Rate { per_second: 1000, burst: 1000 };
    let world = World::new(Traffic { bytes, ..Traffic::default() }).await;
    tokio::time::pause();
    let one = world.rest(&holder("one"));
    // More than there is passes once.
    assert_eq!(send(&one, push("x".repeat(11_000))).await.status(), StatusCode::BAD_REQUEST);
    let refused = send(&one, push("{}")).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait = retry_after(&refused);
    assert_eq!(wait, 11, "ten seconds, and what one byte takes");
    tokio::time::advance(Duration::from_secs(wait)).await;
    assert_eq!(send(&one, push("{}")).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn bodies_that_come_hold_memory_and_one_sender_s_do_not_hold_all() {
    let world = World::new(Traffic { body_bytes: 4000, ..Traffic::default() }).await;
    tokio::time::pause();
    let (one, other) = (world.rest(&holder("one")), world.rest(&holder("other")));
    // 900 bytes are there, and no more come.
    let (sender, body) = in_pieces();
    let coming = tokio::spawn({
        let one = one.clone();
        async move { send(&one, push(body)).await }
    });
    sender.send(Bytes::from(vec![b' '; 900])).await.expect("taken");
    tokio::task::yield_now().await;
    // What says how long it is, is refused before it comes; what does not, when it is too much.
    for size in [200, 2000] {
        let refused = send(&one, push(" ".repeat(size))).await;
        assert_eq!((refused.status(), retry_after(&refused)), (StatusCode::TOO_MANY_REQUESTS, 1));
    }
    let (more, body) = in_pieces();
    let refused = tokio::spawn({
        let one = one.clone();
        async move { send(&one, push(body)).await }
    });
    more.send(Bytes::from(vec![b' '; 200])).await.expect("taken");
    assert_eq!(refused.await.expect("an answer").status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(send(&other, push(" ".repeat(900))).await.status(), StatusCode::BAD_REQUEST);
    // More than there is at all.
    let refused = send(&world.rest(&Caller::open()), push(" ".repeat(3200))).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    // Who goes away gives it back.
    coming.abort();
    assert!(coming.await.is_err());
    assert_eq!(send(&one, push(" ".repeat(900))).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_that_pauses_too_long_or_never_ends_is_given_up() {
    let world = World::new(Traffic::default()).await;
    tokio::time::pause();
    let app = world.rest(&holder("one"));
    let (_silent, body) = in_pieces();
    let begun = tokio::time::Instant::now();
    let answer = send(&app, push(body)).await;
    assert_eq!((answer.status(), begun.elapsed().as_secs()), (StatusCode::SERVICE_UNAVAILABLE, 30));
    assert!(text(answer).await.contains("too slowly"));
    let (sender, body) = in_pieces();
    let begun = tokio::time::Instant::now();
    let dripping = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(20)).await;
            if sender.send(Bytes::from_static(b" ")).await.is_err() {
                return;
            }
        }
    });
    assert_eq!(send(&app, push(body)).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(begun.elapsed().as_secs(), 280);
    dripping.await.expect("it ends");
}

#[tokio::test]
async fn what_is_too_large_is_refused_by_what_it_says_or_where_it_becomes_so() {
    let world = World::new(Traffic::default()).await;
    let app = world.rest(&holder("one"));
    let largest = Limits::default().max_bytes;
    let said = Request::post("/v1/submissions").body(Body::from(vec![b' '; largest + 1])).expect("a request");
    assert_eq!(send(&app, said).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let (sender, body) = in_pieces();
    let answer = tokio::spawn(async move { send(&app, push(body)).await });
    let piece = Bytes::from(vec![b' '; 1 << 20]);
    let mut sent = 0;
    while sender.send(piece.clone()).await.is_ok() {
        sent += 1;
        // Let come once more as long as it may be, so that whoever sends it hears why.
        assert!(sent <= 70, "it is read on and on");
    }
    assert_eq!(answer.await.expect("an answer").status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn who_may_not_push_is_refused_before_anything_is_read() {
    let world = World::new(Traffic::default()).await;
    let nobody = Caller::anonymous();
    let (_never, body) = in_pieces();
    assert_eq!(send(&world.rest(&nobody), push(body)).await.status(), StatusCode::UNAUTHORIZED);
    let status = world.grpc(&nobody).submit(SubmitRequest::default()).await.expect_err("refused");
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    let stream = world.grpc(&nobody).submit_stream(tokio_stream::pending()).await;
    assert_eq!(stream.expect_err("refused").code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_message_of_very_many_empty_figures_is_refused_before_they_are_made() {
    // Two bytes each: read into objects they would be gigabytes.
    let limits = Limits::default();
    let refused = wire::bounded(&[0x22, 0].repeat(limits.max_bytes / 2), &limits).expect_err("too many");
    assert_eq!(refused.kind(), FailureKind::TooLarge);
    // One figure, of very many programmes.
    let programmes = Figure { programmes: vec![String::new(); 1_000_000], ..Figure::default() };
    let message = SubmitRequest { figures: vec![programmes], ..SubmitRequest::default() }.encode_to_vec();
    let refused = wire::bounded(&message, &limits).expect_err("too many");
    assert_eq!(refused.kind(), FailureKind::NotUnderstood);

    let world = World::new(Traffic::default()).await;
    let request = SubmitRequest {
        idempotency_key: "k".into(),
        source: "x".into(),
        figures: vec![Figure::default(); limits.max_figures + 2],
        document: Some(Document::default()),
        ..SubmitRequest::default()
    };
    let status = world.grpc(&holder("one")).submit(request).await.expect_err("refused");
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let violations = status.get_details_bad_request().map(|d| d.field_violations).unwrap_or_default();
    assert!(violations.iter().any(|v| v.field == "figures"), "{status:?}");
}

fn piece(figures: std::ops::Range<u32>) -> SubmitStreamRequest {
    let figures = figures.map(|n| Figure { unit: format!("{n:05}"), ..Figure::default() }).collect();
    SubmitStreamRequest {
        idempotency_key: "k".into(),
        source: "source-one".into(),
        figures,
        ..Default::default()
    }
}

async fn progress(client: &mut IngestionServiceClient<Router>) -> u32 {
    let asked = GetStreamProgressRequest { idempotency_key: "k".into(), source: String::new() };
    client.get_stream_progress(asked).await.expect("an answer").into_inner().held_figures
}

#[tokio::test]
async fn a_stream_that_broke_off_goes_on_where_it_is_and_is_kept_for_a_while() {
    let world = World::new(Traffic::default()).await;
    let (mut one, mut other) = (world.grpc(&holder("one")), world.grpc(&holder("other")));
    let (sender, messages) = tokio::sync::mpsc::channel(1);
    let sending = tokio::spawn({
        let mut one = one.clone();
        async move { one.submit_stream(ReceiverStream::new(messages)).await }
    });
    for message in [piece(0..3), piece(3..5), piece(5..6)] {
        sender.send(message).await.expect("it comes");
    }
    // The last has been taken out of the channel, and perhaps not been read.
    sender.send(piece(6..7)).await.expect("it comes");
    assert_eq!(progress(&mut one).await, 0, "it goes on");
    sending.abort();
    assert!(sending.await.is_err());
    tokio::task::yield_now().await;
    let held = progress(&mut one).await;
    assert!((5..=7).contains(&held), "{held}");
    assert_eq!(progress(&mut other).await, 0, "it is nobody else's");

    // Only from there.
    let from = |after| SubmitStreamRequest { after_figures: after, ..piece(after..8) };
    let status = one.submit_stream(tokio_stream::iter([from(held - 1)])).await.expect_err("refused");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert!(
        status
            .get_details_bad_request()
            .is_some_and(|d| d.field_violations[0].description.starts_with("not_held"))
    );
    assert_eq!(progress(&mut one).await, held, "it is still there");
    let status = one.submit_stream(tokio_stream::iter([from(held)])).await.expect_err("there is no registry");
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(progress(&mut one).await, 0, "it came to its end");
}
