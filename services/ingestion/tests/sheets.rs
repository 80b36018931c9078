//! Spreadsheets: what is taken of both shapes, and what each trap is refused with, by cell.

mod common;

use std::io::{Cursor, Read, Write};

use common::{BESIDE, codes, complete, small};
use proptest::prelude::*;
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};
use tonghop_core::figure::Statement;
use tonghop_core::quantity::Qualifier;
use tonghop_ingestion::check::{Checked, check};
use tonghop_ingestion::submission::{Beside, Limits, RawSubmission};
use tonghop_ingestion::xlsx;
use tonghop_runtime::{Failure, FailureKind, Finding, Language};
use tonghop_written::Locale;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

const VI: Beside<'static> = Beside { locale: Some(Locale::Vietnamese), ..BESIDE };

/// A workbook with one sheet.
fn workbook(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet());
    workbook.save_to_buffer().expect("a workbook")
}

fn read(bytes: &[u8], beside: &Beside<'_>) -> Result<RawSubmission, Failure> {
    xlsx::parse(bytes, beside, &Limits::default())
}

fn taken(bytes: &[u8], beside: &Beside<'_>) -> Result<Checked, Vec<Finding>> {
    let raw = read(bytes, beside).unwrap_or_else(|failure| panic!("{failure}: {:#?}", failure.findings()));
    check(small(), &raw, &Limits::default()).inspect_err(|all| {
        all.iter().for_each(|finding| {
            complete(finding);
            assert_ne!(finding.hint.in_language(Language::Vietnamese), "");
        });
    })
}

/// Code, indicator, period and value of each figure.
fn figures(checked: &Checked) -> Vec<(String, String, String, i64)> {
    let said = |of: &tonghop_proto::record::AcceptedFigure| {
        let Statement::Value(value, _) = of.figure.statement else { panic!("{of:?}") };
        (of.unit_code.clone(), of.figure.indicator.clone(), of.figure.period.to_string(), value)
    };
    checked.figures.iter().map(said).collect()
}

fn figure(unit: &str, indicator: &str, period: &str, value: i64) -> (String, String, String, i64) {
    (unit.into(), indicator.into(), period.into(), value)
}

fn row(sheet: &mut Worksheet, row: u32, cells: &[&str]) {
    for (column, cell) in (0u16..).zip(cells) {
        sheet.write_string(row, column, *cell).expect("a cell");
    }
}

const LONG: [&str; 7] = ["unit_code", "indicator", "breakdown", "period", "scope", "value", "qualifier"];
const BOX: &str = "reporter=cong-an|channel=box";

/// A sheet of the long shape whose value cell is written by somebody.
fn with_value(write: impl FnOnce(&mut Worksheet, u32, u16)) -> Vec<u8> {
    workbook(|sheet| {
        row(sheet, 0, &LONG);
        row(sheet, 1, &["00001", "aa01", BOX, "2024-M03", "own"]);
        write(sheet, 1, 5);
    })
}

#[test]
fn a_long_sheet_is_read_below_titles_with_columns_in_any_order() {
    let bytes = workbook(|sheet| {
        sheet.write_string(0, 0, "BÁO CÁO THÁNG 3").unwrap();
        sheet.merge_range(1, 0, 1, 6, "Đơn vị tính: tin", &Format::new()).unwrap();
        row(sheet, 3, &["ghi chú", "VALUE", "unit_code", "indicator", "breakdown", "period", "scope"]);
        row(sheet, 4, &["x", "1.332", "00001", "aa01", BOX, "2024-M03", "own"]);
        sheet.write_number(6, 1, 15).unwrap();
        row(sheet, 7, &["only a note"]);
        for (column, cell) in
            (2u16..).zip(["Xã Một", "Tips", "reporter=cong-an|channel=phone", "Tháng 3/2024", "own"])
        {
            sheet.write_string(6, column, cell).unwrap();
        }
    });
    let checked = taken(&bytes, &VI).unwrap();
    let expected =
        [figure("00001", "aa01-tips", "2024-M03", 1332), figure("00001", "aa01-tips", "2024-M03", 15)];
    assert_eq!(figures(&checked), expected);
    assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
}

#[test]
fn what_a_cell_is_decides_and_every_trap_is_named_with_its_cell() {
    let format = |code: &str| Format::new().set_num_format(code);
    type Write = Box<dyn Fn(&mut Worksheet, u32, u16)>;
    let number = |value: f64, code: &'static str| -> Write {
        Box::new(move |sheet, row, column| {
            sheet.write_number_with_format(row, column, value, &format(code)).unwrap();
        })
    };
    let text = |value: &'static str| -> Write {
        Box::new(move |sheet, row, column| {
            sheet.write_string(row, column, value).unwrap();
        })
    };
    let formula = |result: &'static str| -> Write {
        Box::new(move |sheet, row, column| {
            sheet.write_formula(row, column, Formula::new("=7*6").set_result(result)).unwrap();
        })
    };
    for (write, expected) in [
        (number(15.0, "General"), Ok(15)),
        (number(15.0, "0"), Ok(15)),
        (number(15000.0, "#,##0"), Ok(15000)),
        (number(15.0, "0.00"), Ok(15)),
        (number(999_999_999_999_999.0, "0"), Ok(999_999_999_999_999)),
        (text("15.000"), Ok(15000)),
        (text("hơn 15.000"), Ok(15000)),
        (text("15,5"), Err("fraction_for_count")),
        (text("1,332"), Err("number_of_other_locale")),
        (text("98%"), Err("percent_for_count")),
        (text("10/10"), Err("part_and_whole")),
        (formula("42"), Ok(42)),
        // 15.000 became 15.
        (number(15.0, "0.000"), Err("shown_otherwise")),
        (number(15.0, "#,##0.000"), Err("shown_otherwise")),
        (number(15000.0, "#,##0,"), Err("shown_otherwise")),
        (number(2.6, "0"), Err("shown_otherwise")),
        (number(15.0, "0\" nghìn\""), Err("shown_otherwise")),
        (number(2.5, "General"), Err("fraction_for_count")),
        (number(-3.0, "General"), Err("negative")),
        (number(1e15, "General"), Err("too_large")),
        (number(0.1, "General"), Err("fraction_for_count")),
        // 10/10 became a date.
        (number(45_940.0, "d/m"), Err("date_cell")),
        (number(45_940.0, "dd/mm/yyyy"), Err("date_cell")),
        (number(0.5, "h:mm"), Err("date_cell")),
        (number(0.98, "0%"), Err("percent_for_count")),
        (
            Box::new(|sheet: &mut Worksheet, row, column| {
                sheet.write_boolean(row, column, true).unwrap();
            }) as Write,
            Err("boolean_cell"),
        ),
        (formula("#REF!"), Err("error_cell")),
        (formula("#DIV/0!"), Err("error_cell")),
    ] {
        let bytes = with_value(write);
        match (taken(&bytes, &VI), expected) {
            (Ok(checked), Ok(value)) => assert_eq!(figures(&checked)[0].3, value),
            (Err(all), Err(code)) => {
                assert_eq!(codes(&all), [code], "{all:#?}");
                assert_eq!(
                    (all[0].path.as_str(), all[0].line, all[0].column.as_str()),
                    ("Sheet1!F2", Some(2), "F")
                );
            }
            (got, expected) => panic!("{got:#?} in place of {expected:?}"),
        }
    }
}

#[test]
fn a_whole_number_with_three_decimals_is_taken_where_the_indicator_has_them() {
    let kilograms = workbook(|sheet| {
        row(sheet, 0, &LONG);
        row(sheet, 1, &["00001", "cc01", "reporter=cong-an", "2024-Q1", "own"]);
        sheet.write_number_with_format(1, 5, 15, &Format::new().set_num_format("0.000")).unwrap();
    });
    assert_eq!(figures(&taken(&kilograms, &BESIDE).unwrap())[0].3, 15_000);
    let percent = workbook(|sheet| {
        row(sheet, 0, &LONG);
        row(sheet, 1, &["00001", "aa03", BOX, "2024-M03", "own"]);
        sheet.write_number_with_format(1, 5, 0.985, &Format::new().set_num_format("0.0%")).unwrap();
    });
    assert_eq!(figures(&taken(&percent, &BESIDE).unwrap())[0].3, 9850);
}

#[test]
fn text_numbers_need_a_locale_and_an_empty_cell_is_no_zero() {
    let text = with_value(|sheet, row, column| {
        sheet.write_string(row, column, "1.332").unwrap();
    });
    let all = taken(&text, &BESIDE).unwrap_err();
    assert_eq!((codes(&all), all[0].path.as_str()), (vec!["number_needs_locale"], "Sheet1!F2"));
    let empty = with_value(|_, _, _| ());
    assert_eq!(codes(&taken(&empty, &VI).unwrap_err()), ["no_statement"]);
    let zero = with_value(|sheet, row, column| {
        sheet.write_number(row, column, 0).unwrap();
    });
    assert_eq!(figures(&taken(&zero, &VI).unwrap())[0].3, 0);
}

#[test]
fn codes_that_lost_their_zeros_are_refused_and_those_that_show_them_are_taken() {
    let with_code = |format: &str| {
        workbook(|sheet| {
            row(sheet, 0, &LONG);
            row(sheet, 1, &["", "aa01", BOX, "2024-M03", "own", "5"]);
            sheet.write_number_with_format(1, 0, 1, &Format::new().set_num_format(format)).unwrap();
        })
    };
    let all = taken(&with_code("General"), &VI).unwrap_err();
    assert_eq!((codes(&all), all[0].path.as_str()), (vec!["code_as_number"], "Sheet1!A2"));
    assert_eq!(figures(&taken(&with_code("00000"), &VI).unwrap())[0].0, "00001");
}

/// A form as people make them: indicators down, communes across, what holds for all above.
fn form(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    workbook(|sheet| {
        sheet.set_name("Biểu 1").unwrap();
        sheet.write_string(0, 0, "BÁO CÁO KẾT QUẢ").unwrap();
        row(sheet, 1, &["Đơn vị:", "Tỉnh Đông", "", "Kỳ báo cáo:", "Tháng 3/2024"]);
        row(sheet, 2, &["Phạm vi: own", "", "Bên báo cáo", "Công an"]);
        let heading = Format::new();
        for (column, text) in [(0, "TT"), (1, "Chỉ tiêu"), (2, "Phân tổ")] {
            sheet.merge_range(4, column, 5, column, text, &heading).unwrap();
        }
        sheet.merge_range(4, 3, 4, 4, "Các xã", &heading).unwrap();
        sheet.write_string(5, 3, "Xã Một").unwrap();
        sheet.write_string(5, 4, "00002").unwrap();
        sheet.merge_range(4, 5, 5, 5, "Tổng cộng", &heading).unwrap();
        row(sheet, 6, &["A", "B", "C", "1", "2", "3"]);
        row(sheet, 7, &["1", "Tin", "channel=box|reporter=cong-an", "12", "1.332", "1.344"]);
        row(sheet, 8, &["2", "aa02", "channel=box|reporter=cong-an", "hơn 2", "", "2"]);
        fill(sheet);
    })
}

#[test]
fn a_form_is_read_by_its_headings_and_labels() {
    let checked = taken(&form(|_| ()), &VI).unwrap();
    let expected = [
        figure("00001", "aa01-tips", "2024-M03", 12),
        figure("00002", "aa01-tips", "2024-M03", 1332),
        figure("00001", "aa02-useful-tips", "2024-M03", 2),
    ];
    assert_eq!(figures(&checked), expected);
    assert_eq!(checked.figures[2].figure.statement, Statement::Value(2, Qualifier::AtLeast));
    assert_eq!(codes(&checked.warnings), ["totals_passed_over"]);
    assert_eq!(checked.warnings[0].path, "'Biểu 1'!F5");
}

#[test]
fn what_is_wrong_in_a_form_is_named_by_its_cell() {
    type Change = Box<dyn Fn(&mut Worksheet)>;
    let put = |row: u32, column: u16, text: &'static str| -> Change {
        Box::new(move |sheet| {
            sheet.write_string(row, column, text).unwrap();
        })
    };
    for (change, code, path) in [
        (put(5, 3, "Xã Mót"), "unknown_unit", "'Biểu 1'!D6"),
        (put(7, 1, "Tin báo"), "unknown_indicator", "'Biểu 1'!B8"),
        (put(1, 4, "Tháng 13/2024"), "malformed_period", "'Biểu 1'!E2"),
        (put(2, 0, "Phạm vi: all"), "unknown_scope", "'Biểu 1'!A3"),
        (put(7, 2, "channel=box|reporter=mttq"), "reporter_not_allowed", "'Biểu 1'!C8"),
        (put(7, 3, "1.33"), "number_of_other_locale", "'Biểu 1'!D8"),
        (put(2, 0, "Ghi chú"), "missing_field", "'Biểu 1'!D6"),
        (put(9, 1, "Tỷ lệ"), "", ""),
        (
            Box::new(|sheet: &mut Worksheet| {
                sheet.write_number(7, 6, 5).unwrap();
            }) as Change,
            "unknown_heading",
            "'Biểu 1'!G6",
        ),
        (
            Box::new(|sheet: &mut Worksheet| {
                sheet.write_number(5, 4, 2).unwrap();
            }) as Change,
            "code_as_number",
            "'Biểu 1'!E6",
        ),
        (
            Box::new(|sheet: &mut Worksheet| {
                sheet.merge_range(9, 3, 9, 4, "5", &Format::new()).unwrap();
                sheet.write_string(9, 1, "aa01").unwrap();
                sheet.write_string(9, 2, "channel=phone|reporter=cong-an").unwrap();
            }) as Change,
            "merged_value",
            "'Biểu 1'!D10",
        ),
    ] {
        match taken(&form(change), &VI) {
            Ok(_) => assert_eq!(code, ""),
            Err(all) => {
                let paths: Vec<_> = all.iter().map(|f| (f.code.as_str(), f.path.as_str())).collect();
                assert!(paths.iter().all(|found| found.0 == code), "{code}: {paths:?}");
                assert_eq!(paths[0], (code, path));
            }
        }
    }
}

#[test]
fn periods_stand_across_too_and_a_name_of_two_units_is_not_guessed() {
    let bytes = workbook(|sheet| {
        row(sheet, 0, &["Đơn vị", "00001", "Phạm vi", "own"]);
        row(sheet, 2, &["Mã chỉ tiêu", "Phân tổ", "2024-M03", "Tháng 4 năm 2024", "Lý do không có số liệu"]);
        row(sheet, 3, &["aa01", BOX, "1", "2"]);
        row(sheet, 4, &["aa02", BOX, "1", "", "mất sổ"]);
    });
    let raw = read(&bytes, &VI).unwrap();
    let checked = check(small(), &raw, &Limits::default()).unwrap();
    let periods: Vec<String> = checked.figures.iter().map(|f| f.figure.period.to_string()).collect();
    assert_eq!(periods, ["2024-M03", "2024-M04", "2024-M03", "2024-M04"]);
    assert_eq!(checked.figures[3].figure.statement, Statement::NotAvailable("mất sổ".into()));
}

#[test]
fn hidden_rows_and_columns_are_told_and_hidden_sheets_are_not_read() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    row(sheet, 0, &LONG);
    row(sheet, 1, &["00001", "aa01", BOX, "2024-M03", "own", "5"]);
    row(sheet, 2, &["00002", "aa01", BOX, "2024-M03", "own", "6"]);
    sheet.set_row_hidden(2).unwrap();
    sheet.set_column_hidden(5).unwrap();
    let hidden = workbook.add_worksheet();
    row(hidden, 0, &LONG);
    row(hidden, 1, &["00003", "aa01", BOX, "2024-M03", "own", "5"]);
    hidden.set_hidden(true);
    workbook.add_worksheet().write_string(0, 0, "Kính gửi").unwrap();
    let checked = taken(&workbook.save_to_buffer().unwrap(), &VI).unwrap();
    assert_eq!(checked.figures.len(), 2);
    let warned: Vec<_> =
        checked.warnings.iter().map(|f| (f.code.as_str(), f.path.as_str(), f.got.to_string())).collect();
    assert_eq!(
        warned,
        [
            ("hidden_cells", "Sheet1", "3".to_owned()),
            ("hidden_cells", "Sheet1", "F".to_owned()),
            ("hidden_sheet", "Sheet2", "Sheet2".to_owned()),
            ("sheet_passed_over", "Sheet3", "Sheet3".to_owned()),
        ]
    );
}

/// A workbook with a part put in place of one of its own, or added.
fn with_part(bytes: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut from = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(vec![]));
    for index in 0..from.len() {
        let mut part = from.by_index(index).unwrap();
        let named = part.name().unwrap().to_string();
        if named != name {
            let mut content = vec![];
            part.read_to_end(&mut content).unwrap();
            to.start_file(named, SimpleFileOptions::default()).unwrap();
            to.write_all(&content).unwrap();
        }
    }
    to.start_file(name, SimpleFileOptions::default()).unwrap();
    to.write_all(content).unwrap();
    to.finish().unwrap().into_inner()
}

fn part(bytes: &[u8], name: &str) -> String {
    let mut content = String::new();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    archive.by_name(name).unwrap().read_to_string(&mut content).unwrap();
    content
}

fn refusal(bytes: &[u8]) -> (FailureKind, String) {
    let failure = read(bytes, &VI).expect_err("it was read");
    let finding = &failure.findings()[0];
    complete(finding);
    (failure.kind(), finding.code.clone())
}

#[test]
fn what_is_no_workbook_is_refused_by_its_name() {
    let old = [&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], [0u8; 600].as_slice()].concat();
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let encrypted = [old.as_slice(), &name].concat();
    let whole = with_value(|_, _, _| ());
    for (bytes, code, got) in [
        (b"unit_code;indicator\n1;2\n".as_slice(), "not_a_spreadsheet", "CSV"),
        (old.as_slice(), "not_a_spreadsheet", "XLS (Excel 97–2003)"),
        (b"%PDF-1.7".as_slice(), "not_a_spreadsheet", "PDF"),
        (b"".as_slice(), "not_a_spreadsheet", "0 bytes"),
        (encrypted.as_slice(), "encrypted_spreadsheet", "XLSX"),
        (&whole[..whole.len() / 2], "broken_spreadsheet", "an empty text"),
    ] {
        let failure = read(bytes, &VI).expect_err(code);
        let finding = &failure.findings()[0];
        complete(finding);
        assert_eq!((finding.code.as_str(), finding.got.to_string().as_str()), (code, got));
        assert_eq!(failure.kind(), FailureKind::NotUnderstood);
    }
    let other = workbook(|sheet| {
        sheet.write_string(0, 0, "Kính gửi").unwrap();
    });
    assert_eq!(refusal(&other), (FailureKind::NotUnderstood, "no_table".to_owned()));
}

const SHEET: &str = "xl/worksheets/sheet1.xml";

#[test]
fn bombs_are_refused_before_they_take_memory() {
    #[allow(non_upper_case_globals, reason = "it is the only allocator there is")]
    static allocated: &peak_alloc::PeakAlloc = &ALLOCATOR;
    let whole = with_value(|sheet, row, column| {
        sheet.write_number(row, column, 5).unwrap();
    });
    let sheet = part(&whole, SHEET);
    let zeros = sheet.replace("<sheetData>", &format!("<sheetData>{}", " ".repeat(200 << 20)));
    let cells = format!("<row>{}</row>", "<c/>".repeat(10_000)).repeat(201);
    let cells = sheet.replace("</sheetData>", &format!("{cells}</sheetData>"));
    let deep = sheet.replace("<sheetData>", &format!("{}<sheetData>", "<a>".repeat(100)));
    let laughs = format!(
        "<!DOCTYPE lolz [<!ENTITY a \"ha\">{}]>{}",
        (0..20).map(|i| format!("<!ENTITY a{i} \"&a;&a;&a;&a;\">")).collect::<String>(),
        sheet.split_once("?>").map_or("", |(_, rest)| rest)
    );
    let strings = "<sst uniqueCount=\"18446744073709551615\"><si><t>x</t></si></sst>";
    let many = format!("<sst>{}</sst>", "<si/>".repeat(500_001));
    let long = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(1 << 20));
    let text = "xl/sharedStrings.xml";
    let mut parts = ZipWriter::new(Cursor::new(vec![]));
    for i in 0..2_001 {
        parts.start_file(format!("{i}.bin"), SimpleFileOptions::default()).unwrap();
    }
    let parts = parts.finish().unwrap().into_inner();
    for (what, bytes, code) in [
        ("zeros", with_part(&whole, SHEET, zeros.as_bytes()), "spreadsheet_too_large"),
        ("cells", with_part(&whole, SHEET, cells.as_bytes()), "spreadsheet_too_large"),
        ("depth", with_part(&whole, SHEET, deep.as_bytes()), "spreadsheet_too_large"),
        ("entities", with_part(&whole, SHEET, laughs.as_bytes()), "broken_spreadsheet"),
        ("announced texts", with_part(&whole, text, strings.as_bytes()), "spreadsheet_too_large"),
        ("texts", with_part(&whole, text, many.as_bytes()), "spreadsheet_too_large"),
        ("a text", with_part(&whole, text, long.as_bytes()), "spreadsheet_too_large"),
        ("parts", parts, "spreadsheet_too_large"),
    ] {
        assert!(bytes.len() < 2 << 20, "{what}: {} bytes", bytes.len());
        allocated.reset_peak_usage();
        let before = allocated.current_usage();
        let (_, found) = refusal(&bytes);
        let taken = allocated.peak_usage() - before;
        assert_eq!(found, code, "{what}");
        assert!(taken < 16 << 20, "{what}: {taken} bytes of memory");
    }
}

#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

#[test]
fn the_last_cell_of_a_sheet_takes_no_more_than_the_first_and_none_is_outside() {
    let whole = with_value(|sheet, row, column| {
        sheet.write_number(row, column, 5).unwrap();
    });
    let sheet = part(&whole, SHEET);
    let last = "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row></sheetData>";
    let far = sheet.replace("</sheetData>", last);
    let checked = taken(&with_part(&whole, SHEET, far.as_bytes()), &VI).unwrap();
    assert_eq!(checked.figures.len(), 1);
    let wide = sheet.replacen("ref=\"A1:", "ref=\"A1:XFD1048576\" x=\"", 1);
    assert_ne!(wide, sheet);
    assert_eq!(taken(&with_part(&whole, SHEET, wide.as_bytes()), &VI).unwrap().figures.len(), 1);
    for reference in ["XFE1", "A1048577", "A0", "A", "1", "A99999999999", "ZZZZZZZZZZZZ1", "Á1", "A-1"] {
        let outside = format!("<row><c r=\"{reference}\"><v>1</v></c></row></sheetData>");
        let outside = sheet.replace("</sheetData>", &outside);
        let code = refusal(&with_part(&whole, SHEET, outside.as_bytes())).1;
        assert_eq!(code, "broken_spreadsheet", "{reference}");
    }
    for range in ["B2:A1", "A1:B2:C3", "", "A1:XFE1"] {
        let merged = format!("</sheetData><mergeCells><mergeCell ref=\"{range}\"/></mergeCells>");
        let merged = sheet.replace("</sheetData>", &merged);
        assert_eq!(refusal(&with_part(&whole, SHEET, merged.as_bytes())).1, "broken_spreadsheet", "{range}");
    }
}

#[test]
fn figures_are_bounded_and_formulas_without_a_value_are_found() {
    let limits = Limits { max_figures: 2, ..Limits::default() };
    let many = workbook(|sheet| {
        row(sheet, 0, &LONG);
        (1..=3).for_each(|at| row(sheet, at, &["00001", "aa01", BOX, "2024-M03", "own", "1"]));
    });
    let failure = xlsx::parse(&many, &VI, &limits).expect_err("too many");
    assert_eq!(
        (failure.kind(), failure.findings()[0].code.as_str()),
        (FailureKind::TooLarge, "too_many_figures")
    );
    let whole = with_value(|sheet, row, column| {
        sheet.write_number(row, column, 77).unwrap();
    });
    let sheet = part(&whole, SHEET);
    let unsaved = sheet.replace("<v>77</v>", "<f>1+1</f>");
    assert_ne!(unsaved, sheet);
    let all = taken(&with_part(&whole, SHEET, unsaved.as_bytes()), &VI).unwrap_err();
    assert_eq!((codes(&all), all[0].path.as_str()), (vec!["formula_without_value"], "Sheet1!F2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_change_of_a_workbook_is_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut sheet = part(&form(|_| ()), SHEET).into_bytes();
        for (at, byte) in changes {
            let at = at.index(sheet.len());
            sheet[at] = byte;
        }
        let bytes = with_part(&form(|_| ()), SHEET, &sheet);
        if let Ok(raw) = read(&bytes, &VI) {
            let _ = check(small(), &raw, &Limits::default());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let zip = [b"PK\x03\x04".as_slice(), &bytes].concat();
        let _ = (read(&bytes, &VI).is_err(), read(&zip, &VI).is_err());
    }
}
