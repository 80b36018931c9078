//! A submission read and checked by kinds of figures is the one read and checked figure by figure.

mod common;

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};
use tonghop_access::{Grant, Role};
use tonghop_core::registry::Registry;
use tonghop_ingestion::check::{Accepted, Checked, accept, accept_from, check, check_from};
use tonghop_ingestion::submission::{Limits, RawSubmission};
use tonghop_ingestion::{json as json_form, wire};
use tonghop_proto::ingestion as pb;
use tonghop_proto::record::document::rewrite;
use tonghop_proto::record::{AcceptedFigure, Columns};

fn limits() -> Limits {
    Limits::default()
}

/// What is accepted quickly is what is accepted slowly, with the same warnings, and its document comes out again.
fn agree(registry: &Registry, quick: Option<&Accepted>, slow: Option<&Checked>, document: &[u8]) {
    let Some(quick) = quick else { return };
    let slow = slow.expect("it was refused figure by figure");
    assert_eq!(slow.warnings, quick.warnings);
    let figures = quick.figures.figures(registry).expect("figures of the registry");
    assert_eq!(figures, slow.figures);
    let record = quick.figures.encode();
    assert_eq!(Columns::decode(&record).expect("a record"), quick.figures);
    if let Some(skeleton) = &quick.skeleton {
        let again = rewrite(&skeleton.encode(), &record).expect("a document");
        assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(document));
    }
}

fn slow(registry: &Registry, raw: &RawSubmission) -> Option<Checked> {
    check(registry, raw, &limits()).ok()
}

/// Whether it was accepted quickly, and with a skeleton.
fn json_agrees(registry: &Registry, document: &[u8]) -> (bool, bool) {
    let read = json_form::alike(document, &limits());
    let raw = json_form::parse(document, &limits());
    if read.is_some() {
        let raw = raw.as_ref().expect("it is read figure by figure, too");
        assert!(raw.reading.is_empty(), "{:?}", raw.reading);
    }
    let quick = read.and_then(|read| accept(registry, read, &limits()));
    let checked = raw.ok().and_then(|raw| slow(registry, &raw));
    agree(registry, quick.as_ref(), checked.as_ref(), document);
    (quick.is_some(), quick.is_some_and(|q| q.skeleton.is_some()))
}

fn wire_agrees(registry: &Registry, document: &[u8]) -> bool {
    let read = wire::alike(document);
    let request = pb::SubmitRequest::decode(document);
    if read.is_some() {
        let request = request.as_ref().expect("it is a message");
        assert_eq!(request.encode_to_vec(), document, "it is not written as it is kept");
    }
    let quick = read.and_then(|read| accept(registry, read, &limits()));
    let raw = request.ok().map(|r| RawSubmission::from_wire(&r.source, &r.note, r.figures));
    let checked = raw.and_then(|raw| slow(registry, &raw));
    agree(registry, quick.as_ref(), checked.as_ref(), document);
    quick.is_some()
}

/// Texts of a figure: mostly what is accepted, of few kinds, so that figures are alike, repeat one another, contradict
/// one another, or are wrong in one thing.
fn figure() -> impl Strategy<Value = Value> {
    let unit = prop::sample::select(vec!["00001", "00002", "00003", "001", "01", "02", "03", "VN", "1", "é"]);
    let indicator = prop::sample::select(vec![
        "aa01",
        "aa01-tips",
        "aa02",
        "aa02-useful-tips",
        "bb01",
        "bb02",
        "cc01",
        "dd01",
        "zz99",
    ]);
    let channel = prop::sample::select(vec!["undivided", "box", "phone", "nothing"]);
    let reporter = prop::sample::select(vec!["cong-an", "mttq"]);
    let period = prop::sample::select(vec!["2024-M03", "2024-M04", "2024-Q1", "2025", "2024-H1"]);
    let scope = prop::sample::select(vec!["own", "own", "own", "territory"]);
    let statement = prop_oneof![
        8 => (0..40u32).prop_map(|v| json!({"value": v.to_string()})),
        2 => (0..40u32).prop_map(|v| json!({"value": v})),
        1 => prop::sample::select(vec!["007", "1.5", "98.25", "0.0", "1e3", "-1", "", "999999999999999"])
            .prop_map(|v| json!({"value": v})),
        1 => Just(json!({"not_available": "không có"})),
        1 => Just(json!({"withdraw": true})),
    ];
    let extra = prop_oneof![
        8 => Just(json!({})),
        1 => Just(json!({"qualifier": "about"})),
        1 => Just(json!({"qualifier": "exact"})),
        1 => Just(json!({"programmes": ["P1"]})),
        1 => Just(json!({"programmes": ["P9"]})),
        1 => Just(json!({"withdraw": false})),
    ];
    (unit, indicator, channel, reporter, period, scope, statement, extra).prop_map(
        |(unit, indicator, channel, reporter, period, scope, statement, extra)| {
            let mut figure = json!({
                "unit": unit, "indicator": indicator, "period": period, "scope": scope,
                "breakdown": {"reporter": reporter, "channel": channel},
            });
            let into = figure.as_object_mut().unwrap();
            into.extend(statement.as_object().unwrap().clone());
            into.extend(extra.as_object().unwrap().clone());
            figure
        },
    )
}

/// Figures most of which are those of one good kind, for many units.
fn figures() -> impl Strategy<Value = Vec<Value>> {
    let months =
        prop::sample::select(vec!["2024-M03", "2024-M04", "2024-M05", "2024-M06", "2024-M07", "2024-M08"]);
    let good = (1..=3u32, any::<bool>(), 0..50u32, months).prop_map(|(unit, whole, value, period)| {
        common::figure(json!({
            "unit": format!("0000{unit}"), "indicator": if whole { "aa01" } else { "aa02" }, "period": period,
            "value": (if whole { value + 40 } else { value }).to_string(), "programmes": null,
        }))
    });
    vec(prop_oneof![12 => good, 1 => figure()], 1..40)
}

fn to_wire(figure: &Value) -> pb::Figure {
    let text = |key: &str| figure[key].as_str().unwrap_or_default().to_owned();
    let pairs = figure["breakdown"].as_object().unwrap();
    let pairs: Vec<String> = pairs.iter().map(|(d, m)| format!("{d}={}", m.as_str().unwrap())).collect();
    let statement = if let Some(reason) = figure["not_available"].as_str() {
        Some(pb::figure::Statement::NotAvailable(reason.to_owned()))
    } else if let Some(yes) = figure["withdraw"].as_bool() {
        Some(pb::figure::Statement::Withdraw(yes))
    } else {
        let value = &figure["value"];
        let value = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
        Some(pb::figure::Statement::Value(value))
    };
    let programmes = figure["programmes"].as_array().into_iter().flatten();
    pb::Figure {
        unit: text("unit"),
        indicator: text("indicator"),
        breakdown: pairs.join("|"),
        period: text("period"),
        scope: text("scope"),
        statement,
        qualifier: text("qualifier"),
        programmes: programmes.map(|p| p.as_str().unwrap().to_owned()).collect(),
    }
}

fn message(figures: &[Value]) -> Vec<u8> {
    let figures = figures.iter().map(to_wire).collect();
    pb::SubmitRequest { source: "tinh-dong".into(), note: "ghi chú".into(), figures, ..Default::default() }
        .encode_to_vec()
}

/// Bytes with some replaced, inserted, removed or written twice.
fn damage(good: &[u8], places: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for (at, how, byte) in places {
        let at = at.index(bytes.len());
        match how % 4 {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            2 => drop(bytes.remove(at)),
            _ => {
                let end = (at + usize::from(*byte)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

fn sign() -> impl Strategy<Value = u8> {
    prop_oneof![any::<u8>(), prop::sample::select(b"\"\\,{}[]: 0129.-eu\n".to_vec())]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_submissions_are_the_same_either_way(figures in figures()) {
        json_agrees(common::small(), common::submission(&figures).as_bytes());
        json_agrees(common::small(), serde_json::to_string_pretty(&json!({"figures": figures, "source": "x"})).unwrap().as_bytes());
        wire_agrees(common::small(), &message(&figures));
    }

    #[test]
    fn damaged_submissions_are_the_same_either_way(
        figures in figures(),
        places in vec((any::<prop::sample::Index>(), any::<u8>(), sign()), 1..4),
    ) {
        json_agrees(common::small(), &damage(common::submission(&figures).as_bytes(), &places));
        wire_agrees(common::small(), &damage(&message(&figures), &places));
    }
}

/// Communes by months by indicators.
fn grid() -> Vec<Value> {
    let cells = (1..=3).flat_map(|unit| (1..=9).map(move |month| (unit, month)));
    let figures = cells.enumerate().flat_map(|(n, (unit, month))| {
        ["aa01", "aa02"].map(|indicator| {
            common::figure(json!({
                "unit": format!("0000{unit}"), "indicator": indicator, "value": (n * 7).to_string(),
                "period": format!("2024-M0{month}"), "programmes": null,
            }))
        })
    });
    figures.collect()
}

#[test]
fn what_most_submissions_are_is_read_by_kinds_in_every_form() {
    let figures = grid();
    assert_eq!(figures.len(), 54);
    assert_eq!(json_agrees(common::small(), common::submission(&figures).as_bytes()), (true, true));
    let pretty =
        serde_json::to_string_pretty(&json!({"source": "x", "note": "n", "figures": figures})).unwrap();
    assert_eq!(json_agrees(common::small(), pretty.as_bytes()), (true, true));
    let spaced = format!(" {{ \"figures\" : [ {} , {} ] ,\n \"source\":\"x\"}} \n", figures[0], figures[1]);
    assert_eq!(json_agrees(common::small(), spaced.as_bytes()), (true, true));
    assert!(wire_agrees(common::small(), &message(&figures)));
}

#[test]
fn figures_without_a_value_and_in_any_order_of_keys_are_read_by_kinds() {
    let first = |figure: Value| {
        assert_eq!(
            json_agrees(common::small(), common::submission(std::slice::from_ref(&figure)).as_bytes()),
            (true, true)
        );
        assert!(wire_agrees(common::small(), &message(&[figure])));
    };
    first(common::figure(json!({"value": null, "not_available": "không có"})));
    first(common::figure(json!({"value": null, "withdraw": true})));
    first(common::figure(json!({"qualifier": "at_least"})));
    let turned = r#"{"source":"x","figures":[{"value":12,"breakdown":{"channel":"box","reporter":"cong-an"},
        "scope":"own","period":"2024-M03","unit":"00001","indicator":"aa01"}]}"#;
    assert_eq!(json_agrees(common::small(), turned.as_bytes()), (true, true));
}

#[test]
fn one_space_more_between_two_figures_keeps_the_document_itself() {
    let figures = grid();
    let uneven = format!(r#"{{"source":"x","figures":[{},{}, {}]}}"#, figures[0], figures[1], figures[2]);
    assert_eq!(json_agrees(common::small(), uneven.as_bytes()), (true, false));
}

#[test]
fn what_is_wrong_or_remarkable_is_left_to_the_reading_that_has_words_for_it() {
    let good = grid();
    let with = |change: Value| [good.clone(), vec![common::figure(change)]].concat();
    for figures in [
        with(json!({"unit": "00001", "period": "2024-M01", "indicator": "aa01"})),
        with(json!({"unit": "99999"})),
        with(json!({"value": "1.5"})),
        with(json!({"value": "007"})),
        with(json!({"programmes": ["P9"]})),
        with(json!({"scope": "territory"})),
        with(json!({"period": "2024-M13"})),
    ] {
        assert!(!json_agrees(common::small(), common::submission(&figures).as_bytes()).0);
        assert!(!wire_agrees(common::small(), &message(&figures)));
    }
    // A part above its whole, both of them good by themselves.
    let tips = |indicator: &str, value: &str| {
        common::figure(json!({"indicator": indicator, "value": value, "programmes": null}))
    };
    for (part, quick) in [("12", true), ("13", false)] {
        let figures = [tips("aa01", "12"), tips("aa02", part)];
        assert_eq!(json_agrees(common::small(), common::submission(&figures).as_bytes()).0, quick);
        assert_eq!(wire_agrees(common::small(), &message(&figures)), quick);
    }
}

#[test]
fn json_that_is_not_strict_is_not_read_by_kinds() {
    let figure = common::figure(json!({}));
    for document in [
        format!(r#"{{"source":"x","source":"y","figures":[{figure}]}}"#),
        format!(r#"{{"source":"x","figures":[{figure}],"figures":[]}}"#),
        format!(r#"{{"source":"x","figures":[{figure},]}}"#),
        format!(r#"{{"source":"x","figures":[{figure}]}} x"#),
        format!(r#"{{"source":"x","figures":[{figure}],}}"#),
        format!(r#"{{"source":"x","other":1,"figures":[{figure}]}}"#),
        format!(r#"{{"source":"x","figures":[{figure} {figure}]}}"#),
        r#"{"source":"x","figures":[]}"#.to_owned(),
        r#"{"source":"x"}"#.to_owned(),
    ] {
        assert!(!json_agrees(common::small(), document.as_bytes()).0, "{document}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Under a grant, what is accepted quickly is what is accepted slowly; and whatever is accepted is within it.
    #[test]
    fn under_a_grant_both_ways_accept_the_same(
        figures in vec(figure(), 1..6),
        units in prop::sample::select(vec![vec!["01"], vec!["011", "02"], vec!["00001"], vec!["VN"], vec!["99"]]),
        sides in prop::sample::select(vec![vec![], vec!["cong-an"], vec!["mttq"]]),
    ) {
        let grant = Grant {
            roles: vec![Role::Report],
            units: units.into_iter().map(str::to_owned).collect(),
            sides: sides.into_iter().map(str::to_owned).collect(),
            everywhere: false,
        };
        let registry = common::small();
        let document = json!({ "source": "s", "figures": figures }).to_string();
        let quick = json_form::alike(document.as_bytes(), &limits());
        let quick = quick.and_then(|read| accept_from(&grant, registry, read, &limits()));
        let raw = json_form::parse(document.as_bytes(), &limits()).expect("it is read");
        let slow = check_from(&grant, registry, &raw, &limits());
        agree(registry, quick.as_ref(), slow.as_ref().ok(), document.as_bytes());
        if let Ok(checked) = &slow {
            // What a grant lets through is what is right without one.
            assert_eq!(check(registry, &raw, &limits()).as_ref(), Ok(checked));
            for AcceptedFigure { figure, .. } in &checked.figures {
                let indicator = registry.indicator(&figure.indicator).expect("an indicator");
                let day = indicator.calendar.last_day(figure.period);
                assert!(grant.covers(registry, figure.unit, day));
                assert!(figure.breakdown.member("reporter").is_none_or(|side| grant.speaks_for(side)));
            }
        }
    }
}
