//! The keys there are, as this replica learns them.
//!
//! Aggregation keeps the ledger's entries about keys beside the tiles. They are read every second, and when a position
//! has moved, so that a key which was revoked is refused within seconds on every replica, whoever of the others is away.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prost::Message;
use tonghop_access::{Access, Keys};
use tonghop_proto::ledger::AccessRecord;
use tonghop_runtime::Failure;
use tonghop_store::EntryKind;

use crate::{Query, store_failure};

/// How often the database is looked at, whatever aggregation says.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks at least, however fast positions move.
const PAUSE: Duration = Duration::from_millis(100);
/// Entries read in one go.
const PAGE: u64 = 500;

/// What was read, and up to where.
#[derive(Debug, Default)]
struct Read {
    position: i64,
    keys: Arc<Keys>,
}

impl Query {
    /// Whether the keys there are have been read, where any are needed.
    pub(crate) fn knows_keys(&self) -> bool {
        self.authority.access() == Access::Open || self.learnt.load(Ordering::SeqCst)
    }

    /// Learns what keys there are, again and again.
    pub(crate) async fn learn_on(&self) {
        if self.authority.access() == Access::Open {
            return std::future::pending().await;
        }
        let (mut reached, mut read) = (self.reached.subscribe(), Read::default());
        loop {
            match self.learn(&mut read).await {
                Ok(()) => self.learnt.store(true, Ordering::SeqCst),
                Err(failure) => {
                    tracing::debug!(error = &failure as &dyn std::error::Error, "the keys are read again");
                }
            }
            tokio::time::sleep(PAUSE).await;
            // Too late or in time, the database decides.
            let _ = tokio::time::timeout(LOOK, reached.changed()).await;
        }
    }

    async fn learn(&self, read: &mut Read) -> Result<(), Failure> {
        let snapshot = self.tiles.snapshot().await.map_err(store_failure)?;
        loop {
            let rules = snapshot.rules_after(read.position, PAGE).await.map_err(store_failure)?;
            let Some(last) = rules.last() else { return Ok(()) };
            let position = last.position;
            for rule in rules.into_iter().filter(|rule| rule.kind == EntryKind::Access) {
                let record = AccessRecord::decode(rule.record.as_slice()).map_err(Failure::internal)?;
                Arc::make_mut(&mut read.keys).apply(rule.position, rule.received_at, record);
            }
            read.position = position;
            self.authority.learn(Arc::clone(&read.keys));
        }
    }
}
