//! So that nobody starves another, through a running server: who sends too much is told so over both transports, in the
//! language that they ask for and for how long; who waits that long is taken; nobody else notices.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonghop_access::Access;
use tonghop_ingestion::fair::{Rate, Traffic};
use tonghop_proto::ingestion::{Document, SubmitRequest, SubmitResponse};
use tonghop_tests::exposition::Exposition;
use tonghop_tests::process::Process;
use tonghop_tests::server::{ADMINISTRATOR, KeyFiles, shipped};
use tonghop_tests::{Api, Reply, Server};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

/// How often something is tried that has to come about.
const MOST_TRIES: usize = 100;
/// Longer than this nobody is told to wait.
const LONGEST_WAIT: u64 = 60;
const LANGUAGES: [&str; 2] = ["vi", "en"];

/// What a holder of a key sends; they are told apart by their source.
async fn secret(api: &Api, source: &str) -> String {
    let wanted = json!({ "source": source, "roles": ["report"], "units": ["06"], "sides": ["cong-an"] });
    let headers = [("idempotency-key", source), ("content-type", "application/json")];
    let administrator = api.holding(ADMINISTRATOR);
    let given = administrator.send("/v1/keys", &[], &headers, wanted.to_string()).await.expect(201);
    given["secret"].as_str().expect("a secret").to_owned()
}

async fn holder(api: &Api, source: &str) -> Api {
    api.holding(&secret(api, source).await)
}

/// A submission of so many bytes.
fn document(bytes: usize) -> String {
    let figure = json!({
        "unit": "01864", "indicator": "tg02-useful-tips", "period": "2024-M05", "scope": "own", "value": "12",
        "breakdown": { "reporter": "cong-an" },
    });
    let mut text = json!({ "figures": [figure] }).to_string();
    text.push_str(&" ".repeat(bytes.saturating_sub(text.len())));
    text
}

async fn push(api: &Api, key: &str, language: &str, document: &str) -> Reply {
    let headers =
        [("idempotency-key", key), ("content-type", "application/json"), ("accept-language", language)];
    api.post(&[], &headers, document).await
}

async fn push_over_grpc(
    api: &Api,
    key: &str,
    language: &'static str,
    document: &str,
) -> Result<SubmitResponse, Status> {
    let mut request = Request::new(SubmitRequest {
        idempotency_key: key.into(),
        document: Some(Document {
            media_type: "application/json".into(),
            content: document.as_bytes().to_vec(),
            locale: String::new(),
        }),
        ..SubmitRequest::default()
    });
    request.metadata_mut().insert("accept-language", language.parse().expect("a value"));
    let mut client = api.ingestion().max_encoding_message_size(usize::MAX);
    client.submit(request).await.map(Response::into_inner)
}

/// Whether a text has letters that Vietnamese has and English has not.
fn is_vietnamese(text: &str) -> bool {
    text.chars().any(|c| c.is_alphabetic() && !c.is_ascii())
}

/// For how many seconds a refusal says to wait: a whole number, of which there is at least one.
#[track_caller]
fn told_to_wait(reply: &Reply) -> u64 {
    let said = reply.header("retry-after");
    let seconds: u64 = said.parse().unwrap_or_else(|_| panic!("{said:?}: {}", reply.text()));
    assert!((1..=LONGEST_WAIT).contains(&seconds), "{seconds}");
    seconds
}

/// That a refusal over gRPC says as much as one over REST.
#[track_caller]
fn told_over_grpc(status: &Status, code: Code) -> Duration {
    assert_eq!(status.code(), code, "{status:?}");
    let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let wait = wait.unwrap_or_else(|| panic!("not for how long: {status:?}"));
    assert!(wait >= Duration::from_secs(1) && wait.as_secs() <= LONGEST_WAIT, "{wait:?}");
    wait
}

/// That two refusals are the same problem, told in Vietnamese and in English.
#[track_caller]
fn told_in_both(vi: &Reply, en: &Reply, status: u16, kind: &str) {
    for (reply, language) in [(vi, "vi"), (en, "en")] {
        assert_eq!((reply.status, reply.header("content-language")), (status, language), "{}", reply.text());
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let problem = reply.json();
        assert_eq!(problem["type"], format!("urn:tonghop:problem:{kind}"));
        assert_eq!(problem["status"], status);
        for part in ["title", "detail"] {
            let text = problem[part].as_str().unwrap_or_else(|| panic!("no {part}: {problem}"));
            assert_eq!(is_vietnamese(text), language == "vi", "{text}");
        }
    }
    assert_eq!(vi.codes(), en.codes());
}

/// Pushes the document again and again, each time under another key, until one is refused: its key and the refusal.
async fn refused(api: &Api, name: &str, language: &str, document: &str) -> (String, Reply) {
    for attempt in 0..MOST_TRIES {
        let key = format!("{name} {language} {attempt}");
        let reply = push(api, &key, language, document).await;
        if reply.status != 201 {
            return (key, reply);
        }
    }
    panic!("{MOST_TRIES} are taken");
}

async fn refused_over_grpc(
    api: &Api,
    name: &str,
    language: &'static str,
    document: &str,
) -> (String, Status) {
    for attempt in 0..MOST_TRIES {
        let key = format!("{name} gRPC {language} {attempt}");
        if let Err(status) = push_over_grpc(api, &key, language, document).await {
            return (key, status);
        }
    }
    panic!("{MOST_TRIES} are taken");
}

/// Sends what was refused again under its key, each time after as long as the refusal says, until it is taken.
async fn waits_as_told(api: &Api, key: &str, mut wait: u64, document: &str) {
    for _ in 0..MOST_TRIES {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let reply = push(api, key, "en", document).await;
        if reply.status == 201 {
            return;
        }
        assert!([429, 503].contains(&reply.status), "{}: {}", reply.status, reply.text());
        wait = told_to_wait(&reply);
    }
    panic!("{key} is never taken");
}

/// That one key's refusals are told as they have to be, that another's pushes are taken meanwhile, and that what was
/// refused is taken after as long as it was told.
async fn one_waits_and_the_other_does_not(one: &Api, other: &Api, document: &str) {
    let (key, en) = refused(one, "one", "en", document).await;
    push(other, "while the first is refused", "en", document).await.expect(201);
    let (_, vi) = refused(one, "one", "vi", document).await;
    told_in_both(&vi, &en, 429, "too-many");
    told_to_wait(&vi);
    let (called, english) = refused_over_grpc(one, "one", "en", document).await;
    push_over_grpc(other, "while the first is refused, over gRPC", "en", document).await.expect("taken");
    let (_, vietnamese) = refused_over_grpc(one, "one", "vi", document).await;
    let wait = told_over_grpc(&english, Code::ResourceExhausted);
    told_over_grpc(&vietnamese, Code::ResourceExhausted);
    assert_eq!(english.message(), en.json()["detail"].as_str().expect("a text"));
    assert_eq!(vietnamese.message(), vi.json()["detail"].as_str().expect("a text"));

    waits_as_told(one, &key, told_to_wait(&en), document).await;
    // What was refused over one transport is the same submission over the other, under the same key.
    waits_as_told(one, &called, wait.as_secs(), document).await;
    assert!(until_answered_over_grpc(one, &called, document).await.replayed);
}

/// Pushes what was taken once more, until it is not told to wait.
async fn until_answered_over_grpc(api: &Api, key: &str, document: &str) -> SubmitResponse {
    for _ in 0..MOST_TRIES {
        match push_over_grpc(api, key, "en", document).await {
            Ok(answer) => return answer,
            Err(status) => tokio::time::sleep(told_over_grpc(&status, Code::ResourceExhausted)).await,
        }
    }
    panic!("{key} is told to wait for ever");
}

/// How many were turned away for a reason.
async fn turned_away(api: &Api, reason: &str) -> f64 {
    let read = Exposition::read(&api.get("/metrics", &[]).await.text()).expect("metrics");
    read.value("tonghop_submissions_turned_away_total", &[("reason", reason)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_too_often_waits_and_nobody_else_does() {
    let requests = Rate { per_second: 1, burst: 2 };
    let server = Server::taking(Access::Keys, Traffic { requests, ..Traffic::default() }).await;
    let (one, other) = (holder(&server, "one").await, holder(&server, "other").await);
    one_waits_and_the_other_does_not(&one, &other, &document(0)).await;
    assert!(turned_away(&server, "requests_rate").await >= 5.);
    assert_eq!(turned_away(&server, "bytes_rate").await, 0.);
    server.holding(ADMINISTRATOR).assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_too_much_waits_as_the_operator_has_set_it() {
    let (keys, data) = (KeyFiles::new(), tempfile::tempdir().expect("a directory"));
    let directory = data.path().display().to_string();
    // 32 seconds' worth may come at once.
    let arguments = ["up", "--listen", "127.0.0.1:0", "--data-dir", &directory, "--rate-bytes", "1000"];
    let up = Process::guarded("tonghop", &arguments, &[("TONGHOP_LOG", "warn")], &keys);
    let api = Api::at(up.url.clone());
    api.holding(ADMINISTRATOR).load("registry", shipped(), false).await.expect("a registry");
    let (one, other) = (holder(&api, "one").await, holder(&api, "other").await);
    one_waits_and_the_other_does_not(&one, &other, &document(3_000)).await;
    assert!(turned_away(&api, "bytes_rate").await >= 5.);
    assert_eq!(turned_away(&api, "requests_rate").await, 0.);
    let (code, log) = up.stop().await;
    assert_eq!(code, Some(0), "{log:.2000}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_larger_than_a_submission_may_be_is_refused_and_what_comes_after_it_is_taken() {
    let server = Server::taking(Access::Keys, Traffic::default()).await;
    let one = holder(&server, "one").await;
    // A document at its largest is 32 MiB. Of gRPC's messages some are larger than a document, some than any message.
    for mebibytes in [33, 41] {
        let large = document(mebibytes << 20);
        let [vi, en] = [push(&one, "k", "vi", &large).await, push(&one, "k", "en", &large).await];
        told_in_both(&vi, &en, 413, "too-large");
        assert_eq!(en.header("retry-after"), "", "it would help nobody to wait");
        for language in LANGUAGES {
            let status = push_over_grpc(&one, "k", language, &large).await.expect_err("too large");
            assert_eq!(status.code(), Code::ResourceExhausted, "{mebibytes} MiB: {status:?}");
            assert_eq!(is_vietnamese(status.message()), language == "vi", "{mebibytes} MiB: {status:?}");
            assert!(status.get_details_retry_info().is_none_or(|info| info.retry_delay.is_none()));
        }
    }
    push(&one, "k", "en", &document(0)).await.expect(201);
    push_over_grpc(&one, "l", "en", &document(0)).await.expect("taken");
    server.holding(ADMINISTRATOR).assert_clean().await;
}

/// Memory for bodies, of which one key has a quarter.
const MEMORY: u64 = 16_000;
const OF_ONE_KEY: usize = 4_000;
/// As much of a body as is sent, of one that has more.
const SENT: usize = OF_ONE_KEY - 10;

/// A push whose body does not end, and most of which has been sent.
async fn without_end(api: &Api, secret: &str) -> TcpStream {
    let address = api.base().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /v1/submissions HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {secret}\r\n\
         Idempotency-Key: without end\r\nContent-Type: application/json\r\nContent-Length: {OF_ONE_KEY}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.expect("sent");
    connection.write_all(&[b' '; SENT]).await.expect("sent");
    connection
}

/// How a push is answered that does not say how long it is, and comes in many pieces of so many bytes.
async fn in_pieces(api: &Api, secret: &str, bytes: usize) -> String {
    let address = api.base().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /v1/submissions HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {secret}\r\n\
         Idempotency-Key: in pieces\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.expect("sent");
    let piece = format!("{bytes:x}\r\n{}\r\n", " ".repeat(bytes));
    for _ in 0..1000 {
        connection.write_all(piece.as_bytes()).await.expect("it is let come");
    }
    connection.write_all(b"0\r\n\r\n").await.expect("it is let come");
    let mut status = [0; "HTTP/1.1 429".len()];
    connection.read_exact(&mut status).await.expect("an answer");
    String::from_utf8_lossy(&status).into_owned()
}

/// Waits until bodies hold so much.
async fn until_held(api: &Api, bytes: usize) {
    for _ in 0..MOST_TRIES {
        let read = Exposition::read(&api.get("/metrics", &[]).await.text()).expect("metrics");
        if read.value("tonghop_submission_body_bytes", &[]) >= bytes as f64 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("bodies never hold {bytes} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_bodies_take_all_the_memory_the_next_is_told_to_come_again() {
    let server = Server::taking(Access::Keys, Traffic { body_bytes: MEMORY, ..Traffic::default() }).await;
    let of_late = secret(&server, "late").await;
    let late = server.holding(&of_late);
    let (small, large, very_large) = (document(0), document(OF_ONE_KEY + 1), document(16 << 20));
    assert!(small.len() < OF_ONE_KEY);
    // More than a key may have by itself.
    let [vi, en] = [push(&late, "k", "vi", &large).await, push(&late, "k", "en", &large).await];
    told_in_both(&vi, &en, 429, "too-many");
    told_to_wait(&en);
    // Who sends very much hears why as well, and is not just cut off, whether it is said beforehand how much it is or not.
    for _ in 0..10 {
        assert_eq!(push(&late, "k", "en", &very_large).await.status, 503);
        assert_eq!(in_pieces(&server, &of_late, OF_ONE_KEY + 1).await, "HTTP/1.1 429");
    }
    for language in LANGUAGES {
        let status = push_over_grpc(&late, "k", language, &large).await.expect_err("too much");
        told_over_grpc(&status, Code::ResourceExhausted);
        assert_eq!(is_vietnamese(status.message()), language == "vi", "{status:?}");
    }
    // Four take all there is.
    let (mut secrets, mut bodies) = (vec![], vec![]);
    for source in ["first", "second", "third", "fourth"] {
        let secret = secret(&server, source).await;
        bodies.push(without_end(&server, &secret).await);
        secrets.push(secret);
        until_held(&server, bodies.len() * SENT).await;
    }
    let [vi, en] = [push(&late, "k", "vi", &small).await, push(&late, "k", "en", &small).await];
    told_in_both(&vi, &en, 503, "unavailable");
    for language in LANGUAGES {
        let status = push_over_grpc(&late, "k", language, &small).await.expect_err("there is no room");
        told_over_grpc(&status, Code::Unavailable);
        assert_eq!(is_vietnamese(status.message()), language == "vi", "{status:?}");
    }
    assert!(
        turned_away(&server, "lane_bodies").await >= 4. && turned_away(&server, "all_bodies").await >= 4.
    );
    // What is no push takes no such memory.
    assert_eq!(server.call(Method::GET, "/v1/reviews", &[], &[], vec![]).await.status, 200);
    drop(bodies);
    waits_as_told(&late, "k", told_to_wait(&en), &small).await;
    push_over_grpc(&late, "l", "en", &small).await.expect("taken");
    server.holding(ADMINISTRATOR).assert_clean().await;
}

#[test]
fn what_an_operator_can_set_of_it_is_said_where_the_others_are() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("a file");
    let (interfaces, file) = (read("docs/interfaces.md"), read("services/tonghop/config.default.toml"));
    for setting in ["rate_requests", "rate_bytes", "body_memory"] {
        let flag = format!("--{}", setting.replace('_', "-"));
        let variable = format!("TONGHOP_{}", setting.to_uppercase());
        for page in [&interfaces, &file] {
            assert!(page.contains(&flag) && page.contains(&variable), "{setting}");
        }
        assert!(file.contains(&format!("{setting} = ")), "{setting}");
    }
}
