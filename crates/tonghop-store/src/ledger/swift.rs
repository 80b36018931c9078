//! Appending where the head stands as this process last saw it.
//!
//! Who appended last knows where the head is, and most often nobody else has appended since. So positions and digests
//! are worked out without asking, and everything is written on the condition that the head still is where it was: on
//! PostgreSQL in a single statement, which is its own transaction; on SQLite in one that reads nothing. Whenever that
//! condition fails, or a key is in use, nothing was written, and the append is done again under the lock.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, SqlErr, Statement, Value};

use super::append::{holds, write};
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
}

/// Where this process last saw the head; none where it does not know.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Option<At>>);

impl Seen {
    /// The head is there.
    pub(super) fn at(&self, at: Option<At>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn last(&self) -> Option<At> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let Some(plan) = self.seen.last().and_then(|from| plan(from, entries)) else { return Ok(None) };
        // Whatever becomes of it, nobody else goes on from here.
        self.seen.at(None);
        let written = match self.connections.backend() {
            DbBackend::Postgres => self.in_one_statement(&plan).await,
            _ => self.in_one_transaction(&plan).await,
        };
        match written {
            Ok(true) => {
                self.seen.at(Some(plan.to));
                Ok(Some(plan.receipts.into_iter().map(Appended::New).collect()))
            }
            Ok(false) | Err(StoreError::Duplicate { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// On PostgreSQL. The head's row is locked by its update, so that whoever else writes waits, and then finds that
    /// it has moved.
    async fn in_one_statement(&self, plan: &Plan) -> Result<bool, StoreError> {
        let (sql, values) = statement(plan);
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        match self.connections.writer().query_one_raw(statement).await {
            Ok(moved) => Ok(moved.is_some()),
            Err(error) => Err(duplicate(error)),
        }
    }

    /// On SQLite, whose transaction holds the only lock from its start.
    async fn in_one_transaction(&self, plan: &Plan) -> Result<bool, StoreError> {
        let transaction = self.connections.begin_write().await?;
        if !moved(&transaction, plan).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        match write(&transaction, plan.headers.clone(), plan.documents.clone()).await {
            Ok(()) => transaction.commit().await?,
            Err(error) => {
                transaction.rollback().await?;
                return Err(error);
            }
        }
        Ok(true)
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
        if !holds(entry.premise, to.registry_position, to.position)
            || !keys.insert((&entry.receipt.source, &entry.receipt.idempotency_key))
        {
            return None;
        }
        to.position += 1;
        if receipt.kind == EntryKind::Registry {
            to.registry_position = to.position;
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

/// Moves the head, if it is where it was seen.
async fn moved(transaction: &DatabaseTransaction, plan: &Plan) -> Result<bool, StoreError> {
    let Plan { from, to, received_at, .. } = plan;
    let update = Query::update()
        .table("ledger_head")
        .values([
            ("position", Expr::value(to.position)),
            ("digest", Expr::value(to.digest.to_vec())),
            ("received_at", Expr::value(*received_at)),
            ("registry_position", Expr::value(to.registry_position)),
        ])
        .and_where(Expr::col("singleton").eq(SINGLETON))
        .and_where(Expr::col("position").eq(from.position))
        .and_where(Expr::col("digest").eq(from.digest.to_vec()))
        .and_where(Expr::col("registry_position").eq(from.registry_position))
        .take();
    Ok(transaction.execute(&update).await?.rows_affected() == 1)
}

/// The statement that moves the head and writes the rows, and answers with a row where it did.
fn statement(plan: &Plan) -> (String, Vec<Value>) {
    let Plan { from, to, received_at, headers, documents, .. } = plan;
    let mut binds = Binds::default();
    let mut sql = format!(
        "WITH moved AS (UPDATE ledger_head SET position = {}, digest = {}, received_at = {}, \
         registry_position = {} WHERE singleton = {} AND position = {} AND digest = {} AND registry_position = {} \
         RETURNING position), ",
        binds.add("bigint", to.position),
        binds.add("bytea", to.digest.to_vec()),
        binds.add("bigint", *received_at),
        binds.add("bigint", to.registry_position),
        binds.add("smallint", SINGLETON),
        binds.add("bigint", from.position),
        binds.add("bytea", from.digest.to_vec()),
        binds.add("bigint", from.registry_position),
    );
    let rows = headers.iter().map(|row| {
        let ledger::Model { position, id, kind, source, idempotency_key, content_digest, .. } = row.clone();
        let ledger::Model { digest, previous, received_at, figures, note, media_type, size, .. } =
            row.clone();
        vec![
            binds.add("bigint", position),
            binds.add("uuid", id),
            binds.add("smallint", kind),
            binds.add("text", source),
            binds.add("text", idempotency_key),
            binds.add("bytea", content_digest),
            binds.add("bytea", digest),
            binds.add("bytea", previous),
            binds.add("bigint", received_at),
            binds.add("bigint", figures),
            binds.add("text", note),
            binds.add("text", media_type),
            binds.add("bigint", size),
            binds.add("text", row.trace_parent.clone()),
        ]
        .join(", ")
    });
    let rows: Vec<String> = rows.collect();
    insert(
        &mut sql,
        "headers",
        "ledger (position, id, kind, source, idempotency_key, content_digest, digest, previous, received_at, \
         figures, note, media_type, size, trace_parent)",
        &rows,
    );
    sql.push_str(", ");
    let rows = documents.iter().map(|row| {
        [
            binds.add("text", row.source.clone()),
            binds.add("bigint", row.position),
            binds.add("bytea", row.document.clone()),
            binds.add("bytea", row.record.clone()),
        ]
        .join(", ")
    });
    let rows: Vec<String> = rows.collect();
    insert(&mut sql, "documents", "ledger_document (source, position, document, record)", &rows);
    sql.push_str(" SELECT position FROM moved");
    (sql, binds.values)
}

/// An insert of rows, made only where the head moved.
fn insert(sql: &mut String, name: &str, into: &str, rows: &[String]) {
    let values = rows.join("), (");
    // Writing to a text does not fail.
    let _ =
        write!(sql, "{name} AS (INSERT INTO {into} SELECT rows.* FROM (VALUES ({values})) AS rows, moved)");
}

/// Values by their numbers.
#[derive(Default)]
struct Binds {
    values: Vec<Value>,
}

impl Binds {
    fn add(&mut self, kind: &str, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}::{kind}", self.values.len())
    }
}

fn duplicate(error: DbErr) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Duplicate { table: "ledger" },
        _ => error.into(),
    }
}
