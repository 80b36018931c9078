//! Rows in PostgreSQL: keyed by month, commune, indicator, so that a month's figures are appended to the index.

use std::ops::Range;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use tonghop_testkit::postgres::{Database, Postgres};

use crate::Outcome;
use crate::figures::{Country, Month, value};

/// Settings of a server that keeps its word, with the memory a team would give it on a small machine.
const SETTINGS: [&str; 6] = [
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=1GB",
    "max_wal_size=8GB",
    "work_mem=256MB",
];

/// Starts a server, which lasts as long as this process.
pub(crate) fn server() -> Outcome<&'static Postgres> {
    let server = Postgres::start(&SETTINGS).ok_or("PostgreSQL is not installed (Debian: postgresql)")?;
    Ok(Box::leak(Box::new(server)))
}

/// Tables of rows in a database of their own.
#[derive(Debug)]
pub(crate) struct Rows {
    connection: PgConnection,
    /// Goes with this.
    _database: Database,
}

fn said(error: sqlx::Error) -> String {
    format!("PostgreSQL: {error}")
}

/// The columns of a submission.
struct Columns {
    communes: Vec<i32>,
    indicators: Vec<i16>,
    months: Vec<i32>,
    values: Vec<i64>,
}

/// A submission, made ready beforehand.
pub(crate) struct Batch {
    columns: Columns,
    /// As COPY takes it, in its binary format.
    copy: Vec<u8>,
}

impl Batch {
    pub(crate) fn of(country: &Country, communes: Range<usize>, month: Month) -> Batch {
        let mut columns = Columns { communes: vec![], indicators: vec![], months: vec![], values: vec![] };
        let mut copy = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        for commune in communes {
            for indicator in 0..country.indicators {
                let (c, i, m) = (commune as i32, indicator as i16, month.number());
                let v = value(commune, indicator, month);
                columns.communes.push(c);
                columns.indicators.push(i);
                columns.months.push(m);
                columns.values.push(v);
                copy.extend(4_i16.to_be_bytes());
                for field in [&m.to_be_bytes()[..], &c.to_be_bytes(), &i.to_be_bytes(), &v.to_be_bytes()] {
                    copy.extend((field.len() as i32).to_be_bytes());
                    copy.extend(field);
                }
            }
        }
        copy.extend((-1_i16).to_be_bytes());
        Batch { columns, copy }
    }
}

const SCHEMA: [&str; 4] = [
    "CREATE TABLE figures (month int NOT NULL, commune int NOT NULL, indicator smallint NOT NULL, \
     value bigint NOT NULL, PRIMARY KEY (month, commune, indicator))",
    "CREATE TABLE above (commune int NOT NULL, unit int NOT NULL, PRIMARY KEY (commune, unit))",
    "CREATE TABLE totals (month int NOT NULL, unit int NOT NULL, indicator smallint NOT NULL, \
     value bigint NOT NULL, cells bigint NOT NULL, PRIMARY KEY (month, unit, indicator))",
    "CREATE TABLE single (id bigserial PRIMARY KEY, document bytea NOT NULL)",
];

/// Upserts the figures and adds what they change to the totals of the levels above, in one statement.
const DELTA: &str = "
    WITH new AS (SELECT * FROM UNNEST($1::int[], $2::int[], $3::smallint[], $4::bigint[])
                          AS n (month, commune, indicator, value)),
         delta AS (SELECT n.month, n.commune, n.indicator, n.value - COALESCE(f.value, 0) AS value,
                          (f.value IS NULL)::int AS cells
                   FROM new n LEFT JOIN figures f USING (month, commune, indicator)),
         kept AS (INSERT INTO figures SELECT * FROM new
                  ON CONFLICT (month, commune, indicator) DO UPDATE SET value = excluded.value)
    INSERT INTO totals
    SELECT d.month, a.unit, d.indicator, SUM(d.value)::bigint, SUM(d.cells)
    FROM delta d JOIN above a USING (commune) GROUP BY 1, 2, 3
    ON CONFLICT (month, unit, indicator)
    DO UPDATE SET value = totals.value + excluded.value, cells = totals.cells + excluded.cells";

const UPSERT: &str = "
    INSERT INTO figures SELECT * FROM UNNEST($1::int[], $2::int[], $3::smallint[], $4::bigint[])
    ON CONFLICT (month, commune, indicator) DO UPDATE SET value = excluded.value";

impl Rows {
    /// Empty tables.
    pub(crate) async fn new(server: &'static Postgres, country: &Country) -> Outcome<Rows> {
        let database = server.database();
        let mut connection = PgConnection::connect(&database.url()).await.map_err(said)?;
        for statement in SCHEMA {
            sqlx::query(statement).execute(&mut connection).await.map_err(said)?;
        }
        let (mut communes, mut units) = (vec![], vec![]);
        for (at, commune) in country.communes.iter().enumerate() {
            // Units above are numbered: the nation, the provinces, the districts.
            let provinces = country.provinces.len();
            for unit in [0, 1 + commune.province, 1 + provinces + commune.district] {
                communes.push(at as i32);
                units.push(unit as i32);
            }
        }
        let above = sqlx::query("INSERT INTO above SELECT * FROM UNNEST($1::int[], $2::int[])");
        above.bind(communes).bind(units).execute(&mut connection).await.map_err(said)?;
        sqlx::query("ANALYZE above").execute(&mut connection).await.map_err(said)?;
        Ok(Rows { connection, _database: database })
    }

    /// No figures.
    pub(crate) async fn empty(&mut self) -> Outcome<()> {
        sqlx::query("TRUNCATE figures, totals").execute(&mut self.connection).await.map_err(said)?;
        Ok(())
    }

    /// One submission by COPY, committed.
    pub(crate) async fn copy(&mut self, batch: &Batch) -> Outcome<()> {
        let mut copy = self
            .connection
            .copy_in_raw("COPY figures (month, commune, indicator, value) FROM STDIN (FORMAT binary)")
            .await
            .map_err(said)?;
        copy.send(batch.copy.as_slice()).await.map_err(said)?;
        copy.finish().await.map_err(said)?;
        Ok(())
    }

    /// One submission by an upsert of arrays, committed.
    pub(crate) async fn upsert(&mut self, batch: &Batch) -> Outcome<()> {
        self.with_columns(UPSERT, batch).await
    }

    /// One submission with the totals of three levels above, committed.
    pub(crate) async fn delta(&mut self, batch: &Batch) -> Outcome<()> {
        self.with_columns(DELTA, batch).await
    }

    async fn with_columns(&mut self, statement: &'static str, batch: &Batch) -> Outcome<()> {
        let Columns { communes, indicators, months, values } = &batch.columns;
        let query = sqlx::query(statement).bind(months).bind(communes).bind(indicators).bind(values);
        query.execute(&mut self.connection).await.map_err(said)?;
        Ok(())
    }

    /// One row of some bytes, committed.
    pub(crate) async fn single(&mut self, document: &[u8]) -> Outcome<()> {
        let query = sqlx::query("INSERT INTO single (document) VALUES ($1)").bind(document);
        query.execute(&mut self.connection).await.map_err(said)?;
        Ok(())
    }

    /// The sums by indicator.
    pub(crate) async fn sums(&mut self) -> Outcome<Vec<i64>> {
        self.pairs("SELECT indicator, SUM(value)::bigint FROM figures GROUP BY 1 ORDER BY 1").await
    }

    /// The nation's totals by indicator.
    pub(crate) async fn nation(&mut self) -> Outcome<Vec<i64>> {
        self.pairs("SELECT indicator, SUM(value)::bigint FROM totals WHERE unit = 0 GROUP BY 1 ORDER BY 1")
            .await
    }

    async fn pairs(&mut self, statement: &'static str) -> Outcome<Vec<i64>> {
        let rows = sqlx::query(statement).fetch_all(&mut self.connection).await.map_err(said)?;
        rows.iter().map(|row| row.try_get(1).map_err(said)).collect()
    }
}

/// What a database takes, in bytes, with its indexes.
pub(crate) async fn size_of(url: &str) -> Outcome<u64> {
    let mut connection = PgConnection::connect(url).await.map_err(said)?;
    let query = sqlx::query("SELECT pg_database_size(current_database())");
    let size: i64 = query.fetch_one(&mut connection).await.map_err(said)?.try_get(0).map_err(said)?;
    u64::try_from(size).map_err(|e| e.to_string())
}
