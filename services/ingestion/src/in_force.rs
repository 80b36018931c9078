//! What is in force, which any replica may change: the registry, the keys there are, and what became of reports.
//!
//! Each process keeps what it read last. Whether that is still so is settled where it matters: an entry is appended only
//! while what it was checked under is in force, and nobody is refused, or told what there is, by anything older.

use std::sync::{Arc, PoisonError, RwLock};

use prost::Message;
use tonghop_access::{Authority, Keys};
use tonghop_core::registry::Registry;
use tonghop_proto::ledger::{AccessRecord, ReportRecord};
use tonghop_proto::registry_draft;
use tonghop_reports::Reports;
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_store::{EntryKind, Ledger, Recorded};

use crate::locks::Locks;
use crate::writer::failure;

/// Rules read in one go.
const PAGE: u64 = 500;

/// What submissions are checked under.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    /// The position of the last entry that says what is in force.
    pub(crate) rules: i64,
    /// The registry's position.
    pub(crate) position: i64,
    /// What it says.
    pub(crate) registry: Arc<Registry>,
    /// Periods that are closed.
    pub(crate) locks: Arc<Locks>,
    /// The keys there are.
    pub(crate) keys: Arc<Keys>,
}

/// All that is in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// The position of the last entry that says so; 0 where there is none.
    pub(crate) position: i64,
    /// The registry, and its position; none where none is loaded.
    registry: Option<(i64, Arc<Registry>)>,
    /// The keys there are.
    pub(crate) keys: Arc<Keys>,
    /// What became of reports.
    pub(crate) reports: Arc<Reports>,
    /// Periods that are closed, under the registry.
    locks: Arc<Locks>,
}

impl Rules {
    /// The registry and what goes with it; none where none is loaded.
    pub(crate) fn in_force(&self) -> Option<InForce> {
        let (position, registry) = self.registry.clone()?;
        let (keys, locks) = (Arc::clone(&self.keys), Arc::clone(&self.locks));
        Some(InForce { rules: self.position, position, registry, locks, keys })
    }

    /// With the entries that come next.
    fn and(mut self, entries: Vec<Recorded>) -> Result<Rules, Failure> {
        let (mut registry, mut is_said) = (None, false);
        for entry in entries {
            self.position = entry.receipt.position;
            match entry.receipt.kind {
                // Each says everything, so the last is enough.
                EntryKind::Registry => registry = Some(entry),
                EntryKind::Access => {
                    let record = AccessRecord::decode(entry.record.as_slice()).map_err(Failure::internal)?;
                    let receipt = &entry.receipt;
                    Arc::make_mut(&mut self.keys).apply(receipt.position, receipt.received_at, record);
                }
                EntryKind::Report => {
                    let record = ReportRecord::decode(entry.record.as_slice()).map_err(Failure::internal)?;
                    let (position, at) = (entry.receipt.position, entry.receipt.received_at);
                    let reports = Arc::make_mut(&mut self.reports);
                    reports.apply(position, at, &entry.receipt.actor, record).map_err(Failure::internal)?;
                    is_said = true;
                }
                EntryKind::Submission | EntryKind::Review => {}
            }
        }
        let is_loaded = registry.is_some();
        if let Some(entry) = registry {
            let read = registry_draft::read(&entry.record).map_err(Failure::internal)?;
            self.registry = Some((entry.receipt.position, Arc::new(read)));
        }
        if let Some((_, registry)) = self.registry.as_ref().filter(|_| is_loaded || is_said) {
            self.locks = Arc::new(Locks::of(registry, &self.reports));
        }
        Ok(self)
    }
}

/// What is in force, as this process knows it.
#[derive(Debug)]
pub(crate) struct Known {
    rules: RwLock<Rules>,
    /// Learns of the keys there are.
    authority: Arc<Authority>,
}

impl Known {
    pub(crate) fn new(authority: Arc<Authority>) -> Known {
        Known { rules: RwLock::default(), authority }
    }

    /// What was read last, which may not be in force any more.
    pub(crate) fn last(&self) -> Rules {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The registry that is in force now, if one is loaded.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub(crate) async fn now(&self, ledger: &Ledger) -> Result<Option<InForce>, Failure> {
        Ok(self.rules(ledger).await?.in_force())
    }

    /// All that is in force now.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub(crate) async fn rules(&self, ledger: &Ledger) -> Result<Rules, Failure> {
        let position = ledger.head().await.map_err(failure)?.map_or(0, |head| head.rules_position);
        let mut rules = self.last();
        while rules.position < position {
            let entries = ledger.rules_after(rules.position, PAGE).await.map_err(failure)?;
            if entries.is_empty() {
                return Err(Failure::internal(format!("no rule at {position} of the ledger")));
            }
            let reading = tokio::task::spawn_blocking(move || rules.and(entries));
            rules = reading.await.map_err(Failure::internal)??;
            self.learn(&rules);
        }
        Ok(rules)
    }

    /// Others are in force.
    fn learn(&self, next: &Rules) {
        let mut known = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        if known.position < next.position {
            known.clone_from(next);
            self.authority.learn(Arc::clone(&next.keys));
        }
    }
}

/// That no registry is loaded.
pub(crate) fn none_loaded() -> Failure {
    let detail = Text::of(
        "chưa nạp danh mục nào: hãy nạp bằng `tonghop registry load`",
        "no registry is loaded yet: load one with `tonghop registry load`",
    );
    Failure::new(FailureKind::Unavailable, detail)
}
