//! Bad input: each kind with its finding, where it stands, and nothing stored.

use serde_json::{Value, json};
use tonghop_proto::ingestion as pb;
use tonghop_proto::ingestion::figure::Statement;
use tonghop_proto::query::GetTotalsRequest;
use tonghop_tests::{Reply, Server};
use tonic::Code;
use tonic_types::StatusExt;
use unicode_normalization::UnicodeNormalization;

/// A figure that is accepted: crime tips of Bắc Kạn.
fn good() -> Value {
    json!({ "unit": "06", "indicator": "tg01", "period": "2023-M03", "scope": "territory", "value": "5",
            "breakdown": { "reporter": "cong-an", "channel": "undivided" } })
}

/// The figure with some keys otherwise; a null takes a key away.
fn with(changes: Value) -> Value {
    let mut figure = good();
    let keys = figure.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(keys.shift_remove(key)),
            some => drop(keys.insert(key.clone(), some.clone())),
        }
    }
    figure
}

fn submission(figures: &[Value]) -> Value {
    json!({ "source": "test", "figures": figures })
}

/// A finding: its code, and where it stands.
type Found<'a> = &'a [(&'a str, &'a str)];
/// Parameters of a question; status and findings of its refusal.
type Question<'a> = (&'a [(&'a str, &'a str)], u16, Found<'a>);

/// One document after the other to one server: status and findings of each, and that none of them moved the
/// ledger's head.
async fn refused(cases: &[(&str, Value, u16, Found<'_>)]) {
    let server = Server::start().await;
    let before = server.head().await;
    for (what, document, status, findings) in cases {
        let reply = server.push_json(what, document).await;
        assert_refused(what, &reply, *status, findings);
    }
    assert_eq!(server.head().await, before);
    // And the figure that all of them are made from is accepted.
    assert_eq!(server.push_json("good", &submission(&[good()])).await.status, 201);
    server.assert_clean().await;
}

#[track_caller]
fn assert_refused(what: &str, reply: &Reply, status: u16, findings: Found<'_>) {
    assert_eq!(reply.status, status, "{what}: {}", reply.text());
    assert_eq!(reply.header("content-type"), "application/problem+json", "{what}");
    let body = reply.json();
    assert_eq!(body["status"], json!(status), "{what}");
    for field in ["type", "title", "detail"] {
        assert!(body[field].as_str().is_some_and(|t| !t.is_empty()), "{what}: {body}");
    }
    let found = reply.findings();
    let found: Vec<(&str, &str)> =
        found.iter().map(|(code, place)| (code.as_str(), place.as_str())).collect();
    assert_eq!(found, findings, "{what}: {}", reply.text());
    for finding in body["findings"].as_array().into_iter().flatten() {
        for field in ["got", "expected", "hint"] {
            assert!(finding[field].as_str().is_some_and(|t| !t.is_empty()), "{what}: {finding}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_unit_indicator_or_breakdown_is_named() {
    let one = |changes: Value| submission(&[with(changes)]);
    refused(&[
        ("unknown unit", one(json!({ "unit": "9999" })), 422, &[("unknown_unit", "figures[0].unit")]),
        (
            "a unit not in force in that period",
            one(json!({ "period": "2025-M09" })),
            422,
            &[("unit_not_in_force", "figures[0].unit")],
        ),
        (
            "unknown indicator",
            one(json!({ "indicator": "zz99" })),
            422,
            &[("unknown_indicator", "figures[0].indicator")],
        ),
        (
            "an indicator that the map gives",
            one(json!({ "indicator": "ms07", "breakdown": {} })),
            422,
            &[("indicator_from_map", "figures[0].indicator")],
        ),
        (
            "unknown dimension",
            one(json!({ "breakdown": { "reporter": "cong-an", "channel": "undivided", "colour": "red" } })),
            422,
            &[("unknown_dimension", "figures[0].breakdown.colour")],
        ),
        (
            "unknown member",
            one(json!({ "breakdown": { "reporter": "cong-an", "channel": "pigeon" } })),
            422,
            &[("unknown_member", "figures[0].breakdown.channel")],
        ),
        (
            "a breakdown the indicator does not have",
            one(json!({ "breakdown": { "reporter": "cong-an", "channel": "undivided", "venue": "school" } })),
            422,
            &[("dimension_not_of_indicator", "figures[0].breakdown.venue")],
        ),
        (
            "no member of a partition, and no side",
            one(json!({ "breakdown": {} })),
            422,
            &[
                ("missing_member", "figures[0].breakdown.channel"),
                ("missing_reporter", "figures[0].breakdown.reporter"),
            ],
        ),
        (
            "a side that does not report it",
            one(json!({ "breakdown": { "reporter": "mttq", "channel": "undivided" } })),
            422,
            &[("reporter_not_allowed", "figures[0].breakdown.reporter")],
        ),
        (
            "an unknown programme",
            one(json!({ "programmes": ["CTPH-99"] })),
            422,
            &[("unknown_programme", "figures[0].programmes")],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_is_gone_is_named_with_its_successor() {
    let server = Server::start().await;
    let before = server.head().await;
    let reply = server.push_json("k", &submission(&[with(json!({ "period": "2025-M09" }))])).await;
    assert_eq!(reply.codes(), ["unit_not_in_force"], "{}", reply.text());
    let finding = &reply.json()["findings"][0];
    assert_eq!(finding["got"], "06");
    assert!(finding["expected"].as_str().unwrap().contains("2025-09-14"), "{finding}");
    let hint = finding["hint"].as_str().unwrap();
    assert!(hint.contains("2025-07-01") && hint.contains("19") && hint.contains("Thái Nguyên"), "{hint}");
    assert_eq!(server.head().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_period_or_scope_is_named() {
    let one = |changes: Value| submission(&[with(changes)]);
    let kdc = json!({ "unit": "06", "indicator": "at01", "scope": "territory", "value": "5",
                      "breakdown": { "reporter": "cong-an" } });
    let at = |period: &str| {
        let mut figure = kdc.clone();
        figure["period"] = json!(period);
        submission(&[figure])
    };
    refused(&[
        (
            "a period shorter than the indicator is collected by",
            one(json!({ "indicator": "tg06", "breakdown": { "reporter": "cong-an" } })),
            422,
            &[("period_too_short", "figures[0].period")],
        ),
        (
            "a quarter of a calendar that has none",
            at("2023-Q1"),
            422,
            &[("period_not_in_calendar", "figures[0].period")],
        ),
        (
            "an instant of what happens over time",
            one(json!({ "period": "2023-05-25" })),
            422,
            &[("instant_for_flow", "figures[0].period")],
        ),
        (
            "a span that ends before it starts",
            one(json!({ "period": "2023..2013" })),
            422,
            &[("span_ends_before_start", "figures[0].period")],
        ),
        (
            "not a period",
            one(json!({ "period": "2023-M13" })),
            422,
            &[("malformed_period", "figures[0].period")],
        ),
        (
            "outside the indicator's validity",
            one(json!({ "indicator": "ll01", "period": "2023-H1", "breakdown": { "reporter": "cong-an" } })),
            422,
            &[("indicator_not_in_force", "figures[0].period")],
        ),
        (
            "scope territory at the collection level",
            one(json!({ "unit": "01840" })),
            422,
            &[("territory_at_collection_level", "figures[0].scope")],
        ),
        ("not a scope", one(json!({ "scope": "all" })), 422, &[("unknown_scope", "figures[0].scope")]),
        (
            "a unit below the collection level",
            one(json!({ "unit": "01840", "indicator": "pl04", "period": "2023", "scope": "own",
                        "breakdown": { "reporter": "cong-an" } })),
            422,
            &[("unit_below_collection_level", "figures[0].unit")],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_value_is_named() {
    let one = |changes: Value| submission(&[with(changes)]);
    let kilograms = |value: &str| json!({ "indicator": "tg09", "period": "2023-Q1", "value": value, "breakdown": { "reporter": "cong-an" } });
    let at: &str = "figures[0].value";
    refused(&[
        ("a fraction for a count", one(json!({ "value": "5.5" })), 422, &[("fraction_for_count", at)]),
        ("a negative count", one(json!({ "value": "-5" })), 422, &[("negative", at)]),
        ("more decimals than it has", one(kilograms("1.2345")), 422, &[("too_many_decimals", at)]),
        ("overflow", one(json!({ "value": "1000000000000000" })), 422, &[("too_large", at)]),
        ("far overflow", one(json!({ "value": "9".repeat(100) })), 422, &[("too_large", at)]),
        ("words", one(json!({ "value": "many" })), 422, &[("not_a_number", at)]),
        ("an exponent", one(json!({ "value": "1e3" })), 422, &[("not_a_number", at)]),
        ("digits of another script", one(json!({ "value": "٣" })), 422, &[("not_a_number", at)]),
        ("a JSON fraction", one(json!({ "value": 5.5 })), 422, &[("fraction_as_json_number", at)]),
        ("a value of another type", one(json!({ "value": true })), 422, &[("wrong_type", at)]),
        (
            "a qualifier nobody knows",
            one(json!({ "qualifier": "roughly" })),
            422,
            &[("unknown_qualifier", "figures[0].qualifier")],
        ),
        ("nothing said", one(json!({ "value": null })), 422, &[("no_statement", "figures[0]")]),
        (
            "two things said",
            one(json!({ "not_available": "not counted" })),
            422,
            &[("several_statements", "figures[0]")],
        ),
        (
            "no reason",
            one(json!({ "value": null, "not_available": " " })),
            422,
            &[("empty_reason", "figures[0].not_available")],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_that_contradicts_itself_is_refused() {
    let useful = |value: &str| {
        with(json!({ "indicator": "tg02", "value": value, "breakdown": { "reporter": "cong-an" } }))
    };
    refused(&[
        // A short code and the whole one are one key all the same.
        (
            "the same key twice",
            submission(&[good(), with(json!({ "indicator": "tg01-crime-tips", "value": "6" }))]),
            422,
            &[("duplicate_figure", "figures[1]")],
        ),
        (
            "a part above its whole",
            submission(&[good(), useful("6")]),
            422,
            &[("numerator_above_denominator", "figures[1].value")],
        ),
        ("an empty submission", submission(&[]), 422, &[("empty_submission", "figures")]),
        ("no figures", json!({ "source": "test" }), 422, &[("missing_field", "figures")]),
        (
            "an unknown key",
            json!({ "source": "test", "figures": [good()], "colour": "red" }),
            422,
            &[("unknown_key", "colour")],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_findings_of_a_submission_come_at_once() {
    let figures = [
        with(json!({ "unit": "9999" })),
        with(json!({ "indicator": "zz99" })),
        good(),
        with(json!({ "period": "2023..2013", "value": "-1" })),
        with(json!({ "period": "2023-M04", "breakdown": { "reporter": "cong-an", "channel": "pigeon" } })),
        good(),
    ];
    refused(&[(
        "six figures",
        submission(&figures),
        422,
        &[
            ("unknown_unit", "figures[0].unit"),
            ("unknown_indicator", "figures[1].indicator"),
            ("span_ends_before_start", "figures[3].period"),
            ("negative", "figures[3].value"),
            ("unknown_member", "figures[4].breakdown.channel"),
            ("duplicate_figure", "figures[5]"),
        ],
    )])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_reads_as_this() {
    let server = Server::start().await;
    let figures = [
        with(json!({ "period": "2025-M09" })),
        with(json!({ "indicator": "tg01-crime-tip", "value": "37.853" })),
    ];
    let body = server.push_json("k", &submission(&figures)).await.expect(422);
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_line_of_a_table_is_named_by_line_and_column() {
    let server = Server::start().await;
    let before = server.head().await;
    let header = "unit_code,indicator,breakdown,period,scope,value,qualifier,not_available_reason,programme";
    let line = "06,tg01,channel=undivided|reporter=cong-an,2023-M03,territory,5,exact,,";
    let cases: [(&str, String, u16, Found<'_>); 7] = [
        (
            "unit and value",
            format!(
                "{header}\n{line}\n99,tg01,channel=undivided|reporter=cong-an,2023-M04,territory,-5,exact,,\n"
            ),
            422,
            &[("unknown_unit", "3:unit_code"), ("negative", "3:value")],
        ),
        ("short line", format!("{header}\n{line}\n06,tg01\n"), 422, &[("wrong_length", "3")]),
        ("open quote", format!("{header}\n{line}\n\"06,tg01\n"), 400, &[("unclosed_quote", "3")]),
        ("no header", String::new(), 400, &[("missing_header", "1")]),
        (
            "no column",
            format!("{}\n{line}\n", header.replace(",scope", ",extent")),
            400,
            &[("missing_column", "1:scope")],
        ),
        ("only a header", format!("{header}\n"), 422, &[("empty_submission", "figures")]),
        (
            "a map date that disagrees",
            format!("{header},map_date\n{line},2025-08-01\n"),
            422,
            &[("map_date_mismatch", "2:map_date")],
        ),
    ];
    for (what, document, status, findings) in cases {
        let reply = server.push_csv(what, "test", document).await;
        assert_refused(what, &reply, status, findings);
    }
    assert_eq!(server.head().await, before);
    assert_eq!(server.push_csv("good", "test", format!("{header}\n{line}\n")).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_cannot_be_read_is_refused_with_where_it_breaks() {
    let server = Server::start().await;
    let before = server.head().await;
    let whole = submission(&[good()]).to_string();
    let twice = whole.replacen("\"unit\":", "\"unit\":\"04\",\"unit\":", 1);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut latin = whole.clone().into_bytes();
    let at = whole.find("cong-an").unwrap();
    latin[at] = 0xe9;
    let cases: [(&str, Vec<u8>, u16, &[&str]); 7] = [
        ("a truncated body", whole.as_bytes()[..whole.len() - 9].to_vec(), 400, &["truncated_json"]),
        ("nothing", vec![], 400, &["truncated_json"]),
        ("not JSON", b"{\"source\": test}".to_vec(), 400, &["malformed_json"]),
        ("not UTF-8", latin, 400, &["not_utf8"]),
        ("a duplicate key", twice.into_bytes(), 422, &["duplicate_key"]),
        ("nested too deeply", deep.into_bytes(), 400, &["too_deep"]),
        ("not an object", b"[]".to_vec(), 400, &["wrong_type"]),
    ];
    let headers = |key| [("idempotency-key", key), ("content-type", "application/json")];
    for (what, document, status, codes) in cases {
        let reply = server.post(&[], &headers(what), document).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.text());
        assert_eq!(reply.codes(), codes, "{what}: {}", reply.text());
    }
    let csv = b"unit_code,indicator,breakdown,period,scope,value,qualifier,not_available_reason,programme\n\xff,,,,,,,,\n";
    let reply = server.push_csv("latin", "test", csv.as_slice()).await;
    assert_eq!((reply.status, reply.codes()), (400, vec!["not_utf8".to_owned()]));
    assert_eq!(server.head().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_cut_off_in_transit_is_not_stored() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Server::start().await;
    let before = server.head().await;
    let whole = submission(&[good()]).to_string();
    let address = server.url("/", &[]);
    let host = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
    let mut socket = tokio::net::TcpStream::connect(&host).await.unwrap();
    let head = format!(
        "POST /v1/submissions HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         idempotency-key: cut\r\ncontent-length: {}\r\n\r\n",
        whole.len() + 1
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    // All but the last byte is there, and the document is complete; the request is not.
    socket.write_all(whole.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = vec![];
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(server.head().await, before);
    // The key is free, as if nothing had been sent.
    assert_eq!(server.push_json("cut", &submission(&[good()])).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_figure_more_than_the_limit_is_too_many() {
    let server = Server::start().await;
    let before = server.head().await;
    let one = good().to_string();
    let document = format!(
        "{{\"source\":\"test\",\"figures\":[{}]}}",
        std::iter::repeat_n(one.as_str(), 100_001).collect::<Vec<_>>().join(",")
    );
    let headers = [("idempotency-key", "many"), ("content-type", "application/json")];
    let reply = server.post(&[], &headers, document).await;
    assert_eq!((reply.status, reply.codes()), (413, vec!["too_many_figures".to_owned()]));
    assert_eq!(reply.findings()[0].1, "figures");
    let large = server.post(&[], &headers, vec![b' '; 32 * 1024 * 1024 + 1]).await;
    assert_eq!(large.status, 413);
    assert_eq!(server.head().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_is_not_nfc_is_accepted_and_normalised() {
    let server = Server::start().await;
    let reason = "Chưa tổng hợp ở Bắc Kạn";
    let decomposed: String = reason.nfd().collect();
    assert_ne!(reason, decomposed);
    let figure = with(json!({ "value": null, "not_available": decomposed }));
    let source: String = "công-an-bắc-kạn".nfd().collect();
    let reply = server.push_json("nfd", &json!({ "source": source, "figures": [figure] })).await;
    reply.expect(201);
    server.wait(reply.position()).await;
    let figures = server.figures("tg01", "06", "2023-M03").await;
    assert_eq!((figures.len(), &figures[0]["not_available"]), (1, &json!(reason)));
    assert_eq!(figures[0]["source"], "công-an-bắc-kạn");
    server.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_request_itself_is_said() {
    let server = Server::start().await;
    let before = server.head().await;
    let body = submission(&[good()]).to_string();
    let json = ("content-type", "application/json");
    let no_key = server.post(&[], &[json], body.clone()).await;
    assert_refused("no key", &no_key, 400, &[("malformed_key", "Idempotency-Key")]);
    let long = "k".repeat(201);
    let long_key = server.post(&[], &[json, ("idempotency-key", &long)], body.clone()).await;
    assert_refused("long key", &long_key, 400, &[("malformed_key", "Idempotency-Key")]);
    let headers = [("idempotency-key", "k"), ("content-type", "application/pdf")];
    let media = server.post(&[], &headers, body.clone()).await;
    assert_refused("media type", &media, 415, &[]);
    let headers = [("idempotency-key", "k"), json];
    let parameter = server.post(&[("colour", "red")], &headers, body.clone()).await;
    assert_refused("parameter", &parameter, 400, &[]);
    assert!(parameter.text().contains("colour"), "{}", parameter.text());
    let no_source = server.post(&[], &headers, json!({ "figures": [good()] }).to_string()).await;
    assert!(matches!(no_source.status, 400 | 422), "{}", no_source.text());
    assert!(no_source.findings().iter().any(|(_, place)| place == "source"), "{}", no_source.text());
    assert_eq!(server.head().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_cannot_be_asked_says_why() {
    let server = Server::start().await;
    let asked = |indicator: &'static str, unit: &'static str, period: &'static str| {
        [("indicator", indicator), ("unit", unit), ("period", period)]
    };
    for path in ["/v1/totals", "/v1/totals/explain", "/v1/figures", "/v1/coverage"] {
        let cases: [Question<'_>; 7] = [
            (&asked("tg01", "VN", "soon"), 400, &[("malformed_period", "period")]),
            (&asked("tg01", "9999", "2023"), 404, &[("unknown_unit", "unit")]),
            (&asked("zz99", "VN", "2023"), 404, &[("unknown_indicator", "indicator")]),
            (&asked("tg01", "06", "2026"), 422, &[("unit_not_in_force", "unit")]),
            (&[("indicator", "tg01"), ("unit", "VN")], 400, &[("missing_parameter", "period")]),
            (
                &[("indicator", "tg01"), ("unit", "VN"), ("period", "2023"), ("breakdown", "x")],
                400,
                &[("malformed_breakdown", "breakdown")],
            ),
            (&[("indicator", "tg01"), ("colour", "red")], 400, &[]),
        ];
        for (parameters, status, findings) in cases {
            let reply = server.get(path, parameters).await;
            assert_refused(&format!("{path} {parameters:?}"), &reply, status, findings);
        }
        let gone = server.get(path, &asked("tg01", "06", "2026")).await;
        let hint = gone.json()["findings"][0]["hint"].as_str().unwrap().to_owned();
        assert!(hint.contains("19") && hint.contains("Thái Nguyên"), "{path}: {hint}");
    }
    let totals: [Question<'_>; 9] = [
        (&asked("tg06", "VN", "2023-M03"), 422, &[("wrong_grain", "period")]),
        (&asked("pl04", "01840", "2023"), 422, &[("below_collection_level", "unit")]),
        (
            &[("indicator", "tg01"), ("unit", "VN"), ("period", "2023"), ("breakdown", "venue=school")],
            422,
            &[("not_its_dimension", "breakdown")],
        ),
        (
            &[("indicator", "tg01"), ("unit", "VN"), ("period", "2023"), ("breakdown", "channel=pigeon")],
            422,
            &[("unknown_member", "breakdown")],
        ),
        (
            &[("indicator", "tg01"), ("unit", "VN"), ("period", "2025-M08"), ("map", "2025-06-30")],
            422,
            &[("map_older_than_period", "map")],
        ),
        (
            &[("indicator", "tg01"), ("unit", "060"), ("period", "2023"), ("map", "2025-07-01")],
            422,
            &[("not_on_this_map", "unit")],
        ),
        (
            &[("indicator", "tg01"), ("unit", "06"), ("period", "2023"), ("map", "2025-07-01")],
            422,
            &[("unit_not_in_force", "unit")],
        ),
        (
            &[("indicator", "tg01"), ("unit", "VN"), ("period", "2023"), ("map", "yesterday")],
            400,
            &[("malformed_map", "map")],
        ),
        (
            &[("indicator", "tg01"), ("unit", "VN"), ("period", "2023"), ("by", "colour")],
            400,
            &[("unknown_by", "by")],
        ),
    ];
    for (parameters, status, findings) in totals {
        let reply = server.get("/v1/totals", parameters).await;
        assert_refused(&format!("{parameters:?}"), &reply, status, findings);
    }
    let unknown = server.get("/v1/submissions/018f0000-0000-7000-8000-000000000000", &[]).await;
    assert_refused("submission", &unknown, 404, &[]);
    assert_refused("no id", &server.get("/v1/submissions/x/document", &[]).await, 404, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_registry_nothing_is_taken_and_nothing_answered() {
    let server = Server::empty(256).await;
    let reply = server.push_json("k", &submission(&[good()])).await;
    assert_refused("submission", &reply, 503, &[]);
    assert!(!reply.header("retry-after").is_empty());
    let reply = server.get("/v1/totals", &[("indicator", "tg01"), ("unit", "VN"), ("period", "2023")]).await;
    assert_refused("question", &reply, 503, &[]);
    assert_eq!(server.head().await.position, 0);
}

fn wire(changes: impl FnOnce(&mut pb::Figure)) -> pb::Figure {
    let mut figure = pb::Figure {
        unit: "06".into(),
        indicator: "tg01".into(),
        breakdown: "channel=undivided|reporter=cong-an".into(),
        period: "2023-M03".into(),
        scope: "territory".into(),
        statement: Some(Statement::Value("5".into())),
        ..pb::Figure::default()
    };
    changes(&mut figure);
    figure
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_refuses_the_same_with_its_own_codes() {
    let server = Server::start().await;
    let before = server.head().await;
    let value = |text: &str| Some(Statement::Value(text.to_owned()));
    let cases = [
        (
            vec![wire(|f| f.unit = "9999".into())],
            Code::InvalidArgument,
            vec![("figures[0].unit", "unknown_unit")],
        ),
        (
            vec![wire(|f| f.period = "2025-M09".into())],
            Code::InvalidArgument,
            vec![("figures[0].unit", "unit_not_in_force")],
        ),
        (
            vec![wire(|f| f.statement = value("5.5")), wire(|f| f.breakdown = "channel=undivided".into())],
            Code::InvalidArgument,
            vec![("figures[0].value", "fraction_for_count"), ("figures[1].breakdown", "missing_reporter")],
        ),
        (vec![], Code::InvalidArgument, vec![("figures", "empty_submission")]),
        (vec![wire(|_| ()); 2], Code::InvalidArgument, vec![("figures[1]", "duplicate_figure")]),
        (vec![wire(|_| ()); 100_001], Code::ResourceExhausted, vec![("figures", "too_many_figures")]),
    ];
    for (figures, code, violations) in cases {
        let request = pb::SubmitRequest {
            idempotency_key: "k".into(),
            source: "test".into(),
            figures,
            ..pb::SubmitRequest::default()
        };
        let status = server.ingestion().submit(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        let details = status.get_details_bad_request().map(|d| d.field_violations).unwrap_or_default();
        let found: Vec<(&str, &str)> = details
            .iter()
            .map(|v| (v.field.as_str(), v.description.split(':').next().unwrap_or_default()))
            .collect();
        assert_eq!(found, violations, "{status:?}");
    }
    let document = |media_type: &str, content: &[u8]| pb::SubmitRequest {
        idempotency_key: "k".into(),
        source: "test".into(),
        document: Some(pb::Document {
            media_type: media_type.into(),
            content: content.to_vec(),
            ..pb::Document::default()
        }),
        ..pb::SubmitRequest::default()
    };
    let requests = [
        document("application/json", b"{"),
        document("text/csv", b"\xff"),
        document("application/pdf", b"%PDF"),
        pb::SubmitRequest {
            idempotency_key: String::new(),
            figures: vec![wire(|_| ())],
            ..document("", b"")
        },
        pb::SubmitRequest { figures: vec![wire(|_| ())], ..document("application/json", b"{}") },
    ];
    for request in requests {
        let status = server.ingestion().submit(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    }
    assert_eq!(server.head().await, before);
    let question = |unit: &str, period: &str| GetTotalsRequest {
        indicator: "tg01".into(),
        unit: unit.into(),
        period: period.into(),
        ..GetTotalsRequest::default()
    };
    let asked = [
        (question("9999", "2023"), Code::NotFound),
        (question("VN", "soon"), Code::InvalidArgument),
        (question("06", "2026"), Code::InvalidArgument),
    ];
    for (question, code) in asked {
        let status = server.query().get_totals(question).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_very_many_findings_the_first_are_listed_and_the_rest_counted() {
    let server = Server::start().await;
    let before = server.head().await;
    let long = "Đơn vị không có trong danh mục ".repeat(8);
    let figures: Vec<Value> = (0..1_200).map(|i| with(json!({ "unit": format!("{i} {long}") }))).collect();
    let reply = server.push_json("many", &submission(&figures)).await;
    let found = reply.findings();
    assert_eq!((reply.status, found.len()), (422, 1_001));
    assert_eq!(found[999], ("unknown_unit".to_owned(), "figures[999].unit".to_owned()));
    assert_eq!(
        (found[1_000].0.as_str(), &reply.json()["findings"][1_000]["got"]),
        ("more_findings", &json!("200 more findings"))
    );
    // Over the port itself, where details travel in a header: fewer, and still a status that says what is wrong.
    let address = server.url("/", &[]).to_string();
    let channel = tonic::transport::Channel::from_shared(address).unwrap().connect().await.unwrap();
    let mut client = pb::ingestion_service_client::IngestionServiceClient::new(channel);
    let request = pb::SubmitRequest {
        idempotency_key: "many".into(),
        source: "test".into(),
        figures: (0..1_200).map(|i| wire(|f| f.unit = format!("{i} {long}"))).collect(),
        ..pb::SubmitRequest::default()
    };
    let status = client.submit(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let violations = status.get_details_bad_request().map(|d| d.field_violations).unwrap_or_default();
    assert!(violations.len() > 1, "{status:?}");
    assert!(violations.iter().all(|v| v.description.starts_with("unknown_unit: ")), "{violations:?}");
    assert!(status.message().contains("findings"), "{status:?}");
    assert_eq!(server.head().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_compressed_is_refused_by_name() {
    let server = Server::start().await;
    let before = server.head().await;
    let headers =
        [("idempotency-key", "k"), ("content-type", "application/json"), ("content-encoding", "gzip")];
    let reply = server.post(&[], &headers, vec![0x1f, 0x8b, 8, 0]).await;
    assert_refused("compressed", &reply, 415, &[("content_encoding", "Content-Encoding")]);
    // A bomb over gRPC: a few kilobytes that would be megabytes.
    let address = server.url("/", &[]).to_string();
    let channel = tonic::transport::Channel::from_shared(address).unwrap().connect().await.unwrap();
    let mut client = pb::ingestion_service_client::IngestionServiceClient::new(channel)
        .send_compressed(tonic::codec::CompressionEncoding::Gzip);
    let request = pb::SubmitRequest {
        idempotency_key: "k".into(),
        source: "test".into(),
        note: "0".repeat(20 << 20),
        ..pb::SubmitRequest::default()
    };
    let status = client.submit(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status:?}");
    assert!(status.message().contains("gzip"), "{status:?}");
    assert_eq!(server.head().await, before);
}
