//! What every process does around its own work: failures, telemetry, serving. It knows nothing of figures.

mod failure;
pub mod metrics;
pub mod process;
mod process_use;
pub mod serve;
pub mod telemetry;
pub mod trace;

pub use failure::{Failure, FailureKind, Finding};
