//! A figure a row, with the columns of CSV.

use tonghop_runtime::Text;

use super::grid::{Grid, Value};
use super::heading::first_line;
use super::{Reading, cells};
use crate::finding::{Code, finding};
use crate::sheet_place::{Cell, Layout, Position};
use crate::submission::{Field, Place, RawBreakdown, RawFigure};

/// How many columns of a row have to be known for it to be the headings.
const ENOUGH: usize = 4;
/// Rows in which headings are looked for.
const HEADINGS_WITHIN: usize = 100;
/// Columns that may be left out, empty for every figure.
const OPTIONAL: [Field; 7] = [
    Field::Breakdown,
    Field::Scope,
    Field::Qualifier,
    Field::NotAvailable,
    Field::Programmes,
    Field::Withdraw,
    Field::MapDate,
];

/// Reads a sheet of this shape; false, and nothing done, where it has another.
pub(super) fn read(grid: &Grid<'_>, layout: &Layout, reading: &mut Reading<'_>) -> bool {
    let rows = grid.rows();
    let named = |row: &u32| grid.row(*row).filter(|(cell, _)| column(grid, *cell).is_some()).count();
    let Some(header) = rows.iter().take(HEADINGS_WITHIN).copied().find(|row| named(row) >= ENOUGH) else {
        return false;
    };
    let mut layout = layout.clone();
    let mut good = true;
    for (cell, _) in grid.row(header) {
        let Some(field) = column(grid, cell) else { continue };
        if layout.position(field).is_some() {
            good = false;
            reading.findings.add(|| {
                let expected = Text::of("mỗi cột một lần", "every column once");
                let hint = Text::of(
                    "chỉ giữ một cột: không biết được cột nào đúng",
                    "keep one of them: which counts cannot be known",
                );
                finding(Code::DuplicateColumn, layout.spot(cell), field.column(), expected, hint)
            });
        }
        layout.put(field, Position::Column(cell.column));
    }
    for field in Field::ALL.iter().filter(|field| !OPTIONAL.contains(field)) {
        if layout.position(*field).is_none() {
            good = false;
            reading.findings.add(|| {
                let name = field.column();
                let expected = Text::of(format!("một cột tên {name}"), format!("a column named {name}"));
                let hint = Text::of(format!("thêm cột {name}"), format!("add the column {name}"));
                let got: Vec<String> = grid
                    .row(header)
                    .filter_map(|(cell, _)| grid.text(cell))
                    .map(|t| t.into_owned())
                    .collect();
                let mut spot = layout.spot(Cell { row: header, column: 0 });
                spot.column = name.to_owned();
                finding(Code::MissingColumn, spot, got.join(", "), expected, hint)
            });
        }
    }
    if !good {
        return true;
    }
    let layout = std::sync::Arc::new(layout);
    let value = layout.position(Field::Value);
    let Some(Position::Column(column)) = value else { return true };
    for row in rows.into_iter().filter(|row| *row > header) {
        let here = Cell { row, column };
        // A row with nothing in these columns is none.
        let any = Field::ALL.iter().filter(|field| layout.position(**field).is_some());
        if any.map(|field| layout.cell_of(*field, here)).all(|cell| grid.get(cell).is_none()) {
            continue;
        }
        let figure = figure(grid, &layout, here, reading);
        if !reading.take(figure) {
            break;
        }
    }
    true
}

/// The field that a heading names.
fn column(grid: &Grid<'_>, cell: Cell) -> Option<Field> {
    let Some(Value::Text(text)) = grid.get(cell) else { return None };
    let name = first_line(text);
    Field::ALL.iter().copied().find(|field| field.column().eq_ignore_ascii_case(name))
}

fn figure(
    grid: &Grid<'_>,
    layout: &std::sync::Arc<Layout>,
    here: Cell,
    reading: &mut Reading<'_>,
) -> RawFigure {
    let mut figure = RawFigure::at(Place::Cell(std::sync::Arc::clone(layout), here));
    for field in Field::ALL.iter().copied() {
        if layout.position(field).is_none() {
            continue;
        }
        let cell = layout.cell_of(field, here);
        if field == Field::Value {
            match cells::value(grid, layout, cell, reading.locale, &mut reading.findings) {
                Ok(Some(said)) => (figure.value, figure.numbers) = (Some(said.text), said.numbers),
                Ok(None) => {}
                Err(()) => figure.unreadable.insert(field),
            }
            continue;
        }
        // Truth is a text here: withdraw.
        let read = match (field, grid.get(cell)) {
            (Field::Withdraw, Some(Value::Boolean(value))) => Ok(Some(value.to_string())),
            (Field::Unit, _) => cells::unit_code(grid, layout, cell, &mut reading.findings),
            (Field::Period | Field::MapDate, _) => cells::text(grid, layout, cell, &mut reading.findings),
            _ => cells::text(grid, layout, cell, &mut reading.findings),
        };
        match read {
            Ok(Some(text)) => put(&mut figure, field, text, reading),
            Ok(None) => {}
            Err(()) => figure.unreadable.insert(field),
        }
    }
    figure
}

/// Puts what a cell says into its part of a figure.
pub(super) fn put(figure: &mut RawFigure, field: Field, text: String, reading: &mut Reading<'_>) {
    match field {
        Field::Unit => figure.unit = text,
        Field::Indicator => figure.indicator = text,
        Field::Breakdown => figure.breakdown = RawBreakdown::Text(text),
        Field::Period => figure.period = super::heading::period(&text).unwrap_or(text),
        Field::Scope => figure.scope = text,
        Field::Value => figure.value = Some(text),
        Field::Qualifier => figure.qualifier = Some(text),
        Field::NotAvailable => figure.not_available = Some(text),
        Field::Programmes => figure.programmes = text.split('|').map(|code| code.trim().to_owned()).collect(),
        Field::MapDate => figure.map_date = Some(text),
        Field::Withdraw => match text.to_ascii_lowercase().as_str() {
            "true" => figure.withdraw = true,
            "false" => {}
            _ => {
                figure.unreadable.insert(field);
                reading.findings.add(|| {
                    let expected = Text::of("true, false hoặc để trống", "true, false or nothing");
                    let hint = Text::of(
                        "ghi true để rút số liệu; nếu không thì để trống",
                        "write true to withdraw the figure; leave the cell empty otherwise",
                    );
                    finding(Code::NotTrueOrFalse, figure.place.at(field), &text, expected, hint)
                });
            }
        },
    }
}
