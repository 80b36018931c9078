//! Documents that are kept as what they are written again from.

use sea_orm::ConnectionTrait;
use tonghop_store::{Content, Differs, Ledger, NewEntry, Parts, Rewrite, StoreError};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;

use crate::world::{World, append, entry};

on_both! {
    a_document_that_comes_out_of_its_skeleton_is_kept_as_that,
    a_document_that_does_not_come_out_of_its_skeleton_is_kept_itself,
    who_cannot_write_again_keeps_documents_and_says_which_cannot_be_read,
    a_changed_record_shows_in_the_document_that_is_written_from_it,
    records_are_read_without_documents,
}

/// The document is the record with the skeleton before it.
fn rewrite(Parts { skeleton, record }: Parts<'_>) -> Result<Vec<u8>, String> {
    match skeleton {
        b"none" => Err("not of one submission".to_owned()),
        _ => Ok([skeleton, record].concat()),
    }
}

async fn rewriting(world: &World) -> Ledger {
    let gives = |parts: Parts<'_>, document: &[u8]| Ok(rewrite(parts)? == document);
    world.ledger().await.rewriting(Rewrite { write: rewrite, gives })
}

/// An entry whose document no compression makes short.
fn long(key: &str, skeleton: &str) -> NewEntry {
    let mut noise = 7u32;
    let mut byte = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    };
    let record: Vec<u8> = (0..4000).map(|_| byte()).collect();
    let document = [b"skeleton", record.as_slice()].concat();
    NewEntry {
        content: Content::new("text/csv", document),
        record: record.into(),
        skeleton: Some(skeleton.to_owned().into()),
        ..entry("moh", key, key)
    }
}

async fn kept(world: &World, position: i64) -> i64 {
    let sql =
        format!("SELECT CAST(LENGTH(document) AS BIGINT) FROM ledger_document WHERE position = {position}");
    let raw = world.raw().await;
    let statement = sea_orm::Statement::from_string(raw.get_database_backend(), sql);
    raw.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn a_document_that_comes_out_of_its_skeleton_is_kept_as_that(on: On) {
    let world = World::new(on).await;
    let ledger = rewriting(&world).await;
    let new = long("a", "skeleton");
    let receipt = append(&ledger, new.clone()).await;
    assert!(kept(&world, 1).await < 20);
    let read = ledger.entry(1).await.unwrap().unwrap();
    assert_eq!((read.receipt, read.document), (receipt, new.content.bytes().to_vec()));
    assert_eq!(ledger.verify_chain(|_| ()).await.unwrap().first_break, None);
}

async fn a_document_that_does_not_come_out_of_its_skeleton_is_kept_itself(on: On) {
    let world = World::new(on).await;
    let ledger = rewriting(&world).await;
    for (n, skeleton) in ["skeletom", "none"].into_iter().enumerate() {
        let new = long(skeleton, skeleton);
        let receipt = append(&ledger, new.clone()).await;
        assert!(kept(&world, n as i64 + 1).await > 4000);
        let read = ledger.document(receipt.id).await.unwrap().unwrap();
        assert_eq!(read.bytes, new.content.bytes().to_vec());
    }
    assert_eq!(ledger.verify_chain(|_| ()).await.unwrap().first_break, None);
}

async fn who_cannot_write_again_keeps_documents_and_says_which_cannot_be_read(on: On) {
    let world = World::new(on).await;
    append(&rewriting(&world).await, long("a", "skeleton")).await;
    let other = world.ledger().await;
    append(&other, long("b", "skeleton")).await;
    assert!(kept(&world, 2).await > 4000);
    assert_eq!(other.entry(2).await.unwrap().unwrap().document, long("", "").content.bytes().to_vec());
    let Err(StoreError::Row { column: "document", key, reason, .. }) = other.entry(1).await else { panic!() };
    assert_eq!((key.as_str(), reason.contains("nobody here can")), ("1", true), "{reason}");
    let broken = other.verify_chain(|_| ()).await.unwrap().first_break.unwrap();
    assert!(matches!(broken.differs, Differs::Unreadable(_)) && broken.position == 1, "{broken:?}");
    assert_eq!(rewriting(&world).await.verify_chain(|_| ()).await.unwrap().first_break, None);
}

async fn a_changed_record_shows_in_the_document_that_is_written_from_it(on: On) {
    let world = World::new(on).await;
    let ledger = rewriting(&world).await;
    append(&ledger, entry("moh", "a", "x")).await;
    append(&ledger, long("b", "skeleton")).await;
    let sql = "UPDATE ledger_document SET record = (SELECT record FROM ledger_document WHERE position = 1) \
               WHERE position = 2";
    assert_eq!(world.tamper(sql).await, 1);
    let broken = ledger.verify_chain(|_| ()).await.unwrap().first_break.unwrap();
    assert_eq!((broken.position, broken.differs), (2, Differs::Content));
    let error = ledger.entry(2).await.unwrap_err().to_string();
    assert!(error.ends_with("it is not what was received"), "{error}");
}

async fn records_are_read_without_documents(on: On) {
    let world = World::new(on).await;
    let ledger = rewriting(&world).await;
    ledger.append(vec![entry("moh", "a", "x"), long("b", "skeleton"), entry("moj", "c", "y")]).await.unwrap();
    let all = ledger.read_after(0, 10, usize::MAX).await.unwrap();
    let recorded = ledger.records_after(0, 10, usize::MAX).await.unwrap();
    assert_eq!(recorded.len(), 3);
    for (whole, recorded) in all.into_iter().zip(recorded) {
        assert_eq!(
            (whole.receipt, whole.record, whole.trace_parent),
            (recorded.receipt, recorded.record, recorded.trace_parent,)
        );
    }
    let positions = |read: Vec<tonghop_store::Recorded>| read.into_iter().map(|r| r.receipt.position);
    assert!(positions(ledger.records_after(1, 1, usize::MAX).await.unwrap()).eq([2]));
    assert!(positions(ledger.records_after(0, 10, 1).await.unwrap()).eq([1]));
    assert_eq!(positions(ledger.records_after(3, 10, 1).await.unwrap()).count(), 0);
}
