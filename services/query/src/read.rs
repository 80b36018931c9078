//! Tiles and summaries into answers, from one snapshot.
//!
//! The nation and its provinces, for whole series and periods up to a year, are read from summaries: one row
//! answers all of them, restated to any later map too. Everything else (a commune, one member of a breakdown, one side, a ratio, a span) is
//! rolled up from tiles when it is asked for, by the same functions of the core.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tonghop_core::calendar::day_number;
use tonghop_core::figure::{Figures, Series};
use tonghop_core::period::{Grain, Period};
use tonghop_core::question::{Plan, Prepared, Refusal, Total, sum_of_sides, total_of_sum};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_runtime::Failure;
use tonghop_store::{Tile, TileSelect};
use tonghop_tiles::{SummaryBody, TileBody};

use crate::{View, store_failure};

/// A question with its plan.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) unit: UnitId,
    pub(crate) plan: Arc<Plan>,
}

impl Item {
    /// Whether a summary holds the answer.
    fn is_summarised(&self, registry: &Registry) -> bool {
        let nation = registry.nation();
        let near = self.unit == nation || registry.unit(self.unit).parent == Some(nation);
        near && self.plan.is_of_whole_series()
            && !matches!(self.plan.period.grain(), Grain::Instant | Grain::Span)
    }
}

/// A tile of a snapshot, read.
pub(crate) struct ReadTile {
    pub(crate) series: Series,
    pub(crate) period: Period,
    pub(crate) body: TileBody,
}

impl View {
    /// Answers questions, in their order.
    pub(crate) async fn answer(&self, items: &[Item]) -> Result<Vec<Result<Total, Refusal>>, Failure> {
        let summaries = self.summaries(items).await?;
        let nothing = Figures::default();
        let mut answers: Vec<Option<Result<Total, Refusal>>> = vec![None; items.len()];
        // Questions of one plan are answered from one reading of its tiles.
        let mut by_plan: Vec<(Arc<Plan>, Vec<usize>)> = Vec::new();
        for (i, item) in items.iter().enumerate() {
            if item.is_summarised(&self.registry) {
                answers[i] = Some(self.summarised(item, &summaries, &nothing));
                continue;
            }
            match by_plan.last_mut() {
                Some((plan, all)) if Arc::ptr_eq(plan, &item.plan) => all.push(i),
                _ => by_plan.push((Arc::clone(&item.plan), vec![i])),
            }
        }
        for (plan, indexes) in by_plan {
            let units: Vec<UnitId> = indexes.iter().map(|i| items[*i].unit).collect();
            let figures = self.figures(&plan, &units).await?;
            let registry = Arc::clone(&self.registry);
            let totals = tokio::task::spawn_blocking(move || {
                let prepared = Prepared::new(&registry, &plan, &figures);
                units.into_iter().map(|unit| prepared.total(unit)).collect::<Vec<_>>()
            });
            let totals = totals.await.map_err(Failure::internal)?;
            for (i, total) in indexes.into_iter().zip(totals) {
                answers[i] = Some(total);
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    fn summarised(
        &self,
        item: &Item,
        summaries: &BTreeMap<(String, Period), SummaryBody>,
        nothing: &Figures,
    ) -> Result<Total, Refusal> {
        item.plan.admits(&self.registry, item.unit)?;
        let stock = item.plan.indicator.is_stock();
        let maps = (item.plan.epoch(&self.registry), item.plan.told_on(&self.registry));
        let mut sides = Vec::new();
        for asked in item.plan.asked() {
            let key = (asked.series.to_string(), item.plan.period);
            let cell = summaries.get(&key).and_then(|body| body.cell(&self.registry, maps, item.unit));
            sides.push(match cell {
                Some(cell) => total_of_sum(cell.clone(), stock),
                // Nothing in this period: the core says what that means.
                None => {
                    let side = item.plan.sides[sides.len()].clone();
                    let plan = Plan { sides: vec![side], ..(*item.plan).clone() };
                    Prepared::new(&self.registry, &plan, nothing).total(item.unit)?
                }
            });
        }
        Ok(match <[Total; 1]>::try_from(sides) {
            Ok([only]) => only,
            Err(sides) => sum_of_sides(&sides),
        })
    }

    async fn summaries(&self, items: &[Item]) -> Result<BTreeMap<(String, Period), SummaryBody>, Failure> {
        let mut wanted: BTreeMap<(i32, i32), BTreeSet<String>> = BTreeMap::new();
        for item in items.iter().filter(|i| i.is_summarised(&self.registry)) {
            let day = day_number(item.plan.days.1);
            wanted.entry((day, day)).or_default().extend(item.plan.series().iter().map(ToString::to_string));
        }
        let mut out = BTreeMap::new();
        for ((from, to), series) in wanted {
            let series: Vec<String> = series.into_iter().collect();
            for summary in self.snapshot.summaries(&series, from, to).await.map_err(store_failure)? {
                let damaged = |what: String| {
                    Failure::internal(format!("summary {} {}: {what}", summary.series, summary.period))
                };
                let period = Period::parse(&summary.period).map_err(|e| damaged(e.to_string()))?;
                let body = SummaryBody::decode(&summary.body).map_err(|e| damaged(e.to_string()))?;
                out.insert((summary.series, period), body);
            }
        }
        Ok(out)
    }

    /// Current figures that a plan reads for some units.
    pub(crate) async fn figures(&self, plan: &Plan, units: &[UnitId]) -> Result<Figures, Failure> {
        let mut figures = Figures::default();
        for tile in self.tiles(plan, units).await? {
            let of_series = figures.series.entry(tile.series).or_default();
            tile.body.add_to(of_series, tile.period, i64::MAX);
        }
        Ok(figures)
    }

    /// The tiles that a plan reads for some units.
    pub(crate) async fn tiles(&self, plan: &Plan, units: &[UnitId]) -> Result<Vec<ReadTile>, Failure> {
        let nation = self.registry.nation();
        let all = units.contains(&nation);
        let of = |unit: &UnitId| plan.keepers(&self.registry, *unit);
        let keepers: BTreeSet<UnitId> =
            if all { BTreeSet::new() } else { units.iter().flat_map(of).collect() };
        let keepers = keepers.into_iter().map(|u| self.registry.unit(u).key()).collect();
        let (from_end, to_end) = plan.reading_days();
        let (from_end, to_end) = (day_number(from_end), day_number(to_end));
        let series: Vec<String> = plan.series().iter().map(ToString::to_string).collect();
        if series.is_empty() {
            return Ok(vec![]);
        }
        let select =
            TileSelect::Series { series, keepers: if all { None } else { Some(keepers) }, from_end, to_end };
        let tiles = self.snapshot.tiles(select).await.map_err(store_failure)?;
        tiles.into_iter().map(read_tile).collect()
    }
}

fn read_tile(tile: Tile) -> Result<ReadTile, Failure> {
    let damaged = |what: String| Failure::internal(format!("tile {:?}: {what}", tile.key));
    Ok(ReadTile {
        series: Series::parse(&tile.key.series).ok_or_else(|| damaged("not a series".into()))?,
        period: Period::parse(&tile.key.period).map_err(|e| damaged(e.to_string()))?,
        body: TileBody::decode(&tile.body).map_err(|e| damaged(e.to_string()))?,
    })
}
