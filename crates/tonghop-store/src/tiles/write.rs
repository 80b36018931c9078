//! Writing, behind the fence: the lease's epoch and the checkpoint's position.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, Iterable, PrimaryKeyToColumn,
    QuerySelect,
};

use super::lease::end;
use super::upsert::{There, upsert};
use super::{Lease, TileBatch, Tiles};
use crate::StoreError;
use crate::entities::{
    SINGLETON, checkpoint, effect, lease, registry, registry_kept, review, rule, summary, tile,
};
use crate::ledger::{MAX_KEY_BYTES, MAX_TEXT_BYTES};
use crate::row::{Place, check_text, chunks};

async fn empty(transaction: &DatabaseTransaction) -> Result<(), StoreError> {
    tile::Entity::delete_many().exec(transaction).await?;
    summary::Entity::delete_many().exec(transaction).await?;
    effect::Entity::delete_many().exec(transaction).await?;
    registry::Entity::delete_many().exec(transaction).await?;
    registry_kept::Entity::delete_many().exec(transaction).await?;
    review::Entity::delete_many().exec(transaction).await?;
    rule::Entity::delete_many().exec(transaction).await?;
    Ok(())
}

/// The longest body of a tile or summary, record of the registry, or findings of an effect.
pub const MAX_BODY_BYTES: usize = 64 << 20;

/// Rows of tables with few of them in one statement.
const ROWS_AT_ONCE: usize = 25;

impl Tiles {
    /// Writes a batch and moves the checkpoint, in one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] if the lease is not held with the batch's epoch; [`StoreError::OutOfOrder`] if
    /// the checkpoint is not where the batch expects it, or the batch would move it back;
    /// [`StoreError::Refused`] if a key occurs twice or a value is too long; [`StoreError::Busy`] or
    /// [`StoreError::Unavailable`]. Nothing is written then, unless the connection broke during the commit:
    /// the checkpoint tells.
    pub async fn write(&self, batch: TileBatch) -> Result<(), StoreError> {
        self.write_and(batch, None).await
    }

    /// Writes a batch as [`write`](Self::write) does, and with it keeps the lease for `ttl` after the moment of
    /// the commit, which `now` tells: a batch that takes longer than the lease lasts does not lose it.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write); [`StoreError::Refused`] if `now() + ttl` is beyond all calendars.
    pub async fn write_and_renew(
        &self,
        batch: TileBatch,
        ttl: Duration,
        now: fn() -> Timestamp,
    ) -> Result<(), StoreError> {
        self.write_and(batch, Some((ttl, now))).await
    }

    async fn write_and(
        &self,
        batch: TileBatch,
        renewal: Option<(Duration, fn() -> Timestamp)>,
    ) -> Result<(), StoreError> {
        if batch.position < batch.expected_position {
            return Err(StoreError::OutOfOrder { expected: batch.expected_position, found: batch.position });
        }
        let tiles = tiles(batch.tiles)?;
        let summaries = summaries(batch.summaries)?;
        let effects = effects(batch.effects)?;
        let registry = batch.registry.map(registry_row).transpose()?;
        let kept = registries_kept(registry.as_ref(), batch.registries_before)?;
        let reviews = reviews(batch.reviews)?;
        let rules = rules(batch.rules)?;

        let changing = self.known.changing();
        self.known.free().await;
        let transaction = self.connections.begin_write().await?;
        let lease = fence(&transaction, batch.epoch).await?;
        let at = checkpoint_locked(&transaction).await?;
        if at.position != batch.expected_position {
            let (expected, found) = (batch.expected_position, at.position);
            return Err(StoreError::OutOfOrder { expected, found });
        }
        if batch.replaces_all {
            empty(&transaction).await?;
        }
        let there = if batch.replaces_all { There::None } else { There::Replaced };
        upsert(&transaction, tiles, there).await?;
        upsert(&transaction, summaries, there).await?;
        upsert(&transaction, effects, there).await?;
        let registry_position = match (&registry, batch.replaces_all) {
            (Some(registry), _) => registry.position,
            (None, true) => 0,
            (None, false) => at.registry_position,
        };
        upsert_few::<registry::Entity>(&transaction, registry.into_iter().collect()).await?;
        upsert_few::<registry_kept::Entity>(&transaction, kept).await?;
        upsert_few::<review::Entity>(&transaction, reviews).await?;
        upsert_few::<rule::Entity>(&transaction, rules).await?;
        let moved = checkpoint::Model {
            singleton: SINGLETON,
            position: batch.position,
            ledger_digest: batch.ledger_digest.to_vec(),
            time: batch.time.as_microsecond(),
            epoch: batch.epoch,
            confirmed_at: at.confirmed_at,
            registry_position,
        };
        upsert_few::<checkpoint::Entity>(&transaction, vec![moved]).await?;
        let asked = Instant::now();
        if let Some((ttl, now)) = renewal {
            let renewed = Lease { epoch: batch.epoch, until: end(now(), ttl)? };
            let holder = lease.holder.clone();
            super::lease::store(&transaction, lease, renewed, &holder).await?;
        }
        changing.settled().await;
        transaction.commit().await?;
        changing.committed();
        if let Some((ttl, _)) = renewal {
            self.known.renewed(asked, ttl);
        }
        Ok(())
    }

    /// Empties the tiles, summaries, effects, registries, reviews and rules, and sets the checkpoint back to the start, in one
    /// transaction: the first step of a rebuild from the ledger. The lease stays.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] if the lease is not held with `epoch`; [`StoreError::Busy`] or
    /// [`StoreError::Unavailable`].
    pub async fn clear(&self, epoch: i64) -> Result<(), StoreError> {
        let changing = self.known.changing();
        self.known.free().await;
        let transaction = self.connections.begin_write().await?;
        fence(&transaction, epoch).await?;
        checkpoint_locked(&transaction).await?;
        empty(&transaction).await?;
        let start = checkpoint::Model {
            singleton: SINGLETON,
            position: 0,
            ledger_digest: vec![0; 32],
            time: 0,
            epoch: 0,
            confirmed_at: 0,
            registry_position: 0,
        };
        upsert_few::<checkpoint::Entity>(&transaction, vec![start]).await?;
        changing.settled().await;
        transaction.commit().await?;
        changing.committed();
        Ok(())
    }
}

/// Refuses unless the lease is held with `epoch`, and keeps it from changing hands until the commit.
async fn fence(transaction: &DatabaseTransaction, epoch: i64) -> Result<lease::Model, StoreError> {
    let lease = super::lease::locked(transaction).await?;
    match held(&lease) {
        Some(current) if current == epoch => Ok(lease),
        current => Err(StoreError::Fenced { given: epoch, current }),
    }
}

/// The epoch with which `lease` is held.
pub(super) fn held(lease: &lease::Model) -> Option<i64> {
    (!lease.holder.is_empty()).then_some(lease.epoch)
}

async fn checkpoint_locked(transaction: &DatabaseTransaction) -> Result<checkpoint::Model, StoreError> {
    let row = checkpoint::Entity::find_by_id(SINGLETON).lock_exclusive().one(transaction).await?;
    row.ok_or_else(|| {
        Place { table: "checkpoint", key: SINGLETON.into() }.broken("singleton", "the row is missing")
    })
}

fn tiles(tiles: Vec<super::Tile>) -> Result<Vec<tile::Model>, StoreError> {
    let name = |row: &tile::Model| format!("tile {} {} {}", row.keeper, row.series, row.period);
    let rows: Vec<tile::Model> = tiles.into_iter().map(Into::into).collect();
    for row in &rows {
        for text in [&row.keeper, &row.series, &row.period] {
            check_text(|| name(row), text, MAX_KEY_BYTES)?;
        }
        check_body(|| name(row), &row.body)?;
    }
    sorted(rows, name, |a, b| {
        (&a.keeper, &a.series, a.end_day, &a.period).cmp(&(&b.keeper, &b.series, b.end_day, &b.period))
    })
}

fn summaries(summaries: Vec<super::Summary>) -> Result<Vec<summary::Model>, StoreError> {
    let name = |row: &summary::Model| format!("summary {} {}", row.series, row.period);
    let rows: Vec<summary::Model> = summaries.into_iter().map(Into::into).collect();
    for row in &rows {
        for text in [&row.series, &row.period] {
            check_text(|| name(row), text, MAX_KEY_BYTES)?;
        }
        check_body(|| name(row), &row.body)?;
    }
    sorted(rows, name, |a, b| (&a.series, a.end_day, &a.period).cmp(&(&b.series, b.end_day, &b.period)))
}

fn effects(effects: Vec<super::Effect>) -> Result<Vec<effect::Model>, StoreError> {
    let name = |row: &effect::Model| format!("effect of position {}", row.position);
    let rows: Vec<effect::Model> = effects.into_iter().map(Into::into).collect();
    for row in &rows {
        for text in [&row.source, &row.idempotency_key, &row.note] {
            check_text(|| name(row), text, MAX_TEXT_BYTES)?;
        }
        check_body(|| name(row), &row.findings)?;
    }
    sorted(rows, name, |a, b| a.position.cmp(&b.position))
}

fn registry_row((position, record): (i64, Vec<u8>)) -> Result<registry::Model, StoreError> {
    check_body(|| format!("registry of position {position}"), &record)?;
    Ok(registry::Model { singleton: SINGLETON, position, record })
}

fn registries_kept(
    present: Option<&registry::Model>,
    before: Vec<(i64, Vec<u8>)>,
) -> Result<Vec<registry_kept::Model>, StoreError> {
    let present = present.map(|registry| (registry.position, registry.record.clone()));
    let name = |row: &registry_kept::Model| format!("registry of position {}", row.position);
    let rows = before.into_iter().chain(present).map(|(position, record)| {
        let row = registry_kept::Model { position, record };
        check_body(|| name(&row), &row.record)?;
        Ok(row)
    });
    sorted(rows.collect::<Result<_, StoreError>>()?, name, |a, b| a.position.cmp(&b.position))
}

fn reviews(reviews: Vec<super::Review>) -> Result<Vec<review::Model>, StoreError> {
    let name = |row: &review::Model| format!("review {:?}", row.name);
    let rows: Vec<review::Model> = reviews.into_iter().map(Into::into).collect();
    for row in &rows {
        check_text(|| name(row), &row.name, MAX_KEY_BYTES)?;
        check_text(|| name(row), &row.note, MAX_TEXT_BYTES)?;
    }
    sorted(rows, name, |a, b| a.name.cmp(&b.name))
}

fn rules(rules: Vec<super::Rule>) -> Result<Vec<rule::Model>, StoreError> {
    let name = |row: &rule::Model| format!("rule of position {}", row.position);
    let rows: Vec<rule::Model> = rules.into_iter().map(Into::into).collect();
    for row in &rows {
        check_text(|| name(row), &row.actor, MAX_KEY_BYTES)?;
        check_body(|| name(row), &row.record)?;
    }
    sorted(rows, name, |a, b| a.position.cmp(&b.position))
}

fn check_body(what: impl FnOnce() -> String, body: &[u8]) -> Result<(), StoreError> {
    if body.len() > MAX_BODY_BYTES {
        let reason = format!("{} bytes, and at most {MAX_BODY_BYTES} are stored", body.len());
        return Err(StoreError::Refused { what: what(), reason });
    }
    Ok(())
}

/// Sorts rows by key, so that all writers lock in one order, and refuses a key that occurs twice, which
/// PostgreSQL would.
fn sorted<Row>(
    mut rows: Vec<Row>,
    name: impl Fn(&Row) -> String,
    compare: impl Fn(&Row, &Row) -> Ordering,
) -> Result<Vec<Row>, StoreError> {
    rows.sort_by(&compare);
    match rows.windows(2).find(|pair| compare(&pair[0], &pair[1]).is_eq()) {
        None => Ok(rows),
        Some(pair) => {
            Err(StoreError::Refused { what: name(&pair[0]), reason: "the batch has it twice".to_owned() })
        }
    }
}

/// As [`upsert`], of tables with few rows.
async fn upsert_few<E>(transaction: &DatabaseTransaction, rows: Vec<E::Model>) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E>,
{
    for rows in chunks(rows, ROWS_AT_ONCE) {
        let key = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
        let rest = E::Column::iter().filter(|column| E::PrimaryKey::from_column(*column).is_none());
        let replace = OnConflict::columns(key).update_columns(rest).to_owned();
        let insert = E::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model));
        insert.on_conflict(replace).exec_without_returning(transaction).await?;
    }
    Ok(())
}
