//! What aggregation measures: how far behind it is, who is active, what a batch takes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use tonghop_proto::ingestion::GetHeadRequest;
use tonghop_proto::ingestion::ledger_service_client::LedgerServiceClient;
use tonghop_runtime::metrics::{Metrics, Seconds, counts, durations};
use tonghop_store::{Lease, StoreError};

use crate::{Aggregation, AggregationError};

/// How long the ledger may take to say where it ends.
const LONGEST_ASK: Duration = Duration::from_secs(1);

/// Aggregation's measures.
#[derive(Debug)]
pub(crate) struct Measures {
    checkpoint: Gauge,
    lag_positions: Gauge,
    lag_seconds: Seconds,
    ledger_reachable: Gauge,
    /// Entries of a batch.
    pub(crate) batch_entries: Histogram,
    /// What a batch takes.
    pub(crate) batch_seconds: Histogram,
    holds_lease: Gauge,
    epoch: Gauge,
    fenced: Counter,
    pauses: Counter,
    halted: Gauge,
    /// Where the ledger ended when it was last asked, and since when what is not rolled up waits.
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    head: i64,
    waiting_since: Option<Timestamp>,
}

impl Default for Measures {
    fn default() -> Measures {
        Measures {
            checkpoint: Gauge::default(),
            lag_positions: Gauge::default(),
            lag_seconds: Seconds::default(),
            ledger_reachable: Gauge::default(),
            batch_entries: counts(),
            batch_seconds: durations(),
            holds_lease: Gauge::default(),
            epoch: Gauge::default(),
            fenced: Counter::default(),
            pauses: Counter::default(),
            halted: Gauge::default(),
            seen: Mutex::default(),
        }
    }
}

impl Measures {
    /// This process is the active one.
    pub(crate) fn active(&self, lease: &Lease) {
        self.epoch.set(lease.epoch);
        self.holds_lease.set(1);
    }

    /// It is not, or not any more.
    pub(crate) fn not_active(&self) {
        self.holds_lease.set(0);
    }

    /// Following the ledger broke off.
    pub(crate) fn broke_off(&self, error: &AggregationError) {
        self.pauses.inc();
        if let AggregationError::Store(StoreError::Fenced { .. }) = error {
            self.fenced.inc();
        }
    }

    /// Whether rolling up stands still for good.
    pub(crate) fn halted(&self, halted: bool) {
        self.halted.set(halted.into());
    }
}

impl Aggregation {
    /// Shows what this service measures.
    pub fn register(self: &Arc<Self>, metrics: &Metrics) {
        let own = &self.measures;
        metrics.register(|registry| {
            registry.register(
                "checkpoint_position",
                "The last ledger position that is in the totals",
                own.checkpoint.clone(),
            );
            registry.register(
                "lag_positions",
                "Ledger entries that are not in the totals yet, as last seen",
                own.lag_positions.clone(),
            );
            registry.register(
                "lag_seconds",
                "Age of the oldest entry that is not in the totals yet; 0 where all are",
                own.lag_seconds.clone(),
            );
            registry.register(
                "ledger_reachable",
                "1 if the ledger service said just now where the ledger ends, else 0",
                own.ledger_reachable.clone(),
            );
            registry.register("batch_entries", "Entries rolled up in one batch", own.batch_entries.clone());
            registry.register(
                "batch_duration_seconds",
                "Time that a batch took, up to its commit",
                own.batch_seconds.clone(),
            );
            registry.register(
                "lease_held",
                "1 while this process is the one that rolls up, 0 while it stands by",
                own.holds_lease.clone(),
            );
            registry.register(
                "lease_epoch",
                "The epoch of the lease that this process had last; grows with every change of holder",
                own.epoch.clone(),
            );
            registry.register(
                "fenced_writes",
                "Writes of this process that were refused because another holds the lease",
                own.fenced.clone(),
            );
            registry.register(
                "rollup_interruptions",
                "Times that following the ledger broke off with an error; it goes on by itself",
                own.pauses.clone(),
            );
            registry.register(
                "rollup_halted",
                "1 while stored data that makes no sense keeps totals from going on",
                own.halted.clone(),
            );
        });
        // Without keeping it alive.
        let this = Arc::downgrade(self);
        metrics.before_each_scrape(move || {
            let this = this.upgrade();
            async move {
                if let Some(this) = this {
                    this.look().await;
                }
            }
        });
    }

    /// Looks how far the totals are, and how far the ledger.
    async fn look(&self) {
        let own = &self.measures;
        match self.tiles.snapshot().await {
            Ok(snapshot) => {
                own.checkpoint.set(snapshot.checkpoint().position);
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the checkpoint is not known for the metrics"
                );
            }
        }
        let checkpoint = own.checkpoint.get();
        let mut ledger = LedgerServiceClient::new(self.ledger.clone());
        let head = ledger.get_head(GetHeadRequest { after_position: Some(checkpoint) });
        let answer = tokio::time::timeout(LONGEST_ASK, head).await;
        let seen = {
            let mut seen = self.measures.seen.lock().unwrap_or_else(PoisonError::into_inner);
            own.ledger_reachable.set(i64::from(matches!(answer, Ok(Ok(_)))));
            if let Ok(Ok(head)) = answer {
                let head = head.into_inner();
                let waiting_since = head.next_received_at.parse().ok();
                *seen = Seen { head: head.position, waiting_since };
            } else if seen.head <= checkpoint {
                // All that was known of is in; what came since is not known.
                seen.waiting_since = None;
            }
            *seen
        };
        own.lag_positions.set(seen.head.saturating_sub(checkpoint).max(0));
        let age = seen.waiting_since.map(|since| (self.settings.now)().duration_since(since).as_secs_f64());
        own.lag_seconds.set(age.unwrap_or(0.0).max(0.0));
    }
}
