//! Indicators down, units or periods across.
//!
//! A row of headings has a column *Chỉ tiêu* (Indicator) or *Mã chỉ tiêu* (Indicator code), and columns of values: each
//! headed by a period, by a unit's code or name, by both in two rows, or as values (*Số liệu*). What no heading says
//! is said in labelled cells above, as *Kỳ báo cáo* (Period), or on the sheet that `tonghop form` writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tonghop_runtime::Text;
use tonghop_written::Locale;
use tonghop_written::name::fold;

use super::grid::{Grid, Value};
use super::heading::{self, Heading, Label, first_line};
use super::{Reading, cells};
use crate::finding::{Code, Findings, finding};
use crate::media_type;
use crate::sheet_place::{Cell, Layout, Position};
use crate::submission::{Field, Place, RawBreakdown, RawFigure};

/// Rows in which headings and labels are looked for.
const HEADINGS_WITHIN: u32 = 100;
/// Columns of values.
const MOST_COLUMNS: usize = 1_000;
/// Rows of headings.
const MOST_HEADING_ROWS: u32 = 4;

/// What is said for all figures of a sheet, or of a workbook.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    parts: BTreeMap<usize, String>,
    /// Where on the sheet, of what is said on it.
    cells: BTreeMap<usize, Cell>,
    /// What cannot be read, of which a finding speaks.
    unreadable: Vec<Field>,
    locale: Option<Locale>,
}

impl Known {
    /// What the sheet of a form says.
    pub(super) fn of_form_sheet(grid: &Grid<'_>, layout: &Layout, findings: &mut Findings) -> Known {
        let mut known = Known::default();
        known.labels(grid, layout, u32::MAX, findings);
        known.cells.clear();
        known
    }

    /// Reads labels above a row.
    fn labels(&mut self, grid: &Grid<'_>, layout: &Layout, above: u32, findings: &mut Findings) {
        for (cell, value) in grid.cells().take_while(|(cell, _)| cell.row < above.min(HEADINGS_WITHIN)) {
            let Value::Text(text) = value else { continue };
            let Some((label, inline)) = heading::label(text) else { continue };
            let at = match inline {
                Some(_) => cell,
                None => match grid.row(cell.row).find(|(next, _)| next.column > cell.column) {
                    Some((next, _)) => next,
                    None => continue,
                },
            };
            let given = match inline {
                Some(value) => Ok(Some(value.to_owned())),
                None if label == Label::Part(Field::Unit) => cells::unit_code(grid, layout, at, findings),
                None => cells::text(grid, layout, at, findings),
            };
            match (label, given) {
                (Label::Part(field), Err(())) => self.unreadable.push(field),
                (Label::Part(field), Ok(Some(given))) => {
                    self.say(field, first_line(&given), at, layout, findings)
                }
                (Label::Reporter, Ok(Some(given))) => {
                    let breakdown = format!("reporter={}", first_line(&given));
                    self.say(Field::Breakdown, &breakdown, at, layout, findings);
                }
                (Label::Locale, Ok(Some(given))) => match Locale::from_code(&given) {
                    Some(locale) => self.locale = Some(locale),
                    None => findings.add(|| {
                        let (expected, hint) = (media_type::expected(), media_type::hint());
                        finding(Code::UnknownLocale, layout.spot(at), &given, expected, hint)
                    }),
                },
                (Label::Reporter | Label::Locale, _) | (_, Ok(None)) => {}
            }
        }
    }

    fn say(&mut self, field: Field, text: &str, at: Cell, layout: &Layout, findings: &mut Findings) {
        let text = match field {
            Field::Period => heading::period(text).unwrap_or_else(|| text.to_owned()),
            _ => text.to_owned(),
        };
        match self.parts.get(&(field as usize)) {
            Some(other) if fold(other) != fold(&text) => {
                self.unreadable.push(field);
                findings.add(|| {
                    let expected = Text::of(format!("{other}, như đã nêu"), format!("{other}, as said before"));
                    let hint = Text::of(
                        "hai chỗ nói khác nhau: sửa chỗ sai, hoặc dùng biểu mẫu của đúng đơn vị và kỳ",
                        "two places differ: correct the wrong one, or use the form of the unit and period that are meant",
                    );
                    finding(Code::Contradiction, layout.spot(at), &text, expected, hint)
                });
            }
            _ => {
                self.parts.insert(field as usize, text);
                self.cells.insert(field as usize, at);
            }
        }
    }

    fn part(&self, field: Field) -> Option<&str> {
        self.parts.get(&(field as usize)).map(String::as_str)
    }
}

/// A column of values.
struct Column {
    unit: Option<String>,
    period: Option<String>,
    layout: Arc<Layout>,
}

/// The headings of a form.
#[derive(Default)]
struct Headings {
    /// The last row of them.
    last: u32,
    code: Option<u32>,
    name: Option<u32>,
    parts: Vec<(Field, u32)>,
    values: BTreeMap<u32, Column>,
    /// Columns that are known and not of values, or that a finding speaks of.
    others: BTreeSet<u32>,
}

/// Reads a sheet of this shape; false, and nothing done, where it has another.
pub(super) fn read(grid: &Grid<'_>, layout: &Layout, known: &Known, reading: &mut Reading<'_>) -> bool {
    let Some((first, last)) = heading_rows(grid) else { return false };
    let mut known = known.clone();
    // What cannot be read of a sheet of another shape is not complained of.
    let mut found = Findings::default();
    known.labels(grid, layout, first, &mut found);
    let Some(headings) = headings(grid, layout, &known, first, last, reading, &mut found) else {
        return false;
    };
    found.listed().iter().for_each(|one| reading.findings.add(|| one.clone()));
    if let (Some(own), Some(beside)) = (known.locale, reading.locale)
        && own != beside
    {
        reading.findings.add(|| {
            let expected = Text::of(
                format!("{}, như biểu mẫu nêu", own.code()),
                format!("{}, as the form says", own.code()),
            );
            let hint = Text::of(
                "không cần khai báo locale cho biểu mẫu tự nêu locale",
                "declare no locale for a form that says its own",
            );
            finding(
                Code::Contradiction,
                layout.spot(Cell { row: first, column: 0 }),
                beside.code(),
                expected,
                hint,
            )
        });
        return true;
    }
    let mut rows =
        Rows { grid, layout, known: &known, headings: &headings, missing: vec![], unheaded: BTreeSet::new() };
    rows.merged(reading);
    for row in grid.rows().into_iter().filter(|row| *row > headings.last) {
        if row == headings.last + 1 && is_numbering(grid, row) {
            continue;
        }
        if !rows.row(row, reading) {
            break;
        }
    }
    true
}

/// The rows of headings: from the one that names indicators to the last that is merged with it, or is below a heading
/// that is merged over several columns.
fn heading_rows(grid: &Grid<'_>) -> Option<(u32, u32)> {
    let names_indicators = |(cell, value): &(Cell, &Value<'_>)| {
        let Value::Text(text) = value else { return false };
        cell.row < HEADINGS_WITHIN
            && matches!(heading::heading(text), Some(Heading::IndicatorCode | Heading::IndicatorName))
    };
    let (cell, _) = grid.cells().take_while(|(cell, _)| cell.row < HEADINGS_WITHIN).find(names_indicators)?;
    let first = cell.row;
    let mut last = grid.range(cell).map_or(first, |(_, to)| to.row);
    let across = |row: u32| {
        grid.merged().iter().any(|(from, to)| from.row <= row && to.row == row && to.column > from.column)
    };
    while across(last) && last - first + 1 < MOST_HEADING_ROWS {
        last += 1;
    }
    Some((first, last.min(first + MOST_HEADING_ROWS - 1)))
}

/// Reads the headings; nothing where none is of values.
fn headings(
    grid: &Grid<'_>,
    layout: &Layout,
    known: &Known,
    first: u32,
    last: u32,
    reading: &mut Reading<'_>,
    findings: &mut Findings,
) -> Option<Headings> {
    let mut headings = Headings { last, ..Headings::default() };
    let mut columns: Vec<u32> =
        (first..=last).flat_map(|row| grid.row(row).map(|(cell, _)| cell.column)).collect();
    for (from, to) in grid.merged().iter().filter(|(from, to)| from.row <= last && to.row >= first) {
        columns.extend((from.column..=to.column).take(MOST_COLUMNS));
    }
    columns.sort_unstable();
    columns.dedup();
    for column in columns.into_iter().take(MOST_COLUMNS) {
        let mut of_column = layout.clone();
        let (mut unit, mut period, mut is_value, mut other) = (None, None, false, false);
        let mut seen = None;
        for row in (first..=last).rev() {
            let holder = grid.holder(Cell { row, column });
            if seen.replace(holder) == Some(holder) {
                continue;
            }
            let text = match grid.get(holder) {
                None => continue,
                Some(Value::Number(number)) if heading::period(&number.as_text()).is_none() => {
                    cells::unit_code(grid, layout, holder, findings)
                }
                Some(_) => cells::text(grid, layout, holder, findings),
            };
            let Ok(Some(text)) = text else {
                other = true;
                continue;
            };
            match heading::heading(&text) {
                None => {}
                Some(Heading::IndicatorCode) => {
                    (headings.code, other) = (headings.code.or(Some(column)), true)
                }
                Some(Heading::IndicatorName) => {
                    (headings.name, other) = (headings.name.or(Some(column)), true)
                }
                Some(Heading::Part(field)) => {
                    headings.parts.push((field, column));
                    other = true;
                }
                Some(Heading::Passed) => other = true,
                Some(Heading::Total) => {
                    other = true;
                    totals_passed_over(layout, holder, &text, reading);
                }
                Some(Heading::Value) => is_value = true,
                Some(Heading::Period(written)) if period.is_none() => {
                    period = Some(written);
                    of_column.put(Field::Period, Position::Cell(holder));
                }
                Some(Heading::Unit(name)) if unit.is_none() => {
                    unit = Some(name);
                    of_column.put(Field::Unit, Position::Cell(holder));
                }
                Some(Heading::Period(_) | Heading::Unit(_)) => {}
            }
        }
        if other {
            headings.others.insert(column);
        } else if is_value || unit.is_some() || period.is_some() {
            // Over values of the sheet's own unit and period a heading is a title.
            let unit = unit.filter(|_| !is_value);
            headings.values.insert(column, Column { unit, period, layout: Arc::new(of_column) });
        }
    }
    if headings.values.is_empty() {
        return None;
    }
    for column in headings.values.values_mut() {
        let layout = Arc::make_mut(&mut column.layout);
        if let Some(at) = headings.code.or(headings.name) {
            layout.put(Field::Indicator, Position::Column(at));
        }
        for (field, at) in &headings.parts {
            layout.put(*field, Position::Column(*at));
        }
        for field in Field::ALL {
            if let Some(cell) = known.cells.get(&(*field as usize))
                && layout.position(*field).is_none()
            {
                layout.put(*field, Position::Cell(*cell));
            }
        }
    }
    Some(headings)
}

fn totals_passed_over(layout: &Layout, cell: Cell, text: &str, reading: &mut Reading<'_>) {
    reading.remarks.add(|| {
        let expected = Text::of("số liệu của từng đơn vị, từng kỳ", "figures of single units and periods");
        let hint = Text::of(
            "cột hoặc hàng tổng không được đọc: hệ thống tự tính tổng",
            "totals of the form are not read: they are worked out from the figures",
        );
        finding(Code::TotalsPassedOver, layout.spot(cell), text, expected, hint)
    });
}

/// Whether a row only numbers the columns: A, B, 1, 2 or (1), (2).
fn is_numbering(grid: &Grid<'_>, row: u32) -> bool {
    let mut numbers = vec![];
    for (cell, _) in grid.row(row) {
        let Some(text) = grid.text(cell) else { return false };
        let inner = text.trim_start_matches('(').trim_end_matches(')').to_owned();
        let letter = inner.len() == 1 && inner.bytes().all(|b| b.is_ascii_alphabetic());
        match inner.parse::<u32>() {
            Ok(number) => numbers.push(number),
            Err(_) if letter => {}
            Err(_) => return false,
        }
    }
    numbers.len() > 1 && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1])
        || (numbers.len() == 1 && numbers[0] == 1 && grid.row(row).count() > 1)
}

/// The rows of figures.
struct Rows<'s, 'g> {
    grid: &'s Grid<'g>,
    layout: &'s Layout,
    known: &'s Known,
    headings: &'s Headings,
    /// Parts that nothing says, of which a finding speaks.
    missing: Vec<Field>,
    /// Columns without a heading, of which a finding speaks.
    unheaded: BTreeSet<u32>,
}

impl Rows<'_, '_> {
    /// A value that is merged over several cells of values may be of the first or of all.
    fn merged(&self, reading: &mut Reading<'_>) {
        for (from, to) in self.grid.merged() {
            let values = self.headings.values.range(from.column..=to.column).count();
            let several = values > 1 || (values == 1 && to.row > from.row);
            if from.row > self.headings.last && several && self.grid.get(*from).is_some() {
                reading.findings.add(|| {
                    let got = format!("{from}:{to}");
                    let expected = Text::of("mỗi ô một giá trị", "a value in a cell of its own");
                    let hint = Text::of(
                        "bỏ gộp ô rồi ghi giá trị cho từng ô",
                        "unmerge the cells and write the value of each",
                    );
                    finding(Code::MergedValue, self.layout.spot(*from), got, expected, hint)
                });
            }
        }
    }

    /// Reads a row; says whether there may be more.
    fn row(&mut self, row: u32, reading: &mut Reading<'_>) -> bool {
        let at = |column: Option<u32>| column.and_then(|column| self.grid.text(Cell { row, column }));
        let (code, name) = (at(self.headings.code), at(self.headings.name));
        let indicator = match (&code, &name) {
            (Some(code), _) => first_line(code).to_owned(),
            (None, Some(name)) => first_line(name).to_owned(),
            (None, None) => String::new(),
        };
        if name.as_deref().is_some_and(heading::is_total) && code.is_none() {
            let column = self.headings.name.unwrap_or_default();
            totals_passed_over(self.layout, Cell { row, column }, &indicator, reading);
            return true;
        }
        if !indicator.is_empty() {
            self.unheaded(row, reading);
        }
        let mut shared: Vec<(Field, Result<Option<String>, ()>)> = vec![];
        for (field, column) in &self.headings.parts {
            let cell = Cell { row, column: *column };
            shared.push((*field, cells::text(self.grid, self.layout, cell, &mut reading.findings)));
        }
        let reason = shared.iter().find(|(field, _)| *field == Field::NotAvailable);
        let reason = reason.and_then(|(_, text)| text.as_ref().ok()).and_then(Option::as_ref).cloned();
        let of_row: Vec<u32> = self.grid.row(row).map(|(cell, _)| cell.column).collect();
        let single = self.headings.values.len() == 1;
        // Where there is a reason, it is why the empty cells of the row are empty.
        let columns: Vec<u32> = match reason {
            Some(_) => self.headings.values.keys().copied().collect(),
            None => of_row.into_iter().filter(|column| self.headings.values.contains_key(column)).collect(),
        };
        for column in columns {
            let here = Cell { row, column };
            let is_empty = self.grid.get(here).is_none();
            let mut figure = self.figure(here, &indicator, &shared, reading);
            if is_empty || single {
                figure.not_available = reason.clone();
            } else {
                figure.not_available = None;
            }
            if !reading.take(figure) {
                return false;
            }
        }
        true
    }

    fn figure(
        &mut self,
        here: Cell,
        indicator: &str,
        shared: &[(Field, Result<Option<String>, ()>)],
        reading: &mut Reading<'_>,
    ) -> RawFigure {
        let Some(column) = self.headings.values.get(&here.column) else {
            return RawFigure::at(Place::Cell(Arc::new(self.layout.clone()), here));
        };
        let mut figure = RawFigure::at(Place::Cell(Arc::clone(&column.layout), here));
        figure.indicator = indicator.to_owned();
        for field in [Field::Breakdown, Field::Scope, Field::Programmes] {
            if let Some(said) = self.known.part(field) {
                super::long::put(&mut figure, field, said.to_owned(), reading);
            }
        }
        for (field, text) in shared {
            match text {
                Ok(Some(text)) => super::long::put(&mut figure, *field, text.clone(), reading),
                Ok(None) => {}
                Err(()) => figure.unreadable.insert(*field),
            }
        }
        let (known_unit, known_period) = (self.known.part(Field::Unit), self.known.part(Field::Period));
        match &column.unit {
            Some(unit) => {
                figure.unit.clone_from(unit);
                figure.within = known_unit.map(str::to_owned);
            }
            None => figure.unit = known_unit.unwrap_or_default().to_owned(),
        }
        figure.period = column.period.as_deref().or(known_period).unwrap_or_default().to_owned();
        let locale = self.known.locale.or(reading.locale);
        match cells::value(self.grid, self.layout, here, locale, &mut reading.findings) {
            Ok(Some(said)) => (figure.value, figure.numbers) = (Some(said.text), said.numbers),
            Ok(None) => {}
            Err(()) => figure.unreadable.insert(Field::Value),
        }
        for (field, given) in [
            (Field::Unit, !figure.unit.is_empty()),
            (Field::Period, !figure.period.is_empty()),
            (Field::Scope, !figure.scope.is_empty()),
            (Field::Breakdown, figure.breakdown != RawBreakdown::default()),
        ] {
            if self.known.unreadable.contains(&field) {
                figure.unreadable.insert(field);
            } else if !given {
                self.missing(field, reading);
                figure.unreadable.insert(field);
            }
        }
        figure
    }

    /// Says once of a sheet that nothing on it says a part of its figures.
    fn missing(&mut self, field: Field, reading: &mut Reading<'_>) {
        if self.missing.contains(&field) {
            return;
        }
        self.missing.push(field);
        let (name_vi, name_en, example) = match field {
            Field::Unit => ("Đơn vị", "Unit", "06"),
            Field::Period => ("Kỳ báo cáo", "Period", "2024-M05"),
            Field::Scope => ("Phạm vi", "Scope", "own, territory"),
            _ => ("Phân tổ", "Breakdown", "reporter=cong-an"),
        };
        let row = self.headings.last;
        let column = self.headings.values.keys().next().copied().unwrap_or_default();
        reading.findings.add(|| {
            let expected = Text::of(
                format!("ô {name_vi} phía trên bảng, kèm giá trị, ví dụ {example}"),
                format!("a cell {name_en} above the table with its value, as {example}"),
            );
            let hint = Text::of(
                format!("thêm ô {name_vi:?} và ghi giá trị vào ô bên phải, hoặc dùng biểu mẫu do tonghop form tạo ra"),
                format!("add a cell {name_en:?} and write the value to its right, or use a form of tonghop form"),
            );
            finding(Code::MissingField, self.layout.spot(Cell { row, column }), "", expected, hint)
        });
    }

    /// Numbers without a heading are of somebody.
    fn unheaded(&mut self, row: u32, reading: &mut Reading<'_>) {
        for (cell, value) in self.grid.row(row) {
            let known = self.headings.values.contains_key(&cell.column)
                || self.headings.others.contains(&cell.column)
                || self.unheaded.contains(&cell.column);
            let before = [self.headings.code, self.headings.name].into_iter().flatten().min();
            if known || matches!(value, Value::Text(_)) || before.is_some_and(|first| cell.column < first) {
                continue;
            }
            self.unheaded.insert(cell.column);
            let heading = Cell { row: self.headings.last, ..cell };
            reading.findings.add(|| {
                let got = format!("{cell}");
                let expected = Text::of(
                    "tiêu đề cột: mã hoặc tên đơn vị, hoặc kỳ báo cáo",
                    "a heading: the code or the name of a unit, or a period",
                );
                let hint = Text::of(
                    "ghi tiêu đề cho cột này, hoặc xóa số trong cột",
                    "write the heading of this column, or clear the numbers in it",
                );
                finding(Code::UnknownHeading, self.layout.spot(heading), got, expected, hint)
            });
        }
    }
}
