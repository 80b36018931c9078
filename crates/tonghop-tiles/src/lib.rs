//! What the database keeps of figures and totals, as bytes.
//!
//! A **tile** holds the figures of one series and period in one province (or of the nation itself), each with
//! all its revisions: see [`TileBody`]. A **summary** holds, for one series and period, the rolled-up cells of
//! every province and of the nation: see [`SummaryBody`]. Both formats begin with a version byte; a version
//! that is not known is refused, never guessed at.

mod bytes;
mod cells;
mod columns;
mod headings;
mod numbered;
mod summary;
mod tile;
mod tile_bytes;
mod words;

pub use bytes::BodyError;
pub use headings::Heading;
pub use summary::{SummaryBody, WrittenSummary};
pub use tile::{Entry, Put, Revision, Said, TileBody};
