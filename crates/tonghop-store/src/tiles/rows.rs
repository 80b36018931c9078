//! Tiles, summaries, effects, reviews and rules to and from their rows.

use crate::StoreError;
use crate::entities::{effect, review, rule, summary, tile};
use crate::row::{Place, kind_number};
use crate::tiles::{Effect, Review, Rule, Summary, Tile, TileKey};

impl From<Tile> for tile::Model {
    fn from(tile: Tile) -> Self {
        let Tile { key: TileKey { keeper, series, end_day, period }, position, body } = tile;
        Self { keeper, series, end_day, period, position, body }
    }
}

impl From<tile::Model> for Tile {
    fn from(row: tile::Model) -> Self {
        let tile::Model { keeper, series, end_day, period, position, body } = row;
        Self { key: TileKey { keeper, series, end_day, period }, position, body }
    }
}

impl From<Summary> for summary::Model {
    fn from(summary: Summary) -> Self {
        let Summary { series, period, end_day, position, body } = summary;
        Self { series, end_day, period, position, body }
    }
}

impl From<summary::Model> for Summary {
    fn from(row: summary::Model) -> Self {
        let summary::Model { series, end_day, period, position, body } = row;
        Self { series, period, end_day, position, body }
    }
}

impl From<Effect> for effect::Model {
    fn from(effect: Effect) -> Self {
        Self {
            position: effect.position,
            id: effect.id,
            kind: i16::from(kind_number(effect.kind)),
            source: effect.source,
            idempotency_key: effect.idempotency_key,
            received_at: effect.received_at.as_microsecond(),
            digest: effect.digest.to_vec(),
            figures: i64::from(effect.figures),
            new: i64::from(effect.new),
            revised: i64::from(effect.revised),
            unchanged: i64::from(effect.unchanged),
            withdrawn: i64::from(effect.withdrawn),
            note: effect.note,
            findings: effect.findings,
        }
    }
}

impl TryFrom<effect::Model> for Effect {
    type Error = StoreError;

    fn try_from(row: effect::Model) -> Result<Self, StoreError> {
        let place = Place { table: "effect", key: row.position };
        Ok(Self {
            position: row.position,
            id: row.id,
            kind: place.kind("kind", row.kind)?,
            received_at: place.time("received_at", row.received_at)?,
            digest: place.digest("digest", &row.digest)?,
            figures: place.count("figures", row.figures)?,
            new: place.count("new", row.new)?,
            revised: place.count("revised", row.revised)?,
            unchanged: place.count("unchanged", row.unchanged)?,
            withdrawn: place.count("withdrawn", row.withdrawn)?,
            source: row.source,
            idempotency_key: row.idempotency_key,
            note: row.note,
            findings: row.findings,
        })
    }
}

impl From<Review> for review::Model {
    fn from(review: Review) -> Self {
        let Review { name, position, entry_position, frozen_at, note } = review;
        Self { name, position, entry_position, frozen_at: frozen_at.as_microsecond(), note }
    }
}

impl TryFrom<review::Model> for Review {
    type Error = StoreError;

    fn try_from(row: review::Model) -> Result<Self, StoreError> {
        let place = Place { table: "review", key: row.entry_position };
        Ok(Self {
            frozen_at: place.time("frozen_at", row.frozen_at)?,
            name: row.name,
            position: row.position,
            entry_position: row.entry_position,
            note: row.note,
        })
    }
}

impl From<Rule> for rule::Model {
    fn from(rule: Rule) -> Self {
        let Rule { position, kind, actor, received_at, record } = rule;
        let kind = i16::from(kind_number(kind));
        Self { position, kind, actor, received_at: received_at.as_microsecond(), record }
    }
}

impl TryFrom<rule::Model> for Rule {
    type Error = StoreError;

    fn try_from(row: rule::Model) -> Result<Self, StoreError> {
        let place = Place { table: "rule", key: row.position };
        Ok(Self {
            position: row.position,
            kind: place.kind("kind", row.kind)?,
            received_at: place.time("received_at", row.received_at)?,
            actor: row.actor,
            record: row.record,
        })
    }
}
