//! What is known of the state without a look, and what is promised.

use std::time::{Duration, Instant};

use tonghop_store::{TileBatch, Tiles};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;

use crate::world::{World, at, batch, key, tile};

on_both! {
    who_holds_the_lease_knows_the_state_by_itself_and_others_do_not,
    nothing_is_committed_while_a_promise_holds,
    nothing_is_promised_while_a_write_is_under_way_or_by_who_has_no_lease,
    who_takes_a_lease_that_was_not_given_back_lets_its_holder_find_out,
    a_lease_that_was_given_back_is_written_under_at_once,
    what_is_read_without_a_transaction_is_what_a_snapshot_has,
}

const TTL: Duration = Duration::from_secs(10);
/// How long a holder relies on its lease.
const HELD: Duration = Duration::from_millis(1500);

async fn position(tiles: &Tiles) -> i64 {
    tiles.standing().await.unwrap().position
}

fn known(tiles: &Tiles) -> Option<i64> {
    tiles.standing_known().map(|checkpoint| checkpoint.position)
}

async fn who_holds_the_lease_knows_the_state_by_itself_and_others_do_not(on: On) {
    let world = World::new(on).await;
    let (holder, other) = (world.tiles().await, world.tiles().await);
    assert_eq!(position(&holder).await, 0);
    assert_eq!(known(&holder), None, "without a lease anybody may write");
    let lease = holder.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    assert_eq!(known(&holder), None, "what was seen before the lease does not count");
    assert_eq!((position(&holder).await, known(&holder)), (0, Some(0)));
    holder.write_and_renew(batch(0, lease.epoch), TTL, || at(101)).await.unwrap();
    assert_eq!(known(&holder), None, "what was written is looked up once");
    assert_eq!((position(&holder).await, known(&holder)), (1, Some(1)));
    assert_eq!((position(&other).await, known(&other)), (1, None));
    // A write that was refused may as well have been one whose end is not known.
    holder.write(batch(7, lease.epoch)).await.unwrap_err();
    assert_eq!((position(&holder).await, known(&holder)), (1, None));
    holder.renew_lease(&lease, TTL, at(102), None).await.unwrap();
    assert_eq!((position(&holder).await, known(&holder)), (1, Some(1)));
}

async fn nothing_is_committed_while_a_promise_holds(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    let lease = tiles.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    for n in 0..5 {
        let asked = Instant::now();
        let (state, promised) = tiles.promised().await.unwrap();
        assert_eq!(state.position, n);
        assert!(!promised.is_zero());
        tiles.write_and_renew(batch(n, lease.epoch), TTL, || at(101)).await.unwrap();
        assert!(asked.elapsed() >= promised, "committed after {:?}", asked.elapsed());
    }
    tiles.promised().await.unwrap();
    let (asked, promised) = (Instant::now(), tiles.promised().await.unwrap().1);
    tiles.release_lease(&lease).await.unwrap();
    assert!(asked.elapsed() >= promised, "given back after {:?}", asked.elapsed());
}

async fn nothing_is_promised_while_a_write_is_under_way_or_by_who_has_no_lease(on: On) {
    let world = World::new(on).await;
    let (holder, other) = (world.tiles().await, world.tiles().await);
    assert_eq!(holder.promised().await.unwrap().1, Duration::ZERO);
    let lease = holder.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    // The promise makes the write wait, and while it waits there is none.
    assert!(!holder.promised().await.unwrap().1.is_zero());
    let writing = {
        let (holder, epoch) = (holder.clone(), lease.epoch);
        tokio::spawn(async move { holder.write_and_renew(batch(0, epoch), TTL, || at(101)).await })
    };
    while known(&holder).is_some() {
        tokio::task::yield_now().await;
    }
    while !writing.is_finished() {
        let (state, promised) = holder.promised().await.unwrap();
        assert!(promised.is_zero() || state.position == 1, "{state:?}");
        tokio::task::yield_now().await;
    }
    writing.await.unwrap().unwrap();
    assert!(!holder.promised().await.unwrap().1.is_zero());
    assert_eq!(other.promised().await.unwrap().1, Duration::ZERO);
    // A lease that soon runs out is nothing to promise by.
    holder.renew_lease(&lease, Duration::from_millis(40), at(102), None).await.unwrap();
    assert_eq!(holder.promised().await.unwrap().1, Duration::ZERO);
}

async fn who_takes_a_lease_that_was_not_given_back_lets_its_holder_find_out(on: On) {
    let world = World::new(on).await;
    let (earlier, later) = (world.tiles().await, world.tiles().await);
    let lost = earlier.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    earlier.write_and_renew(batch(0, lost.epoch), TTL, || at(101)).await.unwrap();
    assert_eq!(position(&earlier).await, 1);
    // By this one's clock it is long out.
    let taken = Instant::now();
    let lease = later.acquire_lease("b", TTL, at(9000)).await.unwrap().unwrap();
    assert_eq!(known(&earlier), Some(1), "it does not know yet, and is right still");
    let next = TileBatch { tiles: vec![tile(key("vn", "births", 1), 2, "next")], ..batch(1, lease.epoch) };
    later.write_and_renew(next, TTL, || at(9001)).await.unwrap();
    assert!(taken.elapsed() >= HELD, "written after {:?}", taken.elapsed());
    assert_eq!(known(&earlier), None);
    assert_eq!((position(&earlier).await, known(&earlier)), (2, None));
}

async fn a_lease_that_was_given_back_is_written_under_at_once(on: On) {
    let world = World::new(on).await;
    let (earlier, later) = (world.tiles().await, world.tiles().await);
    let first = earlier.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    assert_eq!((position(&earlier).await, known(&earlier)), (0, Some(0)));
    earlier.release_lease(&first).await.unwrap();
    assert_eq!(known(&earlier), None);
    let lease = later.acquire_lease("b", TTL, at(101)).await.unwrap().unwrap();
    later.write(batch(0, lease.epoch)).await.unwrap();
    assert_eq!((position(&earlier).await, known(&earlier)), (1, None));
}

async fn what_is_read_without_a_transaction_is_what_a_snapshot_has(on: On) {
    let world = World::new(on).await;
    let tiles = world.tiles().await;
    let lease = tiles.acquire_lease("a", TTL, at(100)).await.unwrap().unwrap();
    let first = TileBatch { tiles: vec![tile(key("vn", "births", 1), 1, "one")], ..batch(0, lease.epoch) };
    tiles.write(first).await.unwrap();
    let state = tiles.standing().await.unwrap();
    let (within, plainly) = (tiles.snapshot().await.unwrap(), tiles.snapshot_of(state));
    assert_eq!(plainly.checkpoint(), within.checkpoint());
    assert_eq!(plainly.counts().await.unwrap(), within.counts().await.unwrap());
    assert_eq!(plainly.counts().await.unwrap().tiles, 1);
    assert_eq!((within.statements(), plainly.statements()), (1 + 4, 2 * 4), "each counts its own");
}
