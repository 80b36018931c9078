//! From tiles to summaries: the cells of provinces, of the nation over them, and the same restated to later maps.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use tonghop_core::Date;
use tonghop_core::figure::{Figures, Series, SeriesFigures};
use tonghop_core::indicator::Indicator;
use tonghop_core::lineage::{Before, Reading};
use tonghop_core::period::{Grain, Period};
use tonghop_core::quantity::Sum;
use tonghop_core::question::{Asked, flow_inputs, stock_inputs};
use tonghop_core::registry::Registry;
use tonghop_core::rollup::flow::{Flow, Given, Inputs};
use tonghop_core::rollup::stock::{Held, roll};
use tonghop_core::rollup::{Cell, Stand, composed};
use tonghop_core::unit::UnitId;

use crate::shelf::{Place, Shelves};

/// The periods of a year that summaries are kept for: those the indicator has totals for, up to the year.
pub fn summarised(indicator: &Indicator, year: i16) -> Vec<Period> {
    let mut all: Vec<Period> = (1..=12).map(|m| Period::Month(year, m)).collect();
    all.extend((1..=4).map(|q| Period::Quarter(year, q)));
    all.extend((1..=2).map(|h| Period::Half(year, h)));
    all.extend([Period::NineMonths(year), Period::Year(year)]);
    all.retain(|p| indicator.takes(p.grain()));
    all
}

/// The summarised periods whose totals a figure at `period` can change.
fn touched_by(indicator: &Indicator, year: i16, period: Period) -> Vec<Period> {
    let mut all = summarised(indicator, year);
    if indicator.is_stock() {
        let day = indicator.calendar.last_day(period);
        all.retain(|p| {
            let (first, last) = indicator.calendar.days(*p);
            first <= day && day <= last
        });
    } else {
        let inside = |p: &Period| match (period.months(), p.months()) {
            (Some((a, b)), Some((from, to))) => from <= a && b <= to,
            _ => false,
        };
        all.retain(|p| period.grain() != Grain::Span && inside(p));
    }
    all
}

/// The maps of a period, from that of its first day to that of its last.
fn maps_of(registry: &Registry, indicator: &Indicator, period: Period) -> (usize, usize) {
    let (first, last) = indicator.calendar.days(period);
    (registry.epoch(first), registry.epoch(last))
}

/// The places that are read when a figure at one place changes totals: those of all provinces that a province whose
/// total of the year changes is rolled up from.
pub(crate) fn read_for(registry: &Registry, place: &Place) -> BTreeSet<Place> {
    let mut out = BTreeSet::from([place.clone()]);
    let Some(indicator) = registry.indicator(&place.series.indicator) else { return out };
    let (first, last) = maps_of(registry, indicator, Period::Year(place.year));
    for last in first + 1..=last {
        for reader in registry.readers_of(place.keeper, (first, last)).iter() {
            let keepers = registry.keepers_of(*reader, (first, last)).into_iter();
            out.extend(keepers.map(|keeper| Place { keeper, ..place.clone() }));
        }
    }
    out
}

/// Works out the summaries that figures at these places and periods change. All tiles and summaries of the
/// places' years, and of those [read for](read_for) them, are held.
pub(crate) fn summarise(
    registry: &Registry,
    shelves: &mut Shelves,
    touched: &BTreeMap<Place, BTreeSet<Period>>,
    position: i64,
) {
    let nation = registry.nation();
    // Which provinces' totals change, and that of the nation with them.
    let mut provinces: BTreeMap<Place, BTreeSet<Period>> = BTreeMap::new();
    let mut of_nation: BTreeMap<(Series, i16), BTreeSet<Period>> = BTreeMap::new();
    for (place, periods) in touched {
        let Some(indicator) = registry.indicator(&place.series.indicator) else { continue };
        let all: BTreeSet<Period> =
            periods.iter().flat_map(|p| touched_by(indicator, place.year, *p)).collect();
        for period in all.iter().filter(|_| place.keeper != nation) {
            let maps = maps_of(registry, indicator, *period);
            let readers = if maps.0 == maps.1 {
                Arc::new(vec![place.keeper])
            } else {
                registry.readers_of(place.keeper, maps)
            };
            for keeper in readers.iter() {
                let place = Place { keeper: *keeper, ..place.clone() };
                provinces.entry(place).or_default().insert(*period);
            }
        }
        of_nation.entry((place.series.clone(), place.year)).or_default().extend(all);
    }
    let mut changed: BTreeMap<(&Series, Period), BTreeSet<UnitId>> = BTreeMap::new();
    for (place, periods) in &provinces {
        let Some(indicator) = registry.indicator(&place.series.indicator) else { continue };
        for (period, cell) in province(registry, shelves, indicator, place, periods) {
            shelves.summary_mut(&place.series, period, position).cells.insert(place.keeper, cell);
            changed.entry((&place.series, period)).or_default().insert(place.keeper);
        }
    }
    for ((series, year), periods) in of_nation {
        let Some(indicator) = registry.indicator(&series.indicator) else { continue };
        for over in over_provinces(registry, shelves, indicator, (&series, year), &periods, &changed) {
            let body = shelves.summary_mut(&series, over.period, position);
            body.cells.extend(over.nation.map(|cell| (nation, cell)));
            for (from, unit, cell) in over.restated {
                body.restated.entry(from).or_default().insert(unit, cell);
            }
        }
    }
}

/// What follows for one period from the cells of provinces.
struct OverProvinces {
    period: Period,
    nation: Option<Cell<Sum>>,
    /// By the first day of a later map.
    restated: Vec<(Date, UnitId, Cell<Sum>)>,
}

/// Restates the cells of one period's own map to every later map, for the units that go back to changed ones.
fn restate<'c>(
    registry: &Registry,
    indicator: &Indicator,
    then: usize,
    changed: &BTreeSet<UnitId>,
    known: &dyn Fn(UnitId) -> Option<Cow<'c, Cell<Sum>>>,
) -> Vec<(Date, UnitId, Cell<Sum>)> {
    let mut changed = changed.clone();
    let mut out = Vec::new();
    for epoch in then + 1..registry.maps().len() {
        let Some(from) = registry.maps()[epoch].from else { continue };
        let mut next = BTreeSet::new();
        for unit in changed {
            let heirs = registry.heirs(epoch, unit);
            next.extend(heirs);
            if heirs.is_empty() && registry.maps()[epoch].has(unit) {
                next.insert(unit);
            }
        }
        for unit in &next {
            if registry.before(epoch, *unit, Reading::Restated) != Before::Same {
                let cell = composed(registry, indicator, Reading::Restated, (then, epoch), *unit, known);
                out.extend(cell.map(|cell| (from, *unit, cell.into_owned())));
            }
        }
        changed = next;
    }
    out
}

/// The figures that places hold of a series, as a roll-up of the whole series takes them.
fn figures(
    shelves: &Shelves,
    indicator: &Arc<Indicator>,
    series: &Series,
    keepers: impl IntoIterator<Item = UnitId>,
    year: i16,
) -> (Asked, Figures) {
    let mut all = SeriesFigures::default();
    for keeper in keepers {
        shelves.add_figures_in(&mut all, &indicator.calendar, series, keeper, year);
    }
    let figures = Figures { series: BTreeMap::from([(series.clone(), all)]) };
    (Asked::whole(indicator, series.clone()), figures)
}

fn province(
    registry: &Registry,
    shelves: &Shelves,
    indicator: &Arc<Indicator>,
    place: &Place,
    periods: &BTreeSet<Period>,
) -> Vec<(Period, Cell<Sum>)> {
    let changes = |p: &Period| {
        let maps = maps_of(registry, indicator, *p);
        maps.0 != maps.1
    };
    let keepers = if periods.iter().any(changes) {
        registry.keepers_of(place.keeper, maps_of(registry, indicator, Period::Year(place.year)))
    } else {
        HashSet::from([place.keeper])
    };
    let (asked, figures) = figures(shelves, indicator, &place.series, keepers, place.year);
    let mut out = Vec::new();
    if indicator.is_stock() {
        let held = Held::new(|days| stock_inputs(registry, &asked, &figures, days));
        for period in periods {
            let rolled = roll(registry, indicator, place.keeper, *period, &held, None);
            out.extend(rolled.cell(place.keeper).map(|cell| (*period, cell.clone())));
        }
    } else {
        let inputs = flow_inputs(&asked, &figures);
        let mut flow = Flow::new(registry, indicator, place.keeper, &inputs);
        for period in periods {
            out.extend(flow.at(*period).cell(place.keeper).map(|cell| (*period, cell.clone())));
        }
    }
    out
}

/// The cell of the nation for each period, and those of provinces that `changed` restated to later maps.
fn over_provinces(
    registry: &Registry,
    shelves: &Shelves,
    indicator: &Arc<Indicator>,
    (series, year): (&Series, i16),
    periods: &BTreeSet<Period>,
    changed: &BTreeMap<(&Series, Period), BTreeSet<UnitId>>,
) -> Vec<OverProvinces> {
    let nation = registry.nation();
    let (asked, figures) = figures(shelves, indicator, series, [nation], year);
    let mut given: Given<Sum> = Given::new();
    for (period, summary) in shelves.summaries(series) {
        if period.years() == Some((year, year)) {
            let provinces = summary.cells.iter().filter(|(unit, _)| **unit != nation);
            given.extend(provinces.map(|(unit, cell)| ((*unit, period), cell.clone())));
        }
    }
    // Also a province in which nothing was reported has its cells.
    let over = |period: Period, stand: &Stand, cells: &[Cell<Sum>]| {
        let known = |unit: UnitId| stand.position(unit).map(|at| Cow::Borrowed(&cells[at]));
        let then = registry.epoch(indicator.calendar.last_day(period));
        let restated = changed.get(&(series, period));
        OverProvinces {
            period,
            nation: known(nation).map(Cow::into_owned),
            restated: restated
                .map_or_else(Vec::new, |units| restate(registry, indicator, then, units, &known)),
        }
    };
    let mut out = Vec::new();
    if indicator.is_stock() {
        let held = Held::new(|days| stock_inputs(registry, &asked, &figures, days));
        for period in periods {
            let cells = given.iter().filter(|((_, p), _)| p == period);
            let cells = cells.map(|((unit, _), cell)| (*unit, cell.clone())).collect();
            let rolled = roll(registry, indicator, nation, *period, &held, Some(&cells));
            out.push(over(*period, &rolled.stand, &rolled.cells));
        }
    } else {
        let inputs: Inputs<Sum> = flow_inputs(&asked, &figures);
        let mut flow = Flow::over(registry, indicator, nation, &inputs, &given);
        for period in periods {
            let rolled = flow.at(*period);
            out.push(over(*period, &rolled.stand, &rolled.cells));
        }
    }
    out
}
