//! Appending where the head stands as this process last saw it.
//!
//! Who appended last knows where the head is, and most often nobody else has appended since. So positions and digests
//! are worked out without asking, and everything is sent at once, to be written on the condition that the head still is
//! where it was: each answer that is waited for costs about as much as the disk. Whenever that condition fails, or a
//! key is in use, nothing was written, and the append is done again under the lock.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use sea_orm::{ConnectionTrait, DbBackend, SqlErr, Statement, Value};

use super::append::holds;
use super::{Appended, EntryKind, Ledger, Prepared, Receipt};
use crate::digest::chain_digest_over;
use crate::entities::{SINGLETON, ledger, ledger_document};
use crate::{Digest, StoreError};

/// Entries in one such append; with their columns far below the 65,535 binds that PostgreSQL takes.
const MOST_ENTRIES: usize = 200;

/// Where the head stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) position: i64,
    pub(super) digest: Digest,
    pub(super) registry_position: i64,
    pub(super) rules_position: i64,
}

/// Where this process left the head; none where it does not know.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Option<Left>>);

/// Where the head was left.
#[derive(Clone, Copy, Debug)]
struct Left {
    at: At,
    /// Whether it was found there where it had been left before: then nobody else seems to append. Where others do, an
    /// append that counts on the head's place would most often be done twice.
    alone: bool,
}

impl Seen {
    /// Whether the head was left here.
    pub(super) fn left_here(&self, at: At) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|left| left.at == at)
    }

    /// Leaves the head there.
    pub(super) fn leave(&self, at: At, alone: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Left { at, alone });
    }

    /// Takes the place that can be counted on, if there is one: nobody else goes on from there.
    fn take(&self) -> Option<At> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.take_if(|left| left.alone).map(|left| left.at)
    }
}

/// What is written where the head is still at `from`.
struct Plan {
    from: At,
    to: At,
    received_at: i64,
    receipts: Vec<Receipt>,
    headers: Vec<ledger::Model>,
    documents: Vec<ledger_document::Model>,
}

impl Ledger {
    /// Appends, if the head is where it was last seen and every entry is new; else nothing is written.
    pub(super) async fn append_swiftly(
        &self,
        entries: &[Prepared],
    ) -> Result<Option<Vec<Appended>>, StoreError> {
        let Some(from) = self.seen.take() else { return Ok(None) };
        let Some(plan) = plan(from, entries) else {
            self.seen.leave(from, true);
            return Ok(None);
        };
        let backend = self.connections.backend();
        let (sql, values) = match backend {
            DbBackend::Postgres => for_postgres(&plan),
            _ => for_sqlite(&plan),
        };
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let written = match self.connections.writer().query_one_raw(statement).await {
            Ok(Some(row)) => row.try_get_by_index::<i64>(0)?,
            Ok(None) => 0,
            Err(error) => {
                if backend == DbBackend::Sqlite {
                    // Most failures have ended the transaction already; then there is none, which is no trouble.
                    let _ = self.connections.writer().execute_unprepared("ROLLBACK").await;
                }
                return match error.sql_err() {
                    Some(SqlErr::UniqueConstraintViolation(_)) => Ok(None),
                    _ => Err(error.into()),
                };
            }
        };
        if written == 0 {
            return Ok(None);
        }
        self.seen.leave(plan.to, true);
        Ok(Some(plan.receipts.into_iter().map(Appended::New).collect()))
    }
}

/// Works out positions and digests; nothing where an entry's premise does not hold there, or two have one key.
fn plan(from: At, entries: &[Prepared]) -> Option<Plan> {
    if entries.is_empty() || entries.len() > MOST_ENTRIES {
        return None;
    }
    let mut to = from;
    let mut keys = HashSet::new();
    let (mut receipts, mut headers, mut documents) = (vec![], vec![], vec![]);
    for entry in entries {
        let mut receipt = entry.receipt.clone();
        if !holds(entry.premise, to.rules_position, to.position)
            || !keys.insert((&entry.receipt.source, &entry.receipt.idempotency_key))
        {
            return None;
        }
        to.position += 1;
        if receipt.kind == EntryKind::Registry {
            to.registry_position = to.position;
        }
        if receipt.kind.is_rule() {
            to.rules_position = to.position;
        }
        receipt.position = to.position;
        receipt.previous = to.digest;
        to.digest = chain_digest_over(&receipt, &entry.record_digest);
        receipt.digest = to.digest;
        headers.push(entry.header(&receipt));
        documents.push(entry.document(&receipt));
        receipts.push(receipt);
    }
    let received_at = receipts.last().map_or(0, |r| r.received_at.as_microsecond());
    Some(Plan { from, to, received_at, receipts, headers, documents })
}

/// On PostgreSQL: a single statement, which is its own transaction. The head's row is locked by its update, so that
/// whoever else writes waits, and then finds that it has moved. Answers with how many heads moved.
fn for_postgres(plan: &Plan) -> (String, Vec<Value>) {
    let mut binds = Binds { typed: true, values: vec![] };
    let head = head(plan, &mut binds);
    let (headers, documents) = (headers(plan, &mut binds), documents(plan, &mut binds));
    let sql = format!(
        "WITH moved AS ({head} RETURNING position), \
         headers AS (INSERT INTO {HEADER} SELECT given.* FROM ({headers}) AS given, moved), \
         documents AS (INSERT INTO {DOCUMENT} SELECT given.* FROM ({documents}) AS given, moved) \
         SELECT COUNT(*) FROM moved"
    );
    (sql, binds.values)
}

/// On SQLite: several statements that are sent as one, in a transaction that holds the only lock from its start. A key
/// that is in use ends it. Answers with how many documents were written.
fn for_sqlite(plan: &Plan) -> (String, Vec<Value>) {
    let mut binds = Binds { typed: false, values: vec![] };
    let head = head(plan, &mut binds);
    let moved = |binds: &mut Binds| {
        format!("(SELECT digest FROM ledger_head) = {}", binds.add("bytea", plan.to.digest.to_vec()))
    };
    let headers = headers(plan, &mut binds);
    let headers =
        format!("INSERT OR ROLLBACK INTO {HEADER} SELECT * FROM ({headers}) WHERE {}", moved(&mut binds));
    let documents = documents(plan, &mut binds);
    let documents =
        format!("INSERT OR ROLLBACK INTO {DOCUMENT} SELECT * FROM ({documents}) WHERE {}", moved(&mut binds));
    let sql = format!("BEGIN IMMEDIATE; {head}; {headers}; {documents}; COMMIT; SELECT changes()");
    (sql, binds.values)
}

const HEADER: &str = "ledger (position, id, kind, source, idempotency_key, content_digest, digest, previous, \
                      received_at, figures, note, media_type, actor, size, trace_parent)";
const DOCUMENT: &str = "ledger_document (source, position, document, record)";

/// The statement that moves the head, if it is where it was seen.
fn head(Plan { from, to, received_at, .. }: &Plan, binds: &mut Binds) -> String {
    format!(
        "UPDATE ledger_head SET position = {}, digest = {}, received_at = {}, registry_position = {}, \
         rules_position = {} WHERE singleton = {} AND position = {} AND digest = {} AND registry_position = {} \
         AND rules_position = {}",
        binds.add("bigint", to.position),
        binds.add("bytea", to.digest.to_vec()),
        binds.add("bigint", *received_at),
        binds.add("bigint", to.registry_position),
        binds.add("bigint", to.rules_position),
        binds.add("smallint", SINGLETON),
        binds.add("bigint", from.position),
        binds.add("bytea", from.digest.to_vec()),
        binds.add("bigint", from.registry_position),
        binds.add("bigint", from.rules_position),
    )
}

/// The entries' rows.
fn headers(plan: &Plan, binds: &mut Binds) -> String {
    let rows = plan.headers.iter().cloned().map(|row| {
        [
            binds.add("bigint", row.position),
            binds.add("uuid", row.id),
            binds.add("smallint", row.kind),
            binds.add("text", row.source),
            binds.add("text", row.idempotency_key),
            binds.add("bytea", row.content_digest),
            binds.add("bytea", row.digest),
            binds.add("bytea", row.previous),
            binds.add("bigint", row.received_at),
            binds.add("bigint", row.figures),
            binds.add("text", row.note),
            binds.add("text", row.media_type),
            binds.add("text", row.actor),
            binds.add("bigint", row.size),
            binds.add("text", row.trace_parent),
        ]
        .join(", ")
    });
    format!("VALUES ({})", rows.collect::<Vec<_>>().join("), ("))
}

/// Their documents' rows.
fn documents(plan: &Plan, binds: &mut Binds) -> String {
    let rows = plan.documents.iter().cloned().map(|row| {
        [
            binds.add("text", row.source),
            binds.add("bigint", row.position),
            binds.add("bytea", row.document),
            binds.add("bytea", row.record),
        ]
        .join(", ")
    });
    format!("VALUES ({})", rows.collect::<Vec<_>>().join("), ("))
}

/// Values in the order of their places in a statement.
struct Binds {
    /// Whether the places say their types.
    typed: bool,
    values: Vec<Value>,
}

impl Binds {
    fn add(&mut self, kind: &str, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        if self.typed { format!("${}::{kind}", self.values.len()) } else { "?".to_owned() }
    }
}
