//! Where a page starts.
//!
//! A cursor names the position of the first page, so that all pages are of one state of the totals whatever is
//! accepted between them, and the question, so that it is not taken for a page of another.

use sha2::{Digest, Sha256};
use tonghop_runtime::{Failure, FailureKind, Text};

use crate::ask;

/// Entries on one page at most, and where nothing is asked.
pub(crate) const LARGEST_PAGE: usize = 1000;

/// Where a page starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// As of which position the first page was; none for the first page.
    pub(crate) pinned: Option<i64>,
    /// How many entries are on the pages before.
    pub(crate) start: usize,
    /// What the question is known by.
    question: u64,
}

impl Cursor {
    /// Reads the cursor of a question, which `words` say.
    ///
    /// # Errors
    /// Where it is none, or one of another question.
    pub(crate) fn read(token: &str, words: &[&str]) -> Result<Cursor, Failure> {
        let question = known_by(words);
        if token.is_empty() {
            return Ok(Cursor { pinned: None, start: 0, question });
        }
        let refused = |code: &str, expected: Text| {
            let hint = first_page();
            ask::finding(FailureKind::NotUnderstood, code, "cursor", token, expected, hint)
        };
        let malformed = || refused("malformed_cursor", page_before());
        ask::bounded("cursor", token)?;
        let mut parts = token.splitn(3, '.');
        let mut part = || parts.next().ok_or_else(malformed);
        let pinned: i64 = part()?.parse().map_err(|_| malformed())?;
        let start: usize = part()?.parse().map_err(|_| malformed())?;
        let of = u64::from_str_radix(part()?, 16).map_err(|_| malformed())?;
        if pinned < 1 {
            return Err(malformed());
        }
        if of != question {
            let expected =
                Text::of("cùng câu hỏi như ở trang trước", "the same question as for the page before");
            return Err(refused("cursor_of_another_question", expected));
        }
        Ok(Cursor { pinned: Some(pinned), start, question })
    }

    /// The cursor of what comes after the first `end` of `all` entries as of a position; empty where nothing does.
    pub(crate) fn next(&self, position: i64, end: usize, all: usize) -> String {
        if end < all { self.at(position, end) } else { String::new() }
    }
}

impl Cursor {
    /// The cursor of what comes after the first `start` entries as of a position.
    pub(crate) fn at(&self, position: i64, start: usize) -> String {
        format!("{position}.{start}.{:016x}", self.question)
    }
}

/// That the cursor of a page is expected.
pub(crate) fn page_before() -> Text {
    Text::of("`next` của trang trước", "the `next` of the page before")
}

/// That the first page has none.
pub(crate) fn first_page() -> Text {
    Text::of("bỏ trống để lấy trang đầu", "leave it out for the first page")
}

/// How long a page is.
pub(crate) fn size(asked: u32) -> usize {
    if asked == 0 { LARGEST_PAGE } else { LARGEST_PAGE.min(asked as usize) }
}

fn known_by(words: &[&str]) -> u64 {
    let mut digest = Sha256::new();
    for word in words {
        digest.update(word.as_bytes());
        digest.update([0]);
    }
    let digest = digest.finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given_and_only_to_its_question() {
        let first = Cursor::read("", &["tg01", "VN"]).expect("a first page");
        assert_eq!((first.pinned, first.start), (None, 0));
        assert_eq!(first.next(12, 1000, 1000), "");
        let token = first.next(12, 1000, 1001);
        let second = Cursor::read(&token, &["tg01", "VN"]).expect("a second page");
        assert_eq!((second.pinned, second.start), (Some(12), 1000));
        let code = |token: &str, words: &[&str]| {
            Cursor::read(token, words).expect_err("a refusal").findings()[0].code.clone()
        };
        assert_eq!(code(&token, &["tg01", "06"]), "cursor_of_another_question");
        for token in ["7", "x.1.0", "12.-1.0", "0.1.0", "12.1.g", "12.1", "...", "1.1.1.1"] {
            assert_eq!(code(token, &["tg01", "VN"]), "malformed_cursor", "{token}");
        }
    }
}
