//! What the tests share: a small registry, the real one, and submissions to change one thing in.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tonghop_core::registry::Registry;
use tonghop_ingestion::check::{Checked, check};
use tonghop_ingestion::registry_tables::Given;
use tonghop_ingestion::submission::{Beside, Limits, RawSubmission};
use tonghop_ingestion::{csv_form, json as json_form, registry_tables};
use tonghop_proto::{registry as pb, registry_draft};
use tonghop_runtime::{Failure, Finding, Language};

/// What stands beside a document of these tests.
pub(crate) const BESIDE: Beside<'static> = Beside { source: "tinh-dong", note: "", locale: None };

pub(crate) fn tables(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

/// The registry that tables make.
pub(crate) fn whole(tables: &BTreeMap<String, Vec<u8>>) -> pb::Registry {
    match registry_tables::read(tables).unwrap_or_else(|all| panic!("{all:#?}")) {
        Given::Whole(mut wire, reform) => {
            if let Some(reform) = reform {
                registry_draft::put_on(&mut wire, reform).unwrap_or_else(|all| panic!("{all:#?}"));
            }
            *wire
        }
        Given::Reform(reform) => panic!("a reform: {reform:?}"),
    }
}

fn build(folder: &str) -> Registry {
    let wire = whole(&tables(folder));
    let draft = registry_draft::draft(wire).unwrap_or_else(|all| panic!("{all:#?}"));
    Registry::build(draft, None).unwrap_or_else(|all| panic!("{all:#?}"))
}

/// Two maps, a divided province, a reused code, an island district.
pub(crate) fn small() -> &'static Registry {
    static SMALL: OnceLock<Registry> = OnceLock::new();
    SMALL.get_or_init(|| build("tests/data/registry"))
}

pub(crate) fn real() -> &'static Registry {
    static REAL: OnceLock<Registry> = OnceLock::new();
    REAL.get_or_init(|| build("../../data/registry"))
}

/// A figure that is accepted, with some of its keys replaced, and those that are null removed.
pub(crate) fn figure(change: Value) -> Value {
    let mut figure = json!({
        "unit": "00001", "indicator": "aa01-tips", "period": "2024-M03", "scope": "own", "value": "12",
        "breakdown": {"reporter": "cong-an", "channel": "undivided"}, "programmes": ["P1"],
    });
    let into = figure.as_object_mut().unwrap();
    for (key, value) in change.as_object().unwrap() {
        if value.is_null() {
            into.remove(key)
        } else {
            into.insert(key.clone(), value.clone())
        };
    }
    figure
}

pub(crate) fn submission(figures: &[Value]) -> String {
    json!({"source": "tinh-dong", "figures": figures}).to_string()
}

pub(crate) fn parsed(document: &str) -> RawSubmission {
    json_form::parse(document.as_bytes(), &Limits::default()).unwrap_or_else(|f| panic!("{f}: {f:?}"))
}

pub(crate) fn checked(document: &str) -> Result<Checked, Vec<Finding>> {
    check(small(), &parsed(document), &Limits::default())
}

pub(crate) fn checked_csv(document: &str) -> Result<Checked, Vec<Finding>> {
    let raw = csv_form::parse(document.as_bytes(), &BESIDE, &Limits::default()).unwrap();
    check(small(), &raw, &Limits::default())
}

/// Everything found in a document, whether in reading or in checking.
pub(crate) fn found(document: &str) -> Vec<Finding> {
    match json_form::parse(document.as_bytes(), &Limits::default()) {
        Ok(raw) => check(small(), &raw, &Limits::default()).expect_err("it was accepted"),
        Err(failure) => failure.findings().to_vec(),
    }
}

/// Every finding says what was read, what was expected and what to do, in both languages. What to do is always words;
/// what was read and expected may be codes, which are the same in both.
pub(crate) fn complete(finding: &Finding) {
    for (part, text) in [("got", &finding.got), ("expected", &finding.expected), ("hint", &finding.hint)] {
        let [vi, en] = [Language::Vietnamese, Language::English].map(|language| text.in_language(language));
        assert!(!vi.is_empty() && !en.is_empty(), "no {part}: {finding:?}");
        assert!(part != "hint" || vi != en, "not translated: {finding:?}");
        let has_marks = |text: &str| text.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
        assert!(vi == en || has_marks(vi), "{part} is not in Vietnamese: {vi:?}");
    }
}

/// The only finding of a document.
pub(crate) fn only(document: &str) -> Finding {
    let mut all = found(document);
    assert_eq!(all.len(), 1, "{all:#?}");
    complete(&all[0]);
    all.remove(0)
}

pub(crate) fn codes(all: &[Finding]) -> Vec<&str> {
    all.iter().map(|f| f.code.as_str()).collect()
}

pub(crate) fn failure(document: &[u8]) -> Failure {
    let failure = json_form::parse(document, &Limits::default()).expect_err("it was read");
    failure.findings().iter().for_each(complete);
    failure
}
