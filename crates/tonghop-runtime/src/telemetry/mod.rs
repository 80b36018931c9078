//! Logs and traces of a process, by what its environment says.
//!
//! | variable | says |
//! |---|---|
//! | `TONGHOP_LOG` | how much is logged: `info`, or `tonghop_query=debug,warn` |
//! | `TONGHOP_LOG_FORMAT` | `text`, for people (where it is not set), or `json`, one object a line |
//! | `TONGHOP_OTLP_ENDPOINT` | where spans are sent, as `http://collector:4317`; else `OTEL_EXPORTER_OTLP_ENDPOINT` |
//!
//! Logs go to stderr. Every span of ours has a place in a trace whether or not it is sent anywhere, so that a line
//! of the log names the trace it belongs to. The SDK's own variables hold as far as it knows them
//! (`OTEL_TRACES_SAMPLER`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`, `OTEL_BSP_…`).

mod export;
mod json_lines;
mod panics;

use std::future::Future;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::trace::TracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt};

use crate::process::{self, Trouble};
use export::Exporting;
use json_lines::JsonLines;

/// What every target of ours begins with.
const OURS: &str = "tonghop";
/// What is logged where nothing is said.
const USUAL: &str = "info,sqlx=warn,sea_orm_migration=warn,opentelemetry_sdk=warn,opentelemetry-otlp=warn";

static SENDS_SPANS: AtomicBool = AtomicBool::new(false);

/// Whether spans go anywhere: one that would neither be sent nor have a line of the log need not be made.
pub fn sends_spans() -> bool {
    SENDS_SPANS.load(Ordering::Relaxed)
}

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// Logs and traces that have been started.
#[derive(Debug)]
pub struct Telemetry {
    exporting: Exporting,
}

/// Starts logs and traces for the process that is called `service`; where it is `quiet` and `TONGHOP_LOG` is not
/// set, warnings only are logged. Spans are sent from within the runtime that this is called in.
///
/// # Errors
/// Where the environment says something that cannot be meant.
pub fn start(service: &'static str, quiet: bool) -> Result<Telemetry, Trouble> {
    let filter = filter(said("TONGHOP_LOG"), quiet)?;
    let format = format(said("TONGHOP_LOG_FORMAT"))?;
    let exporting = Exporting::start(service, said("TONGHOP_OTLP_ENDPOINT"))?;
    SENDS_SPANS.store(exporting.sends(), Ordering::Relaxed);

    // Spans are always seen, whatever is logged of what happens in them: a line names the trace it belongs to.
    let spans = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with(OURS));
    let filter = FilterExt::or(filter, spans.with_max_level_hint(LevelFilter::INFO));
    let traces = tracing_opentelemetry::layer()
        .with_tracer(exporting.provider().tracer(OURS))
        // What is not needed to follow a push costs time in every span.
        .with_context_activation(false)
        .with_tracked_inactivity(false)
        .with_location(false)
        .with_threads(false)
        .with_filter(Targets::new().with_target(OURS, LevelFilter::INFO));
    let started = tracing_subscriber::registry().with(lines(format).with_filter(filter)).with(traces);
    // A second start in one process (tests) keeps the first.
    if started.try_init().is_ok() && format == Format::Json {
        panics::log_them();
    }
    Ok(Telemetry { exporting })
}

impl Telemetry {
    /// Sends the spans that wait, within a bound.
    pub async fn end(self) {
        self.exporting.end().await;
    }
}

/// A process's `main`: starts logs and traces, works, sends what is left; an exit code, with the reason on stderr
/// where it is 1.
pub async fn around(
    service: &'static str,
    quiet: bool,
    work: impl Future<Output = Result<(), Trouble>>,
) -> ExitCode {
    let telemetry = match start(service, quiet) {
        Ok(telemetry) => telemetry,
        Err(trouble) => return process::exit(Err(trouble)),
    };
    let outcome = work.await;
    telemetry.end().await;
    process::exit(outcome)
}

/// What the environment says, where it says anything.
fn said(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.trim().is_empty())
}

fn filter(said: Option<String>, quiet: bool) -> Result<EnvFilter, Trouble> {
    let said = said.unwrap_or_else(|| if quiet { "warn" } else { USUAL }.to_owned());
    let wrong = |error| {
        format!(
            "TONGHOP_LOG is {said:?}, which is no filter ({error}): say info, or tonghop_query=debug,warn"
        )
    };
    Ok(EnvFilter::try_new(&said).map_err(wrong)?)
}

fn format(said: Option<String>) -> Result<Format, Trouble> {
    match said.as_deref() {
        None | Some("text") => Ok(Format::Text),
        Some("json") => Ok(Format::Json),
        Some(other) => Err(format!("TONGHOP_LOG_FORMAT is {other:?}: say text or json").into()),
    }
}

fn lines(format: Format) -> Box<dyn Layer<Registry> + Send + Sync> {
    match format {
        Format::Text => {
            let colours = std::io::stderr().is_terminal();
            fmt::layer().with_ansi(colours).with_writer(std::io::stderr).boxed()
        }
        Format::Json => JsonLines::to(std::io::stderr).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_can() {
        assert_eq!(format(None).expect("a format"), Format::Text);
        assert_eq!(format(Some("json".into())).expect("a format"), Format::Json);
        let refused = format(Some("xml".into())).expect_err("a refusal").to_string();
        assert_eq!(refused, "TONGHOP_LOG_FORMAT is \"xml\": say text or json");
        let refused = filter(Some("tonghop=loud".into()), false).expect_err("a refusal").to_string();
        assert!(refused.starts_with("TONGHOP_LOG is \"tonghop=loud\", which is no filter"), "{refused}");
    }
}
