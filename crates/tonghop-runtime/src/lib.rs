//! What every process does around its own work: failures, telemetry, serving. It knows nothing of figures.

mod failure;
pub mod process;
pub mod serve;
pub mod telemetry;

pub use failure::{Failure, FailureKind, Finding};
