//! A document as text: of bounded length and depth, in UTF-8, and JSON.

use serde_json::value::RawValue;
use tonghop_runtime::{Failure, FailureKind};

use crate::finding::{Code, Spot, finding};
use crate::submission::Limits;

/// The whole document as one JSON value.
pub(super) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a RawValue, Failure> {
    serde_json::from_str(text(bytes, limits)?).map_err(|e| malformed(&e))
}

/// That a submission has more figures than are taken.
pub(crate) fn too_many(limits: &Limits) -> Failure {
    let most = limits.max_figures;
    let found = finding(
        Code::TooManyFigures,
        Spot::path("figures"),
        format!("more than {most} figures"),
        format!("at most {most} figures in one submission"),
        "send the figures in several submissions, each with an idempotency key of its own",
    );
    Failure::new(FailureKind::TooLarge, format!("a submission has at most {most} figures"))
        .with_findings(vec![found])
}

/// That a document has more bytes than are taken.
pub(crate) fn check_size(bytes: &[u8], limits: &Limits) -> Result<(), Failure> {
    if bytes.len() <= limits.max_bytes {
        return Ok(());
    }
    let found = finding(
        Code::DocumentTooLarge,
        Spot::default(),
        format!("{} bytes", bytes.len()),
        format!("at most {} bytes", limits.max_bytes),
        "send the figures in several submissions, each with an idempotency key of its own",
    );
    Err(Failure::new(FailureKind::TooLarge, format!("a document has at most {} bytes", limits.max_bytes))
        .with_findings(vec![found]))
}

/// The document as text, of bounded length and depth.
fn text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Failure> {
    check_size(bytes, limits)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let (line, column) = line_and_column(bytes, e.valid_up_to());
        let found = finding(
            Code::NotUtf8,
            Spot::line(line, column.to_string()),
            format!("byte 0x{:02x} at offset {}", bytes[e.valid_up_to()], e.valid_up_to()),
            "text in UTF-8",
            "save the document as UTF-8",
        );
        Failure::new(FailureKind::NotUnderstood, "the document is not UTF-8").with_findings(vec![found])
    })?;
    if let Some(offset) = too_deep(bytes, limits.max_depth) {
        let (line, column) = line_and_column(bytes, offset);
        let found = finding(
            Code::TooDeep,
            Spot::line(line, column.to_string()),
            format!("more than {} arrays and objects within one another", limits.max_depth),
            "a submission: an object, its figures, their breakdowns",
            "remove what is nested deeper than that",
        );
        return Err(Failure::new(FailureKind::NotUnderstood, "the document is nested too deeply")
            .with_findings(vec![found]));
    }
    Ok(text)
}

/// Where the document is nested deeper than `most`.
pub(super) fn too_deep(bytes: &[u8], most: usize) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (offset, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > most {
                    return Some(offset);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn line_and_column(bytes: &[u8], offset: usize) -> (u64, usize) {
    let before = &bytes[..offset];
    let line = before.iter().filter(|b| **b == b'\n').count() as u64 + 1;
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    (line, offset - start + 1)
}

pub(super) fn malformed(error: &serde_json::Error) -> Failure {
    let spot = Spot::line(error.line() as u64, error.column().to_string());
    let (code, detail, hint) = if error.is_eof() {
        (Code::TruncatedJson, "the document ends too early", "the document was cut short: send it whole")
    } else {
        (Code::MalformedJson, "the document is not JSON", "correct the document at this line and column")
    };
    let found = finding(code, spot, error.to_string(), "a JSON document", hint);
    Failure::new(FailureKind::NotUnderstood, detail).with_findings(vec![found])
}
