//! The real report of Bắc Kạn, from REST in to the national view and back: every row as it was reported, and
//! the refusals that the semantics page asks for.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};
use tonghop_proto::query as pb;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::gazetteer::{Gazetteer, Row, ends_of_months, rows};
use tonghop_tests::rest::ageless;
use tonghop_tests::server::shipped;
use tonghop_tests::{Server, wire};

on_both! {
    every_row_is_readable_back_at_the_province_as_it_was_reported,
    every_row_is_the_total_of_the_province_and_a_partial_total_of_the_nation,
    the_national_total_of_the_interfaces_page_is_the_one_that_is_answered,
    sides_that_overlap_have_no_common_total_and_each_has_its_own,
    a_figure_for_a_topic_is_no_total,
    a_bare_percentage_is_shown_where_it_was_given_and_listed_above,
    kinds_of_models_do_not_add_up_over_provinces,
    rest_and_grpc_give_the_same_answers_field_by_field,
    the_report_is_answered_under_what_the_province_became,
}

const PROVINCE: &str = "06";
const NATION: &str = "VN";

fn report() -> (Vec<u8>, Vec<Row>) {
    let (_, bytes) = tonghop::shipped::reports(None).unwrap().remove(0);
    let rows = rows(&bytes);
    assert_eq!(rows.len(), 15);
    (bytes, rows)
}

async fn with_the_report(on: On) -> Server {
    let server = Server::start_on(on).await;
    let reply = server.push_csv("report-2023", "congan-backan", report().0).await;
    let body = reply.expect(201);
    assert_eq!((&body["figures"], &body["warnings"], reply.position()), (&json!(15), &json!([]), 2));
    server.wait(2).await;
    server
}

/// What the registry says of an indicator.
fn catalogue() -> BTreeMap<String, Row> {
    rows(&shipped()["indicators.csv"]).into_iter().map(|r| (r["code"].clone(), r)).collect()
}

/// The days on whose maps the cells of a rectangle are counted (§3): the last days of its collection periods;
/// of a stock, and of what is collected by event, its own last day.
fn counted_on(indicator: &Row, period: &str) -> Vec<Date> {
    assert_eq!(indicator["calendar"], "nd09");
    let Some((from, to)) = period.split_once("..") else { return vec![period.parse().unwrap()] };
    let months = ends_of_months(from.parse().unwrap()..=to.parse().unwrap());
    let every = |n: i8| months.iter().copied().filter(|d| d.month() % n == 0).collect();
    match (indicator["kind"].as_str(), indicator["frequency"].as_str()) {
        ("flow", "month") => every(1),
        ("flow", "quarter") => every(3),
        ("flow", "event") => vec![*months.last().unwrap()],
        other => panic!("not in the report: {other:?}"),
    }
}

fn expected(gazetteer: &Gazetteer, indicator: &Row, unit: &str, period: &str) -> u64 {
    gazetteer.cells(unit, &indicator["collection_level"], &counted_on(indicator, period))
}

fn breakdown(row: &Row) -> Value {
    row["breakdown"].split('|').filter_map(|pair| pair.split_once('=')).collect()
}

async fn every_row_is_readable_back_at_the_province_as_it_was_reported(on: On) {
    let server = with_the_report(on).await;
    for row in report().1 {
        let (indicator, period) = (row["indicator"].as_str(), row["period"].as_str());
        let figures = server.figures(indicator, PROVINCE, period).await;
        let [figure] = figures.as_slice() else { panic!("{indicator}: {figures:?}") };
        let mut figure = figure.clone();
        let told = figure.as_object_mut().unwrap();
        assert!(told.remove("received_at").is_some_and(|t| t.is_string()), "{indicator}");
        assert!(told.remove("digest").is_some_and(|t| t.is_string()), "{indicator}");
        assert!(told.remove("submission").is_some_and(|t| t.is_string()), "{indicator}");
        assert_eq!(
            figure,
            json!({
                "unit": { "code": PROVINCE, "name": "Tỉnh Bắc Kạn", "level": "province" },
                "indicator": indicator, "breakdown": breakdown(&row), "period": period,
                "scope": row["scope"], "value": row["value"], "qualifier": row["qualifier"],
                "not_available": null, "withdrawn": false, "current": true,
                "programmes": ["CTPH-09"], "position": 2, "source": "congan-backan",
            }),
            "{indicator}"
        );
    }
    server.assert_clean().await;
}

async fn every_row_is_the_total_of_the_province_and_a_partial_total_of_the_nation(on: On) {
    let server = with_the_report(on).await;
    let (gazetteer, catalogue) = (Gazetteer::of(&shipped()), catalogue());
    for row in report().1 {
        let (code, period) = (row["indicator"].as_str(), row["period"].as_str());
        let indicator = &catalogue[code];
        let of = |unit: &str| expected(&gazetteer, indicator, unit, period);
        // ll11 and ms08 are collected at the province; kt01 and kt02 are its own acts among those of its
        // communes, so that nothing is known of the communes.
        let (basis, reported, covered) = match (row["scope"].as_str(), indicator["collection_level"].as_str())
        {
            ("territory", "commune") => ("declared", 0, of(PROVINCE)),
            ("own", "province") => ("reported", 1, 1),
            ("own", "commune") => ("partial", 0, 0),
            other => panic!("{code}: {other:?}"),
        };
        let exact = if row["qualifier"] == "exact" { row["value"].as_str() } else { "0" };
        for (unit, basis, expected) in [(PROVINCE, basis, of(PROVINCE)), (NATION, "partial", of(NATION))] {
            let total = server.total(code, unit, period, &row["breakdown"]).await;
            let whole = if basis == "partial" { Value::Null } else { json!(row["value"]) };
            let parts = if basis == "partial" { json!(row["value"]) } else { Value::Null };
            let told = json!({
                "value": total["value"], "qualifier": total["qualifier"], "exact_part": total["exact_part"],
                "basis": total["basis"], "whole": total["whole"], "parts": total["parts"],
                "difference": total["difference"], "reported": total["reported"],
                "covered": total["covered"], "expected": total["expected"],
                "unavailable": total["unavailable"], "breakdown": total["breakdown"],
            });
            assert_eq!(
                told,
                json!({
                    "value": row["value"], "qualifier": row["qualifier"], "exact_part": exact,
                    "basis": basis, "whole": whole, "parts": parts,
                    "difference": null, "reported": reported,
                    "covered": covered, "expected": expected,
                    "unavailable": 0, "breakdown": breakdown(&row),
                }),
                "{code} {unit}"
            );
        }
    }
    server.assert_clean().await;
}

async fn the_national_total_of_the_interfaces_page_is_the_one_that_is_answered(on: On) {
    let server = with_the_report(on).await;
    let (gazetteer, catalogue) = (Gazetteer::of(&shipped()), catalogue());
    let tips = &catalogue["tg01-crime-tips"];
    // Worked out on the page as 10,040 communes and childless districts of 132 months, 108 of them in Bắc Kạn.
    assert_eq!(expected(&gazetteer, tips, NATION, "2013..2023"), 1_325_280);
    assert_eq!(expected(&gazetteer, tips, PROVINCE, "2013..2023"), 14_256);
    let parameters = [("indicator", "tg01"), ("unit", NATION), ("period", "2013..2023")];
    let mut body = server.get("/v1/totals", &parameters).await.expect(200);
    assert!(body["as_of"]["time"].is_string());
    body["as_of"]["time"] = json!("[time]");
    // A machine under load may be late to confirm that nothing newer was accepted.
    body = ageless(body);
    insta::assert_snapshot!(
        "the_national_total_of_the_interfaces_page_is_the_one_that_is_answered",
        serde_json::to_string_pretty(&body).unwrap()
    );
}

async fn sides_that_overlap_have_no_common_total_and_each_has_its_own(on: On) {
    let server = with_the_report(on).await;
    let parameters = [("indicator", "tt01"), ("unit", NATION), ("period", "2013..2023")];
    let reply = server.get("/v1/totals", &parameters).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert_eq!(reply.findings(), [("overlapping_reporters".to_owned(), "breakdown".to_owned())]);
    let why = reply.json()["detail"].as_str().unwrap().to_owned();
    assert!(["cong-an", "lien-nganh", "mttq"].iter().all(|side| why.contains(side)), "{why}");
    let police = server.total("tt01", NATION, "2013..2023", "reporter=cong-an").await;
    assert_eq!((&police["value"], &police["basis"]), (&json!("8720"), &json!("partial")));
    let front = server.total("tt01", NATION, "2013..2023", "reporter=mttq").await;
    assert_eq!((&front["value"], &front["reason"]), (&Value::Null, &json!("missing")));
}

async fn a_figure_for_a_topic_is_no_total(on: On) {
    let server = with_the_report(on).await;
    let leaflets = server.total("tt04", PROVINCE, "2013..2023", "").await;
    assert_eq!((&leaflets["value"], &leaflets["reason"]), (&Value::Null, &json!("missing")));
    let of_topic = server.total("tt04", PROVINCE, "2013..2023", "reporter=cong-an|topic=online-fraud").await;
    assert_eq!((&of_topic["value"], &of_topic["basis"]), (&json!("6700"), &json!("declared")));
    // Cells of disjoint sides are counted by side, and the Front said nothing.
    let of_both = server.total("tt04", PROVINCE, "2013..2023", "topic=online-fraud").await;
    assert_eq!((&of_both["value"], &of_both["basis"]), (&json!("6700"), &json!("partial")));
    let cells = |total: &Value| (total["covered"].as_u64().unwrap(), total["expected"].as_u64().unwrap());
    assert_eq!(cells(&of_topic), (4752, 4752));
    assert_eq!(cells(&of_both), (4752, 2 * 4752));
}

async fn a_bare_percentage_is_shown_where_it_was_given_and_listed_above(on: On) {
    let server = with_the_report(on).await;
    server
        .report(
            "rate",
            json!([{ "unit": "04", "indicator": "at40", "period": "2022", "scope": "territory",
                     "value": "98", "breakdown": { "reporter": "cong-an" } }]),
        )
        .await;
    let given = server.total("at40", "04", "2022", "").await;
    assert_eq!((&given["value"], &given["basis"]), (&json!("98.00"), &json!("declared")));
    let nation = server.total("at40", NATION, "2022", "").await;
    assert_eq!((&nation["value"], &nation["reason"]), (&Value::Null, &json!("not_aggregable")));
    assert_eq!(
        nation["given"],
        json!([{ "unit": { "code": "04", "name": "Tỉnh Cao Bằng", "level": "province" }, "period": "2022",
                 "scope": "territory", "breakdown": { "reporter": "cong-an" },
                 "value": "98.00", "qualifier": "exact" }])
    );
    server.assert_clean().await;
}

async fn kinds_of_models_do_not_add_up_over_provinces(on: On) {
    let server = with_the_report(on).await;
    let kinds = |unit: &str, value: &str| {
        json!({ "unit": unit, "indicator": "mh01", "period": "2023-H1", "scope": "territory", "value": value,
                "breakdown": { "reporter": "lien-nganh", "model-type": "undivided" } })
    };
    server.report("kinds", json!([kinds(PROVINCE, "7"), kinds("04", "9")])).await;
    let province = server.total("mh01", PROVINCE, "2023-H1", "").await;
    assert_eq!((&province["value"], &province["basis"]), (&json!("7"), &json!("declared")));
    let nation = server.total("mh01", NATION, "2023-H1", "").await;
    assert_eq!((&nation["value"], &nation["reason"]), (&Value::Null, &json!("not_aggregable")));
    let mut given: Vec<(String, String)> = nation["given"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| (g["unit"]["code"].as_str().unwrap().into(), g["value"].as_str().unwrap().into()))
        .collect();
    given.sort();
    assert_eq!(given, [("04".to_owned(), "9".to_owned()), (PROVINCE.to_owned(), "7".to_owned())]);
    server.assert_clean().await;
}

async fn rest_and_grpc_give_the_same_answers_field_by_field(on: On) {
    let server = with_the_report(on).await;
    server
        .report(
            "rate",
            json!([{ "unit": "04", "indicator": "at40", "period": "2022", "scope": "territory",
                     "value": "98", "breakdown": { "reporter": "cong-an" } }]),
        )
        .await;
    let mut questions: Vec<pb::GetTotalsRequest> = Vec::new();
    let question = |indicator: &str, unit: &str, period: &str, breakdown: &str| pb::GetTotalsRequest {
        indicator: indicator.into(),
        unit: unit.into(),
        period: period.into(),
        breakdown: breakdown.into(),
        ..pb::GetTotalsRequest::default()
    };
    for row in report().1 {
        for unit in [PROVINCE, NATION] {
            questions.push(question(&row["indicator"], unit, &row["period"], &row["breakdown"]));
        }
    }
    questions.push(question("at40", NATION, "2022", ""));
    questions.push(question("ll12", PROVINCE, "2023", ""));
    questions
        .push(pb::GetTotalsRequest { by: "children".into(), ..question("tg01", NATION, "2013..2023", "") });
    questions.push(pb::GetTotalsRequest { by: "periods".into(), ..question("tg01", PROVINCE, "2023", "") });
    questions.push(pb::GetTotalsRequest {
        by: "breakdown".into(),
        by_dimension: "reporter".into(),
        ..question("tt01", NATION, "2013..2023", "")
    });
    questions
        .push(pb::GetTotalsRequest { by: "indicators".into(), ..question("", NATION, "2013..2023", "") });
    let first = pb::GetTotalsRequest { page_size: 7, ..questions[32].clone() };
    let next = server.query().get_totals(first.clone()).await.unwrap().into_inner().next_page_token;
    questions.push(pb::GetTotalsRequest { page_token: next, ..first });
    for question in &questions {
        let answer = server.query().get_totals(question.clone()).await.unwrap().into_inner();
        let wire = json!({
            "as_of": wire::as_of(&answer.as_of),
            "totals": answer.totals.iter().map(wire::total).collect::<Vec<_>>(),
            "count": answer.count,
            "next": Some(&answer.next_page_token).filter(|t| !t.is_empty()),
        });
        let size = question.page_size.to_string();
        let all = [
            ("indicator", question.indicator.as_str()),
            ("unit", &question.unit),
            ("period", &question.period),
            ("breakdown", &question.breakdown),
            ("by", &question.by),
            ("dimension", &question.by_dimension),
            ("limit", &size),
            ("cursor", &question.page_token),
        ];
        let given: Vec<_> = all.into_iter().filter(|(_, v)| !v.is_empty() && *v != "0").collect();
        let rest = ageless(server.get("/v1/totals", &given).await.expect(200));
        assert_eq!(rest, wire, "{question:?}");
        assert!(!answer.totals.is_empty(), "{question:?}");
    }
    for row in report().1 {
        let (indicator, period) = (row["indicator"].as_str(), row["period"].as_str());
        let parameters = [
            ("indicator", indicator),
            ("unit", PROVINCE),
            ("period", period),
            ("breakdown", row["breakdown"].as_str()),
        ];
        let rest = ageless(server.get("/v1/figures", &parameters).await.expect(200));
        let request = pb::ListFiguresRequest {
            indicator: indicator.into(),
            unit: PROVINCE.into(),
            period: period.into(),
            breakdown: row["breakdown"].clone(),
            ..pb::ListFiguresRequest::default()
        };
        let answer = server.query().list_figures(request).await.unwrap().into_inner();
        assert_eq!(rest["figures"], answer.figures.iter().map(wire::figure).collect::<Value>());
        assert_eq!(rest["as_of"], wire::as_of(&answer.as_of));

        let rest = server.get("/v1/totals/explain", &parameters).await.expect(200);
        let request = pb::ExplainRequest {
            indicator: indicator.into(),
            unit: PROVINCE.into(),
            period: period.into(),
            breakdown: row["breakdown"].clone(),
            ..Default::default()
        };
        let answer = server.query().explain(request).await.unwrap().into_inner();
        assert_eq!(
            rest,
            json!({
                "as_of": wire::as_of(&answer.as_of), "total": answer.total.as_ref().map(wire::total),
                "along": answer.along,
                "children": answer.children.iter().map(wire::total).collect::<Vec<_>>(),
                "tiles": answer.tiles.iter().map(wire::total).collect::<Vec<_>>(),
                "figures": answer.figures.iter().map(wire::figure).collect::<Vec<_>>(),
                "set_aside": answer.set_aside, "origins": [],
            }),
            "{indicator}"
        );
        assert_eq!(answer.figures.len(), 1, "{indicator}");

        let rest = server.get("/v1/coverage", &parameters).await.expect(200);
        let request = pb::GetCoverageRequest {
            indicator: indicator.into(),
            unit: PROVINCE.into(),
            period: period.into(),
            breakdown: row["breakdown"].clone(),
            ..Default::default()
        };
        let answer = server.query().get_coverage(request).await.unwrap().into_inner();
        assert_eq!(rest["total"], answer.total.as_ref().map_or(Value::Null, wire::total));
        assert_eq!(rest["children"], answer.children.iter().map(wire::total).collect::<Value>());
    }
}

/// In today's map Bắc Kạn's report is Thái Nguyên's, and says whose it was.
async fn the_report_is_answered_under_what_the_province_became(on: On) {
    let server = with_the_report(on).await;
    let (gazetteer, catalogue) = (Gazetteer::of(&shipped()), catalogue());
    for row in report().1 {
        let (code, period) = (row["indicator"].as_str(), row["period"].as_str());
        let own = server.total(code, PROVINCE, period, &row["breakdown"]).await;
        let mut parameters = vec![
            ("indicator", code),
            ("unit", "19"),
            ("period", period),
            ("map", "2025-07-01"),
            ("breakdown", row["breakdown"].as_str()),
        ];
        let body = server.get("/v1/totals/explain", &parameters).await.expect(200);
        let today = &body["total"];
        assert_eq!(today["unit"], json!({"code": "19", "name": "Tỉnh Thái Nguyên", "level": "province"}));
        assert_eq!((&today["map"], &today["map_from"]), (&json!("2025-07-01"), &json!("2025-07-01")));
        let sums = |total: &Value| {
            let counts = (total["reported"].clone(), total["covered"].clone());
            (total["value"].clone(), total["qualifier"].clone(), total["exact_part"].clone(), counts)
        };
        assert_eq!(sums(today), sums(&own), "{code}");
        assert_eq!(today["basis"], "partial", "{code}");
        let cells = |unit: &str| expected(&gazetteer, &catalogue[code], unit, period);
        assert_eq!(today["expected"], cells(PROVINCE) + cells("19"), "{code}");

        let origins = body["origins"].as_array().unwrap();
        let [from, silent] = origins.as_slice() else { panic!("{code}: {origins:?}") };
        assert_eq!((&from["share"], &from["total"]), (&json!("1"), &own), "{code}");
        assert_eq!(silent["total"]["unit"]["name"], "Tỉnh Thái Nguyên", "{code}");
        assert_eq!(silent["total"]["reason"], "missing", "{code}");
        assert_eq!(silent["total"]["reported"], 0, "{code}");
        let figures = body["figures"].as_array().unwrap();
        assert_eq!(figures.len(), 1, "{code}");
        assert_eq!(figures[0]["unit"]["code"], PROVINCE, "{code}");

        let coverage = server.get("/v1/coverage", &parameters).await.expect(200);
        assert_eq!((&coverage["total"], &coverage["origins"]), (today, &body["origins"]), "{code}");
        // The nation is one in every map.
        parameters[1] = ("unit", NATION);
        let restated = server.get("/v1/totals", &parameters).await.expect(200)["totals"][0].clone();
        let reported = server.total(code, NATION, period, &row["breakdown"]).await;
        assert_eq!(sums(&restated), sums(&reported), "{code}");
    }
    server.assert_clean().await;
}
