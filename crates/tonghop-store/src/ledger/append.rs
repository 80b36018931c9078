//! Appending, under the lock of the head.

use std::collections::HashSet;
use std::collections::hash_map::{Entry as Slot, HashMap};

use jiff::Timestamp;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, Set,
};

use super::{Appended, EntryKind, Ledger, NewEntry, Premise, Receipt};
use crate::connect::blocking;
use crate::digest::{chain_digest_over, record_digest};
use crate::entities::{SINGLETON, ledger, ledger_document, ledger_head};
use crate::row::{Place, check_text, chunks, kind_number};
use crate::{Digest, StoreError, content_digest, frame};

/// The longest media type or note, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 4096;
/// The longest part of a key: source, idempotency key, keeper, series or period, in bytes of UTF-8.
/// PostgreSQL's index entries end at 2,700 bytes.
pub const MAX_KEY_BYTES: usize = 512;

/// The longest `traceparent`: its version 00 has 55 bytes, later ones may have more.
const MAX_TRACE_BYTES: usize = 128;

/// Rows in one statement; with the columns of `ledger` far below the 32,766 binds that SQLite takes.
const HEADERS_AT_ONCE: usize = 200;
/// Fewer for documents, whose binds are copied on the way to the driver.
const DOCUMENTS_AT_ONCE: usize = 20;
/// Keys in one lookup.
const KEYS_AT_ONCE: usize = 500;

/// An entry as its rows need it, all the slow work done.
struct Prepared {
    receipt: Receipt,
    record_digest: Digest,
    document: Vec<u8>,
    record: Vec<u8>,
    size: i64,
    premise: Premise,
    trace_parent: String,
}

impl Ledger {
    /// Appends `entries` in their order, in one transaction with one wait for the disk, and says what became
    /// of each, in the same order.
    ///
    /// An entry that is replayed, in conflict or outdated, by the ledger or by an earlier one of the same call,
    /// does not disturb the others. After a failure none is appended, unless the connection broke during the
    /// commit; repeating the call is safe.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if a document or text is too long, holds a NUL character, or the content digest
    /// is not that of the content; [`StoreError::Duplicate`] if an id is in use under another key;
    /// [`StoreError::Busy`] or [`StoreError::Unavailable`].
    pub async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Appended>, StoreError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let prepared =
            blocking(move || entries.into_iter().map(prepare).collect::<Result<Vec<_>, _>>()).await?;

        let transaction = self.connections.begin_write().await?;
        // Whoever holds this row is the only one who takes positions, until its commit makes them visible.
        let head = ledger_head::Entity::find_by_id(SINGLETON).lock_exclusive().one(&transaction).await?;
        let place = Place { table: "ledger_head", key: SINGLETON.into() };
        let head = head.ok_or_else(|| place.broken("singleton", "the row is missing"))?;
        let mut position = head.position;
        let mut registry_position = head.registry_position;
        let mut digest = place.digest("digest", &head.digest)?;
        let mut received_at = None;

        let mut known = known(&transaction, &prepared).await?;
        let mut outcomes = Vec::with_capacity(prepared.len());
        let mut headers = Vec::new();
        let mut documents = Vec::new();
        for mut entry in prepared {
            let receipt = &mut entry.receipt;
            match known.entry((receipt.source.clone(), receipt.idempotency_key.clone())) {
                Slot::Occupied(slot) => {
                    let first = slot.get().clone();
                    outcomes.push(if first.content_digest == receipt.content_digest {
                        Appended::Replayed(first)
                    } else {
                        Appended::Conflict(first)
                    });
                }
                Slot::Vacant(_) if !holds(entry.premise, registry_position, position) => {
                    outcomes.push(Appended::Outdated);
                }
                Slot::Vacant(slot) => {
                    position += 1;
                    if receipt.kind == EntryKind::Registry {
                        registry_position = position;
                    }
                    receipt.position = position;
                    receipt.previous = digest;
                    digest = chain_digest_over(receipt, &entry.record_digest);
                    receipt.digest = digest;
                    received_at = Some(receipt.received_at);
                    headers.push(header(receipt, entry.size, entry.trace_parent));
                    documents.push(ledger_document::Model {
                        source: receipt.source.clone(),
                        position,
                        document: entry.document,
                        record: entry.record,
                    });
                    outcomes.push(Appended::New(slot.insert(entry.receipt).clone()));
                }
            }
        }

        let Some(received_at) = received_at else {
            transaction.rollback().await?;
            return Ok(outcomes);
        };
        write(&transaction, headers, documents).await?;
        let mut head = head.into_active_model();
        head.position = Set(position);
        head.digest = Set(digest.to_vec());
        head.received_at = Set(received_at.as_microsecond());
        head.registry_position = Set(registry_position);
        head.update(&transaction).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }
}

/// Whether an entry's premise holds before the position after `head`.
fn holds(premise: Premise, registry: i64, head: i64) -> bool {
    match premise {
        Premise::Registry(position) => position == registry,
        Premise::Head(position) => position == head,
    }
}

fn prepare(entry: NewEntry) -> Result<Prepared, StoreError> {
    let NewEntry { id, kind, content_digest: claimed, media_type, document, record, figures, .. } = entry;
    let NewEntry { source, idempotency_key, received_at, note, premise, trace_parent, .. } = entry;
    let name = |what: &str| format!("{what} of submission {id}");
    for (what, text, max_bytes) in [
        ("source", &source, MAX_KEY_BYTES),
        ("idempotency key", &idempotency_key, MAX_KEY_BYTES),
        ("media type", &media_type, MAX_TEXT_BYTES),
        ("note", &note, MAX_TEXT_BYTES),
        ("trace parent", &trace_parent, MAX_TRACE_BYTES),
    ] {
        check_text(|| name(what), text, max_bytes)?;
    }
    if content_digest(&media_type, &document) != claimed {
        let reason = "it is not the digest of the media type and document".to_owned();
        return Err(StoreError::Refused { what: name("content digest"), reason });
    }
    let pack = |what: &str, content: &[u8]| {
        frame::pack(content)
            .map_err(|error| StoreError::Refused { what: name(what), reason: error.to_string() })
    };
    // A time with nanoseconds would come back as another one than was answered.
    let received_at = Timestamp::from_microsecond(received_at.as_microsecond()).unwrap_or(received_at);
    Ok(Prepared {
        premise,
        record_digest: record_digest(&record),
        size: i64::try_from(document.len() + record.len()).unwrap_or(i64::MAX),
        document: pack("document", &document)?,
        record: pack("record", &record)?,
        trace_parent,
        receipt: Receipt {
            position: 0,
            id,
            kind,
            source,
            idempotency_key,
            content_digest: claimed,
            digest: [0; 32],
            previous: [0; 32],
            received_at,
            figures,
            note,
            media_type,
        },
    })
}

/// The receipts that hold a source and key of `entries`.
async fn known(
    transaction: &DatabaseTransaction,
    entries: &[Prepared],
) -> Result<HashMap<(String, String), Receipt>, StoreError> {
    let mut keys: HashMap<&str, HashSet<&str>> = HashMap::new();
    for Prepared { receipt, .. } in entries {
        keys.entry(&receipt.source).or_default().insert(&receipt.idempotency_key);
    }
    let mut known = HashMap::new();
    for (source, keys) in keys {
        let keys: Vec<&str> = keys.into_iter().collect();
        for keys in keys.chunks(KEYS_AT_ONCE) {
            let rows = ledger::Entity::find()
                .filter(ledger::Column::Source.eq(source))
                .filter(ledger::Column::IdempotencyKey.is_in(keys.iter().copied()))
                .all(transaction)
                .await?;
            for row in rows {
                let receipt = Receipt::try_from(row)?;
                known.insert((receipt.source.clone(), receipt.idempotency_key.clone()), receipt);
            }
        }
    }
    Ok(known)
}

fn header(receipt: &Receipt, size: i64, trace_parent: String) -> ledger::Model {
    ledger::Model {
        position: receipt.position,
        id: receipt.id,
        kind: i16::from(kind_number(receipt.kind)),
        source: receipt.source.clone(),
        idempotency_key: receipt.idempotency_key.clone(),
        content_digest: receipt.content_digest.to_vec(),
        digest: receipt.digest.to_vec(),
        previous: receipt.previous.to_vec(),
        received_at: receipt.received_at.as_microsecond(),
        figures: i64::from(receipt.figures),
        note: receipt.note.clone(),
        media_type: receipt.media_type.clone(),
        size,
        trace_parent,
    }
}

async fn write(
    transaction: &DatabaseTransaction,
    headers: Vec<ledger::Model>,
    documents: Vec<ledger_document::Model>,
) -> Result<(), StoreError> {
    for rows in chunks(headers, HEADERS_AT_ONCE) {
        let insert = ledger::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model));
        insert.exec_without_returning(transaction).await.map_err(StoreError::inserting("ledger"))?;
    }
    for rows in chunks(documents, DOCUMENTS_AT_ONCE) {
        let insert =
            ledger_document::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model));
        insert.exec_without_returning(transaction).await.map_err(StoreError::inserting("ledger_document"))?;
    }
    Ok(())
}
