//! Rolling up what adds over time.
//!
//! Every period is worked out once as an array over a subtree, from the figures reported at exactly that
//! period and from the arrays of its tiles. The walk is from leaves to root, so the cost is linear in units
//! times periods.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::tilings::Choices;
use super::{Along, BelowSum, Cell, Parts, Stand, State, Taken, composed};
use crate::indicator::{Indicator, Precedence};
use crate::lineage::Reading;
use crate::period::{Frequency, Period};
use crate::quantity::Amount;
use crate::registry::Registry;
use crate::unit::{Node, UnitId};

/// What was reported at one unit and period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported<A> {
    /// Scope own.
    pub own: State<A>,
    /// Scope territory.
    pub territory: State<A>,
}

/// Figures of one series that a roll-up starts from: totals over what is not asked apart, by period and unit.
pub type Inputs<A> = BTreeMap<Period, HashMap<UnitId, Reported<A>>>;

/// What was rolled up before: of the provinces, for the nation.
pub struct Given<'a, A> {
    /// Finds cells.
    pub cell: &'a (dyn Fn(UnitId, Period) -> Option<&'a Cell<A>> + 'a),
    /// What the cells of all units directly below the root come to in a period, where that is known: they are not looked
    /// at then.
    pub below: &'a (dyn Fn(Period) -> Option<BelowSum<A>> + 'a),
}

/// One period worked out over a subtree.
#[derive(Debug)]
pub struct Rolled<'a, A> {
    /// The number of the map of the period's last day.
    epoch: usize,
    /// What the roll-up goes over on the map of the period's last day.
    pub stand: Arc<Stand>,
    /// A cell a unit, in the subtree's order; the root's alone where all others are given or were not looked at.
    cells: Vec<Cell<A>>,
    /// The cells that were given, in the same order.
    given: Vec<Option<&'a Cell<A>>>,
    /// Which tiling each cell that was not given was taken from: its unit's own figures and tiles.
    tilings: Vec<Arc<Vec<Period>>>,
}

impl<A> Rolled<'_, A> {
    /// The cell of a unit; none where it was not looked at.
    pub fn cell(&self, unit: UnitId) -> Option<&Cell<A>> {
        let at = self.stand.position(unit)?;
        let given = self.given.get(at).copied().flatten();
        given.or_else(|| self.cells.get(at))
    }

    /// Which periods a unit's own figures and tiles were taken from; none where its cell was given.
    pub fn tiling(&self, unit: UnitId) -> &[Period] {
        let at = self.stand.position(unit);
        at.and_then(|at| self.tilings.get(at)).map_or(&[], |tiling| tiling.as_slice())
    }
}

/// A roll-up of one flow, or ratio of flows, under one unit.
pub struct Flow<'a, A> {
    registry: &'a Registry,
    indicator: &'a Indicator,
    root: UnitId,
    inputs: &'a Inputs<A>,
    given: Option<Given<'a, A>>,
    rolled: BTreeMap<Period, Rolled<'a, A>>,
}

impl<A> std::fmt::Debug for Flow<'_, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow")
            .field("root", &self.root)
            .field("rolled", &self.rolled.keys())
            .finish_non_exhaustive()
    }
}

impl<'a, A: Amount> Flow<'a, A> {
    /// Everything under `root`.
    pub fn new(
        registry: &'a Registry,
        indicator: &'a Indicator,
        root: UnitId,
        inputs: &'a Inputs<A>,
    ) -> Self {
        Flow { registry, indicator, root, inputs, given: None, rolled: BTreeMap::new() }
    }

    /// Only `root` and the units directly below it, whose cells are given for every period that
    /// [`Self::needs`] names. A period for which the root's own cell is given as well is not worked out again.
    pub fn over(
        registry: &'a Registry,
        indicator: &'a Indicator,
        root: UnitId,
        inputs: &'a Inputs<A>,
        given: Given<'a, A>,
    ) -> Self {
        Flow { given: Some(given), ..Flow::new(registry, indicator, root, inputs) }
    }

    /// The periods that working out a period would go through, itself included.
    pub fn needs(&self, period: Period) -> BTreeSet<Period> {
        let mut out = BTreeSet::new();
        let mut open = vec![period];
        while let Some(next) = open.pop() {
            if out.insert(next) {
                open.extend(self.choices(next).all);
            }
        }
        out
    }

    fn choices(&self, period: Period) -> Choices {
        match period {
            Period::Span(from, to) => self.span_choices(from, to),
            _ => Choices::fixed(period.usable_tilings(self.indicator.frequency)),
        }
    }

    /// All periods worked out so far.
    pub fn rolled(&self) -> &BTreeMap<Period, Rolled<'a, A>> {
        &self.rolled
    }

    /// Works out a period and all that it needs.
    pub fn at(&mut self, period: Period) -> &Rolled<'a, A> {
        self.work_out(period);
        &self.rolled[&period]
    }

    /// The cell of a unit directly below the root in which nothing was reported.
    pub fn nothing(&self, unit: UnitId, period: Period) -> Option<Cell<A>> {
        let stand = self.stand(self.epoch(period));
        let at = stand.position(unit)?;
        let expected = self.expected(period, &stand.cells)[at];
        Some(Cell { expected, ..Cell::default() })
    }

    /// The root's cells of every period worked out, for the unit above it to be rolled up over.
    pub fn give(&self, given: &mut BTreeMap<(UnitId, Period), Cell<A>>) {
        for (period, rolled) in &self.rolled {
            if let Some(cell) = rolled.cell(self.root) {
                given.insert((self.root, *period), cell.clone());
            }
        }
    }

    fn given(&self, unit: UnitId, period: Period) -> Option<&'a Cell<A>> {
        self.given.as_ref().and_then(|given| (given.cell)(unit, period))
    }

    fn work_out(&mut self, period: Period) {
        if self.rolled.contains_key(&period) {
            return;
        }
        let choices = self.choices(period);
        for tile in &choices.all {
            if self.given(self.root, *tile).is_none() {
                self.work_out(*tile);
            }
        }
        let rolled = self.roll(period, &choices);
        self.rolled.insert(period, rolled);
    }

    fn roll(&self, period: Period, choices: &Choices) -> Rolled<'a, A> {
        let epoch = self.epoch(period);
        let stand = self.stand(epoch);
        let of = Rolling {
            choices,
            epoch,
            changes: self.map_changes_inside(period),
            reported: self.inputs.get(&period),
        };
        if let Some(below) = self.given.as_ref().and_then(|given| (given.below)(period))
            && self.given(self.root, period).is_none()
            && let Some(root) = stand.tree.nodes.first().filter(|node| node.unit == self.root)
        {
            let expected = self.expected(period, &stand.cells[..1])[0];
            let (cell, tiling) = self.unit(&of, root, expected, below);
            return Rolled { epoch, cells: vec![cell], given: vec![], tilings: vec![tiling], stand };
        }
        let expected = self.expected(period, &stand.cells);
        let many = stand.tree.nodes.len();
        let given: Vec<Option<&'a Cell<A>>> = match &self.given {
            Some(given) => stand.tree.nodes.iter().map(|node| (given.cell)(node.unit, period)).collect(),
            None => vec![],
        };
        // Most often a cell is given for each unit but the root.
        let only_root = !given.is_empty() && given.iter().skip(1).all(Option::is_some);
        let mut cells: Vec<Cell<A>> = Vec::new();
        cells.resize_with(if only_root { 1 } else { many }, Cell::default);
        let mut tilings = vec![choices.usual(); cells.len()];
        let mut below: Vec<BelowSum<A>> = vec![BelowSum::default(); many];

        for i in (0..many).rev() {
            let node = &stand.tree.nodes[i];
            let above = node.parent as usize;
            if let Some(cell) = given.get(i).copied().flatten() {
                if above != i {
                    below[above].add(cell);
                }
                continue;
            }
            if self.given.is_none() || i == 0 {
                let below = std::mem::take(&mut below[i]);
                (cells[i], tilings[i]) = self.unit(&of, node, expected[i], below);
            } else {
                cells[i].expected = expected[i];
            }
            if above != i {
                below[above].add(&cells[i]);
            }
        }
        Rolled { epoch, stand, cells, given, tilings }
    }

    /// The cell of one unit over what is below it, and the tiling that was taken.
    fn unit(
        &self,
        of: &Rolling<'_, A>,
        node: &Node,
        expected: u64,
        mut below: BelowSum<A>,
    ) -> (Cell<A>, Arc<Vec<Period>>) {
        let (indicator, adds_up) = (self.indicator, self.indicator.aggregable.over_units());
        let by_event = indicator.frequency == Frequency::Event;
        let (tiling, time) = self.best_tiling(node.unit, of.epoch, of.choices, by_event, expected);
        let here = of.reported.and_then(|r| r.get(&node.unit));
        let mut cell = Cell { collects: node.collects, expected, ..Cell::default() };
        cell.own = own(here.map(|r| &r.own), &time.own);
        if node.collects {
            cell.whole = here.map_or(State::Missing, |r| r.own.clone());
            cell.parts = time.parts.clone();
            cell.along = Along::Time;
        } else {
            let mut units = std::mem::take(&mut below.parts);
            cell.whole = here.map_or(State::Missing, |r| r.territory.clone());
            units.state.add(&cell.own);
            if !adds_up {
                units = Parts::default();
            }
            let prefers_time = indicator.precedence == Precedence::DeclaredFirst || of.changes;
            let by_time = time.parts.covers_more(&units).unwrap_or(prefers_time);
            (cell.parts, cell.along) =
                if by_time { (time.parts.clone(), Along::Time) } else { (units, Along::Units) };
        }
        cell.settle(indicator.precedence, false);
        cell.reported = if node.collects {
            match cell.whole {
                State::Value(_) => cell.expected,
                State::NotAvailable if !cell.parts.state.is_there() => cell.expected,
                _ => time.reported,
            }
        } else if adds_up && !of.changes {
            below.reported
        } else {
            match (cell.taken, cell.along) {
                (Taken::Parts, Along::Units) => below.reported,
                (Taken::Parts, Along::Time) => time.reported,
                _ => below.reported.max(time.reported),
            }
        };
        cell.reported = cell.reported.min(cell.covered);
        cell.mark_not_aggregable(indicator, &below);
        (cell, tiling)
    }

    fn epoch(&self, period: Period) -> usize {
        self.registry.epoch(self.indicator.calendar.last_day(period))
    }

    fn stand(&self, epoch: usize) -> Arc<Stand> {
        self.registry.stand(epoch, self.root, self.indicator.collection_level, self.given.is_some())
    }

    /// Cells of units in a period, of which `cells` are those of one collection period on the map of its last day: the first
    /// units of a stand, as many as these are. With those of their past, each once.
    fn expected(&self, period: Period, cells: &[u64]) -> Vec<u64> {
        let indicator = self.indicator;
        let calendar = &indicator.calendar;
        if indicator.frequency == Frequency::Event {
            let (first, last) = calendar.days(period);
            let in_validity = indicator.valid_from <= last && first < indicator.valid_to;
            return if in_validity { cells.to_vec() } else { vec![0; cells.len()] };
        }
        let mut by_map: BTreeMap<usize, u64> = BTreeMap::new();
        for part in period.collection_periods(indicator.frequency) {
            if indicator.in_force(part) {
                *by_map.entry(self.epoch(part)).or_default() += 1;
            }
        }
        let now = self.epoch(period);
        let mut expected = vec![0; cells.len()];
        let mut add = |cells: &[u64], count| {
            expected.iter_mut().zip(cells).for_each(|(all, of_map)| *all += of_map * count);
        };
        for (then, count) in by_map {
            if then == now {
                add(cells, count);
            } else {
                let (level, shallow) = (indicator.collection_level, self.given.is_some());
                add(&self.registry.placed_cells((then, now), self.root, level, shallow), count);
            }
        }
        expected
    }

    /// Whether the collection periods of a period do not all lie on one map.
    fn map_changes_inside(&self, period: Period) -> bool {
        let frequency = match self.indicator.frequency {
            Frequency::Event => Frequency::Month,
            other => other,
        };
        let first = period.collection_periods(frequency).first().copied();
        first.is_some_and(|first| self.epoch(first) != self.epoch(period))
    }

    /// What is known of a unit of a map for a tile, which may lie before that map.
    fn tile(&self, unit: UnitId, epoch: usize, tile: Period) -> Option<Cow<'_, Cell<A>>> {
        let rolled = self.rolled.get(&tile);
        let known = |unit| match rolled {
            Some(rolled) => rolled.cell(unit).map(Cow::Borrowed),
            None => self.given(unit, tile).map(Cow::Borrowed),
        };
        let maps = (rolled.map_or_else(|| self.epoch(tile), |rolled| rolled.epoch), epoch);
        composed(self.registry, self.indicator, Reading::WithPast, maps, unit, &known)
    }

    /// The tilings of a span: its years, or for a unit with figures for shorter spans, of its own or of its past,
    /// these in their place.
    fn span_choices(&self, from: i16, to: i16) -> Choices {
        let calendar = &self.indicator.calendar;
        let last = self.epoch(Period::Span(from, to));
        let mut reported: HashMap<UnitId, BTreeSet<(i16, i16)>> = HashMap::new();
        for (period, units) in self.inputs {
            let Period::Span(a, b) = *period else { continue };
            if a < from || to < b || (a, b) == (from, to) {
                continue;
            }
            for (unit, _) in units.iter().filter(|(_, r)| r.own.has_value() || r.territory.has_value()) {
                let mut goes_on = BTreeSet::from([*unit]);
                let then = self.registry.epoch(calendar.last_day(*period));
                for epoch in then + 1..=last {
                    let step = |unit: &UnitId| self.registry.goes_on_as(epoch, *unit, Reading::WithPast);
                    goes_on = goes_on.iter().flat_map(step).collect();
                }
                for unit in goes_on {
                    reported.entry(unit).or_default().insert((a, b));
                }
            }
        }
        Choices::span(from, to, reported)
    }

    fn best_tiling(
        &self,
        unit: UnitId,
        epoch: usize,
        choices: &Choices,
        by_event: bool,
        expected: u64,
    ) -> (Arc<Vec<Period>>, OverTime<A>) {
        let mut best: Option<(&Arc<Vec<Period>>, OverTime<A>)> = None;
        for tiling in choices.of(unit) {
            let time = self.over_time(unit, epoch, tiling, by_event, expected);
            let better = best.as_ref().is_none_or(|(_, b)| {
                (time.sum_covered, time.parts.state.is_there()) > (b.sum_covered, b.parts.state.is_there())
            });
            if better {
                best = Some((tiling, time));
            }
        }
        match best {
            Some((tiling, time)) => (Arc::clone(tiling), time),
            None => (choices.usual(), OverTime::default()),
        }
    }

    fn over_time(
        &self,
        unit: UnitId,
        epoch: usize,
        tiling: &[Period],
        by_event: bool,
        expected: u64,
    ) -> OverTime<A> {
        let mut time = OverTime::default();
        let mut fullest: Option<(u64, std::cmp::Reverse<u64>)> = None;
        let mut most_reported = 0;
        for cell in tiling.iter().filter_map(|tile| self.tile(unit, epoch, *tile)) {
            time.own.add(&cell.own);
            if cell.headline.is_there() {
                time.parts.add_headline(&cell);
                time.reported += cell.reported;
                most_reported = most_reported.max(cell.reported);
                fullest = fullest.max(Some((cell.covered, std::cmp::Reverse(cell.unavailable))));
            }
        }
        time.sum_covered = time.parts.covered;
        if by_event {
            let (covered, unavailable) = fullest.map_or((0, 0), |(c, u)| (c, u.0));
            time.parts.covered = covered.min(expected);
            time.parts.unavailable = unavailable.min(time.parts.covered);
            time.reported = most_reported.min(time.parts.covered);
        }
        time
    }
}

/// What all units of a period are rolled up by.
struct Rolling<'r, A> {
    choices: &'r Choices,
    /// The number of the map of its last day.
    epoch: usize,
    /// Whether its collection periods do not all lie on that map.
    changes: bool,
    /// What was reported for exactly it.
    reported: Option<&'r HashMap<UnitId, Reported<A>>>,
}

/// The unit itself over the tiles of a period.
#[derive(Debug)]
struct OverTime<A> {
    own: State<A>,
    parts: Parts<A>,
    reported: u64,
    /// What the tiles cover, added up; for what is collected by event more than the parts then cover.
    sum_covered: u64,
}

impl<A: Amount> Default for OverTime<A> {
    fn default() -> Self {
        OverTime { own: State::Missing, parts: Parts::default(), reported: 0, sum_covered: 0 }
    }
}

/// A unit's own activity: what it reported for exactly the period, else what its tiles come to. A figure
/// without a value does not stand where the tiles have one.
fn own<A: Amount>(exact: Option<&State<A>>, tiles: &State<A>) -> State<A> {
    match exact {
        Some(value @ State::Value(_)) => value.clone(),
        Some(State::NotAvailable) if !tiles.has_value() => State::NotAvailable,
        _ => tiles.clone(),
    }
}
