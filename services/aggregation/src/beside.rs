//! Entries of the ledger that change no total, and that those who read totals have to know: reviews, which name a
//! position for questions about the past; who may do what; what became of reports.

use prost::Message;
use tonghop_proto::ledger::ReviewRecord;
use tonghop_store::{Effect, Entry, EntryKind, Review, Rule};

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

/// An entry that is kept as it is, for readers; none where it is no such entry.
pub(crate) fn rule_of(entry: &Entry) -> Option<Rule> {
    matches!(entry.receipt.kind, EntryKind::Access | EntryKind::Report).then(|| Rule {
        position: entry.receipt.position,
        kind: entry.receipt.kind,
        actor: entry.receipt.actor.clone(),
        received_at: entry.receipt.received_at,
        record: entry.record.clone(),
    })
}

/// What an entry that is no submission did: nothing to the figures.
pub(crate) fn named(entry: &Entry) -> Effect {
    effect_of(&entry.receipt, Default::default(), vec![])
}
