//! What follows from the ledger.

mod keys;
mod lease;
mod past;
mod rows;
mod snapshot;
mod standing;
mod upsert;
mod write;

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

pub use lease::Lease;
pub use past::Changed;
pub use snapshot::{MAX_PAGE, MAX_ROWS, Snapshot};
pub use standing::StandingAt;
pub use write::MAX_BODY_BYTES;

use crate::connect::{Connections, Durability};
use crate::migrations::TilesMigrator;
use crate::{Digest, EntryKind, Pool, StoreError};

/// The tiles, and what goes with them up to the same position of the ledger.
///
/// They are read through a [`Snapshot`]. One process writes them, by a [`Lease`] whose epoch every write
/// checks. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Tiles {
    connections: Connections,
    known: Arc<standing::Known>,
    /// Whether no other process writes.
    owned: bool,
}

impl Tiles {
    /// Opens the database at `url` (`sqlite:///path/file.db`, created if missing), and brings its schema up to
    /// date.
    ///
    /// On SQLite the last writes may be gone after a power cut, each of them whole: the checkpoint says from
    /// where to follow the ledger again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Url`]; [`StoreError::Schema`] if a newer program has migrated the database;
    /// [`StoreError::Busy`] or [`StoreError::Unavailable`] if it cannot be reached.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let connections = Connections::open::<TilesMigrator>(url, Durability::WholeCommits).await?;
        Ok(Self { connections, known: Arc::default(), owned: false })
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

/// How far the tiles are in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last ledger position that the tiles contain; 0 when there is nothing yet.
    pub position: i64,
    /// The ledger's chain digest at that position; zeros when there is nothing yet.
    pub ledger_digest: Digest,
    /// When the entry at that position was received; `None` when there is nothing yet.
    pub time: Option<Timestamp>,
    /// The ledger position of the registry that the tiles follow.
    pub registry_position: Option<i64>,
    /// The lease epoch that wrote it; 0 when there is nothing yet.
    pub epoch: i64,
    /// Everything that was accepted until then is in; `None` when nobody has said so yet.
    pub confirmed_at: Option<Timestamp>,
}

/// Which tile: whose tree, of which series, for which period. Ordered as the table is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileKey {
    /// The unit key of the province, or of the nation.
    pub keeper: String,
    /// The series: indicator and breakdown.
    pub series: String,
    /// The period's last day, in days since 1970-01-01.
    pub end_day: i32,
    /// The period's label.
    pub period: String,
}

/// A keeper's tree for one series and period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Which tile it is.
    pub key: TileKey,
    /// The last ledger position that changed it.
    pub position: i64,
    /// The tree, in a form that the store does not look into.
    pub body: Vec<u8>,
}

/// Which tiles to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TileSelect {
    /// Tiles of some series whose period ends within a range of days, both included.
    Series {
        /// The series.
        series: Vec<String>,
        /// Only these keepers' tiles; `None` for all keepers.
        keepers: Option<Vec<String>>,
        /// The first day.
        from_end: i32,
        /// The last day.
        to_end: i32,
    },
    /// Tiles of some series whose period ends within any of several ranges of days, their ends included.
    Within {
        /// The series.
        series: Vec<String>,
        /// Only these keepers' tiles; `None` for all keepers.
        keepers: Option<Vec<String>>,
        /// The ranges, at least one.
        ends: Vec<(i32, i32)>,
    },
    /// The tiles with these keys, as far as they exist.
    Keys(Vec<TileKey>),
    /// All tiles, a page at a time, in an order of the database's own that is the same for all pages.
    Page {
        /// The last key of the page before; `None` for the first page.
        after: Option<TileKey>,
        /// How many at most; more than [`MAX_PAGE`] is as many as that.
        limit: u64,
    },
}

/// What all keepers together have for one series and period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The series.
    pub series: String,
    /// The period's label.
    pub period: String,
    /// The period's last day, in days since 1970-01-01.
    pub end_day: i32,
    /// The last ledger position that changed it.
    pub position: i64,
    /// The summary, in a form that the store does not look into.
    pub body: Vec<u8>,
}

/// What an entry of the ledger did to the tiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The entry's position.
    pub position: i64,
    /// The entry's own id.
    pub id: Uuid,
    /// What kind of entry it is.
    pub kind: EntryKind,
    /// The system it came from.
    pub source: String,
    /// The source's name for it.
    pub idempotency_key: String,
    /// When it was received, to the microsecond.
    pub received_at: Timestamp,
    /// Its chain digest.
    pub digest: Digest,
    /// How many figures it holds.
    pub figures: u32,
    /// How many of them were new.
    pub new: u32,
    /// How many replaced an earlier value.
    pub revised: u32,
    /// How many were what was there already.
    pub unchanged: u32,
    /// How many withdrew a value.
    pub withdrawn: u32,
    /// Remark by the sender or an administrator.
    pub note: String,
    /// What was found while applying it, in a form that the store does not look into.
    pub findings: Vec<u8>,
}

/// What [`Tiles::write`] writes, all or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileBatch {
    /// Where the checkpoint must be for the batch to apply.
    pub expected_position: i64,
    /// Where the checkpoint will be; not before `expected_position`.
    pub position: i64,
    /// The ledger's chain digest at `position`.
    pub ledger_digest: Digest,
    /// When the entry at `position` was received. Kept to the microsecond.
    pub time: Timestamp,
    /// The epoch of the writer's lease.
    pub epoch: i64,
    /// Tiles to insert or replace.
    pub tiles: Vec<Tile>,
    /// Summaries to insert or replace.
    pub summaries: Vec<Summary>,
    /// Effects to insert or replace.
    pub effects: Vec<Effect>,
    /// A new registry, with its ledger position. It is kept with those before it.
    pub registry: Option<(i64, Vec<u8>)>,
    /// Registries before that one to keep, with their ledger positions; those that are kept already may be left out.
    pub registries_before: Vec<(i64, Vec<u8>)>,
    /// Reviews to insert or replace.
    pub reviews: Vec<Review>,
    /// Rules to insert or replace.
    pub rules: Vec<Rule>,
    /// Whether everything stored is thrown away first: a rebuild, which readers see whole or not at all.
    pub replaces_all: bool,
}

/// An entry of the ledger that says who may do what, or what became of reports, for those who read the tiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its position.
    pub position: i64,
    /// What kind of entry it is.
    pub kind: EntryKind,
    /// Who did it; empty where nobody had to say.
    pub actor: String,
    /// When it was received, to the microsecond.
    pub received_at: Timestamp,
    /// What it says.
    pub record: Vec<u8>,
}

/// A frozen review: a name for a position, whose answers stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its name.
    pub name: String,
    /// The position that it is a name for.
    pub position: i64,
    /// The position of the ledger's entry that names it.
    pub entry_position: i64,
    /// When that was received. Kept to the microsecond.
    pub frozen_at: Timestamp,
    /// Remark by whoever froze it.
    pub note: String,
}

/// How many rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Tiles.
    pub tiles: u64,
    /// Summaries.
    pub summaries: u64,
    /// Effects.
    pub effects: u64,
    /// Registries: none or one.
    pub registries: u64,
}
