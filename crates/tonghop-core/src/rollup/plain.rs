//! Rolling up what is reported plainly: by the units that collect and by nobody else, for the collection periods and no
//! others, on one map.
//!
//! Most of all figures are of this kind, and of their totals nothing is left to decide: every part covers what it was
//! given for, so that a sum over the figures is the total, whichever way the parts are taken. [`tally`], [`tally_alike`] and
//! [`tally_latest`] say whether figures are of this kind, and sum them; [`of_flow`] and [`of_stock`] say what
//! [`flow`](super::flow) and [`stock`](super::stock) would say of the unit above them. A test holds the two together.

use std::collections::HashMap;

use jiff::civil::Date;

use super::{Along, Cell, Dates, Parts, Stand, State, Taken, join_dates};
use crate::figure::{Scope, Stated};
use crate::indicator::{Indicator, Precedence};
use crate::period::{Frequency, Period};
use crate::quantity::{Qualifier, Sum};
use crate::unit::UnitId;

/// What units that collect come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The sum.
    pub state: State<Sum>,
    /// Cells for which something is there.
    pub there: u64,
    /// Those of them without a value.
    pub unavailable: u64,
    /// Of a stock: dates of the values.
    pub dates: Dates,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: &Tally) {
        self.state.add(&other.state);
        self.there += other.there;
        self.unavailable += other.unavailable;
        self.dates = join_dates(self.dates, other.dates);
    }

    /// Adds what one unit comes to.
    fn add_unit(&mut self, unit: &State<Sum>) {
        self.state.add(unit);
        self.there += u64::from(unit.is_there());
        self.unavailable += u64::from(*unit == State::NotAvailable);
    }
}

/// Whether the plain roll-up of a unit is defined for an indicator: something that adds up over the units below it.
pub fn applies(indicator: &Indicator, stand: &Stand, root: UnitId) -> bool {
    indicator.aggregable.over_units()
        && !indicator.from_map
        && indicator.frequency != Frequency::Event
        && stand.tree.nodes.first().is_some_and(|node| node.unit == root && !node.collects)
}

/// Sums the figures of one period, which come in order of their units; nothing where they are not plain.
pub fn tally(
    indicator: &Indicator,
    stand: &Stand,
    period: Period,
    rows: impl Iterator<Item = (UnitId, Scope, Stated)>,
) -> Option<Tally> {
    if period.grain() != indicator.frequency.shortest_grain() || !indicator.in_force(period) {
        return None;
    }
    let mut sum = Tally::default();
    let mut here: Option<(UnitId, State<Sum>)> = None;
    for (unit, scope, stated) in rows {
        match &mut here {
            Some((known, state)) if *known == unit && scope == Scope::Own => state.add(&stated.into()),
            _ if scope == Scope::Own && stand.collects(unit) => {
                if let Some((_, state)) = here.replace((unit, stated.into())) {
                    sum.add_unit(&state);
                }
            }
            _ => return None,
        }
    }
    if let Some((_, state)) = here {
        sum.add_unit(&state);
    }
    Some(sum)
}

/// [`tally`] of figures that are alike: values that are read in one way, each of another unit and its own.
pub fn tally_alike(
    indicator: &Indicator,
    stand: &Stand,
    period: Period,
    qualifier: Qualifier,
    values: impl Iterator<Item = (UnitId, i64)>,
) -> Option<Tally> {
    if period.grain() != indicator.frequency.shortest_grain() || !indicator.in_force(period) {
        return None;
    }
    let (mut sum, mut there, mut all_collect) = (0i128, 0, true);
    for (unit, value) in values {
        all_collect &= stand.collects(unit);
        sum += i128::from(value);
        there += 1;
    }
    if !all_collect {
        return None;
    }
    let state = if there == 0 { State::Missing } else { State::Value(Sum::of_alike(sum, qualifier)) };
    Some(Tally { state, there, ..Tally::default() })
}

/// A figure of a stock: its unit, scope and members, and what it says.
pub type StockRow<'a> = (UnitId, Scope, &'a str, Stated);

/// Sums the latest figures of several periods, given with their last days from the first to the last; nothing where
/// they are not plain.
pub fn tally_latest<'a, Rows: Iterator<Item = StockRow<'a>>>(
    indicator: &Indicator,
    stand: &Stand,
    periods: impl DoubleEndedIterator<Item = (Period, Date, Rows)>,
) -> Option<Tally> {
    let mut latest: HashMap<(UnitId, &str), (Date, Stated)> = HashMap::new();
    for (period, day, rows) in periods.rev() {
        if period.grain() != indicator.frequency.shortest_grain() {
            return None;
        }
        for (unit, scope, members, stated) in rows {
            if scope != Scope::Own || !stand.collects(unit) {
                return None;
            }
            let known = latest.entry((unit, members)).or_insert((day, stated));
            // Going back in time, only a value stands over what has none.
            if known.1 == Stated::NotAvailable && stated != Stated::NotAvailable {
                *known = (day, stated);
            }
        }
    }
    let mut units: HashMap<UnitId, (State<Sum>, Dates)> = HashMap::new();
    for ((unit, _), (day, stated)) in latest {
        let (state, dates) = units.entry(unit).or_default();
        if stated != Stated::NotAvailable {
            *dates = join_dates(*dates, Some((day, day)));
        }
        state.add(&stated.into());
    }
    let mut sum = Tally::default();
    for (state, dates) in units.values() {
        sum.add_unit(state);
        sum.dates = join_dates(sum.dates, *dates);
    }
    Some(sum)
}

/// Whether the collection periods in a period fill it: half-years do not fill nine months, which then have no total
/// but one that was given for them.
pub fn is_filled(indicator: &Indicator, period: Period) -> bool {
    let (Some(length), Some((first, last))) = (indicator.frequency.months(), period.months()) else {
        return false;
    };
    period.collection_periods(indicator.frequency).len() as i32 * length == last - first + 1
}

/// The cell of the unit above for a period, from the figures of the collection periods in it; none where these do not
/// [fill](is_filled) it.
pub fn of_flow(indicator: &Indicator, stand: &Stand, period: Period, tally: Tally) -> Cell<Sum> {
    let parts = period.collection_periods(indicator.frequency);
    let in_force = parts.iter().filter(|part| indicator.in_force(**part)).count() as u64;
    let longer = period.grain() > indicator.frequency.shortest_grain();
    // Both ways come to the same; which is said to be taken, precedence decides.
    let by_time = indicator.precedence == Precedence::DeclaredFirst && (longer || !tally.state.is_there());
    let along = if by_time { Along::Time } else { Along::Units };
    cell(tally, stand.cells[0] * in_force, along)
}

/// The cell of the unit above for a period, from the latest figures in it.
pub fn of_stock(indicator: &Indicator, stand: &Stand, days: (Date, Date), tally: Tally) -> Option<Cell<Sum>> {
    let in_validity = indicator.valid_from <= days.1 && days.0 < indicator.valid_to;
    in_validity.then(|| cell(tally, stand.cells[0], Along::Units))
}

fn cell(tally: Tally, expected: u64, along: Along) -> Cell<Sum> {
    let Tally { state, there, unavailable, dates } = tally;
    Cell {
        taken: if state.is_there() { Taken::Parts } else { Taken::Nowhere },
        headline: state.clone(),
        parts: Parts { state, covered: there, unavailable, dates, estimated: false, carried: false },
        along,
        reported: there,
        covered: there,
        expected,
        unavailable,
        dates,
        ..Cell::default()
    }
}
