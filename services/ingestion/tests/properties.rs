//! Whatever is sent, reading it ends with a submission or with findings.

mod common;

use proptest::collection::vec;
use proptest::prelude::*;
use tonghop_ingestion::check::check;
use tonghop_ingestion::submission::Limits;
use tonghop_ingestion::{csv_form, json as json_form, registry_tables};

const CSV: &str = "unit_code,indicator,breakdown,period,scope,value,qualifier,not_available_reason,programme,map_date\n\
    00001,aa01,reporter=cong-an|channel=box,2024-M03,own,12,about,,P1,2024-01-01\n\
    \"03\",bb01,reporter=mttq,2025,territory,,,\"a, \"\"b\"\"\nc\",,\n";

fn take(bytes: &[u8]) {
    let limits = Limits::default();
    let read = [json_form::parse(bytes, &limits), csv_form::parse(bytes, &common::BESIDE, &limits)];
    for raw in read {
        match raw {
            Ok(raw) => match check(common::small(), &raw, &limits) {
                Ok(checked) => assert_eq!(checked.figures.len(), raw.figures.len()),
                Err(all) => {
                    assert!(!all.is_empty());
                    all.iter().for_each(common::complete);
                }
            },
            Err(failure) => {
                assert!(!failure.findings().is_empty());
                failure.findings().iter().for_each(common::complete);
            }
        }
    }
}

/// A good document with some bytes replaced, inserted or removed.
fn damaged(good: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let good = good.as_bytes().to_vec();
    let damage = (
        0..good.len(),
        0..3u8,
        prop_oneof![any::<u8>(), prop::sample::select(b"\"\\,{}[]:|=\n0-.".to_vec())],
    );
    vec(damage, 1..6).prop_map(move |all| {
        let mut bytes = good.clone();
        for (at, how, byte) in all {
            let at = at.min(bytes.len() - 1);
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

fn json() -> String {
    use serde_json::json;
    let tagged = json!({"reporter": "cong-an", "channel": "box", "topic": "drugs"});
    common::submission(&[
        common::figure(json!({})),
        common::figure(json!({"value": 7, "breakdown": tagged})),
        common::figure(json!({"value": null, "not_available": "không có", "period": "2013..2023"})),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        take(&bytes);
    }

    #[test]
    fn damaged_json_is_taken_or_refused(bytes in damaged(&json())) {
        take(&bytes);
    }

    #[test]
    fn damaged_csv_is_taken_or_refused(bytes in damaged(CSV)) {
        take(&bytes);
    }

    #[test]
    fn any_texts_in_a_figure_are_taken_or_refused(
        texts in vec(prop_oneof![any::<String>(), "[0-9A-Z.-]{0,12}"], 7),
    ) {
        use serde_json::json;
        let [unit, indicator, period, scope, value, qualifier, member] = texts.as_slice() else { unreachable!() };
        for change in [
            json!({"unit": unit, "period": period}),
            json!({"indicator": indicator, "scope": scope}),
            json!({"value": value, "qualifier": qualifier}),
            json!({"breakdown": {"reporter": member, member.clone(): unit}, "period": period}),
        ] {
            take(common::submission(&[common::figure(change)]).as_bytes());
        }
    }

    #[test]
    fn damaged_tables_are_read_or_refused(
        file in 0..8usize,
        bytes in vec(any::<u8>(), 0..100),
        at in any::<prop::sample::Index>(),
    ) {
        let mut tables = common::tables("tests/data/registry");
        let name = tables.keys().nth(file).unwrap().clone();
        let table = tables.get_mut(&name).unwrap();
        let at = at.index(table.len());
        table.splice(at..at, bytes);
        if let Err(all) = registry_tables::read(&tables) {
            prop_assert!(!all.is_empty());
            all.iter().for_each(common::complete);
        }
    }
}

#[test]
fn csv_of_the_properties_is_good() {
    let raw = csv_form::parse(CSV.as_bytes(), &common::BESIDE, &Limits::default()).unwrap();
    assert_eq!(raw.figures.len(), 2);
}
