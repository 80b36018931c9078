//! What can be seen of the running services from outside: traces and logs of the real binaries.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tonghop_proto::ingestion::ingestion_service_client::IngestionServiceClient;
use tonghop_proto::ingestion::{Figure, GetSubmissionRequest, SubmitRequest, figure::Statement};
use tonghop_proto::query::GetTotalsRequest;
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonghop_proto::registry::LoadRegistryRequest;
use tonghop_proto::registry::registry_service_client::RegistryServiceClient;
use tonghop_store::{TileBatch, Tiles};
use tonghop_testkit::postgres::On;
use tonghop_tests::binary::binary;
use tonghop_tests::collector::{Collector, Span};
use tonghop_tests::exposition::Exposition;
use tonghop_tests::process::{Process, free_address};
use tonghop_tests::server::shipped;
use tonic_types::StatusExt;

/// A push's trace and span, as its sender names them.
const OVER_REST: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
const OVER_GRPC: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");

fn trace_parent((trace, span): (&str, &str)) -> String {
    format!("00-{trace}-{span}-01")
}

async fn load_registry(url: &str) {
    let mut registry = RegistryServiceClient::connect(url.to_owned()).await.expect("connected");
    let request = LoadRegistryRequest {
        idempotency_key: "shipped".into(),
        source: "test".into(),
        tables: shipped(),
        ..LoadRegistryRequest::default()
    };
    assert_eq!(registry.load_registry(request).await.expect("loaded").into_inner().position, 1);
}

async fn push_over_rest(url: &str, key: &str, unit: &str, trace_parent: &str) -> i64 {
    let figure = json!({
        "unit": unit, "indicator": "tg02", "period": "2024-M05", "scope": "own", "value": "12",
        "breakdown": { "reporter": "cong-an" }
    });
    let document = json!({ "source": "test", "figures": [figure] });
    let request = reqwest::Client::new().post(format!("{url}/v1/submissions")).header("idempotency-key", key);
    let reply = request.header("traceparent", trace_parent).json(&document).send().await.expect("an answer");
    assert_eq!(reply.status(), 201);
    let reply: Value = reply.json().await.expect("JSON");
    reply["position"].as_i64().expect("a position")
}

async fn push_over_grpc(url: &str, trace_parent: &str) -> i64 {
    let mut ingestion = IngestionServiceClient::connect(url.to_owned()).await.expect("connected");
    let figure = Figure {
        unit: "01864".into(),
        indicator: "tg02".into(),
        breakdown: "reporter=cong-an".into(),
        period: "2024-M06".into(),
        scope: "own".into(),
        statement: Some(Statement::Value("7".into())),
        ..Figure::default()
    };
    let mut request = tonic::Request::new(SubmitRequest {
        idempotency_key: "over-grpc".into(),
        source: "test".into(),
        figures: vec![figure],
        ..SubmitRequest::default()
    });
    request.metadata_mut().insert("traceparent", trace_parent.parse().expect("a header"));
    let receipt = ingestion.submit(request).await.expect("taken").into_inner().receipt.expect("a receipt");
    // Asks aggregation what became of it, through ingestion.
    let request = GetSubmissionRequest { id: receipt.id };
    ingestion.get_submission(request).await.expect("the submission");
    receipt.position
}

/// Waits until everything up to a position is in the totals.
async fn wait(url: &str, position: i64) {
    let mut query = QueryServiceClient::connect(url.to_owned()).await.expect("connected");
    let request = GetTotalsRequest {
        indicator: "tg02".into(),
        unit: "VN".into(),
        period: "2024-M05".into(),
        at_least: position,
        ..GetTotalsRequest::default()
    };
    query.get_totals(request).await.expect("totals");
}

async fn scrape(url: &str) -> Exposition {
    let reply = reqwest::get(format!("{url}/metrics")).await.expect("an answer");
    assert_eq!(reply.status(), 200);
    let text = reply.text().await.expect("text");
    Exposition::read(&text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"))
}

/// The spans of a trace, of this name.
fn named<'a>(spans: &'a [Span], trace: &str, name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|s| s.trace == trace && s.name == name).collect()
}

/// That the trace of a push is whole: the request under the sender's span, the append and the roll-up under the
/// request, and the batch that it was rolled up in, which is linked to.
fn assert_whole(
    spans: &[Span],
    (trace, sender): (&str, &str),
    request: &str,
    position: i64,
    processes: (&str, &str),
) {
    let all: Vec<&Span> = spans.iter().filter(|s| s.trace == trace).collect();
    let names = |name: &str| named(spans, trace, name);
    let [request] = names(request)[..] else { panic!("{all:#?}") };
    assert_eq!((request.parent.as_str(), request.service.as_str()), (sender, processes.0));
    let [append] = names("append")[..] else { panic!("{all:#?}") };
    assert_eq!((&append.parent, append.service.as_str()), (&request.id, processes.0));
    assert_eq!(append.attributes["position"], position.to_string());
    let [roll_up] = names("roll_up")[..] else { panic!("{all:#?}") };
    assert_eq!((&roll_up.parent, roll_up.service.as_str()), (&request.id, processes.1));
    assert_eq!(roll_up.attributes["position"], position.to_string());
    let [(batch_trace, batch)] = &roll_up.links[..] else { panic!("{roll_up:#?}") };
    let batches = named(spans, batch_trace, "batch");
    assert!(batches.iter().any(|b| b.id == *batch && b.trace != trace), "{batches:#?}");
    assert_eq!(all.len(), 3, "{all:#?}");
}

#[tokio::test]
async fn one_push_is_one_trace_up_to_its_totals() {
    let collector = Collector::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().to_str().expect("a path");
    let arguments = ["up", "--listen", "127.0.0.1:0", "--data-dir", data];
    let up = Process::start("tonghop", &arguments, &[("TONGHOP_OTLP_ENDPOINT", &collector.url)]);
    load_registry(&up.url).await;
    let over_rest = push_over_rest(&up.url, "over-rest", "01864", &trace_parent(OVER_REST)).await;
    let over_grpc = push_over_grpc(&up.url, &trace_parent(OVER_GRPC)).await;
    let malformed = push_over_rest(&up.url, "malformed", "01840", "00-nothing-of-the-kind").await;
    wait(&up.url, malformed).await;

    // What is not sent yet is sent when it stops.
    let (code, log) = up.stop().await;
    assert_eq!(code, Some(0), "{log}");
    let spans = collector.until(|spans| spans.iter().filter(|s| s.name == "roll_up").count() == 4).await;
    let process = ("tonghop", "tonghop");
    assert_whole(&spans, OVER_REST, "POST /v1/submissions", over_rest, process);
    let submit = "tonghop.ingestion.v1.IngestionService/Submit";
    assert_whole(&spans, OVER_GRPC, submit, over_grpc, process);
    // One that is malformed is no parent: a trace of its own begins.
    let of_position = |s: &&Span| s.attributes.get("position") == Some(&malformed.to_string());
    let roll_up = spans.iter().filter(|s| s.name == "roll_up").find(of_position).expect("its roll-up");
    let request = &named(&spans, &roll_up.trace, "POST /v1/submissions")[..];
    assert!(matches!(request, [one] if one.parent.is_empty()), "{request:#?}");
    // What one service makes another do is in the trace of what it was asked.
    let asked = spans.iter().find(|s| s.name.ends_with("/GetSubmission")).expect("the question");
    let effect = &named(&spans, &asked.trace, "tonghop.aggregation.v1.AggregationService/GetEffect")[..];
    assert!(matches!(effect, [one] if one.parent == asked.id), "{effect:#?}");
}

#[tokio::test]
async fn a_push_is_one_trace_across_services_that_run_apart() {
    let Some(On::Postgres(server)) = On::postgres() else { return };
    let database = server.database();
    let collector = Collector::start().await;
    let (ingestion, aggregation) = (free_address(), free_address());
    let (at_ingestion, at_aggregation) = (format!("http://{ingestion}"), format!("http://{aggregation}"));
    let url = database.url();
    let start = |name: &str, listen: &str, other: (&str, &str)| {
        let environment = [
            ("TONGHOP_DATABASE", url.as_str()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
            ("TONGHOP_LOG_FORMAT", "json"),
        ];
        Process::start(name, &["--listen", listen, other.0, other.1], &environment)
    };
    let ingestion = start("tonghop-ingestion", &ingestion, ("--aggregation", &at_aggregation));
    let aggregation = start("tonghop-aggregation", &aggregation, ("--ingestion", &at_ingestion));
    let query = start("tonghop-query", "127.0.0.1:0", ("--aggregation", &at_aggregation));
    load_registry(&ingestion.url).await;
    let position = push_over_rest(&ingestion.url, "over-rest", "01864", &trace_parent(OVER_REST)).await;
    wait(&query.url, position).await;
    let (of_ingestion, of_aggregation) = (scrape(&ingestion.url).await, scrape(&aggregation.url).await);
    assert_eq!(of_ingestion.value("tonghop_ledger_head_position", &[]), 2.);
    assert_eq!(of_aggregation.value("tonghop_checkpoint_position", &[]), 2.);
    assert_eq!(of_aggregation.value("tonghop_lag_positions", &[]), 0.);
    assert_eq!(of_aggregation.value("tonghop_lease_held", &[]), 1.);
    assert_eq!(scrape(&query.url).await.value("tonghop_query_watch_connected", &[]), 1.);
    for process in [query, aggregation, ingestion] {
        let (code, log) = process.stop().await;
        assert_eq!(code, Some(0), "{log}");
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            assert!(line["time"].is_string() && line["message"].is_string(), "{line}");
        }
    }
    let trace = OVER_REST.0;
    let spans = collector.until(|spans| !named(spans, trace, "POST /v1/submissions").is_empty()).await;
    let processes = ("tonghop-ingestion", "tonghop-aggregation");
    assert_whole(&spans, OVER_REST, "POST /v1/submissions", position, processes);
}

#[tokio::test]
async fn a_collector_that_is_away_costs_nothing_but_spans() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().to_str().expect("a path");
    let nobody = format!("http://{}", free_address());
    let arguments = ["up", "--listen", "127.0.0.1:0", "--data-dir", data];
    let up = Process::start("tonghop", &arguments, &[("TONGHOP_OTLP_ENDPOINT", &nobody)]);
    load_registry(&up.url).await;
    let position = push_over_rest(&up.url, "a", "01864", &trace_parent(OVER_REST)).await;
    wait(&up.url, position).await;
    let (code, log) = up.stop().await;
    assert_eq!(code, Some(0), "{log}");
}

/// Tiles that say that there is a registry, and hold none that can be read.
async fn with_a_damaged_registry(database: &str) {
    let tiles = Tiles::open(database).await.expect("open");
    let now: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let lease = tiles.acquire_lease("test", Duration::from_secs(1), now).await.expect("the database");
    let batch = TileBatch {
        expected_position: 0,
        position: 1,
        ledger_digest: [0; 32],
        time: now,
        epoch: lease.expect("a new lease").epoch,
        tiles: vec![],
        summaries: vec![],
        effects: vec![],
        registry: Some((1, b"no registry".to_vec())),
        registries_before: vec![],
        reviews: vec![],
        rules: vec![],
        replaces_all: false,
    };
    tiles.write(batch).await.expect("written");
    tiles.close().await.expect("closed");
}

#[tokio::test]
async fn a_failure_is_logged_under_the_trace_that_its_answer_quotes() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = format!("sqlite://{}", directory.path().join("tiles.sqlite").display());
    let nobody = format!("http://{}", free_address());
    let arguments = ["--listen", "127.0.0.1:0", "--aggregation", &nobody, "--database", &database];
    with_a_damaged_registry(&database).await;
    let query = Process::start("tonghop-query", &arguments, &[("TONGHOP_LOG_FORMAT", "json")]);

    let watch = reqwest::Client::new().get(format!("{}/v1/watch", query.url));
    let watch = watch.header("traceparent", trace_parent(OVER_REST));
    let reply = watch.send().await.expect("an answer");
    assert_eq!(reply.status(), 500);
    let problem: Value = reply.json().await.expect("a problem");
    assert_eq!(problem["trace_id"], OVER_REST.0, "{problem}");

    let mut client = QueryServiceClient::connect(query.url.clone()).await.expect("connected");
    let status = client.watch(tonghop_proto::query::WatchRequest::default()).await.expect_err("damaged");
    assert_eq!(status.code(), tonic::Code::Internal);
    let quoted = status.get_details_request_info().expect("what to quote").request_id;
    assert_eq!(quoted.len(), 32, "{quoted}");

    let wrong = reqwest::get(format!("{}/v1/totals?unit=", query.url)).await.expect("an answer");
    let problem: Value = wrong.json().await.expect("a problem");
    assert_eq!(problem.get("trace_id").is_some(), problem["status"].as_i64() >= Some(500), "{problem}");

    let (code, log) = query.stop().await;
    assert_eq!(code, Some(0), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for (trace, operation) in
        [(OVER_REST.0, "GET /v1/watch"), (quoted.as_str(), "tonghop.query.v1.QueryService/Watch")]
    {
        let of_trace: Vec<_> = lines.iter().filter(|line| line["trace_id"] == trace).collect();
        let [line] = of_trace[..] else { panic!("{trace}: {log}") };
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["message"], "the service could not do this; its log says why");
        assert_eq!(line["spans"][0]["operation"], operation, "{line}");
        assert!(line["fields"]["cause"].is_string(), "{line}");
    }
}

#[test]
fn settings_that_cannot_be_meant_are_refused_before_anything_is_opened() {
    for (variable, value, expected) in [
        ("TONGHOP_LOG_FORMAT", "xml", "TONGHOP_LOG_FORMAT is \"xml\": say text or json"),
        ("TONGHOP_LOG", "tonghop=loud", "TONGHOP_LOG is \"tonghop=loud\", which is no filter"),
        ("TONGHOP_OTLP_ENDPOINT", "not a url", "TONGHOP_OTLP_ENDPOINT: "),
    ] {
        let mut command = Command::new(binary("tonghop-query"));
        command.args(["--database", "sqlite:///nowhere/at/all"]).env(variable, value);
        let output = command.stdin(Stdio::null()).output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with(expected) && said.lines().count() == 1, "{said}");
    }
}
