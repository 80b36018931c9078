//! What every process does around its own work: arguments, failures, telemetry, serving, readiness, its end. It
//! knows nothing of figures.

pub mod arguments;
mod failure;
mod first_bytes;
pub mod language;
pub mod memory;
pub mod metrics;
pub mod process;
mod process_use;
mod readiness;
pub mod serve;
mod stop;
pub mod telemetry;
pub mod tls;
pub mod trace;

pub use failure::{Failure, FailureKind, Finding, Got};
pub use language::{Language, Text};
pub use readiness::Readiness;
pub use stop::{Stop, Stopper};
