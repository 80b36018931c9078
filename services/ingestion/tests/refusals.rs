//! Every refusal of a figure, one test each: its code, where it points, and what it says.

mod common;

use common::{checked_csv, codes, complete, figure, found, only, small, submission};
use serde_json::{Value, json};
use tonghop_ingestion::check::check;
use tonghop_ingestion::submission::{Limits, Place, RawBreakdown, RawFigure, RawSubmission};
use tonghop_runtime::Finding;

/// The only finding of a submission of one figure, changed in this way.
fn refused(change: Value, code: &str, path: &str) -> Finding {
    let finding = only(&submission(&[figure(change)]));
    assert_eq!((finding.code.as_str(), finding.path.as_str()), (code, path), "{finding:#?}");
    finding
}

fn hint(change: Value, code: &str, path: &str, expected: &str, hint: &str) {
    let finding = refused(change, code, path);
    assert_eq!(finding.expected, expected);
    assert_eq!(finding.hint, hint);
}

const UNIT: &str = "figures[0].unit";
const INDICATOR: &str = "figures[0].indicator";
const BREAKDOWN: &str = "figures[0].breakdown";
const PERIOD: &str = "figures[0].period";
const SCOPE: &str = "figures[0].scope";
const VALUE: &str = "figures[0].value";
const QUALIFIER: &str = "figures[0].qualifier";

#[test]
fn what_the_other_tests_change_one_thing_in_is_accepted() {
    let checked = common::checked(&submission(&[figure(json!({}))])).unwrap();
    assert_eq!(checked.figures.len(), 1);
    assert!(checked.warnings.is_empty());
}

#[test]
fn an_empty_submission_is_refused() {
    let finding = only(&submission(&[]));
    assert_eq!((finding.code.as_str(), finding.path.as_str()), ("empty_submission", "figures"));
}

#[test]
fn a_submission_without_its_source_is_refused() {
    let finding = only(&json!({"figures": [figure(json!({}))]}).to_string());
    assert_eq!((finding.code.as_str(), finding.path.as_str()), ("missing_field", "source"));
}

#[test]
fn more_figures_than_are_taken_are_refused() {
    let raw = RawSubmission {
        source: "x".into(),
        figures: vec![RawFigure::at(Place::Item(0)); 3],
        ..RawSubmission::default()
    };
    let found = check(small(), &raw, &Limits { max_figures: 2, ..Limits::default() }).unwrap_err();
    assert_eq!(codes(&found), ["too_many_figures"]);
    complete(&found[0]);
}

#[test]
fn every_field_that_is_not_there_is_named() {
    for field in ["unit", "indicator", "period", "scope"] {
        let finding = refused(json!({field: null}), "missing_field", &format!("figures[0].{field}"));
        assert_eq!(finding.got, "nothing");
        refused(json!({field: ""}), "missing_field", &format!("figures[0].{field}"));
    }
}

#[test]
fn a_unit_that_never_was_is_refused() {
    let unknown = "look the code up in the list of units, GET /v1/units";
    let expected = "the code of a unit, as the statistics office gives it";
    hint(json!({"unit": "99999"}), "unknown_unit", UNIT, expected, unknown);
}

#[test]
fn a_unit_code_that_lost_its_zeros_is_recognised() {
    let finding = refused(json!({"unit": "3"}), "unknown_unit", UNIT);
    assert_eq!(finding.hint, "did you mean 03 Tỉnh Tây Nam or 00003 Xã Ba? Spreadsheets cut leading zeros");
}

#[test]
fn a_unit_that_went_is_refused_with_its_successors() {
    hint(
        json!({"unit": "00002", "period": "2025"}),
        "unit_not_in_force",
        UNIT,
        "a unit in force on 2025-12-14, the last day of 2025",
        "00002 was Xã Hai until 2025-06-30; from 2025-07-01 its territory is 00001 Xã Một (0.333333), 00004 Xã Bốn (0.666667)",
    );
}

#[test]
fn a_unit_whose_level_went_has_no_successor() {
    hint(
        json!({"unit": "011", "period": "2026-M01"}),
        "unit_not_in_force",
        UNIT,
        "a unit in force on 2026-01-14, the last day of 2026-M01",
        "011 was Huyện Thượng until 2025-06-30 and has no successor",
    );
}

#[test]
fn a_unit_that_comes_later_is_refused_with_its_day() {
    hint(
        json!({"unit": "05"}),
        "unit_not_in_force",
        UNIT,
        "a unit in force on 2024-03-14, the last day of 2024-M03",
        "05 is Tỉnh Mới only from 2025-07-01 on; on 2024-03-14 its territory was 0.25 of 01 Tỉnh Đông",
    );
}

#[test]
fn a_unit_below_the_collection_level_is_refused() {
    let finding = refused(
        json!({"indicator": "ee01", "period": "2024-Q1", "breakdown": {"reporter": "cong-an"}}),
        "unit_below_collection_level",
        UNIT,
    );
    assert_eq!(finding.got, "00001 Xã Một, of level commune");
    assert_eq!(finding.expected, "a unit of level province or above: ee01-campaigns is collected there");
    assert_eq!(finding.hint, "report it for 01 Tỉnh Đông");
}

#[test]
fn an_unknown_indicator_is_refused_with_the_nearest() {
    hint(
        json!({"indicator": "aa01-tip"}),
        "unknown_indicator",
        INDICATOR,
        "the code of an indicator, or its part before the first hyphen",
        "did you mean aa01-tips?",
    );
}

#[test]
fn an_indicator_not_in_force_is_refused() {
    let models =
        |period: &str| json!({"indicator": "gg01", "period": period, "breakdown": {"reporter": "cong-an"}});
    let early = refused(models("2021-H1"), "indicator_not_in_force", PERIOD);
    assert_eq!(early.got, "2021-H1, which ends on 2021-06-14");
    assert_eq!(early.expected, "a period that ends on 2022-11-18 or later");
    let late = refused(models("2024-H2"), "indicator_not_in_force", PERIOD);
    assert_eq!(late.expected, "a period that ends before 2024-07-01");
}

#[test]
fn an_indicator_that_the_map_gives_is_refused() {
    refused(json!({"indicator": "ff01", "breakdown": null}), "indicator_from_map", INDICATOR);
}

#[test]
fn an_unknown_dimension_is_refused() {
    let breakdown = json!({"reporter": "cong-an", "channel": "undivided", "topics": "drugs"});
    let finding =
        refused(json!({"breakdown": breakdown}), "unknown_dimension", "figures[0].breakdown.topics");
    assert_eq!(finding.hint, "did you mean topic?");
}

#[test]
fn a_dimension_of_other_indicators_is_refused() {
    let breakdown = json!({"reporter": "cong-an", "channel": "undivided", "venue": "school"});
    let finding =
        refused(json!({"breakdown": breakdown}), "dimension_not_of_indicator", "figures[0].breakdown.venue");
    assert_eq!(finding.expected, "aa01-tips has channel, reporter, topic");
    assert_eq!(finding.hint, "leave venue out");
}

#[test]
fn an_unknown_member_is_refused() {
    let breakdown = json!({"reporter": "cong-an", "channel": "phones"});
    let finding = refused(json!({"breakdown": breakdown}), "unknown_member", "figures[0].breakdown.channel");
    assert_eq!(
        (finding.got.to_string(), finding.hint.to_string()),
        ("phones".to_owned(), "did you mean phone?".to_owned())
    );
    assert_eq!(finding.expected, "box, phone, undivided");
}

#[test]
fn a_figure_says_which_side_reports() {
    let breakdown = json!({"channel": "undivided"});
    let finding =
        refused(json!({"breakdown": breakdown}), "missing_reporter", "figures[0].breakdown.reporter");
    assert_eq!(finding.hint, "add reporter=cong-an");
}

#[test]
fn a_figure_names_a_member_of_every_partition() {
    let breakdown = json!({"reporter": "cong-an"});
    let finding = refused(json!({"breakdown": breakdown}), "missing_member", "figures[0].breakdown.channel");
    assert_eq!(finding.expected, "a member of channel: box, phone, undivided");
    assert_eq!(finding.hint, "add channel=undivided where the source does not split by it");
}

#[test]
fn a_side_that_does_not_report_the_indicator_is_refused() {
    let breakdown = json!({"reporter": "mttq", "channel": "undivided"});
    let finding =
        refused(json!({"breakdown": breakdown}), "reporter_not_allowed", "figures[0].breakdown.reporter");
    assert_eq!(finding.hint, "aa01-tips is reported by cong-an only");
}

#[test]
fn a_breakdown_is_pairs_of_dimension_and_member() {
    let empty = json!({"reporter": "cong-an", "channel": ""});
    refused(json!({"breakdown": empty}), "malformed_breakdown", "figures[0].breakdown.channel");
}

#[test]
fn over_grpc_and_in_csv_a_breakdown_is_read_from_its_text() {
    let found_in = |breakdown: &str| {
        let raw = RawSubmission {
            source: "x".into(),
            figures: vec![RawFigure {
                unit: "00001".into(),
                indicator: "aa01".into(),
                period: "2024-M03".into(),
                scope: "own".into(),
                value: Some("1".into()),
                breakdown: RawBreakdown::Text(breakdown.into()),
                ..RawFigure::at(Place::Item(0))
            }],
            ..RawSubmission::default()
        };
        let found = check(small(), &raw, &Limits::default()).err().unwrap_or_default();
        found.iter().for_each(complete);
        assert!(found.iter().all(|f| f.path == BREAKDOWN), "{found:#?}");
        found.into_iter().map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(found_in("reporter=cong-an|channel=box"), [""; 0]);
    assert_eq!(found_in("reporter|channel=box"), ["malformed_breakdown"]);
    assert_eq!(found_in("reporter=cong-an|channel=box|"), ["malformed_breakdown"]);
    assert_eq!(found_in("reporter=cong-an|channel=box|channel=phone"), ["duplicate_dimension"]);
    assert_eq!(found_in(""), ["missing_member", "missing_reporter"]);
}

#[test]
fn what_is_no_period_is_refused() {
    for text in ["2024-M13", "03/2024", "2024-M3", "tháng 3", "2024-02-30"] {
        refused(json!({"period": text}), "malformed_period", PERIOD);
    }
    refused(json!({"period": "1066"}), "year_out_of_range", PERIOD);
    refused(json!({"period": "9999-01-01"}), "year_out_of_range", PERIOD);
}

#[test]
fn a_span_that_ends_before_it_starts_is_refused() {
    let finding = refused(json!({"period": "2023..2013"}), "span_ends_before_start", PERIOD);
    assert_eq!(finding.hint, "exchange the two years");
}

#[test]
fn a_period_shorter_than_the_collection_period_is_refused() {
    let finding =
        refused(json!({"indicator": "bb01", "breakdown": {"reporter": "mttq"}}), "period_too_short", PERIOD);
    assert_eq!(finding.expected, "a period no shorter than a half: bb01-teams is collected by half");
}

#[test]
fn a_period_that_the_calendar_does_not_define_is_refused() {
    let finding = refused(
        json!({"indicator": "dd01", "period": "2024-H1", "breakdown": {"reporter": "cong-an"}}),
        "period_not_in_calendar",
        PERIOD,
    );
    assert_eq!(finding.expected, "a year or a span of years: calendar kdc defines nothing shorter");
}

#[test]
fn a_single_day_is_no_period_of_a_flow() {
    refused(json!({"period": "2024-03-14"}), "instant_for_flow", PERIOD);
    let stock = json!({"indicator": "bb01", "period": "2024-03-14", "breakdown": {"reporter": "mttq"}});
    assert!(common::checked(&submission(&[figure(stock)])).is_ok());
}

#[test]
fn an_unknown_scope_is_refused() {
    let finding = refused(json!({"scope": "whole"}), "unknown_scope", SCOPE);
    assert_eq!(finding.expected, "own or territory");
}

#[test]
fn a_unit_that_collects_declares_no_territory() {
    let finding = refused(json!({"scope": "territory"}), "territory_at_collection_level", SCOPE);
    assert_eq!(finding.got, "territory for 00001 Xã Một");
    let island =
        refused(json!({"scope": "territory", "unit": "012"}), "territory_at_collection_level", SCOPE);
    assert_eq!(island.got, "territory for 012 Huyện Đảo");
    let district = json!({"scope": "territory", "unit": "011"});
    assert!(common::checked(&submission(&[figure(district)])).is_ok());
}

#[test]
fn values_that_are_no_plain_decimals_are_refused_each_with_its_reason() {
    for text in ["", "12a", "1 000", "1,000", "1e3", "+5", "--5", "5.", ".5", "१२"] {
        refused(json!({"value": text}), "not_a_number", VALUE);
    }
    refused(json!({"value": "-3"}), "negative", VALUE);
    refused(json!({"value": -3}), "negative", VALUE);
    refused(json!({"value": "37.853"}), "fraction_for_count", VALUE);
    refused(json!({"value": "1000000000000000"}), "too_large", VALUE);
    refused(json!({"value": "9".repeat(250)}), "too_large", VALUE);
    let weight = json!({
        "indicator": "cc01", "period": "2024-Q1", "breakdown": {"reporter": "cong-an"}, "value": "1.2345",
    });
    let finding = refused(weight, "too_many_decimals", VALUE);
    assert_eq!(finding.expected, "at most 3 decimals, in kilogram");
}

#[test]
fn an_unknown_qualifier_is_refused() {
    let finding = refused(json!({"qualifier": "trên"}), "unknown_qualifier", QUALIFIER);
    assert_eq!(finding.expected, "exact, at_least, at_most or about");
}

#[test]
fn a_figure_says_one_thing() {
    let none = refused(json!({"value": null}), "no_statement", "figures[0]");
    assert_eq!(none.got, "none of them");
    refused(json!({"value": null, "withdraw": false}), "no_statement", "figures[0]");
    let two = refused(json!({"withdraw": true}), "several_statements", "figures[0]");
    assert_eq!(two.got, "value and withdraw");
    refused(json!({"not_available": "x"}), "several_statements", "figures[0]");
    refused(
        json!({"value": null, "not_available": "x", "withdraw": true}),
        "several_statements",
        "figures[0]",
    );
    refused(json!({"value": null, "not_available": " "}), "empty_reason", "figures[0].not_available");
}

#[test]
fn only_a_value_has_a_qualifier() {
    let withdrawn = json!({"value": null, "withdraw": true, "qualifier": "about"});
    refused(withdrawn, "qualifier_without_value", QUALIFIER);
    let none = json!({"value": null, "not_available": "not counted", "qualifier": "at_least"});
    refused(none, "qualifier_without_value", QUALIFIER);
    let exact = json!({"value": null, "withdraw": true, "qualifier": "exact"});
    assert!(common::checked(&submission(&[figure(exact)])).is_ok());
}

#[test]
fn an_unknown_programme_is_refused_and_another_ones_is_remarkable() {
    refused(json!({"programmes": ["P1", "P9"]}), "unknown_programme", "figures[0].programmes");
    let checked = common::checked(&submission(&[figure(json!({"programmes": ["P2", "P2"]}))])).unwrap();
    assert_eq!(checked.figures[0].programmes, ["P2"]);
    assert!(codes(&checked.warnings).iter().all(|c| *c == "programme_not_of_indicator"));
    checked.warnings.iter().for_each(complete);
    assert_eq!(checked.warnings[0].path, "figures[0].programmes");
}

#[test]
fn texts_are_of_bounded_length() {
    let long = "x".repeat(257);
    let finding = refused(json!({"unit": long}), "text_too_long", UNIT);
    assert_eq!(finding.expected, "at most 256 characters");
    refused(
        json!({"value": null, "not_available": "é".repeat(2_001)}),
        "text_too_long",
        "figures[0].not_available",
    );
    let reason = json!({"value": null, "not_available": "é".repeat(2_000)});
    assert!(common::checked(&submission(&[figure(reason)])).is_ok());
}

#[test]
fn control_characters_are_refused() {
    let finding = refused(json!({"indicator": "aa01\u{0}"}), "control_character", INDICATOR);
    assert_eq!(finding.got, "aa01\\u{0}");
    refused(json!({"value": null, "not_available": "a\nb"}), "control_character", "figures[0].not_available");
    refused(json!({"scope": "own\u{202e}"}), "control_character", SCOPE);
    let document = json!({"source": "x", "note": "a\u{7}", "figures": [figure(json!({}))]}).to_string();
    assert_eq!(only(&document).path, "note");
}

#[test]
fn one_submission_says_one_thing_of_one_key() {
    let breakdown = json!({"channel": "undivided", "reporter": "cong-an"});
    let again = figure(json!({"indicator": "aa01", "value": "13", "breakdown": breakdown}));
    let finding = only(&submission(&[figure(json!({})), figure(json!({"unit": "00002"})), again]));
    assert_eq!((finding.code.as_str(), finding.path.as_str()), ("duplicate_figure", "figures[2]"));
    assert_eq!(
        finding.got,
        "figures[2] has the same unit, indicator, breakdown, period and scope as figures[0]"
    );
    assert_eq!(finding.hint, "keep figures[0] or figures[2]; a revision is a later submission");
}

#[test]
fn a_reporter_is_part_of_the_key_only_where_sides_are_kept_apart() {
    let teams =
        |side: &str| figure(json!({"indicator": "bb01", "period": "2024", "breakdown": {"reporter": side}}));
    assert_eq!(only(&submission(&[teams("mttq"), teams("lien-nganh")])).code, "duplicate_figure");
    let sessions = |side: &str| {
        figure(json!({"indicator": "hh01", "breakdown": {"reporter": side, "venue": "undivided"}}))
    };
    assert!(common::checked(&submission(&[sessions("mttq"), sessions("cong-an")])).is_ok());
}

#[test]
fn the_map_date_agrees_with_the_periods_map() {
    let csv = |unit: &str, period: &str, map_date: &str| {
        let header = "map_date,unit_code,indicator,breakdown,period,scope,value,qualifier,not_available_reason,programme";
        let line = format!("{map_date},{unit},aa01,reporter=cong-an|channel=box,{period},own,1,,,");
        checked_csv(&format!("{header}\n{line}\n")).err().unwrap_or_default()
    };
    assert!(csv("03", "2024", "2020-01-01").is_empty());
    assert!(csv("03", "2024", "").is_empty());
    let mismatch = csv("03", "2025", "2024-12-14");
    assert_eq!(codes(&mismatch), ["map_date_mismatch"]);
    complete(&mismatch[0]);
    assert_eq!((mismatch[0].line, mismatch[0].column.as_str()), (Some(2), "map_date"));
    assert_eq!(mismatch[0].got, "2024-12-14, when there is 03 Tỉnh Nam");
    assert_eq!(mismatch[0].expected, "a day on which the code is 03 Tỉnh Tây Nam, as on 2025-12-14");
    for text in ["14/12/2024", "20241214", "2024-12-14T00:00", "2024"] {
        assert_eq!(codes(&csv("03", "2024", text)), ["malformed_map_date"], "{text}");
    }
}

#[test]
fn what_depends_on_a_mistake_is_not_complained_of() {
    // The breakdown is none of the unknown indicator's, the unit's day is not known, the value is no count's.
    let unknown = figure(json!({"indicator": "zzzz", "value": "1.5", "breakdown": {}}));
    assert_eq!(only(&submission(&[unknown])).code, "unknown_indicator");
    assert_eq!(only(&submission(&[figure(json!({"period": "x", "unit": "05"}))])).code, "malformed_period");
}

#[test]
fn everything_wrong_with_a_submission_comes_at_once() {
    let mistakes = [
        figure(json!({"unit": "99999"})),
        figure(json!({"indicator": "zzzz"})),
        figure(json!({"period": "2024-M13"})),
        figure(json!({"scope": "x"})),
        figure(json!({"value": "many"})),
        figure(json!({"value": 1.5})),
        figure(json!({"qualifier": "x"})),
        figure(json!({"breakdown": {"reporter": "cong-an"}})),
        figure(json!({"programmes": ["P9"]})),
        figure(json!({"value": 7, "withdraw": "yes", "note": "x"})),
        figure(json!({"unit": "05", "scope": "", "value": "-1", "qualifier": "?"})),
    ];
    let mut mistakes = mistakes;
    for (month, figure) in mistakes.iter_mut().enumerate().filter(|(i, _)| *i != 2) {
        figure["period"] = format!("2023-M{:02}", month + 1).into();
    }
    let all = found(&submission(&mistakes));
    all.iter().for_each(complete);
    let places: Vec<_> = all.iter().map(|f| (f.path.as_str(), f.code.as_str())).collect();
    assert_eq!(
        places,
        [
            ("figures[5].value", "fraction_as_json_number"),
            ("figures[9].withdraw", "wrong_type"),
            ("figures[9].note", "unknown_key"),
            ("figures[0].unit", "unknown_unit"),
            ("figures[1].indicator", "unknown_indicator"),
            ("figures[2].period", "malformed_period"),
            ("figures[3].scope", "unknown_scope"),
            ("figures[4].value", "not_a_number"),
            ("figures[6].qualifier", "unknown_qualifier"),
            ("figures[7].breakdown.channel", "missing_member"),
            ("figures[8].programmes", "unknown_programme"),
            ("figures[10].scope", "missing_field"),
            ("figures[10].unit", "unit_not_in_force"),
            ("figures[10].qualifier", "unknown_qualifier"),
            ("figures[10].value", "negative"),
        ]
    );
}

#[test]
fn of_very_many_findings_the_first_thousand_are_listed_and_the_rest_counted() {
    let many: Vec<Value> = (0..2_500).map(|_| figure(json!({"unit": "99999"}))).collect();
    let all = found(&submission(&many));
    assert_eq!(all.len(), 1_001);
    assert_eq!(all[1_000].code, "more_findings");
    assert_eq!(all[1_000].got, "1500 more findings");
    complete(&all[1_000]);
}
