//! A file as it grows.

use std::io::Write;
use std::marker::PhantomData;

use arrow_ipc::writer::FileWriter;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;

use crate::about::About;
use crate::column::Row;
use crate::error::ExportError;
use crate::format::Format;
use crate::xlsx::Xlsx;
use crate::{columnar, text};

/// Rows of one file at most. A sheet has 1,048,576 at most, the headings among them.
pub const MOST_ROWS: u64 = 1_000_000;

/// A file of rows as it grows.
pub struct Export<R> {
    about: About,
    writer: Writer,
    rows: u64,
    of: PhantomData<fn(&R)>,
}

enum Writer {
    Csv(Vec<u8>),
    Json(Vec<u8>),
    Ndjson(Vec<u8>),
    Xlsx(Box<Xlsx>),
    Parquet(SchemaRef, Box<ArrowWriter<Vec<u8>>>),
    Arrow(SchemaRef, Box<FileWriter<Vec<u8>>>),
}

impl<R> std::fmt::Debug for Export<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<R: Row> Export<R> {
    /// A file of a format, with no rows yet.
    ///
    /// # Errors
    /// Where the format's library cannot begin: for XLSX, where there is no room for temporary files.
    pub fn begin(format: Format, about: About) -> Result<Export<R>, ExportError> {
        let mut ready = Vec::new();
        let writer = match format {
            Format::Csv => {
                text::csv_head::<R>(&about, &mut ready)?;
                Writer::Csv(ready)
            }
            Format::Json => {
                text::json_head::<R>(&about, &mut ready)?;
                Writer::Json(ready)
            }
            Format::Ndjson => Writer::Ndjson(ready),
            Format::Xlsx => Writer::Xlsx(Box::new(Xlsx::begin::<R>(&about)?)),
            Format::Parquet => {
                let schema = columnar::schema::<R>(&about);
                let writer = columnar::parquet_writer(&schema)?;
                Writer::Parquet(schema, Box::new(writer))
            }
            Format::Arrow => {
                let schema = columnar::schema::<R>(&about);
                let writer = columnar::arrow_writer(&schema, &about)?;
                Writer::Arrow(schema, Box::new(writer))
            }
        };
        Ok(Export { about, writer, rows: 0, of: PhantomData })
    }

    /// Adds rows: a few thousand at once are best.
    ///
    /// # Errors
    /// [`ExportError::TooManyRows`] past [`MOST_ROWS`]; a cell that its column cannot hold.
    pub fn rows(&mut self, rows: &[R]) -> Result<(), ExportError> {
        let is_first = self.rows == 0;
        self.rows += rows.len() as u64;
        if self.rows > MOST_ROWS {
            return Err(ExportError::TooManyRows(MOST_ROWS));
        }
        let about = &self.about;
        match &mut self.writer {
            _ if rows.is_empty() => Ok(()),
            Writer::Csv(ready) => text::csv_rows(about, rows, ready),
            Writer::Json(ready) => text::json_rows(is_first, rows, ready),
            Writer::Ndjson(ready) => text::ndjson_rows(about, rows, ready),
            Writer::Xlsx(xlsx) => xlsx.rows(about, rows),
            Writer::Parquet(schema, writer) => {
                writer.write(&columnar::batch(schema, about, rows)?).map_err(ExportError::format)
            }
            Writer::Arrow(schema, writer) => {
                writer.write(&columnar::batch(schema, about, rows)?).map_err(ExportError::format)
            }
        }
    }

    /// The bytes that are ready, which it holds no longer.
    pub fn take(&mut self) -> Vec<u8> {
        match &mut self.writer {
            Writer::Csv(ready) | Writer::Json(ready) | Writer::Ndjson(ready) => std::mem::take(ready),
            Writer::Xlsx(_) => vec![],
            Writer::Parquet(_, writer) => std::mem::take(writer.inner_mut()),
            Writer::Arrow(_, writer) => std::mem::take(writer.get_mut()),
        }
    }

    /// Bytes that it holds at this moment, ready ones and those of a row group that is not full, as far as is known.
    pub fn held(&self) -> usize {
        match &self.writer {
            Writer::Csv(ready) | Writer::Json(ready) | Writer::Ndjson(ready) => ready.len(),
            Writer::Xlsx(_) => 0,
            Writer::Parquet(_, writer) => writer.memory_size() + writer.inner().len(),
            Writer::Arrow(_, writer) => writer.get_ref().len(),
        }
    }

    /// Writes the rest of the file.
    ///
    /// # Errors
    /// [`ExportError::Io`] where `out` takes no more.
    pub fn finish(mut self, mut out: impl Write + Send) -> Result<(), ExportError> {
        let rest = match self.writer {
            Writer::Json(_) => {
                let mut rest = self.take();
                text::json_end(&mut rest);
                rest
            }
            Writer::Csv(ready) | Writer::Ndjson(ready) => ready,
            Writer::Xlsx(xlsx) => {
                xlsx.finish::<R>(&self.about, &mut out)?;
                return Ok(out.flush()?);
            }
            Writer::Parquet(_, writer) => writer.into_inner().map_err(ExportError::format)?,
            Writer::Arrow(_, writer) => writer.into_inner().map_err(ExportError::format)?,
        };
        out.write_all(&rest)?;
        Ok(out.flush()?)
    }
}
