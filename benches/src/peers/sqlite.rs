//! Rows in SQLite, on the disk at every commit (`synchronous=FULL`), keyed as in PostgreSQL.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use crate::Outcome;
use crate::figures::{Country, Month, value};

/// Rows in one statement.
const ROWS: usize = 1000;

/// Tables of rows in a file.
#[derive(Debug)]
pub(crate) struct Rows {
    connection: SqliteConnection,
}

fn said(error: sqlx::Error) -> String {
    format!("SQLite: {error}")
}

const SCHEMA: [&str; 3] = [
    "CREATE TABLE figures (month INTEGER NOT NULL, commune INTEGER NOT NULL, indicator INTEGER NOT NULL, \
     value INTEGER NOT NULL, PRIMARY KEY (month, commune, indicator)) WITHOUT ROWID",
    "CREATE TABLE above (commune INTEGER NOT NULL, unit INTEGER NOT NULL, PRIMARY KEY (commune, unit)) WITHOUT ROWID",
    "CREATE TABLE totals (month INTEGER NOT NULL, unit INTEGER NOT NULL, indicator INTEGER NOT NULL, \
     value INTEGER NOT NULL, cells INTEGER NOT NULL, PRIMARY KEY (month, unit, indicator)) WITHOUT ROWID",
];

/// A submission as rows: month, commune, indicator, value.
pub(crate) type Batch = Vec<[i64; 4]>;

/// A submission, made ready beforehand.
pub(crate) fn batch(country: &Country, communes: Range<usize>, month: Month) -> Batch {
    let row = |commune: usize, indicator: usize| {
        let v = value(commune, indicator, month);
        [i64::from(month.number()), commune as i64, indicator as i64, v]
    };
    communes.flat_map(|c| (0..country.indicators).map(move |i| row(c, i))).collect()
}

fn insert(rows: usize) -> String {
    let mut text = String::from("INSERT INTO figures VALUES ");
    for row in 0..rows {
        let _ = write!(text, "{}(?,?,?,?)", if row == 0 { "" } else { "," });
    }
    text.push_str(" ON CONFLICT DO UPDATE SET value = excluded.value");
    text
}

impl Rows {
    /// Empty tables in a new file.
    pub(crate) async fn new(path: &Path, country: &Country) -> Outcome<Rows> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", "-262144");
        let mut connection = options.connect().await.map_err(said)?;
        for statement in SCHEMA {
            sqlx::query(statement).execute(&mut connection).await.map_err(said)?;
        }
        let mut transaction = connection.begin().await.map_err(said)?;
        for (at, commune) in country.communes.iter().enumerate() {
            let provinces = country.provinces.len();
            for unit in [0, 1 + commune.province, 1 + provinces + commune.district] {
                let insert = sqlx::query("INSERT INTO above VALUES (?, ?)").bind(at as i64).bind(unit as i64);
                insert.execute(&mut *transaction).await.map_err(said)?;
            }
        }
        transaction.commit().await.map_err(said)?;
        Ok(Rows { connection })
    }

    /// No figures.
    pub(crate) async fn empty(&mut self) -> Outcome<()> {
        for statement in ["DELETE FROM figures", "DELETE FROM totals"] {
            sqlx::query(statement).execute(&mut self.connection).await.map_err(said)?;
        }
        Ok(())
    }

    /// One submission, committed.
    pub(crate) async fn upsert(&mut self, batch: &Batch) -> Outcome<()> {
        self.write(batch, false).await
    }

    /// One submission of new figures with the totals of three levels above, committed. (Of revised figures, what
    /// they were would have to be read as well.)
    pub(crate) async fn with_totals(&mut self, batch: &Batch) -> Outcome<()> {
        self.write(batch, true).await
    }

    async fn write(&mut self, batch: &Batch, totals: bool) -> Outcome<()> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await.map_err(said)?;
        for rows in batch.chunks(ROWS) {
            let mut query = sqlx::query(AssertSqlSafe(insert(rows.len())));
            for row in rows {
                for cell in row {
                    query = query.bind(cell);
                }
            }
            query.execute(&mut *transaction).await.map_err(said)?;
        }
        if let (true, Some(first), Some(last)) = (totals, batch.first(), batch.last()) {
            let add = sqlx::query(
                "INSERT INTO totals SELECT f.month, a.unit, f.indicator, SUM(f.value), COUNT(*) \
                 FROM figures f JOIN above a USING (commune) WHERE f.month = ? AND f.commune BETWEEN ? AND ? \
                 GROUP BY 1, 2, 3 ON CONFLICT DO UPDATE \
                 SET value = value + excluded.value, cells = cells + excluded.cells",
            );
            let add = add.bind(first[0]).bind(first[1]).bind(last[1]);
            add.execute(&mut *transaction).await.map_err(said)?;
        }
        transaction.commit().await.map_err(said)?;
        Ok(())
    }

    /// The sums by indicator.
    pub(crate) async fn sums(&mut self) -> Outcome<Vec<i64>> {
        self.pairs("SELECT indicator, SUM(value) FROM figures GROUP BY 1 ORDER BY 1").await
    }

    /// The nation's totals by indicator.
    pub(crate) async fn nation(&mut self) -> Outcome<Vec<i64>> {
        self.pairs("SELECT indicator, SUM(value) FROM totals WHERE unit = 0 GROUP BY 1 ORDER BY 1").await
    }

    async fn pairs(&mut self, statement: &'static str) -> Outcome<Vec<i64>> {
        let rows = sqlx::query(statement).fetch_all(&mut self.connection).await.map_err(said)?;
        rows.iter().map(|row| row.try_get(1).map_err(said)).collect()
    }
}
