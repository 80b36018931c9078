//! A row read by its key, with sqlx and nothing else.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{PgPool, Row, SqlitePool};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tonghop_testkit::postgres::Database;
use tonic::transport::Channel;

use crate::Outcome;
use crate::peers::echo::ECHO;
use crate::setup::{Engine, Setup};
use crate::wire::call;

/// Rows in the table, and bytes in each: about those of a total's answer.
const ROWS: i64 = 2000;
const BYTES: usize = 256;
/// Connections that may be open.
const CONNECTIONS: u32 = 12;

/// The table, and what it is kept in.
#[derive(Debug)]
pub(crate) struct Point {
    pool: Pool,
    _kept: Kept,
}

/// An echo, and what it is called with.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) channels: Vec<Channel>,
    pub(crate) question: Bytes,
}

#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

#[derive(Debug)]
enum Kept {
    Files { _directory: TempDir },
    Database { _database: Database },
}

fn said(error: sqlx::Error) -> String {
    format!("sqlx: {error}")
}

impl Point {
    /// A table with rows in it.
    pub(crate) async fn new(setup: &Setup, engine: Engine) -> Outcome<Point> {
        let body = vec![7_u8; BYTES];
        match engine {
            Engine::Sqlite => {
                let directory = setup.directory()?;
                let options = SqliteConnectOptions::new()
                    .filename(directory.path().join("point.sqlite"))
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal);
                let pool = SqlitePoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .connect_with(options)
                    .await
                    .map_err(said)?;
                sqlx::query("CREATE TABLE point (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
                    .execute(&pool)
                    .await
                    .map_err(said)?;
                for id in 0..ROWS {
                    let insert = sqlx::query("INSERT INTO point VALUES (?, ?)").bind(id).bind(&body);
                    insert.execute(&pool).await.map_err(said)?;
                }
                Ok(Point { pool: Pool::Sqlite(pool), _kept: Kept::Files { _directory: directory } })
            }
            Engine::Postgres => {
                let database = setup.postgres.database();
                let pool = PgPoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .connect(&database.url())
                    .await
                    .map_err(said)?;
                sqlx::query("CREATE TABLE point (id bigint PRIMARY KEY, body bytea NOT NULL)")
                    .execute(&pool)
                    .await
                    .map_err(said)?;
                sqlx::query("INSERT INTO point SELECT n, $1 FROM generate_series(0, $2 - 1) AS n")
                    .bind(&body)
                    .bind(ROWS)
                    .execute(&pool)
                    .await
                    .map_err(said)?;
                Ok(Point { pool: Pool::Postgres(pool), _kept: Kept::Database { _database: database } })
            }
        }
    }

    /// Reads a second, so many in flight; after each a call of an echo, if there is one.
    pub(crate) async fn rate(
        &self,
        in_flight: usize,
        lasting: Duration,
        echo: Option<&Called>,
    ) -> Outcome<f64> {
        let begun = Instant::now();
        let mut lanes = JoinSet::new();
        for lane in 0..in_flight {
            let this = self.pool.clone();
            let echo = echo.map(|Called { channels, question }| {
                (channels[lane % channels.len()].clone(), question.clone())
            });
            lanes.spawn(async move {
                let mut count = 0_i64;
                while begun.elapsed() < lasting {
                    this.read((lane as i64 * 131 + count * 7) % ROWS).await?;
                    if let Some((channel, question)) = &echo {
                        call(channel, ECHO, question.clone()).await?;
                    }
                    count += 1;
                }
                Ok::<_, String>(count)
            });
        }
        let mut all = 0;
        while let Some(lane) = lanes.join_next().await {
            all += lane.map_err(|e| e.to_string())??;
        }
        Ok(all as f64 / begun.elapsed().as_secs_f64())
    }
}

impl Pool {
    async fn read(&self, id: i64) -> Outcome<usize> {
        let bytes: Vec<u8> = match self {
            Pool::Sqlite(pool) => {
                let query = sqlx::query("SELECT body FROM point WHERE id = ?").bind(id);
                query.fetch_one(pool).await.map_err(said)?.try_get(0).map_err(said)?
            }
            Pool::Postgres(pool) => {
                let query = sqlx::query("SELECT body FROM point WHERE id = $1").bind(id);
                query.fetch_one(pool).await.map_err(said)?.try_get(0).map_err(said)?
            }
        };
        Ok(bytes.len())
    }
}
