//! CSV and JSON.

use std::io::Write;

use serde_json::{Map, Value, json};

use crate::about::About;
use crate::column::{Cell, Kind, Row};
use crate::error::ExportError;

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text that a spreadsheet shows and does not run: an apostrophe goes before what would begin a formula.
fn inert(text: &str) -> std::borrow::Cow<'_, str> {
    if text.starts_with(FORMULA) { format!("'{text}").into() } else { text.into() }
}

/// The beginning of a CSV file.
pub(crate) fn csv_head<R: Row>(about: &About, out: &mut Vec<u8>) -> Result<(), ExportError> {
    if about.bom {
        out.extend_from_slice("\u{feff}".as_bytes());
    }
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(R::COLUMNS.iter().map(|c| c.name)).map_err(ExportError::format)?;
    Ok(writer.flush()?)
}

/// Rows as CSV.
pub(crate) fn csv_rows<R: Row>(about: &About, rows: &[R], out: &mut Vec<u8>) -> Result<(), ExportError> {
    let mut writer = csv::Writer::from_writer(out);
    for row in rows {
        for (column, cell) in R::COLUMNS.iter().zip(row.cells(about)) {
            let written = cell.written();
            // A number may begin with a minus; of a text somebody else wrote the beginning.
            let is_text = column.kind == Kind::Text && cell != Cell::Nothing;
            let written = if is_text { inert(&written) } else { written.as_ref().into() };
            writer.write_field(written.as_bytes()).map_err(ExportError::format)?;
        }
        writer.write_record(None::<&[u8]>).map_err(ExportError::format)?;
    }
    Ok(writer.flush()?)
}

/// The beginning of a JSON document, up to its first row.
pub(crate) fn json_head<R: Row>(about: &About, out: &mut Vec<u8>) -> Result<(), ExportError> {
    let asked: Map<String, Value> = about.asked.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
    let time = (!about.time.is_empty()).then_some(&about.time);
    let mut head = json!({
        "as_of": { "position": about.position, "time": time },
        "asked": asked,
        "rows": about.rows,
        "synthetic": about.synthetic,
    });
    if about.synthetic {
        head["note"] = json!(crate::legend::synthetic(about.language));
    }
    let head = head.to_string();
    write!(out, "{},\"{}\":[", head.trim_end_matches('}'), R::NAME)?;
    Ok(())
}

/// Rows of a JSON document.
pub(crate) fn json_rows<R: Row>(is_first: bool, rows: &[R], out: &mut Vec<u8>) -> Result<(), ExportError> {
    for (i, row) in rows.iter().enumerate() {
        out.extend_from_slice(if is_first && i == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut *out, &row.json()).map_err(ExportError::format)?;
    }
    Ok(())
}

/// The end of a JSON document.
pub(crate) fn json_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n]}\n");
}

/// Rows as a JSON object a line, each of which says as of which position it is.
pub(crate) fn ndjson_rows<R: Row>(about: &About, rows: &[R], out: &mut Vec<u8>) -> Result<(), ExportError> {
    for row in rows {
        let mut row = row.json();
        row["as_of"] = json!(about.position);
        serde_json::to_writer(&mut *out, &row).map_err(ExportError::format)?;
        out.push(b'\n');
    }
    Ok(())
}
