//! Puts ledger entries into tiles and totals. The same engine serves the incremental path, which fetches what
//! a batch touches, and a rebuild, which starts from nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prost::Message;
use tonghop_core::figure::{Leaf, Series, Statement, place};
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::aggregation::GetEffectResponse;
use tonghop_proto::record::{self, AcceptedFigure};
use tonghop_proto::{ingestion as pb, registry_draft};
use tonghop_store::{Effect, Entry, EntryKind, Receipt, Snapshot, Summary, Tile};
use tonghop_tiles::{Put, Revision, Said};

use crate::AggregationError;
use crate::shelf::{Place, Shelves};
use crate::summarise::{read_for, summarise};
use crate::whole_findings;

/// What a batch changes.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) tiles: Vec<Tile>,
    pub(crate) summaries: Vec<Summary>,
    pub(crate) effects: Vec<Effect>,
    /// Series whose totals changed.
    pub(crate) series: BTreeSet<String>,
}

/// A submission taken apart.
pub(crate) struct Prepared {
    receipt: Receipt,
    figures: Vec<AcceptedFigure>,
    /// Where each figure belongs.
    kept: Vec<Kept>,
}

/// Where a figure is kept: its series' year in a province, and its place within the series.
pub(crate) struct Kept {
    pub(crate) place: Place,
    pub(crate) leaf: Leaf,
}

/// Tiles and totals in the making.
#[derive(Debug)]
pub(crate) struct Engine {
    registry: Arc<Registry>,
    shelves: Shelves,
}

/// Reads a registry entry.
pub(crate) fn read_registry(record: &[u8]) -> Result<Registry, AggregationError> {
    let damaged = |what: String| AggregationError::Damaged { row: "registry".into(), what };
    registry_draft::read(record).map_err(|e| damaged(e.to_string()))
}

impl Engine {
    /// The incremental path.
    pub(crate) fn new(registry: Arc<Registry>) -> Engine {
        Engine { registry, shelves: Shelves::default() }
    }

    /// From nothing: what is not held does not exist.
    pub(crate) fn from_nothing(registry: Arc<Registry>) -> Engine {
        Engine { registry, shelves: Shelves::complete() }
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Takes submissions apart.
    pub(crate) fn prepare(&self, entries: Vec<Entry>) -> Result<Vec<Prepared>, AggregationError> {
        entries
            .into_iter()
            .filter(|e| e.receipt.kind == EntryKind::Submission)
            .map(|entry| {
                let figures = record::decode(&self.registry, &entry.record).map_err(|e| {
                    let row = format!("ledger position {}", entry.receipt.position);
                    AggregationError::Damaged { row, what: e.to_string() }
                })?;
                let kept = figures.iter().map(|f| self.kept(f)).collect();
                Ok(Prepared { receipt: entry.receipt, figures, kept })
            })
            .collect()
    }

    fn kept(&self, accepted: &AcceptedFigure) -> Kept {
        let figure = &accepted.figure;
        let Some(indicator) = self.registry.indicator(&figure.indicator) else {
            unreachable!("a decoded figure has an indicator of the registry")
        };
        let (series, leaf) = place(&self.registry, indicator, &figure.breakdown);
        let day = indicator.calendar.last_day(figure.period);
        let keeper = self.registry.keeper(figure.unit, day);
        Kept { place: Place { series, keeper, year: indicator.calendar.year_of(day) }, leaf }
    }

    /// Fetches all that putting these in will touch.
    pub(crate) async fn fetch(
        &mut self,
        snapshot: &Snapshot,
        prepared: &[Prepared],
    ) -> Result<(), AggregationError> {
        self.shelves.bound();
        let nation = self.registry.nation();
        let mut touched: BTreeSet<&Place> = BTreeSet::new();
        let mut tiles: BTreeSet<Place> = BTreeSet::new();
        let mut summaries: BTreeSet<(Series, i16)> = BTreeSet::new();
        let mut ratios: BTreeSet<(&str, Period, UnitId)> = BTreeSet::new();
        for one in prepared {
            for (accepted, Kept { place, .. }) in one.figures.iter().zip(&one.kept) {
                if touched.insert(place) {
                    tiles.extend(read_for(&self.registry, place));
                }
                tiles.insert(Place { keeper: nation, ..place.clone() });
                summaries.insert((place.series.clone(), place.year));
                ratios.insert((&accepted.figure.indicator, accepted.figure.period, place.keeper));
            }
        }
        for (indicator, period, keeper) in ratios {
            if let Some(indicator) = self.registry.indicator(indicator) {
                for plan in whole_findings::ratio_plans(&self.registry, indicator, period) {
                    tiles.extend(whole_findings::places_of(&plan, keeper));
                }
            }
        }
        self.shelves.fetch(&self.registry, snapshot, &tiles, &summaries).await
    }

    /// Puts submissions in, in order, and works out what that changes.
    pub(crate) fn put(&mut self, prepared: &[Prepared]) -> Result<Changes, AggregationError> {
        let mut changes = Changes::default();
        let mut touched: BTreeMap<Place, BTreeSet<Period>> = BTreeMap::new();
        let mut position = 0;
        for one in prepared {
            position = one.receipt.position;
            let effect = self.put_one(one, &mut touched);
            changes.effects.push(effect);
        }
        summarise(&self.registry, &mut self.shelves, &touched, position);
        changes.series = touched.into_keys().map(|p| p.series.to_string()).collect();
        (changes.tiles, changes.summaries) = self.shelves.take_dirty(&self.registry)?;
        Ok(changes)
    }

    fn put_one(&mut self, one: &Prepared, touched: &mut BTreeMap<Place, BTreeSet<Period>>) -> Effect {
        let position = one.receipt.position;
        let mut counts = pb::Effect::default();
        for (accepted, Kept { place, leaf }) in one.figures.iter().zip(&one.kept) {
            let figure = &accepted.figure;
            let revision = Revision {
                position,
                said: match &figure.statement {
                    Statement::Value(value, qualifier) => Said::Value(*value, *qualifier),
                    Statement::NotAvailable(reason) => Said::NotAvailable(reason.as_str().into()),
                    Statement::Withdrawn => Said::Withdrawn,
                },
                reporter: leaf.reporter.as_deref().map(Into::into),
                programmes: accepted.programmes.join("|").as_str().into(),
            };
            let tile = self.shelves.tile_mut(&place.series, place.keeper, figure.period, position);
            let put = tile.put(figure.unit, figure.scope, &leaf.members.to_string(), revision);
            *match put {
                Put::New => &mut counts.new,
                Put::Revised => &mut counts.revised,
                Put::Unchanged => &mut counts.unchanged,
                Put::Withdrawn => &mut counts.withdrawn,
            } += 1;
            if put != Put::Unchanged {
                touched.entry(place.clone()).or_default().insert(figure.period);
            }
        }
        let findings = whole_findings::find(&self.registry, &self.shelves, &one.figures, &one.kept);
        effect_of(&one.receipt, counts, findings)
    }
}

/// An entry's effect as it is stored.
pub(crate) fn effect_of(receipt: &Receipt, counts: pb::Effect, findings: Vec<pb::Finding>) -> Effect {
    Effect {
        position: receipt.position,
        id: receipt.id,
        kind: receipt.kind,
        source: receipt.source.clone(),
        idempotency_key: receipt.idempotency_key.clone(),
        received_at: receipt.received_at,
        digest: receipt.digest,
        figures: receipt.figures,
        new: counts.new,
        revised: counts.revised,
        unchanged: counts.unchanged,
        withdrawn: counts.withdrawn,
        note: receipt.note.clone(),
        findings: GetEffectResponse { rolled_up: true, effect: None, findings }.encode_to_vec(),
    }
}
