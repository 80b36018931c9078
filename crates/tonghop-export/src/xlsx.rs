//! XLSX with its sheet of notes.
//!
//! Rows wait in a temporary file until the workbook is put together, since a workbook is one archive.

use std::io::Write;

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use crate::about::About;
use crate::column::{Cell, Kind, Row};
use crate::error::ExportError;
use crate::legend::{LEGEND, synthetic};

/// Significant digits that a binary double keeps, whichever they are.
const DIGITS: usize = 15;
/// The longest text of a cell, in characters.
const LONGEST_TEXT: usize = 32_767;

/// A workbook as it grows.
pub(crate) struct Xlsx {
    workbook: Workbook,
    /// The next row of the table.
    row: u32,
    whole: Format,
    decimal: Format,
}

impl Xlsx {
    /// With the table's headings in it.
    pub(crate) fn begin<R: Row>(about: &About) -> Result<Xlsx, ExportError> {
        let mut workbook = Workbook::new();
        let mut properties = DocProperties::new().set_title(title::<R>(about)).set_comment(as_of(about));
        // The same rows make the same file, whenever they are asked for.
        properties = properties.set_creation_datetime(&created(about));
        workbook.set_properties(&properties);
        let sheet = workbook.add_worksheet_with_constant_memory().map_err(ExportError::format)?;
        table_head::<R>(sheet, about).map_err(ExportError::format)?;
        let decimals = usize::from(about.scales.value);
        let decimal =
            if decimals == 0 { "#,##0".to_owned() } else { format!("#,##0.{}", "0".repeat(decimals)) };
        let (whole, decimal) = (Format::new().set_num_format("#,##0"), Format::new().set_num_format(decimal));
        Ok(Xlsx { workbook, row: 1, whole, decimal })
    }

    /// Adds rows.
    pub(crate) fn rows<R: Row>(&mut self, about: &About, rows: &[R]) -> Result<(), ExportError> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(ExportError::format)?;
        for row in rows {
            for (at, (column, cell)) in (0u16..).zip(R::COLUMNS.iter().zip(row.cells(about))) {
                let (whole, decimal) = (&self.whole, &self.decimal);
                put(sheet, self.row, at, column.kind, &cell, whole, decimal).map_err(ExportError::format)?;
            }
            self.row += 1;
        }
        Ok(())
    }

    /// Adds the notes, and writes all of it.
    pub(crate) fn finish<R: Row>(mut self, about: &About, out: impl Write + Send) -> Result<(), ExportError> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(ExportError::format)?;
        let last = u16::try_from(R::COLUMNS.len() - 1).unwrap_or(u16::MAX);
        sheet.autofilter(0, 0, self.row.saturating_sub(1).max(1), last).map_err(ExportError::format)?;
        notes::<R>(&mut self.workbook, about).map_err(ExportError::format)?;
        self.workbook.save_to_writer(out).map_err(ExportError::format)
    }
}

/// The name of the sheet with the table, which is also the workbook's title.
fn title<R: Row>(about: &About) -> &'static str {
    match R::NAME {
        "totals" => about.language.of("Số tổng hợp", "Totals"),
        _ => about.language.of("Số liệu", "Figures"),
    }
}

fn as_of(about: &About) -> String {
    let (position, time) = (about.position, &about.time);
    about.language.of(
        format!("Tính đến mục {position} của sổ cái, nhận lúc {time}"),
        format!("As of position {position} of the ledger, received at {time}"),
    )
}

/// The day and time of the last entry; a day of no meaning where there is none.
fn created(about: &About) -> ExcelDateTime {
    let to_the_second = about.time.get(..19).unwrap_or("2000-01-01T00:00:00");
    ExcelDateTime::parse_from_str(to_the_second).unwrap_or_default()
}

fn table_head<R: Row>(sheet: &mut Worksheet, about: &About) -> Result<(), XlsxError> {
    let heading = Format::new()
        .set_bold()
        .set_text_wrap()
        .set_align(FormatAlign::Top)
        .set_border_bottom(FormatBorder::Thin);
    sheet.set_name(title::<R>(about))?;
    sheet.set_freeze_panes(1, 0)?;
    for (at, column) in (0u16..).zip(R::COLUMNS) {
        let wide = match (column.name, column.kind) {
            ("indicator_name" | "unit_name" | "indicator" | "breakdown" | "submission", _) => 28,
            ("refused" | "reason" | "not_available", _) => 24,
            (_, Kind::Text | Kind::Time) => 14,
            _ => 12,
        };
        sheet.set_column_width(at, wide)?;
        if !column.is_asked(about) {
            sheet.set_column_hidden(at)?;
        }
        sheet.write_string_with_format(0, at, column.heading(about.language), &heading)?;
    }
    Ok(())
}

/// Puts a cell. Texts are texts here, whatever they begin with: nothing is read as a formula.
fn put(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    kind: Kind,
    cell: &Cell<'_>,
    whole: &Format,
    decimal: &Format,
) -> Result<(), XlsxError> {
    match (kind, cell) {
        (_, Cell::Nothing) => {}
        (_, Cell::Flag(flag)) => {
            sheet.write_boolean(row, at, *flag)?;
        }
        (_, Cell::Count(_)) => put_number(sheet, row, at, &cell.written(), whole)?,
        (Kind::Decimal, Cell::Text(text)) => put_number(sheet, row, at, text, decimal)?,
        (Kind::Side | Kind::Percent, Cell::Text(text)) => {
            put_number(sheet, row, at, text, &Format::default())?
        }
        (_, Cell::Text(text)) => {
            let end = text.char_indices().nth(LONGEST_TEXT).map_or(text.len(), |(end, _)| end);
            sheet.write_string(row, at, &text[..end])?;
        }
    }
    Ok(())
}

/// A number where a binary double keeps it as it is written, else the same as text.
fn put_number(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    match (significant(text) <= DIGITS).then(|| text.parse::<f64>()) {
        Some(Ok(number)) => sheet.write_number_with_format(row, at, number, format)?,
        _ => sheet.write_string(row, at, text)?,
    };
    Ok(())
}

/// Digits from the first that is not zero.
fn significant(text: &str) -> usize {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits.skip_while(|digit| *digit == b'0').count()
}

fn notes<R: Row>(workbook: &mut Workbook, about: &About) -> Result<(), XlsxError> {
    let language = about.language;
    let (strong, plain) =
        (Format::new().set_bold(), Format::new().set_text_wrap().set_align(FormatAlign::Top));
    let sheet = workbook.add_worksheet();
    sheet.set_name(language.of("Ghi chú", "Notes"))?;
    sheet.set_column_width(0, 34)?;
    sheet.set_column_width(1, 90)?;
    let mut lines: Vec<(String, String, bool)> = vec![(title::<R>(about).to_owned(), String::new(), true)];
    let mut say = |name: &str, text: String| lines.push((name.to_owned(), text, false));
    if about.synthetic {
        say("SYNTHETIC", synthetic(language).to_owned());
    }
    say(language.of("Tính đến", "As of"), as_of(about));
    say(language.of("Số dòng", "Rows"), about.rows.to_string());
    for (name, value) in &about.asked {
        say(name, value.clone());
    }
    say(
        language.of("Số lớn", "Large numbers"),
        language
            .of(
                "Số có hơn 15 chữ số được ghi dạng văn bản, vì Excel chỉ giữ đúng 15 chữ số.",
                "A number of more than 15 digits is written as text, since Excel keeps 15 exactly.",
            )
            .to_owned(),
    );
    for (vi, en, meanings) in LEGEND {
        lines.push((language.of(vi, en).to_owned(), String::new(), true));
        for (code, vi, en) in meanings {
            lines.push(((*code).to_owned(), language.of(*vi, *en).to_owned(), false));
        }
    }
    lines.push((language.of("Các cột", "Columns").to_owned(), String::new(), true));
    for column in R::COLUMNS {
        lines.push((column.heading(language).to_owned(), column.name.to_owned(), false));
    }
    for (row, (name, text, is_heading)) in (0u32..).zip(lines) {
        sheet.write_string_with_format(row, 0, name, if is_heading { &strong } else { &plain })?;
        sheet.write_string_with_format(row, 1, text, &plain)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_double_would_change_is_told_by_its_digits() {
        assert_eq!(significant("0"), 0);
        assert_eq!(significant("-0.050"), 2);
        assert_eq!(significant("999999999999999"), DIGITS);
        assert_eq!(significant("1234567890123456.7"), 17);
    }
}
