//! The reform of 1 July 2025 over the public API: totals restated to today's map as they are kept, series across the
//! break, and the two kinds of marks.

use serde_json::{Value, json};
use tonghop_core::registry::Registry;
use tonghop_core::unit::Level;
use tonghop_proto::ingestion as wire;
use tonghop_proto::ingestion::figure::Statement;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::Server;
use tonghop_tests::server::shipped_draft;

on_both! {
    a_series_goes_across_the_reform_in_either_map,
    every_commune_around_the_reform_comes_out_the_same_incrementally_and_from_scratch,
    a_stock_of_the_old_province_stands_marked_until_the_new_one_reports,
}

const TODAY: &str = "2025-07-01";

fn tips(unit: &str, period: &str, value: i64) -> Value {
    json!({ "unit": unit, "indicator": "tg02", "period": period, "scope": "territory", "value": value.to_string(),
            "breakdown": { "reporter": "cong-an" } })
}

async fn totals(server: &Server, parameters: &[(&str, &str)]) -> Vec<Value> {
    let body = server.get("/v1/totals", parameters).await.expect(200);
    body["totals"].as_array().expect("totals").clone()
}

/// A point: period, unit, value, the map it is told on, and whether the territory is another than before.
fn point(total: &Value) -> (String, String, String, String, bool) {
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    (
        text(&total["period"]),
        text(&total["unit"]["name"]),
        text(&total["value"]),
        text(&total["map_from"]),
        total["break"] == true,
    )
}

async fn a_series_goes_across_the_reform_in_either_map(on: On) {
    let server = Server::start_on(on).await;
    let figures = json!([
        tips("06", "2025-M06", 10),
        tips("19", "2025-M06", 20),
        tips("19", "2025-M07", 7),
        tips("19", "2025-M08", 8),
        tips("01", "2025-M06", 1),
    ]);
    server.report("series", figures).await;
    let question = [("indicator", "tg02"), ("unit", "19"), ("period", "2025-Q3"), ("by", "periods")];
    let of = |period: &str, unit: &str, value: &str, map: &str, is_break: bool| {
        (period.to_owned(), unit.to_owned(), value.to_owned(), map.to_owned(), is_break)
    };
    // In the calendar of Nghị định 09 July starts in June and ends on today's map.
    let points: Vec<_> = totals(&server, &question).await.iter().map(point).collect();
    let (old, new) = ("Tỉnh Bắc Kạn", "Tỉnh Thái Nguyên");
    assert_eq!(
        points,
        [
            of("2025-M07", new, "7", TODAY, false),
            of("2025-M08", new, "8", TODAY, false),
            of("2025-M09", new, "-", TODAY, false),
        ]
    );
    let question = [("indicator", "tg02"), ("unit", "19"), ("period", "2025"), ("by", "periods")];
    let points: Vec<_> = totals(&server, &question).await.iter().map(point).collect();
    assert_eq!(points.len(), 6 * 2 + 6);
    assert_eq!(
        points[10..14],
        [
            of("2025-M06", old, "10", "-", false),
            of("2025-M06", new, "20", "-", false),
            of("2025-M07", new, "7", TODAY, true),
            of("2025-M08", new, "8", TODAY, false),
        ]
    );
    let restated: Vec<(&str, &str)> = question.into_iter().chain([("map", TODAY)]).collect();
    let points: Vec<_> = totals(&server, &restated).await.iter().map(point).collect();
    assert_eq!(points.len(), 12);
    assert_eq!(
        points[5..8],
        [
            of("2025-M06", new, "30", TODAY, false),
            of("2025-M07", new, "7", TODAY, true),
            of("2025-M08", new, "8", TODAY, false),
        ]
    );
    // The year, with its past, is the sum of both, and so is the nation's.
    let year = server.total("tg02", "19", "2025", "").await;
    assert_eq!((&year["value"], &year["basis"]), (&json!("45"), &json!("partial")));
    assert_eq!(server.total("tg02", "VN", "2025", "").await["value"], "46");
    let body = server.get("/v1/totals/explain", &[question[0], question[1], question[2]]).await.expect(200);
    let tiles: Vec<_> = body["tiles"].as_array().unwrap().iter().map(point).collect();
    assert!(tiles.contains(&of("2025-H1", new, "30", TODAY, false)), "{tiles:?}");
    assert_eq!(body["along"], "time");
    server.assert_clean().await;
}

/// Figures of all communes of the last month of the old map and the first of the new, late, revised and in pieces.
async fn every_commune_around_the_reform_comes_out_the_same_incrementally_and_from_scratch(on: On) {
    let server = Server::start_on(on).await;
    let registry = Registry::build(shipped_draft(), None).expect("the registry that ships");
    let indicator = registry.indicator("tg02").expect("known");
    let mut sum = std::collections::BTreeMap::new();
    // The new map first: what comes late has to find its place.
    for (month, factor) in [("2025-M07", 3), ("2025-M06", 1), ("2025-M06", 2)] {
        let period = tonghop_core::period::Period::parse(month).expect("a month");
        let day = indicator.calendar.last_day(period);
        let units = registry.map_on(day).units();
        let units: Vec<_> = units.filter(|unit| registry.collects(*unit, day, Level(3))).collect();
        // Only some are revised.
        let units: Vec<_> = units.into_iter().filter(|u| factor != 2 || u.0 % 7 == 0).collect();
        for (i, some) in units.chunks(2_500).enumerate() {
            let figures = some.iter().map(|unit| {
                let value = i64::from(unit.0 % 13) * factor;
                sum.insert((month, *unit), value);
                wire::Figure {
                    unit: registry.unit(*unit).code.clone(),
                    indicator: "tg02".into(),
                    breakdown: "reporter=cong-an".into(),
                    period: month.into(),
                    scope: "own".into(),
                    statement: Some(Statement::Value(value.to_string())),
                    qualifier: "exact".into(),
                    programmes: vec![],
                }
            });
            let request = wire::SubmitRequest {
                idempotency_key: format!("{month} {factor} {i}"),
                source: "SYNTHETIC".into(),
                figures: figures.collect(),
                ..wire::SubmitRequest::default()
            };
            let answer = server.ingestion().submit(request).await.expect("taken").into_inner();
            server.wait(answer.receipt.expect("a receipt").position).await;
        }
    }
    let count = |month: &str| sum.iter().filter(|((m, _), _)| *m == month).map(|(_, v)| v).sum::<i64>();
    let value = |total: &Value| total["value"].as_str().expect("a value").parse::<i64>().expect("whole");
    for (period, expected) in [
        ("2025-M06", count("2025-M06")),
        ("2025-M07", count("2025-M07")),
        ("2025", count("2025-M06") + count("2025-M07")),
    ] {
        let nation = [("indicator", "tg02"), ("unit", "VN"), ("period", period), ("map", TODAY)];
        assert_eq!(value(&totals(&server, &nation).await[0]), expected, "{period}");
        assert_eq!(value(&server.total("tg02", "VN", period, "").await), expected, "{period}");
        let children: Vec<_> = nation.into_iter().chain([("by", "children")]).collect();
        let provinces = totals(&server, &children).await;
        assert_eq!(provinces.len(), 34);
        assert_eq!(provinces.iter().map(value).sum::<i64>(), expected, "{period}");
        let mut communes = 0;
        for province in &provinces {
            let code = province["unit"]["code"].as_str().expect("a code");
            let below: Vec<_> =
                children.iter().map(|(k, v)| (*k, if *k == "unit" { code } else { v })).collect();
            let below = totals(&server, &below).await;
            communes += below.len();
            assert_eq!(below.iter().map(value).sum::<i64>(), value(province), "{period} {code}");
        }
        assert_eq!(communes, 3_321);
    }
    // A restated total that is kept is the one that the tiles come to: a cut is rolled up from them.
    let cut = [("indicator", "tg02"), ("unit", "24"), ("period", "2025-M06"), ("map", TODAY)];
    let kept = totals(&server, &cut).await.remove(0);
    let cut: Vec<_> = cut.into_iter().chain([("breakdown", "reporter=cong-an")]).collect();
    let mut rolled_up = totals(&server, &cut).await.remove(0);
    rolled_up["breakdown"] = json!({});
    assert_eq!(kept, rolled_up);
    server.assert_clean().await;
}

async fn a_stock_of_the_old_province_stands_marked_until_the_new_one_reports(on: On) {
    let server = Server::start_on(on).await;
    let teams = |unit: &str, day: &str, value: &str| {
        json!({ "unit": unit, "indicator": "ll01", "period": day, "scope": "territory", "value": value,
                "breakdown": { "reporter": "cong-an" } })
    };
    server.report("before", json!([teams("06", "2025-05-01", "10"), teams("19", "2025-06-01", "20")])).await;
    let total = server.total("ll01", "19", "2025", "").await;
    assert_eq!((&total["value"], &total["carried"]), (&json!("30"), &json!(true)));
    assert_eq!((&total["oldest"], &total["newest"]), (&json!("2025-05-01"), &json!("2025-06-01")));
    assert_eq!(server.total("ll01", "VN", "2025", "").await["value"], "30");
    server.report("after", json!([teams("19", "2025-09-01", "27")])).await;
    let total = server.total("ll01", "19", "2025", "").await;
    assert_eq!(
        (&total["value"], &total["basis"], &total["carried"]),
        (&json!("27"), &json!("declared"), &Value::Null)
    );
    assert_eq!(server.total("ll01", "VN", "2025", "").await["value"], "27");
    server.assert_clean().await;
}
