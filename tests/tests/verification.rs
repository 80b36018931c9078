//! Verification finds what was changed behind the services' back, and a rebuild puts it right.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tonghop_core::figure::Scope;
use tonghop_core::quantity::Qualifier;
use tonghop_store::{Summary, Tile, TileBatch, TileSelect, Tiles};
use tonghop_tests::Server;
use tonghop_tiles::{Revision, Said, SummaryBody, TileBody};

/// Writes tiles and summaries as somebody would who reaches the database, changed by `change`.
async fn tamper(database: &str, change: impl Fn(&mut Vec<Tile>, &mut Vec<Summary>)) {
    let tiles = Tiles::open(database).await.expect("open");
    let snapshot = tiles.snapshot().await.expect("a snapshot");
    let checkpoint = snapshot.checkpoint().clone();
    let mut all = snapshot.tiles(TileSelect::Page { after: None, limit: 1000 }).await.expect("tiles");
    let series: Vec<String> = all.iter().map(|t| t.key.series.clone()).collect();
    let mut summaries = snapshot.summaries(&series, i32::MIN, i32::MAX).await.expect("summaries");
    drop(snapshot);
    change(&mut all, &mut summaries);
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let lease = tiles.acquire_lease("embedded", Duration::from_secs(1), now).await.expect("the database");
    let batch = TileBatch {
        expected_position: checkpoint.position,
        position: checkpoint.position,
        ledger_digest: checkpoint.ledger_digest,
        time: checkpoint.time.expect("a time"),
        epoch: lease.expect("the holder may take it again").epoch,
        tiles: all,
        summaries,
        effects: vec![],
        registry: None,
        registries_before: vec![],
        reviews: vec![],
        rules: vec![],
        replaces_all: false,
    };
    tiles.write(batch).await.expect("written");
    tiles.close().await.expect("closed");
}

/// Waits for something that nobody promised a time for.
async fn wait(mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come about");
    }
}

async fn with_one_figure() -> Server {
    let server = Server::start().await;
    let figure = json!({"unit": "01864", "indicator": "tg02", "period": "2024-M05", "scope": "own", "value": "12",
                        "breakdown": {"reporter": "cong-an"}});
    let reply = server.report("one", json!([figure])).await;
    server.wait(reply.position()).await;
    server.assert_clean().await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_tile_is_found_and_a_rebuild_puts_it_right() {
    let mut server = with_one_figure().await;
    server
        .tampered(async |database: &str| {
            tamper(database, |tiles, _| {
                let stored = TileBody::decode(&tiles[0].body).expect("a body");
                let entry = stored.entries().next().expect("an entry");
                let said = Said::Value(13, Qualifier::Exact);
                let revision = Revision { said, ..entry.latest() };
                let mut body = stored.clone();
                body.put_text(entry.unit, Scope::Own, entry.members, revision);
                tiles[0].body = body.encode();
            })
            .await;
        })
        .await;
    let found = server.verify().await;
    assert_eq!(found.differences, ["tile 06 tg02-useful-tips 2024-M05: stored differs from recomputed"]);
    // Until its answer is one that is kept.
    wait(async || {
        assert_eq!(server.total("tg02", "01864", "2024-M05", "").await["value"], "13");
        !server.get("/metrics", &[]).await.text().contains("\ntonghop_query_kept_total 0\n")
    })
    .await;
    server.rebuild().await;
    server.assert_clean().await;
    // The position is what it was: that it was made anew, only the stream of changes says.
    wait(async || server.total("tg02", "01864", "2024-M05", "").await["value"] == "12").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_total_is_found_and_a_rebuild_puts_it_right() {
    let mut server = with_one_figure().await;
    server
        .tampered(async |database: &str| {
            tamper(database, |_, summaries| {
                let year = summaries.iter_mut().find(|s| s.period == "2024").expect("the year's totals");
                let mut body = SummaryBody::decode(&year.body).expect("a body");
                for cell in body.cells.values_mut() {
                    cell.covered += 1;
                }
                year.body = body.encode();
            })
            .await;
        })
        .await;
    let found = server.verify().await;
    assert_eq!(found.differences, ["total tg02-useful-tips 2024: stored differs from recomputed"]);
    server.rebuild().await;
    server.assert_clean().await;
}
