//! Who may write: one holder at a time, told apart by a growing epoch.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QuerySelect, Set, Unchanged,
};

use super::Tiles;
use super::write::held;
use crate::StoreError;
use crate::entities::{SINGLETON, checkpoint, lease};
use crate::ledger::MAX_TEXT_BYTES;
use crate::row::{Place, check_text};

/// The right to write tiles, until it runs out and somebody else takes it.
///
/// Running out alone fences nobody: the holder can still write and renew as long as no other has taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Grows with every taking; what [`TileBatch::epoch`](crate::TileBatch::epoch) must be.
    pub epoch: i64,
    /// When others may take it.
    pub until: Timestamp,
}

impl Tiles {
    /// Takes the lease until `now + ttl`, with a new epoch; `None` if another holder has it still.
    ///
    /// `holder` names this process and no other: who holds the lease may take it again at once, which fences
    /// its own earlier self. A batch that is being written keeps the lease until it is committed, and this
    /// waits for that.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if `holder` is empty or too long, or `now + ttl` is beyond all calendars;
    /// [`StoreError::Row`]; [`StoreError::Busy`] or [`StoreError::Unavailable`].
    pub async fn acquire_lease(
        &self,
        holder: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        check_text(|| "lease holder".to_owned(), holder, MAX_TEXT_BYTES)?;
        if holder.is_empty() {
            let reason = "it has no name".to_owned();
            return Err(StoreError::Refused { what: "lease holder".to_owned(), reason });
        }
        let until = end(now, ttl)?;
        let asked = Instant::now();
        let transaction = self.connections.begin_write().await?;
        let row = locked(&transaction).await?;
        let free = held(&row).is_none() || row.holder == holder || row.until <= now.as_microsecond();
        if !free {
            transaction.rollback().await?;
            return Ok(None);
        }
        let lease = Lease { epoch: row.epoch + 1, until };
        let from_another = held(&row).is_some() && row.holder != holder;
        store(&transaction, row, lease, holder).await?;
        transaction.commit().await?;
        self.known.taken(asked, ttl, from_another);
        Ok(Some(lease))
    }

    /// Keeps `lease` until `now + ttl`, with the same epoch; and notes that everything accepted until
    /// `confirmed` is in the tiles.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] if it has been released or another holder has taken it; otherwise as
    /// [`acquire_lease`](Self::acquire_lease).
    pub async fn renew_lease(
        &self,
        lease: &Lease,
        ttl: Duration,
        now: Timestamp,
        confirmed: Option<Timestamp>,
    ) -> Result<Lease, StoreError> {
        let until = end(now, ttl)?;
        let asked = Instant::now();
        let changing = confirmed.map(|_| self.known.changing());
        let transaction = self.connections.begin_write().await?;
        let row = locked(&transaction).await?;
        let current = held(&row);
        if current != Some(lease.epoch) {
            self.known.lost();
            return Err(StoreError::Fenced { given: lease.epoch, current });
        }
        let renewed = Lease { epoch: lease.epoch, until };
        let holder = row.holder.clone();
        store(&transaction, row, renewed, &holder).await?;
        if let Some(confirmed) = confirmed {
            let moved = checkpoint::ActiveModel {
                singleton: Unchanged(SINGLETON),
                confirmed_at: Set(confirmed.as_microsecond()),
                ..Default::default()
            };
            moved.update(&transaction).await?;
        }
        transaction.commit().await?;
        if let Some(changing) = changing {
            changing.committed();
        }
        self.known.renewed(asked, ttl);
        Ok(renewed)
    }

    /// Gives `lease` back, so that another holder need not wait for its end. Does nothing if it has passed to
    /// another already.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`]; [`StoreError::Busy`] or [`StoreError::Unavailable`].
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let changing = self.known.changing();
        self.known.lost();
        changing.settled().await;
        let transaction = self.connections.begin_write().await?;
        let row = locked(&transaction).await?;
        if held(&row) == Some(lease.epoch) {
            store(&transaction, row, *lease, "").await?;
        }
        transaction.commit().await?;
        changing.committed();
        Ok(())
    }
}

/// The lease's row, which nobody else can change until the transaction ends.
pub(super) async fn locked(transaction: &DatabaseTransaction) -> Result<lease::Model, StoreError> {
    let row = lease::Entity::find_by_id(SINGLETON).lock_exclusive().one(transaction).await?;
    row.ok_or_else(|| {
        Place { table: "lease", key: SINGLETON.into() }.broken("singleton", "the row is missing")
    })
}

/// Writes the lease's row, which is locked.
pub(super) async fn store(
    transaction: &DatabaseTransaction,
    row: lease::Model,
    lease: Lease,
    holder: &str,
) -> Result<(), StoreError> {
    let mut row = row.into_active_model();
    row.epoch = Set(lease.epoch);
    row.holder = Set(holder.to_owned());
    row.until = Set(lease.until.as_microsecond());
    row.update(transaction).await?;
    Ok(())
}

/// `now + ttl`, to the microsecond.
pub(super) fn end(now: Timestamp, ttl: Duration) -> Result<Timestamp, StoreError> {
    let end = i64::try_from(ttl.as_micros()).ok().and_then(|ttl| now.as_microsecond().checked_add(ttl));
    end.and_then(|end| Timestamp::from_microsecond(end).ok()).ok_or_else(|| StoreError::Refused {
        what: "lease".to_owned(),
        reason: format!("{now} and {} s is beyond all calendars", ttl.as_secs()),
    })
}
