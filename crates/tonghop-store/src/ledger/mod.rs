//! What was accepted, in order.

mod append;
mod entry;
mod kept;
mod prepare;
mod read;
mod swift;
mod verify;

pub use entry::{Appended, Content, Document, Entry, EntryKind, Head, NewEntry, Premise, Receipt, Recorded};
pub use kept::{Parts, Rewrite, Rewritten};
pub use prepare::{MAX_KEY_BYTES, MAX_TEXT_BYTES, Prepared};
pub use read::MAX_READ_ENTRIES;
pub use verify::{ChainBreak, ChainReport, Differs};

use std::sync::Arc;

use crate::connect::{Connections, Durability};
use crate::migrations::LedgerMigrator;
use crate::{Pool, StoreError};

/// The longest document, and the longest record, that the ledger takes.
pub const MAX_DOCUMENT_BYTES: usize = crate::frame::MAX_BYTES;

/// The ledger: entries at dense positions from 1, each holding the digest of the one before.
///
/// Entries are never changed or deleted. Any number of processes may append to and read the same ledger;
/// positions are dense and appear in order, so whoever has read up to a position misses nothing by asking for
/// what comes after it. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Ledger {
    connections: Connections,
    rewrite: Option<Rewrite>,
    /// Where this process last saw the head.
    seen: Arc<swift::Seen>,
}

impl Ledger {
    /// Opens the database at `url` (`sqlite:///path/file.db`, created if missing), and brings its schema up to
    /// date.
    ///
    /// On SQLite an append that has returned is on the disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::Url`]; [`StoreError::Schema`] if a newer program has migrated the database;
    /// [`StoreError::Busy`] or [`StoreError::Unavailable`] if it cannot be reached.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let connections = Connections::open::<LedgerMigrator>(url, Durability::EveryCommit).await?;
        Ok(Self { connections, rewrite: None, seen: Arc::default() })
    }

    /// With a way to write documents again from their skeletons and records. Documents that come with a skeleton are
    /// then kept as it, after they came out the same once; without it they are kept themselves, and those that are
    /// not cannot be read.
    #[must_use]
    pub fn rewriting(self, rewrite: Rewrite) -> Self {
        Self { rewrite: Some(rewrite), ..self }
    }

    /// Its pools of connections, to be looked at.
    #[must_use]
    pub fn pools(&self) -> [Pool; 2] {
        self.connections.pools()
    }

    /// Closes the connections of this and all clones, after what they are doing. Dropping does it too, a
    /// little later.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if a connection breaks while closing.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.connections.close().await
    }
}
