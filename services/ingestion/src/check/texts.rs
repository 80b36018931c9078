//! Texts of bounded length, of characters that can be seen.

use tonghop_runtime::Text;

use crate::finding::{Code, Findings, Spot, finding, is_control, remove_unseen, shown};

/// Whether a text is short enough and without control characters; otherwise a finding says so.
pub(super) fn check(findings: &mut Findings, spot: impl Fn() -> Spot, text: &str, most: usize) -> bool {
    // A text has no more characters than bytes.
    if text.len() > most && text.chars().nth(most).is_some() {
        findings.add(|| {
            let (count, text) = (text.chars().count(), shown(text));
            let got = Text::of(
                format!("văn bản {count} ký tự: {text}"),
                format!("a text of {count} characters: {text}"),
            );
            let expected = Text::of(format!("nhiều nhất {most} ký tự"), format!("at most {most} characters"));
            finding(Code::TextTooLong, spot(), got, expected, Text::of("rút ngắn lại", "shorten it"))
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
            let expected = Text::of(
                "văn bản một dòng, không có ký tự điều khiển",
                "a text of one line, without control characters",
            );
            finding(Code::ControlCharacter, spot(), text, expected, remove_unseen())
        });
    }
    clean
}
