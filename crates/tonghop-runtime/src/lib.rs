//! What every process does around its own work: failures, configuration, telemetry, serving, shutdown.
//! It knows nothing of figures.

mod failure;

pub use failure::{Failure, FailureKind, Finding};
