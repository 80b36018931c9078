//! The shape of a rectangle (§3): its cells, its children and its tiles.

use std::cmp::Reverse;

use tonghop_core::Date;
use tonghop_core::period::{Frequency, Period};
use tonghop_core::quantity::Amount;
use tonghop_core::unit::UnitId;

use super::figures::{Reports, collects};
use super::rollup::Rollup;

impl<A: Amount, R: Reports<A>> Rollup<'_, A, R> {
    /// The pairs of a unit that collects in u and a collection period in P, each on the map of that period's last
    /// day; one a unit, on the map of P's last day, for stocks and by event (reading 9).
    fn cells(&self, u: UnitId, p: Period) -> Vec<(UnitId, Period)> {
        let pair_up = |period: Period| {
            let units = self.collecting_units(u, self.last_day(period));
            units.into_iter().map(move |unit| (unit, period)).collect::<Vec<_>>()
        };
        if self.indicator.is_stock() || self.by_event() {
            let (first, last) = self.indicator.calendar.days(p);
            let valid = self.indicator.valid_from <= last && first < self.indicator.valid_to;
            return if valid { pair_up(p) } else { vec![] };
        }
        let periods = p.collection_periods(self.indicator.frequency).into_iter();
        periods.filter(|period| self.indicator.in_force(*period)).flat_map(pair_up).collect()
    }

    /// How many cells.
    pub(super) fn expected(&self, u: UnitId, p: Period) -> u64 {
        self.cells(u, p).len() as u64
    }

    /// The units in u, itself included, that collect on a day.
    fn collecting_units(&self, u: UnitId, day: Date) -> Vec<UnitId> {
        if !self.registry.unit(u).in_force(day) {
            vec![]
        } else if self.collects(u, day) {
            vec![u]
        } else {
            self.children(u, day).into_iter().flat_map(|c| self.collecting_units(c, day)).collect()
        }
    }

    pub(super) fn collects(&self, u: UnitId, day: Date) -> bool {
        collects(self.registry, self.indicator, u, day)
    }

    /// The children of u on a day's map, down to the collection level.
    pub(super) fn children(&self, u: UnitId, day: Date) -> Vec<UnitId> {
        let reports = |c: &UnitId| self.registry.unit(*c).level <= self.indicator.collection_level;
        self.registry.map_on(day).children(u).iter().copied().filter(reports).collect()
    }

    /// The tiles of P for u: of the usable tilings the one that covers more (reading 1). None for stocks.
    pub(super) fn tiles(&self, u: UnitId, p: Period) -> Vec<Period> {
        if self.indicator.is_stock() {
            return vec![];
        }
        if let Period::Span(from, to) = p {
            return self.tiles_of_span(u, from, to);
        }
        let covers = |tiles: &Vec<Period>| {
            let there: Vec<_> =
                tiles.iter().map(|t| self.at(u, *t)).filter(|t| t.headline.state.is_there()).collect();
            (there.iter().map(|t| t.covered).sum::<u64>(), !there.is_empty())
        };
        let tilings = p.usable_tilings(self.indicator.frequency).into_iter();
        tilings
            .reduce(|first, second| if covers(&second) > covers(&first) { second } else { first })
            .unwrap_or_default()
    }

    /// Years, save where shorter spans that u has a value for stand in their place (reading 2).
    fn tiles_of_span(&self, u: UnitId, from: i16, to: i16) -> Vec<Period> {
        let spans = self.reports.spans(u);
        let within: Vec<_> =
            spans.into_iter().filter(|(a, b)| from <= *a && *b <= to && (*a, *b) != (from, to)).collect();
        let mut best: Vec<(i16, i16)> = vec![];
        for set in sets_without_overlap(&within) {
            let years = |set: &[(i16, i16)]| set.iter().map(|(a, b)| b - a + 1).sum::<i16>();
            let order = |set: &[(i16, i16)]| (Reverse(years(set)), set.len(), set.to_vec());
            if order(&set) < order(&best) {
                best = set;
            }
        }
        let in_a_span = |year: i16| best.iter().any(|(a, b)| *a <= year && year <= *b);
        let mut tiles: Vec<Period> = (from..=to).filter(|y| !in_a_span(*y)).map(Period::Year).collect();
        tiles.extend(best.iter().map(|(a, b)| Period::Span(*a, *b)));
        tiles
    }

    /// Whether the map of P's first collection period is not that of its end (reading 4).
    pub(super) fn map_changes_inside(&self, p: Period) -> bool {
        let frequency = if self.by_event() { Frequency::Month } else { self.indicator.frequency };
        let first = p.collection_periods(frequency).first().copied().unwrap_or(p);
        self.registry.epoch(self.last_day(first)) != self.registry.epoch(self.last_day(p))
    }

    pub(super) fn by_event(&self) -> bool {
        self.indicator.frequency == Frequency::Event
    }

    pub(super) fn last_day(&self, p: Period) -> Date {
        self.indicator.calendar.last_day(p)
    }
}

/// All sets of spans that do not overlap, each in order.
fn sets_without_overlap(spans: &[(i16, i16)]) -> Vec<Vec<(i16, i16)>> {
    let Some((first, rest)) = spans.split_first() else { return vec![vec![]] };
    let mut sets = sets_without_overlap(rest);
    for set in sets.clone() {
        if set.iter().all(|(a, b)| *b < first.0 || first.1 < *a) {
            let mut with = vec![*first];
            with.extend(set);
            sets.push(with);
        }
    }
    sets
}
