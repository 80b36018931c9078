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

use crate::Aggregation;

/// How long the ledger may take to say where it ends.
const LONGEST_ASK: Duration = Duration::from_secs(1);

/// Aggregation's measures.
#[derive(Debug)]
pub(crate) struct Measures {
    checkpoint: Gauge,
    lag_positions: Gauge,
    lag_seconds: Seconds,
    confirmed_age: Seconds,
    ledger_reachable: Gauge,
    /// Entries of a batch.
    pub(crate) batch_entries: Histogram,
    /// What a batch takes.
    pub(crate) batch_seconds: Histogram,
    holds_lease: Gauge,
    epoch: Gauge,
    fenced: Counter,
    interruptions: Counter,
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
            confirmed_age: Seconds::default(),
            ledger_reachable: Gauge::default(),
            batch_entries: counts(),
            batch_seconds: durations(),
            holds_lease: Gauge::default(),
            epoch: Gauge::default(),
            fenced: Counter::default(),
            interruptions: Counter::default(),
            halted: Gauge::default(),
            seen: Mutex::default(),
        }
    }
}

impl Measures {
    /// Another process was found to be active.
    pub(crate) fn fenced(&self) {
        self.fenced.inc();
    }

    /// Following the ledger broke off, for a reason that passes.
    pub(crate) fn interrupted(&self) {
        self.interruptions.inc();
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
                "totals_confirmed_age_seconds",
                "Time since the totals were last known to hold everything that was accepted; 0 where that was never known",
                own.confirmed_age.clone(),
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
                "The epoch of the lease that this process has, or had last; grows with every taking",
                own.epoch.clone(),
            );
            registry.register(
                "fenced_writes",
                "Times that this process found, by a write or a renewal that was refused, that another holds the lease",
                own.fenced.clone(),
            );
            registry.register(
                "rollup_interruptions",
                "Times that following the ledger broke off with an error; it goes on by itself",
                own.interruptions.clone(),
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
        own.holds_lease.set(self.is_active().into());
        if let Some(lease) = *self.held.lock().unwrap_or_else(PoisonError::into_inner) {
            own.epoch.set(lease.epoch);
        }
        match self.tiles.snapshot().await {
            Ok(snapshot) => {
                let checkpoint = snapshot.checkpoint();
                own.checkpoint.set(checkpoint.position);
                own.confirmed_age.set(age(checkpoint.confirmed_at, (self.settings.now)()));
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
        own.lag_seconds.set(age(seen.waiting_since, (self.settings.now)()));
    }
}

/// Seconds since then; none where there is no then, or the clocks differ.
fn age(since: Option<Timestamp>, now: Timestamp) -> f64 {
    since.map_or(0.0, |since| now.duration_since(since).as_secs_f64().max(0.0))
}
