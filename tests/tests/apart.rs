//! The three services as processes of their own, over one PostgreSQL database: the same answers as in one process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tonghop_proto::registry::LoadRegistryRequest;
use tonghop_proto::registry::registry_service_client::RegistryServiceClient;
use tonghop_testkit::postgres::On;
use tonghop_tests::Server;
use tonghop_tests::binary::binary;
use tonghop_tests::gazetteer::rows;
use tonghop_tests::server::{Tables, shipped};

/// How long a service may take to stop when it is told to.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service that runs.
struct Service {
    child: Child,
    url: String,
}

impl Service {
    fn start(name: &str, database: &str, listen: &str, others: &[(&str, &str)]) -> Service {
        let mut command = Command::new(binary(name));
        command.args(["--listen", listen]).env("TONGHOP_DATABASE", database).env("TONGHOP_LOG", "warn");
        for (flag, url) in others {
            command.args([flag, url]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut said).expect("a line");
        let url = said.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(url.starts_with("http://"), "{name} said {said:?}");
        Service { child, url }
    }

    /// Tells it to stop; what it ended with.
    async fn stop(mut self) -> Option<i32> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill").success());
        let ended = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(status) = self.child.try_wait().expect("its state") {
                    return status.code();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        ended.await.expect("it stops in time")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").to_string()
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

async fn load(ingestion: &Service, key: &str, tables: Tables) -> i64 {
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

async fn load_registry(ingestion: &Service) {
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

async fn push(http: &reqwest::Client, ingestion: &Service, key: &str, report: Vec<u8>) -> Value {
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
    let ingestion = Service::start("tonghop-ingestion", &url, any, &[("--aggregation", &aggregation_url)]);
    let of_ingestion = [("--ingestion", ingestion.url.as_str())];
    let aggregation = Service::start("tonghop-aggregation", &url, &at, &of_ingestion);
    let query = Service::start("tonghop-query", &url, any, &[("--aggregation", &aggregation_url)]);

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
        assert_eq!(service.stop().await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_standby_goes_on_where_the_active_aggregation_stopped() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let (_, report) = tonghop::shipped::reports(None).expect("the report ships").remove(0);
    let database = postgres.database();
    let (url, any) = (database.url(), "127.0.0.1:0");
    let ingestion = Service::start("tonghop-ingestion", &url, any, &[]);
    let of_ingestion = [("--ingestion", ingestion.url.as_str())];
    let active = Service::start("tonghop-aggregation", &url, any, &of_ingestion);
    load_registry(&ingestion).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let standby = Service::start("tonghop-aggregation", &url, any, &of_ingestion);
    // It hears from the one that stands by.
    let query = Service::start("tonghop-query", &url, any, &[("--aggregation", &standby.url)]);
    let tips = async |at_least: &str| {
        let parameters =
            [("indicator", "tg01"), ("unit", "VN"), ("period", "2013..2023"), ("at_least", at_least)];
        let (status, answer) = json(http.get(address(&query.url, &parameters))).await;
        assert_eq!(status, 200, "{answer}");
        answer["totals"][0]["value"].clone()
    };
    push(&http, &ingestion, "a", report.clone()).await;
    assert_eq!(tips("2").await, "37853");

    assert_eq!(active.stop().await, Some(0));
    let revised = String::from_utf8(report).expect("a text").replace("37853", "37854");
    push(&http, &ingestion, "b", revised.into_bytes()).await;
    assert_eq!(tips("3").await, "37854");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_registry_loaded_through_one_ingestion_holds_at_once_for_the_other() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let database = postgres.database();
    let (url, any) = (database.url(), "127.0.0.1:0");
    let one = Service::start("tonghop-ingestion", &url, any, &[]);
    load_registry(&one).await;
    let other = Service::start("tonghop-ingestion", &url, any, &[]);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let tips = |indicator: &str| {
        let figure = serde_json::json!({
            "unit": "01864", "indicator": indicator, "period": "2024-M05", "scope": "own", "value": "12",
            "breakdown": {"reporter": "cong-an"},
        });
        serde_json::json!({"source": "test", "figures": [figure]}).to_string()
    };
    let push = async |ingestion: &Service, key: &str, indicator: &str, dry_run: bool| {
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
async fn writers_through_two_ingestions_and_loads_in_between_leave_a_dense_ledger() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let database = postgres.database();
    let (url, any) = (database.url(), "127.0.0.1:0");
    let both = [
        Service::start("tonghop-ingestion", &url, any, &[]),
        Service::start("tonghop-ingestion", &url, any, &[]),
    ];
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
