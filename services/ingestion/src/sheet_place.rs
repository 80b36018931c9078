//! Where figures stand in a spreadsheet.
//!
//! A figure of a form has its value in one cell, its indicator in another of the same row, its unit at the head of the
//! column, and its period above the table. A [`Layout`] says which of these holds for a sheet, so that a finding names
//! the very cell.

use std::fmt;

use crate::finding::Spot;
use crate::submission::Field;

/// A cell by row and column, both counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// The row.
    pub row: u32,
    /// The column.
    pub column: u32,
}

/// As people name it: `B7`.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", letters(self.column), u64::from(self.row) + 1)
    }
}

/// A column's letters: A, B, …, Z, AA.
pub fn letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(column) + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or_default();
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// Where a part of a figure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// In a column, on the figure's row.
    Column(u32),
    /// In a row, at the head of the figure's column.
    Row(u32),
    /// In one cell for the whole sheet.
    Cell(Cell),
}

/// A sheet, and where the parts of its figures stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The sheet's name.
    pub sheet: String,
    positions: [Option<Position>; Field::ALL.len()],
}

impl Layout {
    /// Of a sheet with nothing on it.
    pub fn of(sheet: impl Into<String>) -> Layout {
        Layout { sheet: sheet.into(), ..Layout::default() }
    }

    /// Says where a part stands.
    pub fn put(&mut self, field: Field, position: Position) {
        self.positions[field as usize] = Some(position);
    }

    /// Where a part stands, if it stands anywhere.
    pub fn position(&self, field: Field) -> Option<Position> {
        self.positions[field as usize]
    }

    /// The cell of a part of the figure that stands in a cell; that cell where the part stands nowhere.
    pub fn cell_of(&self, field: Field, figure: Cell) -> Cell {
        match self.position(field) {
            Some(Position::Column(column)) => Cell { column, ..figure },
            Some(Position::Row(row)) => Cell { row, ..figure },
            Some(Position::Cell(cell)) => cell,
            None => figure,
        }
    }

    /// A cell of the sheet, as a formula would name it: `Sheet1!B7`, `'Biểu 1'!B7`.
    pub fn address(&self, cell: Cell) -> String {
        let plain = self.sheet.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain {
            format!("{}!{cell}", self.sheet)
        } else {
            format!("'{}'!{cell}", self.sheet.replace('\'', "''"))
        }
    }

    /// Where a cell is, for a finding.
    pub fn spot(&self, cell: Cell) -> Spot {
        let line = Some(cell.row.saturating_add(1));
        Spot { line, column: letters(cell.column), ..Spot::path(self.address(cell)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_letters() {
        let named = [(0, "A"), (1, "B"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")];
        for (column, name) in named {
            assert_eq!(letters(column), name);
        }
    }

    #[test]
    fn a_part_stands_in_the_figures_row_or_column_or_somewhere_for_all() {
        let mut layout = Layout::of("Biểu 1's");
        layout.put(Field::Indicator, Position::Column(0));
        layout.put(Field::Unit, Position::Row(3));
        layout.put(Field::Period, Position::Cell(Cell { row: 1, column: 1 }));
        let figure = Cell { row: 6, column: 4 };
        let path = |field| layout.spot(layout.cell_of(field, figure)).path;
        assert_eq!(path(Field::Indicator), "'Biểu 1''s'!A7");
        assert_eq!(path(Field::Unit), "'Biểu 1''s'!E4");
        assert_eq!(path(Field::Period), "'Biểu 1''s'!B2");
        assert_eq!(path(Field::Value), "'Biểu 1''s'!E7");
        let spot = layout.spot(figure);
        assert_eq!((spot.line, spot.column.as_str()), (Some(7), "E"));
    }
}
