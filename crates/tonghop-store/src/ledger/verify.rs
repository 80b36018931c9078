//! Walking the chain again, from the first entry to the head.

use std::fmt;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::read::{RowPair, read_head};
use super::{Head, Ledger, Receipt, Rewrite, kept};
use crate::connect::{Connections, blocking};
use crate::digest::ORIGIN;
use crate::entities::ledger;
use crate::row::Place;
use crate::{Digest, StoreError, chain_digest};

const PAGE_ENTRIES: u64 = 200;
const PAGE_BYTES: usize = 32 << 20;

/// What a walk along the ledger found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// How many entries were found sound, from the first on.
    pub entries: i64,
    /// The head that the walk went up to; entries appended meanwhile are not covered.
    pub head: Option<Head>,
    /// The first place where the ledger is not what was once written; `None` if it is whole.
    pub first_break: Option<ChainBreak>,
}

/// Where a ledger is not what was once written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainBreak {
    /// The position where it shows first.
    pub position: i64,
    /// What differs there.
    pub differs: Differs,
}

/// What differs at a break of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Differs {
    /// There is no entry at this position.
    Missing,
    /// The entry does not name the digest of the one before it.
    Previous,
    /// The document or its media type is not what the content digest was made of.
    Content,
    /// The receipt's fields or the record are not what the chain digest was made of.
    Chain,
    /// A value cannot be read; the reason names table and column.
    Unreadable(String),
    /// The head does not name the digest of the entry at its position.
    Head,
    /// There is an entry before the first or after the head.
    Stray,
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the entry is missing",
            Self::Previous => "the link to the entry before is broken",
            Self::Content => "the document is not what was received",
            Self::Chain => "the receipt or the record is not what was accepted",
            Self::Unreadable(reason) => reason,
            Self::Head => "the head does not end in this entry",
            Self::Stray => "the entry lies outside the ledger",
        })
    }
}

impl fmt::Display for ChainBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position {}: {}", self.position, self.differs)
    }
}

/// How far the walk has come.
#[derive(Clone, Copy)]
struct Walk {
    position: i64,
    digest: Digest,
}

impl Ledger {
    /// Re-checks everything up to the present head: that positions are dense, that each entry names the one
    /// before, that documents are as received, and that all digests come out the same again.
    ///
    /// `progress` is told the position reached, now and then. What is wrong with the ledger is in the report;
    /// the walk stops at the first break.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] or [`StoreError::Unavailable`] if the ledger could not be read to its end.
    pub async fn verify_chain(&self, mut progress: impl FnMut(i64)) -> Result<ChainReport, StoreError> {
        let head = match read_head(self.connections.reader()).await {
            Err(StoreError::Row { table, column, key, reason }) => {
                let unreadable = StoreError::Row { table, column, key, reason }.to_string();
                return Ok(report(0, None, Some((0, Differs::Unreadable(unreadable)))));
            }
            head => head?,
        };
        let target = head.as_ref().map_or(0, |head| head.position);
        let mut walk = Walk { position: 0, digest: ORIGIN };
        while walk.position < target {
            let mut rows = self.page(walk.position, PAGE_ENTRIES, PAGE_BYTES).await?;
            rows.retain(|(header, _)| header.position <= target);
            if rows.is_empty() {
                let missing = (walk.position + 1, Differs::Missing);
                return Ok(report(walk.position, head, Some(missing)));
            }
            let rewrite = self.rewrite;
            let (reached, broken) = blocking(move || Ok(check_page(walk, rows, rewrite))).await?;
            walk = reached;
            if broken.is_some() {
                return Ok(report(walk.position, head, broken));
            }
            progress(walk.position);
        }
        let broken = match &head {
            Some(head) if head.digest != walk.digest => Some((head.position, Differs::Head)),
            _ => self.stray().await?.map(|position| (position, Differs::Stray)),
        };
        Ok(report(walk.position, head, broken))
    }

    /// An entry that no walk from 1 to the head meets.
    async fn stray(&self) -> Result<Option<i64>, StoreError> {
        let snapshot = Connections::begin_snapshot(self.connections.reader()).await?;
        let head = read_head(&snapshot).await?.map_or(0, |head| head.position);
        let outside =
            Condition::any().add(ledger::Column::Position.lt(1)).add(ledger::Column::Position.gt(head));
        let position = ledger::Entity::find()
            .select_only()
            .column(ledger::Column::Position)
            .filter(outside)
            .order_by_asc(ledger::Column::Position)
            .into_tuple::<i64>()
            .one(&snapshot)
            .await?;
        snapshot.rollback().await?;
        Ok(position)
    }
}

fn report(entries: i64, head: Option<Head>, broken: Option<(i64, Differs)>) -> ChainReport {
    let first_break = broken.map(|(position, differs)| ChainBreak { position, differs });
    ChainReport { entries, head, first_break }
}

fn check_page(
    mut walk: Walk,
    rows: Vec<RowPair>,
    rewrite: Option<Rewrite>,
) -> (Walk, Option<(i64, Differs)>) {
    for row in rows {
        let next = walk.position + 1;
        match check_entry(walk, row, rewrite) {
            Ok(digest) => walk = Walk { position: next, digest },
            Err(differs) => return (walk, Some((next, differs))),
        }
    }
    (walk, None)
}

/// The entry's digest, if it is the sound successor of `walk`.
fn check_entry(walk: Walk, (header, document): RowPair, rewrite: Option<Rewrite>) -> Result<Digest, Differs> {
    let unreadable = |error: StoreError| Differs::Unreadable(error.to_string());
    if header.position != walk.position + 1 {
        return Err(Differs::Missing);
    }
    let size = header.size;
    let receipt = Receipt::try_from(header).map_err(unreadable)?;
    if receipt.previous != walk.digest {
        return Err(Differs::Previous);
    }
    let place = Place { table: "ledger_document", key: receipt.position };
    let row = document.ok_or_else(|| unreadable(place.broken("position", "the row is missing")))?;
    let record = place.unpack("record", &row.record).map_err(unreadable)?;
    let document = kept::unpack(&place, &row.document, &record, rewrite).map_err(unreadable)?;
    if !kept::is_received(&receipt.media_type, &document, &receipt.content_digest) {
        return Err(Differs::Content);
    }
    if chain_digest(&receipt, &record) != receipt.digest {
        return Err(Differs::Chain);
    }
    if usize::try_from(size) != Ok(document.len() + record.len()) {
        let place = Place { table: "ledger", key: receipt.position };
        return Err(unreadable(place.broken("size", format!("{size} is not the size of the entry"))));
    }
    Ok(receipt.digest)
}
