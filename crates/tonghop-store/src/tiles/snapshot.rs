//! Reading, as of one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DatabaseExecutor, DatabaseTransaction,
    EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::keys::{KeyGroup, group};
use super::{Checkpoint, Counts, Effect, Summary, Tile, TileKey, TileSelect, Tiles};
use crate::StoreError;
use crate::connect::Connections;
use crate::entities::{SINGLETON, checkpoint, effect, registry, summary, tile};
use crate::row::Place;

/// The most tiles in one [`TileSelect::Page`].
pub const MAX_PAGE: u64 = 10_000;
/// The most rows that any other call returns.
pub const MAX_ROWS: u64 = 100_000;

/// Values in one `IN` list.
const VALUES_AT_ONCE: usize = 500;

/// One state of the tiles: all that is read through it is as of its checkpoint, whatever is written meanwhile.
///
/// It holds a connection of a small pool, and keeps SQLite's log from being reset; drop it soon.
#[derive(Debug)]
pub struct Snapshot {
    reader: Reader,
    checkpoint: Checkpoint,
    statements: Arc<AtomicU64>,
}

/// What a state is read through.
#[derive(Debug)]
enum Reader {
    /// The database sees to it that all reads see one state.
    Within(DatabaseTransaction),
    /// Whoever reads looks afterwards whether it is still the same.
    Plainly(DatabaseConnection),
}

impl Tiles {
    /// The present state.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`]; [`StoreError::Busy`], such as when too many snapshots are open;
    /// [`StoreError::Unavailable`].
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let begin = |mut reader: DatabaseConnection| async move {
            let statements = counted(&mut reader);
            let transaction = Connections::begin_snapshot(&reader).await?;
            // The state is that of the first read, so one is made now.
            let checkpoint = read_checkpoint(&transaction).await?;
            Ok(Snapshot { reader: Reader::Within(transaction), checkpoint, statements })
        };
        self.connections.read(begin).await
    }

    /// The state that the tiles are known to be in, read without a transaction. What is read through it is of that
    /// state only if that is still the state afterwards; otherwise it is to be thrown away.
    #[must_use]
    pub fn snapshot_of(&self, checkpoint: Checkpoint) -> Snapshot {
        let mut reader = self.connections.reader().clone();
        let statements = counted(&mut reader);
        Snapshot { reader: Reader::Plainly(reader), checkpoint, statements }
    }
}

/// Counts the statements of a clone of the pool's handle: those of one state alone.
fn counted(reader: &mut DatabaseConnection) -> Arc<AtomicU64> {
    let statements = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&statements);
    reader.set_metric_callback(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    statements
}

impl Snapshot {
    pub(super) fn reader(&self) -> DatabaseExecutor<'_> {
        match &self.reader {
            Reader::Within(transaction) => transaction.into(),
            Reader::Plainly(connection) => connection.into(),
        }
    }

    /// How far in the ledger this state is.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// How many statements have been sent to the database to read this state, its beginning and end aside.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The registry's record and its ledger position.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn registry(&self) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
        let row = registry::Entity::find_by_id(SINGLETON).one(&self.reader()).await?;
        Ok(row.map(|row| (row.position, row.record)))
    }

    /// The tiles that `select` asks for, each once: in the order of their keys, but a page in the database's.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooMany`] if they are more than [`MAX_ROWS`]; [`StoreError::Busy`],
    /// [`StoreError::Unavailable`].
    pub async fn tiles(&self, select: TileSelect) -> Result<Vec<Tile>, StoreError> {
        let mut rows = Vec::new();
        match select {
            TileSelect::Page { after, limit } => {
                return self.page(after, limit).await;
            }
            TileSelect::Series { series, keepers, from_end, to_end } => {
                let ends = tile::Column::EndDay.between(from_end, to_end);
                let (series, keepers) = (distinct(series), keepers.map(distinct));
                for series in series.chunks(VALUES_AT_ONCE) {
                    let find =
                        tile::Entity::find().filter(tile::Column::Series.is_in(series)).filter(ends.clone());
                    let Some(keepers) = &keepers else {
                        self.collect(find, &mut rows).await?;
                        continue;
                    };
                    for keepers in keepers.chunks(VALUES_AT_ONCE) {
                        let find = find.clone().filter(tile::Column::Keeper.is_in(keepers));
                        self.collect(find, &mut rows).await?;
                    }
                }
            }
            TileSelect::Within { series, keepers, ends } => {
                let ends = ends.into_iter().map(|(from, to)| tile::Column::EndDay.between(from, to));
                let ends = ends.fold(Condition::any(), Condition::add);
                let (series, keepers) = (distinct(series), keepers.map(distinct));
                for series in series.chunks(VALUES_AT_ONCE) {
                    let find =
                        tile::Entity::find().filter(tile::Column::Series.is_in(series)).filter(ends.clone());
                    let find = match &keepers {
                        Some(keepers) => find.filter(tile::Column::Keeper.is_in(keepers)),
                        None => find,
                    };
                    self.collect(find, &mut rows).await?;
                }
            }
            TileSelect::Keys(keys) => {
                for group in group(&keys) {
                    match group {
                        KeyGroup::Series { keeper, series, period } => {
                            for series in series.chunks(VALUES_AT_ONCE) {
                                let find = of_period(period)
                                    .filter(tile::Column::Keeper.eq(keeper))
                                    .filter(tile::Column::Series.is_in(series.iter().copied()));
                                self.collect(find, &mut rows).await?;
                            }
                        }
                        KeyGroup::Keepers { keepers, series, period } => {
                            for keepers in keepers.chunks(VALUES_AT_ONCE) {
                                let find = of_period(period)
                                    .filter(tile::Column::Keeper.is_in(keepers.iter().copied()))
                                    .filter(tile::Column::Series.eq(series));
                                self.collect(find, &mut rows).await?;
                            }
                        }
                    }
                }
            }
        }
        let mut tiles: Vec<Tile> = rows.into_iter().map(Tile::from).collect();
        tiles.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(tiles)
    }

    /// The summaries of `series` whose period ends within a range of days, both included; in the order of
    /// series, last day, period.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooMany`] if they are more than [`MAX_ROWS`]; [`StoreError::Busy`],
    /// [`StoreError::Unavailable`].
    pub async fn summaries(
        &self,
        series: &[String],
        from_end: i32,
        to_end: i32,
    ) -> Result<Vec<Summary>, StoreError> {
        let find = summary::Entity::find().filter(summary::Column::EndDay.between(from_end, to_end));
        self.summaries_where(series, find).await
    }

    /// The summaries of `series` whose period ends on any of some days; ordered as
    /// [`summaries`](Self::summaries) are.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooMany`] if they are more than [`MAX_ROWS`]; [`StoreError::Busy`],
    /// [`StoreError::Unavailable`].
    pub async fn summaries_on(
        &self,
        series: &[String],
        end_days: &[i32],
    ) -> Result<Vec<Summary>, StoreError> {
        let mut rows = Vec::new();
        for days in distinct(end_days.to_vec()).chunks(VALUES_AT_ONCE) {
            let find = summary::Entity::find().filter(summary::Column::EndDay.is_in(days.iter().copied()));
            rows.extend(self.summaries_where(series, find).await?);
        }
        Ok(rows)
    }

    /// The summaries of `series` for the period with this label; ordered as
    /// [`summaries`](Self::summaries) are.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooMany`] if they are more than [`MAX_ROWS`]; [`StoreError::Busy`],
    /// [`StoreError::Unavailable`].
    pub async fn summaries_at(&self, series: &[String], period: &str) -> Result<Vec<Summary>, StoreError> {
        let find = summary::Entity::find().filter(summary::Column::Period.eq(period));
        self.summaries_where(series, find).await
    }

    /// What the entry at `position` did.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn effect(&self, position: i64) -> Result<Option<Effect>, StoreError> {
        let row = effect::Entity::find_by_id(position).one(&self.reader()).await?;
        row.map(Effect::try_from).transpose()
    }

    /// What the submission with this id did.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn effect_by_id(&self, id: Uuid) -> Result<Option<Effect>, StoreError> {
        let find = effect::Entity::find().filter(effect::Column::Id.eq(id));
        find.one(&self.reader()).await?.map(Effect::try_from).transpose()
    }

    /// What the entries at `positions` did, as far as they have been applied; in the order of position.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn effects(&self, positions: &[i64]) -> Result<Vec<Effect>, StoreError> {
        let mut effects = Vec::new();
        let positions = distinct(positions.to_vec());
        for positions in positions.chunks(VALUES_AT_ONCE) {
            let find = effect::Entity::find()
                .filter(effect::Column::Position.is_in(positions.iter().copied()))
                .order_by_asc(effect::Column::Position);
            for row in find.all(&self.reader()).await? {
                effects.push(Effect::try_from(row)?);
            }
        }
        Ok(effects)
    }

    /// Whether anything came from a system whose name begins with `prefix`, in letters and hyphens.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn has_source(&self, prefix: &str) -> Result<bool, StoreError> {
        let find = effect::Entity::find()
            .select_only()
            .column(effect::Column::Position)
            .filter(effect::Column::Source.starts_with(prefix))
            .into_tuple::<i64>();
        Ok(find.one(&self.reader()).await?.is_some())
    }

    /// The last day and the label of the newest period, of those that end no later than a day, that there is a
    /// summary of; where there is no summary at all, that there is a tile of. Looks through all of them, so it is not for
    /// every request.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn newest_period(&self, to_end: i32) -> Result<Option<(i32, String)>, StoreError> {
        let of_summaries = summary::Entity::find()
            .select_only()
            .columns([summary::Column::EndDay, summary::Column::Period])
            .filter(summary::Column::EndDay.lte(to_end))
            .order_by_desc(summary::Column::EndDay)
            .into_tuple()
            .one(&self.reader())
            .await?;
        if of_summaries.is_some() {
            return Ok(of_summaries);
        }
        let of_tiles = tile::Entity::find()
            .select_only()
            .columns([tile::Column::EndDay, tile::Column::Period])
            .filter(tile::Column::EndDay.lte(to_end))
            .order_by_desc(tile::Column::EndDay)
            .into_tuple();
        Ok(of_tiles.one(&self.reader()).await?)
    }

    /// Whether an entry after `position` has a source or a note that begins with a mark.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn marked_after(&self, position: i64, source: &str, note: &str) -> Result<bool, StoreError> {
        let marked = effect::Column::Source.starts_with(source).or(effect::Column::Note.starts_with(note));
        let found = effect::Entity::find()
            .select_only()
            .column(effect::Column::Position)
            .filter(effect::Column::Position.gt(position))
            .filter(marked)
            .into_tuple::<i64>()
            .one(&self.reader())
            .await?;
        Ok(found.is_some())
    }

    /// How many rows there are. Counts them, so it is not for every request.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(Counts {
            tiles: tile::Entity::find().count(&self.reader()).await?,
            summaries: summary::Entity::find().count(&self.reader()).await?,
            effects: effect::Entity::find().count(&self.reader()).await?,
            registries: registry::Entity::find().count(&self.reader()).await?,
        })
    }

    async fn page(&self, after: Option<TileKey>, limit: u64) -> Result<Vec<Tile>, StoreError> {
        let mut find = tile::Entity::find()
            .order_by_asc(tile::Column::Keeper)
            .order_by_asc(tile::Column::Series)
            .order_by_asc(tile::Column::EndDay)
            .order_by_asc(tile::Column::Period)
            .limit(Ord::min(limit, MAX_PAGE));
        if let Some(TileKey { keeper, series, end_day, period }) = after {
            let key = [
                Expr::col(tile::Column::Keeper),
                Expr::col(tile::Column::Series),
                Expr::col(tile::Column::EndDay),
                Expr::col(tile::Column::Period),
            ];
            let last = [keeper.into(), series.into(), end_day.into(), period.into()];
            find = find.filter(Expr::tuple(key).gt(Expr::tuple(last)));
        }
        Ok(find.all(&self.reader()).await?.into_iter().map(Tile::from).collect())
    }

    async fn summaries_where(
        &self,
        series: &[String],
        find: Select<summary::Entity>,
    ) -> Result<Vec<Summary>, StoreError> {
        let mut rows = Vec::new();
        for series in distinct(series.to_vec()).chunks(VALUES_AT_ONCE) {
            self.collect(find.clone().filter(summary::Column::Series.is_in(series)), &mut rows).await?;
        }
        rows.sort_unstable_by(|a, b| {
            (&a.series, a.end_day, &a.period).cmp(&(&b.series, b.end_day, &b.period))
        });
        Ok(rows.into_iter().map(Summary::from).collect())
    }

    /// Adds what `find` finds to `rows`, as long as they are not too many.
    async fn collect<E: EntityTrait>(
        &self,
        find: Select<E>,
        rows: &mut Vec<E::Model>,
    ) -> Result<(), StoreError> {
        let room = MAX_ROWS - rows.len() as u64;
        let found = find.limit(room + 1).all(&self.reader()).await?;
        if found.len() as u64 > room {
            return Err(StoreError::TooMany { table: E::default().as_str(), limit: MAX_ROWS });
        }
        rows.extend(found);
        Ok(())
    }
}

pub(super) async fn read_checkpoint(reader: &impl ConnectionTrait) -> Result<Checkpoint, StoreError> {
    let place = Place { table: "checkpoint", key: SINGLETON.into() };
    let row = checkpoint::Entity::find_by_id(SINGLETON).one(reader).await?;
    let row = row.ok_or_else(|| place.broken("singleton", "the row is missing"))?;
    Ok(Checkpoint {
        position: row.position,
        ledger_digest: place.digest("ledger_digest", &row.ledger_digest)?,
        time: match row.position {
            0 => None,
            _ => Some(place.time("time", row.time)?),
        },
        registry_position: Some(row.registry_position).filter(|position| *position > 0),
        epoch: row.epoch,
        confirmed_at: match row.confirmed_at {
            0 => None,
            at => Some(place.time("confirmed_at", at)?),
        },
    })
}

fn of_period((end_day, period): (i32, &str)) -> Select<tile::Entity> {
    tile::Entity::find().filter(tile::Column::EndDay.eq(end_day)).filter(tile::Column::Period.eq(period))
}

fn distinct<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}
