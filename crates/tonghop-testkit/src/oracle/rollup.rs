//! §3, rolling up: the definitions of the page in its words and order, each a function of (unit, period).

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jiff::Span;
use tonghop_core::Date;
use tonghop_core::figure::Scope;
use tonghop_core::indicator::{Indicator, Precedence};
use tonghop_core::period::Period;
use tonghop_core::quantity::Amount;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

use super::figures::Reports;
use super::parts_alone;
use super::past::{Line, is_the_same, parts_of};
use super::state::{Given, State};

/// What a headline was taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum From {
    /// There is no headline.
    #[default]
    Nothing,
    /// The figure for the rectangle as a whole.
    Whole,
    /// Own and the children's headlines.
    ByUnits,
    /// The headlines of the tiles.
    ByTime,
}

/// Everything §3 says of one rectangle.
#[derive(Clone, Debug)]
pub(super) struct Rectangle<A> {
    pub(super) collects: bool,
    pub(super) own: Given<A>,
    pub(super) whole: Given<A>,
    pub(super) parts: State<A>,
    pub(super) headline: Given<A>,
    pub(super) from: From,
    pub(super) reported: u64,
    pub(super) covered: u64,
    pub(super) expected: u64,
    pub(super) unavailable: u64,
    pub(super) not_aggregable: bool,
    /// Whether a share of a divided unit is in the headline.
    pub(super) estimated: bool,
    /// Whether figures of before a change inside the period are in the headline (of a stock).
    pub(super) carried: bool,
}

impl<A> Default for Rectangle<A> {
    fn default() -> Self {
        Rectangle {
            collects: false,
            own: Given::default(),
            whole: Given::default(),
            parts: State::Missing,
            headline: Given::default(),
            from: From::Nothing,
            reported: 0,
            covered: 0,
            expected: 0,
            unavailable: 0,
            not_aggregable: false,
            estimated: false,
            carried: false,
        }
    }
}

/// One way to make a rectangle of smaller ones: their sum and the cells it covers.
#[derive(Clone, Debug)]
struct Parts<A> {
    sum: Given<A>,
    covered: u64,
    unavailable: u64,
    way: From,
    estimated: bool,
    carried: bool,
}

impl<A: Amount> Parts<A> {
    fn none(way: From) -> Parts<A> {
        Parts { sum: Given::default(), covered: 0, unavailable: 0, way, estimated: false, carried: false }
    }

    fn is_there(&self) -> bool {
        self.sum.state.is_there()
    }

    /// Takes in a tile or child, which counts if its headline is there (reading 3).
    fn take(mut self, part: &Rectangle<A>) -> Parts<A> {
        if part.headline.state.is_there() {
            self.sum = self.sum.plus(part.headline.clone());
            self.covered += part.covered;
            self.unavailable += part.unavailable;
            self.estimated |= part.estimated;
            self.carried |= part.carried;
        }
        self
    }
}

type Memo<A> = RefCell<HashMap<(UnitId, Period, usize), Rc<Rectangle<A>>>>;

/// The roll-up of one indicator. What is remembered of a rectangle is remembered for one question only.
pub(super) struct Rollup<'a, A, R> {
    pub(super) registry: &'a Registry,
    pub(super) indicator: &'a Indicator,
    pub(super) reports: &'a R,
    memo: Memo<A>,
}

impl<'a, A: Amount, R: Reports<A>> Rollup<'a, A, R> {
    pub(super) fn new(registry: &'a Registry, indicator: &'a Indicator, reports: &'a R) -> Self {
        Rollup { registry, indicator, reports, memo: RefCell::default() }
    }

    /// The rectangle of a unit and a period.
    pub(super) fn at(&self, u: UnitId, p: Period) -> Rc<Rectangle<A>> {
        self.at_on(u, p, self.epoch(p))
    }

    /// The same as things stood at the end of a map inside the period; of flows only the last map is asked for.
    fn at_on(&self, u: UnitId, p: Period, epoch: usize) -> Rc<Rectangle<A>> {
        if let Some(known) = self.memo.borrow().get(&(u, p, epoch)) {
            return Rc::clone(known);
        }
        let rectangle = Rc::new(self.rectangle(u, p, epoch));
        self.memo.borrow_mut().insert((u, p, epoch), Rc::clone(&rectangle));
        rectangle
    }

    /// The definitions put together. A unit not in force on the last day has no figure and no total (§7).
    fn rectangle(&self, u: UnitId, p: Period, epoch: usize) -> Rectangle<A> {
        let day = self.end_of(p, epoch);
        if !self.registry.unit(u).in_force(day) {
            return Rectangle::default();
        }
        let collects = self.collects(u, day);
        let expected = self.expected(u, p, epoch);
        let tiles = self.tiles(u, p);
        let whole = self.whole(u, p, epoch);
        let past = self.past(u, p, epoch);
        let (own, own_is_carried) = self.own(u, p, epoch, &tiles, past.as_deref());
        let by_units = self.by_units(u, p, epoch, &own, own_is_carried);
        let by_time = match past {
            Some(past) if past.headline.state.is_there() && !whole.state.is_there() => {
                shown_still(&past, expected)
            }
            _ => self.by_time(u, p, &tiles, expected),
        };
        let parts = self.parts(p, by_units, by_time);
        let from = self.headline(collects, expected, &parts, &whole);
        let (headline, covered, unavailable) = covered(from, collects, expected, &parts, &whole);
        let by_parts = matches!(from, From::ByUnits | From::ByTime);
        let mut at = Rectangle {
            collects,
            own,
            whole,
            parts: parts.sum.state,
            headline,
            from,
            reported: 0,
            covered,
            expected,
            unavailable,
            not_aggregable: false,
            estimated: by_parts && parts.estimated,
            carried: by_parts && parts.carried,
        };
        if self.not_aggregable(u, p, epoch, &at) {
            let sum = |of: fn(&Rectangle<A>) -> u64| self.over_children(u, p, epoch, of).min(expected);
            at.not_aggregable = true;
            at.covered = sum(|c| c.covered);
            at.unavailable = sum(|c| c.unavailable);
            at.reported = sum(|c| c.reported);
        } else {
            at.reported = self.reported(u, p, epoch, &tiles, &at).min(covered);
        }
        at
    }

    /// Reading 24: what a unit of a stock goes back to inside the period, as it stood when that ended.
    fn past(&self, u: UnitId, p: Period, epoch: usize) -> Option<Rc<Rectangle<A>>> {
        if !self.indicator.is_stock() || epoch == self.first_epoch(p) {
            return None;
        }
        if is_the_same(self.registry, epoch, u) {
            return self.past(u, p, epoch - 1);
        }
        let parts = parts_of(self.registry, epoch, u, Line::All);
        Some(self.together(&parts, |of| self.at_on(of, p, epoch - 1)))
    }

    /// The days whose figures count for a unit: of a stock none from before it became what it is.
    fn days(&self, u: UnitId, p: Period, epoch: usize) -> (Date, Date) {
        let first = self.first_epoch(p);
        let became = (first + 1..=epoch).rev().find(|e| !is_the_same(self.registry, *e, u));
        let from = became.and_then(|epoch| self.registry.maps()[epoch].from);
        (from.unwrap_or(self.indicator.calendar.first_day(p)), self.end_of(p, epoch))
    }

    fn given(&self, u: UnitId, scope: Scope, p: Period, epoch: usize) -> Given<A> {
        if self.indicator.is_stock() {
            self.reports.given(u, scope, p, self.days(u, p, epoch))
        } else {
            self.reports.given(u, scope, p, self.indicator.calendar.days(p))
        }
    }

    /// The own figure at exactly (u,P) or, of a flow, the sum over the tiles (reading 7); and whether it is one of the
    /// unit's past.
    fn own(
        &self,
        u: UnitId,
        p: Period,
        epoch: usize,
        tiles: &[Period],
        past: Option<&Rectangle<A>>,
    ) -> (Given<A>, bool) {
        let exact = self.given(u, Scope::Own, p, epoch);
        if self.indicator.is_stock() {
            return match past {
                Some(past) if !exact.state.is_there() && past.own.state.is_there() => {
                    (Given { state: past.own.state.clone(), dates: past.headline.dates }, true)
                }
                _ => (exact, false),
            };
        }
        if exact.has_value() {
            return (exact, false);
        }
        let tile = |tile: &Period| self.seen(u, *tile, epoch, Line::Within).own.clone();
        let sum = tiles.iter().fold(Given::default(), |sum, t| sum.plus(tile(t)));
        let takes_sum = sum.state.is_there() && (!exact.state.is_there() || sum.has_value());
        (if takes_sum { sum } else { exact }, false)
    }

    /// The figure for the whole: own where the unit collects, territory above (of a stock, the latest of them).
    fn whole(&self, u: UnitId, p: Period, epoch: usize) -> Given<A> {
        let collects = self.collects(u, self.end_of(p, epoch));
        self.given(u, if collects { Scope::Own } else { Scope::Territory }, p, epoch)
    }

    /// own(u,P) + Σ headline(c,P) over the children; above the collection level, of what adds over units.
    fn by_units(&self, u: UnitId, p: Period, epoch: usize, own: &Given<A>, own_is_carried: bool) -> Parts<A> {
        let day = self.end_of(p, epoch);
        if self.collects(u, day) || !self.indicator.aggregable.over_units() {
            return Parts::none(From::ByUnits);
        }
        let start = Parts { sum: own.clone(), carried: own_is_carried, ..Parts::none(From::ByUnits) };
        self.children(u, day).into_iter().fold(start, |sum, child| sum.take(&self.at_on(child, p, epoch)))
    }

    /// Σ headline(u,p) over the tiles, those before the change restated; by event what the fullest tile covers
    /// (reading 10).
    fn by_time(&self, u: UnitId, p: Period, tiles: &[Period], expected: u64) -> Parts<A> {
        let mut sum = Parts::none(From::ByTime);
        let (mut most, mut least_unavailable) = (0, 0);
        for tile in tiles {
            let at = self.seen(u, *tile, self.epoch(p), Line::Within);
            sum = sum.take(&at);
            if at.headline.state.is_there()
                && (at.covered > most || at.covered == most && at.unavailable < least_unavailable)
            {
                (most, least_unavailable) = (at.covered, at.unavailable);
            }
        }
        if self.by_event() {
            sum.covered = most.min(expected);
            sum.unavailable = least_unavailable.min(sum.covered);
        }
        sum
    }

    /// by_units or by_time, whichever covers more cells (reading 4).
    fn parts(&self, p: Period, by_units: Parts<A>, by_time: Parts<A>) -> Parts<A> {
        if !by_units.is_there() || !by_time.is_there() {
            return if by_time.is_there() { by_time } else { by_units };
        }
        let (units, time) =
            ((by_units.covered, by_units.sum.has_value()), (by_time.covered, by_time.sum.has_value()));
        let time_on_a_tie = !self.indicator.is_stock()
            && (self.indicator.precedence == Precedence::DeclaredFirst || self.map_changes_inside(p));
        if time > units || time == units && time_on_a_tie { by_time } else { by_units }
    }

    /// What the headline is taken from, by the indicator's precedence (reading 5).
    fn headline(&self, collects: bool, expected: u64, parts: &Parts<A>, whole: &Given<A>) -> From {
        let first = |choices: &[(bool, From)]| {
            choices.iter().find(|(holds, _)| *holds).map_or(From::Nothing, |(_, from)| *from)
        };
        let (way, whole_there, whole_value) = (parts.way, whole.state.is_there(), whole.has_value());
        if parts_alone(self.indicator, collects) {
            return first(&[(parts.is_there(), way)]);
        }
        match self.indicator.precedence {
            Precedence::DeclaredFirst => {
                first(&[(whole_value, From::Whole), (parts.is_there(), way), (whole_there, From::Whole)])
            }
            Precedence::BottomUp | Precedence::ComputedOnly => {
                let covering = parts.covered >= expected && !self.stale(parts, whole);
                first(&[
                    (parts.sum.has_value() && covering, way),
                    (whole_value, From::Whole),
                    (parts.is_there(), way),
                    (whole_there, From::Whole),
                ])
            }
        }
    }

    /// Whether parts of a stock are more than a collection period older than the whole (§3, stocks).
    fn stale(&self, parts: &Parts<A>, whole: &Given<A>) -> bool {
        match (parts.sum.dates, whole.dates, self.indicator.frequency.months()) {
            (Some((oldest, _)), Some((_, newest)), Some(months)) => {
                oldest.saturating_add(Span::new().months(months)) < newest
            }
            _ => false,
        }
    }

    /// Reading 11: what does not add over units, and has no headline though something is there.
    fn not_aggregable(&self, u: UnitId, p: Period, epoch: usize, at: &Rectangle<A>) -> bool {
        !self.indicator.aggregable.over_units()
            && !at.collects
            && !at.headline.state.is_there()
            && (at.own.state.is_there()
                || self.children(u, self.end_of(p, epoch)).into_iter().any(|c| {
                    let child = self.at_on(c, p, epoch);
                    child.headline.state.is_there() || child.not_aggregable
                }))
    }

    /// Cells for which an own figure of the cell's unit is there (reading 8), before the bound of expected.
    fn reported(&self, u: UnitId, p: Period, epoch: usize, tiles: &[Period], at: &Rectangle<A>) -> u64 {
        let over_time = || {
            let tiles = tiles.iter().map(|tile| self.seen(u, *tile, epoch, Line::Within));
            let counted = tiles.filter(|t| t.headline.state.is_there()).map(|t| t.reported);
            if self.by_event() { counted.max().unwrap_or(0) } else { counted.sum() }
        };
        if at.collects {
            return match self.given(u, Scope::Own, p, epoch).state {
                State::Missing => over_time(),
                _ if self.indicator.is_stock() => 1,
                State::NotAvailable if at.parts.is_there() => over_time(),
                State::NotAvailable | State::Value(_) => at.expected,
            };
        }
        let over_units = self.over_children(u, p, epoch, |c| c.reported);
        let one_map_adds = !self.map_changes_inside(p) && self.indicator.aggregable.over_units();
        match at.from {
            _ if self.indicator.is_stock() || one_map_adds => over_units,
            From::ByUnits => over_units,
            From::ByTime => over_time(),
            From::Whole | From::Nothing => over_units.max(over_time()),
        }
    }

    fn over_children(&self, u: UnitId, p: Period, epoch: usize, of: impl Fn(&Rectangle<A>) -> u64) -> u64 {
        self.children(u, self.end_of(p, epoch)).into_iter().map(|c| of(&self.at_on(c, p, epoch))).sum()
    }
}

/// Reading 24: what a unit shows that has no figure of its own yet. It covers the unit's cells if all of the past does.
fn shown_still<A: Amount>(past: &Rectangle<A>, expected: u64) -> Parts<A> {
    let covered = if past.expected > 0 && past.covered == past.expected { expected } else { 0 };
    Parts {
        sum: past.headline.clone(),
        covered,
        unavailable: if past.unavailable > 0 { covered } else { 0 },
        way: From::ByTime,
        estimated: past.estimated,
        carried: true,
    }
}

/// The headline, the cells it covers and those of them without a value (reading 6).
fn covered<A: Amount>(
    from: From,
    collects: bool,
    expected: u64,
    parts: &Parts<A>,
    whole: &Given<A>,
) -> (Given<A>, u64, u64) {
    match (from, &whole.state) {
        (From::Nothing, _) => (Given::default(), 0, 0),
        (From::ByUnits | From::ByTime, _) => (parts.sum.clone(), parts.covered, parts.unavailable),
        (From::Whole, State::Value(_)) => (whole.clone(), expected, 0),
        (From::Whole, _) if collects => (whole.clone(), expected, expected),
        (From::Whole, _) => (whole.clone(), 0, 0),
    }
}
