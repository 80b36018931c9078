//! Submissions in spreadsheets (XLSX), as people fill them in.
//!
//! A sheet has one of two shapes. *Long*: a figure a row, with the columns of CSV, their names in a row that may stand
//! below titles. *Form*: indicators down, units or periods across, and what holds for the whole sheet (unit, period,
//! scope) in labelled cells above; a sheet of the name [`FORM_SHEET`], which `tonghop form` writes, may say the same for
//! the whole workbook. Units and indicators are named by codes or by names.
//!
//! | module | idea |
//! |---|---|
//! | `guard` | what the workbook may cost is known before it is read |
//! | `grid` | the cells of a sheet, each as what it holds |
//! | `number_format` | what a cell shows of the number it holds |
//! | `heading` | the words by which a form is known |
//! | `long`, `form` | the two shapes |
//! | `cells` | cells to texts and values, or findings |

mod cells;
mod form;
mod grid;
mod guard;
mod heading;
mod long;
mod number_format;

use std::collections::BTreeSet;
use std::io::Cursor;

use calamine::{Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_written::Locale;

use crate::finding::{Code, Findings, Spot, finding};
use crate::json::{check_size, too_many};
use crate::sheet_place::{Cell, Layout, letters};
use crate::submission::{Beside, Limits, RawFigure, RawSubmission, nfc};
use form::Known;
use grid::Grid;

/// The sheet that says for a whole workbook what its form is: labels in the first column, values in the second. Its
/// sheets are then all of the shape *form*.
pub const FORM_SHEET: &str = "tonghop";

/// What is gathered while sheets are read.
struct Reading<'l> {
    figures: Vec<RawFigure>,
    findings: Findings,
    remarks: Findings,
    limits: &'l Limits,
    locale: Option<Locale>,
    too_many: bool,
}

impl Reading<'_> {
    /// Takes a figure; says whether there may be more.
    fn take(&mut self, figure: RawFigure) -> bool {
        self.too_many |= self.figures.len() == self.limits.max_figures;
        if !self.too_many {
            self.figures.push(figure);
        }
        !self.too_many
    }
}

/// Reads a submission.
///
/// What is wrong with single cells is kept in [`RawSubmission::reading`], for the check to answer together with what it
/// finds.
///
/// # Errors
/// `NotUnderstood` where the bytes are no workbook, or none of its sheets has figures; `TooLarge` where there is more in
/// it than is taken.
pub fn parse(bytes: &[u8], beside: &Beside<'_>, limits: &Limits) -> Result<RawSubmission, Failure> {
    check_size(bytes, limits)?;
    check_kind(bytes)?;
    let walked = guard::walk(bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let sheets = workbook.sheets_metadata().to_vec();
    let mut reading = Reading {
        figures: vec![],
        findings: Findings::default(),
        remarks: Findings::default(),
        limits,
        locale: beside.locale,
        too_many: false,
    };
    let mut known = Known::default();
    if sheets.iter().any(|sheet| sheet.name == FORM_SHEET && sheet.typ == SheetType::WorkSheet) {
        with_grid(&mut workbook, &walked, FORM_SHEET, |grid| {
            known = Known::of_form_sheet(grid, &Layout::of(FORM_SHEET), &mut reading.findings);
        })?;
    }
    let mut tables = 0usize;
    for sheet in sheets.iter().filter(|sheet| sheet.name != FORM_SHEET) {
        if sheet.typ != SheetType::WorkSheet {
            pass_over(&mut reading, &sheet.name);
        } else if sheet.visible != SheetVisible::Visible {
            hidden_sheet(&mut reading, &sheet.name);
        } else {
            let before = reading.figures.len();
            let mut has_table = false;
            with_grid(&mut workbook, &walked, &sheet.name, |grid| {
                if grid.is_empty() {
                    return;
                }
                let layout = Layout::of(&sheet.name);
                has_table = long::read(grid, &layout, &mut reading)
                    || form::read(grid, &layout, &known, &mut reading);
                if !has_table {
                    pass_over(&mut reading, &sheet.name);
                }
            })?;
            tables += usize::from(has_table);
            if has_table && reading.figures.len() > before {
                hidden_cells(&mut reading, &walked, &sheet.name);
            }
        }
        if reading.too_many {
            return Err(too_many(limits));
        }
    }
    if tables == 0 && reading.findings.is_empty() {
        return Err(no_table(&sheets.iter().map(|sheet| sheet.name.as_str()).collect::<Vec<_>>()));
    }
    Ok(RawSubmission {
        source: nfc(beside.source),
        note: nfc(beside.note),
        figures: reading.figures,
        reading: reading.findings,
        remarks: reading.remarks,
        by_name: true,
    })
}

/// Does something with the cells of a sheet.
fn with_grid(
    workbook: &mut Xlsx<Cursor<&[u8]>>,
    walked: &guard::Walked,
    name: &str,
    work: impl FnOnce(&Grid<'_>),
) -> Result<(), Failure> {
    let merged = workbook.merge_cells_by_sheet_name(name).map_err(|error| unreadable(&error))?;
    let Some(beside) = walked.sheet(name) else {
        let what =
            Text::of(format!("không có trang tính {name:?}"), format!("the sheet {name:?} is not in it"));
        return Err(guard::broken("", what));
    };
    let mut reader = workbook.worksheet_cells_reader(name).map_err(|error| unreadable(&error))?;
    let mut grid = Grid::with_merged(&merged);
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(|error| unreadable(&error))? {
        let (row, column) = cell.get_position();
        grid.add(Cell { row, column }, cell.get_value(), reader.styles().get(style), beside);
    }
    work(&grid);
    Ok(())
}

/// That bytes are an archive, and not another kind of spreadsheet.
fn check_kind(bytes: &[u8]) -> Result<(), Failure> {
    let saved = Text::of(
        "mở tệp bằng Excel hoặc LibreOffice, lưu lại dưới dạng Excel Workbook (.xlsx)",
        "open it in Excel or LibreOffice and save it as Excel Workbook (.xlsx)",
    );
    let (got, hint) = match bytes {
        [b'P', b'K', 3, 4, ..] => return Ok(()),
        // A compound file is either the old format, or the new one encrypted.
        [0xd0, 0xcf, 0x11, 0xe0, ..] if is_encrypted(bytes) => return Err(encrypted()),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => ("XLS (Excel 97–2003)", saved),
        [b'%', b'P', b'D', b'F', ..] => ("PDF", saved),
        [] => ("0 bytes", saved),
        [b'<', ..] | [0xef, 0xbb, 0xbf, b'<', ..] => ("XML, HTML", saved),
        _ if std::str::from_utf8(bytes).is_ok() => {
            let as_text = Text::of(
                "tệp CSV thì đặt đuôi .csv và gửi với loại nội dung text/csv",
                "a CSV file has the extension .csv and is sent as text/csv",
            );
            ("CSV", as_text)
        }
        _ => ("bytes", saved),
    };
    let expected = Text::of("tệp .xlsx", "an .xlsx file");
    let kind = FailureKind::NotUnderstood;
    Err(refused(
        kind,
        Code::NotASpreadsheet,
        "",
        got,
        expected,
        hint,
        Text::of("tài liệu không phải tệp .xlsx", "the document is not an .xlsx file"),
    ))
}

/// Whether a compound file holds an encrypted workbook, by the name of the stream that does.
fn is_encrypted(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(name.len()).any(|window| window == name)
}

fn encrypted() -> Failure {
    let expected = Text::of("tệp mở được không cần mật khẩu", "a file that opens without a password");
    let hint = Text::of("bỏ mật khẩu mở tệp rồi lưu lại", "remove the password and save it again");
    refused(
        FailureKind::NotUnderstood,
        Code::EncryptedSpreadsheet,
        "",
        "XLSX",
        expected,
        hint,
        Text::of("bảng tính có mật khẩu", "the spreadsheet has a password"),
    )
}

fn unreadable(error: &XlsxError) -> Failure {
    match error {
        XlsxError::Password => encrypted(),
        other => guard::broken("", Text::same(other.to_string())),
    }
}

/// A failure with one finding.
fn refused(
    kind: FailureKind,
    code: Code,
    path: &str,
    got: &str,
    expected: Text,
    hint: Text,
    detail: Text,
) -> Failure {
    Failure::new(kind, detail).with_findings(vec![finding(code, Spot::path(path), got, expected, hint)])
}

fn no_table(sheets: &[&str]) -> Failure {
    let expected = Text::of(
        "một hàng tiêu đề: tên các cột như CSV (unit_code, indicator, …, value), hoặc biểu mẫu có cột Chỉ tiêu và các \
         cột kỳ hoặc đơn vị",
        "a row of headings: the columns of CSV (unit_code, indicator, …, value), or a form with a column Chỉ tiêu \
         (Indicator) and columns of periods or units",
    );
    let hint = Text::of(
        "dùng biểu mẫu do lệnh tonghop form tạo ra, hoặc thêm hàng tiêu đề",
        "use a form that tonghop form writes, or add the row of headings",
    );
    refused(
        FailureKind::NotUnderstood,
        Code::NoTable,
        "",
        &sheets.join(", "),
        expected,
        hint,
        Text::of("không trang tính nào có bảng số liệu", "no sheet has a table of figures"),
    )
}

fn pass_over(reading: &mut Reading<'_>, sheet: &str) {
    let expected = Text::of("một trang tính có bảng số liệu", "a sheet with a table of figures");
    let hint = Text::of(
        "trang tính này không được đọc; nếu có số liệu thì thêm hàng tiêu đề",
        "this sheet was not read; if there are figures on it add the row of headings",
    );
    reading.remarks.add(|| finding(Code::SheetPassedOver, Spot::path(sheet), sheet, expected, hint));
}

fn hidden_sheet(reading: &mut Reading<'_>, sheet: &str) {
    let expected = Text::of("trang tính hiển thị", "a sheet that can be seen");
    let hint = Text::of(
        "trang tính ẩn không được đọc; nếu có số liệu thì bỏ ẩn rồi gửi lại",
        "a hidden sheet is not read; if there are figures on it show it and send it again",
    );
    reading.remarks.add(|| finding(Code::HiddenSheet, Spot::path(sheet), sheet, expected, hint));
}

/// Says which rows and columns with figures cannot be seen.
fn hidden_cells(reading: &mut Reading<'_>, walked: &guard::Walked, sheet: &str) {
    let Some(beside) = walked.sheet(sheet) else { return };
    let cells = || reading.figures.iter().filter_map(|figure| figure.place.cell(sheet));
    let rows: BTreeSet<u32> =
        cells().map(|cell| cell.row).filter(|row| beside.hidden_rows.contains(row)).collect();
    let mut columns: BTreeSet<u32> = cells().map(|cell| cell.column).collect();
    columns.retain(|column| beside.hidden_columns.iter().any(|(from, to)| (*from..=*to).contains(column)));
    let shown = |all: &[String]| {
        let more = if all.len() > 20 { " …" } else { "" };
        format!("{}{more}", all.iter().take(20).cloned().collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<String> = rows.iter().map(|row| (row + 1).to_string()).collect();
    let columns: Vec<String> = columns.into_iter().map(letters).collect();
    for (hidden, vietnamese, english) in [(rows, "hàng", "rows"), (columns, "cột", "columns")] {
        if hidden.is_empty() {
            continue;
        }
        let got = shown(&hidden);
        let expected = Text::of(format!("{vietnamese} hiển thị"), format!("{english} that can be seen"));
        let hint = Text::of(
            "số liệu ở các ô ẩn vẫn được nhận; kiểm tra xem có đúng là cần gửi không",
            "figures in hidden cells are taken; check that they are meant",
        );
        reading.remarks.add(|| finding(Code::HiddenCells, Spot::path(sheet), got, expected, hint));
    }
}
