//! A batch as it is seen from outside: a span of its own, a span in the trace of each push, and measures.

use std::time::Instant;

use tonghop_runtime::trace;
use tonghop_store::Entry;
use tracing::Span;
use tracing::field::Empty;

use crate::metrics::Measures;

/// A batch under way. Each entry whose push is known has a span under that of its push, so that the trace of a push
/// goes on up to its totals; the batch, which belongs to many, is linked to.
pub(crate) struct Watched {
    batch: Span,
    pushes: Vec<Span>,
    entries: usize,
    begun: Instant,
}

impl Watched {
    /// A batch begins.
    pub(crate) fn begin(entries: &[Entry]) -> Watched {
        let position = |entry: Option<&Entry>| entry.map_or(0, |e| e.receipt.position);
        let batch = tracing::info_span!(
            parent: None,
            "batch",
            entries = entries.len(),
            first_position = position(entries.first()),
            last_position = position(entries.last()),
            otel.status_code = Empty,
            trace_id = Empty,
        );
        // Of no push, so a trace of its own.
        trace::continue_from(&batch, "");
        let of_known = entries.iter().filter(|entry| !entry.trace_parent.is_empty());
        let pushes = of_known.map(|entry| {
            let span = tracing::info_span!(
                parent: None,
                "roll_up",
                position = entry.receipt.position,
                figures = entry.receipt.figures,
                otel.status_code = Empty,
                trace_id = Empty,
            );
            trace::link(&span, &batch);
            trace::continue_from(&span, &entry.trace_parent);
            span
        });
        Watched { pushes: pushes.collect(), batch, entries: entries.len(), begun: Instant::now() }
    }

    /// What the batch is worked on in.
    pub(crate) fn span(&self) -> Span {
        self.batch.clone()
    }

    /// It is in the totals; or it is not, and will be tried again.
    pub(crate) fn end(self, committed: bool, measures: &Measures) {
        if committed {
            measures.batch_entries.observe(self.entries as f64);
            measures.batch_seconds.observe(self.begun.elapsed().as_secs_f64());
        } else {
            for span in self.pushes.iter().chain([&self.batch]) {
                span.record("otel.status_code", "ERROR");
            }
        }
    }
}
