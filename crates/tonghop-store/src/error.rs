//! What can go wrong between the services and the database.

use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// A failure of the store.
///
/// `Display` says what happened, for an operator; `source()` is what the database said. Whoever handles the
/// error chooses the status that a caller sees.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Waited for a lock or a free connection in vain, or lost a race that the database settled. Trying again
    /// is right.
    #[error("the database is busy")]
    Busy {
        /// What the database said.
        source: Cause,
    },
    /// The database cannot be reached, or cannot work: connection refused or broken, disk full or failing.
    #[error("the database is unavailable")]
    Unavailable {
        /// What the database or the driver said.
        source: Cause,
    },
    /// The database URL does not name a database that this program can use.
    #[error("database URL: {reason}")]
    Url {
        /// What is wrong with it, without the URL itself, which may hold a password.
        reason: String,
    },
    /// The schema cannot be brought to the version that this program knows.
    #[error("database schema: {reason}")]
    Schema {
        /// What the migrator said, such as that a newer program has migrated this database.
        reason: String,
    },
    /// A stored row makes no sense: damaged, or written by something else.
    #[error("table {table}, column {column}, key {key}: {reason}")]
    Row {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's primary key, as text.
        key: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// A row with the same unique key is there already, where the caller promised a new one: for the ledger,
    /// a submission's id that is in use under another idempotency key.
    #[error("table {table} already has a row with the same key")]
    Duplicate {
        /// The table.
        table: &'static str,
    },
    /// A value to be stored is not acceptable; nothing was written.
    #[error("cannot store {what}: {reason}")]
    Refused {
        /// Which value, and of which row.
        what: String,
        /// Why not.
        reason: String,
    },
    /// The answer would have more rows than a call may return.
    #[error("more than {limit} rows of table {table} match; ask for fewer")]
    TooMany {
        /// The table.
        table: &'static str,
        /// The most that a call returns.
        limit: u64,
    },
    /// The lease has passed to another holder, or was never taken; nothing was written.
    #[error("fenced: lease epoch {given} was given, the lease is {}", describe(*current))]
    Fenced {
        /// The epoch that the caller came with.
        given: i64,
        /// The epoch that holds the lease, if it is held.
        current: Option<i64>,
    },
    /// The checkpoint is not where the batch starts from; nothing was written.
    #[error("out of order: the batch starts from position {expected}, the checkpoint is at {found}")]
    OutOfOrder {
        /// Where the batch starts from.
        expected: i64,
        /// Where the checkpoint is; or, for a batch that ends before it starts, where it ends.
        found: i64,
    },
    /// The database refused a statement for a reason that this crate does not expect.
    #[error("the database refused a statement")]
    Sql {
        /// What the database said.
        source: Cause,
    },
}

/// What lies beneath a [`StoreError`]; its type is nobody's business outside this crate.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

impl StoreError {
    /// Whether the same call may succeed a little later: [`Busy`](Self::Busy) or
    /// [`Unavailable`](Self::Unavailable).
    ///
    /// An append that failed so may nevertheless have happened; its idempotency key makes repeating it safe.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unavailable { .. })
    }

    pub(crate) fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable { source: cause.into() }
    }

    /// An insert's failure, where a unique violation has a meaning of its own.
    pub(crate) fn inserting(table: &'static str) -> impl FnOnce(DbErr) -> Self {
        move |error| match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Duplicate { table },
            _ => error.into(),
        }
    }
}

fn describe(current: Option<i64>) -> String {
    current.map_or_else(|| "free".to_owned(), |epoch| format!("held with epoch {epoch}"))
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let trouble = match &error {
            DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout) => Trouble::Busy,
            DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::ConnectionClosed) => Trouble::Unavailable,
            DbErr::Conn(RuntimeErr::SqlxError(cause)) => match trouble(cause) {
                Trouble::Other => Trouble::Unavailable,
                known => known,
            },
            DbErr::Conn(RuntimeErr::Internal(_)) => Trouble::Unavailable,
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                trouble(cause)
            }
            _ => Trouble::Other,
        };
        let source = Box::new(error);
        match trouble {
            Trouble::Busy => Self::Busy { source },
            Trouble::Unavailable => Self::Unavailable { source },
            Trouble::Other => Self::Sql { source },
        }
    }
}

#[derive(Clone, Copy)]
enum Trouble {
    Busy,
    Unavailable,
    Other,
}

fn trouble(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::Database(cause) => {
            let code = cause.code().unwrap_or_default();
            match cause.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
                Some(_) => sqlite_trouble(&code),
                None => sqlstate_trouble(&code),
            }
        }
        sqlx::Error::PoolTimedOut => Trouble::Busy,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => Trouble::Unavailable,
        _ => Trouble::Other,
    }
}

/// By SQLite's primary result code, which is the low byte of the extended one.
fn sqlite_trouble(code: &str) -> Trouble {
    match code.parse::<i32>().map(|extended| extended & 0xff) {
        // BUSY, LOCKED
        Ok(5 | 6) => Trouble::Busy,
        // IOERR, FULL, CANTOPEN
        Ok(10 | 13 | 14) => Trouble::Unavailable,
        _ => Trouble::Other,
    }
}

/// By SQLSTATE: serialization failure, deadlock, lock not available and query cancelled are busy; the classes
/// 08 (connection), 53 (resources) and 57 (operator intervention) are unavailable, and so is a session that the server
/// ended because its process was stopped in a transaction.
fn sqlstate_trouble(code: &str) -> Trouble {
    match code {
        "40001" | "40P01" | "55P03" | "57014" => Trouble::Busy,
        "25P03" => Trouble::Unavailable,
        _ if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => Trouble::Unavailable,
        _ => Trouble::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_trouble_is_told_apart_from_lost_connections() {
        for code in ["5", "6", "261", "517"] {
            assert!(matches!(sqlite_trouble(code), Trouble::Busy), "{code}");
        }
        for code in ["10", "13", "14", "778"] {
            assert!(matches!(sqlite_trouble(code), Trouble::Unavailable), "{code}");
        }
        for code in ["40001", "40P01", "57014"] {
            assert!(matches!(sqlstate_trouble(code), Trouble::Busy), "{code}");
        }
        for code in ["08006", "25P03", "53300", "57P01"] {
            assert!(matches!(sqlstate_trouble(code), Trouble::Unavailable), "{code}");
        }
        for code in ["23505", "42601"] {
            assert!(matches!(sqlstate_trouble(code), Trouble::Other), "{code}");
        }
    }

    #[test]
    fn waiting_for_a_connection_in_vain_is_busy_and_a_closed_pool_unavailable() {
        let timeout = StoreError::from(DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout));
        assert!(matches!(timeout, StoreError::Busy { .. }) && timeout.is_transient(), "{timeout:?}");
        let closed = StoreError::from(DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::ConnectionClosed));
        assert!(matches!(closed, StoreError::Unavailable { .. }) && closed.is_transient(), "{closed:?}");
    }

    #[test]
    fn the_fence_says_who_holds_the_lease() {
        let held = StoreError::Fenced { given: 1, current: Some(2) };
        assert_eq!(held.to_string(), "fenced: lease epoch 1 was given, the lease is held with epoch 2");
        let free = StoreError::Fenced { given: 1, current: None };
        assert_eq!(free.to_string(), "fenced: lease epoch 1 was given, the lease is free");
    }
}
