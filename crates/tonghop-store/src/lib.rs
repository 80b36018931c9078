//! The ledger and the tiles in a database: the only crate that knows SQL.
//!
//! | type | is |
//! |---|---|
//! | [`Ledger`] | what was accepted, in order: append, tail, look up, re-check. Rows never change |
//! | [`Tiles`] | what follows from it: tiles, summaries, effects, registries, reviews, the checkpoint |
//! | [`Snapshot`] | one consistent reading of the tiles |
//!
//! The two may be two databases (SQLite, so that their writers do not wait for each other) or one
//! (PostgreSQL). No table of one refers to a table of the other, and each keeps its own list of migrations.
//!
//! | module | idea |
//! |---|---|
//! | `connect`, `pool` | pools and their use, connection options, transactions, running migrations |
//! | `migrations` | the schema, as steps that are never edited once released |
//! | `entities` | the tables as sea-orm sees them; primitives only |
//! | `ledger` | appending under the head's lock or where it is known to stand, reading, verifying the chain |
//! | `tiles` | fenced writing, snapshots, the lease |
//! | `frame`, `digest`, `row` | compressed columns, what is hashed, columns back to values |
//!
//! # What holds here
//!
//! - No sea-orm type is in the public interface, and no SQL text is outside this crate.
//! - The clock is never read: times are arguments.
//! - Absence is `None`. A row that makes no sense is [`StoreError::Row`], with its table, column and key.
//! - Bodies, records and findings are opaque bytes; numbers are integers; times are microseconds.
//! - The same statements run on SQLite and PostgreSQL. What differs (pragmas, how a transaction begins, the
//!   lock around migrations) is in `connect`, and how an append is sent at once in `ledger/swift`.
//! - No foreign key, trigger, serial or cross-province sequence: see "Growing" in `ARCHITECTURE.md`.
//!
//! # To add a table
//!
//! 1. A new file in `src/migrations/` that creates it, listed last in `LedgerMigrator` or `TilesMigrator`.
//!    A migration that has been released is not edited; changes are expand, backfill, contract.
//!    If rows belong to a province or a source, that is the first column of the primary key.
//! 2. Its entity in `src/entities/`, with primitive fields.
//! 3. Its rows to and from a public type, beside the functions that use it, through `row`.
//! 4. If it is derived from the ledger: write it in `tiles/write.rs` in the checkpoint's transaction, and
//!    empty it in `Tiles::clear`.
//! 5. A test in `tests/store/`, and the table's name in `schema.rs` there.

mod connect;
mod digest;
#[expect(unreachable_pub, reason = "sea-orm's derives need their input public")]
mod entities;
mod error;
mod frame;
mod ledger;
mod migrations;
mod pool;
mod row;
mod tiles;

pub use digest::{Digest, chain_digest, content_digest};
pub use error::StoreError;
pub use ledger::{
    Appended, ChainBreak, ChainReport, Content, Differs, Document, Entry, EntryKind, Head, Ledger,
    MAX_DOCUMENT_BYTES, MAX_KEY_BYTES, MAX_READ_ENTRIES, MAX_TEXT_BYTES, NewEntry, Parts, Premise, Prepared,
    Receipt, Recorded, Rewrite, Rewritten,
};
pub use pool::Pool;
pub use tiles::{
    Changed, Checkpoint, Counts, Effect, Lease, MAX_BODY_BYTES, MAX_PAGE, MAX_ROWS, Review, Rule, Snapshot,
    StandingAt, Summary, Tile, TileBatch, TileKey, TileSelect, Tiles,
};
