//! The lease and what it keeps out.

use std::sync::Arc;
use std::time::Duration;

use tonghop_store::{Lease, StoreError, TileBatch};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;

use crate::world::{World, at, batch, key, tile};

on_both! {
    one_holder_has_the_lease_until_it_runs_out,
    a_renewed_lease_lasts_longer_under_the_same_epoch,
    a_holder_that_starts_again_takes_its_lease_back_and_fences_its_earlier_self,
    a_loser_cannot_write_renew_clear_or_release,
    a_batch_that_outlasts_the_lease_keeps_it,
    what_a_renewal_confirms_stays_beside_the_checkpoint,
    nobody_writes_without_a_lease,
    a_batch_that_does_not_start_at_the_checkpoint_is_out_of_order,
    of_holders_that_ask_at_once_one_gets_the_lease,
    a_lease_needs_a_name_and_an_end,
}

const TTL: Duration = Duration::from_secs(10);

fn fenced(error: StoreError) -> (i64, Option<i64>) {
    match error {
        StoreError::Fenced { given, current } => (given, current),
        other => panic!("not fenced: {other:?}"),
    }
}

async fn one_holder_has_the_lease_until_it_runs_out(on: On) {
    let world = World::new(on).await;
    let (a, b) = (world.tiles().await, world.tiles().await);
    let first = a.acquire_lease("a", TTL, at(100)).await.unwrap();
    assert_eq!(first, Some(Lease { epoch: 1, until: at(110) }));
    assert_eq!(b.acquire_lease("b", TTL, at(109)).await.unwrap(), None);
    assert_eq!(b.acquire_lease("b", TTL, at(110)).await.unwrap(), Some(Lease { epoch: 2, until: at(120) }));
}

async fn a_renewed_lease_lasts_longer_under_the_same_epoch(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    let lease = tiles.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    assert_eq!(
        tiles.renew_lease(&lease, TTL, at(108), None).await.unwrap(),
        Lease { epoch: 1, until: at(118) }
    );
    assert_eq!(tiles.acquire_lease("b", TTL, at(112)).await.unwrap(), None);
    // Run out, but taken by nobody.
    assert_eq!(tiles.renew_lease(&lease, TTL, at(200), None).await.unwrap().until, at(210));
}

async fn a_holder_that_starts_again_takes_its_lease_back_and_fences_its_earlier_self(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    let earlier = tiles.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    let later = tiles.acquire_lease("a", TTL, at(101)).await.unwrap().unwrap();
    assert_eq!(later.epoch, 2);
    assert_eq!(fenced(tiles.renew_lease(&earlier, TTL, at(102), None).await.unwrap_err()), (1, Some(2)));
}

async fn a_loser_cannot_write_renew_clear_or_release(on: On) {
    let world = World::new(on).await;
    let (a, b) = (world.tiles().await, world.tiles().await);
    let lost = a.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    a.write(batch(0, lost.epoch)).await.unwrap();
    let held = b.acquire_lease("b", TTL, at(200)).await.unwrap().unwrap();

    let late = TileBatch { tiles: vec![tile(key("vn", "births", 1), 2, "late")], ..batch(1, lost.epoch) };
    assert_eq!(fenced(a.write(late).await.unwrap_err()), (1, Some(2)));
    assert_eq!(fenced(a.clear(lost.epoch).await.unwrap_err()), (1, Some(2)));
    assert_eq!(fenced(a.renew_lease(&lost, TTL, at(201), None).await.unwrap_err()), (1, Some(2)));
    a.release_lease(&lost).await.unwrap();

    let snapshot = a.snapshot().await.unwrap();
    assert_eq!((snapshot.checkpoint().position, snapshot.counts().await.unwrap().tiles), (1, 0));
    b.write(batch(1, held.epoch)).await.unwrap();
    let checkpoint = b.snapshot().await.unwrap().checkpoint().clone();
    assert_eq!((checkpoint.position, checkpoint.epoch), (2, 2));
}

async fn a_batch_that_outlasts_the_lease_keeps_it(on: On) {
    let world = World::new(on).await;
    let (a, b) = (world.tiles().await, world.tiles().await);
    let lease = a.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    // Committed long after the lease ran out, at a time when nobody had taken it.
    a.write_and_renew(batch(0, lease.epoch), TTL, || at(150)).await.unwrap();
    assert_eq!(b.acquire_lease("b", TTL, at(159)).await.unwrap(), None);
    assert_eq!(b.acquire_lease("b", TTL, at(160)).await.unwrap(), Some(Lease { epoch: 2, until: at(170) }));
    let lost = a.write_and_renew(batch(1, lease.epoch), TTL, || at(161)).await;
    assert_eq!(fenced(lost.unwrap_err()), (1, Some(2)));
}

async fn what_a_renewal_confirms_stays_beside_the_checkpoint(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    let confirmed = async || tiles.snapshot().await.unwrap().checkpoint().confirmed_at;
    let lease = tiles.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    assert_eq!(confirmed().await, None);
    tiles.renew_lease(&lease, TTL, at(101), Some(at(99))).await.unwrap();
    assert_eq!(confirmed().await, Some(at(99)));
    tiles.write(batch(0, lease.epoch)).await.unwrap();
    tiles.renew_lease(&lease, TTL, at(102), None).await.unwrap();
    assert_eq!(confirmed().await, Some(at(99)), "neither a batch nor a renewal without a word changes it");
    tiles.clear(lease.epoch).await.unwrap();
    assert_eq!(confirmed().await, None);
}

async fn nobody_writes_without_a_lease(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    assert_eq!(fenced(tiles.write(batch(0, 0)).await.unwrap_err()), (0, None));
    let lease = tiles.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    tiles.release_lease(&lease).await.unwrap();
    assert_eq!(fenced(tiles.write(batch(0, lease.epoch)).await.unwrap_err()), (1, None));
    // Released, it need not run out first.
    let next = tiles.acquire_lease("b", TTL, at(100)).await.unwrap();
    assert_eq!(next, Some(Lease { epoch: 2, until: at(110) }));
}

async fn a_batch_that_does_not_start_at_the_checkpoint_is_out_of_order(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    let epoch = tiles.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap().epoch;
    tiles.write(batch(0, epoch)).await.unwrap();
    for (again, expected, found) in [
        (batch(0, epoch), 0, 1),
        (batch(5, epoch), 5, 1),
        (TileBatch { position: 0, ..batch(1, epoch) }, 1, 0),
    ] {
        match tiles.write(again).await.unwrap_err() {
            StoreError::OutOfOrder { expected: e, found: f } => assert_eq!((e, f), (expected, found)),
            other => panic!("not out of order: {other:?}"),
        }
    }
    assert_eq!(tiles.snapshot().await.unwrap().checkpoint().position, 1);
    // Writing again at the same position is in order: the tiles may change without the ledger.
    tiles.write(TileBatch { position: 1, ..batch(1, epoch) }).await.unwrap();
    assert_eq!(tiles.snapshot().await.unwrap().checkpoint().position, 1);
}

async fn of_holders_that_ask_at_once_one_gets_the_lease(on: On) {
    let world = World::new(on).await;
    let mut replicas = Vec::new();
    for _ in 0..6 {
        replicas.push(world.tiles().await);
    }
    for round in 0..20 {
        let start = Arc::new(tokio::sync::Barrier::new(replicas.len()));
        let mut asking = Vec::new();
        for (n, tiles) in replicas.iter().cloned().enumerate() {
            let start = start.clone();
            asking.push(tokio::spawn(async move {
                start.wait().await;
                // Each round a second after the last one's lease has run out.
                tiles.acquire_lease(&format!("{round}-{n}"), TTL, at(100 + 11 * round)).await
            }));
        }
        let mut epochs = Vec::new();
        for ask in asking {
            epochs.extend(ask.await.expect("an asker").unwrap().map(|lease| lease.epoch));
        }
        assert_eq!(epochs, [round + 1]);
    }
}

async fn a_lease_needs_a_name_and_an_end(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    let nameless = tiles.acquire_lease("", TTL, at(100)).await.unwrap_err().to_string();
    assert_eq!(nameless, "cannot store lease holder: it has no name");
    let endless = tiles.acquire_lease("a", Duration::MAX, at(100)).await.unwrap_err().to_string();
    assert!(endless.contains("beyond all calendars"), "{endless}");
}
