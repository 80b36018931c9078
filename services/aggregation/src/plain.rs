//! A province's totals where its figures are plain, from what each of its tiles comes to.

use std::collections::BTreeSet;
use std::sync::Arc;

use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::quantity::Sum;
use tonghop_core::rollup::plain::{
    Tally, applies, is_filled, of_flow, of_stock, tally, tally_alike, tally_latest,
};
use tonghop_core::rollup::{Cell, Stand};
use tonghop_tiles::TileBody;

use crate::series::Place;
use crate::shelf::Held;
use crate::summarise::Sources;

/// The province's cells of some periods of the year; nothing where its figures are not plain, or the map changes.
pub(crate) fn province(
    sources: Sources<'_>,
    place: &Place,
    periods: &BTreeSet<Period>,
) -> Option<Vec<(Period, Cell<Sum>)>> {
    let registry = sources.registry;
    let indicator = &*sources.table.get(place.series).indicator;
    let (first, last) = indicator.calendar.days(Period::Year(place.year));
    let epoch = registry.epoch(first);
    if epoch != registry.epoch(last) || !registry.maps()[epoch].has(place.keeper) {
        return None;
    }
    let stand: Arc<Stand> = registry.stand(epoch, place.keeper, indicator.collection_level, false);
    if !applies(indicator, &stand, place.keeper) {
        return None;
    }
    if !indicator.is_stock() {
        let known = |(period, held): (Period, &Held)| {
            let sum = held.tally.get_or_init(|| tally_of(indicator, &stand, period, &held.body));
            Some((period.months()?, sum.clone()?))
        };
        let months: Vec<((i32, i32), Tally)> =
            sources.shelves.tiles(place).map(known).collect::<Option<_>>()?;
        return periods
            .iter()
            .map(|period| {
                of_months(indicator, *period, &months)
                    .map(|sum| (*period, of_flow(indicator, &stand, *period, sum)))
            })
            .collect();
    }
    let mut tiles: Vec<_> = sources
        .shelves
        .tiles(place)
        .map(|(period, held)| (period, indicator.calendar.last_day(period), held))
        .collect();
    tiles.sort_by_key(|(_, day, _)| *day);
    let cell = |period: &Period| {
        let days = indicator.calendar.days(*period);
        let inside = tiles.iter().filter(|(_, day, _)| days.0 <= *day && *day <= days.1);
        let rows = inside.map(|(period, day, held)| (*period, *day, held.body.current_with_members()));
        let sum = tally_latest(indicator, &stand, rows)?;
        Some((*period, of_stock(indicator, &stand, days, sum)?))
    };
    periods.iter().map(cell).collect()
}

/// What a tile of a flow comes to; nothing where its figures are not plain.
fn tally_of(indicator: &Indicator, stand: &Stand, period: Period, tile: &TileBody) -> Option<Tally> {
    let figure_by_figure = || tally(indicator, stand, period, tile.current());
    let Some((qualifier, values)) = tile.alike() else { return figure_by_figure() };
    let sum = tally_alike(indicator, stand, period, qualifier, values);
    debug_assert_eq!(sum, figure_by_figure());
    sum
}

/// What the collection periods in a period come to.
fn of_months(indicator: &Indicator, period: Period, months: &[((i32, i32), Tally)]) -> Option<Tally> {
    let (from, to) = period.months()?;
    let mut sum = Tally::default();
    if !is_filled(indicator, period) {
        return Some(sum);
    }
    for (_, tally) in months.iter().filter(|((a, b), _)| from <= *a && *b <= to) {
        sum.add(tally);
    }
    Some(sum)
}
