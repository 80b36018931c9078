//! Totals and figures as files, for the tools that people and their programs have.
//!
//! An [`Export`] is given rows a batch at a time and gives back the bytes that are ready, so that what it holds does
//! not grow with the rows: a batch, a row group of Parquet, and of XLSX nothing (its rows wait in a temporary file).
//!
//! Values stay exact. Text formats carry them as they were written; Parquet and Arrow as decimals with the scale that
//! [`About`] names. XLSX knows binary doubles only: a value of at most 15 significant digits goes into one and comes
//! out as it was, a longer one is written as text.
//!
//! | module | idea |
//! |---|---|
//! | `format` | which formats there are, and how they are called |
//! | `about` | what a file says of itself |
//! | `column`, `totals`, `figures` | what the columns of a table are, and a row in them |
//! | `legend` | what the codes in a table mean, in both languages |
//! | `text` | CSV and JSON |
//! | `columnar` | Parquet and Arrow |
//! | `xlsx` | XLSX with its sheet of notes |
//! | `file` | a file as it grows |
//!
//! To add a column: name it in `totals` or `figures` with its headings, and give its cell at the same place. Every
//! format follows from that.

mod about;
mod column;
mod columnar;
mod error;
mod figures;
mod file;
mod format;
mod legend;
mod text;
mod totals;
mod xlsx;

pub use about::{About, Language, Scales};
pub use column::{Cell, Column, Kind, Row};
pub use error::ExportError;
pub use file::{Export, MOST_ROWS};
pub use format::Format;
