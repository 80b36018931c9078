//! Frozen reviews: entries of the ledger that change no total, and name a position for questions about the past.

use prost::Message;
use tonghop_proto::ledger::ReviewRecord;
use tonghop_store::{Effect, Entry, EntryKind, Review};

use crate::AggregationError;
use crate::engine::effect_of;

/// The review that an entry names; none where it is no such entry.
pub(crate) fn review_of(entry: &Entry) -> Option<Result<Review, AggregationError>> {
    if entry.receipt.kind != EntryKind::Review {
        return None;
    }
    let read = ReviewRecord::decode(entry.record.as_slice()).map_err(|e| AggregationError::Damaged {
        row: format!("ledger position {}", entry.receipt.position),
        what: e.to_string(),
    });
    Some(read.map(|record| Review {
        name: record.name,
        position: record.position,
        entry_position: entry.receipt.position,
        frozen_at: entry.receipt.received_at,
        note: entry.receipt.note.clone(),
    }))
}

/// What an entry that names a review did: nothing to the figures.
pub(crate) fn named(entry: &Entry) -> Effect {
    effect_of(&entry.receipt, Default::default(), vec![])
}
