//! The keys there are, as this replica learns them: from the ledger's entries that are kept beside the tiles, so that
//! one which stands by learns them too.

use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use tonghop_access::{Access, Authority, Keys};
use tonghop_proto::ledger::AccessRecord;
use tonghop_store::EntryKind;

use crate::{Aggregation, AggregationError};

/// How often it is looked whether there are others.
const LOOK: Duration = Duration::from_millis(500);
/// Entries read in one go.
const PAGE: u64 = 500;

impl Aggregation {
    /// Tells an authority of the keys that are given and revoked, until it is told to stop.
    pub async fn keep_keys(self: Arc<Self>, authority: Arc<Authority>) {
        if authority.access() == Access::Open {
            return;
        }
        let mut read = (0, Arc::new(Keys::default()));
        loop {
            if let Err(error) = self.learn_keys(&authority, &mut read).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "the keys are read again");
            }
            tokio::select! {
                () = self.stop.told() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn learn_keys(
        &self,
        authority: &Authority,
        (position, keys): &mut (i64, Arc<Keys>),
    ) -> Result<(), AggregationError> {
        let snapshot = self.tiles.snapshot().await?;
        loop {
            let rules = snapshot.rules_after(*position, PAGE).await?;
            let Some(last) = rules.last().map(|rule| rule.position) else { return Ok(()) };
            for rule in rules.into_iter().filter(|rule| rule.kind == EntryKind::Access) {
                let record = AccessRecord::decode(rule.record.as_slice());
                let record = record.map_err(|e| AggregationError::Damaged {
                    row: format!("rule of position {}", rule.position),
                    what: e.to_string(),
                })?;
                Arc::make_mut(keys).apply(rule.position, rule.received_at, record);
            }
            *position = last;
            authority.learn(Arc::clone(keys));
        }
    }
}
