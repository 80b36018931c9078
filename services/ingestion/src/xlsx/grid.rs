//! The cells of a sheet, each as what it holds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use calamine::{DataRef, Dimensions, ExcelDateTime, Style};

use super::guard::Beside;
use super::number_format::{Shown, shown};
use crate::sheet_place::Cell;
use crate::submission::into_nfc;

/// What a cell holds. An empty cell is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// A text, in NFC and without spaces around it.
    Text(Cow<'a, str>),
    /// A number.
    Number(Number),
    /// A date or a time.
    Date(String),
    /// True or false.
    Boolean(bool),
    /// An error, as #REF!.
    Error(String),
    /// A formula that was saved without a value.
    Formula,
}

/// A number that a cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// The shortest decimal that is this binary number.
    pub(super) held: String,
    /// What is shown of it.
    pub(super) shown: Shown,
    /// The code of its format, where it shows another number.
    pub(super) format: String,
}

/// A sheet.
#[derive(Debug, Default)]
pub(super) struct Grid<'a> {
    cells: BTreeMap<Cell, Value<'a>>,
    /// Ranges of more than one cell whose value is that of the first: first and last.
    merged: Vec<(Cell, Cell)>,
}

impl<'a> Grid<'a> {
    /// An empty sheet with its merged ranges.
    pub(super) fn with_merged(ranges: &[Dimensions]) -> Grid<'a> {
        let cell = |(row, column): (u32, u32)| Cell { row, column };
        let merged = ranges.iter().map(|range| (cell(range.start), cell(range.end))).collect();
        Grid { cells: BTreeMap::new(), merged }
    }

    /// Adds a cell as the reader gives it.
    pub(super) fn add(&mut self, cell: Cell, data: &DataRef<'a>, style: Option<&Style>, beside: &Beside) {
        let value = match data {
            DataRef::Empty if beside.formulas.contains(&cell) => Some(Value::Formula),
            DataRef::Empty => None,
            DataRef::String(text) => self::text(Cow::Owned(text.clone())),
            DataRef::SharedString(text) => self::text(Cow::Borrowed(text)),
            DataRef::Int(number) => Some(number_of(number.to_string(), style)),
            DataRef::Float(number) => Some(number_of(number.to_string(), style)),
            DataRef::Bool(value) => Some(Value::Boolean(*value)),
            DataRef::Error(error) => Some(Value::Error(error.to_string())),
            DataRef::DateTime(date) => Some(Value::Date(said(date))),
            DataRef::DateTimeIso(date) | DataRef::DurationIso(date) => Some(Value::Date(date.clone())),
        };
        if let Some(value) = value {
            self.cells.insert(cell, value);
        }
    }

    /// What a cell holds.
    pub(super) fn get(&self, cell: Cell) -> Option<&Value<'a>> {
        self.cells.get(&cell)
    }

    /// The cell that holds what a cell shows: in a merged range its first.
    pub(super) fn holder(&self, cell: Cell) -> Cell {
        if self.cells.contains_key(&cell) { cell } else { self.range(cell).map_or(cell, |(first, _)| first) }
    }

    /// Ranges of more than one cell.
    pub(super) fn merged(&self) -> &[(Cell, Cell)] {
        &self.merged
    }

    /// The merged range a cell is in. Looks at all of them: for headings.
    pub(super) fn range(&self, cell: Cell) -> Option<(Cell, Cell)> {
        let within = |(first, last): &&(Cell, Cell)| {
            (first.row..=last.row).contains(&cell.row) && (first.column..=last.column).contains(&cell.column)
        };
        self.merged.iter().find(within).copied()
    }

    /// A cell's text: of a number what is shown of it.
    pub(super) fn text(&self, cell: Cell) -> Option<Cow<'_, str>> {
        match self.get(cell)? {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Number(number) => Some(Cow::Owned(number.as_text())),
            _ => None,
        }
    }

    /// All cells with something in them, row by row.
    pub(super) fn cells(&self) -> impl Iterator<Item = (Cell, &Value<'a>)> {
        self.cells.iter().map(|(cell, value)| (*cell, value))
    }

    /// The cells of a row.
    pub(super) fn row(&self, row: u32) -> impl Iterator<Item = (Cell, &Value<'a>)> {
        let range = Cell { row, column: 0 }..=Cell { row, column: u32::MAX };
        self.cells.range(range).map(|(cell, value)| (*cell, value))
    }

    /// The rows with something in them.
    pub(super) fn rows(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.cells.keys().map(|cell| cell.row).collect();
        rows.dedup();
        rows
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

impl Number {
    /// As it is shown.
    pub(super) fn as_text(&self) -> String {
        match self.shown {
            Shown::Padded(width) => format!("{:0>width$}", self.held),
            _ => self.held.clone(),
        }
    }
}

fn text(text: Cow<'_, str>) -> Option<Value<'_>> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    if trimmed.len() == text.len() && unicode_normalization::is_nfc(&text) {
        return Some(Value::Text(text));
    }
    Some(Value::Text(Cow::Owned(into_nfc(trimmed.to_owned()))))
}

fn number_of(held: String, style: Option<&Style>) -> Value<'static> {
    let format = style.and_then(|s| s.number_format.as_ref()).map_or("General", |f| f.format_code.as_str());
    let shown = shown(format, held.trim_start_matches('-'));
    // Only where it matters, since there are many numbers.
    let format = if shown == Shown::Otherwise { format.to_owned() } else { String::new() };
    Value::Number(Number { held, shown, format })
}

/// A date as people write it, with the number that stands for it.
fn said(date: &ExcelDateTime) -> String {
    let number = date.as_f64();
    // Days that a spreadsheet has: from 1900 to 9999.
    if date.is_datetime() && (0.0..2_958_466.0).contains(&number) {
        let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
        let time = if (hour, minute, second) == (0, 0, 0) {
            String::new()
        } else {
            format!(" {hour:02}:{minute:02}")
        };
        return format!("{year:04}-{month:02}-{day:02}{time} ({number})");
    }
    number.to_string()
}
