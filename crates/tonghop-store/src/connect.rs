//! Pools, connection options, transactions, and running migrations: what differs between the databases.

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, DbErr, IsolationLevel, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::{Pool, StoreError};

/// How long a statement waits for a lock, and a caller for a free connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections for reading. Each open snapshot holds one.
const READERS: u32 = 12;
/// A SQLite write-ahead log longer than this is cut back when it is next reset.
const LOG_KEPT: &str = "67108864";
/// How long a statement may run on PostgreSQL, so that none holds its locks for ever.
const LONGEST_STATEMENT: Duration = Duration::from_secs(60);
/// How long a writing transaction may lie idle on PostgreSQL: the locks of a process that was stopped in the
/// middle of one are free after that. Our transactions do nothing slow between their statements.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How PostgreSQL finds out that a process has gone without a word: after 10 s of silence it asks, three times
/// every 5 s; and what it sends has to be received within 20 s.
const GONE: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "20000"),
];
/// Processes that migrate the same PostgreSQL database take turns by an advisory lock, any number of our own.
/// Whoever comes second waits as long as the first takes; the migrations' own locks are waited for as ever.
const MIGRATION_LOCK: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
                              SELECT pg_advisory_xact_lock(8387507161); SET LOCAL lock_timeout = '10s'";

/// What SQLite promises about a commit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Durability {
    /// It is on the disk when `commit` returns.
    EveryCommit,
    /// It is whole or absent after a power cut; the last ones may be absent.
    WholeCommits,
}

/// A database as two pools: one connection that writes, several that read.
///
/// One writer a process, because a writer waits for the database's single lock anyhow: in the pool's queue it
/// waits in order, and readers always have connections of their own.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
}

impl Connections {
    /// Connects and brings the schema up to date.
    pub(crate) async fn open<M: MigratorTrait>(
        url: &str,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        check(url)?;
        let writer = connect(url, durability, Role::Writer).await?;
        migrate::<M>(&writer).await?;
        let reader = connect(url, durability, Role::Reader).await?;
        Ok(Self { writer, reader })
    }

    /// Reads, and reads again where a connection turns out to have broken while it lay in the pool, as all of them
    /// have after the server was started again. Nothing was changed by it, so that is safe.
    pub(crate) async fn read<T, Reading>(
        &self,
        read: impl Fn(DatabaseConnection) -> Reading,
    ) -> Result<T, StoreError>
    where
        Reading: Future<Output = Result<T, StoreError>>,
    {
        for _ in 0..READERS {
            match read(self.reader.clone()).await {
                Err(StoreError::Unavailable { source }) => {
                    tracing::debug!(error = %source, "read again on another connection");
                }
                other => return other,
            }
        }
        read(self.reader.clone()).await
    }

    /// For single statements that only read.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For single statements that write, each its own transaction.
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Which database it is.
    pub(crate) fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// A transaction that will write. On SQLite it holds the write lock from the start, so that it cannot fail
    /// half-way for having read too early; on PostgreSQL it takes row locks as it goes.
    pub(crate) async fn begin_write(&self) -> Result<DatabaseTransaction, StoreError> {
        begin_write(&self.writer).await
    }

    /// A transaction whose reads all see one state of the database: that of its first read.
    pub(crate) async fn begin_snapshot(
        reader: &DatabaseConnection,
    ) -> Result<DatabaseTransaction, StoreError> {
        let options = match reader.get_database_backend() {
            // A deferred transaction is a snapshot in WAL mode; SQLite has no levels to choose.
            DbBackend::Sqlite => TransactionOptions::default(),
            _ => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                sqlite_transaction_mode: None,
            },
        };
        Ok(reader.begin_with_options(options).await?)
    }

    /// Its pools, to be looked at.
    pub(crate) fn pools(&self) -> [Pool; 2] {
        let pool = |role: Role, connection: &DatabaseConnection| {
            Pool::new(role.name(), role.connections(), connection.clone())
        };
        [pool(Role::Writer, &self.writer), pool(Role::Reader, &self.reader)]
    }

    /// Closes all connections, after what they are doing.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.reader.close_by_ref().await?;
        Ok(self.writer.close_by_ref().await?)
    }
}

async fn begin_write(db: &DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
    let options = match db.get_database_backend() {
        DbBackend::Sqlite => TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        },
        // What follows a row lock must see what its last holder committed; a snapshot would not.
        _ => TransactionOptions {
            isolation_level: Some(IsolationLevel::ReadCommitted),
            ..TransactionOptions::default()
        },
    };
    Ok(db.begin_with_options(options).await?)
}

#[derive(Clone, Copy)]
enum Role {
    Writer,
    Reader,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Writer => "writer",
            Role::Reader => "reader",
        }
    }

    fn connections(self) -> u32 {
        match self {
            Role::Writer => 1,
            Role::Reader => READERS,
        }
    }
}

fn check(url: &str) -> Result<(), StoreError> {
    let refuse = |reason: &str| Err(StoreError::Url { reason: reason.to_owned() });
    if DbBackend::Sqlite.is_prefix_of(url) {
        if url.contains(":memory:") || url.contains("mode=memory") {
            return refuse(
                "an in-memory database has no write-ahead log and dies with its pool; name a file",
            );
        }
        return Ok(());
    }
    if DbBackend::Postgres.is_prefix_of(url) {
        return Ok(());
    }
    refuse("it must begin with sqlite: or postgres:")
}

async fn connect(url: &str, durability: Durability, role: Role) -> Result<DatabaseConnection, StoreError> {
    let options = options(url, durability, role);
    // Several processes that create the same SQLite file meet in the change to WAL, for which SQLite does not
    // wait by itself.
    let mut attempts = 0;
    loop {
        match Database::connect(options.clone()).await.map_err(StoreError::from) {
            // Whoever cannot connect to a server in all this time has not found it busy but away.
            Err(StoreError::Busy { source }) if !DbBackend::Sqlite.is_prefix_of(url) => {
                return Err(StoreError::Unavailable { source });
            }
            Err(StoreError::Busy { source }) if attempts < 50 => {
                attempts += 1;
                tracing::debug!(error = %source, attempts, "database is locked while connecting");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            result => return result,
        }
    }
}

fn options(url: &str, durability: Durability, role: Role) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(role.connections())
        .acquire_timeout(PATIENCE)
        .test_before_acquire_if_idle_for(Duration::from_secs(10))
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(match durability {
                    Durability::EveryCommit => SqliteSynchronous::Full,
                    Durability::WholeCommits => SqliteSynchronous::Normal,
                })
                .foreign_keys(true)
                .busy_timeout(PATIENCE)
                .pragma("journal_size_limit", LOG_KEPT);
            match role {
                Role::Writer => sqlite,
                Role::Reader => sqlite.pragma("query_only", "ON"),
            }
        })
        .map_sqlx_postgres_opts(move |postgres| {
            // With the connection's start, so that they also hold for those that the pool opens later.
            let milliseconds = |time: Duration| time.as_millis().to_string();
            let bounds = [
                ("statement_timeout", milliseconds(LONGEST_STATEMENT)),
                ("lock_timeout", milliseconds(PATIENCE)),
            ];
            let postgres = postgres.options(bounds).options(GONE);
            match role {
                Role::Writer => postgres
                    .application_name("tonghop writer")
                    .options([("idle_in_transaction_session_timeout", milliseconds(LONGEST_PAUSE))]),
                Role::Reader => postgres
                    .application_name("tonghop reader")
                    .options([("default_transaction_read_only", "on")]),
            }
        });
    options
}

/// Applies what is pending, under a lock, so that processes that start together do it once.
async fn migrate<M: MigratorTrait>(db: &DatabaseConnection) -> Result<(), StoreError> {
    if M::get_pending_migrations_read_only(db).await.map_err(migrating)?.is_empty() {
        return Ok(());
    }
    let transaction = begin_write(db).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(MIGRATION_LOCK).await?;
    }
    // Looks again at what is pending, now that nobody else can change it.
    M::up(&transaction, None).await.map_err(migrating)?;
    Ok(transaction.commit().await?)
}

fn migrating(error: DbErr) -> StoreError {
    match error {
        DbErr::Custom(reason) | DbErr::Migration(reason) => StoreError::Schema { reason },
        other => other.into(),
    }
}

/// Runs work that would hold up the async threads (compression, hashing) on a thread for it.
///
/// # Errors
///
/// [`StoreError::Unavailable`] if the runtime is shutting down.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(StoreError::unavailable(cancelled)),
        },
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Statement;
    use tonghop_testkit::postgres::{Database as Held, On};

    use super::*;
    use crate::migrations::LedgerMigrator;

    const PRAGMAS: [&str; 6] =
        ["journal_mode", "synchronous", "busy_timeout", "foreign_keys", "journal_size_limit", "query_only"];

    /// The pragmas of as many connections as the pool has, all held at once.
    async fn pragmas(pool: &DatabaseConnection, connections: u32) -> Vec<Vec<String>> {
        let mut held = Vec::new();
        for _ in 0..connections {
            held.push(pool.begin().await.expect("a connection"));
        }
        let mut all = Vec::new();
        for connection in &held {
            let mut values = Vec::new();
            for pragma in PRAGMAS {
                let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"));
                let row = connection.query_one_raw(statement).await.expect("a pragma").expect("its value");
                let text = row.try_get_by_index::<String>(0);
                values.push(
                    text.or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string())).expect("a value"),
                );
            }
            all.push(values);
        }
        all
    }

    #[tokio::test]
    async fn every_pooled_connection_has_the_pragmas() {
        let directory = tempfile::tempdir().expect("a directory");
        for (durability, synchronous) in [(Durability::EveryCommit, "2"), (Durability::WholeCommits, "1")] {
            let url = format!("sqlite://{}/{synchronous}.db", directory.path().display());
            let connections =
                Connections::open::<LedgerMigrator>(&url, durability).await.expect("an open database");
            let expected = |query_only| vec!["wal", synchronous, "10000", "1", LOG_KEPT, query_only];
            assert_eq!(pragmas(&connections.writer, 1).await, vec![expected("0")]);
            assert_eq!(pragmas(&connections.reader, READERS).await, vec![expected("1"); READERS as usize]);
        }
    }

    /// A database of each kind, with what holds it.
    fn databases(directory: &tempfile::TempDir) -> Vec<(String, Option<Held>)> {
        let mut all = vec![(format!("sqlite://{}/a.db", directory.path().display()), None)];
        if let Some(On::Postgres(server)) = On::postgres() {
            let database = server.database();
            all.push((database.url(), Some(database)));
        }
        all
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let directory = tempfile::tempdir().expect("a directory");
        for (url, _held) in databases(&directory) {
            let connections =
                Connections::open::<LedgerMigrator>(&url, Durability::EveryCommit).await.expect("open");
            let refused = connections.reader().execute_unprepared("DELETE FROM ledger_head").await;
            let message = refused.expect_err("a refusal").to_string();
            let reasons = ["attempt to write a readonly database", "in a read-only transaction"];
            assert!(reasons.iter().any(|reason| message.contains(reason)), "{message}");
        }
    }

    /// What the server says of one connection of a pool.
    async fn shown(pool: &DatabaseConnection, setting: &str) -> String {
        let statement = Statement::from_string(DbBackend::Postgres, format!("SHOW {setting}"));
        let row = pool.query_one_raw(statement).await.expect("a setting").expect("its value");
        row.try_get_by_index(0).expect("a text")
    }

    #[tokio::test]
    async fn connections_to_postgresql_are_bounded_in_time_and_say_who_they_are() {
        let Some(On::Postgres(server)) = On::postgres() else { return };
        let database = server.database();
        let url = database.url();
        let connections = Connections::open::<LedgerMigrator>(&url, Durability::EveryCommit);
        let connections = connections.await.expect("open");
        for (pool, name, pause) in
            [(&connections.writer, "tonghop writer", "5s"), (&connections.reader, "tonghop reader", "0")]
        {
            assert_eq!(shown(pool, "application_name").await, name);
            assert_eq!(shown(pool, "statement_timeout").await, "1min");
            assert_eq!(shown(pool, "lock_timeout").await, "10s");
            assert_eq!(shown(pool, "idle_in_transaction_session_timeout").await, pause);
        }
    }

    #[test]
    fn a_url_that_cannot_work_is_refused_with_the_reason() {
        for (url, reason) in [
            ("sqlite::memory:", "in-memory"),
            ("sqlite://x?mode=memory", "in-memory"),
            ("mysql://user:secret@host/db", "must begin with sqlite: or postgres:"),
        ] {
            let message = check(url).expect_err("a refusal").to_string();
            assert!(message.contains(reason) && !message.contains("secret"), "{message}");
        }
    }
}
