//! Appending, under the lock of the head.

use std::collections::HashSet;
use std::collections::hash_map::{Entry as Slot, HashMap};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, Set,
};

use super::swift::At;
use super::{Appended, EntryKind, Ledger, NewEntry, Premise, Prepared, Receipt};
use crate::StoreError;
use crate::digest::chain_digest_over;
use crate::entities::{SINGLETON, ledger, ledger_document, ledger_head};
use crate::row::{Place, chunks};

/// Rows in one statement; with the columns of `ledger` far below the 32,766 binds that SQLite takes.
const HEADERS_AT_ONCE: usize = 200;
/// Fewer for documents, whose binds are copied on the way to the driver.
const DOCUMENTS_AT_ONCE: usize = 20;
/// Keys in one lookup.
const KEYS_AT_ONCE: usize = 500;

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
    /// [`StoreError::Refused`] if a document or text is too long, or holds a NUL character; [`StoreError::Duplicate`] if an id is in use under another key;
    /// [`StoreError::Busy`] or [`StoreError::Unavailable`].
    pub async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Appended>, StoreError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let prepared = self.prepare_all(entries).await?;
        self.append_prepared(&prepared).await
    }

    /// [`append`](Self::append) of entries that are ready.
    ///
    /// # Errors
    ///
    /// As `append`, save that what is ready is not refused any more.
    pub async fn append_prepared(&self, entries: &[Prepared]) -> Result<Vec<Appended>, StoreError> {
        match self.append_swiftly(entries).await? {
            Some(appended) => Ok(appended),
            None => self.append_locked(entries).await,
        }
    }

    /// Under the lock of the head, whatever stands there.
    async fn append_locked(&self, prepared: &[Prepared]) -> Result<Vec<Appended>, StoreError> {
        let transaction = self.connections.begin_write().await?;
        // Whoever holds this row is the only one who takes positions, until its commit makes them visible.
        let head = ledger_head::Entity::find_by_id(SINGLETON).lock_exclusive().one(&transaction).await?;
        let place = Place { table: "ledger_head", key: SINGLETON.into() };
        let head = head.ok_or_else(|| place.broken("singleton", "the row is missing"))?;
        let mut position = head.position;
        let (mut registry_position, mut rules_position) = (head.registry_position, head.rules_position);
        let mut digest = place.digest("digest", &head.digest)?;
        let alone = self.seen.left_here(At { position, digest, registry_position, rules_position });
        let mut received_at = None;

        let mut known = known(&transaction, prepared).await?;
        let mut outcomes = Vec::with_capacity(prepared.len());
        let mut headers = Vec::new();
        let mut documents = Vec::new();
        for entry in prepared {
            let mut receipt = entry.receipt.clone();
            match known.entry((receipt.source.clone(), receipt.idempotency_key.clone())) {
                Slot::Occupied(slot) => {
                    let first = slot.get().clone();
                    outcomes.push(if first.content_digest == receipt.content_digest {
                        Appended::Replayed(first)
                    } else {
                        Appended::Conflict(first)
                    });
                }
                Slot::Vacant(_) if !holds(entry.premise, rules_position, position) => {
                    outcomes.push(Appended::Outdated);
                }
                Slot::Vacant(slot) => {
                    position += 1;
                    if receipt.kind == EntryKind::Registry {
                        registry_position = position;
                    }
                    if receipt.kind.is_rule() {
                        rules_position = position;
                    }
                    receipt.position = position;
                    receipt.previous = digest;
                    digest = chain_digest_over(&receipt, &entry.record_digest);
                    receipt.digest = digest;
                    received_at = Some(receipt.received_at);
                    headers.push(entry.header(&receipt));
                    documents.push(entry.document(&receipt));
                    outcomes.push(Appended::New(slot.insert(receipt).clone()));
                }
            }
        }

        let Some(received_at) = received_at else {
            transaction.rollback().await?;
            self.seen.leave(At { position, digest, registry_position, rules_position }, alone);
            return Ok(outcomes);
        };
        write(&transaction, headers, documents).await?;
        let mut head = head.into_active_model();
        head.position = Set(position);
        head.digest = Set(digest.to_vec());
        head.received_at = Set(received_at.as_microsecond());
        head.registry_position = Set(registry_position);
        head.rules_position = Set(rules_position);
        head.update(&transaction).await?;
        transaction.commit().await?;
        self.seen.leave(At { position, digest, registry_position, rules_position }, alone);
        Ok(outcomes)
    }
}

/// Whether an entry's premise holds before the position after `head`.
pub(super) fn holds(premise: Premise, rules: i64, head: i64) -> bool {
    match premise {
        Premise::Rules(position) => position == rules,
        Premise::Head(position) => position == head,
    }
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
