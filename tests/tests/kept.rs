//! Answers that are kept are given again only while they are the answer.
//!
//! Over the port answers are kept; over the channel within the process they never are, so that the two can be compared.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tonghop_proto::aggregation::GetStatusRequest;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonghop_proto::query::{GetTotalsRequest, GetTotalsResponse};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::process::{Process, free_address};
use tonghop_tests::server::shipped;
use tonghop_tests::{Api, Server};

/// How long something may take to come about that nobody promised a time for.
const PATIENCE: Duration = Duration::from_secs(60);

fn figure(unit: &str, value: Option<&str>) -> Value {
    let mut figure = json!({
        "unit": unit, "indicator": "tg02", "period": "2024-M05", "scope": "own", "breakdown": {"reporter": "cong-an"},
    });
    match value {
        Some(value) => figure["value"] = value.into(),
        None => figure["withdraw"] = true.into(),
    }
    figure
}

fn questions() -> Vec<GetTotalsRequest> {
    let ask = |unit: &str, period: &str, by: &str| GetTotalsRequest {
        indicator: "tg02".into(),
        unit: unit.into(),
        period: period.into(),
        by: by.into(),
        ..GetTotalsRequest::default()
    };
    vec![
        ask("VN", "2024-M05", ""),
        ask("VN", "2024", ""),
        ask("06", "2024-M05", "children"),
        ask("01864", "2024-M05", ""),
        ask("VN", "2024", "periods"),
    ]
}

/// How many answers were given out of what is kept.
async fn given(api: &Api) -> u64 {
    let text = api.get("/metrics", &[]).await.text();
    let line = text.lines().find_map(|line| line.strip_prefix("tonghop_query_kept_total "));
    line.expect("the counter").trim().parse().expect("a number")
}

fn ageless(mut answer: GetTotalsResponse) -> GetTotalsResponse {
    if let Some(as_of) = &mut answer.as_of {
        as_of.stale_seconds = None;
    }
    answer
}

async fn ask(channel: tonic::transport::Channel, question: &GetTotalsRequest) -> GetTotalsResponse {
    let answer = QueryServiceClient::new(channel).get_totals(question.clone()).await;
    ageless(answer.expect("an answer").into_inner())
}

/// Asks everything, three times over the port by gRPC and by REST, and once within the process; all have to say the
/// same, as of a position. What the nation's total of the month is.
async fn all_say(server: &Server, position: i64) -> Option<String> {
    let outside = tonic::transport::Endpoint::from_shared(server.base().to_owned()).expect("a URL");
    let outside = outside.connect().await.expect("the port");
    let mut nation = None;
    for (n, question) in questions().iter().enumerate() {
        let right = ask(server.channel(), question).await;
        assert_eq!(right.as_of.as_ref().map(|as_of| as_of.position), Some(position));
        for _ in 0..3 {
            assert_eq!(ask(outside.clone(), question).await, right, "{question:?}");
            let parameters = [
                ("indicator", question.indicator.as_str()),
                ("unit", &question.unit),
                ("period", &question.period),
                ("by", &question.by),
            ];
            let said = server.get("/v1/totals", &parameters).await.expect(200);
            assert_eq!(said["as_of"]["position"], position, "{question:?}");
            let values: Vec<&Value> =
                said["totals"].as_array().expect("totals").iter().map(|t| &t["value"]).collect();
            let expected: Vec<Value> = right.totals.iter().map(|t| t.value.clone().into()).collect();
            assert_eq!(values, expected.iter().collect::<Vec<_>>(), "{question:?}");
        }
        if n == 0 {
            nation = right.totals.first().and_then(|total| total.value.clone());
        }
    }
    nation
}

async fn whatever_changes_a_total_makes_what_was_kept_useless_at_once(on: On) {
    let server = Server::start_on(on).await;
    // The stream of changes has to be there, and somebody to have confirmed the totals, before anything is kept.
    let begun = Instant::now();
    while given(&server).await == 0 {
        all_say(&server, 1).await;
        assert!(begun.elapsed() < PATIENCE, "nothing is ever kept");
    }
    let values = [
        ("a push", json!([figure("01864", Some("12")), figure("01840", Some("3"))]), Some("15")),
        ("a revision", json!([figure("01864", Some("20"))]), Some("23")),
        ("a withdrawal", json!([figure("01864", None)]), Some("3")),
        ("nothing new", json!([figure("01840", Some("3"))]), Some("3")),
        ("the last withdrawal", json!([figure("01840", None)]), None),
        ("another push", json!([figure("01864", Some("7"))]), Some("7")),
    ];
    let mut position = 1;
    for (what, figures, nation) in values {
        position = server.report(what, figures).await.position();
        assert_eq!(all_say(&server, position).await.as_deref(), nation, "{what}");
    }

    server.rebuild().await;
    assert_eq!(all_say(&server, position).await.as_deref(), Some("7"), "a rebuild");

    let mut tables = shipped();
    let indicators = tables.get_mut("indicators.csv").expect("the table");
    let text = String::from_utf8(std::mem::take(indicators)).expect("text");
    let named = text.lines().find(|line| line.starts_with("tg02-")).expect("the row").to_owned();
    assert!(named.contains(",tip,"), "{named}");
    *indicators = text.replace(&named, &named.replace(",tip,", ",message,")).into_bytes();
    position = server.load("renamed", tables, false).await.expect("a registry").position;
    server.wait(position).await;
    assert_eq!(all_say(&server, position).await.as_deref(), Some("7"), "a registry");
    let said = server.total("tg02", "VN", "2024-M05", "").await;
    assert_eq!(said["unit_of_measure"]["en"], "message");

    let given_before = given(&server).await;
    all_say(&server, position).await;
    assert!(given(&server).await > given_before, "and still answers are kept");
}

async fn who_has_the_answer_is_told_so_whether_it_is_kept_or_not(on: On) {
    let server = Server::start_on(on).await;
    server.report("push", json!([figure("01864", Some("12"))])).await;
    let asked = [("indicator", "tg02"), ("unit", "VN"), ("period", "2024-M05")];
    let first = server.get("/v1/totals", &asked).await;
    let tag = first.header("etag").to_owned();
    for _ in 0..3 {
        let again = server.get_unless(&tag, "/v1/totals", &asked).await;
        assert_eq!((again.status, again.header("etag")), (304, tag.as_str()));
        let other = server.get_unless("\"other\"", "/v1/totals", &asked).await;
        assert_eq!((other.status, other.header("etag")), (200, tag.as_str()));
        assert_eq!(tonghop_tests::rest::ageless(other.json()), tonghop_tests::rest::ageless(first.json()));
    }
    server.report("revision", json!([figure("01864", Some("13"))])).await;
    let moved = server.get_unless(&tag, "/v1/totals", &asked).await;
    assert_eq!(moved.expect(200)["totals"][0]["value"], "13");
}

async fn what_is_wrong_is_not_kept(on: On) {
    let server = Server::start_on(on).await;
    for _ in 0..3 {
        let wrong = [("indicator", "tg02"), ("unit", "no-such-unit"), ("period", "2024-M05")];
        assert_eq!(server.get("/v1/totals", &wrong).await.status, 404);
    }
    assert_eq!(given(&server).await, 0);
}

on_both!(
    whatever_changes_a_total_makes_what_was_kept_useless_at_once,
    who_has_the_answer_is_told_so_whether_it_is_kept_or_not,
    what_is_wrong_is_not_kept,
);

fn start(name: &str, database: &str, listen: &str, others: &[&str]) -> Process {
    let arguments: Vec<&str> = ["--listen", listen].into_iter().chain(others.iter().copied()).collect();
    Process::start(name, &arguments, &[("TONGHOP_DATABASE", database), ("TONGHOP_LOG", "warn")])
}

/// Where an aggregation is; nothing where it does not answer.
async fn rolled_up(url: &str) -> Option<i64> {
    let channel =
        tonic::transport::Endpoint::from_shared(url.to_owned()).expect("a URL").connect().await.ok()?;
    let status = AggregationServiceClient::new(channel).get_status(GetStatusRequest {}).await.ok()?;
    Some(status.into_inner().position)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_whose_aggregation_is_gone_keeps_nothing_and_says_what_the_next_one_made() {
    let Some(On::Postgres(server)) = On::postgres() else { return };
    let database = server.database();
    let (url, listen) = (database.url(), [free_address(), free_address(), free_address(), free_address()]);
    let at = |n: usize| format!("http://{}", listen[n]);
    let ingestion = start("tonghop-ingestion", &url, &listen[0], &["--aggregation", &at(1)]);
    let api = Api::at(ingestion.url.clone());
    let first = start("tonghop-aggregation", &url, &listen[1], &["--ingestion", &at(0)]);
    api.load("registry", shipped(), false).await.expect("a registry");
    let begun = Instant::now();
    while rolled_up(&at(1)).await != Some(1) {
        assert!(begun.elapsed() < PATIENCE, "the registry is not taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let second = start("tonghop-aggregation", &url, &listen[2], &["--ingestion", &at(0)]);
    let query = start("tonghop-query", &url, &listen[3], &["--aggregation", &at(1)]);
    let asking = Api::at(query.url.clone());
    let question = [("indicator", "tg02"), ("unit", "VN"), ("period", "2024-M05")];
    let answer = async |at_least: i64| {
        let at_least = at_least.to_string();
        let parameters = [question.as_slice(), &[("at_least", at_least.as_str())]].concat();
        let said = asking.get("/v1/totals", &parameters).await.expect(200);
        assert!(said["as_of"]["position"].as_i64() >= at_least.parse().ok(), "{said}");
        // And who does not ask for a position is not answered with less.
        let without = asking.get("/v1/totals", &question).await.expect(200);
        assert_eq!(without["totals"], said["totals"]);
        said["totals"][0]["value"].as_str().map(str::to_owned)
    };

    let push = async |key: &str, value: &str| {
        let document = json!({"source": "test", "figures": [figure("01864", Some(value))]});
        api.push_json(key, &document).await.position()
    };
    let position = push("one", "12").await;
    assert_eq!(answer(position).await.as_deref(), Some("12"));
    let begun = Instant::now();
    while given(&asking).await == 0 {
        asking.get("/v1/totals", &question).await.expect(200);
        assert!(begun.elapsed() < PATIENCE, "nothing is ever kept");
    }

    // Killed, not stopped.
    drop(first);
    let position = push("two", "13").await;
    assert_eq!(answer(position).await.as_deref(), Some("13"), "what the second one made");
    let given_then = given(&asking).await;
    for value in ["14", "15"] {
        let position = push(value, value).await;
        assert_eq!(answer(position).await.as_deref(), Some(value));
        assert_eq!(answer(position).await.as_deref(), Some(value));
    }
    assert_eq!(given(&asking).await, given_then, "nothing is kept while nobody says what changes");
    for service in [query, second, ingestion] {
        let (code, log) = service.stop().await;
        assert_eq!(code, Some(0), "{log}");
    }
}
