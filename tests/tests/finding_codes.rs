//! The codes of findings: each says what it means in both languages, stands on the page that lists them, and is found by
//! something.

use std::path::{Path, PathBuf};

use tonghop_ingestion::finding::Code;
use tonghop_runtime::Language;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn meanings(code: Code) -> [String; 2] {
    let meaning = code.meaning();
    [Language::Vietnamese, Language::English].map(|language| meaning.in_language(language).to_owned())
}

#[test]
fn every_code_has_a_meaning_in_both_languages() {
    let mut seen = std::collections::HashSet::new();
    for code in Code::ALL {
        let [vi, en] = meanings(*code);
        for text in [&vi, &en] {
            assert!(text.ends_with('.') && text.trim() == text && text.len() > 8, "{code:?}: {text:?}");
            assert!(seen.insert(text.clone()), "{code:?}: {text:?} is what another means");
        }
        assert!(vi.chars().any(|c| c.is_alphabetic() && !c.is_ascii()), "{code:?}: {vi}");
        assert!(!en.chars().any(|c| c.is_alphabetic() && !c.is_ascii()), "{code:?}: {en}");
        assert_ne!(vi, en);
    }
    assert!(Code::ALL.len() > 100, "{}", Code::ALL.len());
}

#[test]
fn the_page_of_findings_lists_every_code_and_no_other() {
    let page = std::fs::read_to_string(root().join("docs/findings.md")).expect("the page");
    let (_, table) = page.split_once("|---|---|---|\n").expect("its table");
    let listed: Vec<&str> = table.lines().collect();
    let expected: Vec<String> = Code::ALL
        .iter()
        .map(|code| {
            let [vi, en] = meanings(*code);
            format!("| `{}` | {vi} | {en} |", code.as_str())
        })
        .collect();
    assert_eq!(listed, expected, "one line for each code, in their order");
}

fn sources(folder: &Path, out: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            out.push_str(text.split("#[cfg(test)]").next().expect("its beginning"));
        }
    }
}

#[test]
fn every_code_is_found_by_something() {
    let mut all = String::new();
    sources(&root().join("services/ingestion/src"), &mut all);
    for code in Code::ALL {
        let named = format!("Code::{code:?}");
        let is_whole = |at: usize| !all[at + named.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
        assert!(all.match_indices(&named).any(|(at, _)| is_whole(at)), "nothing is found to be {named}");
    }
}
