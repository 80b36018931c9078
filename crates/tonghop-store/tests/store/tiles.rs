//! Tiles, summaries and effects: written, selected, counted.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use tonghop_store::{
    Checkpoint, Counts, Effect, EntryKind, MAX_PAGE, StoreError, Summary, Tile, TileBatch, TileKey,
    TileSelect, Tiles,
};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use uuid::Uuid;

use crate::world::{World, at, batch, key, summary, tile};

on_both! {
    before_the_first_write_everything_is_empty,
    a_batch_is_read_back_whole,
    tiles_are_selected_by_series_keepers_and_days,
    tiles_are_selected_by_exact_keys,
    pages_cover_every_tile_once,
    writing_a_key_again_replaces_the_row,
    summaries_that_change_with_every_batch_take_no_more_room_for_it,
    a_batch_that_replaces_all_leaves_nothing_else,
    a_batch_of_many_statements_is_one_write,
    a_key_that_a_batch_has_twice_is_refused_and_nothing_is_written,
    a_snapshot_does_not_see_what_is_written_after_it,
    clearing_empties_all_but_the_lease,
    snapshots_that_use_up_the_readers_leave_the_writer_alone,
}

const TTL: Duration = Duration::from_secs(30);

/// Tiles that this test may write, with the epoch to do it.
async fn leased(world: &World) -> (Tiles, i64) {
    let tiles = world.tiles().await;
    let lease = tiles.acquire_lease("test", TTL, at(0)).await.expect("a lease").expect("a free lease");
    (tiles, lease.epoch)
}

/// Three keepers with two series and three months each; the body says which tile it is.
fn all_tiles() -> Vec<Tile> {
    let mut tiles = Vec::new();
    for keeper in ["vn", "vn-01", "vn-02"] {
        for series in ["births", "deaths"] {
            for month in 1..=3 {
                tiles.push(tile(key(keeper, series, month), 1, &format!("{keeper} {series} {month}")));
            }
        }
    }
    tiles
}

async fn select(tiles: &Tiles, select: TileSelect) -> Vec<String> {
    let found = tiles.snapshot().await.expect("a snapshot").tiles(select).await.expect("tiles");
    found.into_iter().map(|tile| String::from_utf8(tile.body).expect("text")).collect()
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|&value| value.to_owned()).collect()
}

fn effect(position: i64) -> Effect {
    Effect {
        position,
        id: Uuid::from_u128(position as u128),
        kind: EntryKind::Submission,
        source: "moh".to_owned(),
        idempotency_key: format!("key-{position}"),
        received_at: at(500),
        digest: [3; 32],
        figures: 10,
        new: 4,
        revised: 3,
        unchanged: 2,
        withdrawn: 1,
        note: "ghi chú".to_owned(),
        findings: vec![1, 2, 3],
    }
}

async fn before_the_first_write_everything_is_empty(on: On) {
    let world = World::new(on).await;
    let snapshot = world.tiles().await.snapshot().await.unwrap();
    let empty = Checkpoint {
        position: 0,
        ledger_digest: [0; 32],
        time: None,
        registry_position: None,
        epoch: 0,
        confirmed_at: None,
    };
    assert_eq!(snapshot.checkpoint(), &empty);
    assert_eq!(snapshot.registry().await.unwrap(), None);
    assert_eq!(snapshot.effect(1).await.unwrap(), None);
    assert_eq!(snapshot.effect_by_id(Uuid::nil()).await.unwrap(), None);
    assert_eq!(
        snapshot.counts().await.unwrap(),
        Counts { tiles: 0, summaries: 0, effects: 0, registries: 0 }
    );
}

async fn a_batch_is_read_back_whole(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    let written = TileBatch {
        position: 4,
        tiles: all_tiles(),
        summaries: vec![
            summary("births", 1, 2, "b1"),
            summary("births", 2, 2, "b2"),
            summary("deaths", 1, 2, "d1"),
        ],
        effects: vec![effect(2), effect(1)],
        registry: Some((3, b"registry".to_vec())),
        ..batch(0, epoch)
    };
    tiles.write(written).await.unwrap();

    let snapshot = tiles.snapshot().await.unwrap();
    let expected = Checkpoint {
        position: 4,
        ledger_digest: [7; 32],
        time: Some(at(1_000)),
        registry_position: Some(3),
        epoch,
        confirmed_at: None,
    };
    assert_eq!(snapshot.checkpoint(), &expected);
    assert_eq!(snapshot.registry().await.unwrap(), Some((3, b"registry".to_vec())));
    assert_eq!(snapshot.effect(2).await.unwrap(), Some(effect(2)));
    assert_eq!(snapshot.effect_by_id(Uuid::from_u128(1)).await.unwrap(), Some(effect(1)));
    assert_eq!(snapshot.effects(&[9, 2, 1, 2]).await.unwrap(), [effect(1), effect(2)]);
    let counts = Counts { tiles: 18, summaries: 3, effects: 2, registries: 1 };
    assert_eq!(snapshot.counts().await.unwrap(), counts);
    let both = strings(&["deaths", "births", "births"]);
    let expected = [summary("births", 1, 2, "b1"), summary("deaths", 1, 2, "d1")];
    assert_eq!(snapshot.summaries(&both, 30, 30).await.unwrap(), expected);
    assert_eq!(snapshot.summaries_at(&both, "month-2").await.unwrap(), [summary("births", 2, 2, "b2")]);
    assert_eq!(snapshot.summaries(&[], 0, 100).await.unwrap(), []);
}

async fn tiles_are_selected_by_series_keepers_and_days(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    tiles.write(TileBatch { tiles: all_tiles(), ..batch(0, epoch) }).await.unwrap();
    let series = |series: &[&str], keepers: Option<&[&str]>, from_end, to_end| TileSelect::Series {
        series: strings(series),
        keepers: keepers.map(strings),
        from_end,
        to_end,
    };
    let births = select(&tiles, series(&["births"], None, 30, 60)).await;
    let expected = [
        "vn births 1",
        "vn births 2",
        "vn-01 births 1",
        "vn-01 births 2",
        "vn-02 births 1",
        "vn-02 births 2",
    ];
    assert_eq!(births, expected);
    let of_two =
        select(&tiles, series(&["deaths", "births", "births"], Some(&["vn-02", "vn", "vn"]), 90, 90)).await;
    assert_eq!(of_two, ["vn births 3", "vn deaths 3", "vn-02 births 3", "vn-02 deaths 3"]);
    assert_eq!(select(&tiles, series(&["births"], Some(&[]), 0, 100)).await, [""; 0]);
    assert_eq!(select(&tiles, series(&[], None, 0, 100)).await, [""; 0]);
    assert_eq!(select(&tiles, series(&["births"], None, 60, 30)).await, [""; 0]);
}

async fn tiles_are_selected_by_exact_keys(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    tiles.write(TileBatch { tiles: all_tiles(), ..batch(0, epoch) }).await.unwrap();
    let keys = |keys: &[TileKey]| TileSelect::Keys(keys.to_vec());
    // The cross product of what is asked for is larger than what is asked for.
    let asked = keys(&[
        key("vn-02", "deaths", 2),
        key("vn-01", "births", 1),
        key("vn-01", "births", 1),
        key("vn-01", "none", 1),
    ]);
    assert_eq!(select(&tiles, asked).await, ["vn-01 births 1", "vn-02 deaths 2"]);
    let national = keys(&["vn-02", "vn-01", "vn-99"].map(|keeper| key(keeper, "births", 3)));
    assert_eq!(select(&tiles, national).await, ["vn-01 births 3", "vn-02 births 3"]);
    // The same label with another last day is another tile.
    let other_day = TileKey { end_day: 31, ..key("vn-01", "births", 1) };
    assert_eq!(select(&tiles, keys(&[other_day])).await, [""; 0]);
    assert_eq!(select(&tiles, keys(&[])).await, [""; 0]);
}

async fn pages_cover_every_tile_once(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    tiles.write(TileBatch { tiles: all_tiles(), ..batch(0, epoch) }).await.unwrap();
    let snapshot = tiles.snapshot().await.unwrap();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = snapshot.tiles(TileSelect::Page { after, limit: 5 }).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 5);
        after = Some(last.key.clone());
        seen.extend(page);
    }
    seen.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(seen, all_tiles());
    let all = snapshot.tiles(TileSelect::Page { after: None, limit: MAX_PAGE + 1 }).await.unwrap();
    assert_eq!(all.len(), 18);
}

async fn summaries_that_change_with_every_batch_take_no_more_room_for_it(on: On) {
    let is_postgres = matches!(on, On::Postgres(_));
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    // Bytes that do not become shorter, of the length that a nation's cells have.
    let body = |n: i64| {
        let mut state = n as u64;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(1600).collect::<Vec<u8>>()
    };
    for n in 0..40 {
        let of =
            |month| Summary { body: body(64 * n + i64::from(month)), ..summary("births", month, n + 1, "") };
        tiles.write(TileBatch { summaries: (1..=60).map(of).collect(), ..batch(n, epoch) }).await.unwrap();
    }
    let size = if is_postgres {
        "SELECT pg_total_relation_size('summary')"
    } else {
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    };
    let raw = world.raw().await;
    let statement = Statement::from_string(raw.get_database_backend(), size);
    let row = raw.query_one_raw(statement).await.expect("a size").expect("a row");
    let bytes: i64 = row.try_get_by_index(0).expect("a number");
    // What stands is 96,000 bytes, and 40 times that was written.
    assert!(bytes < 8 * 96_000, "{bytes}");
}

async fn writing_a_key_again_replaces_the_row(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    let first = TileBatch {
        tiles: all_tiles(),
        summaries: vec![summary("births", 1, 1, "old")],
        registry: Some((1, b"old".to_vec())),
        ..batch(0, epoch)
    };
    tiles.write(first).await.unwrap();
    let changed = tile(key("vn-01", "births", 1), 2, "new");
    let second = TileBatch {
        tiles: vec![changed.clone()],
        summaries: vec![summary("births", 1, 2, "new")],
        registry: Some((2, b"new".to_vec())),
        ..batch(1, epoch)
    };
    tiles.write(second).await.unwrap();

    let snapshot = tiles.snapshot().await.unwrap();
    assert_eq!(snapshot.tiles(TileSelect::Keys(vec![changed.key.clone()])).await.unwrap(), [changed]);
    assert_eq!(snapshot.registry().await.unwrap(), Some((2, b"new".to_vec())));
    let births = snapshot.summaries(&strings(&["births"]), 0, 100).await.unwrap();
    assert_eq!(births, [summary("births", 1, 2, "new")]);
    assert_eq!(
        snapshot.counts().await.unwrap(),
        Counts { tiles: 18, summaries: 1, effects: 0, registries: 1 }
    );
}

async fn a_batch_that_replaces_all_leaves_nothing_else(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    let first = TileBatch {
        tiles: all_tiles(),
        summaries: vec![summary("births", 1, 1, "old")],
        effects: vec![effect(1)],
        ..batch(0, epoch)
    };
    tiles.write(first).await.unwrap();
    let before = tiles.snapshot().await.unwrap();
    let only = tile(key("vn-01", "births", 1), 2, "new");
    let anew = TileBatch { tiles: vec![only.clone()], replaces_all: true, ..batch(1, epoch) };
    tiles.write(anew).await.unwrap();

    let after = tiles.snapshot().await.unwrap();
    let all = after.tiles(TileSelect::Page { after: None, limit: 100 }).await.unwrap();
    assert_eq!(all, [only]);
    assert_eq!(after.counts().await.unwrap(), Counts { tiles: 1, summaries: 0, effects: 0, registries: 0 });
    assert_eq!(before.counts().await.unwrap().tiles, 18, "a reader of before sees what was before");
}

async fn a_batch_of_many_statements_is_one_write(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    let many: Vec<Tile> = (0..2_000).map(|n| tile(key("vn-01", &format!("series-{n}"), 1), 1, "x")).collect();
    let keys: Vec<TileKey> = many.iter().map(|tile| tile.key.clone()).collect();
    tiles.write(TileBatch { tiles: many, ..batch(0, epoch) }).await.unwrap();
    assert_eq!(select(&tiles, TileSelect::Keys(keys)).await.len(), 2_000);
}

async fn a_key_that_a_batch_has_twice_is_refused_and_nothing_is_written(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    let twice = vec![tile(key("vn", "births", 1), 1, "a"), tile(key("vn", "births", 1), 1, "b")];
    let error = tiles.write(TileBatch { tiles: twice, ..batch(0, epoch) }).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    assert_eq!(error.to_string(), "cannot store tile vn births month-1: the batch has it twice");
    assert_eq!(tiles.snapshot().await.unwrap().checkpoint().position, 0);
}

async fn a_snapshot_does_not_see_what_is_written_after_it(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    tiles.write(TileBatch { tiles: all_tiles(), ..batch(0, epoch) }).await.unwrap();
    // Nothing but the snapshot itself is asked for before the write.
    let before = tiles.snapshot().await.unwrap();

    let changed = TileBatch {
        tiles: vec![tile(key("vn", "births", 1), 2, "changed"), tile(key("vn", "new", 1), 2, "new")],
        effects: vec![effect(2)],
        registry: Some((2, b"registry".to_vec())),
        ..batch(1, epoch)
    };
    tiles.write(changed).await.unwrap();

    let of_vn = || TileSelect::Keys(vec![key("vn", "births", 1), key("vn", "new", 1)]);
    let bodies = |tiles: Vec<Tile>| tiles.into_iter().map(|tile| tile.body).collect::<Vec<_>>();
    assert_eq!(before.checkpoint().position, 1);
    assert_eq!(bodies(before.tiles(of_vn()).await.unwrap()), [b"vn births 1"]);
    assert_eq!(before.effect(2).await.unwrap(), None);
    assert_eq!(before.registry().await.unwrap(), None);

    let after = tiles.snapshot().await.unwrap();
    assert_eq!(after.checkpoint().position, 2);
    assert_eq!(bodies(after.tiles(of_vn()).await.unwrap()), [b"changed".to_vec(), b"new".to_vec()]);
    assert_eq!(after.effect(2).await.unwrap(), Some(effect(2)));
}

async fn clearing_empties_all_but_the_lease(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    let full = TileBatch {
        tiles: all_tiles(),
        summaries: vec![summary("births", 1, 1, "x")],
        effects: vec![effect(1)],
        registry: Some((1, b"registry".to_vec())),
        ..batch(0, epoch)
    };
    tiles.write(full).await.unwrap();

    tiles.clear(epoch).await.unwrap();

    let snapshot = tiles.snapshot().await.unwrap();
    assert_eq!(
        snapshot.counts().await.unwrap(),
        Counts { tiles: 0, summaries: 0, effects: 0, registries: 0 }
    );
    assert_eq!((snapshot.checkpoint().position, snapshot.checkpoint().time), (0, None));
    tiles.write(batch(0, epoch)).await.unwrap();
    assert_eq!(tiles.snapshot().await.unwrap().checkpoint().position, 1);
}

async fn snapshots_that_use_up_the_readers_leave_the_writer_alone(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    let mut open = Vec::new();
    while let Ok(snapshot) = tokio::time::timeout(Duration::from_millis(500), tiles.snapshot()).await {
        open.push(snapshot.unwrap());
    }
    assert_eq!(open.len(), 12);
    let lease = tiles.acquire_lease("test", TTL, at(0)).await.unwrap().unwrap();
    tiles.write(batch(0, lease.epoch)).await.unwrap();
    drop(open);
    assert_eq!(tiles.snapshot().await.unwrap().checkpoint().position, 1);
}
