//! Rolling up what does not add over time: the last value stands.
//!
//! Where the map changes inside the period, it is rolled up on each of its maps in turn: a unit that has no figure of
//! its own since it became what it is shows what the units it was made of had, until it has one.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;

use super::{Along, BelowSum, Cell, Dates, Parts, Stand, State, composed, join_dates};
use crate::indicator::Indicator;
use crate::lineage::{Before, Reading};
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

/// What stood at each unit at the end of some days.
pub type Standing<A> = HashMap<UnitId, Stood<A>>;

/// By first and last day.
type ByDays<T> = RefCell<BTreeMap<(Date, Date), Rc<T>>>;

/// Figures of which the latest within any days can be asked.
pub struct Held<'a, A> {
    latest: Box<dyn Fn((Date, Date)) -> Standing<A> + 'a>,
    known: ByDays<Standing<A>>,
}

impl<'a, A> Held<'a, A> {
    /// From a function that finds the latest within days, both included.
    pub fn new(latest: impl Fn((Date, Date)) -> Standing<A> + 'a) -> Held<'a, A> {
        Held { latest: Box::new(latest), known: RefCell::default() }
    }

    /// What stood at the end of some days.
    pub fn within(&self, days: (Date, Date)) -> Rc<Standing<A>> {
        if let Some(known) = self.known.borrow().get(&days) {
            return Rc::clone(known);
        }
        let found = Rc::new((self.latest)(days));
        self.known.borrow_mut().insert(days, Rc::clone(&found));
        found
    }
}

impl<A> std::fmt::Debug for Held<'_, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("days", &self.known.borrow().keys()).finish_non_exhaustive()
    }
}

/// One period rolled up under one unit.
#[derive(Debug)]
pub struct Rolled<A> {
    /// What the roll-up goes over on the map of the period's last day.
    pub stand: Arc<Stand>,
    /// A cell a unit, in the stand's order.
    pub cells: Vec<Cell<A>>,
}

impl<A> Rolled<A> {
    /// The cell of a unit.
    pub fn cell(&self, unit: UnitId) -> Option<&Cell<A>> {
        self.stand.position(unit).map(|i| &self.cells[i])
    }
}

/// Rolls up a stock, or ratio of stocks, under `root` over a period. With `given`, only the root, which must have gone
/// on as itself through all of the period, and the units directly below it, whose cells are given.
pub fn roll<A: Amount>(
    registry: &Registry,
    indicator: &Indicator,
    root: UnitId,
    period: Period,
    held: &Held<'_, A>,
    given: Option<&BTreeMap<UnitId, Cell<A>>>,
) -> Rolled<A> {
    let (first, last) = indicator.calendar.days(period);
    let maps = (registry.epoch(first), registry.epoch(last));
    let shallow = given.is_some();
    let stand = |epoch| registry.stand(epoch, root, indicator.collection_level, shallow);
    let before = |epoch, unit| registry.before(epoch, unit, Reading::Restated);
    let changes = |epoch| stand(epoch).tree.nodes.iter().any(|n| before(epoch, n.unit) != Before::Same);
    // Where nothing here changes, the last map alone says it all.
    let begin = if !shallow && (maps.0 + 1..=maps.1).any(changes) { maps.0 } else { maps.1 };
    let in_validity = indicator.valid_from <= last && first < indicator.valid_to;
    let start_of =
        |epoch: usize| if epoch == maps.0 { first } else { registry.maps()[epoch].from.unwrap_or(first) };
    let end_of = |epoch: usize| end_on(registry, epoch, last);
    let mut since: HashMap<UnitId, usize> = HashMap::new();
    let mut pasts: HashMap<UnitId, Cell<A>> = HashMap::new();
    let mut rolled: Option<Rolled<A>> = None;
    for epoch in begin..=maps.1 {
        if let Some(earlier) = &rolled {
            let mut next = HashMap::new();
            for node in &stand(epoch).tree.nodes {
                let past = if before(epoch, node.unit) == Before::Same {
                    pasts.remove(&node.unit)
                } else {
                    since.insert(node.unit, epoch);
                    let known = |unit| earlier.cell(unit).map(Cow::Borrowed);
                    let (reading, maps) = (Reading::Restated, (epoch - 1, epoch));
                    composed(registry, indicator, reading, maps, node.unit, &known).map(Cow::into_owned)
                };
                next.extend(past.map(|past| (node.unit, past)));
            }
            pasts = next;
        }
        let here = |unit: UnitId| {
            let from = start_of(since.get(&unit).copied().unwrap_or(maps.0));
            held.within((from, end_of(epoch))).get(&unit).cloned().unwrap_or_default()
        };
        rolled = Some(roll_on(indicator, stand(epoch), in_validity, here, &pasts, given));
    }
    rolled.unwrap_or_else(|| Rolled { stand: stand(maps.1), cells: vec![] })
}

/// The last day of a map, no later than `last`.
fn end_on(registry: &Registry, epoch: usize, last: Date) -> Date {
    match registry.maps().get(epoch + 1).and_then(|next| next.from) {
        Some(next) => next.yesterday().unwrap_or(last).min(last),
        None => last,
    }
}

/// Whose figures a roll-up over a period can come to: those of units on any of its maps.
pub fn units_with_figures<A: Amount>(
    registry: &Registry,
    indicator: &Indicator,
    period: Period,
    held: &Held<'_, A>,
) -> HashSet<UnitId> {
    let (first, last) = indicator.calendar.days(period);
    let maps = registry.epoch(first)..=registry.epoch(last);
    let at_end_of = |epoch| held.within((first, end_on(registry, epoch, last)));
    maps.flat_map(|epoch| at_end_of(epoch).keys().copied().collect::<Vec<_>>()).collect()
}

/// Rolls up what stands on one map.
fn roll_on<A: Amount>(
    indicator: &Indicator,
    stand: Arc<Stand>,
    in_validity: bool,
    here: impl Fn(UnitId) -> Stood<A>,
    pasts: &HashMap<UnitId, Cell<A>>,
    given: Option<&BTreeMap<UnitId, Cell<A>>>,
) -> Rolled<A> {
    let adds_up = indicator.aggregable.over_units();
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
            let here = here(node.unit);
            let past = pasts.get(&node.unit);
            cell.collects = node.collects;
            let own = match past {
                Some(past) if !here.own.state.is_there() && past.own.is_there() => {
                    cell.parts.carried = !node.collects && adds_up;
                    Latest { state: past.own.clone(), dates: past.dates }
                }
                _ => here.own.clone(),
            };
            cell.own = own.state.clone();
            if node.collects {
                (cell.whole, cell.whole_dates) = (here.own.state, here.own.dates);
                cell.along = Along::Time;
            } else {
                (cell.whole, cell.whole_dates) = (here.territory.state, here.territory.dates);
                if adds_up {
                    let carried = cell.parts.carried;
                    cell.parts = std::mem::take(&mut below[i].parts);
                    cell.parts.state.add(&own.state);
                    cell.parts.dates = join_dates(cell.parts.dates, own.dates);
                    cell.parts.carried |= carried;
                }
            }
            let past = past.filter(|past| past.headline.is_there() && !cell.whole.is_there());
            if let Some(past) = past.map(|past| carried_on(past, cell.expected))
                && past.covers_more(&cell.parts) == Some(true)
            {
                (cell.parts, cell.along) = (past, Along::Time);
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
        let above = node.parent as usize;
        if above != i {
            below[above].add(&cells[i]);
        }
    }
    Rolled { stand, cells }
}

/// What a unit shows that has no figure of its own yet: it covers the unit's cells if nothing of its past is missing.
fn carried_on<A: Amount>(past: &Cell<A>, expected: u64) -> Parts<A> {
    let complete = past.expected > 0 && past.covered == past.expected;
    let covered = if complete { expected } else { 0 };
    Parts {
        state: past.headline.clone(),
        covered,
        unavailable: if past.unavailable > 0 { covered } else { 0 },
        dates: past.dates,
        estimated: past.estimated,
        carried: true,
    }
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
