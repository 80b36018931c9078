//! Reading what was: registries and reviews of the past, and what changed since.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{MAX_ROWS, Review, Rule, Snapshot, TileKey};
use crate::StoreError;
use crate::entities::{registry_kept, review, rule, tile};

/// A tile that was changed, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Which tile.
    pub key: TileKey,
    /// The last ledger position that changed it.
    pub position: i64,
}

impl Snapshot {
    /// The ledger position of the registry that was in force at `position`, as far as it is kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn registry_position_at(&self, position: i64) -> Result<Option<i64>, StoreError> {
        let find = registry_kept::Entity::find()
            .select_only()
            .column(registry_kept::Column::Position)
            .filter(registry_kept::Column::Position.lte(position))
            .order_by_desc(registry_kept::Column::Position);
        Ok(find.into_tuple::<i64>().one(&self.reader()).await?)
    }

    /// The record of the registry that was loaded at `position`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn registry_loaded_at(&self, position: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = registry_kept::Entity::find_by_id(position).one(&self.reader()).await?;
        Ok(row.map(|row| row.record))
    }

    /// All registries that are kept, with their positions, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn registries(&self) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let find = registry_kept::Entity::find().order_by_asc(registry_kept::Column::Position);
        let rows = find.all(&self.reader()).await?;
        Ok(rows.into_iter().map(|row| (row.position, row.record)).collect())
    }

    /// The review of a name.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn review(&self, name: &str) -> Result<Option<Review>, StoreError> {
        let row = review::Entity::find_by_id(name).one(&self.reader()).await?;
        row.map(Review::try_from).transpose()
    }

    /// The reviews whose names come after `after`, in the order of their names, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn reviews(&self, after: &str, limit: u64) -> Result<Vec<Review>, StoreError> {
        let find = review::Entity::find()
            .filter(review::Column::Name.gt(after))
            .order_by_asc(review::Column::Name)
            .limit(limit.min(MAX_ROWS));
        find.all(&self.reader()).await?.into_iter().map(Review::try_from).collect()
    }

    /// All reviews.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooMany`] if they are more than [`MAX_ROWS`]; [`StoreError::Row`], [`StoreError::Busy`],
    /// [`StoreError::Unavailable`].
    pub async fn all_reviews(&self) -> Result<Vec<Review>, StoreError> {
        let rows = review::Entity::find().limit(MAX_ROWS + 1).all(&self.reader()).await?;
        if rows.len() as u64 > MAX_ROWS {
            return Err(StoreError::TooMany { table: "review", limit: MAX_ROWS });
        }
        rows.into_iter().map(Review::try_from).collect()
    }

    /// The rules after a position, in order, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn rules_after(&self, position: i64, limit: u64) -> Result<Vec<Rule>, StoreError> {
        let find = rule::Entity::find()
            .filter(rule::Column::Position.gt(position))
            .order_by_asc(rule::Column::Position)
            .limit(limit.min(MAX_ROWS));
        find.all(&self.reader()).await?.into_iter().map(Rule::try_from).collect()
    }

    /// The tiles that were changed after a position, at most `limit` of them, those changed first in front.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn changed_after(&self, position: i64, limit: u64) -> Result<Vec<Changed>, StoreError> {
        let find = tile::Entity::find()
            .select_only()
            .columns([
                tile::Column::Keeper,
                tile::Column::Series,
                tile::Column::EndDay,
                tile::Column::Period,
                tile::Column::Position,
            ])
            .filter(tile::Column::Position.gt(position))
            .order_by_asc(tile::Column::Position)
            .limit(limit.min(MAX_ROWS));
        let rows = find.into_tuple::<(String, String, i32, String, i64)>().all(&self.reader()).await?;
        let changed = |(keeper, series, end_day, period, position)| Changed {
            key: TileKey { keeper, series, end_day, period },
            position,
        };
        Ok(rows.into_iter().map(changed).collect())
    }
}
