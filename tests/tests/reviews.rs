//! What was: answers as of a past position, and frozen reviews, which are answered the same for ever.

use serde_json::{Value, json};
use tonghop_proto::ingestion::FreezeReviewRequest;
use tonghop_proto::query as pb;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::rest::ageless;
use tonghop_tests::server::{Tables, shipped};
use tonghop_tests::{Reply, Server, wire};
use tonic::Code;

on_both! {
    a_review_is_answered_the_same_for_ever,
    a_review_is_named_once,
    a_past_position_is_answered_by_the_registry_of_then_or_not_at_all,
}

fn tips(unit: &str, period: &str, scope: &str, value: i64) -> Value {
    json!({ "unit": unit, "indicator": "tg02", "period": period, "scope": scope, "value": value.to_string(),
            "breakdown": { "reporter": "cong-an" } })
}

/// A reform that moves units: the example of docs/maps.md.
fn reform() -> Tables {
    let page = include_str!("../../docs/maps.md");
    let table = |header: &str| {
        let lines = page.lines().map(str::trim).skip_while(|l| *l != header);
        lines.take_while(|l| !l.is_empty()).map(|l| format!("{l}\n")).collect::<String>().into_bytes()
    };
    Tables::from([
        ("changes.csv".to_owned(), table("date,change,code,level,name,kind,parent_code")),
        ("successions.csv".to_owned(), table("date,from_code,to_code,share,basis")),
    ])
}

/// The shipped registry, with one word of one indicator's row another.
fn with_other_precedence() -> Tables {
    let mut tables = shipped();
    let text = String::from_utf8(tables["indicators.csv"].clone()).expect("text");
    let changed: Vec<String> = text
        .lines()
        .map(|line| match line.starts_with("tg04-") {
            true => line.replace(",bottom_up,", ",declared_first,"),
            false => line.to_owned(),
        })
        .collect();
    let changed = changed.join("\n") + "\n";
    assert_ne!(changed, text);
    tables.insert("indicators.csv".into(), changed.into_bytes());
    tables
}

async fn freeze(server: &Server, body: &Value) -> Reply {
    server.post_to("/v1/reviews", &[("content-type", "application/json")], body.to_string()).await
}

/// Everything that can be asked, by path and parameters.
fn questions() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let of = |unit: &'static str, period: &'static str| {
        vec![("indicator", "tg02"), ("unit", unit), ("period", period)]
    };
    let with = |mut words: Vec<(&'static str, &'static str)>, more: &[(&'static str, &'static str)]| {
        words.extend(more);
        words
    };
    vec![
        ("/v1/totals", of("VN", "2024-M05")),
        ("/v1/totals", of("06", "2024")),
        ("/v1/totals", of("058", "2024-M05")),
        ("/v1/totals", with(of("19", "2024-M05"), &[("map", "2025-07-01")])),
        (
            "/v1/totals",
            with(
                of("VN", "2024-M05"),
                &[
                    ("by", "children,periods"),
                    ("last", "3"),
                    ("compare", "previous,last_year"),
                    ("share", "nation"),
                    ("rank", "true"),
                ],
            ),
        ),
        ("/v1/totals", with(of("058", "2024-M05"), &[("by", "children")])),
        ("/v1/totals/explain", of("058", "2024-M05")),
        ("/v1/totals/explain", of("19", "2025")),
        ("/v1/totals/tree", with(of("VN", "2024-Q2"), &[("depth", "5"), ("limit", "200")])),
        ("/v1/coverage", of("06", "2024-M05")),
        ("/v1/figures", with(of("06", "2024"), &[("below", "true")])),
    ]
}

async fn ask(server: &Server, (path, words): &(&str, Vec<(&str, &str)>), more: (&str, &str)) -> Reply {
    let words: Vec<(&str, &str)> = words.iter().copied().chain([more]).collect();
    let reply = server.get(path, &words).await;
    reply.expect(200);
    reply
}

async fn a_review_is_answered_the_same_for_ever(on: On) {
    let mut server = Server::start_on(on).await;
    let figures = json!([
        tips("01864", "2024-M05", "own", 12),
        tips("01864", "2024-M04", "own", 11),
        tips("01843", "2024-M05", "own", 5),
        tips("058", "2024-M05", "territory", 40),
        tips("01", "2024-M05", "territory", 70),
        tips("19", "2025-M06", "territory", 20),
        tips("19", "2025-M07", "territory", 7),
    ]);
    server.report("first", figures).await;
    server.report("second", json!([tips("01864", "2024-M05", "own", 13)])).await;

    // Everything there is.
    let frozen = freeze(&server, &json!({ "name": "so-ket-2024", "note": "Sơ kết" })).await;
    let body = frozen.expect(201);
    assert_eq!(body["review"], json!({ "name": "so-ket-2024", "position": 3, "note": "Sơ kết" }));
    assert_eq!(body["position"], 4);
    // And what there was before that.
    let request = FreezeReviewRequest { name: "first-only".into(), position: 2, note: String::new() };
    let first = server.ingestion().freeze_review(request).await.unwrap().into_inner();
    assert_eq!((first.position, first.receipt.unwrap().position, first.replayed), (2, 5, false));
    server.wait(5).await;

    let (all, review) = (questions(), ("review", "so-ket-2024"));
    let mut before: Vec<Reply> = vec![];
    for question in &all {
        let reply = ask(&server, question, review).await;
        assert_eq!(reply.json()["as_of"]["review"], "so-ket-2024");
        assert_eq!(reply.json()["as_of"]["position"], 3);
        before.push(reply);
    }
    assert_eq!(before[0].json()["totals"][0]["value"], (40 + 13 + 70).to_string());
    let first = ask(&server, &all[10], ("review", "first-only")).await.json();
    assert!(first["figures"].as_array().unwrap().iter().all(|f| f["position"] == 2 && f["current"] == true));

    let is_the_same = async |server: &Server, when: &str| {
        for (question, before) in all.iter().zip(&before) {
            let now = ask(server, question, review).await;
            assert_eq!(now.json(), before.json(), "{when}: {question:?}");
            assert_eq!(now.header("etag"), before.header("etag"), "{when}: {question:?}");
            let words: Vec<(&str, &str)> = question.1.iter().copied().chain([review]).collect();
            let known = server.get_unless(before.header("etag"), question.0, &words).await;
            assert_eq!(known.status, 304, "{when}: {question:?}");
            // By its position it is the same, but for the name.
            let position = ask(server, question, ("as_of", "3")).await;
            let mut unnamed = before.json();
            unnamed["as_of"].as_object_mut().unwrap().remove("review");
            assert_eq!(ageless(position.json()), ageless(unnamed), "{when}: {question:?}");
        }
    };
    is_the_same(&server, "at once").await;

    // Revised, withdrawn, late, and declared anew.
    let mut withdrawn = tips("01843", "2024-M05", "own", 0);
    withdrawn.as_object_mut().unwrap().remove("value");
    withdrawn["withdraw"] = json!(true);
    let later = json!([
        tips("01864", "2024-M05", "own", 999),
        withdrawn,
        tips("058", "2024-M05", "territory", 999),
        tips("01837", "2024-M05", "own", 999),
        tips("01", "2024-M05", "territory", 999),
        tips("02", "2024-M05", "territory", 999),
        tips("06", "2024-M06", "territory", 999),
        tips("06", "2025-M06", "territory", 999),
    ]);
    server.report("later", later).await;
    let now = server.total("tg02", "VN", "2024-M05", "").await;
    assert_ne!(now["value"], before[0].json()["totals"][0]["value"]);
    is_the_same(&server, "after revisions").await;

    let loaded = server.load("reform", reform(), false).await.unwrap();
    server.wait(loaded.position).await;
    server.report("after", json!([tips("01864", "2024-M05", "own", 1000)])).await;
    is_the_same(&server, "after a reform").await;

    server.rebuild().await;
    is_the_same(&server, "after a rebuild").await;
    server.restart(1).await;
    is_the_same(&server, "after a restart").await;
    server.assert_clean().await;
}

async fn a_review_is_named_once(on: On) {
    let server = Server::start_on(on).await;
    server.report("one", json!([tips("01864", "2024-M05", "own", 12)])).await;
    let head = server.head().await;
    let asked = json!({ "name": "r", "position": 2 });
    let first = freeze(&server, &asked).await.expect(201);
    let again = freeze(&server, &asked).await.expect(200);
    assert_eq!((first, server.head().await.position), (again, head.position + 1));
    // Without a position the one it was given to is meant, wherever the ledger is by now.
    assert_eq!(freeze(&server, &json!({ "name": "r" })).await.expect(200)["review"]["position"], 2);
    for (asked, status, code) in [
        (json!({ "name": "r", "position": 1 }), 409, "review_exists"),
        (json!({ "name": "r", "position": 2, "note": "another" }), 409, "review_exists"),
        (json!({ "name": "later", "position": 99 }), 422, "no_such_position"),
        (json!({ "name": "later", "position": -1 }), 422, "no_such_position"),
        (json!({ "name": "sơ kết" }), 422, "malformed_name"),
        (json!({ "name": "" }), 422, "malformed_name"),
        (json!({ "name": "n", "note": "x".repeat(1001) }), 422, "malformed_note"),
    ] {
        let reply = freeze(&server, &asked).await;
        assert_eq!((reply.status, reply.codes()), (status, vec![code.to_owned()]), "{asked}");
    }
    assert_eq!(freeze(&server, &json!({ "nam": "n" })).await.status, 400);
    // Two at once with one name are one.
    let asked = json!({ "name": "twice", "position": 2 });
    let (a, b) = tokio::join!(freeze(&server, &asked), freeze(&server, &asked));
    assert_eq!((a.status + b.status, a.json()), (401, b.json()));
    // Nobody else may push under their source.
    let document = json!({ "source": "tonghop-reviews", "figures": [tips("01864", "2024-M05", "own", 12)] });
    assert_eq!(server.push_json("r2", &document).await.codes(), ["malformed_key"]);

    let head = server.head().await.position;
    server.wait(head).await;
    let listed = server.get("/v1/reviews", &[]).await.expect(200);
    let names: Vec<&str> =
        listed["reviews"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["r", "twice"]);
    let mut paged = vec![];
    let mut request = pb::ListReviewsRequest { page_size: 1, ..Default::default() };
    loop {
        let page = server.query().list_reviews(request.clone()).await.unwrap().into_inner();
        paged.extend(page.reviews.iter().map(
            |r| json!({ "name": r.name, "position": r.position, "note": r.note, "frozen_at": r.frozen_at }),
        ));
        if page.next_page_token.is_empty() {
            assert_eq!(wire::as_of(&page.as_of), ageless(listed.clone())["as_of"]);
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(json!(paged), listed["reviews"]);

    let words = |more: &[(&'static str, &'static str)]| {
        let mut words = vec![("indicator", "tg02"), ("unit", "VN"), ("period", "2024-M05")];
        words.extend(more);
        words
    };
    for (more, status, code) in [
        (vec![("review", "none")], 404, "unknown_review"),
        (vec![("review", "r"), ("as_of", "2")], 400, "two_positions"),
        (vec![("as_of", "-1")], 400, "malformed_position"),
    ] {
        let reply = server.get("/v1/totals", &words(&more)).await;
        assert_eq!((reply.status, reply.codes()), (status, vec![code.to_owned()]), "{more:?}");
    }
    let error = server
        .query()
        .get_totals(pb::GetTotalsRequest {
            indicator: "tg02".into(),
            unit: "VN".into(),
            period: "2024-M05".into(),
            review: "none".into(),
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    server.assert_clean().await;
}

async fn a_past_position_is_answered_by_the_registry_of_then_or_not_at_all(on: On) {
    let server = Server::empty_on(on, 256).await;
    let mut early = shipped();
    let late = Tables::from([("changes.csv".to_owned(), early.remove("changes.csv").unwrap())]);
    server.load("early", early, false).await.unwrap();
    server.report("one", json!([tips("07294", "2026-M09", "own", 12)])).await;
    server.load("names", late, false).await.unwrap();
    server.report("two", json!([tips("07294", "2026-M09", "own", 13)])).await;
    let total = async |as_of: &str| {
        let words = [("indicator", "tg02"), ("unit", "07294"), ("period", "2026-M09"), ("as_of", as_of)];
        server.get("/v1/totals", &words).await
    };
    let told = async |as_of: &str| {
        let body = total(as_of).await.expect(200);
        let total = &body["totals"][0];
        let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
        (text(&total["value"]), text(&total["unit"]["name"]), body["as_of"]["position"].as_i64().unwrap())
    };
    let (old, new) = ("Xã Bố Hạ".to_owned(), "Phường Bố Hạ".to_owned());
    assert_eq!(told("1").await, ("-".to_owned(), old.clone(), 1));
    assert_eq!(told("2").await, ("12".to_owned(), old, 2));
    assert_eq!(told("3").await, ("12".to_owned(), new.clone(), 3));
    assert_eq!(told("4").await, ("13".to_owned(), new, 4));

    // An indicator that means something else now: what was is not to be had, and says so.
    let loaded = server.load("means", with_other_precedence(), false).await.unwrap();
    server.wait(loaded.position).await;
    let reply = total("2").await;
    assert_eq!((reply.status, reply.codes()), (422, vec!["registry_changed_meaning".to_owned()]));
    assert_eq!(total(&loaded.position.to_string()).await.expect(200)["totals"][0]["value"], "13");
    server.assert_clean().await;
}
