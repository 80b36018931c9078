//! Parquet and Arrow: columns in memory, a batch at a time.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::about::{About, Scales};
use crate::column::{Cell, Column, Kind, Row};
use crate::error::ExportError;

/// Digits of a decimal, all told.
const PRECISION: u8 = 38;
/// Digits after the point of a percentage.
const PERCENT: u8 = 2;
/// Rows of a row group: what a reader skips or reads at once, and what is held while it is written.
const ROW_GROUP: usize = 65_536;
/// Bytes of a row group, where its rows are long.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// The schema of a table, with what the file says of itself.
pub(crate) fn schema<R: Row>(about: &About) -> SchemaRef {
    let fields: Vec<Field> = R::COLUMNS.iter().map(|column| field(column, about)).collect();
    let metadata: HashMap<String, String> = about.metadata().into_iter().collect();
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

fn field(column: &Column, about: &About) -> Field {
    let data_type = match column.kind {
        Kind::Text => DataType::Utf8,
        Kind::Decimal => decimal(about.scales.value),
        Kind::Side => decimal(about.scales.side),
        Kind::Percent => decimal(PERCENT),
        Kind::Count => DataType::Int64,
        Kind::Flag => DataType::Boolean,
        Kind::Day => DataType::Date32,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    };
    let heading = HashMap::from([("heading".to_owned(), column.heading(about.language).to_owned())]);
    Field::new(column.name, data_type, true).with_metadata(heading)
}

fn decimal(scale: u8) -> DataType {
    DataType::Decimal128(PRECISION, scale.cast_signed())
}

/// A column of a batch as it grows.
enum Growing {
    Text(StringBuilder),
    Decimal(Decimal128Builder, u8),
    Count(Int64Builder),
    Flag(BooleanBuilder),
    Day(Date32Builder),
    Time(TimestampMicrosecondBuilder),
}

impl Growing {
    fn new(kind: Kind, scales: Scales) -> Growing {
        let decimal =
            |scale: u8| Growing::Decimal(Decimal128Builder::new().with_data_type(decimal(scale)), scale);
        match kind {
            Kind::Text => Growing::Text(StringBuilder::new()),
            Kind::Decimal => decimal(scales.value),
            Kind::Side => decimal(scales.side),
            Kind::Percent => decimal(PERCENT),
            Kind::Count => Growing::Count(Int64Builder::new()),
            Kind::Flag => Growing::Flag(BooleanBuilder::new()),
            Kind::Day => Growing::Day(Date32Builder::new()),
            Kind::Time => Growing::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
        }
    }

    fn push(&mut self, name: &'static str, cell: &Cell<'_>) -> Result<(), ExportError> {
        let not_a_time = |value: &str| ExportError::NotATime { column: name, value: value.to_owned() };
        match (self, cell) {
            (Growing::Text(column), Cell::Text(text)) => column.append_value(text),
            (Growing::Text(column), _) => column.append_null(),
            (Growing::Decimal(column, scale), Cell::Text(text)) => {
                let value = units(text, *scale).ok_or_else(|| ExportError::DoesNotFit {
                    column: name,
                    value: text.to_string(),
                    scale: *scale,
                })?;
                column.append_value(value);
            }
            (Growing::Decimal(column, _), _) => column.append_null(),
            (Growing::Count(column), Cell::Count(count)) => column.append_value(*count),
            (Growing::Count(column), _) => column.append_null(),
            (Growing::Flag(column), Cell::Flag(flag)) => column.append_value(*flag),
            (Growing::Flag(column), _) => column.append_null(),
            (Growing::Day(column), Cell::Text(text)) => {
                let day: Date = text.parse().map_err(|_| not_a_time(text))?;
                column.append_value(day.duration_since(date(1970, 1, 1)).as_hours().div_euclid(24) as i32);
            }
            (Growing::Day(column), _) => column.append_null(),
            (Growing::Time(column), Cell::Text(text)) => {
                let time: Timestamp = text.parse().map_err(|_| not_a_time(text))?;
                column.append_value(time.as_microsecond());
            }
            (Growing::Time(column), _) => column.append_null(),
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Growing::Text(mut column) => Arc::new(column.finish()),
            Growing::Decimal(mut column, _) => Arc::new(column.finish()),
            Growing::Count(mut column) => ArrayBuilder::finish(&mut column),
            Growing::Flag(mut column) => ArrayBuilder::finish(&mut column),
            Growing::Day(mut column) => ArrayBuilder::finish(&mut column),
            Growing::Time(mut column) => ArrayBuilder::finish(&mut column),
        }
    }
}

/// A plain decimal in units of a scale, where it has no more digits after the point and 38 in all.
fn units(text: &str, scale: u8) -> Option<i128> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let padding = usize::from(scale).checked_sub(fraction.len())?;
    if whole.is_empty() {
        return None;
    }
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', padding)) {
        let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    (value < 10i128.pow(PRECISION.into())).then_some(if is_negative { -value } else { value })
}

/// Rows as a batch.
pub(crate) fn batch<R: Row>(
    schema: &SchemaRef,
    about: &About,
    rows: &[R],
) -> Result<RecordBatch, ExportError> {
    let mut columns: Vec<Growing> =
        R::COLUMNS.iter().map(|column| Growing::new(column.kind, about.scales)).collect();
    for row in rows {
        for ((column, growing), cell) in R::COLUMNS.iter().zip(&mut columns).zip(row.cells(about)) {
            growing.push(column.name, &cell)?;
        }
    }
    let columns = columns.into_iter().map(Growing::finish).collect();
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(ExportError::format)
}

/// A Parquet file as it grows, over the bytes that are ready.
pub(crate) fn parquet_writer(schema: &SchemaRef) -> Result<ArrowWriter<Vec<u8>>, ExportError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_created_by("tonghop".to_owned())
        .build();
    ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties)).map_err(ExportError::format)
}

/// An Arrow IPC file as it grows, over the bytes that are ready.
pub(crate) fn arrow_writer(schema: &SchemaRef, about: &About) -> Result<FileWriter<Vec<u8>>, ExportError> {
    let mut writer = FileWriter::try_new(Vec::new(), schema).map_err(ExportError::format)?;
    for (name, value) in about.metadata() {
        writer.write_metadata(name, value);
    }
    Ok(writer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_keeps_every_digit_or_is_refused() {
        assert_eq!(units("37853", 0), Some(37853));
        assert_eq!(units("-17", 2), Some(-1700));
        assert_eq!(units("98.5", 2), Some(9850));
        assert_eq!(units("12345678901234567.89", 2), Some(1_234_567_890_123_456_789));
        assert_eq!(units("98.505", 2), None, "more decimals than the column has");
        assert_eq!(units("1e3", 2), None);
        assert_eq!(units(".5", 2), None);
        assert_eq!(units(&"9".repeat(38), 0), Some(10i128.pow(38) - 1));
        assert_eq!(units(&"9".repeat(38), 1), None);
        assert_eq!(units(&"9".repeat(60), 0), None);
    }
}
