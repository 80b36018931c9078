//! The main job as a newcomer runs it: the real binary, its output and its exit codes.

use std::process::{Command, Output};

use serde_json::Value;

fn tonghop(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tonghop")).args(arguments).output().expect("the binary runs")
}

#[test]
fn the_demo_prints_the_national_view_of_the_real_report() {
    let output = tonghop(&["demo"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{text}");
    for expected in
        ["≥ 2.100", "≥ 15.000", "37.853", "14.256 / 1.325.280", "15 figures read back of 15 pushed"]
    {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    let headings: Vec<&str> =
        text.lines().filter(|l| l.contains("2024-M05") && l.contains("declared, computed")).collect();
    assert_eq!(headings.len(), 2, "the nation and the province");
    assert!(headings.iter().all(|h| h.contains("SYNTHETIC")), "{headings:?}");
}

#[test]
fn the_demo_s_json_is_the_totals_alone() {
    let output = tonghop(&["demo", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("nothing but JSON on its output");
    let totals = document["totals"].as_array().expect("totals");
    let of = |unit: &str, indicator: &str, period: &str| {
        let found = totals
            .iter()
            .find(|t| t["unit"]["code"] == unit && t["indicator"] == indicator && t["period"] == period);
        found.unwrap_or_else(|| panic!("{unit} {indicator} {period} is not there")).clone()
    };
    let tips = of("VN", "tg01-crime-tips", "2013..2023");
    assert_eq!(
        (&tips["value"], &tips["basis"], &tips["covered"], &tips["expected"]),
        (&"37853".into(), &"partial".into(), &14256.into(), &1_325_280.into())
    );
    assert_eq!(of("VN", "tt03-legal-study-sessions", "2013..2023")["qualifier"], "at_least");
    let synthetic = totals.iter().filter(|t| t["period"] == "2024-M05");
    let labelled = |t: &Value| t["note"].as_str().is_some_and(|n| n.contains("SYNTHETIC"));
    assert!(synthetic.clone().count() > 0 && synthetic.clone().all(labelled));
}

#[test]
fn exit_codes_tell_refused_from_wrong_usage() {
    let nobody = ["--url", "http://127.0.0.1:9"];
    let refused = tonghop(
        &[&["totals", "--indicator", "tg01", "--unit", "VN", "--period", "2024"], &nobody[..]].concat(),
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(!refused.stderr.is_empty(), "the reason is on stderr");
    assert_eq!(tonghop(&["totals", "--indicator", "tg01"]).status.code(), Some(2));
    assert_eq!(tonghop(&["no-such-command"]).status.code(), Some(2));
}
