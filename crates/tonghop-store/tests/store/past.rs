//! What was: registries and reviews that are kept, and what changed since a position.

use std::time::Duration;

use tonghop_store::{Review, Tile, TileBatch, TileSelect, Tiles};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;

use crate::world::{World, at, batch, key, summary, tile};

on_both! {
    every_registry_is_kept_with_where_it_came_into_force,
    reviews_are_found_by_name_and_listed_in_pages,
    what_changed_after_a_position_is_told_in_its_order,
    tiles_and_summaries_of_several_days_are_read_in_one_statement_each,
    tiles_of_an_earlier_program_keep_the_registry_that_they_have,
}

async fn leased(world: &World) -> (Tiles, i64) {
    let tiles = world.tiles().await;
    let lease = tiles.acquire_lease("test", Duration::from_secs(30), at(0)).await.expect("a lease");
    (tiles, lease.expect("a free lease").epoch)
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|&value| value.to_owned()).collect()
}

fn review(name: &str, position: i64) -> Review {
    let (frozen_at, note) = (at(5), "ghi chú".to_owned());
    Review { name: name.to_owned(), position, entry_position: position + 1, frozen_at, note }
}

async fn every_registry_is_kept_with_where_it_came_into_force(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    assert_eq!(tiles.snapshot().await.unwrap().checkpoint().registry_position, None);
    for (expected, registry) in [(0, Some(1)), (1, None), (2, Some(3)), (3, None)] {
        let registry = registry.map(|position: i64| (position, format!("of {position}").into_bytes()));
        tiles.write(TileBatch { registry, ..batch(expected, epoch) }).await.unwrap();
    }
    let snapshot = tiles.snapshot().await.unwrap();
    assert_eq!(snapshot.checkpoint().registry_position, Some(3));
    let mut found = vec![];
    for position in 0..=4 {
        found.push(snapshot.registry_position_at(position).await.unwrap());
    }
    assert_eq!(found, [None, Some(1), Some(1), Some(3), Some(3)]);
    assert_eq!(snapshot.registry_loaded_at(1).await.unwrap(), Some(b"of 1".to_vec()));
    assert_eq!(snapshot.registry_loaded_at(2).await.unwrap(), None);
    let both = vec![(1, b"of 1".to_vec()), (3, b"of 3".to_vec())];
    assert_eq!(snapshot.registries().await.unwrap(), both);
    drop(snapshot);

    // A rebuild writes all of them anew; clearing leaves none.
    let anew = TileBatch {
        registry: Some(both[1].clone()),
        registries_before: vec![both[0].clone()],
        replaces_all: true,
        ..batch(4, epoch)
    };
    tiles.write(anew).await.unwrap();
    assert_eq!(tiles.snapshot().await.unwrap().registries().await.unwrap(), both);
    tiles.clear(epoch).await.unwrap();
    let snapshot = tiles.snapshot().await.unwrap();
    assert_eq!(snapshot.registries().await.unwrap(), []);
    assert_eq!(snapshot.checkpoint().registry_position, None);
}

async fn reviews_are_found_by_name_and_listed_in_pages(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    let all: Vec<Review> = (1..=5).map(|n| review(&format!("r{n}"), n)).collect();
    tiles.write(TileBatch { reviews: all.clone(), ..batch(0, epoch) }).await.unwrap();
    let snapshot = tiles.snapshot().await.unwrap();
    assert_eq!(snapshot.review("r3").await.unwrap(), Some(review("r3", 3)));
    assert_eq!(snapshot.review("r").await.unwrap(), None);
    let (mut paged, mut after) = (vec![], String::new());
    loop {
        let page = snapshot.reviews(&after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.name.clone();
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(snapshot.all_reviews().await.unwrap().len(), 5);
    drop(snapshot);
    let twice = TileBatch { reviews: vec![review("r", 1), review("r", 2)], ..batch(1, epoch) };
    tiles.write(twice).await.expect_err("a name is given once");
    tiles.write(TileBatch { replaces_all: true, ..batch(1, epoch) }).await.unwrap();
    assert_eq!(tiles.snapshot().await.unwrap().all_reviews().await.unwrap(), []);
}

async fn what_changed_after_a_position_is_told_in_its_order(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    let of = |month, position| tile(key("vn-01", "births", month), position, "x");
    let first = TileBatch { tiles: vec![of(1, 1), of(2, 1), of(3, 1)], ..batch(0, epoch) };
    tiles.write(first).await.unwrap();
    tiles.write(TileBatch { tiles: vec![of(3, 2)], ..batch(1, epoch) }).await.unwrap();
    tiles.write(TileBatch { tiles: vec![of(1, 3)], ..batch(2, epoch) }).await.unwrap();
    let snapshot = tiles.snapshot().await.unwrap();
    let after = async |position, limit| {
        let changed = snapshot.changed_after(position, limit).await.unwrap();
        changed.into_iter().map(|c| (c.key.period, c.position)).collect::<Vec<_>>()
    };
    let told = |month: i32, position: i64| (format!("month-{month}"), position);
    assert_eq!(after(1, 10).await, [told(3, 2), told(1, 3)]);
    assert_eq!(after(0, 10).await, [told(2, 1), told(3, 2), told(1, 3)]);
    assert_eq!(after(0, 2).await, [told(2, 1), told(3, 2)]);
    assert_eq!(after(3, 10).await, []);
}

async fn tiles_and_summaries_of_several_days_are_read_in_one_statement_each(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    let mut all: Vec<Tile> = vec![];
    for keeper in ["vn-01", "vn-02"] {
        for series in ["births", "deaths", "moves"] {
            all.extend((1..=6).map(|month| tile(key(keeper, series, month), 1, "x")));
        }
    }
    let summaries = (1..=6).map(|month| summary("births", month, 1, "s")).collect();
    tiles.write(TileBatch { tiles: all, summaries, ..batch(0, epoch) }).await.unwrap();
    let snapshot = tiles.snapshot().await.unwrap();
    let before = snapshot.statements();
    let read = |keepers: Option<&[&str]>| TileSelect::Within {
        series: strings(&["births", "moves", "births"]),
        keepers: keepers.map(strings),
        ends: vec![(30, 60), (150, 150), (1000, 2000)],
    };
    let found = snapshot.tiles(read(None)).await.unwrap();
    assert_eq!(found.len(), 2 * 2 * 3);
    assert!(found.iter().all(|t| t.key.series != "deaths" && [30, 60, 150].contains(&t.key.end_day)));
    assert_eq!(snapshot.tiles(read(Some(&["vn-02"]))).await.unwrap().len(), 2 * 3);
    let on_days = snapshot.summaries_on(&strings(&["births", "deaths"]), &[60, 180, 60, 7]).await.unwrap();
    assert_eq!(on_days, [summary("births", 2, 1, "s"), summary("births", 6, 1, "s")]);
    assert_eq!(snapshot.statements() - before, 3);
}

async fn tiles_of_an_earlier_program_keep_the_registry_that_they_have(on: On) {
    let world = World::new(on).await;
    let (tiles, epoch) = leased(&world).await;
    tiles.write(TileBatch { registry: Some((1, b"old".to_vec())), ..batch(0, epoch) }).await.unwrap();
    tiles.close().await.unwrap();
    for sql in [
        "ALTER TABLE checkpoint DROP COLUMN registry_position",
        "DROP TABLE registry_kept",
        "DROP TABLE review",
        "DROP INDEX tile_position",
        "DELETE FROM tiles_migration WHERE version = 'm0003_tiles_past'",
    ] {
        world.tamper(sql).await;
    }
    let snapshot = world.tiles().await.snapshot().await.unwrap();
    assert_eq!(snapshot.checkpoint().registry_position, Some(1));
    assert_eq!(snapshot.registries().await.unwrap(), [(1, b"old".to_vec())]);
}
