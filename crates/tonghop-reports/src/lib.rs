//! What became of units' reports and of periods, as the ledger's entries say, one after the other.
//!
//! | module | idea |
//! |---|---|
//! | `book` | every report with all that happened to it, and every word on closed periods |
//! | `closings` | which word on a period holds for a unit |
//!
//! An entry says where an act led, so reading it needs no registry; which act may be done is the core's
//! [`regime`](tonghop_core::regime) to say.

mod book;
mod closings;

pub use book::{Event, Malformed, Reports, Stated};
pub use closings::{Closing, Words};
