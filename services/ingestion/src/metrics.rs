//! What ingestion counts.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use tonghop_runtime::metrics::{Metrics, counts, durations};
use tonghop_runtime::{Failure, FailureKind};

use crate::service::{Ingestion, Taken};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// What can become of a submission.
const OUTCOMES: [&str; 6] = ["accepted", "replayed", "refused", "dry_run", "unavailable", "failed"];

/// Ingestion's counters.
#[derive(Clone, Debug)]
pub(crate) struct Measures {
    submissions: Family<Outcome, Counter>,
    figures: Counter,
    /// Entries that shared a transaction.
    pub(crate) group_entries: Histogram,
    /// How long that took.
    pub(crate) group_seconds: Histogram,
}

impl Default for Measures {
    fn default() -> Measures {
        let submissions = Family::<Outcome, Counter>::default();
        for outcome in OUTCOMES {
            // There from the beginning, so that the first of its kind shows as a change.
            drop(submissions.get_or_create(&Outcome { outcome }));
        }
        Measures {
            submissions,
            figures: Counter::default(),
            group_entries: counts(),
            group_seconds: durations(),
        }
    }
}

impl Measures {
    /// Counts what became of a submission.
    pub(crate) fn count(&self, outcome: &Result<Taken, Failure>) {
        let word = match outcome {
            Ok(taken) if taken.receipt.is_none() => "dry_run",
            Ok(taken) if taken.replayed => "replayed",
            Ok(taken) => {
                self.figures.inc_by(taken.figures.into());
                "accepted"
            }
            Err(failure) => match failure.kind() {
                FailureKind::Unavailable | FailureKind::TooMany => "unavailable",
                FailureKind::Internal => "failed",
                _ => "refused",
            },
        };
        self.submissions.get_or_create(&Outcome { outcome: word }).inc();
    }
}

impl Ingestion {
    /// Shows what this service counts.
    pub fn register(&self, metrics: &Metrics) {
        let (depth, bound, head) =
            (Gauge::<i64>::default(), Gauge::<i64>::default(), Gauge::<i64>::default());
        let (waiting_for_turn, in_hand, body_bytes) =
            (Gauge::<i64>::default(), Gauge::<i64>::default(), Gauge::<i64>::default());
        metrics.register(|registry| {
            let counted = &self.measures;
            registry.register(
                "submissions",
                "Submissions by what became of them: accepted, replayed, refused, dry_run, unavailable, failed",
                counted.submissions.clone(),
            );
            registry.register("figures_accepted", "Figures in accepted submissions", counted.figures.clone());
            registry.register(
                "ledger_group_entries",
                "Entries that were appended in one transaction",
                counted.group_entries.clone(),
            );
            registry.register(
                "ledger_group_duration_seconds",
                "Time that one transaction of appended entries took",
                counted.group_seconds.clone(),
            );
            registry.register(
                "ledger_queue_entries",
                "Entries that wait to be appended by this process",
                depth.clone(),
            );
            registry.register(
                "ledger_queue_max_entries",
                "Entries that may wait; what comes on top is told to come again",
                bound.clone(),
            );
            registry.register(
                "submissions_waiting",
                "Submissions that wait for their sender's turn",
                waiting_for_turn.clone(),
            );
            registry.register(
                "submissions_in_hand",
                "Submissions that are read, checked or appended",
                in_hand.clone(),
            );
            registry.register(
                "submission_body_bytes",
                "Bytes of submissions in memory: of those that come in, wait and are worked on",
                body_bytes.clone(),
            );
            self.admission.refused.register(registry);
            registry.register("ledger_head_position", "The ledger's last position", head.clone());
        });
        let (writer, ledger) = (self.writer.clone(), self.ledger.clone());
        let admission = Arc::clone(&self.admission);
        metrics.before_each_scrape(move || {
            let (waiting, most) = writer.waiting();
            depth.set(i64::try_from(waiting).unwrap_or(i64::MAX));
            bound.set(i64::try_from(most).unwrap_or(i64::MAX));
            let (waiting, works) = admission.load();
            waiting_for_turn.set(i64::try_from(waiting).unwrap_or(i64::MAX));
            in_hand.set(i64::try_from(works).unwrap_or(i64::MAX));
            body_bytes.set(i64::try_from(admission.body_bytes()).unwrap_or(i64::MAX));
            let (ledger, head) = (ledger.clone(), head.clone());
            async move {
                match ledger.head().await {
                    Ok(at) => {
                        head.set(at.map_or(0, |at| at.position));
                    }
                    Err(error) => tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the ledger's head is not known for the metrics"
                    ),
                }
            }
        });
    }
}
