//! How much of a pool of connections is in use.

use sea_orm::{DatabaseConnection, DbBackend};

/// A pool of connections, to be looked at.
#[derive(Clone, Debug)]
pub struct Pool {
    role: &'static str,
    most: u32,
    connection: DatabaseConnection,
}

impl Pool {
    pub(crate) fn new(role: &'static str, most: u32, connection: DatabaseConnection) -> Pool {
        Pool { role, most, connection }
    }

    /// What it is for: `writer` or `reader`.
    #[must_use]
    pub fn role(&self) -> &'static str {
        self.role
    }

    /// How many connections it may open.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.most
    }

    /// How many connections are open, and how many of them nobody uses.
    #[must_use]
    pub fn open_and_idle(&self) -> (u32, u32) {
        let (open, idle) = match self.connection.get_database_backend() {
            DbBackend::Postgres => {
                let pool = self.connection.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
            _ => {
                let pool = self.connection.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        (open, u32::try_from(idle).unwrap_or(open))
    }
}
