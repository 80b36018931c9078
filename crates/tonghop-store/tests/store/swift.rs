//! Appending where the head is known to stand: from the third append on of a process that nobody disturbs.

use tonghop_store::{Appended, EntryKind, Ledger, NewEntry, Premise, StoreError};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;

use crate::world::{World, append, entry};

on_both! {
    what_is_appended_at_once_is_what_is_appended_under_the_lock,
    a_key_in_use_is_found_though_nobody_looked_it_up,
    an_id_in_use_appends_nothing_and_disturbs_nothing_after_it,
    another_process_in_between_is_noticed,
    a_registry_in_between_makes_outdated,
    groups_go_at_once_too,
}

/// A ledger that counts on where the head is: three entries of its own, and nobody else.
async fn alone(world: &World) -> Ledger {
    let ledger = world.ledger().await;
    for key in ["1", "2", "3"] {
        append(&ledger, entry("moh", key, key)).await;
    }
    ledger
}

async fn whole(ledger: &Ledger, entries: i64) {
    let report = ledger.verify_chain(|_| ()).await.unwrap();
    assert_eq!((report.entries, report.first_break), (entries, None));
}

async fn what_is_appended_at_once_is_what_is_appended_under_the_lock(on: On) {
    let world = World::new(on).await;
    let ledger = alone(&world).await;
    let new = entry("moh", "4", "four");
    let receipt = append(&ledger, new.clone()).await;
    let read = ledger.entry(4).await.unwrap().unwrap();
    assert_eq!((&read.receipt, &read.document), (&receipt, &new.content.bytes().to_vec()));
    assert_eq!((read.record, read.trace_parent), (new.record.to_vec(), new.trace_parent));
    let head = ledger.head().await.unwrap().unwrap();
    assert_eq!((head.position, head.digest, head.received_at), (4, receipt.digest, receipt.received_at));
    whole(&ledger, 4).await;
}

async fn a_key_in_use_is_found_though_nobody_looked_it_up(on: On) {
    let world = World::new(on).await;
    let ledger = alone(&world).await;
    let first = ledger.receipt_by_key("moh", "2").await.unwrap().unwrap();
    let same = ledger.append(vec![entry("moh", "2", "2")]).await.unwrap();
    assert_eq!(same, [Appended::Replayed(first.clone())]);
    append(&ledger, entry("moh", "4", "4")).await;
    append(&ledger, entry("moh", "5", "5")).await;
    let group = vec![entry("moh", "6", "6"), entry("moh", "2", "other")];
    let outcomes = ledger.append(group).await.unwrap();
    assert!(
        matches!(&outcomes[..], [Appended::New(six), Appended::Conflict(known)]
        if six.position == 6 && *known == first),
        "{outcomes:?}"
    );
    whole(&ledger, 6).await;
}

async fn an_id_in_use_appends_nothing_and_disturbs_nothing_after_it(on: On) {
    let world = World::new(on).await;
    let ledger = alone(&world).await;
    let first = ledger.receipt_by_key("moh", "1").await.unwrap().unwrap();
    let stolen = NewEntry { id: first.id, ..entry("moh", "c", "z") };
    let error = ledger.append(vec![entry("moh", "b", "y"), stolen]).await.unwrap_err();
    assert!(matches!(error, StoreError::Duplicate { table: "ledger" }), "{error:?}");
    assert_eq!(ledger.head().await.unwrap().unwrap().position, 3);
    for (n, key) in ["b", "c", "d", "e"].into_iter().enumerate() {
        assert_eq!(append(&ledger, entry("moh", key, key)).await.position, 4 + n as i64);
    }
    whole(&ledger, 7).await;
}

async fn another_process_in_between_is_noticed(on: On) {
    let world = World::new(on).await;
    let (one, other) = (alone(&world).await, world.ledger().await);
    let mut positions = Vec::new();
    for n in 0..6 {
        for (name, ledger, times) in [("one", &one, 3), ("other", &other, n % 4)] {
            for time in 0..times {
                let receipt = append(ledger, entry(name, &format!("{n} {time}"), "x")).await;
                positions.push(receipt.position);
            }
        }
    }
    assert_eq!(positions, (4..4 + positions.len() as i64).collect::<Vec<_>>());
    whole(&one, 3 + positions.len() as i64).await;
}

async fn a_registry_in_between_makes_outdated(on: On) {
    let world = World::new(on).await;
    let (one, other) = (alone(&world).await, world.ledger().await);
    let registry = NewEntry { kind: EntryKind::Registry, ..entry("admin", "r", "r") };
    append(&other, registry).await;
    assert_eq!(one.append(vec![entry("moh", "4", "4")]).await.unwrap(), [Appended::Outdated]);
    let under = |key: &str| NewEntry { premise: Premise::Rules(4), ..entry("moh", key, key) };
    for (n, key) in ["4", "5", "6"].into_iter().enumerate() {
        assert_eq!(append(&one, under(key)).await.position, 5 + n as i64);
    }
    // And its own, which it has not looked at either.
    let next = NewEntry { kind: EntryKind::Registry, ..under("r2") };
    let outcomes = one.append(vec![next, under("7")]).await.unwrap();
    assert!(
        matches!(&outcomes[..], [Appended::New(r), Appended::Outdated] if r.position == 8),
        "{outcomes:?}"
    );
    whole(&one, 8).await;
}

async fn groups_go_at_once_too(on: On) {
    let world = World::new(on).await;
    let ledger = alone(&world).await;
    let mut next = 4;
    for size in [2, 50, 201, 3] {
        let group = (0..size).map(|n| entry("moh", &format!("{size} {n}"), &format!("{n}"))).collect();
        for outcome in ledger.append(group).await.unwrap() {
            assert_eq!(outcome.receipt().unwrap().position, next);
            next += 1;
        }
    }
    whole(&ledger, next - 1).await;
}
