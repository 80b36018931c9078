//! Who may read what: every operation of query, for every kind of caller, inside and outside of what is theirs, over
//! both transports.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use prost::Message;
use reqwest::header::{CACHE_CONTROL, ETAG, VARY, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_stream::StreamExt;
use tonghop::up::{self, Running, UpOptions};
use tonghop_access::{Access, issue};
use tonghop_proto::ledger::{AccessRecord, Grant, KeyIssued, KeyRevoked, access_record::Change};
use tonghop_proto::query as pb;
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonghop_store::{Appended, Content, EntryKind, Ledger, NewEntry, Premise};
use tonghop_testkit::postgres::On;
use tonghop_tests::Api;
use tonghop_tests::server::{Tables, shipped};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use uuid::Uuid;

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);
/// An internal indicator, a ratio of it whose own row says public, and a public one.
const INTERNAL: &str = "tg06-cases-resolved";
const RATIO: &str = "zz06-resolved-share";
const PUBLIC: &str = "tg02-useful-tips";
/// What was reported of the internal one: by Bắc Kạn, by Hà Nội, and what is none of anybody's business but theirs.
const VALUES: [(&str, &str); 2] = [("06", "4106"), ("01", "5901")];
/// What the nation has of it.
const NATION: &str = "10007";

/// Whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Anonymous,
    /// Reports, and may not read what is internal.
    Reporter,
    /// May approve there.
    Approver,
    /// Reads what is internal in Bắc Kạn.
    ReaderThere,
    /// Reads it everywhere.
    ReaderOfAll,
    /// Administers, which is not reading.
    Administrator,
    Expired,
    Revoked,
    /// Has a key that nobody gave.
    Stranger,
}

impl Asking {
    const ALL: [Asking; 9] = [
        Asking::Anonymous,
        Asking::Reporter,
        Asking::Approver,
        Asking::ReaderThere,
        Asking::ReaderOfAll,
        Asking::Administrator,
        Asking::Expired,
        Asking::Revoked,
        Asking::Stranger,
    ];

    fn random(self) -> [u8; 56] {
        std::array::from_fn(|i| (i as u8).wrapping_mul(7).wrapping_add(self as u8 * 31 + 1))
    }

    fn key(self) -> Option<String> {
        (self != Asking::Anonymous).then(|| issue(&self.random()).secret)
    }

    /// What is granted: roles and units.
    fn grant(self) -> Option<(&'static str, &'static str)> {
        match self {
            Asking::Anonymous | Asking::Stranger => None,
            Asking::Reporter => Some(("report", "VN")),
            Asking::Approver => Some(("approve", "06")),
            Asking::ReaderThere | Asking::Expired | Asking::Revoked => Some(("read_internal", "06")),
            Asking::ReaderOfAll => Some(("read_internal", "VN")),
            Asking::Administrator => Some(("administer", "VN")),
        }
    }

    fn issued(self) -> Option<KeyIssued> {
        let ((role, unit), made) = (self.grant()?, issue(&self.random()));
        let expires = if self == Asking::Expired { "2020-01-01T00:00:00Z" } else { "2999-01-01T00:00:00Z" };
        Some(KeyIssued {
            key: made.key,
            salt: made.salt.to_vec(),
            digest: made.digest.to_vec(),
            source: format!("system-{role}"),
            grant: Some(Grant { roles: vec![role.to_owned()], units: vec![unit.to_owned()], sides: vec![] }),
            expires_at: expires.to_owned(),
            ..KeyIssued::default()
        })
    }
}

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Answered,
    SayWhoYouAre,
    NotYours,
}

impl Decision {
    fn of_status(status: u16) -> Decision {
        match status {
            200 => Decision::Answered,
            401 => Decision::SayWhoYouAre,
            403 => Decision::NotYours,
            other => panic!("answered with {other}"),
        }
    }

    fn of_code(code: Code) -> Decision {
        match code {
            Code::Ok => Decision::Answered,
            Code::Unauthenticated => Decision::SayWhoYouAre,
            Code::PermissionDenied => Decision::NotYours,
            other => panic!("answered with {other}"),
        }
    }

    /// What has to become of it.
    fn right(asking: Asking, indicator: &str, unit: &str, operation: &Operation) -> Decision {
        match asking {
            Asking::Expired | Asking::Revoked | Asking::Stranger => Decision::SayWhoYouAre,
            _ if operation.is_public || indicator == PUBLIC => Decision::Answered,
            Asking::Anonymous => Decision::SayWhoYouAre,
            Asking::ReaderOfAll => Decision::Answered,
            // Of a stream of changes each is looked at for itself.
            Asking::ReaderThere if unit == "06" || operation.name == "Watch" => Decision::Answered,
            _ => Decision::NotYours,
        }
    }
}

/// One operation of query: where REST has it, and how it is called.
struct Operation {
    name: &'static str,
    rest: &'static [&'static str],
    /// Whether everybody is answered, whatever is asked for.
    is_public: bool,
}

/// All of them; the gRPC side is in [`call`].
const OPERATIONS: [Operation; 9] = [
    Operation { name: "GetTotals", rest: &["/v1/totals"], is_public: false },
    Operation {
        name: "StreamTotals",
        rest: &["/v1/export/totals.csv", "/v1/export/totals.parquet"],
        is_public: false,
    },
    Operation { name: "Explain", rest: &["/v1/totals/explain"], is_public: false },
    Operation { name: "ExplainTree", rest: &["/v1/totals/tree"], is_public: false },
    Operation { name: "ListFigures", rest: &["/v1/figures", "/v1/export/figures.ndjson"], is_public: false },
    Operation { name: "GetCoverage", rest: &["/v1/coverage"], is_public: false },
    Operation { name: "ListReviews", rest: &["/v1/reviews"], is_public: true },
    Operation { name: "Watch", rest: &["/v1/watch"], is_public: false },
    // The dashboard has no counterpart over gRPC.
    Operation { name: "", rest: &["/indicator", "/explain"], is_public: false },
];

fn call<T>(asking: Asking, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(key) = asking.key() {
        let value = format!("Bearer {key}").parse().expect("a header");
        request.metadata_mut().insert("authorization", value);
    }
    request
}

async fn over_grpc(
    channel: Channel,
    name: &str,
    asking: Asking,
    indicator: &str,
    unit: &str,
) -> Result<(), Status> {
    let mut client = QueryServiceClient::new(channel);
    let (indicator, unit, period) = (indicator.to_owned(), unit.to_owned(), "2024-Q1".to_owned());
    let totals = pb::GetTotalsRequest {
        indicator: indicator.clone(),
        unit: unit.clone(),
        period: period.clone(),
        ..pb::GetTotalsRequest::default()
    };
    match name {
        "GetTotals" => client.get_totals(call(asking, totals)).await.map(drop),
        "StreamTotals" => {
            let request = pb::StreamTotalsRequest { totals: Some(totals) };
            client.stream_totals(call(asking, request)).await?.into_inner().message().await.map(drop)
        }
        "Explain" => {
            let request = pb::ExplainRequest { indicator, unit, period, ..Default::default() };
            client.explain(call(asking, request)).await.map(drop)
        }
        "ExplainTree" => {
            let request = pb::ExplainTreeRequest { indicator, unit, period, ..Default::default() };
            client.explain_tree(call(asking, request)).await.map(drop)
        }
        "ListFigures" => {
            let request = pb::ListFiguresRequest { indicator, unit, period, ..Default::default() };
            client.list_figures(call(asking, request)).await.map(drop)
        }
        "GetCoverage" => {
            let request = pb::GetCoverageRequest { indicator, unit, period, ..Default::default() };
            client.get_coverage(call(asking, request)).await.map(drop)
        }
        "ListReviews" => client.list_reviews(call(asking, pb::ListReviewsRequest::default())).await.map(drop),
        "Watch" => {
            let request = pb::WatchRequest { indicator, unit, from: None };
            client.watch(call(asking, request)).await?.into_inner().message().await.map(drop)
        }
        other => panic!("{other} is not called"),
    }
}

/// A server that asks for keys, with figures of Bắc Kạn and Hà Nội and a key for everyone who has one.
struct Keyed {
    running: Running,
    http: reqwest::Client,
    base: String,
    ledger: Ledger,
    _data: TempDir,
}

/// The tables that ship, the internal indicator a core one, with a ratio of it.
fn tables() -> Tables {
    let mut tables = shipped();
    let given = tables.remove("indicators.csv").expect("the table");
    let mut reader = csv::Reader::from_reader(given.as_slice());
    let header = reader.headers().expect("a heading").clone();
    let at = |name: &str| header.iter().position(|column| column == name).expect("the column");
    let mut writer = csv::Writer::from_writer(vec![]);
    writer.write_record(&header).expect("written");
    for row in reader.records() {
        let mut row: Vec<String> = row.expect("a row").iter().map(str::to_owned).collect();
        if row[at("code")] == INTERNAL {
            assert_eq!(row[at("sensitivity")], "internal");
            row[at("core")] = "true".to_owned();
            let mut ratio = row.clone();
            for (column, value) in [
                ("code", RATIO),
                ("kind", "ratio"),
                ("numerator", INTERNAL),
                ("denominator", PUBLIC),
                ("aggregable", "ratio"),
                ("decimals", "1"),
                ("sensitivity", "public"),
                ("unit_en", "percent"),
            ] {
                ratio[at(column)] = value.to_owned();
            }
            writer.write_record(&ratio).expect("written");
        }
        writer.write_record(&row).expect("written");
    }
    tables.insert("indicators.csv".into(), writer.into_inner().expect("bytes"));
    tables
}

fn figures() -> Value {
    let figure = |unit: &str, indicator: &str, value: &str| {
        json!({
            "unit": unit, "indicator": indicator, "period": "2024-Q1", "scope": "territory", "value": value,
            "breakdown": {"reporter": "cong-an"},
        })
    };
    let mut all = vec![figure("06", PUBLIC, "8212"), figure("01", PUBLIC, "11802")];
    all.extend(VALUES.map(|(unit, value)| figure(unit, INTERNAL, value)));
    json!({ "source": "synthetic-test", "note": "a remark for the ministry", "figures": all })
}

/// Writes an entry about keys into the ledger, as ingestion does.
async fn append(ledger: &Ledger, change: Change) -> i64 {
    let record = AccessRecord { change: Some(change) }.encode_to_vec();
    let head = ledger.head().await.expect("the head");
    let rules = head.map_or(0, |head| head.rules_position);
    let entry = NewEntry {
        id: Uuid::now_v7(),
        kind: EntryKind::Access,
        source: "tonghop".into(),
        idempotency_key: Uuid::now_v7().to_string(),
        content: Content::new("application/x-protobuf", record.clone()),
        skeleton: None,
        record: record.into(),
        figures: 0,
        received_at: Timestamp::UNIX_EPOCH,
        note: String::new(),
        actor: "test".into(),
        premise: Premise::Rules(rules),
        trace_parent: String::new(),
    };
    match ledger.append(vec![entry]).await.expect("it is appended").remove(0) {
        Appended::New(receipt) => receipt.position,
        other => panic!("{other:?}"),
    }
}

fn listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

async fn filled(options: &UpOptions) -> i64 {
    let open = up::start(options.clone()).await.expect("it starts");
    let api = Api::new(format!("http://{}", open.address), open.channel());
    api.load("registry", tables(), false).await.expect("a registry");
    let position = api.push_json("a secret of the pushing system", &figures()).await;
    position.expect(201);
    api.wait(position.position()).await;
    open.stop().await;
    position.position()
}

/// Gives everyone their key, the reader of everything last: whom that one is known to, all are.
async fn give_keys(ledger: &Ledger) {
    let (last, others): (Vec<Asking>, Vec<Asking>) =
        Asking::ALL.into_iter().partition(|asking| *asking == Asking::ReaderOfAll);
    for issued in others.into_iter().filter_map(Asking::issued) {
        append(ledger, Change::Issued(issued)).await;
    }
    let revoked = issue(&Asking::Revoked.random()).key;
    append(ledger, Change::Revoked(KeyRevoked { key: revoked })).await;
    for issued in last.into_iter().filter_map(Asking::issued) {
        append(ledger, Change::Issued(issued)).await;
    }
}

fn files(directory: &Path) -> String {
    format!("sqlite://{}", directory.join("ledger.sqlite").display())
}

impl Keyed {
    async fn start(access: Access) -> Keyed {
        let data = tempfile::tempdir().expect("a directory");
        let options = UpOptions::new(data.path(), listen());
        filled(&options).await;
        let ledger = Ledger::open(&files(data.path())).await.expect("the ledger");
        give_keys(&ledger).await;
        let running = up::start(UpOptions { access, ..options }).await.expect("it starts");
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.build().expect("a client");
        let base = format!("http://{}", running.address);
        let keyed = Keyed { running, http, base, ledger, _data: data };
        keyed.until(Asking::ReaderOfAll, 200).await;
        keyed
    }

    /// Waits until somebody is answered so.
    async fn until(&self, asking: Asking, status: u16) {
        let begun = Instant::now();
        let question = [("indicator", INTERNAL), ("unit", "VN"), ("period", "2024-Q1")];
        while self.get(asking, "/v1/totals", &question).await.status() != status {
            assert!(begun.elapsed() < PATIENCE, "{asking:?} is never answered with {status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn get(&self, asking: Asking, path: &str, parameters: &[(&str, &str)]) -> reqwest::Response {
        self.get_with(asking, path, parameters, &[]).await
    }

    async fn get_with(
        &self,
        asking: Asking,
        path: &str,
        parameters: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> reqwest::Response {
        let url =
            reqwest::Url::parse_with_params(&format!("{}{path}", self.base), parameters).expect("a URL");
        let mut request = self.http.get(url);
        if let Some(key) = asking.key() {
            request = request.bearer_auth(key);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer")
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(self.base.clone()).expect("a URL").connect().await.expect("the port")
    }

    /// The first part of an answer's body: all of it, but of a stream.
    async fn body(answer: reqwest::Response) -> String {
        if answer
            .headers()
            .get("content-type")
            .is_some_and(|t| t.as_bytes().starts_with(b"text/event-stream"))
        {
            return String::new();
        }
        String::from_utf8_lossy(&answer.bytes().await.expect("a body")).into_owned()
    }

    async fn stop(self) {
        self.ledger.close().await.expect("closed");
        self.running.stop().await;
    }
}

/// That nothing of what is internal stands in a text.
#[track_caller]
fn says_nothing(text: &str, about: &str) {
    for secret in VALUES.iter().map(|(_, value)| *value).chain([NATION]) {
        assert!(!text.contains(secret), "{about}: {secret} stands in {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_operation_decides_the_same_over_both_transports_for_whoever_asks() {
    let keyed = Keyed::start(Access::Keys).await;
    let channel = keyed.channel().await;
    for operation in &OPERATIONS {
        for asking in Asking::ALL {
            for indicator in [INTERNAL, RATIO, PUBLIC] {
                for unit in ["06", "01", "VN"] {
                    let about = format!("{} {asking:?} {indicator} {unit}", operation.name);
                    let right = Decision::right(asking, indicator, unit, operation);
                    for path in operation.rest {
                        let parameters = match operation.is_public {
                            true => vec![],
                            false => vec![("indicator", indicator), ("unit", unit), ("period", "2024-Q1")],
                        };
                        let parameters: Vec<_> = match *path {
                            "/v1/watch" => {
                                parameters.into_iter().filter(|(name, _)| *name != "period").collect()
                            }
                            _ => parameters,
                        };
                        let answer = keyed.get(asking, path, &parameters).await;
                        let decision = Decision::of_status(answer.status().as_u16());
                        assert_eq!(decision, right, "{path} {about}");
                        let challenged = answer.headers().contains_key(WWW_AUTHENTICATE);
                        assert_eq!(challenged, right == Decision::SayWhoYouAre, "{path} {about}");
                        let body = Keyed::body(answer).await;
                        if right != Decision::Answered {
                            says_nothing(&body, &about);
                            assert!(!body.contains("Bắc Kạn") && !body.contains("Hà Nội"), "{about}: {body}");
                        }
                    }
                    if operation.name.is_empty() {
                        continue;
                    }
                    let called = over_grpc(channel.clone(), operation.name, asking, indicator, unit).await;
                    let code = called.as_ref().err().map_or(Code::Ok, Status::code);
                    assert_eq!(Decision::of_code(code), right, "gRPC {about}: {called:?}");
                    if let Err(status) = called {
                        says_nothing(status.message(), &about);
                        assert!(!status.message().contains("Bắc Kạn"), "{about}");
                    }
                }
            }
        }
    }
    keyed.stop().await;
}

#[test]
fn no_operation_of_query_is_forgotten() {
    let descriptors =
        prost_types::FileDescriptorSet::decode(tonghop_proto::DESCRIPTORS).expect("descriptors");
    let files = descriptors.file.iter().filter(|file| file.package() == "tonghop.query.v1");
    let methods = files.flat_map(|file| &file.service).flat_map(|service| &service.method);
    let mut there: Vec<&str> = methods.map(|method| method.name()).collect();
    let mut known: Vec<&str> = OPERATIONS.iter().map(|o| o.name).filter(|name| !name.is_empty()).collect();
    // That of reports is among those of everybody (`access_matrix.rs`): it takes a role, whatever is internal.
    there.retain(|name| *name != "GetCompliance");
    there.sort_unstable();
    known.sort_unstable();
    assert_eq!(there, known);
    let document: Value = serde_json::from_str(&tonghop_rest::document::text()).expect("JSON");
    let of_others =
        ["/v1/submissions", "/v1/units", "/v1/map", "/v1/indicators", "/v1/dimensions", "/v1/programmes"];
    for path in document["paths"].as_object().expect("paths").keys().filter(|path| path.starts_with("/v1/")) {
        let is_exported = path.starts_with("/v1/export/");
        let is_here = OPERATIONS.iter().any(|operation| operation.rest.contains(&path.as_str()));
        let is_others = of_others.iter().any(|other| path.starts_with(other))
            || ["/v1/keys", "/v1/audit", "/v1/reports", "/v1/compliance", "/v1/periods", "/v1/regimes"]
                .iter()
                .any(|other| path.starts_with(other));
        assert!(is_exported || is_here || is_others, "{path} is asked for by nobody here");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn among_many_that_nobody_named_what_is_internal_is_left_out() {
    let keyed = Keyed::start(Access::Keys).await;
    let named = async |asking: Asking, path: &str, parameters: &[(&str, &str)]| {
        let answer = keyed.get(asking, path, parameters).await;
        assert_eq!(answer.status(), 200, "{asking:?} {path} {parameters:?}");
        let body = Keyed::body(answer).await;
        (body.contains(INTERNAL) || body.contains(VALUES[0].1), body)
    };
    let there = [("unit", "06"), ("period", "2024-Q1")];
    let nation = [("unit", "VN"), ("period", "2024-Q1")];
    let programme = [("unit", "06"), ("period", "2024-Q1"), ("programme", "CTPH-07")];
    let all: [(&str, Vec<(&str, &str)>); 7] = [
        ("/v1/totals", [&there[..], &[("by", "indicators")]].concat()),
        ("/v1/totals", [&programme[..], &[("limit", "1000")]].concat()),
        ("/v1/export/totals.csv", programme.to_vec()),
        ("/v1/export/figures.json", programme.to_vec()),
        ("/v1/export/figures.csv", [&there[..], &[("below", "true")]].concat()),
        ("/", programme.to_vec()),
        ("/unit", [&there[..], &[("programme", "CTPH-07")]].concat()),
    ];
    for (path, parameters) in &all {
        for asking in [Asking::Anonymous, Asking::Reporter, Asking::Administrator] {
            let (has, body) = named(asking, path, parameters).await;
            assert!(!has, "{asking:?} {path}: {body}");
            says_nothing(&body, path);
        }
        for asking in [Asking::ReaderThere, Asking::ReaderOfAll] {
            let (has, body) = named(asking, path, parameters).await;
            assert!(has, "{asking:?} {path}: {body}");
        }
    }
    // Whose key holds for one province hears nothing of the nation's total.
    let by_indicators = [&nation[..], &[("by", "indicators")]].concat();
    let (has, body) = named(Asking::ReaderThere, "/v1/totals", &by_indicators).await;
    assert!(!has, "{body}");
    says_nothing(&body, "the nation");
    let count =
        |body: &str| serde_json::from_str::<Value>(body).expect("JSON")["count"].as_u64().expect("a count");
    let (_, whole) = named(Asking::ReaderOfAll, "/v1/totals", &by_indicators).await;
    assert_eq!(count(&body) + 2, count(&whole), "the indicator and its ratio");
    // Nor of it by what stands beside a total of their own.
    let beside = [
        ("indicator", INTERNAL),
        ("unit", "06"),
        ("period", "2024-Q1"),
        ("share", "nation"),
        ("rank", "true"),
    ];
    let (_, body) = named(Asking::ReaderThere, "/v1/totals", &beside).await;
    let total = &serde_json::from_str::<Value>(&body).expect("JSON")["totals"][0];
    assert_eq!((&total["value"], &total["share"]["of"]), (&json!(VALUES[0].1), &Value::Null), "{total}");
    assert_eq!(total["share"]["not_comparable"], "not_permitted");
    assert_eq!(total["rank"]["place"], Value::Null, "{total}");
    let (_, body) = named(Asking::ReaderOfAll, "/v1/totals", &beside).await;
    let total = &serde_json::from_str::<Value>(&body).expect("JSON")["totals"][0];
    assert_eq!((&total["share"]["of"], &total["rank"]["place"]), (&json!(NATION), &json!(2)), "{total}");
    // One of several that are named refuses them all.
    let several = [("indicator", "tg02,tg06"), ("unit", "06"), ("period", "2024-Q1")];
    assert_eq!(keyed.get(Asking::Reporter, "/v1/totals", &several).await.status(), 403);
    // What is restated to a unit is theirs who may read all that it goes back to.
    let restated = [("indicator", INTERNAL), ("unit", "19"), ("period", "2024-Q1"), ("map", "2025-07-01")];
    assert_eq!(keyed.get(Asking::ReaderThere, "/v1/totals", &restated).await.status(), 403);
    assert_eq!(keyed.get(Asking::ReaderOfAll, "/v1/totals", &restated).await.status(), 200);
    // The catalogue is public.
    let catalogue = keyed.get(Asking::Anonymous, "/v1/indicators", &[("limit", "1000")]).await;
    let catalogue: Value = serde_json::from_str(&Keyed::body(catalogue).await).expect("JSON");
    let all = catalogue["indicators"].as_array().expect("indicators");
    let entry = all.iter().find(|indicator| indicator["code"] == INTERNAL).expect("the entry");
    assert_eq!(entry["sensitivity"], "internal");
    keyed.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_kept_for_one_is_not_given_to_another() {
    let keyed = Keyed::start(Access::Keys).await;
    let question = [("unit", "06"), ("period", "2024-Q1"), ("programme", "CTPH-07")];
    // Both orders, again and again: whatever is kept meanwhile.
    let orders = [[Asking::Anonymous, Asking::ReaderThere], [Asking::ReaderThere, Asking::Anonymous]];
    let mut tags = [String::new(), String::new()];
    for asking in orders.into_iter().cycle().take(8).flatten() {
        let answer = keyed.get(asking, "/v1/totals", &question).await;
        assert_eq!(answer.status(), 200);
        let headers = answer.headers().clone();
        let vary: Vec<_> = headers.get_all(VARY).iter().collect();
        assert!(vary.iter().any(|v| v.as_bytes().eq_ignore_ascii_case(b"authorization")), "{vary:?}");
        let reads = asking == Asking::ReaderThere;
        let private = headers.get(CACHE_CONTROL).is_some_and(|v| v.as_bytes().starts_with(b"private"));
        assert_eq!(private, reads, "{headers:?}");
        tags[usize::from(reads)] = headers[ETAG].to_str().expect("text").to_owned();
        let body = Keyed::body(answer).await;
        assert_eq!(body.contains(INTERNAL), reads, "{asking:?}: {body}");
    }
    assert_ne!(tags[0], tags[1]);
    for (asking, tag, status) in [
        (Asking::Anonymous, &tags[1], 200),
        (Asking::Anonymous, &tags[0], 304),
        (Asking::ReaderThere, &tags[0], 200),
        (Asking::ReaderThere, &tags[1], 304),
    ] {
        let answer = keyed.get_with(asking, "/v1/totals", &question, &[("if-none-match", tag)]).await;
        assert_eq!(answer.status(), status, "{asking:?}");
    }
    // Nor is that an internal one is unchanged.
    let named = [("indicator", INTERNAL), ("unit", "06"), ("period", "2024-Q1")];
    let answer = keyed.get(Asking::ReaderThere, "/v1/totals", &named).await;
    let tag = answer.headers()[ETAG].to_str().expect("text").to_owned();
    for _ in 0..2 {
        let answer =
            keyed.get_with(Asking::Anonymous, "/v1/totals", &named, &[("if-none-match", &tag)]).await;
        assert_eq!(answer.status(), 401);
        let answer =
            keyed.get_with(Asking::ReaderThere, "/v1/totals", &named, &[("if-none-match", &tag)]).await;
        assert_eq!(answer.status(), 304);
    }
    keyed.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_not_for_the_reader_does_not_reach_them_as_it_changes() {
    let keyed = Keyed::start(Access::Keys).await;
    let mut client = QueryServiceClient::new(keyed.channel().await);
    let everything = pb::WatchRequest { from: Some(1), ..Default::default() };
    for (asking, hears) in
        [(Asking::Anonymous, false), (Asking::ReaderThere, true), (Asking::ReaderOfAll, true)]
    {
        let stream = client.watch(call(asking, everything.clone())).await.expect("a stream").into_inner();
        let first = { stream }.next().await.expect("a message").expect("no failure");
        let all: Vec<&str> = first.changes.iter().map(|change| change.indicator.as_str()).collect();
        assert!(all.contains(&PUBLIC), "{first:?}");
        assert_eq!(all.contains(&INTERNAL), hears, "{asking:?}: {first:?}");
        assert_eq!(first.changed.iter().any(|series| series.contains("tg06")), hears, "{first:?}");
    }
    // Whoever reads one province hears of that one only.
    let elsewhere = pb::WatchRequest { from: Some(1), unit: "01".into(), ..Default::default() };
    let stream = client.watch(call(Asking::ReaderThere, elsewhere)).await.expect("a stream").into_inner();
    let first = { stream }.next().await.expect("a message").expect("no failure");
    assert!(first.changes.iter().all(|change| change.indicator != INTERNAL), "{first:?}");
    keyed.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn figures_do_not_say_what_is_the_pushing_systems_own() {
    let keyed = Keyed::start(Access::Keys).await;
    let question = [("indicator", PUBLIC), ("unit", "06"), ("period", "2024-Q1")];
    for path in
        ["/v1/figures", "/v1/totals/explain", "/v1/totals/tree", "/v1/export/figures.json", "/explain"]
    {
        for asking in [Asking::Anonymous, Asking::ReaderOfAll] {
            let answer = keyed.get(asking, path, &question).await;
            assert_eq!(answer.status(), 200, "{path}");
            let body = Keyed::body(answer).await;
            for hidden in ["a secret of the pushing system", "a remark for the ministry"] {
                assert!(!body.contains(hidden), "{path}: {body}");
            }
        }
    }
    keyed.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_browser_signs_in_with_a_key_as_the_password() {
    let keyed = Keyed::start(Access::Keys).await;
    let view = "/unit?unit=06&period=2024-Q1";
    let anonymous = keyed.get(Asking::Anonymous, "/unit", &[("unit", "06"), ("period", "2024-Q1")]).await;
    let body = Keyed::body(anonymous).await;
    assert!(body.contains("/sign-in?back="), "the page offers it: {body}");
    let asked = keyed.get(Asking::Anonymous, "/sign-in", &[("back", view)]).await;
    assert_eq!(asked.status(), 401);
    assert!(asked.headers()[WWW_AUTHENTICATE].as_bytes().starts_with(b"Basic "));
    let with = async |method: reqwest::Method, path: &str, password: Option<String>| {
        let request = keyed.http.request(method, format!("{}{path}", keyed.base));
        request.basic_auth("anybody", password).send().await.expect("an answer")
    };
    let key = Asking::ReaderThere.key();
    let back = with(reqwest::Method::GET, "/sign-in?back=/unit?unit=06%26period=2024-Q1", key.clone()).await;
    assert_eq!((back.status().as_u16(), back.headers()["location"].as_bytes()), (303, view.as_bytes()));
    let elsewhere = with(reqwest::Method::GET, "/sign-in?back=//evil.example/", key.clone()).await;
    assert_eq!(elsewhere.headers()["location"], "/");
    let internal = format!("/indicator?indicator={INTERNAL}&unit=06&period=2024-Q1");
    let page = with(reqwest::Method::GET, &internal, key.clone()).await;
    assert_eq!(page.status(), 200);
    assert!(page.headers()[CACHE_CONTROL].as_bytes().starts_with(b"private"), "{:?}", page.headers());
    assert!(page.headers()["content-security-policy"].as_bytes().starts_with(b"default-src 'none'"));
    assert!(Keyed::body(page).await.contains("4.106"));
    // A wrong key is asked for again, and nothing but looking is done with one that a browser sends by itself.
    let wrong = with(reqwest::Method::GET, &internal, Some("wrong".into())).await;
    assert_eq!(wrong.status(), 401);
    assert!(wrong.headers()[WWW_AUTHENTICATE].as_bytes().starts_with(b"Basic "));
    let posted = with(reqwest::Method::POST, "/v1/submissions", key).await;
    assert_eq!(posted.status(), 401);
    keyed.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_public_once_is_not_read_by_asking_for_the_past() {
    let data = tempfile::tempdir().expect("a directory");
    let options = UpOptions::new(data.path(), listen());
    let open = up::start(options.clone()).await.expect("it starts");
    let api = Api::new(format!("http://{}", open.address), open.channel());
    // The registry as it was before there was a difference.
    let mut public = tables();
    let text = String::from_utf8(public["indicators.csv"].clone()).expect("text");
    public.insert("indicators.csv".into(), text.replace(",internal,", ",public,").into_bytes());
    api.load("public", public, false).await.expect("a registry");
    let pushed = api.push_json("a", &figures()).await;
    pushed.expect(201);
    let then = pushed.position();
    let internal = api.load("internal", tables(), false).await.expect("a registry").position;
    api.wait(internal).await;
    open.stop().await;
    let keys = up::start(UpOptions { access: Access::Keys, ..options }).await.expect("it starts");
    let api = Api::new(format!("http://{}", keys.address), keys.channel());
    let internal = internal.to_string();
    let public =
        [("indicator", PUBLIC), ("unit", "06"), ("period", "2024-Q1"), ("at_least", internal.as_str())];
    api.get("/v1/totals", &public).await.expect(200);
    let then = then.to_string();
    let question = [("indicator", INTERNAL), ("unit", "06"), ("period", "2024-Q1")];
    for as_of in [None, Some(("as_of", then.as_str()))] {
        let parameters: Vec<_> = question.into_iter().chain(as_of).collect();
        assert_eq!(api.get("/v1/totals", &parameters).await.status, 401, "{as_of:?}");
        let many = [("by", "indicators"), ("unit", "06"), ("period", "2024-Q1")];
        let parameters: Vec<_> = many.into_iter().chain(as_of).collect();
        let answer = api.get("/v1/totals", &parameters).await;
        answer.expect(200);
        says_nothing(&answer.text(), "by=indicators");
    }
    keys.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_closed_system_answers_nobody_without_a_key_but_says_how_it_is() {
    let keyed = Keyed::start(Access::Closed).await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"] {
        assert_eq!(keyed.get(Asking::Anonymous, path, &[]).await.status(), 200, "{path}");
    }
    let question = [("indicator", PUBLIC), ("unit", "06"), ("period", "2024-Q1")];
    for path in ["/v1/totals", "/v1/figures", "/v1/watch", "/v1/reviews", "/v1/units", "/", "/sign-in"] {
        let answer = keyed.get_with(Asking::Anonymous, path, &question, &[("accept", "text/html")]).await;
        assert_eq!(answer.status(), 401, "{path}");
        assert!(
            answer.headers()[WWW_AUTHENTICATE].as_bytes().starts_with(b"Basic "),
            "{path}: a browser can sign in"
        );
        assert_eq!(keyed.get(Asking::Stranger, path, &question).await.status(), 401, "{path}");
    }
    assert_eq!(keyed.get(Asking::Reporter, "/v1/totals", &question).await.status(), 200);
    let code = over_grpc(keyed.channel().await, "GetTotals", Asking::Anonymous, PUBLIC, "06").await;
    assert_eq!(code.expect_err("refused").code(), Code::Unauthenticated);
    keyed.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revoked_key_is_refused_on_every_replica_and_its_streams_end() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let database = postgres.database();
    let options = UpOptions { database: Some(database.url()), ..UpOptions::new("/nowhere", listen()) };
    filled(&options).await;
    let ledger = Ledger::open(&database.url()).await.expect("the ledger");
    give_keys(&ledger).await;
    let keyed = UpOptions { access: Access::Keys, ..options };
    let replicas =
        [up::start(keyed.clone()).await.expect("it starts"), up::start(keyed).await.expect("it starts")];
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let question = "/v1/totals?indicator=tg06&unit=06&period=2024-Q1";
    let status = async |replica: &Running| {
        let request = http.get(format!("http://{}{question}", replica.address));
        let key = Asking::ReaderThere.key().expect("a key");
        request.bearer_auth(key).send().await.expect("an answer").status().as_u16()
    };
    let until = async |wanted: u16| {
        let begun = Instant::now();
        for replica in &replicas {
            while status(replica).await != wanted {
                assert!(begun.elapsed() < PATIENCE, "never answered with {wanted}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    until(200).await;
    let mut streams = vec![];
    for replica in &replicas {
        let channel = Endpoint::from_shared(format!("http://{}", replica.address)).expect("a URL");
        let mut client = QueryServiceClient::new(channel.connect().await.expect("the port"));
        let request =
            call(Asking::ReaderThere, pb::WatchRequest { indicator: INTERNAL.into(), ..Default::default() });
        streams.push(client.watch(request).await.expect("a stream").into_inner());
    }
    let key = issue(&Asking::ReaderThere.random()).key;
    append(&ledger, Change::Revoked(KeyRevoked { key })).await;
    until(401).await;
    for mut stream in streams {
        let ended = tokio::time::timeout(PATIENCE, async {
            loop {
                match stream.message().await {
                    Ok(Some(_)) => {}
                    ended => return ended,
                }
            }
        });
        let ended = ended.await.expect("the stream ends");
        assert_eq!(ended.expect_err("with why").code(), Code::Unauthenticated);
    }
    for replica in replicas {
        replica.stop().await;
    }
    ledger.close().await.expect("closed");
}
