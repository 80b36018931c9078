//! From tiles to summaries: the cells of provinces, of the nation over them, and the same restated to later maps.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use rustc_hash::FxHashMap;

use tonghop_core::Date;
use tonghop_core::figure::{Figures, SeriesFigures};
use tonghop_core::indicator::Indicator;
use tonghop_core::lineage::{Before, Reading};
use tonghop_core::period::{Grain, Period};
use tonghop_core::quantity::Sum;
use tonghop_core::question::{Asked, flow_inputs, stock_inputs};
use tonghop_core::registry::Registry;
use tonghop_core::rollup::flow::{Flow, Given, Inputs};
use tonghop_core::rollup::stock::{Held, roll};
use tonghop_core::rollup::{BelowSum, Cell, composed};
use tonghop_core::unit::UnitId;

use crate::cores::{Each, on_all_cores};
use crate::held_summary::HeldSummary;
use crate::plain;
use crate::series::{Place, SeriesId, SeriesTable};
use crate::shelf::Shelves;

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
pub(crate) fn read_for(registry: &Registry, table: &SeriesTable, place: &Place) -> BTreeSet<Place> {
    let mut out = BTreeSet::from([*place]);
    let (first, last) = maps_of(registry, &table.get(place.series).indicator, Period::Year(place.year));
    for last in first + 1..=last {
        for reader in registry.readers_of(place.keeper, (first, last)).iter() {
            let keepers = registry.keepers_of(*reader, (first, last)).into_iter();
            out.extend(keepers.map(|keeper| Place { keeper, ..*place }));
        }
    }
    out
}

/// What figures were put into a place whose totals are not worked out yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    periods: BTreeSet<Period>,
    position: i64,
}

impl Touched {
    /// Figures of a period were put in at a position.
    pub(crate) fn add(&mut self, period: Period, position: i64) {
        self.periods.insert(period);
        self.position = self.position.max(position);
    }

    fn join(&mut self, periods: &[Period], position: i64) {
        self.periods.extend(periods);
        self.position = self.position.max(position);
    }
}

/// All that totals are worked out from.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) table: &'a SeriesTable,
    pub(crate) shelves: &'a Shelves,
}

/// Works out the summaries that figures at these places and periods change. All tiles and summaries of the
/// places' years, and of those [read for](read_for) them, are held.
pub(crate) fn summarise(
    registry: &Registry,
    table: &SeriesTable,
    shelves: &mut Shelves,
    touched: &FxHashMap<Place, Touched>,
) {
    let nation = registry.nation();
    // Which provinces' totals change, and that of the nation with them.
    let mut provinces: FxHashMap<Place, Touched> = FxHashMap::default();
    let mut of_nation: FxHashMap<(SeriesId, i16), Touched> = FxHashMap::default();
    for (place, Touched { periods, position }) in touched {
        let indicator = &table.get(place.series).indicator;
        let all: BTreeSet<Period> =
            periods.iter().flat_map(|p| touched_by(indicator, place.year, *p)).collect();
        let all: Vec<Period> = all.into_iter().collect();
        if place.keeper != nation {
            affected(registry, indicator, place, &all, |place, period| {
                provinces.entry(place).or_default().join(&[period], *position);
            });
        }
        of_nation.entry((place.series, place.year)).or_default().join(&all, *position);
    }
    let provinces: Vec<(Place, Touched)> = provinces.into_iter().collect();
    let sources = Sources { registry, table, shelves };
    let cells =
        on_all_cores(Each::Little, &provinces, |(place, touched)| province(sources, place, &touched.periods));
    let mut changed: FxHashMap<(SeriesId, Period), BTreeSet<UnitId>> = FxHashMap::default();
    for ((place, touched), cells) in provinces.iter().zip(cells) {
        for (period, cell) in cells {
            let held = shelves.summary_mut(place.series, place.year, period, touched.position);
            held.set(place.keeper, cell);
            changed.entry((place.series, period)).or_default().insert(place.keeper);
        }
    }
    let of_nation: Vec<((SeriesId, i16), Touched)> = of_nation.into_iter().collect();
    let sources = Sources { registry, table, shelves };
    let over = on_all_cores(Each::Some, &of_nation, |(of, touched)| {
        over_provinces(sources, *of, &touched.periods, &changed)
    });
    for (((series, year), touched), over) in of_nation.iter().zip(over) {
        for over in over {
            let held = shelves.summary_mut(*series, *year, over.period, touched.position);
            if let Some(cell) = over.nation {
                held.set_nation(nation, cell);
            }
            for (from, unit, cell) in over.restated {
                held.restate(from, unit, cell);
            }
        }
    }
}

/// The provinces whose totals of some periods a figure at a place can change.
fn affected(
    registry: &Registry,
    indicator: &Indicator,
    place: &Place,
    periods: &[Period],
    mut take: impl FnMut(Place, Period),
) {
    let of_year = maps_of(registry, indicator, Period::Year(place.year));
    for period in periods {
        let maps = if of_year.0 == of_year.1 { of_year } else { maps_of(registry, indicator, *period) };
        if maps.0 == maps.1 {
            take(*place, *period);
        } else {
            for keeper in registry.readers_of(place.keeper, maps).iter() {
                take(Place { keeper: *keeper, ..*place }, *period);
            }
        }
    }
}

/// What follows for one period from the cells of provinces.
#[derive(Debug, PartialEq)]
struct OverProvinces {
    period: Period,
    nation: Option<Cell<Sum>>,
    /// By the first day of a later map.
    restated: Vec<(Date, UnitId, Cell<Sum>)>,
}

/// What one period's cells are looked at for.
struct Follows<'a> {
    registry: &'a Registry,
    indicator: &'a Indicator,
    period: Period,
    /// The provinces whose cells changed.
    restated: Option<&'a BTreeSet<UnitId>>,
}

impl Follows<'_> {
    /// From the cells of the nation and of provinces; also one in which nothing was reported has its cell.
    fn from<'c>(self, known: &dyn Fn(UnitId) -> Option<Cow<'c, Cell<Sum>>>) -> OverProvinces {
        let Follows { registry, indicator, period, restated } = self;
        let then = registry.epoch(indicator.calendar.last_day(period));
        let restated =
            restated.map_or_else(Vec::new, |units| restate(registry, indicator, then, units, known));
        OverProvinces { period, nation: known(registry.nation()).map(Cow::into_owned), restated }
    }
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
    sources: Sources<'_>,
    places: impl IntoIterator<Item = Place>,
    series: SeriesId,
) -> (Asked, Figures) {
    let mut all = SeriesFigures::default();
    for place in places {
        sources.shelves.add_figures(&mut all, &place);
    }
    let known = sources.table.get(series);
    let figures = Figures { series: BTreeMap::from([(known.series.clone(), all)]) };
    (Asked::whole(&known.indicator, known.series.clone()), figures)
}

fn province(sources: Sources<'_>, place: &Place, periods: &BTreeSet<Period>) -> Vec<(Period, Cell<Sum>)> {
    let Some(cells) = plain::province(sources, place, periods) else {
        return province_by_all_rules(sources, place, periods);
    };
    debug_assert_eq!(cells, province_by_all_rules(sources, place, periods), "{place:?}");
    cells
}

fn province_by_all_rules(
    sources: Sources<'_>,
    place: &Place,
    periods: &BTreeSet<Period>,
) -> Vec<(Period, Cell<Sum>)> {
    let registry = sources.registry;
    let indicator = &*sources.table.get(place.series).indicator;
    let changes = |p: &Period| {
        let maps = maps_of(registry, indicator, *p);
        maps.0 != maps.1
    };
    let keepers = if periods.iter().any(changes) {
        registry.keepers_of(place.keeper, maps_of(registry, indicator, Period::Year(place.year)))
    } else {
        HashSet::from([place.keeper])
    };
    let places = keepers.into_iter().map(|keeper| Place { keeper, ..*place });
    let (asked, figures) = figures(sources, places, place.series);
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
    sources: Sources<'_>,
    (series, year): (SeriesId, i16),
    periods: &BTreeSet<Period>,
    changed: &FxHashMap<(SeriesId, Period), BTreeSet<UnitId>>,
) -> Vec<OverProvinces> {
    let Sources { registry, table, shelves } = sources;
    let indicator = &*table.get(series).indicator;
    let nation = registry.nation();
    let (asked, figures) = figures(sources, [Place { series, keeper: nation, year }], series);
    let follows =
        |period: Period| Follows { registry, indicator, period, restated: changed.get(&(series, period)) };
    let mut out = Vec::new();
    if indicator.is_stock() {
        let held = Held::new(|days| stock_inputs(registry, &asked, &figures, days));
        for period in periods {
            let known = shelves.summary(series, year, *period);
            let provinces =
                known.into_iter().flat_map(HeldSummary::cells).filter(|(unit, _)| **unit != nation);
            let provinces = provinces.map(|(unit, cell)| (*unit, cell.clone())).collect();
            let rolled = roll(registry, indicator, nation, *period, &held, Some(&provinces));
            out.push(follows(*period).from(&|unit| rolled.cell(unit).map(Cow::Borrowed)));
        }
    } else {
        let inputs: Inputs<Sum> = flow_inputs(&asked, &figures);
        let all = summarised(indicator, year);
        let known = |period: Period| Some((period, shelves.summary(series, year, period)?));
        let all: FxHashMap<Period, &HeldSummary> = all.into_iter().filter_map(known).collect();
        let cell = |unit: UnitId, period: Period| {
            // The nation's own total of a period that nothing changed stands.
            if unit == nation && periods.contains(&period) {
                return None;
            }
            all.get(&period)?.cell(unit)
        };
        let below = |period: Period| match all.get(&period) {
            Some(held) => held.below().sum(),
            None => Some(BelowSum::default()),
        };
        let mut flow = Flow::over(registry, indicator, nation, &inputs, Given { cell: &cell, below: &below });
        // Looking at all cells comes to the same.
        #[cfg(debug_assertions)]
        let mut one_by_one =
            Flow::over(registry, indicator, nation, &inputs, Given { cell: &cell, below: &|_| None });
        for period in periods {
            flow.at(*period);
            let known = |unit: UnitId| match unit == nation {
                true => flow.rolled().get(period)?.cell(nation).map(Cow::Borrowed),
                false => cell(unit, *period)
                    .map(Cow::Borrowed)
                    .or_else(|| flow.nothing(unit, *period).map(Cow::Owned)),
            };
            let over = follows(*period).from(&known);
            #[cfg(debug_assertions)]
            {
                let rolled = one_by_one.at(*period);
                let expected = follows(*period).from(&|unit| rolled.cell(unit).map(Cow::Borrowed));
                assert_eq!(over, expected, "{series:?} {period}");
            }
            out.push(over);
        }
    }
    out
}
