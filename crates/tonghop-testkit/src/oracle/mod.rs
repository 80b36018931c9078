//! The naive oracle: a transcription of the semantics page (§2–§7) as plain recursion
//! over (unit, period), written to be read beside that page. It keeps nothing between questions.
//!
//! Where the page is silent or can be read two ways, these readings are settled:
//!
//! 1. A tiling of P is usable only if no tile is shorter than the collection period (a month, by event). One
//!    tiling is chosen for each (u,P), for by_time and own alike: the one whose tiles cover more; on a tie the
//!    first, unless no tile of it has a headline and one of the second has.
//! 2. The tiles of a span P are its years, save that shorter spans strictly within P for which u has a value (of
//!    either scope, totalled over partitions, in the series asked for) stand in place of their years: the
//!    non-overlapping set that covers most years; then the fewest; then the smallest list of (from, to).
//! 3. What is given or totalled is missing, not available or a value. In a sum missing is neutral, and not
//!    available yields to a value. "There" is not missing. A tile or child counts its cells only if its headline
//!    is there.
//! 4. Of by_units and by_time the parts are the one that covers more; then the one with a value; then by_time if
//!    declared_first or the map changes inside P; then by_units. The map changes inside P if the map of the last
//!    day of P's first collection period (first month, by event) is not that of P's last day.
//! 5. bottom_up, and anything but declared_first at the collection level: parts with a value that cover all cells;
//!    whole with a value; parts with a value; parts not available; whole not available. declared_first: whole with
//!    a value; parts; whole not available. computed_only above the collection level: parts.
//! 6. A whole with a value covers `expected`; an own whole that is not available covers `expected`, all of it
//!    unavailable; a territory figure that is not available covers nothing.
//! 7. own of a flow: the exact figure with a value; else the sum over the tiles, if there and (nothing exact is
//!    there or the sum has a value); else the exact figure.
//! 8. reported, at a unit that collects: with an own figure at P all its cells, unless that is not available and
//!    parts are there; else the sum over the tiles that have a headline (by event the most of them). Above: the
//!    children's sum, unless the map changes inside P or nothing adds over units: then along the parts that the
//!    headline was taken from, else the larger of both sums. Never more than covered. Stocks have no part in time.
//! 9. Cells of flows not by event are counted on the map of each collection period's last day that lies in the
//!    validity; of stocks and event indicators on the map of P's last day, if P and the validity share a day.
//!    A unit collects at the collection level, or above it with no child at or above that level.
//! 10. By event, by_time covers what its fullest tile covers (at most expected) and is unavailable as that tile is.
//! 11. What does not add over units has no by_units. Without a headline it is "not aggregable" if own, a child's
//!     headline or a "not aggregable" child is there; covered, unavailable and reported are the children's sums.
//! 12. own and territory of a stock: the latest by last day within P's days, the shorter period (in months) on a tie; a value
//!     before what is not available. A total over a partition sums the latest of each member. Dates are those of
//!     the values. Parts are stale if their oldest date, a collection period on, is still before the whole's newest.
//! 13. A flow over a partition is, at each (unit, scope, period), the sum of the members there. By a `single`
//!     reporter's name only current figures of that side answer.
//! 14. Overlapping dimensions: figures that name exactly the members asked for, and no other.
//! 15. `disjoint` with no side asked: the sides' totals combined; of a ratio refused, for ratios do not add up. `overlapping`: as if the only side had been asked
//!     for, or refused.
//! 16. basis: reported or declared for a whole; computed for parts that cover all and lack nothing; else partial.
//! 17. Ratios: see [`ratio`].
//! 18. What the map gives is 1, own, for every unit that collects on P's last day, dated that day.
//! 19. Refusals in the order in which [`total`] checks them.
//! 20. A unit goes on along a succession if both are of one level, or if it lies above that level and nothing below it
//!     is of that level or above (an island district). One that is still in force goes on as itself with what it did
//!     not give away.
//! 21. Put together of several units, or of a share of one: values are shared by largest remainder over all heirs in
//!     order of code (pairs unrounded), and the shares added; cells are those of the parts whose cells count here;
//!     declared if all parts are, then with their wholes; else of parts; what does not add over units is not
//!     aggregable. Of one whole unit everything is as it was.
//! 22. With its past, a unit goes on only as heirs below what became of the unit above it. Its cells count with itself,
//!     if it goes on; else with the largest of these heirs (the first by code on a tie), which also gets the share that
//!     went elsewhere; without any, with what became of the unit above.
//! 23. A tile before the map of P is put together that way; so is each step of several changes, one after another.
//! 24. A stock is rolled up on each map inside P in turn. Figures of a unit count from the day it became what it is;
//!     without a figure for the whole since, its past is one more way to make it, instead of by_time, and covers the
//!     unit's cells if all of the past was covered, else none. Its own activity is that of its past until it has some.
//! 25. Restated, the total is put together of those of the units of P's own map, along all successions.

mod approved;
mod figures;
mod past;
mod ratio;
mod rollup;
mod shape;
mod sides;
mod state;

pub use approved::{Approval, approved};

use std::rc::Rc;

use tonghop_core::dimension::{Breakdown, REPORTER};
use tonghop_core::figure::Figure;
use tonghop_core::indicator::{Indicator, Kind, Precedence, ReporterOverlap};
use tonghop_core::quantity::{Amount, Sum};
use tonghop_core::question::{Basis, Question, Reason, Refusal, Total};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

use figures::{Reports, Sheet};
use past::{Line, goes_back_to, parts_of};
use rollup::{From, Rectangle, Rollup};
use state::State;

/// The answer of the page to a question, from figures in the order of the ledger.
///
/// # Errors
/// Where the question cannot be asked; the first reason in the order of the checks below.
pub fn total(registry: &Registry, figures: &[Figure], question: &Question) -> Result<Total, Refusal> {
    let indicator = registry
        .indicator(&question.indicator)
        .ok_or_else(|| Refusal::UnknownIndicator(question.indicator.clone()))?;
    refuse(registry, indicator, question)?;
    let asked = &question.breakdown;
    match (&indicator.kind, indicator.overlap) {
        (_, ReporterOverlap::Overlapping) if asked.member(REPORTER).is_none() => {
            match indicator.reporters.as_slice() {
                [only] => of_one_side(registry, figures, indicator, question, &asked.with(REPORTER, only)),
                _ => Err(Refusal::OverlappingReporters {
                    indicator: indicator.code.clone(),
                    sides: indicator.reporters.join(", "),
                }),
            }
        }
        (Kind::Flow | Kind::Stock, ReporterOverlap::Disjoint) if asked.member(REPORTER).is_none() => {
            let sides = indicator
                .reporters
                .iter()
                .map(|side| of_one_side(registry, figures, indicator, question, &asked.with(REPORTER, side)))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(sides::combined(&sides))
        }
        (Kind::Ratio(ratio), ReporterOverlap::Disjoint) if asked.member(REPORTER).is_none() => {
            Err(Refusal::RatioAcrossReporters {
                indicator: indicator.code.clone(),
                component: ratio.numerator.join(", "),
                sides: indicator.reporters.join(", "),
            })
        }
        _ => of_one_side(registry, figures, indicator, question, asked),
    }
}

/// Reading 19: why a question cannot be asked, reporters aside.
fn refuse(registry: &Registry, indicator: &Indicator, question: &Question) -> Result<(), Refusal> {
    for (dimension, _) in question.breakdown.iter() {
        if !indicator.has_dimension(dimension) {
            return Err(Refusal::NotItsDimension {
                indicator: indicator.code.clone(),
                dimension: dimension.to_owned(),
                has: indicator.dimensions.join(", "),
            });
        }
    }
    for (dimension, member) in question.breakdown.iter() {
        if registry.dimension(dimension).is_none_or(|d| d.member(member).is_none()) {
            return Err(Refusal::UnknownMember {
                dimension: dimension.to_owned(),
                member: member.to_owned(),
            });
        }
    }
    if !indicator.takes(question.period.grain()) {
        return Err(Refusal::WrongGrain {
            indicator: indicator.code.clone(),
            frequency: "",
            calendar: indicator.calendar.code.clone(),
            period: question.period,
        });
    }
    let day = indicator.calendar.last_day(question.period);
    let unit = registry.unit(question.unit);
    let on = question.map.unwrap_or(day);
    if registry.epoch(on) < registry.epoch(day) {
        return Err(Refusal::MapTooOld { map: on, last: day });
    }
    if !unit.in_force(on) {
        let level_is_there = registry.units().iter().any(|u| u.level == unit.level && u.in_force(on));
        return Err(match question.map {
            Some(_) if !level_is_there => Refusal::LevelGone { level: String::new(), day: on },
            _ => Refusal::NotInForce { day: on },
        });
    }
    if unit.level > indicator.collection_level {
        return Err(Refusal::BelowCollection {
            indicator: indicator.code.clone(),
            level: registry.level_code(indicator.collection_level).to_owned(),
        });
    }
    Ok(())
}

/// The total where it is settled which side is asked for.
fn of_one_side(
    registry: &Registry,
    figures: &[Figure],
    indicator: &Indicator,
    question: &Question,
    asked: &Breakdown,
) -> Result<Total, Refusal> {
    if let Kind::Ratio(of) = &indicator.kind {
        return ratio::total(registry, figures, indicator, of, question, asked);
    }
    let sheet = Sheet::new(registry, figures, indicator, asked);
    let rollup = Rollup::new(registry, indicator, &sheet);
    let at = told(&rollup, question);
    let (parts, whole) = (at.parts.value().copied(), at.whole.state.value().copied());
    let value = at.headline.state.value().copied();
    Ok(Total {
        value,
        reason: if value.is_some() { None } else { Some(no_value(&at)) },
        basis: value.and_then(|_| basis(&at)),
        parts,
        whole,
        difference: whole.zip(parts).map(|(whole, parts)| whole.value - parts.value),
        pair: None,
        reported: at.reported,
        covered: at.covered,
        expected: at.expected,
        unavailable: at.unavailable,
        dates: at.headline.dates,
        estimated: at.estimated,
        carried: at.carried,
    })
}

/// The rectangle that is asked for: as reported, or restated (reading 25).
fn told<A: Amount, R: Reports<A>>(rollup: &Rollup<'_, A, R>, question: &Question) -> Rc<Rectangle<A>> {
    rollup.seen(question.unit, question.period, told_on(rollup, question), Line::All)
}

fn told_on<A: Amount, R: Reports<A>>(rollup: &Rollup<'_, A, R>, question: &Question) -> usize {
    question.map.map_or_else(|| rollup.epoch(question.period), |day| rollup.registry.epoch(day))
}

/// The units of the period's own map that it is put together of.
fn made_of<A: Amount, R: Reports<A>>(rollup: &Rollup<'_, A, R>, question: &Question) -> Vec<UnitId> {
    let maps = (rollup.epoch(question.period), told_on(rollup, question));
    goes_back_to(rollup.registry, maps, question.unit, Line::All)
}

/// Whether the unit asked for was one whole unit on the period's own map.
fn renumbered<A: Amount, R: Reports<A>>(rollup: &Rollup<'_, A, R>, question: &Question) -> bool {
    let (then, now) = (rollup.epoch(question.period), told_on(rollup, question));
    let mut unit = question.unit;
    for epoch in (then + 1..=now).rev() {
        match parts_of(rollup.registry, epoch, unit, Line::All).as_slice() {
            [only] if only.is_whole() => unit = only.of,
            _ => return false,
        }
    }
    true
}

/// Why a headline has no value.
fn no_value(at: &Rectangle<Sum>) -> Reason {
    match at.headline.state {
        _ if at.not_aggregable => Reason::NotAggregable,
        State::NotAvailable => Reason::NotAvailable,
        State::Missing | State::Value(_) => Reason::Missing,
    }
}

/// Reading 16: what a headline that has a value was taken from.
fn basis<A>(at: &Rectangle<A>) -> Option<Basis> {
    match at.from {
        From::Nothing => None,
        From::Whole if at.collects => Some(Basis::Reported),
        From::Whole => Some(Basis::Declared),
        From::ByUnits | From::ByTime if at.covered == at.expected && at.unavailable == 0 => {
            Some(Basis::Computed)
        }
        From::ByUnits | From::ByTime => Some(Basis::Partial),
    }
}

/// Whether only parts count here: territory figures of such an indicator are kept and shown, never used.
fn parts_alone(indicator: &Indicator, collects: bool) -> bool {
    indicator.precedence == Precedence::ComputedOnly && !collects
}
