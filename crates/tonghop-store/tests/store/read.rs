//! Tailing the ledger.

use std::time::Duration;

use tonghop_store::NewEntry;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;

use crate::world::{World, append, entry};

on_both! {
    a_reader_that_starts_early_misses_nothing,
    a_read_is_bounded_by_entries_and_bytes_but_never_empty,
    an_empty_record_stays_empty,
}

async fn a_reader_that_starts_early_misses_nothing(on: On) {
    let world = World::new(on).await;
    let tail = world.ledger().await;
    let reader = tokio::spawn(async move {
        let mut seen = Vec::new();
        let mut position = 0;
        while position < 160 {
            for entry in tail.read_after(position, 7, 1 << 20).await.expect("a read") {
                position = entry.receipt.position;
                seen.push((position, entry.receipt.idempotency_key, entry.document));
            }
            tokio::task::yield_now().await;
        }
        seen
    });
    let mut writers = Vec::new();
    for writer in 0..4 {
        let ledger = world.ledger().await;
        writers.push(tokio::spawn(async move {
            for n in 0..20 {
                let group = [0, 1].map(|half| {
                    let key = format!("{writer}-{n}-{half}");
                    entry("moh", &key, &format!("document {key}"))
                });
                ledger.append(group.into()).await.expect("an append");
            }
        }));
    }
    for writer in writers {
        writer.await.expect("a writer");
    }
    let seen =
        tokio::time::timeout(Duration::from_secs(60), reader).await.expect("in time").expect("a reader");
    let positions: Vec<i64> = seen.iter().map(|(position, ..)| *position).collect();
    assert_eq!(positions, (1..=160).collect::<Vec<i64>>());
    for (_, key, document) in seen {
        assert_eq!(document, format!("document {key}").into_bytes());
    }
}

async fn a_read_is_bounded_by_entries_and_bytes_but_never_empty(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let sized = |key: &str, size: usize| NewEntry {
        record: Default::default(),
        ..entry("moh", key, &"x".repeat(size))
    };
    let group = vec![sized("a", 100), sized("b", 100), sized("c", 5000), sized("d", 1)];
    ledger.append(group).await.unwrap();
    let positions = async |after, entries, bytes| {
        let read = ledger.read_after(after, entries, bytes).await.unwrap();
        read.iter().map(|entry| entry.receipt.position).collect::<Vec<_>>()
    };
    assert_eq!(positions(0, 10, 1 << 20).await, [1, 2, 3, 4]);
    assert_eq!(positions(0, 2, 1 << 20).await, [1, 2]);
    assert_eq!(positions(0, 10, 200).await, [1, 2]);
    assert_eq!(positions(0, 10, 199).await, [1]);
    assert_eq!(positions(0, 0, 0).await, [1]);
    assert_eq!(positions(2, 10, 1).await, [3]);
    assert_eq!(positions(4, 10, 1 << 20).await, [] as [i64; 0]);
}

async fn an_empty_record_stays_empty(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let new = NewEntry { record: Default::default(), ..entry("moh", "a", "x") };
    ledger.append(vec![new]).await.unwrap();
    assert_eq!(ledger.entry(1).await.unwrap().unwrap().record, b"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_do_not_notice_that_the_server_hung_up_on_every_connection() {
    let Some(on) = On::postgres() else { return };
    let world = World::new(on).await;
    let (ledger, tiles) = (world.ledger().await, world.tiles().await);
    append(&ledger, entry("moh", "a", "x")).await;
    // As many connections as the pools have.
    let mut held = Vec::new();
    for _ in 0..12 {
        held.push(tiles.snapshot().await.unwrap());
    }
    drop(held);
    let hung_up = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND application_name LIKE 'tonghop%'";
    assert!(world.tamper(hung_up).await >= 13);
    assert_eq!(tiles.snapshot().await.unwrap().checkpoint().position, 0);
    assert_eq!(ledger.head().await.unwrap().unwrap().position, 1);
    assert!(ledger.receipt_by_key("moh", "a").await.unwrap().is_some());
    assert_eq!(ledger.read_after(0, 10, usize::MAX).await.unwrap().len(), 1);
}
