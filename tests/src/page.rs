//! A page of the documentation that people type from: what it has them type, and what it says the answer is.
//!
//! In an answer `…` stands for what is left out: in a text for any part of its line, in JSON for part of a text, a value,
//! further members of an object or further items of a list.

use serde_json::Value;

/// One thing to type, and the answer to it, where the page gives one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// As it is typed.
    pub command: String,
    /// What the page says comes of it.
    pub answer: Option<Answer>,
}

/// An answer as the page gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Of a program to a program.
    Json(String),
    /// Anything else.
    Text(String),
}

/// The steps of a page, in its order.
///
/// # Panics
/// Where a block is neither typed nor the answer to what is: nobody would hold it against anything.
pub fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.trim_start().strip_prefix("```") else { continue };
        let block: String =
            lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        let answer = match kind {
            "sh" => {
                steps.push(Step { command: block, answer: None });
                continue;
            }
            "json" => Answer::Json(block),
            "text" => Answer::Text(block),
            other => panic!("a block of {other:?} is neither typed nor an answer:\n{block}"),
        };
        match steps.last_mut() {
            Some(step) if step.answer.is_none() => step.answer = Some(answer),
            _ => panic!("an answer to nothing: {answer:?}"),
        }
    }
    steps
}

impl Answer {
    /// Whether this is what was said.
    pub fn is(&self, said: &str) -> bool {
        match self {
            Answer::Json(pattern) => {
                let pattern = serde_json::from_str(&marked(pattern));
                let pattern =
                    pattern.unwrap_or_else(|error| panic!("the page has no JSON: {error}\n{self:?}"));
                serde_json::from_str(said).is_ok_and(|said| is_value(&pattern, &said))
            }
            Answer::Text(pattern) => {
                let (mut expected, mut lines) = (pattern.lines(), said.lines());
                expected.by_ref().all(|pattern| lines.next().is_some_and(|line| is_text(pattern, line)))
                    && lines.next().is_none()
            }
        }
    }
}

const LEFT_OUT: char = '…';
/// What stands in JSON for what is left out: a character that nobody writes.
const ANYTHING: &str = "\u{e000}";

/// A pattern as JSON that can be parsed.
fn marked(pattern: &str) -> String {
    let (mut marked, mut in_text, mut escaped) = (String::new(), false, false);
    // What is open, and whether its next member has its name already.
    let mut open: Vec<(char, bool)> = vec![];
    for character in pattern.chars() {
        match character {
            LEFT_OUT if !in_text => {
                marked.push_str(&format!("\"{ANYTHING}\""));
                if matches!(open.last(), Some(('{', false))) {
                    marked.push_str(":null");
                }
                continue;
            }
            '"' if !escaped => in_text = !in_text,
            '{' | '[' if !in_text => open.push((character, false)),
            '}' | ']' if !in_text => {
                open.pop();
            }
            ':' | ',' if !in_text => {
                if let Some((_, named)) = open.last_mut() {
                    *named = character == ':';
                }
            }
            _ => {}
        }
        escaped = in_text && character == '\\' && !escaped;
        marked.push(character);
    }
    marked
}

fn is_value(pattern: &Value, said: &Value) -> bool {
    match (pattern, said) {
        (Value::String(pattern), _) if pattern == ANYTHING => true,
        (Value::String(pattern), Value::String(said)) => is_text(pattern, said),
        (Value::Array(pattern), Value::Array(said)) => {
            let further = pattern.last().is_some_and(|last| last == ANYTHING);
            let named = &pattern[..pattern.len() - usize::from(further)];
            (if further { named.len() <= said.len() } else { named.len() == said.len() })
                && named.iter().zip(said).all(|(pattern, said)| is_value(pattern, said))
        }
        (Value::Object(pattern), Value::Object(said)) => {
            let further = pattern.contains_key(ANYTHING);
            (further || pattern.len() == said.len())
                && pattern
                    .iter()
                    .filter(|(name, _)| *name != ANYTHING)
                    .all(|(name, pattern)| said.get(name).is_some_and(|said| is_value(pattern, said)))
        }
        _ => pattern == said,
    }
}

fn is_text(pattern: &str, said: &str) -> bool {
    let mut parts = pattern.split(LEFT_OUT);
    let Some(mut rest) = said.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_has_the_answer_that_follows_it() {
        let page =
            "# A page\n```sh\necho 1\n\necho 2\n```\nand\n```text\n1\n2\n```\nthen\n```sh\ntrue\n```\n";
        let first = Answer::Text("1\n2\n".into());
        assert_eq!(
            steps(page),
            [
                Step { command: "echo 1\n\necho 2\n".into(), answer: Some(first) },
                Step { command: "true\n".into(), answer: None },
            ]
        );
    }

    #[test]
    #[should_panic(expected = "neither typed nor an answer")]
    fn nothing_on_a_page_is_passed_over() {
        steps("```python\nprint(1)\n```\n");
    }

    #[test]
    fn what_is_left_out_of_json_is_any_value_member_or_item() {
        let is = |pattern: &str, said: &str| Answer::Json(pattern.into()).is(said);
        let said = r#"{"id": "a:\"b,", "at": 7, "more": [{"code": "x", "got": "1.5"}, 2]}"#;
        assert!(is(said, said));
        assert!(is(r#"{"id":"…","at":…,"more":[…]}"#, said));
        assert!(is(r#"{"id":"a…,", … ,"more":[{"code":"x",…},…]}"#, said));
        assert!(is(r#"{…,"more":[{…},2]}"#, said));
        assert!(is("…", said));
        assert!(!is(r#"{"id":"…","at":…}"#, said));
        assert!(!is(r#"{"id":"…","at":8,…}"#, said));
        assert!(!is(r#"{"id":"…","at":"…",…}"#, said));
        assert!(!is(r#"{…,"more":[{…}]}"#, said));
        assert!(!is(r#"{…,"more":[{…},2,3,…]}"#, said));
        assert!(!is(r#"{…,"other":…}"#, said));
        assert!(!is("{…}", "{} {}"));
        assert!(!is("{…}", ""));
    }

    #[test]
    fn what_is_left_out_of_a_text_is_within_its_line() {
        let is = |pattern: &str, said: &str| Answer::Text(pattern.into()).is(said);
        assert!(is("taken at …: 1 figure\n", "taken at 12: 1 figure"));
        assert!(is("a…b…c\nd\n", "a1b2bc\nd\n"));
        assert!(!is("a…b\n", "ab c\n"));
        assert!(!is("ab…bc\n", "abc\n"));
        assert!(!is("a\n", "a\nb\n"));
        assert!(!is("a\nb\n", "a\n"));
    }
}
