//! Appending: dense order, replays, conflicts.

use tonghop_store::{
    Appended, Content, Entry, EntryKind, MAX_KEY_BYTES, MAX_TEXT_BYTES, NewEntry, Premise, StoreError,
};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;

use crate::world::{World, append, at, entry};

on_both! {
    an_entry_comes_back_as_it_was_appended,
    what_is_not_there_is_none,
    nanoseconds_are_dropped_before_anyone_sees_the_time,
    the_same_key_with_the_same_content_is_a_replay_and_with_other_content_a_conflict,
    the_same_content_under_another_media_type_is_a_conflict,
    duplicates_within_a_call_are_told_against_the_first,
    an_id_that_is_in_use_is_an_error_and_appends_nothing,
    what_cannot_be_stored_is_refused_with_its_name,
    the_longest_texts_fit_every_index,
    a_group_larger_than_one_statement_stays_in_order,
    the_latest_registry_is_the_last_entry_of_its_kind,
    an_entry_whose_premise_does_not_hold_is_outdated_and_disturbs_no_other,
    replicas_that_append_at_once_leave_a_dense_chain,
    a_ledger_opened_again_goes_on_where_it_was,
}

async fn an_entry_comes_back_as_it_was_appended(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    assert_eq!(ledger.head().await.unwrap(), None);

    let new = entry("moh", "a", "unit,value");
    let receipt = append(&ledger, new.clone()).await;

    assert_eq!(receipt.position, 1);
    assert_eq!(receipt.previous, [0; 32]);
    assert_eq!((receipt.id, receipt.kind, receipt.figures), (new.id, EntryKind::Submission, 3));
    assert_eq!((receipt.source.as_str(), receipt.idempotency_key.as_str()), ("moh", "a"));
    assert_eq!((receipt.received_at, receipt.note.as_str()), (new.received_at, "ghi chú"));
    let expected = Entry {
        receipt: receipt.clone(),
        document: new.content.bytes().to_vec(),
        record: new.record.to_vec(),
        trace_parent: new.trace_parent,
    };
    assert_eq!(ledger.entry(1).await.unwrap(), Some(expected));
    assert_eq!(ledger.receipt_by_id(new.id).await.unwrap(), Some(receipt.clone()));
    assert_eq!(ledger.receipt_by_key("moh", "a").await.unwrap(), Some(receipt.clone()));
    let document = ledger.document(new.id).await.unwrap().unwrap();
    assert_eq!((document.media_type.as_str(), document.bytes.as_slice()), ("text/csv", &b"unit,value"[..]));
    let head = ledger.head().await.unwrap().unwrap();
    assert_eq!((head.position, head.digest, head.received_at), (1, receipt.digest, receipt.received_at));
}

async fn what_is_not_there_is_none(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    assert_eq!(ledger.entry(1).await.unwrap(), None);
    assert_eq!(ledger.receipt_by_id(uuid::Uuid::nil()).await.unwrap(), None);
    assert_eq!(ledger.receipt_by_key("moh", "a").await.unwrap(), None);
    assert_eq!(ledger.document(uuid::Uuid::nil()).await.unwrap(), None);
    assert_eq!(ledger.latest_registry().await.unwrap(), None);
    assert_eq!(ledger.read_after(0, 10, 1000).await.unwrap(), []);
    assert_eq!(ledger.append(Vec::new()).await.unwrap(), []);
}

async fn nanoseconds_are_dropped_before_anyone_sees_the_time(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let received_at = "2025-03-04T05:06:07.123456789Z".parse().unwrap();
    let receipt = append(&ledger, NewEntry { received_at, ..entry("moh", "a", "x") }).await;
    assert_eq!(receipt.received_at.to_string(), "2025-03-04T05:06:07.123456Z");
    assert_eq!(ledger.receipt_by_id(receipt.id).await.unwrap(), Some(receipt));
}

async fn the_same_key_with_the_same_content_is_a_replay_and_with_other_content_a_conflict(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let first = append(&ledger, entry("moh", "a", "x")).await;

    let again = vec![entry("moh", "a", "x"), entry("moh", "a", "y"), entry("moj", "a", "y")];
    let outcomes = ledger.append(again).await.unwrap();

    assert_eq!(outcomes[0], Appended::Replayed(first.clone()));
    assert_eq!(outcomes[1], Appended::Conflict(first.clone()));
    let Appended::New(other) = &outcomes[2] else { panic!("{outcomes:?}") };
    assert_eq!((other.position, other.previous), (2, first.digest));
    assert_eq!(ledger.head().await.unwrap().unwrap().position, 2);
}

async fn the_same_content_under_another_media_type_is_a_conflict(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let first = append(&ledger, entry("moh", "a", "x")).await;
    let content = Content::new("application/json", "x");
    let other = NewEntry { content, ..entry("moh", "a", "x") };
    assert_eq!(ledger.append(vec![other]).await.unwrap(), [Appended::Conflict(first)]);
}

async fn duplicates_within_a_call_are_told_against_the_first(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let group =
        vec![entry("moh", "a", "x"), entry("moh", "a", "x"), entry("moh", "b", "z"), entry("moh", "a", "y")];
    let outcomes = ledger.append(group).await.unwrap();
    let [Appended::New(a), Appended::Replayed(replayed), Appended::New(b), Appended::Conflict(conflict)] =
        outcomes.as_slice()
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!((a.position, b.position), (1, 2));
    assert_eq!((replayed, conflict), (a, a));
    assert_eq!(ledger.read_after(0, 10, 1000).await.unwrap().len(), 2);
}

async fn an_id_that_is_in_use_is_an_error_and_appends_nothing(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let first = append(&ledger, entry("moh", "a", "x")).await;
    let stolen = NewEntry { id: first.id, ..entry("moh", "c", "z") };
    let error = ledger.append(vec![entry("moh", "b", "y"), stolen]).await.unwrap_err();
    assert!(matches!(error, StoreError::Duplicate { table: "ledger" }), "{error:?}");
    assert_eq!(ledger.head().await.unwrap().unwrap().position, 1);
    assert_eq!(ledger.receipt_by_key("moh", "b").await.unwrap(), None);
    assert_eq!(append(&ledger, entry("moh", "b", "y")).await.position, 2);
}

async fn what_cannot_be_stored_is_refused_with_its_name(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let cases = [
        (NewEntry { note: "a\0b".to_owned(), ..entry("moh", "a", "x") }, "note", "NUL"),
        (NewEntry { source: "x".repeat(MAX_KEY_BYTES + 1), ..entry("moh", "a", "x") }, "source", "513 bytes"),
    ];
    for (new, what, reason) in cases {
        let message = ledger.append(vec![new]).await.unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot store {what} of submission ")), "{message}");
        assert!(message.contains(reason), "{message}");
    }
    assert_eq!(ledger.head().await.unwrap(), None);
}

async fn the_longest_texts_fit_every_index(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    // Digits in an order that a database's compression does not shorten.
    let long = |seed: u64, bytes: usize| -> String {
        let digits = (0..bytes as u64).map(|n| (n * n * 31 + n * seed) % 9973 % 10);
        digits.map(|digit| char::from(b'0' + digit as u8)).collect()
    };
    let new = NewEntry {
        note: long(3, MAX_TEXT_BYTES),
        ..entry(&long(1, MAX_KEY_BYTES), &long(2, MAX_KEY_BYTES), "x")
    };
    let receipt = append(&ledger, new.clone()).await;
    assert_eq!(ledger.receipt_by_key(&new.source, &new.idempotency_key).await.unwrap(), Some(receipt));
}

async fn a_group_larger_than_one_statement_stays_in_order(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let group: Vec<_> = (0..450).map(|n| entry("moh", &n.to_string(), &format!("document {n}"))).collect();
    let outcomes = ledger.append(group.clone()).await.unwrap();
    let read = ledger.read_after(0, 1000, usize::MAX).await.unwrap();
    assert_eq!(read.len(), 450);
    for (n, ((new, outcome), entry)) in group.iter().zip(&outcomes).zip(&read).enumerate() {
        assert_eq!(entry.receipt.position, n as i64 + 1);
        assert_eq!(
            (&entry.receipt, &entry.document),
            (outcome.receipt().expect("a receipt"), &new.content.bytes().to_vec())
        );
    }
    assert_eq!(ledger.verify_chain(|_| ()).await.unwrap().first_break, None);
}

async fn the_latest_registry_is_the_last_entry_of_its_kind(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let under = |registry| NewEntry { premise: Premise::Rules(registry), ..entry("moh", "a", "x") };
    let group = vec![registry("r1", Premise::Head(0)), registry("r2", Premise::Rules(1)), under(2)];
    ledger.append(group).await.unwrap();
    let latest = ledger.latest_registry().await.unwrap().unwrap();
    assert_eq!((latest.receipt.position, latest.document.as_slice()), (2, &b"r2"[..]));
    assert_eq!(latest.receipt.kind, EntryKind::Registry);
}

fn registry(key: &str, premise: Premise) -> NewEntry {
    NewEntry { kind: EntryKind::Registry, premise, ..entry("admin", key, key) }
}

async fn an_entry_whose_premise_does_not_hold_is_outdated_and_disturbs_no_other(on: On) {
    let world = World::new(on).await;
    let (one, other) = (world.ledger().await, world.ledger().await);
    let under =
        |registry, key: &str| NewEntry { premise: Premise::Rules(registry), ..entry("moh", key, key) };
    append(&one, registry("r1", Premise::Head(0))).await;
    // Another process, which has not heard of it.
    assert_eq!(other.append(vec![under(0, "a")]).await.unwrap(), [Appended::Outdated]);
    assert_eq!(append(&other, under(1, "a")).await.position, 2);
    // Within one group too, what is known by its key is answered as ever.
    let group =
        vec![under(1, "b"), registry("r2", Premise::Head(3)), under(1, "c"), under(4, "d"), under(0, "a")];
    let outcomes = one.append(group).await.unwrap();
    let positions: Vec<_> = outcomes.iter().map(|o| o.receipt().map(|r| r.position)).collect();
    assert_eq!(positions, [Some(3), Some(4), None, Some(5), Some(2)]);
    assert!(matches!(outcomes[4], Appended::Replayed(_)), "{outcomes:?}");
    // A registry was looked at against everything before it; something came in between.
    let late = vec![registry("r3", Premise::Head(4))];
    assert_eq!(one.append(late).await.unwrap(), [Appended::Outdated]);
    let head = one.head().await.unwrap().unwrap();
    assert_eq!((head.position, head.registry_position), (5, 4));
    assert_eq!(one.verify_chain(|_| ()).await.unwrap().first_break, None);
}

async fn replicas_that_append_at_once_leave_a_dense_chain(on: On) {
    let world = World::new(on).await;
    // Eight pools over one database, opened at once, as eight processes would.
    let mut writers = Vec::new();
    for writer in 0..8 {
        let url = world.url.clone();
        writers.push(tokio::spawn(async move {
            let ledger = tonghop_store::Ledger::open(&url).await.expect("a ledger");
            let mut positions = Vec::new();
            for n in 0..50 {
                // All replicas also send the same ten submissions.
                let own = entry("moh", &format!("{writer}-{n}"), &format!("{writer} {n}"));
                let shared = entry("moh", &format!("shared-{}", n % 10), "shared");
                for outcome in ledger.append(vec![own, shared]).await.expect("an append") {
                    match outcome {
                        Appended::New(receipt) => positions.push(receipt.position),
                        Appended::Replayed(receipt) => {
                            assert_eq!(receipt.content_digest, *entry("", "", "shared").content.digest())
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            positions
        }));
    }
    let mut positions = Vec::new();
    for writer in writers {
        positions.extend(writer.await.expect("a writer"));
    }
    positions.sort_unstable();
    assert_eq!(positions, (1..=410).collect::<Vec<i64>>());
    let report = world.ledger().await.verify_chain(|_| ()).await.unwrap();
    assert_eq!((report.entries, report.first_break), (410, None));
}

async fn a_ledger_opened_again_goes_on_where_it_was(on: On) {
    let world = World::new(on).await;
    let ledger = world.ledger().await;
    let first = append(&ledger, entry("moh", "a", "x")).await;
    ledger.close().await.unwrap();
    drop(ledger);

    let ledger = world.ledger().await;
    assert_eq!(ledger.receipt_by_id(first.id).await.unwrap(), Some(first.clone()));
    let later = NewEntry { received_at: at(2_000_000_000), ..entry("moh", "b", "y") };
    let second = append(&ledger, later).await;
    assert_eq!((second.position, second.previous), (2, first.digest));
    assert_eq!(ledger.head().await.unwrap().unwrap().received_at, at(2_000_000_000));
}
