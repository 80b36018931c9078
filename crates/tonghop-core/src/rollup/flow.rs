//! Rolling up what adds over time.
//!
//! Every period is worked out once as an array over a subtree, from the figures reported at exactly that
//! period and from the arrays of its tiles. The walk is from leaves to root, so the cost is linear in units
//! times periods.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::spans;
use super::{Along, BelowSum, Cell, Parts, Stand, State, Taken, composed};
use crate::indicator::{Indicator, Precedence};
use crate::lineage::Reading;
use crate::period::{Frequency, Period};
use crate::quantity::Amount;
use crate::registry::Registry;
use crate::unit::UnitId;

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

/// Finds cells of units rolled up before: the provinces, for the nation.
pub type Given<'a, A> = dyn Fn(UnitId, Period) -> Option<&'a Cell<A>> + 'a;

/// One period worked out over a subtree.
#[derive(Debug)]
pub struct Rolled<'a, A> {
    /// The number of the map of the period's last day.
    epoch: usize,
    /// What the roll-up goes over on the map of the period's last day.
    pub stand: Arc<Stand>,
    /// A cell a unit, in the subtree's order; the root's alone where all others are given.
    cells: Vec<Cell<A>>,
    /// The cells that were given, in the same order.
    given: Vec<Option<&'a Cell<A>>>,
    /// Which tiling each cell that was not given was taken from: its unit's own figures and tiles.
    tilings: Vec<Arc<Vec<Period>>>,
}

impl<A> Rolled<'_, A> {
    /// The cell of a unit.
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
    given: Option<&'a Given<'a, A>>,
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
        given: &'a Given<'a, A>,
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

    /// The root's cells of every period worked out, for the unit above it to be rolled up over.
    pub fn give(&self, given: &mut BTreeMap<(UnitId, Period), Cell<A>>) {
        for (period, rolled) in &self.rolled {
            if let Some(cell) = rolled.cell(self.root) {
                given.insert((self.root, *period), cell.clone());
            }
        }
    }

    fn given(&self, unit: UnitId, period: Period) -> Option<&'a Cell<A>> {
        self.given.and_then(|given| given(unit, period))
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
        let indicator = self.indicator;
        let epoch = self.epoch(period);
        let stand = self.stand(epoch);
        let by_event = indicator.frequency == Frequency::Event;
        let changes = self.map_changes_inside(period);
        let expected = self.expected(period, &stand);
        let reported_here = self.inputs.get(&period);
        let adds_up = indicator.aggregable.over_units();

        let many = stand.tree.nodes.len();
        let given: Vec<Option<&'a Cell<A>>> = match self.given {
            Some(given) => stand.tree.nodes.iter().map(|node| given(node.unit, period)).collect(),
            None => vec![],
        };
        // Most often a cell is given for each unit but the root.
        let only_root = !given.is_empty() && given.iter().skip(1).all(Option::is_some);
        let mut cells: Vec<Cell<A>> = Vec::new();
        cells.resize_with(if only_root { 1 } else { many }, Cell::default);
        let mut tilings = vec![choices.usual(); cells.len()];
        let mut below: Vec<BelowSum<A>> = vec![BelowSum::default(); many];

        for i in (0..many).rev() {
            let node = stand.tree.nodes[i];
            let above = node.parent as usize;
            if let Some(cell) = given.get(i).copied().flatten() {
                if above != i {
                    below[above].add(cell);
                }
                continue;
            }
            if self.given.is_none() || i == 0 {
                let (tiling, time) = self.best_tiling(node.unit, epoch, choices, by_event, expected[i]);
                let here = reported_here.and_then(|r| r.get(&node.unit));
                let cell = &mut cells[i];
                cell.collects = node.collects;
                cell.expected = expected[i];
                cell.own = own(here.map(|r| &r.own), &time.own);
                let mut units = std::mem::take(&mut below[i].parts);
                if node.collects {
                    cell.whole = here.map_or(State::Missing, |r| r.own.clone());
                    cell.parts = time.parts.clone();
                    cell.along = Along::Time;
                } else {
                    cell.whole = here.map_or(State::Missing, |r| r.territory.clone());
                    units.state.add(&cell.own);
                    if !adds_up {
                        units = Parts::default();
                    }
                    let prefers_time = indicator.precedence == Precedence::DeclaredFirst || changes;
                    let by_time = time.parts.covers_more(&units).unwrap_or(prefers_time);
                    (cell.parts, cell.along) =
                        if by_time { (time.parts.clone(), Along::Time) } else { (units, Along::Units) };
                }
                cell.settle(indicator.precedence, false);
                let below = &below[i];
                cell.reported = if node.collects {
                    match cell.whole {
                        State::Value(_) => cell.expected,
                        State::NotAvailable if !cell.parts.state.is_there() => cell.expected,
                        _ => time.reported,
                    }
                } else if adds_up && !changes {
                    below.reported
                } else {
                    match (cell.taken, cell.along) {
                        (Taken::Parts, Along::Units) => below.reported,
                        (Taken::Parts, Along::Time) => time.reported,
                        _ => below.reported.max(time.reported),
                    }
                };
                cell.reported = cell.reported.min(cell.covered);
                cell.mark_not_aggregable(indicator, below);
                tilings[i] = tiling;
            } else {
                cells[i].expected = expected[i];
            }
            if above != i {
                below[above].add(&cells[i]);
            }
        }
        Rolled { epoch, stand, cells, given, tilings }
    }

    fn epoch(&self, period: Period) -> usize {
        self.registry.epoch(self.indicator.calendar.last_day(period))
    }

    fn stand(&self, epoch: usize) -> Arc<Stand> {
        self.registry.stand(epoch, self.root, self.indicator.collection_level, self.given.is_some())
    }

    /// Cells of each unit of a stand in a period: with those of its past, each once.
    fn expected(&self, period: Period, stand: &Stand) -> Vec<u64> {
        let indicator = self.indicator;
        let calendar = &indicator.calendar;
        if indicator.frequency == Frequency::Event {
            let (first, last) = calendar.days(period);
            let in_validity = indicator.valid_from <= last && first < indicator.valid_to;
            return if in_validity { stand.cells.clone() } else { vec![0; stand.cells.len()] };
        }
        let mut by_map: BTreeMap<usize, u64> = BTreeMap::new();
        for part in period.collection_periods(indicator.frequency) {
            if indicator.in_force(part) {
                *by_map.entry(self.epoch(part)).or_default() += 1;
            }
        }
        let now = self.epoch(period);
        let mut expected = vec![0; stand.cells.len()];
        for (then, count) in by_map {
            let cells = if then == now {
                &stand.cells
            } else {
                let (level, shallow) = (indicator.collection_level, self.given.is_some());
                &*self.registry.placed_cells((then, now), self.root, level, shallow)
            };
            expected.iter_mut().zip(cells).for_each(|(all, of_map)| *all += of_map * count);
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

/// The tilings that units may choose from.
struct Choices {
    fixed: Vec<Arc<Vec<Period>>>,
    by_unit: HashMap<UnitId, Arc<Vec<Period>>>,
    all: BTreeSet<Period>,
}

impl Choices {
    fn fixed(tilings: Vec<Vec<Period>>) -> Choices {
        Choices {
            all: tilings.iter().flatten().copied().collect(),
            fixed: tilings.into_iter().map(Arc::new).collect(),
            by_unit: HashMap::new(),
        }
    }

    fn span(from: i16, to: i16, reported: HashMap<UnitId, BTreeSet<(i16, i16)>>) -> Choices {
        let mut choices = Choices::fixed(vec![(from..=to).map(Period::Year).collect()]);
        for (unit, spans) in reported {
            let spans: Vec<_> = spans.into_iter().collect();
            let tiles = spans::tiles(from, to, &spans);
            choices.all.extend(&tiles);
            choices.by_unit.insert(unit, Arc::new(tiles));
        }
        choices
    }

    fn usual(&self) -> Arc<Vec<Period>> {
        self.fixed.first().map_or_else(|| Arc::new(vec![]), Arc::clone)
    }

    fn of(&self, unit: UnitId) -> &[Arc<Vec<Period>>] {
        match self.by_unit.get(&unit) {
            Some(tiles) => std::slice::from_ref(tiles),
            None => &self.fixed,
        }
    }
}
