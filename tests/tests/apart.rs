//! The three services as processes of their own, over one PostgreSQL database: the same answers as in one process.

use serde_json::Value;
use tonghop_proto::registry::LoadRegistryRequest;
use tonghop_proto::registry::registry_service_client::RegistryServiceClient;
use tonghop_testkit::postgres::On;
use tonghop_tests::Server;
use tonghop_tests::gazetteer::rows;
use tonghop_tests::process::{Process, free_address};
use tonghop_tests::server::{Tables, shipped};

fn start(name: &str, database: &str, listen: &str, others: &[(&str, &str)]) -> Process {
    let others = others.iter().flat_map(|(flag, url)| [*flag, *url]);
    let arguments: Vec<&str> = ["--listen", listen].into_iter().chain(others).collect();
    Process::start(name, &arguments, &[("TONGHOP_DATABASE", database), ("TONGHOP_LOG", "warn")])
}

/// Stops a service, which has to end well.
async fn stop(service: Process) {
    let (code, log) = service.stop().await;
    assert_eq!(code, Some(0), "{log}");
}

async fn json(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let bytes = response.bytes().await.expect("a body");
    (status, serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{status} {e}: {bytes:?}")))
}

fn address(service: &str, parameters: &[(&str, &str)]) -> reqwest::Url {
    reqwest::Url::parse_with_params(&format!("{service}/v1/totals"), parameters).expect("an address")
}

async fn load(ingestion: &Process, key: &str, tables: Tables) -> i64 {
    let channel = tonic::transport::Endpoint::from_shared(ingestion.url.clone()).expect("a URL");
    let mut registry = RegistryServiceClient::new(channel.connect().await.expect("ingestion"));
    let load = LoadRegistryRequest {
        source: "test".into(),
        idempotency_key: key.into(),
        tables,
        ..LoadRegistryRequest::default()
    };
    registry.load_registry(load).await.expect("a registry").into_inner().position
}

async fn load_registry(ingestion: &Process) {
    assert_eq!(load(ingestion, "registry", shipped()).await, 1);
}

/// The tables that ship, and indicators as `tg02-useful-tips` is under other codes.
fn with(codes: &[&str]) -> Tables {
    let mut tables = shipped();
    let indicators = tables.get_mut("indicators.csv").expect("the table");
    let mut text = String::from_utf8(std::mem::take(indicators)).expect("text");
    let row = text.lines().find(|line| line.starts_with("tg02-useful-tips")).expect("the row").to_owned();
    for code in codes {
        text.push_str(&format!("{}\n", row.replace("tg02-useful-tips", code)));
    }
    *indicators = text.into_bytes();
    tables
}

async fn push(http: &reqwest::Client, ingestion: &Process, key: &str, report: Vec<u8>) -> Value {
    let push = http.post(format!("{}/v1/submissions?source=congan-backan", ingestion.url));
    let push = push.header("Idempotency-Key", key).header("Content-Type", "text/csv");
    let (status, receipt) = json(push.body(report)).await;
    assert_eq!(status, 201, "{receipt}");
    receipt
}

/// Without the times, which differ.
fn totals(mut answer: Value) -> Value {
    answer["as_of"]["time"] = Value::Null;
    // A machine under load may be late to confirm that nothing newer was accepted.
    answer["as_of"]["stale_seconds"] = Value::Null;
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_services_apart_give_the_same_national_totals_as_in_one_process() {
    let Some(on @ On::Postgres(postgres)) = On::postgres() else { return };
    let (_, report) = tonghop::shipped::reports(None).expect("the report ships").remove(0);
    let together = Server::start_on(on).await;
    together.push_csv("report-2023", "congan-backan", report.clone()).await.expect(201);
    together.wait(2).await;

    let database = postgres.database();
    let (url, any) = (database.url(), "127.0.0.1:0");
    let at = free_address();
    let aggregation_url = format!("http://{at}");
    let ingestion = start("tonghop-ingestion", &url, any, &[("--aggregation", &aggregation_url)]);
    let of_ingestion = [("--ingestion", ingestion.url.as_str())];
    let aggregation = start("tonghop-aggregation", &url, &at, &of_ingestion);
    let query = start("tonghop-query", &url, any, &[("--aggregation", &aggregation_url)]);

    load_registry(&ingestion).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let receipt = push(&http, &ingestion, "report-2023", report.clone()).await;
    assert_eq!(receipt["position"], 2);

    for row in rows(&report) {
        let parameters = [
            ("indicator", row["indicator"].as_str()),
            ("unit", "VN"),
            ("period", row["period"].as_str()),
            ("breakdown", row["breakdown"].as_str()),
            ("at_least", "2"),
        ];
        let parameters: Vec<_> = parameters.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let (status, apart) = json(http.get(address(&query.url, &parameters))).await;
        assert_eq!(status, 200, "{apart}");
        let in_one = together.get("/v1/totals", &parameters).await.expect(200);
        assert_eq!(totals(apart), totals(in_one), "{parameters:?}");
    }
    let id = receipt["id"].as_str().expect("an id");
    let (status, told) = json(http.get(format!("{}/v1/submissions/{id}", ingestion.url))).await;
    assert_eq!((status, &told["state"], &told["effect"]["new"]), (200, &"rolled_up".into(), &15.into()));

    for service in [query, aggregation, ingestion] {
        stop(service).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_standby_goes_on_where_the_active_aggregation_stopped() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let (_, report) = tonghop::shipped::reports(None).expect("the report ships").remove(0);
    let database = postgres.database();
    let (url, any) = (database.url(), "127.0.0.1:0");
    let ingestion = start("tonghop-ingestion", &url, any, &[]);
    let of_ingestion = [("--ingestion", ingestion.url.as_str())];
    let active = start("tonghop-aggregation", &url, any, &of_ingestion);
    load_registry(&ingestion).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let standby = start("tonghop-aggregation", &url, any, &of_ingestion);
    // It hears from the one that stands by.
    let query = start("tonghop-query", &url, any, &[("--aggregation", &standby.url)]);
    let tips = async |at_least: &str| {
        let parameters =
            [("indicator", "tg01"), ("unit", "VN"), ("period", "2013..2023"), ("at_least", at_least)];
        let (status, answer) = json(http.get(address(&query.url, &parameters))).await;
        assert_eq!(status, 200, "{answer}");
        answer["totals"][0]["value"].clone()
    };
    push(&http, &ingestion, "a", report.clone()).await;
    assert_eq!(tips("2").await, "37853");

    stop(active).await;
    let revised = String::from_utf8(report).expect("a text").replace("37853", "37854");
    push(&http, &ingestion, "b", revised.into_bytes()).await;
    assert_eq!(tips("3").await, "37854");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_registry_loaded_through_one_ingestion_holds_at_once_for_the_other() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let database = postgres.database();
    let (url, any) = (database.url(), "127.0.0.1:0");
    let one = start("tonghop-ingestion", &url, any, &[]);
    load_registry(&one).await;
    let other = start("tonghop-ingestion", &url, any, &[]);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let tips = |indicator: &str| {
        let figure = serde_json::json!({
            "unit": "01864", "indicator": indicator, "period": "2024-M05", "scope": "own", "value": "12",
            "breakdown": {"reporter": "cong-an"},
        });
        serde_json::json!({"source": "test", "figures": [figure]}).to_string()
    };
    let push = async |ingestion: &Process, key: &str, indicator: &str, dry_run: bool| {
        let push = http.post(format!("{}/v1/submissions?dry_run={dry_run}", ingestion.url));
        let push = push.header("Idempotency-Key", key).header("Content-Type", "application/json");
        json(push.body(tips(indicator))).await
    };
    // Known by both: the second has read the first registry when it started.
    let (status, receipt) = push(&other, "a", "tg02-useful-tips", false).await;
    assert_eq!((status, &receipt["position"]), (201, &2.into()), "{receipt}");

    // New indicators come through the first; an answer of the second is by the new registry, whether it would have
    // refused or accepted by the old one, and for a dry run too.
    assert_eq!(load(&one, "two more", with(&["zz02-new-tips", "yy02-more-tips"])).await, 3);
    let (status, answer) = push(&other, "b", "zz02-new-tips", true).await;
    assert_eq!((status, &answer["figures"]), (200, &1.into()), "{answer}");
    let (status, receipt) = push(&other, "b", "zz02-new-tips", false).await;
    assert_eq!((status, &receipt["position"]), (201, &4.into()), "{receipt}");
    let listed = json(http.get(format!("{}/v1/indicators", other.url))).await.1.to_string();
    assert!(listed.contains("zz02-new-tips") && listed.contains("yy02-more-tips"));
    assert_eq!(load(&one, "one less", with(&["zz02-new-tips"])).await, 5);
    let (status, refused) = push(&other, "c", "yy02-more-tips", false).await;
    assert_eq!((status, &refused["findings"][0]["code"]), (422, &"unknown_indicator".into()), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_submission_sent_at_once_to_two_ingestions_is_taken_once() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let database = postgres.database();
    let (url, any) = (database.url(), "127.0.0.1:0");
    let both = [start("tonghop-ingestion", &url, any, &[]), start("tonghop-ingestion", &url, any, &[])];
    load_registry(&both[0]).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    for round in 0..5 {
        let document = serde_json::json!({"source": "test", "figures": [{
            "unit": "01864", "indicator": "tg02", "period": "2024-M05", "scope": "own",
            "value": round.to_string(), "breakdown": {"reporter": "cong-an"},
        }]});
        let pushes = (0..16).map(|n| {
            let push = http.post(format!("{}/v1/submissions", both[n % 2].url)).body(document.to_string());
            let push = push.header("Content-Type", "application/json");
            let push = push.header("Idempotency-Key", format!("round {round}"));
            tokio::spawn(json(push))
        });
        let pushes: Vec<_> = pushes.collect();
        let (mut first, mut receipts) = (0, vec![]);
        for push in pushes {
            let (status, receipt) = push.await.expect("an answer");
            assert!([200, 201].contains(&status), "{status} {receipt}");
            first += usize::from(status == 201);
            receipts.push(receipt);
        }
        assert_eq!(first, 1, "{receipts:?}");
        assert_eq!(receipts[0]["position"], 2 + round);
        assert!(receipts.iter().all(|receipt| *receipt == receipts[0]), "{receipts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_through_two_ingestions_and_loads_in_between_leave_a_dense_ledger() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let database = postgres.database();
    let (url, any) = (database.url(), "127.0.0.1:0");
    let both = [start("tonghop-ingestion", &url, any, &[]), start("tonghop-ingestion", &url, any, &[])];
    load_registry(&both[0]).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let pushes = (0..4).map(|writer| {
        let (http, address) = (http.clone(), both[writer % 2].url.clone());
        tokio::spawn(async move {
            let mut positions = vec![];
            for n in 0..25 {
                let document = serde_json::json!({"source": format!("writer-{writer}"), "figures": [{
                    "unit": "01864", "indicator": "tg02", "period": "2024-M05", "scope": "own",
                    "value": n.to_string(), "breakdown": {"reporter": "cong-an"},
                }]});
                let push = http.post(format!("{address}/v1/submissions")).body(document.to_string());
                let push = push.header("Content-Type", "application/json");
                let (status, receipt) = json(push.header("Idempotency-Key", format!("{n}"))).await;
                assert_eq!(status, 201, "{receipt}");
                positions.push(receipt["position"].as_i64().expect("a position"));
            }
            positions
        })
    });
    let pushes: Vec<_> = pushes.collect();
    // Each changes what figures mean for the roll-up, so that all that is in has to be looked at.
    let mut positions = vec![1];
    for (n, code) in ["xx02-x", "yy02-y", "zz02-z"].into_iter().enumerate() {
        positions.push(load(&both[n % 2], &format!("load {n}"), with(&[code])).await);
    }
    for push in pushes {
        positions.extend(push.await.expect("a writer"));
    }
    positions.sort_unstable();
    assert_eq!(positions, (1..=104).collect::<Vec<i64>>());
}
