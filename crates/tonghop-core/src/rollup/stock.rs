//! Rolling up what does not add over time: the last value stands.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::ToSpan;

use super::{Along, BelowSum, Cell, Dates, Stand, State, join_dates};
use crate::indicator::Indicator;
use crate::period::{Frequency, Period};
use crate::quantity::Amount;
use crate::registry::Registry;
use crate::unit::UnitId;

/// The latest of something within a period, and the dates of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest<A> {
    /// What it is.
    pub state: State<A>,
    /// Dates of the values in it.
    pub dates: Dates,
}

impl<A> Default for Latest<A> {
    fn default() -> Self {
        Latest { state: State::Missing, dates: None }
    }
}

impl<A: Amount> Latest<A> {
    /// Adds another: another member of a partition, say.
    pub fn add(&mut self, other: &Latest<A>) {
        self.state.add(&other.state);
        self.dates = join_dates(self.dates, other.dates);
    }
}

/// The latest own and territory figure of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stood<A> {
    /// Scope own.
    pub own: Latest<A>,
    /// Scope territory.
    pub territory: Latest<A>,
}

impl<A> Default for Stood<A> {
    fn default() -> Self {
        Stood { own: Latest::default(), territory: Latest::default() }
    }
}

/// One period rolled up over a subtree.
#[derive(Debug)]
pub struct Rolled<A> {
    /// The subtree on the map of the period's last day.
    pub stand: Arc<Stand>,
    /// A cell a unit, in the subtree's order.
    pub cells: Vec<Cell<A>>,
}

impl<A> Rolled<A> {
    /// The cell of a unit.
    pub fn cell(&self, unit: UnitId) -> Option<&Cell<A>> {
        self.stand.position(unit).map(|i| &self.cells[i])
    }
}

/// Rolls up a stock, or ratio of stocks, under `root` over a period. With `given`, only the root and the units
/// directly below it, whose cells are given.
pub fn roll<A: Amount>(
    registry: &Registry,
    indicator: &Indicator,
    root: UnitId,
    period: Period,
    latest: &HashMap<UnitId, Stood<A>>,
    given: Option<&BTreeMap<UnitId, Cell<A>>>,
) -> Rolled<A> {
    let (first, last) = indicator.calendar.days(period);
    let stand = registry.stand(last, root, indicator.collection_level, given.is_some());
    let in_validity = indicator.valid_from <= last && first < indicator.valid_to;
    let mut cells: Vec<Cell<A>> = Vec::new();
    cells.resize_with(stand.tree.nodes.len(), Cell::default);
    let mut below: Vec<BelowSum<A>> = vec![BelowSum::default(); stand.tree.nodes.len()];
    for i in (0..stand.tree.nodes.len()).rev() {
        let node = stand.tree.nodes[i];
        let cell = &mut cells[i];
        cell.expected = if in_validity { stand.cells[i] } else { 0 };
        if let Some(known) = given.and_then(|g| g.get(&node.unit)) {
            *cell = known.clone();
        } else if given.is_none() || i == 0 {
            let here = latest.get(&node.unit).cloned().unwrap_or_default();
            cell.collects = node.collects;
            cell.own = here.own.state.clone();
            if node.collects {
                (cell.whole, cell.whole_dates) = (here.own.state, here.own.dates);
                cell.along = Along::Time;
            } else {
                (cell.whole, cell.whole_dates) = (here.territory.state, here.territory.dates);
                if indicator.aggregable.over_units() {
                    cell.parts = std::mem::take(&mut below[i].parts);
                    cell.parts.state.add(&here.own.state);
                    cell.parts.dates = join_dates(cell.parts.dates, here.own.dates);
                }
            }
            cell.settle(indicator.precedence, stale(indicator.frequency, cell.parts.dates, cell.whole_dates));
            cell.reported = if node.collects {
                if cell.whole.is_there() { cell.expected } else { 0 }
            } else {
                below[i].reported
            };
            cell.reported = cell.reported.min(cell.covered);
            cell.mark_not_aggregable(indicator, &below[i]);
        }
        if i > 0 {
            below[node.parent as usize].add(&cells[i]);
        }
    }
    Rolled { stand, cells }
}

/// Whether parts are more than a collection period older than the whole.
fn stale(frequency: Frequency, parts: Dates, whole: Dates) -> bool {
    match (frequency.months(), parts, whole) {
        (Some(months), Some((oldest, _)), Some((_, newest))) => {
            oldest.checked_add(i64::from(months).months()).is_ok_and(|day| day < newest)
        }
        _ => false,
    }
}
