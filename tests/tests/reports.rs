//! Reports from the commune to the ministry: handed in, approved level by level, returned, opened again; what is approved
//! of totals; periods closed for figures; who owes what.

use serde_json::{Value, json};
use tonghop_proto::ingestion::{ActOnReportsRequest, ListReportsRequest};
use tonghop_proto::json;
use tonghop_proto::query::GetComplianceRequest;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::server::{Tables, shipped};
use tonghop_tests::{Api, Reply, Server};

const REGIME: &str = "thang-duyet";

/// The tables that ship, and a regime that is approved from the district to the nation.
fn tables() -> Tables {
    let mut tables = shipped();
    let regimes = tables.get_mut("regimes.csv").expect("regimes ship");
    regimes.extend_from_slice(
        b"thang-duyet,Tu\xe1\xba\xa7n tin,Monthly tips,,tg01|tg02,commune,month,nd09,2020-01-01,,district|province|nation,\
          commune=3|district=5|province=8|nation=12,synthetic\n",
    );
    tables
}

async fn start(on: On) -> Server {
    let server = Server::start_on(on).await;
    let loaded = server.load("with-a-regime", tables(), false).await.expect("it loads");
    assert!(loaded.changes.contains(&"regimes: 1 new, 0 changed, 0 gone".to_owned()), "{:?}", loaded.changes);
    server.wait(loaded.position).await;
    server
}

fn tips(unit: &str, period: &str, scope: &str, value: u32) -> Value {
    json!({ "unit": unit, "indicator": "tg02", "period": period, "scope": scope, "value": value.to_string(),
            "breakdown": { "reporter": "cong-an" } })
}

async fn send(api: &Api, key: &str, body: &Value) -> Reply {
    let headers = [("idempotency-key", key), ("content-type", "application/json")];
    api.post_to("/v1/reports", &headers, body.to_string()).await
}

fn to_do(act: &str, period: &str, more: &Value) -> Value {
    let mut body = json!({ "act": act, "regime": REGIME, "period": period });
    let more = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(more);
    body
}

/// Does something that has to be possible, and waits until readers know. Says where it led.
async fn done(server: &Server, act: &str, period: &str, more: Value) -> Value {
    let key = format!("{}", server.head().await.position);
    let reply = send(server, &key, &to_do(act, period, &more)).await;
    let body = reply.expect(201);
    server.wait(reply.position()).await;
    body["states"].clone()
}

/// Tries something that has to be refused.
async fn refused(server: &Server, status: u16, act: &str, period: &str, more: Value) -> Value {
    let before = server.head().await;
    let reply = send(server, "refused", &to_do(act, period, &more)).await;
    let body = reply.expect(status);
    assert_eq!(server.head().await, before, "nothing was stored");
    body
}

fn led(state: &str, level: Option<&str>, units: u32) -> Value {
    json!([{ "state": state, "level": level, "units": units }])
}

async fn one(server: &Server, parameters: &[(&str, &str)]) -> Value {
    server.get("/v1/totals", parameters).await.expect(200)["totals"][0].clone()
}

/// Value and cells covered, of all figures and of approved ones, and how much of all is approved.
async fn both(server: &Server, unit: &str, period: &str, more: &[(&str, &str)]) -> Value {
    let question = [&[("indicator", "tg02"), ("unit", unit), ("period", period)][..], more].concat();
    let all = one(server, &question).await;
    let approved = one(server, &[&question[..], &[("figures", "approved")]].concat()).await;
    assert_eq!(all["approved"], approved["covered"], "{all}\n{approved}");
    assert_eq!(approved["approved"], approved["covered"]);
    json!([all["value"], all["covered"], approved["value"], approved["covered"]])
}

async fn states(server: &Server, period: &str, unit: &str) -> Vec<(String, Value, Value)> {
    let asked = [("regime", REGIME), ("period", period), ("unit", unit)];
    let body = server.get("/v1/reports", &asked).await.expect(200);
    let all = body["reports"].as_array().expect("reports").clone();
    all.iter()
        .map(|r| (r["state"].as_str().expect("a state").to_owned(), r["awaits"].clone(), r["reason"].clone()))
        .collect()
}

async fn a_report_goes_from_the_commune_to_the_ministry(on: On) {
    let mut server = start(on).await;
    let month = "2024-M05";
    server.report("a", json!([tips("01864", month, "own", 12), tips("01843", month, "own", 5)])).await;
    assert_eq!(both(&server, "VN", month, &[]).await, json!(["17", 2, null, 0]));
    let before = server.head().await.position.to_string();

    // Nothing is approved that was not handed in, and nothing is handed in twice.
    let two = json!({ "units": ["01864", "01843"] });
    let body = refused(&server, 422, "approve", month, two.clone()).await;
    let codes: Vec<&str> =
        body["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["nothing_to_approve"; 2]);
    assert_eq!(done(&server, "submit", month, two.clone()).await, led("submitted", None, 2));
    let body = refused(&server, 422, "submit", month, two.clone()).await;
    assert_eq!(body["findings"][0]["path"], "units[0]");
    assert_eq!(body["findings"][0]["code"], "report_not_open");
    assert!(body["findings"][0]["got"].as_str().unwrap().starts_with("01864: submitted since "));

    // One level after the other.
    let body =
        refused(&server, 422, "approve", month, json!({ "units": ["01864"], "level": "province" })).await;
    assert_eq!(body["findings"][0]["code"], "others_approve_first");
    assert_eq!(done(&server, "approve", month, two.clone()).await, led("approved", Some("district"), 2));
    let body =
        refused(&server, 422, "approve", month, json!({ "units": ["01864"], "level": "district" })).await;
    assert_eq!(body["findings"][0]["code"], "others_approve_first");
    assert_eq!(done(&server, "approve", month, two.clone()).await, led("approved", Some("province"), 2));
    assert_eq!(both(&server, "VN", month, &[]).await, json!(["17", 2, null, 0]), "not by the last");
    assert_eq!(done(&server, "approve", month, two.clone()).await, led("published", None, 2));
    assert_eq!(both(&server, "VN", month, &[]).await, json!(["17", 2, "17", 2]));
    let published = server.head().await.position.to_string();

    // A later revision is not approved, nor is what is new.
    let later = json!([tips("01864", month, "own", 13), tips("01837", month, "own", 100)]);
    server.report("b", later).await;
    assert_eq!(both(&server, "VN", month, &[]).await, json!(["118", 3, "17", 2]));
    assert_eq!(both(&server, "06", "2024-Q2", &[]).await, json!(["118", 3, "17", 2]), "also over time");
    assert_eq!(
        both(&server, "19", month, &[("map", "2025-07-01")]).await,
        json!(["118", 3, "17", 2]),
        "also restated"
    );
    assert_eq!(
        both(&server, "VN", month, &[("as_of", &before)]).await,
        json!(["17", 2, null, 0]),
        "as it was"
    );
    assert_eq!(both(&server, "VN", month, &[("as_of", &published)]).await, json!(["17", 2, "17", 2]));

    // A ratio speaks of approved pairs.
    let more = json!([{ "unit": "01864", "indicator": "tg01", "period": month, "scope": "own", "value": "20",
        "breakdown": { "reporter": "cong-an", "channel": "undivided" } }]);
    server.report("c", more).await;
    let ratio = |figures: &'static str| {
        [("indicator", "tg03"), ("unit", "VN"), ("period", "2024-M05"), ("figures", figures)]
    };
    let all = one(&server, &ratio("all")).await;
    assert_eq!((&all["value"], &all["covered"], &all["approved"]), (&json!("65.00"), &json!(1), &json!(0)));
    assert_eq!(one(&server, &ratio("approved")).await["value"], Value::Null);

    // Given back, with a reason.
    let body = refused(&server, 422, "return", month, json!({ "units": ["01843"] })).await;
    assert_eq!(body["findings"][0]["code"], "missing_field");
    let reason = json!({ "units": ["01843"], "reason": "số liệu chưa khớp" });
    assert_eq!(done(&server, "return", month, reason).await, led("returned", None, 1));
    assert_eq!(both(&server, "VN", month, &[]).await, json!(["118", 3, "12", 1]));
    let expected = [
        ("open".to_owned(), Value::Null, Value::Null),
        ("returned".to_owned(), Value::Null, json!("số liệu chưa khớp")),
    ];
    let all = states(&server, month, "058").await;
    assert!(expected.iter().all(|one| all.contains(one)), "{all:?}");

    // Handed in again, with what stands by then.
    done(&server, "submit", month, json!({ "units": ["01843"] })).await;
    for _ in 0..3 {
        done(&server, "approve", month, json!({ "units": ["01843"] })).await;
    }
    assert_eq!(both(&server, "VN", month, &[]).await, json!(["118", 3, "17", 2]));
    // Opened again, it is approved no more.
    assert_eq!(done(&server, "reopen", month, json!({ "units": ["01864"] })).await, led("open", None, 1));
    assert_eq!(both(&server, "VN", month, &[]).await, json!(["118", 3, "5", 1]));

    // All that happened is kept, with who and when.
    let asked = [("regime", REGIME), ("period", month), ("unit", "01843"), ("history", "true")];
    let body = server.get("/v1/reports", &asked).await.expect(200);
    let history = body["reports"][0]["history"].as_array().unwrap();
    let said: Vec<&str> = history.iter().map(|event| event["state"].as_str().unwrap()).collect();
    let once = ["submitted", "approved", "approved", "published"];
    assert_eq!(said, [&once[..], &["returned"], &once].concat());
    assert!(history.windows(2).all(|w| w[0]["position"].as_i64() < w[1]["position"].as_i64()));

    // It all follows from the ledger.
    server.assert_clean().await;
    server.rebuild().await;
    server.restart(256).await;
    server.assert_clean().await;
    assert_eq!(both(&server, "VN", month, &[]).await, json!(["118", 3, "5", 1]));
    assert_eq!(states(&server, month, "01843").await[0].0, "published");
}

async fn a_map_without_districts_has_no_district_that_approves(on: On) {
    let server = start(on).await;
    let month = "2025-M08";
    server.report("a", json!([tips("01840", month, "own", 4), tips("06994", month, "own", 6)])).await;
    let two = json!({ "units": ["01840", "06994"] });
    assert_eq!(done(&server, "submit", month, two.clone()).await, led("submitted", None, 2));
    assert_eq!(states(&server, month, "01840").await[0].1, "province");
    let body =
        refused(&server, 422, "approve", month, json!({ "units": ["01840"], "level": "district" })).await;
    assert_eq!(body["findings"][0]["code"], "others_approve_first");
    assert_eq!(done(&server, "approve", month, two.clone()).await, led("approved", Some("province"), 2));
    assert_eq!(done(&server, "approve", month, two).await, led("published", None, 2));
    assert_eq!(both(&server, "VN", month, &[]).await, json!(["10", 2, "10", 2]));
    // By child and by month each says how much of it is approved.
    let asked = [
        ("indicator", "tg02"),
        ("unit", "VN"),
        ("period", "2025-M08"),
        ("by", "children"),
        ("figures", "approved"),
    ];
    let body = server.get("/v1/totals", &asked).await.expect(200);
    let totals = body["totals"].as_array().unwrap();
    let covered = totals.iter().filter(|total| total["covered"].as_u64() > Some(0));
    let with_some: Vec<&str> = covered.map(|total| total["unit"]["code"].as_str().unwrap()).collect();
    assert_eq!(with_some, ["19", "22"]);
    // All communes of a province at once, or none of them.
    let below = done(&server, "submit", month, json!({ "below": "24" })).await;
    assert!(below[0]["units"].as_u64() > Some(50), "{below}");
    let body = refused(&server, 422, "submit", month, json!({ "below": "19" })).await;
    assert_eq!(body["findings"].as_array().unwrap().len(), 1, "the one that was handed in: {body}");
    assert_eq!(body["findings"][0]["path"], "below, unit 01840");
}

async fn statements(server: &Server) -> u64 {
    let text = server.get("/metrics", &[]).await.text();
    let read = tonghop_tests::exposition::Exposition::read(&text).expect("metrics");
    let found = read.samples.iter().find(|(name, ..)| name == "tonghop_query_statements_total");
    found.map(|(_, _, value)| *value as u64).expect("the statements of query are counted")
}

/// An indicator that nobody approves says nothing of approvals, and asking costs what it did.
#[tokio::test]
async fn what_nobody_approves_says_nothing_of_approvals() {
    let server = start(On::Sqlite).await;
    // The registry is read once a process.
    one(&server, &[("indicator", "tg04"), ("unit", "06"), ("period", "2024")]).await;
    // tg04 is under the regimes that ship, which have no approvals.
    for (indicator, figures, says) in [
        ("tg04", "all", false),
        ("tg02", "all", true),
        ("tg04", "approved", false),
        ("tg02", "approved", true),
    ] {
        let before = statements(&server).await;
        let asked = [("indicator", indicator), ("unit", "VN"), ("period", "2024"), ("figures", figures)];
        let total = one(&server, &asked).await;
        let took = statements(&server).await - before;
        assert_eq!(total.get("approved").is_some(), says, "{indicator} {figures}: {total}");
        assert_eq!((&total["value"], &total["covered"]), (&Value::Null, &json!(0)), "{total}");
        assert!(
            took <= if says || figures == "approved" { 4 } else { 3 },
            "{indicator} {figures}: {took} statements"
        );
    }
    let asked = [("indicator", "tg02"), ("unit", "VN"), ("period", "2024"), ("figures", "some")];
    assert_eq!(server.get("/v1/totals", &asked).await.codes(), ["unknown_figures"]);
}

/// An answer that is kept is dropped when an approval comes, though no total moved.
#[tokio::test]
async fn an_approval_makes_kept_answers_of_before_useless() {
    let server = start(On::Sqlite).await;
    let month = "2024-M05";
    server.report("a", json!([tips("01864", month, "own", 12)])).await;
    let question = [("indicator", "tg02"), ("unit", "VN"), ("period", month), ("figures", "approved")];
    for _ in 0..3 {
        assert_eq!(one(&server, &question).await["value"], Value::Null);
    }
    done(&server, "submit", month, json!({ "units": ["01864"] })).await;
    for _ in 0..3 {
        assert_eq!(one(&server, &question).await["value"], Value::Null);
        done(&server, "approve", month, json!({ "units": ["01864"] })).await;
    }
    assert_eq!(one(&server, &question).await["value"], "12");
}

#[tokio::test]
async fn an_act_is_done_once_under_its_key() {
    let server = start(On::Sqlite).await;
    let act = to_do("submit", "2024-M05", &json!({ "units": ["01864"] }));
    let first = send(&server, "once", &act).await.expect(201);
    assert_eq!(send(&server, "once", &act).await.expect(200), first);
    let other = to_do("submit", "2024-M05", &json!({ "units": ["01843"] }));
    assert_eq!(send(&server, "once", &other).await.status, 409);
    // Also where what it would do now is something else.
    done(&server, "approve", "2024-M05", json!({ "units": ["01864"] })).await;
    assert_eq!(send(&server, "once", &act).await.expect(200), first);
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_in_words() {
    let server = start(On::Sqlite).await;
    let month = "2024-M05";
    for (status, act, period, more, code) in [
        (400, "applaud", month, json!({ "units": ["01864"] }), "unknown_act"),
        (400, "submit", month, json!({}), "units_or_below"),
        (400, "submit", month, json!({ "units": ["01864"], "below": "06" }), "units_or_below"),
        (400, "submit", "May", json!({ "units": ["01864"] }), "malformed_period"),
        (422, "submit", "2024-Q2", json!({ "units": ["01864"] }), "not_a_period_of_regime"),
        (422, "submit", "2019-M05", json!({ "units": ["01864"] }), "not_a_period_of_regime"),
        (422, "submit", month, json!({ "units": ["99999"] }), "unknown_unit"),
        (422, "submit", month, json!({ "units": ["01840x"] }), "unknown_unit"),
        (422, "submit", month, json!({ "units": ["06"] }), "not_a_reporter"),
        (400, "submit", month, json!({ "units": ["01864"], "level": "nation" }), "not_of_this_act"),
        (422, "approve", month, json!({ "units": ["01864"], "level": "hamlet" }), "unknown_level"),
        (
            400,
            "submit",
            month,
            json!({ "units": ["01864"], "until": "2030-01-01T00:00:00Z" }),
            "not_of_this_act",
        ),
        (422, "open", month, json!({ "units": ["06"], "until": "2020-01-01T00:00:00Z" }), "malformed_time"),
        (422, "open", month, json!({ "units": ["06"] }), "not_closed"),
        (422, "reopen", month, json!({ "units": ["01864"] }), "report_not_submitted"),
        (422, "submit", month, json!({ "units": ["01864"], "reason": "\u{7}" }), "malformed_reason"),
        (413, "submit", month, json!({ "units": vec!["01864"; 10_001] }), "too_many_units"),
    ] {
        let body = refused(&server, status, act, period, more.clone()).await;
        assert_eq!(body["findings"][0]["code"], code, "{act} {period} {more}: {body}");
    }
    let unknown = json!({ "act": "submit", "regime": "none", "period": month, "units": ["01864"] });
    assert_eq!(send(&server, "k", &unknown).await.status, 404);
    assert_eq!(send(&server, "k", &json!({ "act": "submit", "who": "me" })).await.status, 400);
    assert_eq!(send(&server, "", &to_do("submit", month, &json!({ "units": ["01864"] }))).await.status, 400);
}

/// Figures of a closed period are refused, whole or in part, and taken again where it is opened.
async fn a_closed_period_takes_no_figures(on: On) {
    let server = start(on).await;
    let month = "2024-M05";
    let push = async |key: &str, figures: Value| {
        server.push_json(key, &json!({ "source": "test", "figures": figures })).await
    };
    push("before", json!([tips("01864", month, "own", 1)])).await.expect(201);
    assert_eq!(
        done(&server, "close", month, json!({ "below": "06", "reason": "đã chốt" })).await,
        led("closed", None, 1)
    );
    let reply = push("closed", json!([tips("01864", month, "own", 2)])).await;
    reply.expect(422);
    assert_eq!(reply.findings(), [("period_closed".to_owned(), "figures[0]".to_owned())]);
    let said = reply.json()["findings"][0]["expected"].as_str().unwrap().to_owned();
    assert!(said.contains(REGIME) && said.contains("closed at"), "{said}");
    // Also among many that are alike, which are checked by kinds elsewhere.
    let many = json!([
        tips("00001", month, "own", 2),
        tips("01843", month, "own", 2),
        tips("00004", month, "own", 2)
    ]);
    assert_eq!(push("many", many).await.findings(), [("period_closed".to_owned(), "figures[1]".to_owned())]);
    // What is given for the province is closed with it; another period, another province and another indicator are not.
    assert_eq!(push("declared", json!([tips("06", month, "territory", 9)])).await.codes(), ["period_closed"]);
    let others = json!([
        tips("01864", "2024-M04", "own", 2),
        tips("00001", month, "own", 2),
        tips("01864", "2024-Q2", "own", 9)
    ]);
    push("others", others).await.expect(201);
    // What was taken before is answered as it was.
    push("before", json!([tips("01864", month, "own", 1)])).await.expect(200);
    // Handing in goes on: what is closed is for figures.
    done(&server, "submit", month, json!({ "units": ["01864"] })).await;

    refused(&server, 422, "close", month, json!({ "units": ["058"] })).await;
    // Opened for one commune, until a time.
    let until = "2199-01-01T00:00:00Z";
    assert_eq!(
        done(&server, "open", month, json!({ "units": ["01864"], "until": until })).await,
        led("opened", None, 1)
    );
    push("open", json!([tips("01864", month, "own", 3)])).await.expect(201);
    assert_eq!(
        push("others-closed", json!([tips("01843", month, "own", 3)])).await.codes(),
        ["period_closed"]
    );
    // A withdrawal is a figure, too.
    let mut withdrawn = tips("01843", month, "own", 0);
    withdrawn.as_object_mut().unwrap().remove("value");
    withdrawn["withdraw"] = json!(true);
    assert_eq!(push("withdrawn", json!([withdrawn])).await.codes(), ["period_closed"]);
    let asked = [("regime", REGIME), ("period", month), ("unit", "06"), ("limit", "1")];
    let closings = server.get("/v1/reports", &asked).await.expect(200)["closings"].clone();
    let said: Vec<_> = closings
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["unit"].clone(), c["state"].clone(), c["until"].clone()))
        .collect();
    assert_eq!(
        said,
        [(json!("01864"), json!("opened"), json!(until)), (json!("06"), json!("closed"), Value::Null)]
    );
    done(&server, "open", month, json!({ "below": "06" })).await;
    push("all-open", json!([tips("01843", month, "own", 3)])).await.expect(201);
    server.assert_clean().await;
}

on_both!(
    a_report_goes_from_the_commune_to_the_ministry,
    a_map_without_districts_has_no_district_that_approves,
    a_closed_period_takes_no_figures,
);

/// Who owes what, on the day that it is asked.
#[tokio::test]
async fn compliance_says_who_is_late_and_by_how_many_days() {
    let server = start(On::Sqlite).await;
    let month = "2024-M05";
    server.report("a", json!([tips("01864", month, "own", 12), tips("01843", month, "own", 5)])).await;
    done(&server, "submit", month, json!({ "units": ["01864", "01843", "01837"] })).await;
    done(&server, "approve", month, json!({ "units": ["01843"] })).await;
    done(&server, "return", month, json!({ "units": ["01837"], "reason": "thiếu số liệu" })).await;
    let ask = async |more: &[(&str, &str)]| {
        let asked = [&[("regime", REGIME), ("period", month), ("unit", "06")][..], more].concat();
        server.get("/v1/compliance", &asked).await.expect(200)
    };
    let body = ask(&[]).await;
    let total = body["count"].as_u64().unwrap();
    let counts = &body["counts"];
    assert_eq!(
        (&counts["submitted"], &counts["approved"], &counts["returned"], &counts["due"]),
        (&json!(1), &json!(1), &json!(1), &json!(0))
    );
    assert_eq!(counts["late"], total - 3);
    // nd09: May 2024 ends on 14 May; communes have 3 days.
    assert_eq!(body["due"], "2024-05-17");
    let days_since = |day: &str| {
        let on: tonghop_core::Date = body["on"].as_str().unwrap().parse().unwrap();
        let due: tonghop_core::Date = day.parse().unwrap();
        json!(tonghop_core::calendar::day_number(on) - tonghop_core::calendar::day_number(due))
    };
    let of = |code: &str| {
        let units = body["units"].as_array().unwrap();
        units.iter().find(|u| u["unit"]["code"] == code).unwrap().clone()
    };
    let submitted = of("01864");
    assert_eq!((&submitted["awaits"], &submitted["due"]), (&json!("district"), &json!("2024-05-19")));
    assert_eq!(submitted["days_late"], days_since("2024-05-19"));
    assert_eq!((&submitted["indicators_reported"], &submitted["indicators"]), (&json!(1), &json!(2)));
    assert_eq!(of("01843")["awaits"], "province");
    let returned = of("01837");
    assert_eq!((&returned["state"], &returned["reason"]), (&json!("returned"), &json!("thiếu số liệu")));
    assert_eq!(
        (&returned["indicators_reported"], &returned["days_late"]),
        (&json!(0), &days_since("2024-05-17"))
    );
    // Those of one state, page by page.
    let late = ask(&[("state", "late"), ("limit", "100")]).await;
    assert_eq!(late["count"], total - 3);
    let next = late["next"].as_str().unwrap();
    let second = ask(&[("state", "late"), ("limit", "100"), ("cursor", next)]).await;
    assert_eq!(
        late["units"].as_array().unwrap().len() + second["units"].as_array().unwrap().len(),
        (total - 3) as usize
    );
    // Whose approval is waited for.
    let districts = ask(&[("level", "district")]).await;
    assert_eq!((&districts["counts"]["late"], &districts["due"]), (&json!(1), &json!("2024-05-19")));
    let waiting = ask(&[("level", "district"), ("state", "late")]).await["units"][0].clone();
    assert_eq!(
        (&waiting["unit"]["code"], &waiting["waiting"], &waiting["approved"]),
        (&json!("060"), &json!(1), &json!(0))
    );
    let province = ask(&[("level", "province")]).await["units"][0].clone();
    assert_eq!(
        (&province["state"], &province["waiting"], &province["reports"]),
        (&json!("late"), &json!(1), &json!(total))
    );

    // Of a time to come nobody is late.
    let asked = [("regime", REGIME), ("period", "2150-M05"), ("unit", "19")];
    let body = server.get("/v1/compliance", &asked).await.expect(200);
    assert_eq!((&body["counts"]["late"], &body["counts"]["due"]), (&json!(0), &body["count"]));
    assert!(body["units"][0]["days_late"].as_i64() < Some(-40_000), "{}", body["units"][0]);
    for (parameters, code) in [
        ([("regime", REGIME), ("period", "2024"), ("unit", "06")], "not_a_period_of_regime"),
        ([("regime", "none"), ("period", month), ("unit", "06")], "unknown_regime"),
        ([("regime", REGIME), ("period", month), ("unit", "99999")], "unknown_unit"),
        ([("regime", REGIME), ("period", month), ("level", "hamlet")], "unknown_level"),
        ([("regime", REGIME), ("period", month), ("state", "asleep")], "unknown_state"),
        ([("regime", "ctph07-thang"), ("period", month), ("level", "nation")], "no_part_in_regime"),
    ] {
        assert_eq!(server.get("/v1/compliance", &parameters).await.codes(), [code], "{parameters:?}");
    }
}

/// gRPC gives what REST gives.
#[tokio::test]
async fn both_transports_say_the_same() {
    let server = start(On::Sqlite).await;
    let grpc = Api::at(server.base().to_owned());
    let month = "2024-M05";
    let request = ActOnReportsRequest {
        idempotency_key: "k".into(),
        act: "submit".into(),
        regime: REGIME.into(),
        period: month.into(),
        units: vec!["01864".into()],
        ..ActOnReportsRequest::default()
    };
    let acted = grpc.reports().act_on_reports(request.clone()).await.expect("done").into_inner();
    let receipt = acted.receipt.expect("a receipt");
    server.wait(receipt.position).await;
    let body = send(&server, "k", &to_do("submit", month, &json!({ "units": ["01864"] }))).await.expect(200);
    assert_eq!(
        (body["position"].clone(), body["digest"].clone()),
        (json!(receipt.position), json!(receipt.digest))
    );
    let again = grpc.reports().act_on_reports(request.clone()).await.expect("done").into_inner();
    assert!(again.replayed);
    let refused = ActOnReportsRequest { idempotency_key: "l".into(), ..request };
    let status = grpc.reports().act_on_reports(refused).await.expect_err("a refusal");
    assert_eq!(status.code(), tonic::Code::InvalidArgument);

    let listed = ListReportsRequest {
        regime: REGIME.into(),
        period: month.into(),
        unit: "060".into(),
        ..Default::default()
    };
    let listed = grpc.reports().list_reports(listed).await.expect("a list").into_inner();
    let asked = [("regime", REGIME), ("period", month), ("unit", "060")];
    assert_eq!(server.get("/v1/reports", &asked).await.expect(200), json::reports::reports(&listed));
    let owed = GetComplianceRequest {
        regime: REGIME.into(),
        period: month.into(),
        unit: "060".into(),
        ..Default::default()
    };
    let mut owed = grpc.query().get_compliance(owed).await.expect("an answer").into_inner();
    let mut rest = server.get("/v1/compliance", &asked).await.expect(200);
    owed.as_of.as_mut().expect("as of").stale_seconds = None;
    rest["as_of"].as_object_mut().expect("as of").remove("stale_seconds");
    assert_eq!(rest, json::reports::compliance(&owed));
    let regimes = server.get("/v1/regimes", &[]).await.expect(200);
    let codes: Vec<&str> =
        regimes["regimes"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["ctph07-6-thang", "ctph07-nam", "ctph07-quy", "ctph07-thang", REGIME]);
}
