//! Verifying the chain, and what tampering it tells.

use tonghop_store::{ChainReport, Differs, StoreError, chain_digest};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;

use crate::world::{World, entry};

on_both! {
    an_untouched_ledger_is_whole,
    an_empty_ledger_is_whole,
    anyone_can_recompute_the_chain_from_what_can_be_read,
    another_document_is_found,
    another_record_is_found,
    another_receipt_is_found,
    another_media_type_is_found,
    the_trace_of_a_push_is_no_part_of_its_entry,
    a_deleted_entry_is_found_in_the_middle_and_at_the_end,
    a_deleted_document_is_found,
    swapped_entries_are_found,
    a_head_that_names_another_entry_is_found,
    an_entry_outside_the_ledger_is_found,
    an_unreadable_row_is_found_and_named,
    reading_a_row_that_makes_no_sense_names_table_column_and_key,
}

/// A ledger of six entries.
async fn world(on: On) -> World {
    let world = World::new(on).await;
    let group = (1..=6).map(|n| entry("moh", &format!("key-{n}"), &format!("document {n}"))).collect();
    world.ledger().await.append(group).await.expect("an append");
    world
}

async fn verify(world: &World) -> ChainReport {
    world.ledger().await.verify_chain(|_| ()).await.expect("a walk")
}

/// After changing rows by `sql`, the walk ends before `position`, where `differs` shows.
async fn check(on: On, sql: &str, position: i64, differs: Differs) {
    let world = world(on).await;
    assert_eq!(world.tamper(sql).await, 1, "{sql}");
    let report = verify(&world).await;
    let found = report.first_break.unwrap_or_else(|| panic!("nothing found after {sql}"));
    assert_eq!((found.position, &found.differs), (position, &differs), "{sql}");
    if differs != Differs::Head && differs != Differs::Stray {
        assert_eq!(report.entries, position - 1, "{sql}");
    }
}

async fn an_untouched_ledger_is_whole(on: On) {
    let world = world(on).await;
    let ledger = world.ledger().await;
    let mut reached = Vec::new();
    let report = ledger.verify_chain(|position| reached.push(position)).await.unwrap();
    assert_eq!(reached, [6]);
    assert_eq!(report, ChainReport { entries: 6, head: ledger.head().await.unwrap(), first_break: None });
}

async fn an_empty_ledger_is_whole(on: On) {
    let world = World::new(on).await;
    assert_eq!(verify(&world).await, ChainReport { entries: 0, head: None, first_break: None });
}

async fn anyone_can_recompute_the_chain_from_what_can_be_read(on: On) {
    let world = world(on).await;
    let mut previous = [0; 32];
    for entry in world.ledger().await.read_after(0, 10, 1 << 20).await.unwrap() {
        assert_eq!(entry.receipt.previous, previous);
        assert_eq!(chain_digest(&entry.receipt, &entry.record), entry.receipt.digest);
        previous = entry.receipt.digest;
    }
}

async fn another_document_is_found(on: On) {
    let sql = "UPDATE ledger_document SET document = \
               (SELECT document FROM ledger_document WHERE position = 2) WHERE position = 4";
    check(on, sql, 4, Differs::Content).await;
}

async fn another_record_is_found(on: On) {
    let sql = "UPDATE ledger_document SET record = \
               (SELECT record FROM ledger_document WHERE position = 2) WHERE position = 4";
    check(on, sql, 4, Differs::Chain).await;
}

async fn another_receipt_is_found(on: On) {
    for change in ["figures = 4", "note = 'x'", "idempotency_key = 'x'", "received_at = received_at + 1"] {
        check(on, &format!("UPDATE ledger SET {change} WHERE position = 3"), 3, Differs::Chain).await;
    }
}

async fn another_media_type_is_found(on: On) {
    check(on, "UPDATE ledger SET media_type = 'text/plain' WHERE position = 3", 3, Differs::Content).await;
}

async fn the_trace_of_a_push_is_no_part_of_its_entry(on: On) {
    let world = world(on).await;
    assert_eq!(world.tamper("UPDATE ledger SET trace_parent = '' WHERE position = 3").await, 1);
    assert_eq!(verify(&world).await.first_break, None);
    let entry = world.ledger().await.entry(3).await.unwrap().unwrap();
    assert_eq!(entry.trace_parent, "");
}

async fn a_deleted_entry_is_found_in_the_middle_and_at_the_end(on: On) {
    check(on, "DELETE FROM ledger WHERE position = 3", 3, Differs::Missing).await;
    check(on, "DELETE FROM ledger WHERE position = 1", 1, Differs::Missing).await;
    check(on, "DELETE FROM ledger WHERE position = 6", 6, Differs::Missing).await;
}

async fn a_deleted_document_is_found(on: On) {
    let reason = "table ledger_document, column position, key 3: the row is missing".to_owned();
    check(on, "DELETE FROM ledger_document WHERE position = 3", 3, Differs::Unreadable(reason)).await;
}

async fn swapped_entries_are_found(on: On) {
    let world = world(on).await;
    for table in ["ledger", "ledger_document"] {
        for (from, to) in [(3, -1), (4, 3), (-1, 4)] {
            let sql = format!("UPDATE {table} SET position = {to} WHERE position = {from}");
            assert_eq!(world.tamper(&sql).await, 1);
        }
    }
    let found = verify(&world).await.first_break.unwrap();
    assert_eq!((found.position, found.differs), (3, Differs::Previous));
}

async fn a_head_that_names_another_entry_is_found(on: On) {
    let world = world(on).await;
    world.tamper("UPDATE ledger_head SET position = 5").await;
    let found = verify(&world).await.first_break.unwrap();
    assert_eq!((found.position, found.differs), (5, Differs::Head));
}

async fn an_entry_outside_the_ledger_is_found(on: On) {
    let world = world(on).await;
    world.tamper("DELETE FROM ledger WHERE position = 6").await;
    world
        .tamper(
            "UPDATE ledger_head SET position = 4, digest = (SELECT digest FROM ledger WHERE position = 4)",
        )
        .await;
    let found = verify(&world).await.first_break.unwrap();
    assert_eq!((found.position, found.differs), (5, Differs::Stray));
}

async fn an_unreadable_row_is_found_and_named(on: On) {
    let reason = "table ledger, column kind, key 2: 9 is not a kind of entry".to_owned();
    check(on, "UPDATE ledger SET kind = 9 WHERE position = 2", 2, Differs::Unreadable(reason)).await;
    let reason = "table ledger, column size, key 2: 7 is not the size of the entry".to_owned();
    check(on, "UPDATE ledger SET size = 7 WHERE position = 2", 2, Differs::Unreadable(reason)).await;
}

async fn reading_a_row_that_makes_no_sense_names_table_column_and_key(on: On) {
    let world = world(on).await;
    world.tamper("UPDATE ledger SET figures = -1 WHERE position = 2").await;
    let error = world.ledger().await.entry(2).await.unwrap_err();
    assert!(matches!(error, StoreError::Row { table: "ledger", column: "figures", .. }), "{error:?}");
    assert_eq!(error.to_string(), "table ledger, column figures, key 2: -1 is not a count");
}
