//! Maps over the public API: what became of units, codes that mean another unit at another time, and reforms that
//! are loaded as rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tonghop_proto::query as pbq;
use tonghop_proto::registry as pb;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::gazetteer::{Row, rows};
use tonghop_tests::server::{Tables, shipped};
use tonghop_tests::{Reply, Server};
use tonic::{Code, Status};
use tonic_types::StatusExt;

on_both! {
    the_changes_of_2026_load_as_a_reform_and_are_what_ships,
    a_reform_that_would_leave_figures_without_their_unit_names_them_until_they_are_withdrawn,
    a_reform_with_mistakes_is_refused_with_all_of_them_and_changes_nothing,
}

const BEFORE: &str = "2025-06-30";
const AFTER: &str = "2025-07-01";

fn texts(value: &Value, key: &str) -> Vec<String> {
    let all = value.as_array().unwrap_or_else(|| panic!("no list: {value}"));
    all.iter().map(|v| v[key].as_str().unwrap_or_else(|| panic!("no {key}: {v}")).to_owned()).collect()
}

/// Code and name of the units of parts, with their shares.
fn parts(value: &Value) -> Vec<String> {
    let all = value.as_array().unwrap_or_else(|| panic!("no list: {value}"));
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    all.iter()
        .map(|p| format!("{} {} {}", text(&p["unit"]["code"]), text(&p["unit"]["name"]), text(&p["share"])))
        .collect()
}

/// All pages of a list.
async fn pages(server: &Server, path: &str, parameters: &[(&str, &str)], key: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (vec![], String::new());
    loop {
        let mut asked = parameters.to_vec();
        asked.push(("cursor", &cursor));
        let body = server.get(path, &asked).await.expect(200);
        all.extend(body[key].as_array().unwrap().clone());
        match body["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return all,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_every_unit_on_1_july_2025_is_listed_both_ways() {
    let server = Server::start().await;
    let asked = [("from", BEFORE), ("to", AFTER)];
    let diff = server.get("/v1/map/diff", &asked).await.expect(200);
    let counts = |level: &str| {
        let of = diff["levels"].as_array().unwrap().iter().find(|l| l["level"] == level).unwrap().clone();
        let n = |key: &str| of[key].as_u64().unwrap();
        ["before", "after", "unchanged", "went_on", "ended", "divided", "began", "codes_reused"].map(n)
    };
    assert_eq!(counts("nation"), [1, 1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(counts("province"), [63, 34, 11, 0, 52, 0, 23, 23]);
    // Five island districts went on as communes.
    assert_eq!(counts("district"), [696, 0, 0, 5, 691, 0, 0, 0]);
    assert_eq!(counts("commune"), [10_035, 3_321, 0, 132, 9_903, 441, 3_184, 3_184]);

    // Every unit with all its parts, against the tables themselves.
    let units = pages(&server, "/v1/map/diff", &asked, "units").await;
    assert_eq!(units.len(), 52 + 23 + 696 + 10_035 + 3_184);
    let tables = shipped();
    let (mut became, mut made_of): (BTreeMap<String, BTreeSet<_>>, BTreeMap<String, BTreeSet<_>>) =
        Default::default();
    for link in rows(&tables["successions.csv"]) {
        became.entry(link["from_code"].clone()).or_default().insert((link["to_code"].clone(), share(&link)));
        made_of.entry(link["to_code"].clone()).or_default().insert((link["from_code"].clone(), share(&link)));
    }
    for change in &units {
        let code = change["unit"]["code"].as_str().unwrap();
        let (key, known) = match change["change"].as_str().unwrap() {
            "ended" | "went_on" => ("became", &became),
            "began" => ("made_of", &made_of),
            other => panic!("{other}: {change}"),
        };
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let told = change[key].as_array().unwrap().iter();
        let told: BTreeSet<_> = told.map(|p| (text(&p["unit"]["code"]), text(&p["share"]))).collect();
        assert_eq!(told, known.get(code).cloned().unwrap_or_default(), "{change}");
    }
}

fn share(link: &Row) -> String {
    link["share"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_is_followed_both_ways_and_its_code_with_it() {
    let server = Server::start().await;
    let of = async |unit: &str| {
        let asked = [("from", BEFORE), ("to", AFTER), ("unit", unit)];
        let diff = server.get("/v1/map/diff", &asked).await.expect(200);
        diff["units"].as_array().unwrap().clone()
    };
    let bac_kan = of("06").await;
    assert_eq!(texts(&json!(bac_kan), "change"), ["ended"]);
    assert_eq!(parts(&bac_kan[0]["became"]), ["19 Tỉnh Thái Nguyên 1"]);
    assert_eq!(bac_kan[0].get("same_code"), None);
    let thai_nguyen = of("19").await;
    assert_eq!(texts(&json!(thai_nguyen), "change"), ["ended", "began"]);
    assert_eq!(parts(&thai_nguyen[1]["made_of"]), ["06 Tỉnh Bắc Kạn 1", "19 Tỉnh Thái Nguyên 1"]);
    let reused = of("24").await;
    assert_eq!(reused[0]["unit"]["name"], "Tỉnh Bắc Giang");
    assert_eq!(reused[0]["same_code"]["name"], "Tỉnh Bắc Ninh");
    assert_eq!(reused[1]["unit"]["name"], "Tỉnh Bắc Ninh");
    assert_eq!(reused[1]["same_code"]["name"], "Tỉnh Bắc Giang");
    assert_eq!(parts(&reused[1]["made_of"]), ["24 Tỉnh Bắc Giang 1", "27 Tỉnh Bắc Ninh 1"]);

    let history = server.get("/v1/units/19/history", &[("date", "2026-01-01")]).await.expect(200);
    assert_eq!(history["unit"]["valid_from"], AFTER);
    assert_eq!(parts(&history["made_of"]), ["06 Tỉnh Bắc Kạn 1", "19 Tỉnh Thái Nguyên 1"]);
    assert_eq!((&history["became"], &history["made_of"][0]["basis"]), (&json!([]), &json!("whole")));
    assert_eq!(texts(&history["same_code"], "valid_to"), [AFTER]);
    let history = server.get("/v1/units/06/history", &[("date", BEFORE)]).await.expect(200);
    assert_eq!(parts(&history["became"]), ["19 Tỉnh Thái Nguyên 1"]);
    assert_eq!(history["became"][0]["date"], AFTER);
    let city = server.get("/v1/units/24/history", &[("date", "2026-01-01")]).await.expect(200);
    assert_eq!(city["unit"]["name"], "Tỉnh Bắc Ninh");
    assert_eq!(texts(&city["stages"], "name"), ["Tỉnh Bắc Ninh", "Thành phố Bắc Ninh"]);

    // The same over gRPC.
    let request = pb::DiffMapsRequest {
        from: BEFORE.into(),
        to: AFTER.into(),
        code: "24".into(),
        page_size: 1,
        ..pb::DiffMapsRequest::default()
    };
    let page = server.registry().diff_maps(request.clone()).await.unwrap().into_inner();
    assert_eq!(tonghop_proto::json::maps::unit_change(&page.units[0]), reused[0]);
    let request = pb::DiffMapsRequest { page_token: page.next_page_token, ..request };
    let page = server.registry().diff_maps(request).await.unwrap().into_inner();
    assert_eq!(tonghop_proto::json::maps::unit_change(&page.units[0]), reused[1]);
    assert_eq!(page.next_page_token, "");
    let request = pb::GetUnitHistoryRequest { code: "24".into(), date: "2026-01-01".into() };
    let told = server.registry().get_unit_history(request).await.unwrap().into_inner();
    assert_eq!(tonghop_proto::json::maps::history(&told), city);
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_listed_as_they_are_on_a_day() {
    let server = Server::start().await;
    let units = async |asked: &[(&str, &str)]| pages(&server, "/v1/units", asked, "units").await;
    let names = |units: &[Value]| texts(&json!(units), "name");
    assert_eq!(units(&[("date", BEFORE), ("level", "province")]).await.len(), 63);
    assert_eq!(units(&[("date", AFTER), ("level", "province")]).await.len(), 34);
    assert_eq!(units(&[("date", BEFORE)]).await.len(), 1 + 63 + 696 + 10_035);
    assert_eq!(units(&[("date", AFTER)]).await.len(), 1 + 34 + 3_321);
    // Under the code 24 there are Bắc Giang's districts, then Bắc Ninh's communes.
    let before = units(&[("date", BEFORE), ("parent", "24")]).await;
    assert!(before.iter().all(|u| u["level"] == "district"), "{before:?}");
    let after = units(&[("date", AFTER), ("parent", "24")]).await;
    assert!(after.len() > 50 && after.iter().all(|u| u["level"] == "commune"), "{after:?}");
    for (day, name) in [
        (BEFORE, "Tỉnh Bắc Giang"),
        (AFTER, "Tỉnh Bắc Ninh"),
        ("2026-08-23", "Tỉnh Bắc Ninh"),
        ("2026-08-24", "Thành phố Bắc Ninh"),
    ] {
        assert_eq!(names(&units(&[("date", day), ("code", "24")]).await), [name], "{day}");
    }
    let ever = units(&[("code", "24")]).await;
    assert_eq!(names(&ever), ["Tỉnh Bắc Giang", "Tỉnh Bắc Ninh", "Thành phố Bắc Ninh"]);
}

/// A code, a period, and what is said of it; nothing where it is good.
const WRONG_TIMES: [(&str, &str, Option<&str>); 8] = [
    (
        "06",
        "2025-M07",
        Some("06 was Tỉnh Bắc Kạn until 2025-06-30; from 2025-07-01 its territory is 19 Tỉnh Thái Nguyên"),
    ),
    ("06", "2025-M06", None),
    (
        "27",
        "2025",
        Some("27 was Tỉnh Bắc Ninh until 2025-06-30; from 2025-07-01 its territory is 24 Tỉnh Bắc Ninh"),
    ),
    (
        "27",
        "2026",
        Some("27 was Tỉnh Bắc Ninh until 2025-06-30; from 2025-07-01 its territory is 24 Thành phố Bắc Ninh"),
    ),
    ("27", "2025-H1", None),
    ("24", "2025-H1", None),
    ("24", "2025", None),
    ("058", "2025", Some("058 was Thành phố Bắc Kạn until 2025-06-30 and has no successor")),
];

fn hints(reply: &Reply) -> Vec<String> {
    texts(&reply.json()["findings"], "hint")
}

/// Refused, and with what is said; or good, whatever the answer is.
fn as_told(place: &str, told: Option<&str>, refused: Option<String>) {
    match (told, refused) {
        (None, None) => {}
        (Some(told), Some(refused)) => assert!(refused.contains(told), "{place}: {refused}"),
        (told, refused) => panic!("{place}: expected {told:?}, got {refused:?}"),
    }
}

fn violations(status: &Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let all = status.get_details_bad_request().unwrap().field_violations;
    all.iter().map(|v| v.description.clone()).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_a_code_enters_its_period_decides_and_the_wrong_time_is_refused_with_the_right_code() {
    let server = Server::start().await;
    let head = server.head().await;
    for (unit, period, told) in WRONG_TIMES {
        let at = |place: &str| format!("{place}, {unit} {period}");
        let asked = [("indicator", "tg02"), ("unit", unit), ("period", period)];
        for path in ["/v1/totals", "/v1/totals/explain", "/v1/figures", "/v1/coverage"] {
            let reply = server.get(path, &asked).await;
            let refused = (reply.status != 200).then(|| hints(&reply).join("; "));
            as_told(&at(path), told, refused);
        }
        let question = pbq::GetTotalsRequest {
            indicator: "tg02".into(),
            unit: unit.into(),
            period: period.into(),
            ..pbq::GetTotalsRequest::default()
        };
        let refused = server.query().get_totals(question).await.err().map(|s| violations(&s));
        as_told(&at("gRPC GetTotals"), told, refused);

        let figure = json!({ "unit": unit, "indicator": "tg02", "period": period, "scope": "territory",
                             "value": "1", "breakdown": { "reporter": "cong-an" } });
        let document = json!({ "source": "test", "figures": [figure] }).to_string();
        let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
        let reply = server.post(&[("dry_run", "true")], &headers, document.clone()).await;
        as_told(&at("JSON"), told, (reply.status != 200).then(|| hints(&reply).join("; ")));
        let table = format!(
            "unit_code,indicator,breakdown,period,scope,value,qualifier,not_available_reason,programme\n\
             {unit},tg02,reporter=cong-an,{period},territory,1,,,\n"
        );
        let headers = [("idempotency-key", "k"), ("content-type", "text/csv")];
        let reply = server.post(&[("dry_run", "true"), ("source", "test")], &headers, table).await;
        as_told(&at("CSV"), told, (reply.status != 200).then(|| hints(&reply).join("; ")));
        let submission = tonghop_proto::ingestion::SubmitRequest {
            source: "test".into(),
            idempotency_key: "k".into(),
            dry_run: true,
            document: Some(tonghop_proto::ingestion::Document {
                media_type: "application/json".into(),
                content: document.into_bytes(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let refused = server.ingestion().submit(submission).await.err().map(|s| violations(&s));
        as_told(&at("gRPC Submit"), told, refused);
    }
    assert_eq!(server.head().await, head, "nothing was stored");
    // Which unit a good code is.
    for (period, name) in [
        ("2025-M06", "Tỉnh Bắc Giang"),
        ("2025-M07", "Tỉnh Bắc Ninh"),
        ("2025", "Tỉnh Bắc Ninh"),
        ("2026", "Thành phố Bắc Ninh"),
    ] {
        assert_eq!(server.total("tg02", "24", period, "").await["unit"]["name"], name, "{period}");
    }
}

/// Path, parameters, status, and the finding's code and hint.
type Case = (&'static str, &'static [(&'static str, &'static str)], u16, &'static str, &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_the_map_with_a_mistake_is_refused_with_what_to_do() {
    let server = Server::start().await;
    let gone = "06 was Tỉnh Bắc Kạn until 2025-06-30; from 2025-07-01 its territory is 19 Tỉnh Thái Nguyên";
    let cases: [Case; 15] = [
        ("/v1/units", &[("date", "1/7/2025")], 400, "malformed_date", "year-month-day"),
        ("/v1/units", &[("date", "2025-02-30")], 400, "malformed_date", "year-month-day"),
        ("/v1/units", &[("level", "village")], 404, "unknown_level", "leave it out"),
        ("/v1/units", &[("date", "2026-01-01"), ("parent", "06")], 422, "unit_not_in_force", gone),
        ("/v1/units", &[("date", "2026-01-01"), ("code", "06")], 422, "unit_not_in_force", gone),
        ("/v1/units", &[("code", "9999999")], 404, "unknown_unit", "GET /v1/units"),
        ("/v1/units", &[("parent", "")], 200, "", ""),
        ("/v1/map/diff", &[], 400, "missing_field", "the earlier day"),
        ("/v1/map/diff", &[("from", "2025"), ("to", AFTER)], 400, "malformed_date", "year-month-day"),
        (
            "/v1/map/diff",
            &[("from", AFTER), ("to", BEFORE)],
            422,
            "dates_out_of_order",
            "earlier day as from",
        ),
        ("/v1/map/diff", &[("from", BEFORE), ("to", AFTER), ("unit", "99")], 404, "unknown_unit", "GET"),
        (
            "/v1/map/diff",
            &[("from", AFTER), ("to", "2026-01-01"), ("unit", "06")],
            422,
            "unit_not_in_force",
            gone,
        ),
        ("/v1/units/06/history", &[("date", "2026-01-01")], 422, "unit_not_in_force", gone),
        ("/v1/units/9999/history", &[], 404, "unknown_unit", "GET /v1/units"),
        ("/v1/units/06/history", &[("date", "soon")], 400, "malformed_date", "year-month-day"),
    ];
    for (path, asked, status, code, hint) in cases {
        let reply = server.get(path, asked).await;
        assert_eq!(reply.status, status, "{path} {asked:?}: {}", reply.text());
        if status != 200 {
            assert_eq!(reply.codes(), [code], "{path} {asked:?}");
            assert!(hints(&reply)[0].contains(hint), "{path} {asked:?}: {}", reply.text());
        }
    }
    let long = "0".repeat(10_000);
    assert_eq!(server.get("/v1/units", &[("code", &long)]).await.codes(), ["text_too_long"]);
    assert_eq!(server.get("/v1/map/diff", &[("form", BEFORE)]).await.status, 400, "a misspelt parameter");
}

/// A reform: `changes.csv` and, where something goes on as something, `successions.csv`.
fn reform(changes: &[&str], successions: &[&str]) -> Tables {
    let table = |header: &str, rows: &[&str]| format!("{header}\n{}\n", rows.join("\n")).into_bytes();
    let mut tables = Tables::new();
    let header = "date,change,code,level,name,kind,parent_code";
    tables.insert("changes.csv".into(), table(header, changes));
    if !successions.is_empty() {
        tables.insert("successions.csv".into(), table("date,from_code,to_code,share,basis", successions));
    }
    tables
}

/// The example of docs/maps.md, under "Loading a reform".
#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_page_would_load() {
    let page = include_str!("../../docs/maps.md");
    let table = |header: &str| {
        let lines = page.lines().map(str::trim).skip_while(|l| *l != header);
        lines.take_while(|l| !l.is_empty()).map(|l| format!("{l}\n")).collect::<String>().into_bytes()
    };
    let tables = Tables::from([
        ("changes.csv".to_owned(), table("date,change,code,level,name,kind,parent_code")),
        ("successions.csv".to_owned(), table("date,from_code,to_code,share,basis")),
    ]);
    let server = Server::start().await;
    let told = server.load("page", tables, true).await.unwrap();
    let [day] = told.map.as_slice() else { panic!("{told:?}") };
    let changes: Vec<_> =
        day.units.iter().map(|c| format!("{} {}", c.change, c.unit.as_ref().unwrap().code)).collect();
    assert_eq!(changes, ["renamed 19", "ended 01840", "ended 01843", "began 01843", "went_on 01849"]);
    assert_eq!((day.date.as_str(), day.total, day.successions), ("2027-01-01", 5, 3));
}

async fn the_changes_of_2026_load_as_a_reform_and_are_what_ships(on: On) {
    let ships = Server::start_on(on).await;
    let server = Server::empty_on(on, 256).await;
    let mut before = shipped();
    let changes = Tables::from([("changes.csv".to_owned(), before.remove("changes.csv").unwrap())]);
    let early = server.load("early", changes.clone(), false).await.unwrap_err();
    assert_eq!(early.code(), Code::Unavailable, "there is nothing yet that it could be put on: {early:?}");
    server.load("whole", before.clone(), false).await.unwrap();
    let name = async |server: &Server, day: &str| {
        let body = server.get("/v1/units", &[("date", day), ("code", "07294")]).await.expect(200);
        body["units"][0]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name(&server, "2026-09-01").await, "Xã Bố Hạ");
    server
        .report(
            "k",
            json!([{ "unit": "07294", "indicator": "tg02", "period": "2026-M09", "scope": "own",
        "value": "12", "breakdown": { "reporter": "cong-an" } }]),
        )
        .await;

    let head = server.head().await;
    let told = server.load("2026", changes.clone(), true).await.unwrap();
    assert_eq!((told.position, told.replayed), (0, false));
    assert_eq!(server.head().await, head, "a dry run changes nothing");
    assert_eq!(name(&server, "2026-09-01").await, "Xã Bố Hạ");
    let days: Vec<_> = told.map.iter().map(|c| (c.date.as_str(), c.total, c.units.len())).collect();
    assert_eq!(
        days,
        [("2026-04-14", 10, 10), ("2026-04-24", 1, 1), ("2026-08-04", 12, 12), ("2026-08-24", 2, 2)]
    );
    assert!(told.map.iter().flat_map(|c| &c.units).all(|u| u.change == "renamed"));
    assert_eq!(told.changes, ["units: 0 new, 25 changed, 0 gone"], "no total is made anew for a name");

    let loaded = server.load("2026", changes.clone(), false).await.unwrap();
    assert_eq!((loaded.position, &loaded.map), (head.position + 1, &told.map));
    assert_eq!(name(&server, "2026-08-03").await, "Xã Bố Hạ");
    assert_eq!(name(&server, "2026-08-04").await, "Phường Bố Hạ");
    server.wait(loaded.position).await;
    let total = server.total("tg02", "07294", "2026-M09", "").await;
    assert_eq!((&total["value"], &total["unit"]["name"]), (&"12".into(), &"Phường Bố Hạ".into()));
    // Registry and reform give what ships.
    for day in [BEFORE, AFTER, "2026-05-01", "2027-01-01"] {
        let of = async |server: &Server| pages(server, "/v1/units", &[("date", day)], "units").await;
        assert_eq!(of(&server).await, of(&ships).await, "{day}");
    }

    let again = server.load("2026", changes.clone(), false).await.unwrap();
    assert_eq!((again.position, again.replayed), (loaded.position, true));
    let again = server.load("whole", before, false).await.unwrap();
    assert_eq!((again.position, again.replayed), (1, true), "also what a reform has been put on since");
    let other = reform(&["2027-01-01,renamed,22,province,Khác,k,"], &[]);
    assert_eq!(server.load("2026", other, false).await.unwrap_err().code(), Code::AlreadyExists);
    let twice = server.load("2026 again", changes, false).await.unwrap_err();
    assert!(violations(&twice).contains("is this change in?"), "{twice:?}");
    assert_eq!(server.head().await.position, loaded.position);
    server.assert_clean().await;
}

async fn a_reform_that_would_leave_figures_without_their_unit_names_them_until_they_are_withdrawn(on: On) {
    let mut server = Server::start_on(on).await;
    let figure = |unit: &str, period: &str, said: Value| {
        let mut figure = json!({ "unit": unit, "indicator": "tg02", "period": period, "scope": "own",
                                 "breakdown": { "reporter": "cong-an" } });
        figure.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        figure
    };
    let value = |n: &str| json!({ "value": n });
    server
        .report(
            "k1",
            json!([figure("01840", "2023-M12", value("1")), figure("01840", "2024-M01", value("10"))]),
        )
        .await;
    server.report("k2", json!([figure("01840", "2024-M02", value("20"))])).await;
    server.report("k3", json!([figure("01843", "2024-M02", value("300"))])).await;
    let head = server.head().await;

    // Loaded late: from 2024 on the one commune is a part of the other, which goes on.
    let late = reform(&[], &["2024-01-01,01840,01843,1,whole"]);
    for dry_run in [true, false] {
        let refused = server.load("late", late.clone(), dry_run).await.unwrap_err();
        let found = refused.get_details_bad_request().unwrap().field_violations;
        let places: Vec<_> = found.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(places, ["ledger position 2", "ledger position 3"], "{refused:?}");
        for (found, period) in found.iter().zip(["2024-M01", "2024-M02"]) {
            let named = [
                "figures_lose_their_unit: ",
                "a figure of unit 01840, tg02-useful-tips, ",
                period,
                "from 2024-01-01 its territory is 01843",
            ];
            assert!(named.iter().all(|n| found.description.contains(n)), "{found:?}");
        }
        assert_eq!(server.head().await, head);
    }

    let withdrawn = json!({ "withdraw": true });
    server
        .report(
            "k4",
            json!([figure("01840", "2024-M01", withdrawn.clone()), figure("01840", "2024-M02", withdrawn)]),
        )
        .await;
    server.report("k5", json!([figure("01843", "2024-M01", value("10"))])).await;
    let loaded = server.load("late", late, false).await.unwrap();
    let days: Vec<_> = loaded.map.iter().map(|c| c.date.as_str()).collect();
    assert_eq!(days, ["2024-01-01", AFTER]);
    let told =
        loaded.map[0].units.iter().map(|u| (u.change.as_str(), u.unit.as_ref().unwrap().code.as_str()));
    assert_eq!(told.collect::<Vec<_>>(), [("ended", "01840"), ("redrawn", "01843")]);
    assert!(
        loaded.changes.iter().any(|c| c.starts_with("left out: the succession 01840>")),
        "{:?}",
        loaded.changes
    );
    server.wait(loaded.position).await;
    for _ in 0..2 {
        assert_eq!(server.total("tg02", "01840", "2023-M12", "").await["value"], "1");
        assert_eq!(server.total("tg02", "01843", "2024-M02", "").await["value"], "300");
        assert_eq!(server.total("tg02", "VN", "2024-M01", "").await["value"], "10");
        let gone = server
            .get("/v1/totals", &[("indicator", "tg02"), ("unit", "01840"), ("period", "2024-M02")])
            .await;
        assert_eq!(gone.codes(), ["unit_not_in_force"]);
        server.assert_clean().await;
        // The same for those who start anew.
        server.restart(256).await;
    }
}

async fn a_reform_with_mistakes_is_refused_with_all_of_them_and_changes_nothing(on: On) {
    let server = Server::start_on(on).await;
    let head = server.head().await;
    let refused = async |tables: Tables| {
        let mut all = vec![];
        for dry_run in [true, false] {
            let status = server.load("wrong", tables.clone(), dry_run).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            let found = status.get_details_bad_request().unwrap().field_violations;
            all = found.iter().map(|v| format!("{} | {}", v.field, v.description)).collect();
        }
        all
    };
    let place = |found: &[String]| -> Vec<String> {
        found.iter().map(|f| f.split(" | ").next().unwrap().to_owned()).collect()
    };
    // In reading.
    let found = refused(reform(
        &["1/1/2027,renamed,22,province,A,k,", "2027-01-01,renamed,,province,A,k,"],
        &["2027-01-01,22,22,1.5,x"],
    ))
    .await;
    assert_eq!(
        place(&found),
        ["changes.csv, line 2, date", "changes.csv, line 3, code", "successions.csv, line 2, share"]
    );
    let mut tables = reform(&["2027-01-01,renames,22,province,A,k,"], &[]);
    let found = refused(tables.clone()).await;
    assert!(found[0].contains("not one of begins, ends, renamed, moves"), "{found:?}");
    tables.insert("indicators.csv".into(), shipped()["indicators.csv"].clone());
    let found = refused(tables).await;
    assert_eq!(place(&found), ["indicators.csv"], "{found:?}");
    // In putting it on what is there.
    let found = refused(reform(
        &[
            "2026-01-01,renamed,06,province,Tỉnh Bắc Kạn Mới,tinh,",
            "2026-01-01,begins,97,province,,tinh,VN",
            "2026-01-01,moves,01840,commune,,,19",
        ],
        &[],
    ))
    .await;
    assert_eq!(
        place(&found),
        ["changes.csv 2026-01-01 97", "changes.csv 2026-01-01 06", "changes.csv 2026-01-01 01840"]
    );
    // In what comes out: orphans, a code twice, levels out of order, shares, a side that is not in force, a unit
    // that goes nowhere.
    let found = refused(reform(
        &[
            "2026-01-01,begins,97,province,Tỉnh Mới,tinh,VN",
            "2026-01-01,begins,98,district,Huyện Mới,huyen,95",
            "2026-01-01,begins,99,province,Tỉnh Khác,tinh,01840",
            "2026-01-01,ends,01849,commune,,,",
        ],
        &["2026-01-01,01840,01843,0.5,x", "2026-01-01,06,97,1,x"],
    ))
    .await;
    let text = found.join("\n");
    for part in [
        "units.csv 98 | registry_problem: got \"98: its parent 95 is not in force on 2026-01-01",
        "units.csv 99 | registry_problem: got \"99: no unit of a higher level has the code 01840",
        "successions.csv 2026-01-01 06>97",
        "successions.csv 2026-01-01 01840",
        "the shares of a unit sum to exactly 1",
        "successions.csv 2026-01-01 01849",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(server.head().await, head);
    server.assert_clean().await;
}
