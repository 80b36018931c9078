//! The shape of a rectangle (§3): its cells, its children and its tiles.

use std::cmp::Reverse;

use tonghop_core::Date;
use tonghop_core::period::{Frequency, Period};
use tonghop_core::quantity::Amount;
use tonghop_core::unit::UnitId;

use super::figures::{Reports, collects};
use super::past::{Line, goes_back_to, place};
use super::rollup::Rollup;

impl<A: Amount, R: Reports<A>> Rollup<'_, A, R> {
    /// The pairs of a unit that collects in u and a collection period in P, each on the map of that period's last
    /// day; one a unit, on the map of the end, for stocks and by event (reading 9). What collected on an earlier map
    /// is in u if it counts there now (reading 22).
    fn cells(&self, u: UnitId, p: Period, epoch: usize) -> Vec<(UnitId, Period)> {
        if self.indicator.is_stock() || self.by_event() {
            let (first, last) = self.indicator.calendar.days(p);
            let valid = self.indicator.valid_from <= last && first < self.indicator.valid_to;
            let units = if valid { self.collecting_units(u, self.end_of(p, epoch)) } else { vec![] };
            return units.into_iter().map(|unit| (unit, p)).collect();
        }
        let mut cells = Vec::new();
        for period in p.collection_periods(self.indicator.frequency) {
            let (day, then) = (self.last_day(period), self.epoch(period));
            let in_u = |unit: UnitId| {
                let now = (then + 1..=epoch).fold(unit, |unit, epoch| place(self.registry, epoch, unit));
                self.registry.maps()[epoch].ancestry(now).any(|above| above == u)
            };
            let collecting = self.registry.units().iter().map(|unit| unit.id);
            let collecting =
                collecting.filter(|unit| self.indicator.in_force(period) && self.collects(*unit, day));
            cells.extend(collecting.filter(|unit| in_u(*unit)).map(|unit| (unit, period)));
        }
        cells
    }

    /// How many cells.
    pub(super) fn expected(&self, u: UnitId, p: Period, epoch: usize) -> u64 {
        self.cells(u, p, epoch).len() as u64
    }

    /// The number of the map of a period: that of its last day.
    pub(super) fn epoch(&self, p: Period) -> usize {
        self.registry.epoch(self.last_day(p))
    }

    /// The number of the map of a period's first day.
    pub(super) fn first_epoch(&self, p: Period) -> usize {
        self.registry.epoch(self.indicator.calendar.first_day(p))
    }

    /// The last day of a period that is on a map.
    pub(super) fn end_of(&self, p: Period, epoch: usize) -> Date {
        let next = self.registry.maps().get(epoch + 1).and_then(|next| next.from);
        let end = next.map_or(Date::MAX, |next| next.yesterday().expect("maps change after the first day"));
        end.min(self.last_day(p))
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
            let there: Vec<_> = tiles
                .iter()
                .map(|t| self.seen(u, *t, self.epoch(p), Line::Within))
                .filter(|t| t.headline.state.is_there())
                .collect();
            (there.iter().map(|t| t.covered).sum::<u64>(), !there.is_empty())
        };
        let tilings = p.usable_tilings(self.indicator.frequency).into_iter();
        tilings
            .reduce(|first, second| if covers(&second) > covers(&first) { second } else { first })
            .unwrap_or_default()
    }

    /// Years, save where shorter spans that u, or what it goes back to, has a value for stand in their place (reading 2).
    fn tiles_of_span(&self, u: UnitId, from: i16, to: i16) -> Vec<Period> {
        let now = self.epoch(Period::Span(from, to));
        let mut within: Vec<(i16, i16)> = Vec::new();
        for then in 0..=now {
            for unit in goes_back_to(self.registry, (then, now), u, Line::Within) {
                let of_then = |(a, b): &(i16, i16)| self.epoch(Period::Span(*a, *b)) == then;
                within.extend(self.reports.spans(unit).into_iter().filter(of_then));
            }
        }
        within.retain(|(a, b)| from <= *a && *b <= to && (*a, *b) != (from, to));
        within.sort();
        within.dedup();
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
