//! A database for one test, and builders of what goes into it.
//!
//! On SQLite a file in a directory that goes away with the test, on PostgreSQL a database that does.

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tonghop_store::{
    Appended, Content, EntryKind, Ledger, NewEntry, Premise, Receipt, Summary, Tile, TileBatch, TileKey,
    Tiles,
};
use tonghop_testkit::postgres::{Database, On};
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) url: String,
    _held: Held,
}

/// What goes with the test.
enum Held {
    Directory { _directory: tempfile::TempDir },
    Database { _database: Database },
}

impl World {
    pub(crate) async fn new(on: On) -> Self {
        match on {
            On::Sqlite => {
                let directory = tempfile::tempdir().expect("a directory");
                let url = format!("sqlite://{}/store.db", directory.path().display());
                Self { url, _held: Held::Directory { _directory: directory } }
            }
            On::Postgres(server) => {
                let database = server.database();
                Self { url: database.url(), _held: Held::Database { _database: database } }
            }
        }
    }

    pub(crate) async fn ledger(&self) -> Ledger {
        Ledger::open(&self.url).await.expect("a ledger")
    }

    pub(crate) async fn tiles(&self) -> Tiles {
        Tiles::open(&self.url).await.expect("tiles")
    }

    /// The database behind the store's back.
    pub(crate) async fn raw(&self) -> DatabaseConnection {
        sea_orm::Database::connect(&self.url).await.expect("a connection")
    }

    /// Changes rows behind the store's back; says how many.
    pub(crate) async fn tamper(&self, sql: &str) -> u64 {
        self.raw().await.execute_unprepared(sql).await.expect("a statement").rows_affected()
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// A submission of `source` called `key`, whose document is `content`.
pub(crate) fn entry(source: &str, key: &str, content: &str) -> NewEntry {
    NewEntry {
        id: Uuid::now_v7(),
        kind: EntryKind::Submission,
        source: source.to_owned(),
        idempotency_key: key.to_owned(),
        content: Content::new("text/csv", content.to_owned()),
        skeleton: None,
        record: format!("record of {content}").into(),
        figures: 3,
        received_at: "2025-03-04T05:06:07.123456Z".parse().expect("a time"),
        note: "ghi chú".to_owned(),
        actor: String::new(),
        premise: Premise::Rules(0),
        trace_parent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
    }
}

/// Appends one entry that is expected to be new.
pub(crate) async fn append(ledger: &Ledger, entry: NewEntry) -> Receipt {
    match ledger.append(vec![entry]).await.expect("an append").remove(0) {
        Appended::New(receipt) => receipt,
        other => panic!("not new: {other:?}"),
    }
}

pub(crate) fn key(keeper: &str, series: &str, month: i32) -> TileKey {
    TileKey {
        keeper: keeper.to_owned(),
        series: series.to_owned(),
        end_day: month * 30,
        period: format!("month-{month}"),
    }
}

pub(crate) fn tile(key: TileKey, position: i64, body: &str) -> Tile {
    Tile { key, position, body: body.as_bytes().to_vec() }
}

pub(crate) fn summary(series: &str, month: i32, position: i64, body: &str) -> Summary {
    let TileKey { series, end_day, period, .. } = key("", series, month);
    Summary { series, period, end_day, position, body: body.as_bytes().to_vec() }
}

/// A batch without content that moves the checkpoint by one.
pub(crate) fn batch(expected_position: i64, epoch: i64) -> TileBatch {
    TileBatch {
        expected_position,
        position: expected_position + 1,
        ledger_digest: [7; 32],
        time: at(1_000),
        epoch,
        tiles: Vec::new(),
        summaries: Vec::new(),
        effects: Vec::new(),
        registry: None,
        registries_before: vec![],
        reviews: vec![],
        rules: vec![],
        replaces_all: false,
    }
}
