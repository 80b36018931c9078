//! A cell of a unit for a time before its map: put together from the units that it goes back to.

use std::borrow::Cow;

use super::{Along, Cell, Parts, State, Taken, join_dates};
use crate::indicator::Indicator;
use crate::lineage::{Before, Reading, Source};
use crate::quantity::Amount;
use crate::registry::Registry;
use crate::unit::UnitId;

/// The cell of a unit of the map `epoch` for a period whose own map is `then`, no later. What is known of that map's
/// units is said by `known`; where it knows nothing of any of them, there is nothing to say.
pub fn composed<'a, A: Amount>(
    registry: &Registry,
    indicator: &Indicator,
    reading: Reading,
    (then, epoch): (usize, usize),
    unit: UnitId,
    known: &dyn Fn(UnitId) -> Option<Cow<'a, Cell<A>>>,
) -> Option<Cow<'a, Cell<A>>> {
    if epoch == then {
        return known(unit);
    }
    let of = |unit| composed(registry, indicator, reading, (then, epoch - 1), unit, known);
    match registry.before(epoch, unit, reading) {
        Before::Same => of(unit),
        Before::Of(sources) => {
            let cells: Vec<(&Source, Option<Cow<'a, Cell<A>>>)> =
                sources.iter().map(|source| (source, of(source.unit))).collect();
            match cells.as_slice() {
                [] => None,
                [(source, cell)] if source.is_whole() => cell.clone(),
                several if several.iter().all(|(_, cell)| cell.is_none()) => None,
                several => Some(Cow::Owned(put_together(indicator, several))),
            }
        }
    }
}

/// The sum of shares of cells. What does not add up over units does not add up over these either.
pub(super) fn put_together<A: Amount>(
    indicator: &Indicator,
    sources: &[(&Source, Option<Cow<'_, Cell<A>>>)],
) -> Cell<A> {
    let nothing = Cell::default();
    let all: Vec<(&Source, &Cell<A>)> =
        sources.iter().map(|(source, cell)| (*source, cell.as_deref().unwrap_or(&nothing))).collect();
    let mut out = Cell { collects: all.iter().all(|(_, c)| c.collects), ..Cell::default() };
    for (_, cell) in all.iter().filter(|(source, _)| source.with_cells) {
        out.reported += cell.reported;
        out.expected += cell.expected;
        if cell.headline.is_there() || cell.not_aggregable {
            out.covered += cell.covered;
            out.unavailable += cell.unavailable;
        }
    }
    if !indicator.aggregable.over_units() {
        out.not_aggregable = all.iter().any(|(_, c)| c.headline.is_there() || c.not_aggregable);
        return out;
    }
    let shares = |of: fn(&Cell<A>) -> &State<A>| {
        let mut sum = State::Missing;
        all.iter().for_each(|(source, cell)| sum.add(&of(cell).share(source)));
        sum
    };
    out.own = shares(|c| &c.own);
    out.headline = shares(|c| &c.headline);
    out.dates = all.iter().fold(None, |dates, (_, c)| join_dates(dates, c.dates));
    out.estimated =
        all.iter().any(|(source, cell)| cell.headline.has_value() && (cell.estimated || !source.is_whole()));
    out.carried = all.iter().any(|(_, c)| c.headline.is_there() && c.carried);
    let all_taken = |taken| all.iter().all(|(_, c)| c.taken == taken);
    out.taken = match out.headline {
        State::Missing => Taken::Nowhere,
        _ if all_taken(Taken::Whole) => Taken::Whole,
        _ => Taken::Parts,
    };
    if all.iter().all(|(_, c)| c.whole.has_value()) || out.taken == Taken::Whole {
        out.whole = shares(|c| &c.whole);
        out.whole_dates = all.iter().fold(None, |dates, (_, c)| join_dates(dates, c.whole_dates));
    }
    if out.taken == Taken::Parts {
        out.parts = Parts {
            state: out.headline.clone(),
            covered: out.covered,
            unavailable: out.unavailable,
            dates: out.dates,
            estimated: out.estimated,
            carried: out.carried,
        };
    } else if all.iter().all(|(_, c)| c.parts.state.has_value()) {
        out.parts.state = shares(|c| &c.parts.state);
        for (_, cell) in all.iter().filter(|(source, _)| source.with_cells) {
            out.parts.covered += cell.parts.covered;
            out.parts.unavailable += cell.parts.unavailable;
        }
        out.parts.dates = all.iter().fold(None, |dates, (_, c)| join_dates(dates, c.parts.dates));
    }
    out.along = Along::Units;
    out
}

impl<A: Amount> State<A> {
    /// The share of a source that one heir has.
    fn share(&self, source: &Source) -> State<A> {
        match self {
            State::Value(amount) if !source.is_whole() => {
                State::Value(amount.share(&source.shares, source.at))
            }
            other => other.clone(),
        }
    }
}
