//! Rules of plausibility within one submission: each kind of rule holds, is broken, or does not speak of it; whichever way
//! the submission is read.

mod common;

use std::sync::OnceLock;

use common::{complete, figure, submission};
use serde_json::{Value, json};
use tonghop_core::registry::Registry;
use tonghop_ingestion::check::{Checked, accept, check};
use tonghop_ingestion::json as json_form;
use tonghop_ingestion::registry_tables;
use tonghop_ingestion::submission::Limits;
use tonghop_proto::registry_draft;
use tonghop_runtime::Finding;

const RULES: &str = "\
code,expression,severity,note,source
pa01,aa01-tips / aa02-useful-tips between 1.5 and 3,warn,Seen: 2.,test
pa02,hh02-sessions-on-drugs <= hh01-sessions,error,As hh03 says.,test
pa03,gg01-models <= bb01-teams,error,,test
pa04,bb01-teams = gg01-models + gg01-models - gg01-models,warn,,test
pa05,bb01-teams = previous bb01-teams + gg01-models,warn,,test
pa06,bb01-teams <= ff01-units,warn,The map gives one for each commune.,test
";

fn wire(rules: &str) -> tonghop_proto::registry::Registry {
    let mut tables = common::tables("tests/data/registry");
    tables.insert("plausibility.csv".to_owned(), rules.as_bytes().to_vec());
    common::whole(&tables)
}

fn ruled() -> &'static Registry {
    static RULED: OnceLock<Registry> = OnceLock::new();
    RULED.get_or_init(|| {
        let draft = registry_draft::draft(wire(RULES)).unwrap_or_else(|all| panic!("{all:#?}"));
        Registry::build(draft, None).unwrap_or_else(|all| panic!("{all:#?}"))
    })
}

/// What is found figure by figure. By kinds the same is accepted with the same warnings, or nothing.
fn found(figures: &[Value]) -> Result<Vec<Finding>, Vec<Finding>> {
    let (document, limits) = (submission(figures), Limits::default());
    let raw = json_form::parse(document.as_bytes(), &limits).expect("it is read");
    let slow = check(ruled(), &raw, &limits);
    let alike = json_form::alike(document.as_bytes(), &limits).expect("it is read by kinds");
    let quick = accept(ruled(), alike, &limits);
    match (&slow, quick) {
        (Ok(Checked { warnings, .. }), Some(quick)) => assert_eq!(quick.warnings, *warnings),
        (Ok(_), None) => panic!("it is not accepted by kinds"),
        (Err(_), quick) => assert_eq!(quick, None),
    }
    let all = match &slow {
        Ok(checked) => &checked.warnings,
        Err(findings) => findings,
    };
    all.iter().for_each(complete);
    slow.map(|checked| checked.warnings)
}

fn of(indicator: &str, value: &str, more: Value) -> Value {
    let mut all = json!({"indicator": indicator, "value": value, "programmes": null});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    figure(all)
}

fn tips(indicator: &str, value: &str) -> Value {
    of(indicator, value, json!({}))
}

/// A stock of a half-year that one side reports.
fn stock(indicator: &str, value: &str) -> Value {
    let side = if indicator.starts_with("bb01") { "mttq" } else { "cong-an" };
    of(indicator, value, json!({"period": "2023-H1", "breakdown": {"reporter": side}}))
}

#[test]
fn what_lies_between_the_bounds_is_taken_silently_and_what_does_not_with_a_warning() {
    for (whole, part, warned) in [("6", "3", false), ("3", "2", false), ("9", "3", false), ("10", "3", true)]
    {
        let warnings = found(&[tips("aa01-tips", whole), tips("aa02-useful-tips", part)]).expect("taken");
        assert_eq!(!warnings.is_empty(), warned, "{whole} / {part}: {warnings:?}");
    }
    let warnings = found(&[tips("aa02-useful-tips", "3"), tips("aa01-tips", "10")]).expect("taken");
    let [warning] = warnings.as_slice() else { panic!("{warnings:#?}") };
    assert_eq!((warning.code.as_str(), warning.path.as_str()), ("implausible", "figures[1].value"));
    assert_eq!(warning.got, "aa01-tips = 10, aa02-useful-tips = 3 for unit 00001");
    assert_eq!(warning.expected, "aa01-tips / aa02-useful-tips between 1.5 and 3 (rule pa01)");
}

#[test]
fn figures_of_other_units_periods_scopes_or_members_are_not_put_together() {
    for other in [
        json!({"unit": "00002"}),
        json!({"period": "2024-M04"}),
        json!({"breakdown": {"reporter": "cong-an", "channel": "box"}}),
    ] {
        let figures = [tips("aa01-tips", "10"), of("aa02-useful-tips", "3", other)];
        assert_eq!(found(&figures).expect("taken"), []);
    }
}

#[test]
fn a_figure_without_a_value_or_a_side_alone_is_not_judged() {
    assert_eq!(found(&[tips("aa01-tips", "10")]).expect("taken"), []);
    let none = of("aa02-useful-tips", "", json!({"value": null, "not_available": "không có"}));
    assert_eq!(found(&[tips("aa01-tips", "10"), none]).expect("taken"), []);
}

#[test]
fn an_error_refuses_and_what_a_ratio_says_already_is_said_once() {
    let findings = found(&[stock("gg01-models", "4"), stock("bb01-teams", "3")]).expect_err("it was taken");
    let codes: Vec<&str> = findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["implausible"], "{findings:#?}");
    assert_eq!(findings[0].expected, "gg01-models <= bb01-teams (rule pa03)");
    let sessions = json!({"breakdown": {"reporter": "cong-an", "venue": "undivided"}});
    let on_drugs = json!({"breakdown": {"reporter": "cong-an"}});
    let figures = [of("hh01-sessions", "3", sessions), of("hh02-sessions-on-drugs", "4", on_drugs)];
    let raw = json_form::parse(submission(&figures).as_bytes(), &Limits::default()).expect("it is read");
    let findings = check(ruled(), &raw, &Limits::default()).expect_err("it was taken");
    let codes: Vec<&str> = findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["numerator_above_denominator"], "{findings:#?}");
}

#[test]
fn a_sum_is_exact_or_not_judged() {
    let sum =
        |warnings: Vec<Finding>| warnings.iter().filter(|w| w.expected.to_string().contains("pa04")).count();
    let figures = |models: Value| [stock("bb01-teams", "3"), models];
    assert_eq!(sum(found(&figures(stock("gg01-models", "3"))).expect("taken")), 0);
    assert_eq!(sum(found(&figures(stock("gg01-models", "2"))).expect("taken")), 1);
    let mut about = stock("gg01-models", "2");
    about["qualifier"] = json!("about");
    assert_eq!(sum(found(&figures(about)).expect("taken")), 0, "about two may be three");
}

#[test]
fn what_the_map_gives_is_known_without_being_reported_and_the_period_before_is_not() {
    let warnings = found(&[stock("bb01-teams", "3")]).expect("taken");
    let [warning] = warnings.as_slice() else { panic!("{warnings:#?}") };
    assert_eq!(warning.got, "bb01-teams = 3, ff01-units = 1 for unit 00001");
    assert_eq!(found(&[stock("bb01-teams", "1")]).expect("taken"), []);
}

#[test]
fn a_rule_that_cannot_be_read_or_names_what_is_not_there_is_a_problem_of_the_registry() {
    for (row, part) in [
        ("px,aa01-tips < aa02-useful-tips,warn,,", "expected a <= b"),
        ("px,aa01-tips <= zz99-nothing,warn,,", "unknown indicator"),
        ("px,aa01-tips <= aa03-useful-rate,warn,,", "is a ratio"),
        ("px,aa01-tips <= aa02-useful-tips,perhaps,,", "is not one of error, warn"),
    ] {
        let rules = format!("code,expression,severity,note,source\n{row}\n");
        let problems = match registry_draft::draft(wire(&rules)) {
            Ok(draft) => Registry::build(draft, None).map(|_| ()).expect_err(row),
            Err(problems) => problems,
        };
        let said: Vec<String> = problems.iter().map(|p| format!("{} {}", p.table, p.message)).collect();
        assert!(said.iter().any(|s| s.starts_with("plausibility") && s.contains(part)), "{row}: {said:?}");
    }
    let mut tables = common::tables("tests/data/registry");
    let twice = "code,expression,severity,note\npx,a <= b,warn,\npx,b <= a,warn,\n";
    tables.insert("plausibility.csv".to_owned(), twice.as_bytes().to_vec());
    let findings = registry_tables::read(&tables).expect_err("it was read");
    assert_eq!(findings[0].code, "duplicate_row");
}
