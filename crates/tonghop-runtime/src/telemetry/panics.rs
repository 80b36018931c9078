//! A panic as a line of the log, where the log is read by programs.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;

/// Logs every panic from now on, in place of what is printed for people. `RUST_BACKTRACE` adds where it came from.
pub(super) fn log_them() {
    panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no words");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or_default();
        let trace = Backtrace::capture();
        match trace.status() {
            BacktraceStatus::Captured => {
                tracing::error!(place, thread, backtrace = %trace, "panicked: {message}");
            }
            _ => tracing::error!(place, thread, "panicked: {message}"),
        }
    }));
}
