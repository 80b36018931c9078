//! Totals over several axes at once, what stands beside them, and what they cost: against single questions, against
//! numbers worked out by hand, and over both transports.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tonghop_proto::query as pb;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::exposition::Exposition;
use tonghop_tests::rest::ageless;
use tonghop_tests::{Server, wire};

on_both! {
    every_total_of_a_pivot_is_the_total_of_its_own_question,
    pages_are_of_one_position_whatever_is_reported_between_them,
    changes_shares_and_places_are_those_worked_out_by_hand,
    an_overview_of_the_nation_is_read_in_three_statements,
}

/// Thành phố Bắc Kạn, with eight wards, in Bắc Kạn.
const DISTRICT: &str = "058";
const PROVINCE: &str = "06";

async fn wards(server: &Server) -> Vec<String> {
    let parameters = [("date", "2024-05-14"), ("parent", DISTRICT), ("level", "commune")];
    let body = server.get("/v1/units", &parameters).await.expect(200);
    let codes = body["units"].as_array().unwrap().iter().map(|u| u["code"].as_str().unwrap().to_owned());
    codes.collect()
}

fn month(number: usize) -> String {
    format!("2024-M{number:02}")
}

/// What ward `i` gives in month `m`, of `tg01` and `tg02`.
fn given(i: usize, m: usize) -> (usize, usize) {
    (10 * (i + 1) + m, i + m)
}

fn tip(unit: &str, period: &str, scope: &str, (all, useful): (usize, usize)) -> [Value; 2] {
    let figure = |indicator: &str, value: usize, breakdown: Value| {
        json!({
            "unit": unit, "indicator": indicator, "period": period, "scope": scope,
            "value": value.to_string(), "breakdown": breakdown,
        })
    };
    [
        figure("tg01", all, json!({ "reporter": "cong-an", "channel": "undivided" })),
        figure("tg02", useful, json!({ "reporter": "cong-an" })),
    ]
}

/// Five months of eight wards, of which the fourth gives nothing in April; and two provinces that declare.
async fn reported(server: &Server) -> Vec<String> {
    let wards = wards(server).await;
    assert_eq!(wards.len(), 8);
    let mut figures = vec![];
    for m in 1..=5 {
        for (i, ward) in wards.iter().enumerate().filter(|(i, _)| (*i, m) != (3, 4)) {
            figures.extend(tip(ward, &month(m), "own", given(i, m)));
        }
        figures.extend(tip("01", &month(m), "territory", (1000 + m, 500)));
        figures.extend(tip("04", &month(m), "territory", (1000 + m, 400)));
    }
    figures.extend(tip(&wards[0], "2023-M05", "own", (8, 2)));
    figures.push(json!({
        "unit": wards[0], "indicator": "tt01", "period": "2024-M05", "scope": "own", "value": "3",
        "breakdown": { "reporter": "mttq", "channel": "undivided", "venue": "undivided" },
    }));
    server.report("five-months", json!(figures)).await;
    wards
}

fn question(indicator: &str, unit: &str, period: &str, by: &str) -> pb::GetTotalsRequest {
    pb::GetTotalsRequest {
        indicator: indicator.into(),
        unit: unit.into(),
        period: period.into(),
        by: by.into(),
        ..pb::GetTotalsRequest::default()
    }
}

fn words(question: &pb::GetTotalsRequest) -> Vec<(&'static str, String)> {
    let number = |n: u64| if n == 0 { String::new() } else { n.to_string() };
    let all = [
        ("indicator", question.indicator.clone()),
        ("unit", question.unit.clone()),
        ("period", question.period.clone()),
        ("breakdown", question.breakdown.clone()),
        ("by", question.by.clone()),
        ("dimension", question.by_dimension.clone()),
        ("map", question.map.clone()),
        ("programme", question.programme.clone()),
        ("level", question.level.clone()),
        ("last", number(question.last.into())),
        ("compare", question.compare.clone()),
        ("share", question.share.clone()),
        ("rank", if question.rank { "true".to_owned() } else { String::new() }),
        ("as_of", number(question.as_of as u64)),
        ("review", question.review.clone()),
        ("limit", number(question.page_size.into())),
        ("cursor", question.page_token.clone()),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

async fn rest(server: &Server, question: &pb::GetTotalsRequest) -> Value {
    let words = words(question);
    let words: Vec<(&str, &str)> = words.iter().map(|(name, value)| (*name, value.as_str())).collect();
    ageless(server.get("/v1/totals", &words).await.expect(200))
}

/// All totals of a question: over REST page by page, over gRPC page by page, and as a stream, which have to agree.
async fn all(server: &Server, question: &pb::GetTotalsRequest) -> Vec<Value> {
    let mut asked = question.clone();
    let mut totals = vec![];
    loop {
        let answer = server.query().get_totals(asked.clone()).await.unwrap().into_inner();
        let wire = json!({
            "as_of": wire::as_of(&answer.as_of),
            "totals": answer.totals.iter().map(wire::total).collect::<Vec<_>>(),
            "count": answer.count,
            "next": Some(&answer.next_page_token).filter(|token| !token.is_empty()),
        });
        assert_eq!(rest(server, &asked).await, wire, "{asked:?}");
        totals.extend(wire["totals"].as_array().unwrap().clone());
        if answer.next_page_token.is_empty() {
            assert_eq!(answer.count as usize, totals.len());
            break;
        }
        asked.page_token = answer.next_page_token;
    }
    let request = pb::StreamTotalsRequest { totals: Some(question.clone()) };
    let mut stream = server.query().stream_totals(request).await.unwrap().into_inner();
    let mut streamed = vec![];
    while let Some(message) = stream.message().await.unwrap() {
        streamed.push(wire::total(&message.total.unwrap()));
    }
    assert_eq!(streamed, totals, "{question:?}");
    totals
}

fn code(total: &Value) -> &str {
    total["unit"]["code"].as_str().unwrap()
}

fn key(total: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&total["indicator"]), code(total).to_owned(), text(&total["period"]))
}

/// Asks for each total by itself, and holds it against what the pivot says.
async fn is_each_its_own(server: &Server, question: &pb::GetTotalsRequest, totals: &[Value]) {
    for total in totals {
        let (indicator, unit, period) = key(total);
        let pairs = total["breakdown"].as_object().unwrap();
        let breakdown: Vec<String> =
            pairs.iter().map(|(d, m)| format!("{d}={}", m.as_str().unwrap())).collect();
        let breakdown = breakdown.join("|");
        let mut words =
            vec![("indicator", indicator.as_str()), ("unit", unit.as_str()), ("period", period.as_str())];
        words.extend((!breakdown.is_empty()).then_some(("breakdown", breakdown.as_str())));
        words.extend((!question.map.is_empty()).then_some(("map", question.map.as_str())));
        let reply = server.get("/v1/totals", &words).await;
        if total["refused"].is_string() {
            assert_eq!(reply.status, 422, "{total}");
            continue;
        }
        let mut total = total.clone();
        total.as_object_mut().unwrap().remove("break");
        assert_eq!(reply.expect(200)["totals"], json!([total]), "{question:?}");
    }
}

async fn every_total_of_a_pivot_is_the_total_of_its_own_question(on: On) {
    let server = Server::start_on(on).await;
    let wards = reported(&server).await;
    let months: Vec<String> = (1..=5).map(month).collect();

    // Children by periods, and periods by children: the first axis is the slow one.
    let asked =
        pb::GetTotalsRequest { last: 5, ..question("tg01", DISTRICT, "2024-M05", "children,periods") };
    let totals = all(&server, &asked).await;
    let keys: Vec<_> =
        totals.iter().map(|t| (code(t).to_owned(), t["period"].as_str().unwrap().to_owned())).collect();
    let expected: Vec<_> =
        wards.iter().flat_map(|w| months.iter().map(move |m| (w.clone(), m.clone()))).collect();
    assert_eq!(keys, expected);
    is_each_its_own(&server, &asked, &totals).await;
    for (i, (total, (ward, _))) in totals.iter().zip(&expected).enumerate() {
        let (ward_at, m) = (i / 5, i % 5 + 1);
        let value = (ward_at, m) != (3, 4);
        let value = value.then(|| given(ward_at, m).0.to_string());
        assert_eq!(total["value"], json!(value), "{ward} in month {m}");
    }
    let turned = all(&server, &pb::GetTotalsRequest { by: "periods,children".into(), ..asked.clone() }).await;
    let mut by_key: BTreeMap<_, _> = totals.iter().map(|t| (key(t), t)).collect();
    for (total, m) in turned.iter().zip(months.iter().flat_map(|m| std::iter::repeat_n(m, wards.len()))) {
        assert_eq!(total["period"], json!(m));
        assert_eq!(by_key.remove(&key(total)), Some(total));
    }
    assert!(by_key.is_empty());

    // Several indicators, a ratio among them, by periods: in pages of seven.
    let asked =
        pb::GetTotalsRequest { page_size: 7, ..question("tg02,tg01,tg03", PROVINCE, "2024-Q1", "periods") };
    let totals = all(&server, &asked).await;
    let of = |total: &Value| total["indicator"].as_str().unwrap().split('-').next().unwrap().to_owned();
    assert_eq!(totals.len(), 9);
    // Indicators stand in the registry's order, whatever order they are named in.
    assert_eq!(totals.iter().map(of).step_by(3).collect::<Vec<_>>(), ["tg01", "tg02", "tg03"]);
    is_each_its_own(&server, &asked, &totals).await;

    // Every commune of the province.
    let asked =
        pb::GetTotalsRequest { level: "commune".into(), ..question("tg01", PROVINCE, "2024-M05", "units") };
    let totals = all(&server, &asked).await;
    assert_eq!(totals.len(), 108);
    assert_eq!(totals.iter().filter(|t| t["value"].is_string()).count(), 8);
    is_each_its_own(&server, &asked, &totals[..12]).await;

    // Members by periods; what sides have no common total says so in its row.
    let asked = pb::GetTotalsRequest {
        by_dimension: "reporter".into(),
        last: 2,
        ..question("tt01", DISTRICT, "2024-M05", "breakdown,periods")
    };
    let totals = all(&server, &asked).await;
    assert_eq!(totals.len(), 6);
    is_each_its_own(&server, &asked, &totals).await;

    // A programme, over the provinces of the nation.
    let asked =
        pb::GetTotalsRequest { programme: "CTPH-09".into(), ..question("", "VN", "2024-M05", "children") };
    let totals = all(&server, &asked).await;
    let indicators = totals.iter().map(of).collect::<std::collections::BTreeSet<_>>();
    assert!(indicators.contains("tg01") && indicators.contains("tg03"), "{indicators:?}");
    assert!(totals.len() > 63 * 10, "{}", totals.len());
    let some: Vec<Value> = totals.iter().filter(|t| ["01", "06"].contains(&code(t))).cloned().collect();
    is_each_its_own(&server, &asked, &some).await;

    // Across the reform of July 2025, restated and as reported.
    for map in ["", "2025-07-01"] {
        let asked = pb::GetTotalsRequest {
            map: map.into(),
            last: 24,
            ..question("tg01,tg02", "19", "2025-M12", "periods")
        };
        let totals = all(&server, &asked).await;
        is_each_its_own(&server, &asked, &totals).await;
        let breaks = totals.iter().filter(|t| t["break"] == json!(true)).count();
        assert!(breaks > 0, "{map:?}: the territory became another");
        let may = totals.iter().filter(|t| t["period"] == json!("2024-M05")).count();
        assert_eq!(may, if map.is_empty() { 4 } else { 2 }, "as reported there are two provinces before");
    }

    for (by, word) in [("children,children", "same_by_twice"), ("children,units", "same_by_twice")] {
        let words =
            [("indicator", "tg01"), ("unit", "VN"), ("period", "2024"), ("by", by), ("level", "province")];
        assert_eq!(server.get("/v1/totals", &words).await.codes(), [word], "{by}");
    }
    let too_many = [
        ("unit", "VN"),
        ("period", "2024-M05"),
        ("by", "indicators,units,periods"),
        ("level", "commune"),
        ("last", "120"),
    ];
    let reply = server.get("/v1/totals", &too_many).await;
    assert_eq!(reply.status, 413, "{}", reply.text());
    assert!(reply.text().contains("20000"), "{}", reply.text());
}

async fn pages_are_of_one_position_whatever_is_reported_between_them(on: On) {
    let server = Server::start_on(on).await;
    let wards = reported(&server).await;
    let asked =
        pb::GetTotalsRequest { last: 5, ..question("tg01", DISTRICT, "2024-M05", "children,periods") };
    let whole = rest(&server, &asked).await;
    let nation = pb::GetTotalsRequest { last: 5, ..question("tg01,tg02", "VN", "2024-M05", "periods") };
    let whole_nation = rest(&server, &nation).await;

    let mut paged = vec![];
    let mut page = pb::GetTotalsRequest { page_size: 9, ..asked.clone() };
    let mut of_nation = vec![];
    let mut nation_page = pb::GetTotalsRequest { page_size: 3, ..nation.clone() };
    for turn in 0.. {
        let answer = rest(&server, &page).await;
        assert_eq!(answer["as_of"], whole["as_of"], "turn {turn}");
        paged.extend(answer["totals"].as_array().unwrap().clone());
        if of_nation.len() < 10 {
            let answer = rest(&server, &nation_page).await;
            assert_eq!(answer["as_of"], whole["as_of"], "turn {turn}");
            of_nation.extend(answer["totals"].as_array().unwrap().clone());
            nation_page.page_token = answer["next"].as_str().unwrap_or_default().to_owned();
        }
        let Some(next) = answer["next"].as_str() else { break };
        page.page_token = next.to_owned();
        // What was on the pages before and what is on those to come is revised meanwhile, and a ward is new.
        let revised = tip(&wards[7], "2024-M05", "own", (9000 + turn, 9000));
        let late = tip(&wards[3], "2024-M04", "own", (7000 + turn, 7000));
        server.report(&format!("between-{turn}"), json!([revised, late].concat())).await;
    }
    assert_eq!(paged, *whole["totals"].as_array().unwrap());
    assert_eq!(of_nation, *whole_nation["totals"].as_array().unwrap());
    let now = rest(&server, &asked).await;
    assert_ne!(now["totals"], whole["totals"]);

    // A cursor is of its question, and of nothing else.
    let first = rest(&server, &pb::GetTotalsRequest { page_size: 9, ..asked.clone() }).await;
    let cursor = first["next"].as_str().unwrap();
    for (unit, cursor, expected) in [
        (PROVINCE, cursor, "cursor_of_another_question"),
        (DISTRICT, "7", "malformed_cursor"),
        (DISTRICT, "99999999.0.0", "cursor_of_another_question"),
    ] {
        let words = [
            ("indicator", "tg01"),
            ("unit", unit),
            ("period", "2024-M05"),
            ("by", "children,periods"),
            ("last", "5"),
            ("cursor", cursor),
        ];
        let reply = server.get("/v1/totals", &words).await;
        assert_eq!((reply.status, reply.codes()), (400, vec![expected.to_owned()]), "{cursor}");
    }
}

async fn changes_shares_and_places_are_those_worked_out_by_hand(on: On) {
    let server = Server::start_on(on).await;
    let wards = reported(&server).await;
    let beside = |indicator: &str, unit: &str, period: &str, by: &str| pb::GetTotalsRequest {
        compare: "previous,last_year".into(),
        share: "nation".into(),
        rank: true,
        ..question(indicator, unit, period, by)
    };
    let one = async |asked: pb::GetTotalsRequest| {
        let totals = all(&server, &asked).await;
        assert_eq!(totals.len(), 1, "{asked:?}");
        totals[0].clone()
    };

    // Ward 0: 15 in May, 14 in April, 8 in May of the year before. 1/14 is 7.142…%, 7/8 is 87.5%.
    let ward = one(beside("tg01", &wards[0], "2024-M05", "")).await;
    assert_eq!(
        ward["compared"],
        json!({
            "previous": { "period": "2024-M04", "value": "14", "qualifier": "exact",
                          "difference": "1", "change_percent": "7.14" },
            "last_year": { "period": "2023-M05", "value": "8", "qualifier": "exact",
                           "difference": "7", "change_percent": "87.50" },
        })
    );
    // The nation is not complete, so a share of it would be one of what is known only.
    assert_eq!(
        ward["share"],
        json!({ "percent": null, "of": (1005 + 1005 + 400).to_string(), "not_comparable": "coverage" })
    );
    // The smallest of eight.
    assert_eq!(ward["rank"], json!({ "place": 8, "of": 8, "peers": 8 }));

    // In April one ward is missing: seven have places, and the district is not to be compared with its May.
    let april = all(&server, &beside("tg01", DISTRICT, "2024-M04", "children")).await;
    let places: Vec<Value> = april.iter().map(|t| t["rank"]["place"].clone()).collect();
    assert_eq!(json!(places), json!([7, 6, 5, null, 4, 3, 2, 1]));
    assert!(april.iter().all(|t| t["rank"]["of"] == 7 && t["rank"]["peers"] == 8));
    assert_eq!(april[3]["compared"]["previous"]["not_comparable"], "missing");
    let may = one(beside("tg01", DISTRICT, "2024-M05", "")).await;
    let without_fourth: usize = (0..8).filter(|i| *i != 3).map(|i| given(i, 4).0).sum();
    assert_eq!(
        may["compared"]["previous"],
        json!({ "period": "2024-M04", "value": without_fourth.to_string(), "qualifier": "exact",
                "difference": null, "change_percent": null, "not_comparable": "coverage" })
    );
    // Of ratios the difference is one of percentages, and a ratio is no part of a whole.
    let rate = one(beside("tg03", &wards[0], "2024-M05", "")).await;
    assert_eq!((&rate["value"], &rate["compared"]["previous"]["value"]), (&json!("33.33"), &json!("28.57")));
    assert_eq!(rate["compared"]["previous"]["difference"], "4.76");
    assert_eq!(rate["share"]["not_comparable"], "not_additive");

    // Both provinces declare the same, and share a place; of 63, three have a value.
    let provinces = all(&server, &beside("tg01", "VN", "2024-M05", "children")).await;
    let of = |unit: &str| provinces.iter().find(|t| code(t) == unit).unwrap_or_else(|| panic!("no {unit}"));
    for unit in ["01", "04"] {
        assert_eq!(of(unit)["rank"], json!({ "place": 1, "of": 3, "peers": 63 }), "{unit}");
        assert_eq!(of(unit)["compared"]["previous"]["change_percent"], "0.10", "1005 after 1004");
    }
    assert_eq!(of(PROVINCE)["rank"]["place"], 3);
    assert_eq!(of("02")["rank"], json!({ "place": null, "of": 3, "peers": 63 }));
    // The nation has no peers.
    assert_eq!(
        one(beside("tg01", "VN", "2024-M05", "")).await["rank"],
        json!({ "place": null, "of": 0, "peers": 0 })
    );

    // Every province declares June: then a share is said. 63 of them at 100, one of which is a third more.
    let mut figures = vec![];
    for total in &provinces {
        let value = if code(total) == "01" { 133 } else { 100 };
        figures.extend(tip(code(total), "2024-M06", "territory", (value, 50)));
    }
    server.report("june", json!(figures)).await;
    let hanoi = one(beside("tg01", "01", "2024-M06", "")).await;
    // 133 of 6,333 are 2.1001…%.
    assert_eq!(hanoi["share"], json!({ "percent": "2.10", "of": "6333" }));
    assert_eq!(one(beside("tg01", "VN", "2024-M06", "")).await["share"]["percent"], "100.00");

    // A province that took in another is not what it was; restated it is.
    let declared: Vec<Value> =
        ["2025-M06", "2025-M08"].iter().flat_map(|m| tip("19", m, "territory", (60, 6))).collect();
    server.report("reform", json!(declared)).await;
    server.report("reform-06", json!(tip("06", "2025-M06", "territory", (40, 4)))).await;
    let year_before =
        |map: &str| pb::GetTotalsRequest { map: map.into(), ..beside("tg01", "19", "2025-M08", "") };
    server.report("reform-july", json!(tip("19", "2025-M07", "territory", (50, 5)))).await;
    let july_to_june = pb::GetTotalsRequest { period: "2025-M07".into(), ..year_before("") };
    let told = one(july_to_june.clone()).await;
    assert_eq!(told["compared"]["previous"]["not_comparable"], "territory", "{told}");
    let restated = one(pb::GetTotalsRequest { map: "2025-07-01".into(), ..july_to_june }).await;
    assert_eq!(
        restated["compared"]["previous"],
        json!({ "period": "2025-M06", "value": "100", "qualifier": "exact",
                "difference": "-50", "change_percent": "-50.00" })
    );
    // What has no period before it says so.
    let span = one(beside("tg01", "VN", "2013..2023", "")).await;
    assert_eq!(
        span["compared"]["last_year"],
        json!({
            "period": null, "value": null, "qualifier": null, "difference": null, "change_percent": null,
            "not_comparable": "no_period",
        })
    );
    for (name, value, finding) in
        [("compare", "tomorrow", "unknown_compare"), ("share", "province", "unknown_share")]
    {
        let words = [("indicator", "tg01"), ("unit", "VN"), ("period", "2024"), (name, value)];
        assert_eq!(server.get("/v1/totals", &words).await.codes(), [finding]);
    }
}

async fn statements(server: &Server) -> u64 {
    let text = server.get("/metrics", &[]).await.text();
    let read = Exposition::read(&text).expect("metrics");
    let found = read.samples.iter().find(|(name, ..)| name == "tonghop_query_statements_total");
    found.map(|(_, _, value)| *value as u64).expect("the statements of query are counted")
}

/// Every province declares every core indicator that is counted, for two months of two years.
async fn an_overview_of_the_nation_is_read_in_three_statements(on: On) {
    let server = Server::start_on(on).await;
    reported(&server).await;
    let provinces =
        server.get("/v1/units", &[("date", "2024-05-14"), ("level", "province")]).await.expect(200);
    let provinces: Vec<String> = provinces["units"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| u["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(provinces.len(), 63);
    let mut figures = vec![];
    for (n, province) in provinces.iter().enumerate() {
        for period in ["2024-M05", "2024-M04", "2023-M05"] {
            figures.extend(tip(province, period, "territory", (100 + n, n)));
        }
    }
    server.report("nation", json!(figures)).await;

    let overview = |unit: &str| pb::GetTotalsRequest {
        programme: "CTPH-09".into(),
        last: 12,
        compare: "previous,last_year".into(),
        share: "nation".into(),
        rank: true,
        ..question("", unit, "2024-M05", "indicators,periods")
    };
    // The registry is read once a process.
    rest(&server, &question("tg01", "VN", "2024-M05", "")).await;
    for unit in ["VN", PROVINCE] {
        let before = statements(&server).await;
        let answer = rest(&server, &overview(unit)).await;
        let sent = statements(&server).await - before;
        assert!(answer["count"].as_u64().unwrap() > 12 * 10, "{}", answer["count"]);
        assert!(sent <= 3, "{unit}: {sent} statements");
    }
    // One total of the nation needs no tiles.
    let before = statements(&server).await;
    rest(&server, &question("tg01", "VN", "2024-M05", "")).await;
    assert!(statements(&server).await - before <= 2);
}
