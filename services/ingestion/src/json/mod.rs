//! Submissions in JSON.
//!
//! The usual way to read JSON into a type keeps the last of two equal keys, drops unknown ones and turns
//! numbers into floats. For statistics each of these loses something silently, so a document is taken apart
//! level by level here, every value as the text it was written in, and whatever cannot be read is a finding.

mod alike;
mod document;
mod figures;
mod walk;

pub use alike::alike;
pub(crate) use document::{check_size, not_utf8, not_utf8_at, too_many};

use tonghop_runtime::{Failure, FailureKind, Got, Text};

use crate::finding::{Code, Spot, finding};
use crate::submission::{Limits, RawSubmission};
use figures::{At, Reader, array_of_figures};
use walk::{Read, each_entry, kind};

const KEYS: [&str; 4] = ["source", "note", "figures", "locale"];

/// Reads a submission. Its values are plain decimals, unless it declares a locale.
///
/// What is wrong with single keys and values is kept in [`RawSubmission::reading`], for the check to answer
/// together with what it finds.
///
/// # Errors
/// `NotUnderstood` where the document is not UTF-8, not JSON, or not an object; `TooLarge` where it has more
/// bytes or figures than are taken.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<RawSubmission, Failure> {
    let value = document::read(bytes, limits)?;
    let mut reader = Reader::new(limits);
    let mut submission = RawSubmission::default();
    let mut seen = [false; 4];
    let mut locale = None;
    let read = each_entry(value, |key, value| {
        let at = At::top(&key);
        match KEYS.iter().position(|k| *k == key) {
            None => reader.unknown(&at, &KEYS, &key),
            Some(n) if std::mem::replace(&mut seen[n], true) => reader.twice(&at),
            Some(0) => submission.source = reader.text(&at, value).unwrap_or_default(),
            Some(1) => submission.note = reader.text(&at, value).unwrap_or_default(),
            Some(2) => submission.figures = reader.figures(value),
            Some(_) => locale = reader.locale(&at, value),
        }
        true
    });
    match read {
        Read::Done => {}
        Read::Other => {
            let hint = Text::of(
                "gửi một đối tượng JSON, như {\"source\": \"…\", \"figures\": […]}",
                "send an object, as {\"source\": \"…\", \"figures\": […]}",
            );
            let expected = Text::of("một đối tượng JSON", "an object");
            let found = finding(Code::WrongType, Spot::default(), kind(value), expected, hint);
            let detail = Text::of("báo cáo là một đối tượng JSON", "a submission is a JSON object");
            return Err(Failure::new(FailureKind::NotUnderstood, detail).with_findings(vec![found]));
        }
        Read::Broken(error) => return Err(document::malformed(&error)),
    }
    if reader.too_many {
        return Err(too_many(limits));
    }
    if let Some(locale) = locale {
        submission.declare(locale);
    }
    submission.reading = reader.findings;
    if !seen[2] {
        submission.reading.add(|| {
            let hint = Text::of(
                "đặt các số liệu trong một mảng dưới khóa figures",
                "name the figures in an array under the key figures",
            );
            finding(Code::MissingField, Spot::path("figures"), Got::nothing(), array_of_figures(), hint)
        });
    }
    Ok(submission)
}
