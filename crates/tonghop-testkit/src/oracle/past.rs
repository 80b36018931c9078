//! §7, what units were before the map changed: steps from one map to the next, and rectangles put together along them
//! (readings 20 to 24).

use std::rc::Rc;

use tonghop_core::Date;
use tonghop_core::period::Period;
use tonghop_core::quantity::Amount;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

use super::figures::Reports;
use super::rollup::{From, Rectangle, Rollup};
use super::state::{Given, State, both};

const WHOLE: u32 = 1_000_000;

/// How a step is read: level by level along all successions, or within what became of the unit above.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    All,
    Within,
}

/// A unit of the map before, and the part of it that went into a unit of the next map.
pub(super) struct Part {
    pub(super) of: UnitId,
    shares: Vec<u32>,
    at: usize,
    /// Whether its cells count here.
    cells: bool,
}

impl Part {
    pub(super) fn is_whole(&self) -> bool {
        self.shares[self.at] == WHOLE
    }
}

fn day_of(registry: &Registry, epoch: usize) -> Date {
    registry.maps()[epoch].from.expect("a map after the first has a first day")
}

/// What a unit of the map before went on as, by code, with shares; itself with what it did not give away.
fn heirs(registry: &Registry, epoch: usize, unit: UnitId) -> Vec<(UnitId, u32)> {
    let day = day_of(registry, epoch);
    let given = registry.successions().iter().filter(|s| s.day == day && s.from == unit);
    let mut heirs: Vec<(UnitId, u32)> = given.map(|s| (s.to, s.share)).collect();
    if registry.maps()[epoch].has(unit) {
        let gone: u32 = heirs.iter().map(|(_, share)| share).sum();
        heirs.push((unit, WHOLE - gone));
    }
    heirs.retain(|(_, share)| *share > 0);
    heirs.sort_by_key(|(heir, _)| (registry.unit(*heir).code.clone(), *heir));
    heirs
}

/// Reading 20: of one level, or from a unit above that has nothing below it that could count as of that level.
fn of_one_level(registry: &Registry, epoch: usize, unit: UnitId, heir: UnitId) -> bool {
    let (from, to) = (registry.unit(unit).level, registry.unit(heir).level);
    let below = registry.maps()[epoch - 1].children(unit);
    from == to || from < to && below.iter().all(|child| registry.unit(*child).level > to)
}

/// Reading 22: the heirs that lie below what became of the unit above.
fn within(registry: &Registry, epoch: usize, unit: UnitId) -> Vec<(UnitId, u32)> {
    let above = registry.maps()[epoch - 1].parent(unit).map(|above| place(registry, epoch, above));
    let below = |heir: UnitId| match above {
        Some(above) => registry.maps()[epoch].ancestry(heir).skip(1).any(|a| a == above),
        None => heir == unit,
    };
    let mut heirs = heirs(registry, epoch, unit);
    heirs.retain(|(heir, _)| of_one_level(registry, epoch, unit, *heir) && below(*heir));
    heirs
}

/// Reading 22: with which unit of the next map the cells of a unit count: itself, else its largest heir within, else
/// what became of the unit above.
pub(super) fn place(registry: &Registry, epoch: usize, unit: UnitId) -> UnitId {
    let heirs = within(registry, epoch, unit);
    let goes_on = registry.maps()[epoch].has(unit);
    if goes_on && (heirs.is_empty() || heirs.iter().any(|(heir, _)| *heir == unit)) {
        return unit;
    }
    let largest = heirs.iter().map(|(_, share)| *share).max();
    match heirs.iter().find(|(_, share)| Some(*share) == largest) {
        Some((heir, _)) => *heir,
        None => {
            let above = registry.maps()[epoch - 1].parent(unit);
            above.map_or(unit, |above| place(registry, epoch, above))
        }
    }
}

/// What a unit of a map was on the map before: the parts of units that it is made of.
pub(super) fn parts_of(registry: &Registry, epoch: usize, unit: UnitId, line: Line) -> Vec<Part> {
    let before = registry.units().iter().filter(|u| registry.maps()[epoch - 1].has(u.id));
    let part = |of: UnitId| {
        let (mut heirs, cells) = match line {
            Line::All => (heirs(registry, epoch, of), true),
            Line::Within => (within(registry, epoch, of), place(registry, epoch, of) == unit),
        };
        if line == Line::Within {
            // What went elsewhere stays with the cells.
            let rest = WHOLE - heirs.iter().map(|(_, share)| share).sum::<u32>();
            let place = place(registry, epoch, of);
            heirs.iter_mut().filter(|(heir, _)| *heir == place).for_each(|(_, share)| *share += rest);
        }
        let at = heirs.iter().position(|(heir, _)| *heir == unit)?;
        let shares = heirs.iter().map(|(_, share)| *share).collect();
        of_one_level(registry, epoch, of, unit).then_some(Part { of, shares, at, cells })
    };
    before.filter_map(|u| part(u.id)).collect()
}

/// Whether a unit of a map is what it was on the map before.
pub(super) fn is_the_same(registry: &Registry, epoch: usize, unit: UnitId) -> bool {
    match parts_of(registry, epoch, unit, Line::All).as_slice() {
        [only] => only.of == unit && only.is_whole(),
        _ => false,
    }
}

/// The units of the map `then` that a unit of the map `epoch` goes back to.
pub(super) fn goes_back_to(
    registry: &Registry,
    (then, epoch): (usize, usize),
    unit: UnitId,
    line: Line,
) -> Vec<UnitId> {
    if then == epoch {
        return vec![unit];
    }
    let parts = parts_of(registry, epoch, unit, line).into_iter();
    parts.flat_map(|part| goes_back_to(registry, (then, epoch - 1), part.of, line)).collect()
}

impl<A: Amount, R: Reports<A>> Rollup<'_, A, R> {
    /// The rectangle of a unit of the map `epoch` for a period of the same or an earlier map.
    pub(super) fn seen(&self, u: UnitId, p: Period, epoch: usize, line: Line) -> Rc<Rectangle<A>> {
        if self.epoch(p) == epoch {
            return self.at(u, p);
        }
        let parts = parts_of(self.registry, epoch, u, line);
        self.together(&parts, |of| self.seen(of, p, epoch - 1, line))
    }

    /// Reading 21: parts of rectangles as one.
    pub(super) fn together(
        &self,
        parts: &[Part],
        at: impl Fn(UnitId) -> Rc<Rectangle<A>>,
    ) -> Rc<Rectangle<A>> {
        let all: Vec<(&Part, Rc<Rectangle<A>>)> = parts.iter().map(|part| (part, at(part.of))).collect();
        if let [(part, whole)] = all.as_slice()
            && part.is_whole()
        {
            return Rc::clone(whole);
        }
        let cells = |of: fn(&Rectangle<A>) -> u64| {
            all.iter().filter(|(part, _)| part.cells).map(|(_, at)| of(at)).sum::<u64>()
        };
        let mut sum = Rectangle {
            collects: !all.is_empty() && all.iter().all(|(_, at)| at.collects),
            reported: cells(|at| at.reported),
            covered: cells(|at| at.covered),
            expected: cells(|at| at.expected),
            unavailable: cells(|at| at.unavailable),
            ..Rectangle::default()
        };
        let something = |at: &Rectangle<A>| at.headline.state.is_there() || at.not_aggregable;
        if !self.indicator.aggregable.over_units() {
            sum.not_aggregable = all.iter().any(|(_, at)| something(at));
            return Rc::new(sum);
        }
        let add = |of: fn(&Rectangle<A>) -> &Given<A>| {
            all.iter().fold(Given::default(), |sum: Given<A>, (part, at)| sum.plus(share(of(at), part)))
        };
        sum.own = add(|at| &at.own);
        sum.headline = add(|at| &at.headline);
        sum.headline.dates = all.iter().fold(None, |dates, (_, at)| both(dates, at.headline.dates));
        let all_wholes = all.iter().all(|(_, at)| at.from == From::Whole);
        sum.from = match sum.headline.state {
            State::Missing => From::Nothing,
            _ if all_wholes => From::Whole,
            _ => From::ByUnits,
        };
        if all_wholes || all.iter().all(|(_, at)| at.whole.has_value()) {
            sum.whole = add(|at| &at.whole);
        }
        if sum.from == From::ByUnits {
            sum.parts = sum.headline.state.clone();
        } else if all.iter().all(|(_, at)| at.parts.value().is_some()) {
            sum.parts = all.iter().fold(State::Missing, |sum, (part, at)| {
                sum.plus(share(&Given { state: at.parts.clone(), dates: None }, part).state)
            });
        }
        sum.estimated =
            all.iter().any(|(part, at)| at.headline.has_value() && (at.estimated || !part.is_whole()));
        sum.carried = all.iter().any(|(_, at)| at.headline.state.is_there() && at.carried);
        Rc::new(sum)
    }
}

fn share<A: Amount>(given: &Given<A>, part: &Part) -> Given<A> {
    let state = match given.state.value() {
        Some(amount) if !part.is_whole() => State::Value(amount.share(&part.shares, part.at)),
        _ => given.state.clone(),
    };
    Given { state, dates: given.dates }
}
