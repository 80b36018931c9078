//! One event, one line, one JSON object: for what collects logs.
//!
//! ```json
//! {"time":"2026-11-25T08:00:00.000000Z","level":"WARN","target":"tonghop_query","message":"…",
//!  "trace_id":"4bf9…","fields":{"status":"…"},"spans":[{"name":"request","operation":"GET /v1/totals"}]}
//! ```
//!
//! `trace_id` is that of the innermost span that knows its trace. `fields` and `spans` are left out where empty;
//! spans come outermost first. A value that would not be a number, text or truth is written as text.

use std::fmt;
use std::io::Write;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// The field of a span that says which trace it is in.
const TRACE_ID: &str = "trace_id";
/// Fields for the tracer only begin so.
const FOR_THE_TRACER: &str = "otel.";

/// Writes events as JSON lines.
pub(super) struct JsonLines<W> {
    out: W,
}

impl<W> JsonLines<W> {
    pub(super) fn to(out: W) -> JsonLines<W> {
        JsonLines { out }
    }
}

/// The fields of a span or an event.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        if !field.name().starts_with(FOR_THE_TRACER) {
            self.0.insert(field.name().to_owned(), value.into());
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            text.push_str(&format!(": {error}"));
            source = error.source();
        }
        self.put(field, text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut trace_id = None;
        let mut spans = Vec::new();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            let mut shown = Map::from_iter([("name".to_owned(), span.name().into())]);
            if let Some(Fields(fields)) = span.extensions().get() {
                trace_id = fields.get(TRACE_ID).cloned().or(trace_id);
                shown.extend(
                    fields.iter().filter(|(name, _)| *name != TRACE_ID).map(|(n, v)| (n.clone(), v.clone())),
                );
            }
            spans.push(Value::Object(shown));
        }
        let mut time = String::new();
        // Writing to a text does not fail.
        let _ = SystemTime.format_time(&mut Writer::new(&mut time));
        let mut line = Map::new();
        line.insert("time".into(), time.into());
        line.insert("level".into(), event.metadata().level().as_str().into());
        line.insert("target".into(), event.metadata().target().into());
        line.insert("message".into(), fields.0.remove("message").unwrap_or_else(|| "".into()));
        if let Some(trace_id) = trace_id {
            line.insert(TRACE_ID.into(), trace_id);
        }
        if !fields.0.is_empty() {
            line.insert("fields".into(), fields.0.into());
        }
        if !spans.is_empty() {
            line.insert("spans".into(), spans.into());
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // Where the log cannot be written, there is nobody left to tell.
        let _ = self.out.make_writer_for(event.metadata()).write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(work: impl FnOnce()) -> Vec<Value> {
        let written = Written::default();
        let out = written.clone();
        let subscriber = tracing_subscriber::registry().with(JsonLines::to(move || out.clone()));
        tracing::subscriber::with_default(subscriber, work);
        let bytes = written.0.lock().expect("what was written").clone();
        let text = String::from_utf8(bytes).expect("text");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[test]
    fn a_line_holds_its_fields_its_spans_and_the_trace_it_is_in() {
        let lines = logged(|| {
            let request = tracing::info_span!(
                "request",
                operation = "GET /v1/totals",
                otel.kind = "server",
                trace_id = tracing::field::Empty
            );
            request.record("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736");
            request.in_scope(|| {
                tracing::info_span!("inner", n = 2).in_scope(|| {
                    tracing::warn!(count = 3_u64, done = false, "two\nlines and a \"quote\"");
                });
            });
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["target"], module_path!());
        assert_eq!(line["message"], "two\nlines and a \"quote\"");
        assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(line["fields"], serde_json::json!({ "count": 3, "done": false }));
        let spans = serde_json::json!([
            { "name": "request", "operation": "GET /v1/totals" }, { "name": "inner", "n": 2 }
        ]);
        assert_eq!(line["spans"], spans);
        assert!(line["time"].as_str().expect("a time").ends_with('Z'), "{line}");
    }

    #[test]
    fn what_is_in_no_span_names_no_trace_and_an_error_says_its_causes() {
        let lines = logged(|| {
            let cause = std::io::Error::other("disk full");
            let error = crate::Failure::internal(cause);
            tracing::error!(error = &error as &dyn std::error::Error, "not written");
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        let keys: Vec<&str> = line.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["time", "level", "target", "message", "fields"]);
        assert_eq!(line["fields"]["error"], "the service could not do this; its log says why: disk full");
    }
}
