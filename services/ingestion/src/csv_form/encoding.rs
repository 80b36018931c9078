//! Documents that are something else than CSV in UTF-8, told by their first bytes.

use tonghop_runtime::{Failure, FailureKind, Text};

use crate::finding::{Code, Spot, finding};

/// That a document may be CSV in UTF-8.
///
/// # Errors
/// `NotUnderstood`, with what it is and what to do.
pub(super) fn check(bytes: &[u8]) -> Result<(), Failure> {
    let in_utf8 = Text::of("lưu lại dưới dạng CSV UTF-8", "save it as CSV UTF-8");
    let as_spreadsheet = Text::of(
        "gửi tệp .xlsx với loại nội dung của tệp .xlsx, hoặc lưu lại dưới dạng CSV UTF-8",
        "send an .xlsx file with the media type of .xlsx, or save it as CSV UTF-8",
    );
    let (got, hint) = match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => ("UTF-32", in_utf8),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("UTF-16", in_utf8),
        // Latin letters in UTF-16 without a mark.
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] if *a != 0 && *b != 0 => ("UTF-16", in_utf8),
        [b'P', b'K', 3, 4, ..] => ("ZIP, XLSX", as_spreadsheet),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => ("XLS", as_spreadsheet),
        _ => return Ok(()),
    };
    let expected = Text::of("văn bản CSV, mã hóa UTF-8", "CSV text in UTF-8");
    let found = finding(Code::OtherEncoding, Spot::line(1, ""), got, expected, hint);
    let detail = Text::of("tài liệu không phải CSV mã hóa UTF-8", "the document is not CSV in UTF-8");
    Err(Failure::new(FailureKind::NotUnderstood, detail).with_findings(vec![found]))
}
