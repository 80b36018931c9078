//! From tiles to summaries: the cells of provinces, and of the nation over them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tonghop_core::figure::{Figures, Series};
use tonghop_core::indicator::Indicator;
use tonghop_core::period::{Grain, Period};
use tonghop_core::quantity::Sum;
use tonghop_core::question::{Asked, flow_inputs, stock_inputs};
use tonghop_core::registry::Registry;
use tonghop_core::rollup::Cell;
use tonghop_core::rollup::flow::{Flow, Given, Inputs};
use tonghop_core::rollup::stock::{Stood, roll};
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

/// Works out the summaries that figures at these places and periods change. All tiles and summaries of the
/// places' years are held.
pub(crate) fn summarise(
    registry: &Registry,
    shelves: &mut Shelves,
    touched: &BTreeMap<Place, BTreeSet<Period>>,
    position: i64,
) {
    let nation = registry.nation();
    let mut of_nation: BTreeMap<(Series, i16), BTreeSet<Period>> = BTreeMap::new();
    for (place, periods) in touched {
        let Some(indicator) = registry.indicator(&place.series.indicator) else { continue };
        let all: BTreeSet<Period> =
            periods.iter().flat_map(|p| touched_by(indicator, place.year, *p)).collect();
        if place.keeper != nation {
            for (period, cell) in province(registry, shelves, indicator, place, &all) {
                shelves.summary_mut(&place.series, period, position).cells.insert(place.keeper, cell);
            }
        }
        of_nation.entry((place.series.clone(), place.year)).or_default().extend(all);
    }
    for ((series, year), periods) in of_nation {
        let Some(indicator) = registry.indicator(&series.indicator) else { continue };
        for (period, cell) in over_provinces(registry, shelves, indicator, &series, year, &periods) {
            shelves.summary_mut(&series, period, position).cells.insert(nation, cell);
        }
    }
}

/// The figures of one place, as a roll-up of the whole series takes them.
fn figures(
    shelves: &Shelves,
    indicator: &Arc<Indicator>,
    series: &Series,
    keeper: UnitId,
    year: i16,
) -> (Asked, Figures) {
    let of_series = shelves.figures_in(&indicator.calendar, series, keeper, year);
    let figures = Figures { series: BTreeMap::from([(series.clone(), of_series)]) };
    (Asked::whole(indicator, series.clone()), figures)
}

fn province(
    registry: &Registry,
    shelves: &Shelves,
    indicator: &Arc<Indicator>,
    place: &Place,
    periods: &BTreeSet<Period>,
) -> Vec<(Period, Cell<Sum>)> {
    let (asked, figures) = figures(shelves, indicator, &place.series, place.keeper, place.year);
    let mut out = Vec::new();
    if indicator.is_stock() {
        for period in periods {
            let latest = stock_inputs(registry, &asked, &figures, indicator.calendar.days(*period));
            let rolled = roll(registry, indicator, place.keeper, *period, &latest, None);
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

fn over_provinces(
    registry: &Registry,
    shelves: &Shelves,
    indicator: &Arc<Indicator>,
    series: &Series,
    year: i16,
    periods: &BTreeSet<Period>,
) -> Vec<(Period, Cell<Sum>)> {
    let nation = registry.nation();
    let (asked, figures) = figures(shelves, indicator, series, nation, year);
    let mut given: Given<Sum> = Given::new();
    for (period, summary) in shelves.summaries(series) {
        if period.years() == Some((year, year)) {
            let provinces = summary.cells.iter().filter(|(unit, _)| **unit != nation);
            given.extend(provinces.map(|(unit, cell)| ((*unit, period), cell.clone())));
        }
    }
    let mut out = Vec::new();
    if indicator.is_stock() {
        for period in periods {
            let latest: HashMap<UnitId, Stood<Sum>> =
                stock_inputs(registry, &asked, &figures, indicator.calendar.days(*period));
            let cells = given.iter().filter(|((_, p), _)| p == period);
            let cells = cells.map(|((unit, _), cell)| (*unit, cell.clone())).collect();
            let rolled = roll(registry, indicator, nation, *period, &latest, Some(&cells));
            out.extend(rolled.cell(nation).map(|cell| (*period, cell.clone())));
        }
    } else {
        let inputs: Inputs<Sum> = flow_inputs(&asked, &figures);
        let mut flow = Flow::over(registry, indicator, nation, &inputs, &given);
        for period in periods {
            out.extend(flow.at(*period).cell(nation).map(|cell| (*period, cell.clone())));
        }
    }
    out
}
