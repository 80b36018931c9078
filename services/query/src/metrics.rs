//! What query counts.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tonghop_runtime::metrics::Metrics;

use crate::Query;

/// Query's counters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measures {
    /// Questions that were given a view of the totals.
    pub(crate) views: Counter,
    /// Answers that were given out of what is kept.
    pub(crate) kept: Counter,
    /// How many are kept.
    held: Gauge,
    /// And their bytes.
    held_bytes: Gauge,
    /// Statements that they were read with.
    pub(crate) statements: Counter,
    /// Questions that had to wait for a position.
    pub(crate) waits: Counter,
    /// Those of them that waited in vain.
    pub(crate) timeouts: Counter,
    /// Whether aggregation says what changes.
    pub(crate) connected: Gauge,
    /// Up to where it has said that.
    pub(crate) position: Gauge,
}

impl Query {
    /// Shows what this service counts.
    pub fn register(self: &Arc<Self>, metrics: &Metrics) {
        let query = Arc::downgrade(self);
        metrics.before_each_scrape(move || {
            if let Some(query) = query.upgrade() {
                let (answers, bytes) = query.kept.size();
                query.measures.held.set(answers as i64);
                query.measures.held_bytes.set(bytes as i64);
            }
            std::future::ready(())
        });
        let counted = &self.measures;
        metrics.register(|registry| {
            registry.register(
                "query_views",
                "Answers, or pages of answers, that were given a view of the totals",
                counted.views.clone(),
            );
            registry.register(
                "query_kept",
                "Answers that were given out of what is kept, without a view",
                counted.kept.clone(),
            );
            registry.register("query_kept_answers", "Answers that are kept", counted.held.clone());
            registry.register(
                "query_kept_bytes",
                "Bytes of the answers that are kept",
                counted.held_bytes.clone(),
            );
            registry.register(
                "query_statements",
                "Statements sent to the totals' database for them, the beginnings and ends of transactions aside",
                counted.statements.clone(),
            );
            registry.register(
                "query_waits",
                "Questions that had to wait until their at_least was rolled up",
                counted.waits.clone(),
            );
            registry.register(
                "query_wait_timeouts",
                "Questions whose at_least was not rolled up in time",
                counted.timeouts.clone(),
            );
            registry.register(
                "query_watch_connected",
                "1 while aggregation says what changes, 0 while it is not heard",
                counted.connected.clone(),
            );
            registry.register(
                "query_watch_position",
                "The last position that aggregation has said is rolled up",
                counted.position.clone(),
            );
        });
    }
}

/// That aggregation is heard; while this lives.
pub(crate) struct Heard<'a>(&'a Measures);

impl Measures {
    pub(crate) fn heard(&self) -> Heard<'_> {
        self.connected.set(1);
        Heard(self)
    }
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        self.0.connected.set(0);
    }
}
