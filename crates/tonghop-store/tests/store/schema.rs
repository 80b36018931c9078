//! The schema and its migrations.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tonghop_store::{EntryKind, Ledger, NewEntry, Premise, StoreError, Tiles};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;

use crate::world::{World, append, entry};

on_both! {
    migrated_twice_is_the_same,
    ledger_and_tiles_share_one_database_without_meeting,
    the_keeper_leads_the_key_of_tiles_and_the_source_that_of_documents,
    processes_that_start_together_migrate_once,
    a_ledger_of_an_earlier_program_is_told_where_its_registry_is,
    an_entry_of_an_earlier_program_is_in_no_trace,
    a_pool_says_how_much_of_it_is_in_use,
    a_database_that_a_newer_program_has_migrated_is_refused,
}

const ALL_MIGRATIONS: [&str; 9] = [
    "m0001_ledger",
    "m0001_tiles",
    "m0002_ledger_registry",
    "m0002_tiles_confirmed",
    "m0003_ledger_trace",
    "m0003_tiles_past",
    "m0004_ledger_rules",
    "m0004_tiles_rules",
    "m0005_tiles_room",
];

/// Every table and index with its definition.
async fn schema(world: &World) -> Vec<String> {
    let raw = world.raw().await;
    let sql = match raw.get_database_backend() {
        DbBackend::Sqlite => "SELECT coalesce(sql, name) FROM sqlite_master ORDER BY 1",
        _ => {
            "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable \
             FROM information_schema.columns WHERE table_schema = 'public' \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        }
    };
    let rows =
        raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.expect("rows");
    rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("text")).collect()
}

async fn migrations(world: &World) -> Vec<String> {
    let raw = world.raw().await;
    let sql = "SELECT version FROM ledger_migration UNION ALL SELECT version FROM tiles_migration ORDER BY 1";
    let rows =
        raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.expect("rows");
    rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("text")).collect()
}

async fn migrated_twice_is_the_same(on: On) {
    let world = World::new(on).await;
    let (ledger, tiles) = (world.ledger().await, world.tiles().await);
    let once = schema(&world).await;
    ledger.close().await.unwrap();
    tiles.close().await.unwrap();
    let (_ledger, _tiles) = (world.ledger().await, world.tiles().await);
    assert_eq!(schema(&world).await, once);
    assert_eq!(migrations(&world).await, ALL_MIGRATIONS);
}

async fn ledger_and_tiles_share_one_database_without_meeting(on: On) {
    let world = World::new(on).await;
    let (_ledger, _tiles) = (world.ledger().await, world.tiles().await);
    let schema = schema(&world).await.join("\n");
    for table in [
        "ledger",
        "ledger_document",
        "ledger_head",
        "ledger_migration",
        "tile",
        "summary",
        "effect",
        "registry",
        "registry_kept",
        "review",
        "checkpoint",
        "lease",
        "tiles_migration",
    ] {
        let quoted = schema.contains(&format!("CREATE TABLE \"{table}\""))
            || schema.contains(&format!("CREATE TABLE IF NOT EXISTS \"{table}\""));
        assert!(quoted || schema.contains(&format!("{table}.")), "{table} in\n{schema}");
    }
    assert!(!schema.contains("REFERENCES") && !schema.contains("AUTOINCREMENT"), "{schema}");
}

async fn the_keeper_leads_the_key_of_tiles_and_the_source_that_of_documents(on: On) {
    let world = World::new(on).await;
    let (_ledger, _tiles) = (world.ledger().await, world.tiles().await);
    let schema = schema(&world).await.join("\n").replace('"', "");
    assert!(schema.contains("(keeper, series, end_day, period)"), "{schema}");
    assert!(schema.contains("(source, position)"), "{schema}");
    assert!(schema.contains("(series, end_day)"), "{schema}");
}

async fn processes_that_start_together_migrate_once(on: On) {
    let world = World::new(on).await;
    let mut starting = Vec::new();
    for _ in 0..6 {
        let url = world.url.clone();
        starting.push(tokio::spawn(async move {
            let ledger = Ledger::open(&url).await.expect("a ledger");
            let tiles = Tiles::open(&url).await.expect("tiles");
            (
                ledger.head().await.expect("a head"),
                tiles.snapshot().await.expect("tiles").checkpoint().position,
            )
        }));
    }
    for process in starting {
        assert_eq!(process.await.expect("a process"), (None, 0));
    }
    assert_eq!(migrations(&world).await, ALL_MIGRATIONS);
}

async fn a_ledger_of_an_earlier_program_is_told_where_its_registry_is(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    for (n, kind) in [EntryKind::Registry, EntryKind::Registry, EntryKind::Submission].into_iter().enumerate()
    {
        let premise = Premise::Head(n as i64);
        append(&ledger, NewEntry { kind, premise, ..entry("moh", &n.to_string(), "x") }).await;
    }
    ledger.close().await.unwrap();
    world.tamper("ALTER TABLE ledger_head DROP COLUMN registry_position").await;
    world.tamper("DELETE FROM ledger_migration WHERE version = 'm0002_ledger_registry'").await;
    assert_eq!(world.ledger().await.head().await.unwrap().unwrap().registry_position, 2);
}

async fn a_database_that_a_newer_program_has_migrated_is_refused(on: On) {
    let world = World::new(on).await;
    world.ledger().await.close().await.unwrap();
    world.tamper("INSERT INTO ledger_migration (version, applied_at) VALUES ('m9999_future', 0)").await;
    let error = Ledger::open(&world.url).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { .. }), "{error:?}");
    assert!(error.to_string().contains("m9999_future"), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_unavailable() {
    for url in ["sqlite:///no/such/directory/ledger.db", "postgres://user:secret@127.0.0.1:1/none"] {
        let error = Ledger::open(url).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }) && error.is_transient(), "{error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

async fn an_entry_of_an_earlier_program_is_in_no_trace(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    append(&ledger, entry("moh", "a", "x")).await;
    ledger.close().await.unwrap();
    world.tamper("ALTER TABLE ledger DROP COLUMN trace_parent").await;
    world.tamper("DELETE FROM ledger_migration WHERE version = 'm0003_ledger_trace'").await;
    let ledger = world.ledger().await;
    assert_eq!(ledger.entry(1).await.unwrap().unwrap().trace_parent, "");
    assert_eq!(ledger.verify_chain(|_| ()).await.unwrap().first_break, None);
}

async fn a_pool_says_how_much_of_it_is_in_use(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    let pools = tiles.pools();
    let [writer, reader] = &pools;
    assert_eq!(
        [(writer.role(), writer.most()), (reader.role(), reader.most())],
        [("writer", 1), ("reader", 12)]
    );
    let in_use = || {
        let (open, idle) = reader.open_and_idle();
        open - idle
    };
    let held = [tiles.snapshot().await.unwrap(), tiles.snapshot().await.unwrap()];
    assert_eq!(in_use(), 2);
    assert!(reader.open_and_idle().0 <= reader.most());
    drop(held);
}
