//! A form to fill in, as a workbook: indicators down, periods across.
//!
//! Everything but the cells to fill in is locked, and what the form is of stands on a sheet of its own, which ingestion
//! reads: unit, period, scope, programme and locale. The cells to fill in are formatted as text, so that no spreadsheet
//! makes 15 of `15.000` or a date of `10/10`: what was typed is what is pushed.

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, IgnoreError, Workbook, Worksheet,
    XlsxError,
};
use tonghop_ingestion::xlsx::FORM_SHEET;

/// A form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Code of the unit that fills it in.
    pub unit: String,
    /// Its name.
    pub unit_name: String,
    /// The periods, one a column.
    pub periods: Vec<String>,
    /// `own` or `territory`.
    pub scope: String,
    /// Code of the programme that its figures are reported under; empty for none.
    pub programme: String,
    /// What is reported.
    pub rows: Vec<FormRow>,
}

/// A row to fill in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormRow {
    /// Code of the indicator.
    pub indicator: String,
    /// Its name in Vietnamese and in English.
    pub name: [String; 2],
    /// Its unit of measure in Vietnamese and in English.
    pub unit_of_measure: [String; 2],
    /// The breakdown of its figures.
    pub breakdown: String,
}

/// The row of headings, below the title and what the form is of.
const HEADINGS: u32 = 7;
/// Columns before the first of values.
const BEFORE: u16 = 5;

struct Formats {
    title: Format,
    label: Format,
    heading: Format,
    locked: Format,
    open: Format,
}

impl Formats {
    fn new() -> Formats {
        let text = || Format::new().set_num_format("@").set_align(FormatAlign::Top);
        let bordered = || text().set_text_wrap().set_border(FormatBorder::Thin);
        Formats {
            title: Format::new().set_bold().set_font_size(14),
            label: text().set_bold(),
            heading: bordered().set_bold().set_background_color(Color::RGB(0x00dd_e6f0)),
            locked: bordered(),
            open: bordered().set_unlocked().set_background_color(Color::RGB(0x00ff_fbe6)),
        }
    }
}

impl Form {
    /// The form as a workbook. `filled` says what stands in the cell of a row and a period, if anything does.
    ///
    /// # Errors
    /// Where it has more rows or longer texts than a sheet takes.
    pub fn write(&self, filled: impl Fn(usize, usize) -> Option<String>) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        // The same form is the same file, whenever it is written.
        let properties = DocProperties::new().set_creation_datetime(&ExcelDateTime::default());
        workbook.set_properties(&properties);
        let formats = Formats::new();
        let sheet = workbook.add_worksheet();
        sheet.set_name("Biểu")?;
        self.head(sheet, &formats)?;
        self.headings(sheet, &formats)?;
        for (at, row) in self.rows.iter().enumerate() {
            let line = HEADINGS + 1 + u32::try_from(at).unwrap_or(u32::MAX);
            let number = (at + 1).to_string();
            let both = |texts: &[String; 2]| texts.join("\n");
            let locked = [
                number,
                row.indicator.clone(),
                both(&row.name),
                both(&row.unit_of_measure),
                row.breakdown.clone(),
            ];
            for (column, text) in (0u16..).zip(&locked) {
                sheet.write_string_with_format(line, column, text, &formats.locked)?;
            }
            for (column, period) in (BEFORE..).zip(0..self.periods.len()) {
                match filled(at, period) {
                    Some(text) => sheet.write_string_with_format(line, column, text, &formats.open)?,
                    None => sheet.write_blank(line, column, &formats.open)?,
                };
            }
            for column in [self.after(), self.after() + 1] {
                sheet.write_blank(line, column, &formats.open)?;
            }
        }
        let last = HEADINGS + u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        sheet.ignore_error_range(
            0,
            0,
            last.max(HEADINGS + 1),
            self.after() + 1,
            IgnoreError::NumberStoredAsText,
        )?;
        sheet.protect();
        self.form_sheet(workbook.add_worksheet(), &formats)?;
        workbook.save_to_buffer()
    }

    /// The column after those of values.
    fn after(&self) -> u16 {
        BEFORE + u16::try_from(self.periods.len()).unwrap_or(u16::MAX - BEFORE - 1)
    }

    fn head(&self, sheet: &mut Worksheet, formats: &Formats) -> Result<(), XlsxError> {
        sheet.write_string_with_format(0, 0, "BIỂU BÁO CÁO SỐ LIỆU", &formats.title)?;
        sheet.write_string(1, 0, "Reporting form")?;
        let scope = match self.scope.as_str() {
            "territory" => "toàn địa bàn, gồm cả các đơn vị trực thuộc / the whole territory",
            _ => "hoạt động của chính đơn vị / the unit's own activity",
        };
        let unit = [("Đơn vị / Unit", self.unit.as_str(), self.unit_name.as_str())];
        let period = self.single_period().map(|period| ("Kỳ báo cáo / Period", period, ""));
        let scope = [("Phạm vi / Scope", self.scope.as_str(), scope)];
        for (row, (label, value, said)) in (2u32..).zip(unit.into_iter().chain(period).chain(scope)) {
            sheet.write_string_with_format(row, 0, label, &formats.label)?;
            sheet.write_string_with_format(row, 1, value, &formats.label)?;
            sheet.write_string(row, 2, said)?;
        }
        sheet.write_string(
            5,
            0,
            "Điền các ô màu vàng. Số viết như 37.853 hoặc 2,2; ghi được \"gần\", \"hơn\", \"khoảng\". Số 0 là một giá trị; \
             ô trống là chưa có số liệu.",
        )?;
        sheet.write_string(
            6,
            0,
            "Fill in the yellow cells. Numbers as 37.853 or 2,2, with gần (at most), hơn (at least), khoảng (about). Zero \
             is a value; an empty cell is none.",
        )?;
        Ok(())
    }

    fn single_period(&self) -> Option<&str> {
        match self.periods.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    fn headings(&self, sheet: &mut Worksheet, formats: &Formats) -> Result<(), XlsxError> {
        let before = [
            ("TT\nNo", 6.0),
            ("Mã chỉ tiêu\nIndicator code", 24.0),
            ("Chỉ tiêu\nIndicator", 44.0),
            ("Đơn vị tính\nUnit of measure", 16.0),
            ("Phân tổ\nBreakdown", 28.0),
        ];
        for (column, (text, width)) in (0u16..).zip(before) {
            sheet.write_string_with_format(HEADINGS, column, text, &formats.heading)?;
            sheet.set_column_width(column, width)?;
        }
        for (column, period) in (BEFORE..).zip(&self.periods) {
            sheet.write_string_with_format(HEADINGS, column, period, &formats.heading)?;
            sheet.set_column_width(column, 16)?;
        }
        let after = [("Lý do không có số liệu\nNot available because", 30.0), ("Ghi chú\nNote", 20.0)];
        for (column, (text, width)) in (self.after()..).zip(after) {
            sheet.write_string_with_format(HEADINGS, column, text, &formats.heading)?;
            sheet.set_column_width(column, width)?;
        }
        sheet.set_freeze_panes(HEADINGS + 1, BEFORE)?;
        Ok(())
    }

    /// What the form is of, for ingestion.
    fn form_sheet(&self, sheet: &mut Worksheet, formats: &Formats) -> Result<(), XlsxError> {
        sheet.set_name(FORM_SHEET)?;
        sheet.set_hidden(true);
        let programme =
            Some(("Chương trình / Programme", self.programme.as_str())).filter(|(_, code)| !code.is_empty());
        let said = [
            Some(("Đơn vị / Unit", self.unit.as_str())),
            self.single_period().map(|period| ("Kỳ báo cáo / Period", period)),
            Some(("Phạm vi / Scope", self.scope.as_str())),
            programme,
            Some(("locale", "vi")),
        ];
        for (row, (label, value)) in (0u32..).zip(said.into_iter().flatten()) {
            sheet.write_string_with_format(row, 0, label, &formats.label)?;
            sheet.write_string_with_format(row, 1, value, &formats.label)?;
        }
        sheet.protect();
        Ok(())
    }
}
