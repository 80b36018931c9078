//! A document as text: of bounded length and depth, in UTF-8, and JSON.

use serde_json::value::RawValue;
use tonghop_runtime::{Failure, FailureKind, Finding, Got, Text};

use crate::finding::{Code, Spot, finding, in_several, too_many_figures};
use crate::submission::Limits;

/// The whole document as one JSON value.
pub(super) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a RawValue, Failure> {
    serde_json::from_str(text(bytes, limits)?).map_err(|e| malformed(&e))
}

/// That a submission has more figures than are taken.
pub(crate) fn too_many(limits: &Limits) -> Failure {
    let most = limits.max_figures;
    let got = Text::of(format!("hơn {most} số liệu"), format!("more than {most} figures"));
    let detail = Text::of(
        format!("một báo cáo có nhiều nhất {most} số liệu"),
        format!("a submission has at most {most} figures"),
    );
    Failure::new(FailureKind::TooLarge, detail).with_findings(vec![too_many_figures(got, most)])
}

/// That a document has more bytes than are taken.
pub(crate) fn check_size(bytes: &[u8], limits: &Limits) -> Result<(), Failure> {
    if bytes.len() <= limits.max_bytes {
        return Ok(());
    }
    let (most, got) = (limits.max_bytes, format!("{} byte", bytes.len()));
    let expected = Text::of(format!("nhiều nhất {most} byte"), format!("at most {most} bytes"));
    let found = finding(Code::DocumentTooLarge, Spot::default(), got, expected, in_several());
    let detail = Text::of(
        format!("một tài liệu có nhiều nhất {most} byte"),
        format!("a document has at most {most} bytes"),
    );
    Err(Failure::new(FailureKind::TooLarge, detail).with_findings(vec![found]))
}

/// That a document is not UTF-8.
pub(crate) fn not_utf8() -> Text {
    Text::of("tài liệu không phải là UTF-8", "the document is not UTF-8")
}

/// Where it is not.
pub(crate) fn not_utf8_at(spot: Spot, got: Got) -> Finding {
    let expected = Text::of("văn bản UTF-8", "text in UTF-8");
    let hint = Text::of("lưu tài liệu theo mã UTF-8", "save the document as UTF-8");
    finding(Code::NotUtf8, spot, got, expected, hint)
}

/// The document as text, of bounded length and depth.
fn text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Failure> {
    check_size(bytes, limits)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let (line, column) = line_and_column(bytes, e.valid_up_to());
        let (at, byte) = (e.valid_up_to(), bytes[e.valid_up_to()]);
        let got =
            Text::of(format!("byte 0x{byte:02x} ở vị trí {at}"), format!("byte 0x{byte:02x} at offset {at}"));
        let found = not_utf8_at(Spot::line(line, column.to_string()), got.into());
        Failure::new(FailureKind::NotUnderstood, not_utf8()).with_findings(vec![found])
    })?;
    if let Some(offset) = too_deep(bytes, limits.max_depth) {
        let (line, column) = line_and_column(bytes, offset);
        let most = limits.max_depth;
        let found = finding(
            Code::TooDeep,
            Spot::line(line, column.to_string()),
            Text::of(
                format!("hơn {most} mảng và đối tượng lồng nhau"),
                format!("more than {most} arrays and objects within one another"),
            ),
            Text::of(
                "một báo cáo: một đối tượng, các số liệu, phân tổ của chúng",
                "a submission: an object, its figures, their breakdowns",
            ),
            Text::of("bỏ những gì lồng sâu hơn", "remove what is nested deeper than that"),
        );
        let detail = Text::of("tài liệu lồng quá sâu", "the document is nested too deeply");
        return Err(Failure::new(FailureKind::NotUnderstood, detail).with_findings(vec![found]));
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
        (
            Code::TruncatedJson,
            Text::of("tài liệu kết thúc quá sớm", "the document ends too early"),
            Text::of("tài liệu bị cắt cụt: hãy gửi đầy đủ", "the document was cut short: send it whole"),
        )
    } else {
        (
            Code::MalformedJson,
            Text::of("tài liệu không phải là JSON", "the document is not JSON"),
            Text::of("sửa tài liệu ở dòng và cột này", "correct the document at this line and column"),
        )
    };
    let expected = Text::of("tài liệu JSON", "a JSON document");
    let found = finding(code, spot, error.to_string(), expected, hint);
    Failure::new(FailureKind::NotUnderstood, detail).with_findings(vec![found])
}
