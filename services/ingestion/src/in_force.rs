//! The registry in force, which any replica may change.
//!
//! Each process keeps the last one it read. Whether that is still the one in force is settled where it matters: an
//! entry is appended only while the registry it was checked under is in force, and nobody is refused, or told what
//! there is, by an older one.

use std::sync::{Arc, PoisonError, RwLock};

use tonghop_core::registry::Registry;
use tonghop_proto::registry_draft;
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_store::Ledger;

use crate::writer::failure;

/// A registry, and where it is in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    /// Its position.
    pub(crate) position: i64,
    /// What it says.
    pub(crate) registry: Arc<Registry>,
}

/// The registry in force, as this process knows it.
#[derive(Debug, Default)]
pub(crate) struct Known(RwLock<Option<InForce>>);

impl Known {
    /// The one that was read last, which may not be in force any more.
    pub(crate) fn last(&self) -> Option<InForce> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The one that is in force now, if one is loaded.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub(crate) async fn now(&self, ledger: &Ledger) -> Result<Option<InForce>, Failure> {
        let position = ledger.head().await.map_err(failure)?.map_or(0, |head| head.registry_position);
        if let Some(known) = self.last().filter(|known| known.position >= position) {
            return Ok(Some(known));
        }
        // Where one more is loaded between the two readings, the later one is read: it is in force.
        let Some(entry) = ledger.latest_registry().await.map_err(failure)? else { return Ok(None) };
        let registry = tokio::task::spawn_blocking(move || registry_draft::read(&entry.record)).await;
        let registry = registry.map_err(Failure::internal)?.map_err(Failure::internal)?;
        let read = InForce { position: entry.receipt.position, registry: Arc::new(registry) };
        self.learn(read.clone());
        Ok(Some(read))
    }

    /// Another one is in force.
    pub(crate) fn learn(&self, next: InForce) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.position < next.position) {
            *known = Some(next);
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
