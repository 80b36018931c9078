//! Which state the tiles are in, told without a snapshot: what an answer that is kept is held against.
//!
//! Whoever holds the lease is the only one that writes. So for a while after the lease was renewed it knows the state by
//! what it wrote itself, and may promise others that nothing is committed for some milliseconds; before a commit it
//! waits for its promises to run out. Nobody's clock is compared with anybody else's: whoever takes the lease from
//! another waits, by its own, for as long as that one may still rely on what it knows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;

use super::snapshot::read_checkpoint;
use super::{Checkpoint, Tiles};
use crate::{Digest, StoreError};

/// What tells states apart: also those of two ledgers, where a backup was restored and went on otherwise. Two states
/// of which this is the same are the same, save that a rebuild may have mended what was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingAt {
    /// The last ledger position that the tiles contain.
    pub position: i64,
    /// The ledger's chain digest at that position.
    pub ledger_digest: Digest,
    /// The lease epoch that wrote it.
    pub epoch: i64,
}

impl Checkpoint {
    /// What tells its state from others.
    #[must_use]
    pub fn standing(&self) -> StandingAt {
        StandingAt { position: self.position, ledger_digest: self.ledger_digest, epoch: self.epoch }
    }
}

/// How long the lease's holder relies on a renewal at most, and how long whoever takes the lease from it waits before
/// it writes. Longer than it is between two renewals.
const HELD: Duration = Duration::from_millis(1500);
/// How long a promise holds, for whom it is made, from when they asked.
const PROMISED: Duration = Duration::from_millis(25);
/// How much longer it is kept.
const MARGIN: Duration = Duration::from_millis(5);

/// What is known of the state between two looks at the database.
#[derive(Debug, Default)]
pub(super) struct Known {
    state: Mutex<State>,
    /// Looks that have begun.
    begun: AtomicU64,
    /// The last look that ended, and what it saw. Held by whoever looks.
    looked: tokio::sync::Mutex<(u64, Option<Checkpoint>)>,
}

#[derive(Debug, Default)]
struct State {
    /// Writes under way.
    changing: usize,
    /// Counts what may have made another state: writes that ended, well or not, and leases that came or went.
    changes: u64,
    /// What was last seen while nobody else could write, and what `changes` was then.
    seen: Option<(u64, Checkpoint)>,
    /// Until when nobody else has taken the lease and written.
    held_until: Option<Instant>,
    /// When whoever had the lease before has ceased to rely on it.
    free_from: Option<Instant>,
    /// When the last promise has run out.
    promised_until: Option<Instant>,
}

impl State {
    fn is_held(&self) -> bool {
        self.held_until.is_some_and(|until| Instant::now() < until)
    }

    fn seen(&self) -> Option<&Checkpoint> {
        let (changes, checkpoint) = self.seen.as_ref()?;
        (*changes == self.changes && self.changing == 0).then_some(checkpoint)
    }
}

/// A write under way; what was known holds no longer when it begins, and can be looked up again when it ends.
#[derive(Debug)]
pub(super) struct Changing<'a> {
    known: &'a Known,
    committed: bool,
}

impl Known {
    pub(super) fn changing(&self) -> Changing<'_> {
        self.state().changing += 1;
        Changing { known: self, committed: false }
    }

    /// The lease was taken. `from_another` that had not given it back: that one may not know yet.
    pub(super) fn taken(&self, asked: Instant, ttl: Duration, from_another: bool) {
        let mut state = self.state();
        state.changes += 1;
        state.held_until = Some(asked + HELD.min(ttl / 2));
        if from_another {
            state.free_from = Some(Instant::now() + HELD);
        }
    }

    /// The lease was renewed by what was sent at some moment.
    pub(super) fn renewed(&self, asked: Instant, ttl: Duration) {
        self.state().held_until = Some(asked + HELD.min(ttl / 2));
    }

    /// The lease is lost.
    pub(super) fn lost(&self) {
        let mut state = self.state();
        state.changes += 1;
        state.held_until = None;
    }

    /// Waits until whoever had the lease before has ceased to rely on it.
    pub(super) async fn free(&self) {
        let from = self.state().free_from;
        if let Some(from) = from {
            tokio::time::sleep_until(from.into()).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changing<'_> {
    /// Waits until what was promised has run out. None is made while this lives.
    pub(super) async fn settled(&self) {
        let until = self.known.state().promised_until;
        if let Some(until) = until {
            tokio::time::sleep_until(until.into()).await;
        }
    }

    /// The write has ended, and it is known how.
    pub(super) fn committed(mut self) {
        self.committed = true;
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        let mut state = self.known.state();
        state.changes += 1;
        state.changing -= 1;
        if !self.committed {
            // It may come to be committed after this. Whoever renews the lease next waits for that.
            state.held_until = None;
        }
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
    pub async fn standing(&self) -> Result<Checkpoint, StoreError> {
        if let Some(known) = self.standing_known() {
            return Ok(known);
        }
        let known = &self.known;
        // A look that had begun before may have missed what was written since.
        let too_early = known.begun.load(Ordering::SeqCst);
        let mut looked = known.looked.lock().await;
        if let (number, Some(checkpoint)) = &*looked
            && *number > too_early
        {
            return Ok(checkpoint.clone());
        }
        let number = known.begun.fetch_add(1, Ordering::SeqCst) + 1;
        *looked = (number, None);
        let (alone, changes) = {
            let state = known.state();
            (state.changing == 0 && (self.owned || state.is_held()), state.changes)
        };
        let look = |reader: DatabaseConnection| async move { read_checkpoint(&reader).await };
        let checkpoint = self.connections.read(look).await?;
        *looked = (number, Some(checkpoint.clone()));
        if alone {
            known.state().seen = Some((changes, checkpoint.clone()));
        }
        Ok(checkpoint)
    }

    /// The state, where it is known without a look: of a database that is [`owned`](Self::owned), or whose lease was
    /// taken or renewed through this or a clone a moment ago.
    #[must_use]
    pub fn standing_known(&self) -> Option<Checkpoint> {
        let state = self.known.state();
        state.seen().filter(|_| self.owned || state.is_held()).cloned()
    }

    /// Whether nobody else writes: the database is [`owned`](Self::owned), or the lease held here.
    #[must_use]
    pub fn is_written_here(&self) -> bool {
        self.owned || self.known.state().is_held()
    }

    /// The state at some moment after the call, and for how long after the call none other is committed: no time at
    /// all where another process may write, or a write is under way.
    ///
    /// # Errors
    ///
    /// As [`standing`](Self::standing).
    pub async fn promised(&self) -> Result<(Checkpoint, Duration), StoreError> {
        let looked = self.standing().await?;
        let mut state = self.known.state();
        let ends = Instant::now() + PROMISED + MARGIN;
        let Some(seen) = state.seen().filter(|_| state.held_until.is_some_and(|until| ends < until)) else {
            return Ok((looked, Duration::ZERO));
        };
        let seen = seen.clone();
        state.promised_until = Some(ends);
        Ok((seen, PROMISED))
    }
}
