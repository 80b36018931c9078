//! A total opened down to its figures: every number of the tree is that of its own question, parts add up to what they
//! are parts of, and what does not fit is to be had with the cursor of its node.

use serde_json::{Value, json};
use tonghop_proto::query as pb;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::{Server, wire};

on_both! {
    a_tree_goes_down_to_figures_and_their_receipts,
    what_does_not_fit_is_had_with_the_cursor_of_its_node,
    a_restated_total_is_opened_into_its_origins,
}

fn tip(unit: &str, period: &str, scope: &str, value: i64) -> Value {
    json!({ "unit": unit, "indicator": "tg02", "period": period, "scope": scope, "value": value.to_string(),
            "breakdown": { "reporter": "cong-an" } })
}

fn node(node: &pb::ExplainNode) -> Value {
    let mut out = json!({
        "total": node.total.as_ref().map(wire::total), "used": node.used, "set_aside": node.set_aside,
        "figures": node.figures.iter().map(wire::figure).collect::<Vec<_>>(),
        "parts": node.parts.iter().map(self::node).collect::<Vec<_>>(),
        "parts_count": node.parts_count,
        "more": Some(&node.more).filter(|more| !more.is_empty()),
    });
    if let Some(own) = &node.own {
        out["own"] = own.as_str().into();
    }
    if !node.share.is_empty() {
        out["share"] = node.share.as_str().into();
    }
    out
}

/// The root of a tree: over both transports, which have to agree.
async fn tree(server: &Server, words: &[(&str, &str)]) -> Value {
    let rest = server.get("/v1/totals/tree", words).await.expect(200);
    let of =
        |name: &str| words.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()).unwrap_or_default();
    let request = pb::ExplainTreeRequest {
        indicator: of("indicator"),
        unit: of("unit"),
        period: of("period"),
        map: of("map"),
        depth: of("depth").parse().unwrap_or_default(),
        width: of("limit").parse().unwrap_or_default(),
        page_token: of("cursor"),
        ..Default::default()
    };
    let answer = server.query().explain_tree(request).await.unwrap().into_inner();
    assert_eq!(rest["root"], answer.root.as_ref().map_or(Value::Null, node), "{words:?}");
    rest["root"].clone()
}

fn number(value: &Value) -> i64 {
    value.as_str().map_or(0, |text| text.parse().expect("a number"))
}

/// That what a node was taken from comes to what it says, all the way down, and how many nodes there are.
fn adds_up(node: &Value) -> usize {
    let parts = node["parts"].as_array().unwrap();
    if node["more"].is_null() && ["units", "time", "sides"].contains(&node["used"].as_str().unwrap()) {
        let sum: i64 = parts.iter().map(|part| number(&part["total"]["value"])).sum();
        assert_eq!(sum + number(&node["own"]), number(&node["total"]["value"]), "{node}");
    }
    if node["used"] == "whole" {
        let current = node["figures"].as_array().unwrap().iter().filter(|f| f["current"] == true);
        let stated: i64 = current.map(|f| number(&f["value"])).sum();
        assert_eq!(stated, number(&node["total"]["value"]), "{node}");
    }
    1 + parts.iter().map(adds_up).sum::<usize>()
}

/// That each node says what its own question is answered with.
async fn is_each_its_own(server: &Server, node: &Value) {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        let total = &node["total"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (unit, period, map) = (text(&total["unit"]["code"]), text(&total["period"]), text(&total["map"]));
        let words = [("indicator", "tg02"), ("unit", &unit), ("period", &period), ("map", &map)];
        let body = server.get("/v1/totals", &words).await.expect(200);
        assert_eq!(body["totals"], json!([total]));
        open.extend(node["parts"].as_array().unwrap());
    }
}

fn find<'a>(node: &'a Value, unit: &str) -> &'a Value {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if node["total"]["unit"]["code"] == unit {
            return node;
        }
        open.extend(node["parts"].as_array().unwrap());
    }
    panic!("{unit} is not in the tree")
}

async fn a_tree_goes_down_to_figures_and_their_receipts(on: On) {
    let server = Server::start_on(on).await;
    let first = server
        .report("first", json!([tip("01837", "2024-M05", "own", 12), tip("01840", "2024-M05", "own", 5)]))
        .await
        .json();
    let figures = json!([
        tip("01837", "2024-M05", "own", 13),
        tip("06", "2024-M05", "own", 2),
        tip("060", "2024-M05", "territory", 30),
        tip("01864", "2024-M05", "own", 4),
        tip("01", "2024-M05", "territory", 70),
        tip("01837", "2024-M04", "own", 7),
    ]);
    let second = server.report("second", figures).await.json();

    let words =
        [("indicator", "tg02"), ("unit", "VN"), ("period", "2024-M05"), ("depth", "4"), ("limit", "200")];
    let root = tree(&server, &words).await;
    assert_eq!((&root["used"], &root["total"]["value"]), (&json!("units"), &json!("120")));
    assert_eq!(root["parts_count"], 63);
    // Those with something first.
    let codes: Vec<&Value> =
        root["parts"].as_array().unwrap().iter().map(|p| &p["total"]["unit"]["code"]).collect();
    assert_eq!(codes[..3], ["01", "06", "02"]);
    // 63 provinces, of one the eight districts, of one of these the eight wards.
    assert_eq!(adds_up(&root), 1 + 63 + 8 + 8);
    let province = find(&root, "06");
    assert_eq!((&province["used"], &province["own"]), (&json!("units"), &json!("2")));
    let declared = find(&root, "060");
    assert_eq!((&declared["used"], &declared["parts"]), (&json!("whole"), &json!([])));
    assert!(declared["set_aside"][0].as_str().unwrap().contains("covering"), "{declared}");
    let ward = find(&root, "01837");
    let told: Vec<_> = ward["figures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (&f["value"], &f["current"], &f["digest"], &f["submission"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("12"), &json!(false), &first["digest"], &first["id"]),
            (&json!("13"), &json!(true), &second["digest"], &second["id"]),
        ]
    );
    is_each_its_own(&server, find(&root, "058")).await;

    // Along time: a quarter of a ward is its months.
    let words = [("indicator", "tg02"), ("unit", "01837"), ("period", "2024-Q2")];
    let root = tree(&server, &words).await;
    assert_eq!((&root["used"], root["parts"].as_array().unwrap().len()), (&json!("time"), 3));
    adds_up(&root);
    is_each_its_own(&server, &root).await;
    let words = [("indicator", "tg02"), ("unit", "01837"), ("period", "2024"), ("depth", "8")];
    let root = tree(&server, &words).await;
    // Both halves, of the one in which something is its quarters, of one of these its months.
    assert_eq!(adds_up(&root), 1 + 2 + 2 + 3);
    // A ratio is opened along the units of its pairs.
    let all = json!({ "unit": "01837", "indicator": "tg01", "period": "2024-M05", "scope": "own", "value": "26",
                      "breakdown": { "reporter": "cong-an", "channel": "undivided" } });
    server.report("all", json!([all])).await;
    let root = tree(&server, &[("indicator", "tg03"), ("unit", "058"), ("period", "2024-M05")]).await;
    assert_eq!((&root["used"], &root["parts"][0]["total"]["value"]), (&json!("units"), &json!("50.00")));
    let indicators: Vec<_> = root["parts"][0]["figures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["indicator"].as_str().unwrap())
        .collect();
    assert!(
        indicators.contains(&"tg01-crime-tips") && indicators.contains(&"tg02-useful-tips"),
        "{indicators:?}"
    );
    server.assert_clean().await;
}

async fn what_does_not_fit_is_had_with_the_cursor_of_its_node(on: On) {
    let server = Server::start_on(on).await;
    let wards = ["01834", "01837", "01840", "01843", "01846", "01849"];
    let figures: Vec<Value> =
        wards.iter().enumerate().map(|(n, ward)| tip(ward, "2024-M05", "own", n as i64 + 1)).collect();
    server.report("wards", json!(figures)).await;
    let question = [("indicator", "tg02"), ("unit", "06"), ("period", "2024-M05")];
    let with = |more: &[(&'static str, &str)]| -> Vec<(String, String)> {
        question.iter().chain(more).map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    };
    let ask = async |words: Vec<(String, String)>| {
        let words: Vec<(&str, &str)> = words.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        tree(&server, &words).await
    };
    let whole = ask(with(&[("limit", "200"), ("depth", "2")])).await;
    let district = find(&whole, "058");
    assert!(district["more"].is_null());

    // One level at a time, three parts at a time, while the figures change.
    let root = ask(with(&[("depth", "1"), ("limit", "1")])).await;
    let found = &root["parts"][0];
    assert_eq!((&found["total"]["unit"]["code"], &found["parts"]), (&json!("058"), &json!([])));
    assert_eq!(found["parts_count"], district["parts_count"]);
    let mut parts = vec![];
    let mut more = found["more"].as_str().map(str::to_owned);
    while let Some(token) = more {
        let turn = parts.len() as i64;
        let mut page = ask(with(&[("depth", "1"), ("limit", "3"), ("cursor", &token)])).await;
        assert_eq!(page["total"], district["total"], "as of the tree it came from");
        parts.append(page["parts"].as_array_mut().unwrap());
        more = page["more"].as_str().map(str::to_owned);
        server.report(&format!("turn-{turn}"), json!([tip("01834", "2024-M05", "own", 500 + turn)])).await;
    }
    assert_eq!(json!(parts), district["parts"]);

    for (name, value, code) in [
        ("depth", "9", "too_many"),
        ("limit", "201", "too_many"),
        ("cursor", "12", "malformed_cursor"),
        ("cursor", "1.0.0~058~2024-M05~~", "cursor_of_another_question"),
    ] {
        let words: Vec<(&str, &str)> = question.iter().copied().chain([(name, value)]).collect();
        let reply = server.get("/v1/totals/tree", &words).await;
        assert_eq!((reply.status, reply.codes()), (400, vec![code.to_owned()]), "{name}={value}");
    }
}

async fn a_restated_total_is_opened_into_its_origins(on: On) {
    let server = Server::start_on(on).await;
    let figures = json!([
        tip("06", "2025-M06", "territory", 10),
        tip("19", "2025-M06", "territory", 20),
        tip("19", "2025-M07", "territory", 7),
    ]);
    server.report("reform", figures).await;
    let words = [("indicator", "tg02"), ("unit", "19"), ("period", "2025-M06"), ("map", "2025-07-01")];
    let root = tree(&server, &words).await;
    assert_eq!((&root["used"], &root["total"]["value"]), (&json!("origins"), &json!("30")));
    let origins: Vec<_> = root["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (&p["total"]["value"], &p["share"], &p["used"]))
        .collect();
    assert_eq!(
        origins,
        [(&json!("10"), &json!("1"), &json!("whole")), (&json!("20"), &json!("1"), &json!("whole"))]
    );
    is_each_its_own(&server, &root).await;

    // A year that the reform falls into: its tiles from before are restated, and opened into where they come from.
    let root =
        tree(&server, &[("indicator", "tg02"), ("unit", "19"), ("period", "2025"), ("depth", "8")]).await;
    assert_eq!((&root["used"], &root["total"]["value"]), (&json!("time"), &json!("37")));
    adds_up(&root);
    let codes = json!(root).to_string();
    assert!(codes.contains("Bắc Kạn"), "what was before is named");
}
