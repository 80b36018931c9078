//! Tiles and summaries into answers, from one snapshot.
//!
//! However many questions there are, summaries are read once and tiles are read once.
//!
//! The nation and its provinces, for whole series and periods up to a year, are read from summaries: one row
//! answers all of them, restated to any later map too. Everything else (a commune, one member of a breakdown, one
//! side, a ratio, a span, and what a summary does not say any more as of a past position) is rolled up from tiles
//! when it is asked for, by the same functions of the core.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tonghop_core::calendar::day_number;
use tonghop_core::figure::{Figures, Series};
use tonghop_core::period::{Grain, Period};
use tonghop_core::question::{Asked, Plan, Prepared, Reason, Refusal, Total, sum_of_sides, total_of_sum};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;
use tonghop_runtime::Failure;
use tonghop_store::{Summary, Tile, TileSelect};
use tonghop_tiles::{TileBody, WrittenSummary};

use crate::approved::{Approved, is_approved_somewhere, latest};
use crate::moment::Moment;
use crate::{View, given, store_failure};

/// A question with its plan.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) unit: UnitId,
    pub(crate) plan: Arc<Plan>,
}

impl Item {
    /// Whether a summary holds the answer.
    fn is_summarised(&self, view: &View) -> bool {
        let (registry, nation) = (&view.registry, view.registry.nation());
        let near = self.unit == nation || registry.unit(self.unit).parent == Some(nation);
        near && view.moment.has_summaries()
            // Of which figures they are, summaries do not say.
            && !view.approved_only
            && self.plan.is_of_whole_series()
            && !matches!(self.plan.period.grain(), Grain::Instant | Grain::Span)
    }
}

/// What a plan is known by as long as it lives: whoever shares it asks the same.
pub(crate) fn name(plan: &Arc<Plan>) -> usize {
    Arc::as_ptr(plan).addr()
}

/// Whether what was given below a total adds up to one; where it does not, what was given stands in its place.
pub(crate) fn adds_up(total: &Total) -> bool {
    total.reason != Some(Reason::NotAggregable)
}

/// What a question comes to.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The total, or why there is none.
    pub(crate) total: Result<Total, Refusal>,
    /// What was given, where it does not add up.
    pub(crate) given: Vec<pb::GivenFigure>,
    /// Cells that approved figures alone cover; none where no regime has them approved.
    pub(crate) approved: Option<u64>,
}

/// Summaries as they are written.
type Summaries = BTreeMap<(String, Period), (i64, WrittenSummary)>;

/// Tiles as they were read, decoded for each plan that needs them and let go again.
pub(crate) struct Shelf {
    registry: Arc<Registry>,
    moment: Arc<Moment>,
    tiles: Vec<Tile>,
    by_series: HashMap<String, Vec<usize>>,
    /// What is approved, where that is asked for.
    approved: Option<Approved>,
    /// Whether approved figures alone are asked.
    approved_only: bool,
}

/// Answers, where they belong, and whether they say what is approved.
type Rolled = (Vec<Answer>, Vec<usize>, bool);

/// The questions of one plan that tiles answer.
struct FromTiles {
    plan: Arc<Plan>,
    units: Vec<UnitId>,
    /// Where their answers belong.
    places: Vec<usize>,
    /// Whether it is asked how much of them is approved, beside what they are.
    approved: bool,
}

impl View {
    /// Answers questions, in their order.
    pub(crate) async fn answer(&self, items: &[Item]) -> Result<Vec<Answer>, Failure> {
        let summaries = self.summaries(items).await?;
        let nothing = Figures::default();
        let mut answers: Vec<Option<Answer>> = vec![None; items.len()];
        let mut from_tiles: Vec<FromTiles> = Vec::new();
        let mut by_plan: HashMap<(usize, bool), usize> = HashMap::new();
        let mut ask = |place: usize, item: &Item, approved: bool| {
            let at = *by_plan.entry((name(&item.plan), approved)).or_insert_with(|| {
                let plan = Arc::clone(&item.plan);
                from_tiles.push(FromTiles { plan, units: vec![], places: vec![], approved });
                from_tiles.len() - 1
            });
            from_tiles[at].units.push(item.unit);
            from_tiles[at].places.push(place);
        };
        for (place, item) in items.iter().enumerate() {
            if !self.approved_only && is_approved_somewhere(&self.registry, &item.plan) {
                ask(place, item, true);
            }
            if item.is_summarised(self)
                && let Some(total) = self.summarised(item, &summaries, &nothing)?
            {
                // What was given is in tiles alone.
                if total.as_ref().map_or(true, adds_up) {
                    answers[place] = Some(Answer { total, given: vec![], approved: None });
                    continue;
                }
            }
            ask(place, item, false);
        }
        if !from_tiles.is_empty() {
            let needed: Vec<(&Plan, &[UnitId])> =
                from_tiles.iter().map(|f| (&*f.plan, f.units.as_slice())).collect();
            let shelf = self.shelf(&needed).await?;
            let rolling = tokio::task::spawn_blocking(move || {
                // What is approved is put beside the answers that are there by then.
                from_tiles.sort_by_key(|one| one.approved);
                let rolled =
                    |one: FromTiles| Ok::<Rolled, Failure>((shelf.roll(&one)?, one.places, one.approved));
                from_tiles.into_iter().map(rolled).collect()
            });
            let rolled: Result<Vec<Rolled>, Failure> = rolling.await.map_err(Failure::internal)?;
            for (of_plan, places, approved) in rolled? {
                for (place, answer) in places.into_iter().zip(of_plan) {
                    match &mut answers[place] {
                        Some(known) if approved => known.approved = answer.approved,
                        other => *other = Some(answer),
                    }
                }
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// The total that a summary holds; none where it does not say any more what it said.
    fn summarised(
        &self,
        item: &Item,
        summaries: &Summaries,
        nothing: &Figures,
    ) -> Result<Option<Result<Total, Refusal>>, Failure> {
        if let Err(refusal) = item.plan.admits(&self.registry, item.unit) {
            return Ok(Some(Err(refusal)));
        }
        let stock = item.plan.indicator.is_stock();
        let maps = (item.plan.epoch(&self.registry), item.plan.told_on(&self.registry));
        let mut sides = Vec::new();
        for asked in item.plan.asked() {
            let found = summaries.get(&(asked.series.to_string(), item.plan.period));
            if found.is_some_and(|(position, _)| *position > self.moment.limit()) {
                return Ok(None);
            }
            let cell = match found {
                Some((_, summary)) => summary
                    .cell(&self.registry, maps, item.unit)
                    .map_err(|e| damaged(&asked.series.to_string(), &item.plan.period.to_string(), e))?,
                None => None,
            };
            sides.push(match cell {
                Some(cell) => total_of_sum(cell, stock),
                // Nothing in this period: the core says what that means.
                None => {
                    let side = item.plan.sides[sides.len()].clone();
                    let plan = Plan { sides: vec![side], ..(*item.plan).clone() };
                    match Prepared::new(&self.registry, &plan, nothing).total(item.unit) {
                        Ok(total) => total,
                        Err(refusal) => return Ok(Some(Err(refusal))),
                    }
                }
            });
        }
        Ok(Some(Ok(match <[Total; 1]>::try_from(sides) {
            Ok([only]) => only,
            Err(sides) => sum_of_sides(&sides),
        })))
    }

    async fn summaries(&self, items: &[Item]) -> Result<Summaries, Failure> {
        let (mut series, mut days) = (BTreeSet::new(), BTreeSet::new());
        for item in items.iter().filter(|i| i.is_summarised(self)) {
            days.insert(day_number(item.plan.days.1));
            series.extend(item.plan.series().iter().map(ToString::to_string));
        }
        let mut out = BTreeMap::new();
        if series.is_empty() {
            return Ok(out);
        }
        let (series, days): (Vec<String>, Vec<i32>) =
            (series.into_iter().collect(), days.into_iter().collect());
        for Summary { series, period, position, body, .. } in
            self.snapshot.summaries_on(&series, &days).await.map_err(store_failure)?
        {
            let of = Period::parse(&period).map_err(|e| damaged(&series, &period, e))?;
            let summary = WrittenSummary::of(body).map_err(|e| damaged(&series, &period, e))?;
            out.insert((series, of), (position, summary));
        }
        Ok(out)
    }

    /// Current figures that a plan reads for some units.
    pub(crate) async fn figures(&self, plan: &Plan, units: &[UnitId]) -> Result<Figures, Failure> {
        self.shelf(&[(plan, units)]).await?.figures(plan, units)
    }

    /// All tiles that some plans read for some units, at once.
    pub(crate) async fn shelf(&self, needed: &[(&Plan, &[UnitId])]) -> Result<Shelf, Failure> {
        let mut series = BTreeSet::new();
        let mut keepers = Some(BTreeSet::new());
        let mut ends = Vec::new();
        for (plan, units) in needed {
            let of_plan = plan.series();
            if of_plan.is_empty() {
                continue;
            }
            series.extend(of_plan.iter().map(ToString::to_string));
            let (first, last) = plan.reading_days();
            ends.push((day_number(first), day_number(last)));
            match (&mut keepers, self.keepers(plan, units)) {
                (Some(all), Some(more)) => all.extend(more),
                (all, _) => *all = None,
            }
        }
        let mut tiles = vec![];
        if !series.is_empty() {
            let select = TileSelect::Within {
                series: series.into_iter().collect(),
                keepers: keepers.map(|keepers| keepers.into_iter().collect()),
                ends: joined(ends),
            };
            tiles = self.snapshot.tiles(select).await.map_err(store_failure)?;
        }
        let mut by_series: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, tile) in tiles.iter().enumerate() {
            by_series.entry(tile.key.series.clone()).or_default().push(at);
        }
        let approving = needed.iter().any(|(plan, _)| is_approved_somewhere(&self.registry, plan));
        let approved = if approving || self.approved_only { Some(self.approvals().await?) } else { None };
        let (registry, moment) = (Arc::clone(&self.registry), Arc::clone(&self.moment));
        Ok(Shelf { registry, moment, tiles, by_series, approved, approved_only: self.approved_only })
    }

    /// Who keeps what a plan reads for some units; none where it is all of them.
    fn keepers(&self, plan: &Plan, units: &[UnitId]) -> Option<BTreeSet<String>> {
        keepers(&self.registry, &self.moment, plan, units)
    }
}

fn keepers(registry: &Registry, moment: &Moment, plan: &Plan, units: &[UnitId]) -> Option<BTreeSet<String>> {
    // Who keeps what was arranged by another registry, that registry says.
    if moment.is_moved() || units.contains(&registry.nation()) {
        return None;
    }
    let keepers: BTreeSet<UnitId> = units.iter().flat_map(|unit| plan.keepers(registry, *unit)).collect();
    Some(keepers.into_iter().map(|unit| registry.unit(unit).key()).collect())
}

impl Shelf {
    /// The registry of the moment.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The tiles of a group of figures that a plan reads, of those who keep some units.
    ///
    /// # Errors
    /// Where a tile makes no sense.
    pub(crate) fn bodies(
        &self,
        plan: &Plan,
        asked: &Asked,
        units: &HashSet<UnitId>,
    ) -> Result<Vec<(Period, TileBody)>, Failure> {
        let keeper = |unit: &UnitId| {
            let keeper = self.registry.keeper(*unit, plan.days.1);
            self.registry.unit(keeper).key()
        };
        let keepers: HashSet<String> = units.iter().map(keeper).collect();
        let days = day_number(plan.days.0)..=day_number(plan.days.1);
        let at = self.by_series.get(&asked.series.to_string()).map_or(&[][..], Vec::as_slice);
        let tiles = at.iter().map(|at| &self.tiles[*at]).filter(|tile| {
            let is_kept = self.moment.is_moved() || keepers.contains(&tile.key.keeper);
            is_kept && (!asked.indicator.is_stock() || days.contains(&tile.key.end_day))
        });
        tiles.map(|tile| read_tile(tile).map(|(_, period, body)| (period, body))).collect()
    }

    /// What stood, as of the moment, of all that a plan reads for some units.
    ///
    /// # Errors
    /// Where a tile makes no sense.
    pub(crate) fn figures(&self, plan: &Plan, units: &[UnitId]) -> Result<Figures, Failure> {
        self.some_figures(plan, units, self.approved_only)
    }

    fn some_figures(&self, plan: &Plan, units: &[UnitId], approved: bool) -> Result<Figures, Failure> {
        let keepers = keepers(&self.registry, &self.moment, plan, units);
        let (first, last) = plan.reading_days();
        let days = day_number(first)..=day_number(last);
        let mut figures = Figures::default();
        for series in plan.series() {
            let at = self.by_series.get(&series.to_string()).map_or(&[][..], Vec::as_slice);
            let tiles = at.iter().map(|at| &self.tiles[*at]).filter(|tile| {
                days.contains(&tile.key.end_day)
                    && keepers.as_ref().is_none_or(|keepers| keepers.contains(&tile.key.keeper))
            });
            for tile in tiles {
                let (_, period, body) = read_tile(tile)?;
                let of_series = figures.series.entry(series.clone()).or_default();
                let before = of_series.periods.get(&period).map_or(0, Vec::len);
                match self.approved.as_ref().filter(|_| approved) {
                    None => body.add_to(of_series, period, self.moment.limit()),
                    Some(approved) => {
                        let Some(indicator) = self.registry.indicator(&series.indicator) else { continue };
                        let limits = approved.limits(indicator, period);
                        let day = indicator.calendar.last_day(period);
                        let unit_then = |unit| self.moment.unit(&self.registry, unit, day);
                        let limit = |unit| unit_then(unit).and_then(|unit| latest(&limits, unit));
                        body.add_some_to(of_series, period, limit);
                    }
                }
                if self.moment.is_moved()
                    && let Some(rows) = of_series.periods.get_mut(&period)
                    && let Some(indicator) = self.registry.indicator(&series.indicator)
                {
                    let day = indicator.calendar.last_day(period);
                    let mut added = rows.split_off(before);
                    added.retain_mut(|row| match self.moment.unit(&self.registry, row.unit, day) {
                        Some(unit) => {
                            row.unit = unit;
                            true
                        }
                        None => false,
                    });
                    rows.append(&mut added);
                }
            }
        }
        Ok(figures)
    }

    fn roll(&self, one: &FromTiles) -> Result<Vec<Answer>, Failure> {
        let only_approved = one.approved || self.approved_only;
        let figures = self.some_figures(&one.plan, &one.units, only_approved)?;
        let says = only_approved && is_approved_somewhere(&self.registry, &one.plan);
        let prepared = Prepared::new(&self.registry, &one.plan, &figures);
        let answer = |unit: &UnitId| {
            let total = prepared.total(*unit);
            let given = match &total {
                Ok(total) if !adds_up(total) => given::below(&self.registry, &one.plan, *unit, &figures),
                _ => vec![],
            };
            let approved = total.as_ref().ok().filter(|_| says).map(|total| total.covered);
            Answer { total, given, approved }
        };
        Ok(one.units.iter().map(answer).collect())
    }
}

/// Ranges of days in order, those that meet as one.
fn joined(mut ranges: Vec<(i32, i32)>) -> Vec<(i32, i32)> {
    ranges.sort_unstable();
    let mut out: Vec<(i32, i32)> = Vec::new();
    for (from, to) in ranges {
        match out.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// A tile, decoded.
///
/// # Errors
/// Where it makes no sense.
pub(crate) fn read_tile(tile: &Tile) -> Result<(Series, Period, TileBody), Failure> {
    let damaged = |what: String| Failure::internal(format!("tile {:?}: {what}", tile.key));
    Ok((
        Series::parse(&tile.key.series).ok_or_else(|| damaged("not a series".into()))?,
        Period::parse(&tile.key.period).map_err(|e| damaged(e.to_string()))?,
        TileBody::decode(&tile.body).map_err(|e| damaged(e.to_string()))?,
    ))
}

/// Of a summary that makes no sense.
fn damaged(series: &str, period: &str, what: impl std::fmt::Display) -> Failure {
    Failure::internal(format!("summary {series} {period}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn ranges_that_meet_are_read_as_one() {
        assert_eq!(
            joined(vec![(40, 60), (1, 10), (11, 20), (15, 18), (70, 80)]),
            [(1, 20), (40, 60), (70, 80)]
        );
        assert_eq!(joined(vec![]), []);
    }
}
