//! Reading documents: what is not JSON or CSV, what is in it twice or too often, and that nothing is lost.

mod common;

use common::{codes, complete, failure, figure, found, only, parsed, submission};
use serde_json::json;
use tonghop_ingestion::submission::{Limits, RawSubmission};
use tonghop_ingestion::{csv_form, json as json_form};
use tonghop_runtime::{Failure, FailureKind};

const HEADER: &str =
    "unit_code,indicator,breakdown,period,scope,value,qualifier,not_available_reason,programme";

fn csv(document: &[u8]) -> Result<RawSubmission, Failure> {
    csv_form::parse(document, &common::BESIDE, &Limits::default())
}

fn csv_failure(document: &[u8]) -> Failure {
    let failure = csv(document).expect_err("it was read");
    failure.findings().iter().for_each(complete);
    failure
}

#[test]
fn what_is_not_utf8_is_refused_with_its_place() {
    let failure = failure(b"{\"source\":\n \"a\xff\"}");
    assert_eq!(failure.kind(), FailureKind::NotUnderstood);
    let finding = &failure.findings()[0];
    assert_eq!((finding.code.as_str(), finding.line, finding.column.as_str()), ("not_utf8", Some(2), "4"));
    assert_eq!(finding.got, "byte 0xff at offset 14");
}

#[test]
fn what_is_not_json_is_refused_with_its_line_and_column() {
    let failure = failure(b"{\"source\": \"x\",\n \"figures\": [}]}");
    assert_eq!(failure.kind(), FailureKind::NotUnderstood);
    let finding = &failure.findings()[0];
    assert_eq!(
        (finding.code.as_str(), finding.line, finding.column.as_str()),
        ("malformed_json", Some(2), "14")
    );
}

#[test]
fn a_document_cut_short_anywhere_is_no_submission() {
    let document = submission(&[figure(json!({"not_available": "lý do\n\"x\"", "value": null}))]);
    assert!(json_form::parse(document.as_bytes(), &Limits::default()).is_ok());
    for end in 0..document.len() {
        let failure = failure(&document.as_bytes()[..end]);
        assert_eq!(failure.kind(), FailureKind::NotUnderstood, "cut at {end}");
        let code = failure.findings()[0].code.as_str();
        assert!(["truncated_json", "not_utf8"].contains(&code), "cut at {end}: {code}");
    }
}

#[test]
fn a_submission_is_an_object() {
    for document in ["[]", "null", "1", "\"x\""] {
        assert_eq!(failure(document.as_bytes()).findings()[0].code, "wrong_type", "{document}");
    }
}

#[test]
fn a_key_twice_is_refused_at_every_level() {
    let good = submission(&[figure(json!({}))]);
    let with = |after: &str, key: &str| good.replacen(after, &format!("{after}{key},"), 1);
    for (after, key, path) in [
        ("{", "\"source\":\"other\"", "source"),
        ("[{", "\"value\":\"99\"", "figures[0].value"),
        ("[{", "\"unit\":\"00002\"", "figures[0].unit"),
        ("\"breakdown\":{", "\"channel\":\"box\"", "figures[0].breakdown.channel"),
    ] {
        let finding = only(&with(after, key));
        assert_eq!((finding.code.as_str(), finding.path.as_str()), ("duplicate_key", path));
    }
    let figures = good.replacen('{', "{\"figures\":[],", 1);
    assert_eq!(only(&figures).path, "figures");
    // Two ways to write one key are one key.
    let escaped = with("[{", "\"v\\u0061lue\":\"99\"");
    assert_eq!(only(&escaped).code, "duplicate_key");
    let composed = good.replacen("\"breakdown\":{", "\"breakdown\":{\"\u{e9}\":\"a\",\"e\u{301}\":\"b\",", 1);
    assert_eq!(only(&composed).code, "duplicate_key");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    let finding = only(&submission(&[figure(json!({"indicators": "x"}))]));
    assert_eq!((finding.code.as_str(), finding.path.as_str()), ("unknown_key", "figures[0].indicators"));
    assert_eq!(finding.hint, "write indicator, or leave the key out");
    let document = json!({"source": "x", "figure": [], "figures": [figure(json!({}))]}).to_string();
    assert_eq!(only(&document).hint, "write figures, or leave the key out");
    // A map date is for files that people keep.
    assert_eq!(only(&submission(&[figure(json!({"map_date": "2024-01-01"}))])).code, "unknown_key");
}

#[test]
fn values_of_another_type_are_refused() {
    let of = |change| only(&submission(&[figure(change)]));
    for (change, path) in [
        (json!({"unit": 1}), "figures[0].unit"),
        (json!({"period": 2024}), "figures[0].period"),
        (json!({"value": true}), "figures[0].value"),
        (json!({"value": {"$serde_json::private::Number": "5"}}), "figures[0].value"),
        (json!({"withdraw": 1}), "figures[0].withdraw"),
        (json!({"programmes": "P1"}), "figures[0].programmes"),
        (json!({"programmes": ["P1", 2]}), "figures[0].programmes[1]"),
        (json!({"breakdown": "reporter=cong-an"}), "figures[0].breakdown"),
        (json!({"breakdown": {"reporter": "cong-an", "channel": null}}), "figures[0].breakdown.channel"),
    ] {
        let finding = of(change);
        assert_eq!((finding.code.as_str(), finding.path.as_str()), ("wrong_type", path));
    }
    assert_eq!(only(r#"{"source":"x","figures":[3]}"#).path, "figures[0]");
    assert_eq!(only(r#"{"source":"x","figures":{}}"#).path, "figures");
    assert_eq!(only(r#"{"source":7,"figures":[]}"#).path, "source");
    assert_eq!(only(r#"{"source":"x"}"#).code, "missing_field");
    let null = only(&submission(&[figure(json!({}))]).replace("\"value\":\"12\"", "\"value\":null"));
    assert_eq!(null.hint, "leave the key out where there is nothing to say");
}

#[test]
fn a_whole_number_is_taken_and_a_fraction_is_refused() {
    let with = |number: &str| {
        submission(&[figure(json!({}))]).replace("\"value\":\"12\"", &format!("\"value\":{number}"))
    };
    assert_eq!(parsed(&with("37853")).figures[0].value.as_deref(), Some("37853"));
    assert_eq!(parsed(&with("999999999999999")).figures[0].value.as_deref(), Some("999999999999999"));
    assert_eq!(only(&with("99999999999999999999999999")).code, "too_large");
    for number in ["1.0", "1e3", "1E3", "0.5", "-1.5", "1e999999"] {
        let finding = only(&with(number));
        assert_eq!(
            (finding.code.as_str(), finding.path.as_str()),
            ("fraction_as_json_number", "figures[0].value")
        );
        assert_eq!(finding.got, number);
    }
}

#[test]
fn half_a_surrogate_pair_is_refused() {
    let document = submission(&[figure(json!({}))]);
    assert_eq!(only(&document.replace("\"own\"", "\"own\\ud83d\"")).code, "malformed_json");
    assert_eq!(only(&document.replace("\"channel\"", "\"\\ud83d\"")).code, "malformed_json");
}

#[test]
fn what_is_not_composed_is_taken_and_composed() {
    // "lý do", the accent apart from its letter.
    let raw = parsed(&submission(&[figure(json!({"value": null, "not_available": "ly\u{301} do"}))]));
    assert_eq!(raw.figures[0].not_available.as_deref(), Some("l\u{fd} do"));
    let document =
        format!("{HEADER}\n00001,aa01,reporter=cong-an|channel=box,2024-M03,own,,,ly\u{301} do,\n");
    let raw = csv(document.as_bytes()).unwrap();
    assert_eq!(raw.figures[0].not_available.as_deref(), Some("l\u{fd} do"));
}

#[test]
fn depth_bytes_and_figures_are_bounded() {
    let deep = format!("{{\"source\":{}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(failure(deep.as_bytes()).findings()[0].code, "too_deep");
    let limits = Limits { max_bytes: 10, ..Limits::default() };
    let large = json_form::parse(b"{\"source\":1}", &limits).unwrap_err();
    assert_eq!(
        (large.kind(), large.findings()[0].code.as_str()),
        (FailureKind::TooLarge, "document_too_large")
    );
    let limits = Limits { max_figures: 2, ..Limits::default() };
    let document = submission(&[figure(json!({})), figure(json!({})), figure(json!({}))]);
    let many = json_form::parse(document.as_bytes(), &limits).unwrap_err();
    assert_eq!((many.kind(), many.findings()[0].code.as_str()), (FailureKind::TooLarge, "too_many_figures"));
    let document = format!("{HEADER}\n{}", "1,2,3,4,5,6,7,8,9\n".repeat(3));
    let many = csv_form::parse(document.as_bytes(), &common::BESIDE, &limits).unwrap_err();
    assert_eq!((many.kind(), many.findings()[0].code.as_str()), (FailureKind::TooLarge, "too_many_figures"));
    let two = format!("{HEADER}\n{}", "1,2,3,4,5,6,7,8,9\n".repeat(2));
    assert_eq!(csv_form::parse(two.as_bytes(), &common::BESIDE, &limits).unwrap().figures.len(), 2);
}

#[test]
fn a_very_long_key_is_cut_in_its_finding() {
    let document = submission(&[figure(json!({"k".repeat(100_000): 1}))]);
    let finding = only(&document);
    assert!(
        finding.path.len() < 300
            && finding.got.to_string().len() < 300
            && finding.hint.to_string().len() < 300
    );
}

#[test]
fn csv_columns_stand_in_any_order_and_further_ones_are_passed_over() {
    let document = "\u{feff}value,unit_code,remark,indicator,breakdown,period,scope,qualifier,\
        not_available_reason,programme,withdraw\r\n\
        5,00001,\"one, two\r\nthree\",aa01,reporter=cong-an|channel=box,2024-M03,own,about,,P1|P2,\r\n\
        \r\n\
        ,00001,,aa01,reporter=cong-an|channel=phone,2024-M03,own,,,,true\r\n\
        ,,,,,,,,,,\r\n\
        ,00001,,aa01,reporter=cong-an|channel=undivided,2024-M03,own,,not counted,,false";
    let raw = csv(document.as_bytes()).unwrap();
    let lines: Vec<String> = raw.figures.iter().map(|f| f.place.to_string()).collect();
    assert_eq!(lines, ["line 2", "line 5", "line 7"]);
    assert_eq!(raw.figures[0].programmes, ["P1", "P2"]);
    assert_eq!(raw.figures[0].value.as_deref(), Some("5"));
    assert!(raw.figures[1].withdraw && raw.figures[1].value.is_none());
    assert_eq!(raw.figures[2].not_available.as_deref(), Some("not counted"));
    assert_eq!(common::checked_csv(document).unwrap().figures.len(), 3);
}

#[test]
fn every_missing_column_is_named_and_one_that_is_there_twice() {
    let failure = csv_failure(b"unit_code,indicator,period,scope,value,value,qualifier,programme\n");
    assert_eq!(failure.kind(), FailureKind::NotUnderstood);
    let found: Vec<_> = failure.findings().iter().map(|f| (f.code.as_str(), f.column.as_str())).collect();
    assert_eq!(found, [("missing_column", "breakdown"), ("duplicate_column", "value"),]);
}

#[test]
fn lines_that_cannot_be_read_are_found_all_at_once_with_the_figures_mistakes() {
    let document = format!(
        "{HEADER}\n00001,aa01,reporter=cong-an\n99999,aa01,reporter=cong-an|channel=box,2024-M03,own,1,,,\n1,2,3,4,5,6,7,8,9,10\n"
    );
    let all = common::checked_csv(&document).unwrap_err();
    all.iter().for_each(complete);
    let places: Vec<_> = all.iter().map(|f| (f.code.as_str(), f.line.unwrap(), f.column.as_str())).collect();
    assert_eq!(places, [("wrong_length", 2, ""), ("wrong_length", 4, ""), ("unknown_unit", 3, "unit_code")]);
}

#[test]
fn csv_that_is_not_utf8_is_refused_with_line_and_column() {
    let mut document = format!("{HEADER}\n\n00001,aa01,x,2024,own,1,,").into_bytes();
    document.extend(b"l\xfd do,\n");
    let failure = csv_failure(&document);
    assert_eq!(failure.kind(), FailureKind::NotUnderstood);
    let finding = &failure.findings()[0];
    assert_eq!(
        (finding.code.as_str(), finding.line, finding.column.as_str()),
        ("not_utf8", Some(3), "not_available_reason")
    );
}

#[test]
fn a_quotation_mark_swallows_no_figures() {
    let line = "00001,aa01,reporter=cong-an|channel=box,2024-M03,own,1,,,";
    let open = csv_failure(format!("{HEADER},remark\n{line},\"open\n{line},\n{line},\n").as_bytes());
    assert_eq!((open.findings()[0].code.as_str(), open.findings()[0].line), ("unclosed_quote", Some(2)));
    let stray = csv_failure(format!("{HEADER},remark\n{line},\n{line},\"a\"b\n").as_bytes());
    assert_eq!((stray.findings()[0].code.as_str(), stray.findings()[0].line), ("stray_quote", Some(3)));
    let doubled = format!("{HEADER},remark\n{line},\"a\"\"b\"\n");
    assert_eq!(csv(doubled.as_bytes()).unwrap().figures.len(), 1);
}

#[test]
fn a_withdrawal_in_csv_is_true_or_false() {
    let document = format!("{HEADER},withdraw\n00001,aa01,reporter=cong-an|channel=box,2024-M03,own,,,,,x\n");
    let all = common::checked_csv(&document).unwrap_err();
    assert_eq!(codes(&all), ["not_true_or_false"]);
    assert_eq!((all[0].line, all[0].column.as_str()), (Some(2), "withdraw"));
}

#[test]
fn json_csv_and_grpc_are_checked_alike() {
    use tonghop_proto::ingestion::{Figure, figure::Statement};
    let json = common::checked(&submission(&[figure(json!({"qualifier": "about"}))])).unwrap();
    let csv = common::checked_csv(&format!(
        "{HEADER}\n00001,aa01-tips,channel=undivided|reporter=cong-an,2024-M03,own,12,about,,P1\n"
    ));
    assert_eq!(json, csv.unwrap());
    let wire = Figure {
        unit: "00001".into(),
        indicator: "aa01".into(),
        breakdown: "reporter=cong-an|channel=undivided".into(),
        period: "2024-M03".into(),
        scope: "own".into(),
        statement: Some(Statement::Value("12".into())),
        qualifier: "about".into(),
        programmes: vec!["P1".into()],
    };
    let raw = RawSubmission::from_wire("tinh-dong", "", [wire.clone(), Figure { statement: None, ..wire }]);
    let all = tonghop_ingestion::check::check(common::small(), &raw, &Limits::default()).unwrap_err();
    assert_eq!(codes(&all), ["duplicate_figure", "no_statement"]);
    let one = RawSubmission { figures: raw.figures[..1].to_vec(), ..raw };
    assert_eq!(tonghop_ingestion::check::check(common::small(), &one, &Limits::default()).unwrap(), json);
}

#[test]
fn several_things_wrong_with_keys_and_types_come_together() {
    let all = found(
        r#"{"source":"x","sauce":"y","figures":[{"unit":1,"unit":2,"value":1.5},7,{"period":"2024"}]}"#,
    );
    all.iter().for_each(complete);
    let places: Vec<_> = all.iter().map(|f| (f.path.as_str(), f.code.as_str())).collect();
    assert_eq!(
        places,
        [
            ("sauce", "unknown_key"),
            ("figures[0].unit", "wrong_type"),
            ("figures[0].unit", "duplicate_key"),
            ("figures[0].value", "fraction_as_json_number"),
            ("figures[1]", "wrong_type"),
            ("figures[0].indicator", "missing_field"),
            ("figures[0].period", "missing_field"),
            ("figures[0].scope", "missing_field"),
            ("figures[2].indicator", "missing_field"),
            ("figures[2].scope", "missing_field"),
            ("figures[2].unit", "missing_field"),
            ("figures[2]", "no_statement"),
        ]
    );
}

#[test]
fn csv_is_taken_with_the_delimiter_of_its_header() {
    let comma = format!("{HEADER}\n00001,aa01,reporter=cong-an|channel=box,2024-M03,own,7,about,,P1\n");
    let expected = csv(comma.as_bytes()).unwrap().figures;
    for delimiter in [";", "\t"] {
        for mark in ["", "\u{feff}"] {
            let document = format!("{mark}{}", comma.replace(',', delimiter));
            assert_eq!(csv(document.as_bytes()).unwrap().figures, expected, "{document}");
        }
    }
    // A cell may hold what separates cells elsewhere.
    let quoted = comma.replace(',', ";").replace("P1", "\"P1\"").replace(";7;", ";\"7\";");
    assert_eq!(csv(quoted.as_bytes()).unwrap().figures, expected);
    let mixed = format!("{}\n1,2,3,4,5,6,7,8,9\n", HEADER.replace(',', ";"));
    let found = csv(mixed.as_bytes()).unwrap().reading;
    assert_eq!(found.listed()[0].code, "wrong_length");
}

#[test]
fn what_is_no_csv_in_utf8_is_refused_by_its_name() {
    let utf16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe], utf16.as_slice()].concat();
    for (document, got) in [
        (marked.as_slice(), "UTF-16"),
        (utf16.as_slice(), "UTF-16"),
        (b"PK\x03\x04....".as_slice(), "ZIP, XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), "XLS"),
    ] {
        let failure = csv_failure(document);
        assert_eq!(failure.kind(), FailureKind::NotUnderstood);
        let finding = &failure.findings()[0];
        assert_eq!((finding.code.as_str(), finding.got.to_string().as_str()), ("other_encoding", got));
    }
}
