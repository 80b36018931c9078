//! What is kept, and read again: damage is refused, and never more than that.

use jiff::Timestamp;
use prost::Message;
use tonghop_access::Keys;
use tonghop_core::period::Period;
use tonghop_proto::ledger as pb;
use tonghop_proto::record::Columns;
use tonghop_proto::record::document::{Skeleton, rewrite, rewrites};
use tonghop_reports::{Reports, Stated, Words as Closings};
use tonghop_tiles::{SummaryBody, TileBody, WrittenSummary};

use crate::registry::small;

/// The record of a submission in the ledger.
pub fn record(bytes: &[u8]) {
    let Ok(columns) = Columns::decode(bytes) else { return };
    let again = Columns::decode(&columns.encode()).expect("what was read is written");
    assert_eq!(again, columns);
    for i in 0..columns.len() {
        drop(columns.statement(i));
    }
    // Of the registry, or refused.
    drop(columns.figures(small()));
    drop(pb::ReviewRecord::decode(bytes));
}

/// The skeleton of a document, with the record that fills it: two bytes say how long the skeleton is.
pub fn document(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return };
    let Some((skeleton, record)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else { return };
    let Ok(read) = Skeleton::decode(skeleton) else { return };
    assert_eq!(Skeleton::decode(&read.encode()).expect("what was read is written"), read);
    if let Ok(document) = rewrite(skeleton, record) {
        assert!(rewrites(skeleton, record, &document).expect("it was written"));
        if !document.is_empty() {
            assert!(!rewrites(skeleton, record, &document[1..]).unwrap_or_default() || document.len() > 1);
        }
    }
}

/// Tiles and summaries. The first byte says which.
pub fn bodies(bytes: &[u8]) {
    let Some((which, body)) = bytes.split_first() else { return };
    if which % 2 == 0 {
        let Ok(tile) = TileBody::decode(body) else { return };
        for entry in tile.entries() {
            let latest = entry.latest();
            assert_eq!(entry.as_of(i64::MAX).map(|revision| revision.position), Some(latest.position));
        }
        assert!(tile.current().count() <= tile.len());
        assert_eq!(TileBody::decode(&tile.encode()).expect("what was read is written"), tile);
    } else {
        // Of one that is damaged where nobody looked, a cell may make sense or not.
        let written = WrittenSummary::of(body.to_vec());
        let Ok(summary) = SummaryBody::decode(body) else { return };
        let written = written.expect("what is read as a whole is found");
        for (from, cells) in summary.restated.iter().map(|(from, cells)| (Some(*from), cells)) {
            for (unit, cell) in cells {
                assert_eq!(written.cell_on(from, *unit).as_ref(), Ok(&Some(cell.clone())));
            }
        }
        assert_eq!(SummaryBody::decode(&summary.encode()).expect("what was read is written"), summary);
    }
}

/// Each of the messages whose length two bytes before it say, until one is no message.
fn each<M: Message + Default>(bytes: &[u8], mut read: impl FnMut(i64, M)) {
    let (mut rest, mut position) = (bytes, 0);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let Some((record, after)) = after.split_at_checked(u16::from_be_bytes(*length).into()) else {
            return;
        };
        (rest, position) = (after, position + 1);
        if let Ok(record) = M::decode(record) {
            read(position, record);
        }
    }
}

/// Entries that say who may do what.
pub fn access_record(bytes: &[u8]) {
    let mut keys = Keys::default();
    each(bytes, |position, record| keys.apply(position, Timestamp::UNIX_EPOCH, record));
    for key in keys.all() {
        assert_eq!(keys.get(&key.key), Some(key));
        drop(key.holder());
    }
}

/// Entries on the reports of units, and on periods that are closed.
pub fn report_record(bytes: &[u8]) {
    let mut reports = Reports::default();
    each(bytes, |position, record: pb::ReportRecord| {
        let before = reports.clone();
        let (regime, period, groups) = (record.regime.clone(), record.period.clone(), record.groups.clone());
        if reports.apply(position, Timestamp::UNIX_EPOCH, "somebody", record).is_err() {
            assert_eq!(reports, before, "it was refused, and changed something");
            return;
        }
        assert_eq!(reports.position(), position);
        let period = Period::parse(&period).expect("it was taken");
        for group in groups {
            let Some(stated) = Stated::of_codes(&group.state, &group.level) else { continue };
            for unit in group.units {
                let history = reports.history(&regime, period, &unit, position);
                assert!(history.iter().any(|event| event.position == position && event.stated == stated));
            }
        }
    });
    for (_, period, closings) in reports.all_closings() {
        assert!(!closings.is_empty());
        if let Some(calendar) = small().calendar("civil") {
            drop(Closings::read(small(), calendar.last_day(period), closings));
        }
    }
}
