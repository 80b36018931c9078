//! Cells of a row, read as what their column says.

use tonghop_core::Date;
use tonghop_core::decimal::parse_decimal;
use tonghop_proto::registry as pb;

use tonghop_runtime::{Got, Text};

use crate::csv_form::table::Row;
use crate::finding::{Code, Findings, finding, is_control, remove_unseen};

/// A share of 1, in millionths.
const WHOLE: i64 = 1_000_000;

/// Reads cells of one row, and keeps what is wrong with them.
pub(super) struct Cells<'r> {
    row: &'r Row<'r>,
    findings: &'r mut Findings,
}

impl<'r> Cells<'r> {
    pub(super) fn new(row: &'r Row<'r>, findings: &'r mut Findings) -> Cells<'r> {
        Cells { row, findings }
    }

    pub(super) fn wrong(
        &mut self,
        code: Code,
        column: &str,
        got: impl Into<Got>,
        expected: Text,
        hint: Text,
    ) {
        self.findings.add(|| finding(code, self.row.spot(column), got, expected, hint));
    }

    /// Any text of one line; it may be empty.
    pub(super) fn text(&mut self, column: &str) -> String {
        let text = self.row.cell(column);
        if text.chars().any(is_control) {
            let expected = Text::of("văn bản một dòng", "a text of one line");
            self.wrong(Code::ControlCharacter, column, text, expected, remove_unseen());
        }
        text.to_owned()
    }

    /// A text that every row has.
    pub(super) fn some(&mut self, column: &str) -> String {
        let text = self.text(column);
        if text.is_empty() {
            let expected = Text::of(format!("{column} có nội dung"), format!("a {column}"));
            let hint = Text::of("điền vào ô này", "fill the cell in");
            self.wrong(Code::MissingField, column, Got::nothing(), expected, hint);
        }
        text
    }

    /// A list separated by `|`.
    pub(super) fn list(&mut self, column: &str) -> Vec<String> {
        let text = self.text(column);
        if text.is_empty() { vec![] } else { text.split('|').map(str::to_owned).collect() }
    }

    /// A day, or nothing where it is open; kept as written.
    pub(super) fn open_day(&mut self, column: &str) -> String {
        let text = self.text(column);
        if !text.is_empty() && (text.len() != 10 || text.parse::<Date>().is_err()) {
            let expected = Text::of("một ngày, ví dụ 2025-07-01", "a day, as 2025-07-01");
            let hint = Text::of(
                "ghi ngày theo dạng năm-tháng-ngày, hoặc để trống ô nếu không giới hạn",
                "write the day as year-month-day, or leave the cell empty where it is open",
            );
            self.wrong(Code::MalformedDate, column, &text, expected, hint);
        }
        text
    }

    /// A day.
    pub(super) fn day(&mut self, column: &str) -> String {
        if self.row.cell(column).is_empty() { self.some(column) } else { self.open_day(column) }
    }

    /// `true` or `false`; nothing is false.
    pub(super) fn yes(&mut self, column: &str) -> bool {
        match self.row.cell(column) {
            "true" => true,
            "false" | "" => false,
            other => {
                let expected = Text::of("true hoặc false", "true or false");
                let hint = Text::of("ghi true hoặc false", "write true or false");
                self.wrong(Code::NotTrueOrFalse, column, other, expected, hint);
                false
            }
        }
    }

    /// A whole number.
    pub(super) fn number(&mut self, column: &str) -> u32 {
        let text = self.row.cell(column);
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits).unwrap_or_else(|| {
            let expected = Text::of("số nguyên", "a whole number");
            let hint = Text::of("chỉ ghi chữ số", "write digits only");
            self.wrong(Code::NotAWholeNumber, column, text, expected, hint);
            0
        })
    }

    /// Levels with days, as `commune=5|province=12`.
    pub(super) fn deadlines(&mut self, column: &str) -> Vec<pb::Deadline> {
        let mut out = vec![];
        for pair in self.list(column) {
            let read = pair.split_once('=').and_then(|(level, days)| {
                let digits = !days.is_empty() && days.bytes().all(|b| b.is_ascii_digit());
                let days = days.parse().ok().filter(|_| digits)?;
                (!level.is_empty()).then(|| pb::Deadline { level: level.to_owned(), days })
            });
            match read {
                Some(deadline) => out.push(deadline),
                None => {
                    let expected = Text::of(
                        "một cấp và số ngày sau ngày cuối kỳ, ví dụ commune=5",
                        "a level and how many days after the period's last day, as commune=5",
                    );
                    let hint = Text::of(
                        "ghi các cấp kèm số ngày, cách nhau bằng |: commune=5|province=12",
                        "write the levels with their days, separated by |: commune=5|province=12",
                    );
                    self.wrong(Code::MalformedDeadline, column, &pair, expected, hint);
                }
            }
        }
        out
    }

    /// A share between 0 and 1, exactly, in millionths.
    pub(super) fn share(&mut self, column: &str) -> u32 {
        let text = self.row.cell(column);
        let share = parse_decimal(text, 6).ok().filter(|s| (1..=WHOLE).contains(s));
        share.and_then(|s| u32::try_from(s).ok()).unwrap_or_else(|| {
            let expected = Text::of(
                "phần lớn hơn 0 và không quá 1, nhiều nhất 6 chữ số thập phân, ví dụ 0.25",
                "a share above 0 and at most 1, with at most 6 decimals, as 0.25",
            );
            let hint = Text::of(
                "ghi phần chia dưới dạng số thập phân; các phần của một đơn vị cộng lại bằng 1",
                "write the share as a decimal; the shares of one unit sum to 1",
            );
            self.wrong(Code::MalformedShare, column, text, expected, hint);
            0
        })
    }

    /// Month and day, as `12-15`.
    pub(super) fn month_day(&mut self, column: &str) -> (u32, u32) {
        let text = self.row.cell(column);
        let two = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| digits)
        };
        let read = text.split_once('-').and_then(|(month, day)| two(month).zip(two(day)));
        read.unwrap_or_else(|| {
            let expected = Text::of("tháng và ngày, ví dụ 12-15", "a month and a day, as 12-15");
            let hint = Text::of(
                "ghi ngày đầu năm theo dạng tháng-ngày",
                "write the first day of the year as month-day",
            );
            self.wrong(Code::MalformedMonthDay, column, text, expected, hint);
            (1, 1)
        })
    }
}
