//! Texts of bounded length, of characters that can be seen.

use crate::finding::{Code, Findings, Spot, finding, is_control};

/// Whether a text is short enough and without control characters; otherwise a finding says so.
pub(super) fn check(findings: &mut Findings, spot: impl Fn() -> Spot, text: &str, most: usize) -> bool {
    // A text has no more characters than bytes.
    if text.len() > most && text.chars().nth(most).is_some() {
        findings.add(|| {
            let got = format!("a text of {} characters: {text}", text.chars().count());
            let hint = "shorten it";
            finding(Code::TextTooLong, spot(), got, format!("at most {most} characters"), hint)
        });
        return false;
    }
    let clean = if text.is_ascii() {
        !text.bytes().any(|b| b.is_ascii_control())
    } else {
        !text.chars().any(is_control)
    };
    if !clean {
        findings.add(|| {
            let hint = "remove line breaks, tabs and other characters that cannot be seen";
            finding(
                Code::ControlCharacter,
                spot(),
                text,
                "a text of one line, without control characters",
                hint,
            )
        });
    }
    clean
}
