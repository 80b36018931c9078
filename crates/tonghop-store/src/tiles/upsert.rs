//! Rows that are inserted, or replace those of the same key.
//!
//! A batch has thousands of them, of the same few columns. Their statements are written here as text: a query builder
//! makes a tree of objects of every value and takes it apart again, which took as long as the database.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, Value};

use crate::StoreError;
use crate::entities::{effect, summary, tile};
use crate::row::chunks;

/// Rows in one statement; with 14 columns far below the 32,766 binds that SQLite takes.
const ROWS_AT_ONCE: usize = 250;

/// A row of a table with more than a few of them.
pub(super) trait Row {
    /// The table.
    const TABLE: &'static str;
    /// The columns of its key.
    const KEY: &'static [&'static str];
    /// All others.
    const REST: &'static [&'static str];

    /// Adds the values, in the order of the columns.
    fn add_to(self, values: &mut Vec<Value>);
}

impl Row for tile::Model {
    const TABLE: &'static str = "tile";
    const KEY: &'static [&'static str] = &["keeper", "series", "end_day", "period"];
    const REST: &'static [&'static str] = &["position", "body"];

    fn add_to(self, values: &mut Vec<Value>) {
        let Self { keeper, series, end_day, period, position, body } = self;
        values.extend([
            keeper.into(),
            series.into(),
            end_day.into(),
            period.into(),
            position.into(),
            body.into(),
        ]);
    }
}

impl Row for summary::Model {
    const TABLE: &'static str = "summary";
    const KEY: &'static [&'static str] = &["series", "end_day", "period"];
    const REST: &'static [&'static str] = &["position", "body"];

    fn add_to(self, values: &mut Vec<Value>) {
        let Self { series, end_day, period, position, body } = self;
        values.extend([series.into(), end_day.into(), period.into(), position.into(), body.into()]);
    }
}

impl Row for effect::Model {
    const TABLE: &'static str = "effect";
    const KEY: &'static [&'static str] = &["position"];
    const REST: &'static [&'static str] = &[
        "id",
        "kind",
        "source",
        "idempotency_key",
        "received_at",
        "digest",
        "figures",
        "new",
        "revised",
        "unchanged",
        "withdrawn",
        "note",
        "findings",
    ];

    fn add_to(self, values: &mut Vec<Value>) {
        values.extend([
            self.position.into(),
            self.id.into(),
            self.kind.into(),
            self.source.into(),
            self.idempotency_key.into(),
            self.received_at.into(),
            self.digest.into(),
            self.figures.into(),
            self.new.into(),
            self.revised.into(),
            self.unchanged.into(),
            self.withdrawn.into(),
            self.note.into(),
            self.findings.into(),
        ]);
    }
}

/// What becomes of rows whose keys are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum There {
    /// They are replaced, all but the key.
    Replaced,
    /// There are none: the table was emptied. The database need not look for any.
    None,
}

/// Writes rows of distinct keys.
///
/// # Errors
///
/// [`StoreError::Busy`] or [`StoreError::Unavailable`].
pub(super) async fn upsert<R: Row>(
    transaction: &DatabaseTransaction,
    rows: Vec<R>,
    there: There,
) -> Result<(), StoreError> {
    let backend = transaction.get_database_backend();
    for rows in chunks(rows, ROWS_AT_ONCE) {
        let sql = sql::<R>(backend, rows.len(), there);
        let mut values = Vec::with_capacity(rows.len() * (R::KEY.len() + R::REST.len()));
        rows.into_iter().for_each(|row| row.add_to(&mut values));
        transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    Ok(())
}

fn sql<R: Row>(backend: DbBackend, rows: usize, there: There) -> String {
    let columns: Vec<String> = R::KEY.iter().chain(R::REST).map(|column| format!("\"{column}\"")).collect();
    let mut sql = format!("INSERT INTO \"{}\" ({}) VALUES ", R::TABLE, columns.join(", "));
    for row in 0..rows {
        for column in 0..columns.len() {
            sql.push_str(match (row, column) {
                (0, 0) => "(",
                (_, 0) => "), (",
                _ => ", ",
            });
            match backend {
                // Writing to a text does not fail.
                DbBackend::Postgres => drop(write!(sql, "${}", row * columns.len() + column + 1)),
                _ => sql.push('?'),
            }
        }
    }
    sql.push(')');
    if there == There::Replaced {
        let rest = R::REST.iter().map(|column| format!("\"{column}\" = excluded.\"{column}\""));
        let (key, rest): (String, Vec<String>) = (columns[..R::KEY.len()].join(", "), rest.collect());
        sql.push_str(&format!(" ON CONFLICT ({key}) DO UPDATE SET {}", rest.join(", ")));
    }
    sql
}

#[cfg(test)]
mod tests {
    use sea_orm::{EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn};

    use super::*;

    fn is_of<E: EntityTrait + Default, R: Row>() {
        assert_eq!(R::TABLE, E::default().table_name());
        let key: Vec<&str> = E::PrimaryKey::iter().map(|key| key.into_column().as_str()).collect();
        assert_eq!(R::KEY, key);
        let columns: Vec<&str> = E::Column::iter().map(|column| column.as_str()).collect();
        assert_eq!([R::KEY, R::REST].concat(), columns);
    }

    #[test]
    fn columns_are_those_of_the_entities() {
        is_of::<tile::Entity, tile::Model>();
        is_of::<summary::Entity, summary::Model>();
        is_of::<effect::Entity, effect::Model>();
    }

    #[test]
    fn a_statement_has_a_place_for_every_value() {
        assert_eq!(
            sql::<summary::Model>(DbBackend::Postgres, 2, There::Replaced),
            "INSERT INTO \"summary\" (\"series\", \"end_day\", \"period\", \"position\", \"body\") VALUES \
             ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10) ON CONFLICT (\"series\", \"end_day\", \"period\") \
             DO UPDATE SET \"position\" = excluded.\"position\", \"body\" = excluded.\"body\""
        );
        assert_eq!(
            sql::<tile::Model>(DbBackend::Sqlite, 1, There::None),
            "INSERT INTO \"tile\" (\"keeper\", \"series\", \"end_day\", \"period\", \"position\", \"body\") VALUES \
             (?, ?, ?, ?, ?, ?)"
        );
    }
}
