//! A part is no larger than its whole, as far as one submission says both.

mod common;

use common::{complete, figure, submission};
use serde_json::{Value, json};
use tonghop_runtime::Finding;

fn refused(figures: &[Value]) -> Vec<Finding> {
    let all = common::checked(&submission(figures)).err().unwrap_or_default();
    all.iter().for_each(complete);
    assert!(all.iter().all(|f| f.code == "numerator_above_denominator"), "{all:#?}");
    all
}

fn tips(indicator: &str, channel: &str, value: u32) -> Value {
    let breakdown = json!({"reporter": "cong-an", "channel": channel});
    figure(json!({"indicator": indicator, "value": value.to_string(), "breakdown": breakdown}))
}

#[test]
fn a_part_above_its_whole_is_refused_with_both_places() {
    let all = refused(&[tips("aa01", "undivided", 12), tips("aa02", "undivided", 13)]);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].path, "figures[1].value");
    assert_eq!(all[0].got, "aa02-useful-tips = 13 for unit 00001");
    assert_eq!(all[0].expected, "at most 12, which is aa01-tips (figures[0])");
}

#[test]
fn a_part_as_large_as_its_whole_or_smaller_is_taken() {
    assert!(refused(&[tips("aa01", "undivided", 12), tips("aa02", "undivided", 12)]).is_empty());
    assert!(refused(&[tips("aa01", "undivided", 12), tips("aa02", "undivided", 0)]).is_empty());
}

#[test]
fn a_member_is_compared_with_its_own_whole() {
    let all = refused(&[
        tips("aa01", "box", 4),
        tips("aa01", "phone", 10),
        tips("aa02", "box", 5),
        tips("aa02", "phone", 5),
    ]);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].path, "figures[2].value");
}

#[test]
fn an_undivided_part_is_compared_with_the_sum_of_its_whole() {
    let whole = [tips("aa01", "box", 4), tips("aa01", "phone", 5)];
    let with = |value| [whole.as_slice(), &[tips("aa02", "undivided", value)]].concat();
    assert!(refused(&with(9)).is_empty());
    assert_eq!(refused(&with(10)).len(), 1);
}

#[test]
fn a_part_whose_whole_is_in_another_submission_is_not_compared() {
    assert!(refused(&[tips("aa01", "box", 4), tips("aa02", "box", 3), tips("aa02", "phone", 5)]).is_empty());
    assert!(refused(&[tips("aa02", "box", 3)]).is_empty());
}

#[test]
fn other_units_periods_and_scopes_are_not_compared() {
    let part = |change: Value| {
        let mut changed = tips("aa02", "undivided", 13);
        changed.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        vec![tips("aa01", "undivided", 12), changed]
    };
    assert!(refused(&part(json!({"unit": "00002"}))).is_empty());
    assert!(refused(&part(json!({"period": "2024-M04"}))).is_empty());
    assert_eq!(refused(&part(json!({}))).len(), 1);
}

#[test]
fn figures_without_a_value_and_for_one_topic_are_not_compared() {
    let none = figure(json!({"value": null, "not_available": "not counted"}));
    assert!(refused(&[none, tips("aa02", "undivided", 13)]).is_empty());
    let topic = json!({"reporter": "cong-an", "channel": "undivided", "topic": "drugs"});
    let tagged = figure(json!({"value": "1", "breakdown": topic}));
    assert!(refused(&[tagged, tips("aa02", "undivided", 13)]).is_empty());
}

#[test]
fn sides_that_are_kept_apart_are_compared_side_by_side() {
    let whole = |side: &str, venue: &str, value: u32| {
        let breakdown = json!({"reporter": side, "venue": venue});
        figure(json!({"indicator": "hh01", "value": value.to_string(), "breakdown": breakdown}))
    };
    let part = |side: &str, value: u32| {
        figure(json!({"indicator": "hh02", "value": value.to_string(), "breakdown": {"reporter": side}}))
    };
    let both = [whole("cong-an", "school", 4), whole("cong-an", "undivided", 3), whole("mttq", "school", 20)];
    let with = |parts: &[Value]| [both.as_slice(), parts].concat();
    assert!(refused(&with(&[part("cong-an", 7), part("mttq", 20)])).is_empty());
    let all = refused(&with(&[part("cong-an", 8), part("mttq", 20)]));
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].path, "figures[3].value");
    assert_eq!(all[0].expected, "at most 7, which is hh01-sessions (figures[0])");
}
