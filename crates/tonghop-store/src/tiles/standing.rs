//! Which state the tiles are in, told without a snapshot: what an answer that is kept is held against.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use sea_orm::{DatabaseConnection, EntityTrait};

use super::Tiles;
use crate::entities::{SINGLETON, checkpoint};
use crate::row::Place;
use crate::{Digest, StoreError};

/// A state of the tiles. Two that are of one [place](StandingAt) are the same, save that a rebuild may
/// have mended what was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which state.
    pub at: StandingAt,
    /// Everything that was accepted until then is in; `None` when nobody has said so yet.
    pub confirmed_at: Option<Timestamp>,
}

/// What tells states apart: also those of two ledgers, where a backup was restored and went on otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingAt {
    /// The last ledger position that the tiles contain.
    pub position: i64,
    /// The ledger's chain digest at that position.
    pub ledger_digest: Digest,
    /// The lease epoch that wrote it.
    pub epoch: i64,
}

/// What is known of the state between two looks at the database.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Writes under way.
    changing: AtomicU64,
    /// Writes that have ended, well or not.
    changes: AtomicU64,
    /// What was last seen, and how many writes had ended before.
    seen: Mutex<Option<(u64, Standing)>>,
    /// Looks that have begun.
    begun: AtomicU64,
    /// The last look that ended, and what it saw. Held by whoever looks.
    looked: tokio::sync::Mutex<(u64, Option<Standing>)>,
}

/// A write under way; what was known holds no longer when it begins, and can be looked up again when it ends.
#[derive(Debug)]
pub(super) struct Changing<'a>(&'a Known);

impl Known {
    pub(super) fn changing(&self) -> Changing<'_> {
        self.changing.fetch_add(1, Ordering::SeqCst);
        Changing(self)
    }

    /// What was seen, if nothing of ours was written since.
    fn last(&self) -> Option<Standing> {
        let quiet = || self.changing.load(Ordering::SeqCst) == 0;
        if !quiet() {
            return None;
        }
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (changes, standing) = seen?;
        (self.changes.load(Ordering::SeqCst) == changes && quiet()).then_some(standing)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.changes.fetch_add(1, Ordering::SeqCst);
        self.0.changing.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Tiles {
    /// Says that no other process writes this database, so that its state need not be looked up where nothing was
    /// written through this or a clone.
    #[must_use]
    pub fn owned(self) -> Tiles {
        Tiles { owned: true, ..self }
    }

    /// The state at some moment after the call; of several that ask at once, one looks for all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`]; [`StoreError::Busy`] or [`StoreError::Unavailable`].
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        if let Some(known) = self.standing_known() {
            return Ok(known);
        }
        let known = &self.known;
        // A look that had begun before may have missed what was written since.
        let too_early = known.begun.load(Ordering::SeqCst);
        let mut looked = known.looked.lock().await;
        if let (number, Some(standing)) = *looked
            && number > too_early
        {
            return Ok(standing);
        }
        let number = known.begun.fetch_add(1, Ordering::SeqCst) + 1;
        *looked = (number, None);
        let (quiet, changes) =
            (known.changing.load(Ordering::SeqCst) == 0, known.changes.load(Ordering::SeqCst));
        let standing = self.connections.read(read).await?;
        *looked = (number, Some(standing));
        if quiet {
            *known.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((changes, standing));
        }
        Ok(standing)
    }

    /// The state, where it is known without a look: only of a database that is [`owned`](Self::owned).
    #[must_use]
    pub fn standing_known(&self) -> Option<Standing> {
        self.known.last().filter(|_| self.owned)
    }
}

async fn read(reader: DatabaseConnection) -> Result<Standing, StoreError> {
    let place = Place { table: "checkpoint", key: SINGLETON.into() };
    let row = checkpoint::Entity::find_by_id(SINGLETON).one(&reader).await?;
    let row = row.ok_or_else(|| place.broken("singleton", "the row is missing"))?;
    Ok(Standing {
        at: StandingAt {
            position: row.position,
            ledger_digest: place.digest("ledger_digest", &row.ledger_digest)?,
            epoch: row.epoch,
        },
        confirmed_at: match row.confirmed_at {
            0 => None,
            at => Some(place.time("confirmed_at", at)?),
        },
    })
}
