//! Submissions in CSV.
//!
//! A header names the columns, in any order; columns that are not known are passed over. Cells are separated by
//! commas, semicolons or tabs, as the header is. The system that reports, its note and the locale of its numbers stand
//! outside the document.

mod encoding;
pub(crate) mod table;

use tonghop_runtime::{Failure, FailureKind, Text};

use crate::finding::{Code, Findings, finding};
use crate::json::{check_size, not_utf8, too_many};
use crate::submission::{Beside, Field, Limits, Numbers, Place, RawBreakdown, RawFigure, RawSubmission, nfc};
use table::{Row, Table};

/// Columns that a document may leave out.
const OPTIONAL: [Field; 5] =
    [Field::Qualifier, Field::NotAvailable, Field::Programmes, Field::Withdraw, Field::MapDate];

/// Reads a submission.
///
/// What is wrong with single lines is kept in [`RawSubmission::reading`], for the check to answer together
/// with what it finds.
///
/// # Errors
/// `NotUnderstood` where the header or the quotation marks make no sense of the lines, or where they are not
/// UTF-8; `TooLarge` where there are more bytes or figures than are taken.
pub fn parse(bytes: &[u8], beside: &Beside<'_>, limits: &Limits) -> Result<RawSubmission, Failure> {
    check_size(bytes, limits)?;
    encoding::check(bytes)?;
    let mut findings = Findings::default();
    let not_understood = |findings: Findings, detail: Text| {
        Failure::new(FailureKind::NotUnderstood, detail).with_findings(findings.into_vec())
    };
    let required: Vec<&str> =
        Field::ALL.iter().filter(|f| !OPTIONAL.contains(f)).map(|f| f.column()).collect();
    let optional = OPTIONAL.map(Field::column);
    let delimiter = table::delimiter(bytes, &required);
    let Some(table) = Table::open("", bytes, delimiter, &required, &optional, &mut findings) else {
        let detail =
            Text::of("tài liệu không phải là bảng số liệu CSV", "the document is not a CSV table of figures");
        return Err(not_understood(findings, detail));
    };
    let mut columns = [None; Field::ALL.len()];
    for field in Field::ALL {
        columns[*field as usize] = table.position(field.column());
    }
    let mut figures = Vec::new();
    let mut over = false;
    let most = limits.max_figures;
    table.each_row(&mut findings, |row, findings| {
        over = figures.len() == most;
        if !over {
            let mut figure = figure(&row, &columns, findings);
            figure.numbers = Numbers::Written(beside.locale);
            figures.push(figure);
        }
        !over
    });
    if findings.listed().iter().any(|f| f.code == Code::NotUtf8.as_str()) {
        return Err(not_understood(findings, not_utf8()));
    }
    if over {
        return Err(too_many(limits));
    }
    Ok(RawSubmission {
        source: nfc(beside.source),
        note: nfc(beside.note),
        figures,
        reading: findings,
        by_name: true,
        ..RawSubmission::default()
    })
}

fn figure(row: &Row<'_>, columns: &[Option<usize>], findings: &mut Findings) -> RawFigure {
    let cell = |field: Field| row.at(columns[field as usize]).to_owned();
    let given = |field: Field| Some(cell(field)).filter(|text| !text.is_empty());
    let mut figure = RawFigure {
        unit: cell(Field::Unit),
        indicator: cell(Field::Indicator),
        breakdown: RawBreakdown::Text(cell(Field::Breakdown)),
        period: cell(Field::Period),
        scope: cell(Field::Scope),
        value: given(Field::Value),
        qualifier: given(Field::Qualifier),
        not_available: given(Field::NotAvailable),
        programmes: given(Field::Programmes)
            .map(|list| list.split('|').map(str::to_owned).collect())
            .unwrap_or_default(),
        map_date: given(Field::MapDate),
        ..RawFigure::at(Place::Line(row.line))
    };
    match cell(Field::Withdraw).as_str() {
        "true" => figure.withdraw = true,
        "false" | "" => {}
        other => {
            figure.unreadable.insert(Field::Withdraw);
            findings.add(|| {
                let expected = Text::of("true, false hoặc để trống", "true, false or nothing");
                let hint = Text::of(
                    "ghi true để rút số liệu; nếu không thì để trống ô",
                    "write true to withdraw the figure; leave the cell empty otherwise",
                );
                finding(Code::NotTrueOrFalse, figure.place.at(Field::Withdraw), other, expected, hint)
            });
        }
    }
    figure
}
