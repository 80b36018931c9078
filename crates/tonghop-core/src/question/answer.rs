//! From a plan and current figures to totals.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::inputs::{self, Pairing};
use super::plan::{Asked, Plan, Side, plan};
use super::{Basis, Question, Reason, Refusal, Total};
use crate::figure::Figures;
use crate::indicator::{Indicator, Kind};
use crate::lineage::Reading;
use crate::period::Period;
use crate::quantity::{Amount, Pair, Sum};
use crate::registry::Registry;
use crate::rollup::flow::{Flow, Given, Inputs, Rolled};
use crate::rollup::stock::{self, Held};
use crate::rollup::{Along, Cell, State, Taken, composed, join_dates};
use crate::unit::{NATION, UnitId};

/// Answers one question from current figures.
///
/// # Errors
/// Why the question has no answer; that nothing was reported is an answer.
pub fn answer(registry: &Registry, figures: &Figures, question: &Question) -> Result<Total, Refusal> {
    let plan = plan(registry, question)?;
    Prepared::new(registry, &plan, figures).total(question.unit)
}

/// A plan with the figures it reads laid out for the roll-up: answers for any number of units.
#[derive(Debug)]
pub struct Prepared<'a> {
    pub(super) registry: &'a Registry,
    pub(super) plan: &'a Plan,
    sides: Vec<SideInputs<'a>>,
}

#[derive(Debug)]
pub(super) struct SideInputs<'a> {
    pub(super) side: &'a Side,
    pub(super) figures: &'a Figures,
    laid_out: LaidOut<'a>,
}

#[derive(Debug)]
pub(super) enum LaidOut<'a> {
    Flow(Inputs<Sum>),
    Stock(Held<'a, Sum>),
    FlowPairs(Inputs<Pair>),
    StockPairs(Held<'a, Pair>),
}

impl<'a> Prepared<'a> {
    /// Lays out what the plan reads.
    pub fn new(registry: &'a Registry, plan: &'a Plan, figures: &'a Figures) -> Prepared<'a> {
        let sides = plan
            .sides
            .iter()
            .map(|side| SideInputs { side, figures, laid_out: lay_out(registry, plan, side, figures) })
            .collect();
        Prepared { registry, plan, sides }
    }

    /// The total of a unit.
    ///
    /// # Errors
    /// Where the unit has none by its nature.
    pub fn total(&self, unit: UnitId) -> Result<Total, Refusal> {
        self.plan.admits(self.registry, unit)?;
        let totals: Vec<Total> = self.sides.iter().map(|side| self.side_total(side, unit)).collect();
        Ok(match <[Total; 1]>::try_from(totals) {
            Ok([only]) => only,
            Err(sides) => sum_of_sides(&sides),
        })
    }

    /// The cell of a unit in a series of sums, for each side. Empty for ratios.
    pub fn cells(&self, unit: UnitId) -> Vec<Cell<Sum>> {
        self.sides
            .iter()
            .filter_map(|side| match &side.laid_out {
                LaidOut::Flow(inputs) => Some(self.told(unit, &|u| self.flow(inputs, u))),
                LaidOut::Stock(held) => Some(self.told(unit, &|u| self.stock(held, u))),
                LaidOut::FlowPairs(_) | LaidOut::StockPairs(_) => None,
            })
            .collect()
    }

    fn side_total(&self, side: &SideInputs<'_>, unit: UnitId) -> Total {
        let stock = self.plan.indicator.is_stock();
        match &side.laid_out {
            LaidOut::Flow(inputs) => total_of_sum(self.told(unit, &|u| self.flow(inputs, u)), stock),
            LaidOut::Stock(held) => total_of_sum(self.told(unit, &|u| self.stock(held, u)), stock),
            LaidOut::FlowPairs(inputs) => self.ratio(side, unit, self.told(unit, &|u| self.flow(inputs, u))),
            LaidOut::StockPairs(held) => self.ratio(side, unit, self.told(unit, &|u| self.stock(held, u))),
        }
    }

    /// The cell of a unit as it is asked for: its own, or restated from those of the units that it goes back to.
    fn told<A: Amount>(&self, unit: UnitId, of: &dyn Fn(UnitId) -> Cell<A>) -> Cell<A> {
        let (registry, plan) = (self.registry, self.plan);
        let maps = (plan.epoch(registry), plan.told_on(registry));
        let known = |unit| Some(Cow::Owned(of(unit)));
        let cell = composed(registry, &plan.indicator, Reading::Restated, maps, unit, &known);
        cell.map(Cow::into_owned).unwrap_or_default()
    }

    /// What the total of a unit of the period's own map is taken from, and along what, for each side; of ratios too.
    pub fn ways(&self, unit: UnitId) -> Vec<(Taken, Along)> {
        let way = |side: &SideInputs<'_>| match &side.laid_out {
            LaidOut::Flow(inputs) => self.flow(inputs, unit).way(),
            LaidOut::Stock(held) => self.stock(held, unit).way(),
            LaidOut::FlowPairs(inputs) => self.flow(inputs, unit).way(),
            LaidOut::StockPairs(held) => self.stock(held, unit).way(),
        };
        self.sides.iter().map(way).collect()
    }

    /// The periods that the total of a unit of the period's own map would be taken from along time, for the first
    /// side; none where its plan has no shorter periods, as that of a stock.
    pub fn tiles(&self, unit: UnitId) -> Vec<Period> {
        match self.sides.first().map(|side| &side.laid_out) {
            Some(LaidOut::Flow(inputs)) => self.rolled(inputs, unit, |rolled| tiles_of(rolled, unit)),
            Some(LaidOut::FlowPairs(inputs)) => self.rolled(inputs, unit, |rolled| tiles_of(rolled, unit)),
            Some(LaidOut::Stock(_) | LaidOut::StockPairs(_)) | None => vec![],
        }
    }

    fn flow<A: Amount>(&self, inputs: &Inputs<A>, unit: UnitId) -> Cell<A> {
        self.rolled(inputs, unit, |rolled| rolled.cell(unit).cloned().unwrap_or_default())
    }

    /// Rolls up a flow, and looks at it. The nation is put together from its parts one by one, so that no more than
    /// one of them is held in memory at a time.
    fn rolled<A: Amount, T>(
        &self,
        inputs: &Inputs<A>,
        unit: UnitId,
        look: impl FnOnce(&Rolled<'_, A>) -> T,
    ) -> T {
        let (registry, indicator) = (self.registry, self.plan.indicator.as_ref());
        let mut given = BTreeMap::new();
        if is_divided(registry, indicator, unit) {
            let needs = Flow::new(registry, indicator, unit, inputs).needs(self.plan.period);
            // A part in which nothing was reported has nothing to give.
            for child in self.parts_with_figures(unit, inputs.values().flat_map(HashMap::keys)) {
                let mut flow = Flow::new(registry, indicator, child, inputs);
                for period in &needs {
                    flow.at(*period);
                }
                flow.give(&mut given);
            }
        }
        let cell = |unit: UnitId, period: Period| given.get(&(unit, period));
        let given = Given { cell: &cell, below: &|_| None };
        let mut flow = if is_divided(registry, indicator, unit) {
            Flow::over(registry, indicator, unit, inputs, given)
        } else {
            Flow::new(registry, indicator, unit, inputs)
        };
        look(flow.at(self.plan.period))
    }

    fn stock<A: Amount>(&self, held: &Held<'_, A>, unit: UnitId) -> Cell<A> {
        let (registry, indicator, period) = (self.registry, self.plan.indicator.as_ref(), self.plan.period);
        let mut given = BTreeMap::new();
        if is_divided(registry, indicator, unit) {
            let with_figures = stock::units_with_figures(registry, indicator, period, held);
            for child in self.parts_with_figures(unit, with_figures.iter()) {
                let rolled = stock::roll(registry, indicator, child, period, held, None);
                given.extend(rolled.cell(child).map(|cell| (child, cell.clone())));
            }
            let rolled = stock::roll(registry, indicator, unit, period, held, Some(&given));
            return rolled.cell(unit).cloned().unwrap_or_default();
        }
        let rolled = stock::roll(registry, indicator, unit, period, held, None);
        rolled.cell(unit).cloned().unwrap_or_default()
    }

    /// The units directly below the nation, on any map of the period, that read any of the units with figures.
    fn parts_with_figures<'u>(
        &self,
        nation: UnitId,
        with_figures: impl Iterator<Item = &'u UnitId>,
    ) -> BTreeSet<UnitId> {
        let registry = self.registry;
        let keeps = |at: &UnitId| {
            std::iter::successors(Some(*at), |unit| registry.unit(*unit).parent)
                .take_while(|u| *u != nation)
                .last()
        };
        let with_figures: HashSet<UnitId> =
            with_figures.collect::<HashSet<_>>().into_iter().filter_map(keeps).collect();
        let (first, last) = self.plan.reading_days();
        let maps = (registry.epoch(first), registry.epoch(last));
        let parts =
            (maps.0..=maps.1).flat_map(|epoch| registry.maps()[epoch].children(nation).iter().copied());
        let reads = |part: &UnitId| {
            with_figures.contains(part) || !registry.keepers_of(*part, maps).is_disjoint(&with_figures)
        };
        parts.collect::<BTreeSet<_>>().into_iter().filter(reads).collect()
    }
}

fn lay_out<'a>(registry: &'a Registry, plan: &'a Plan, side: &'a Side, figures: &'a Figures) -> LaidOut<'a> {
    match &plan.indicator.kind {
        Kind::Ratio(ratio) => lay_out_pairs(registry, plan, side, figures, ratio.numerator_is_part, None),
        Kind::Stock => {
            LaidOut::Stock(Held::new(move |days| inputs::of_stock(registry, &side.own, figures, days)))
        }
        Kind::Flow => LaidOut::Flow(inputs::of_flow(&side.own, figures)),
    }
}

/// Pairs of a ratio; with `is_part`, without those whose part is larger than the whole; with `at`, of these units alone.
pub(super) fn lay_out_pairs<'a>(
    registry: &'a Registry,
    plan: &'a Plan,
    side: &'a Side,
    figures: &'a Figures,
    is_part: bool,
    at: Option<&'a HashSet<UnitId>>,
) -> LaidOut<'a> {
    let decimals = side.numerator.iter().chain(&side.denominator).map(|a| a.indicator.decimals);
    let most = decimals.max().unwrap_or(0);
    let scale =
        |all: &[Asked]| all.iter().map(|a| 10i128.pow(u32::from(most - a.indicator.decimals))).collect();
    let pairing =
        Pairing { numerator: scale(&side.numerator), denominator: scale(&side.denominator), is_part };
    if plan.indicator.is_stock() {
        LaidOut::StockPairs(Held::new(move |days| {
            let stocks = |all: &[Asked]| {
                all.iter().map(|a| inputs::of_stock_at(registry, a, figures, days, at)).collect::<Vec<_>>()
            };
            pairing.of_stocks(&stocks(&side.numerator), &stocks(&side.denominator))
        }))
    } else {
        let flows = |all: &[Asked]| all.iter().map(|a| inputs::of_flow(a, figures)).collect::<Vec<_>>();
        LaidOut::FlowPairs(pairing.of_flows(&flows(&side.numerator), &flows(&side.denominator)))
    }
}

fn tiles_of<A>(rolled: &Rolled<'_, A>, unit: UnitId) -> Vec<Period> {
    rolled.tiling(unit).to_vec()
}

/// Whether a unit is the nation with something below it that is rolled up by itself.
fn is_divided(registry: &Registry, indicator: &Indicator, unit: UnitId) -> bool {
    registry.unit(unit).level == NATION && indicator.collection_level > NATION
}

pub(super) fn basis<A: Amount>(cell: &Cell<A>) -> Option<Basis> {
    match cell.taken {
        _ if !cell.headline.has_value() => None,
        Taken::Nowhere => None,
        Taken::Whole => Some(if cell.collects { Basis::Reported } else { Basis::Declared }),
        Taken::Parts => Some(if cell.covered == cell.expected && cell.unavailable == 0 {
            Basis::Computed
        } else {
            Basis::Partial
        }),
    }
}

/// The total that a cell of a plain series is.
pub fn total_of_sum(cell: Cell<Sum>, stock: bool) -> Total {
    let (whole, parts) = (cell.whole.value().copied(), cell.parts.state.value().copied());
    Total {
        value: cell.headline.value().copied(),
        reason: match cell.headline {
            State::Value(_) => None,
            State::NotAvailable => Some(Reason::NotAvailable),
            State::Missing if cell.not_aggregable => Some(Reason::NotAggregable),
            State::Missing => Some(Reason::Missing),
        },
        basis: basis(&cell),
        parts,
        whole,
        difference: whole.zip(parts).map(|(w, p)| w.value - p.value),
        pair: None,
        reported: cell.reported,
        covered: cell.covered,
        expected: cell.expected,
        unavailable: cell.unavailable,
        dates: if stock { cell.dates } else { None },
        estimated: cell.estimated,
        carried: cell.carried,
    }
}

fn add(all: impl Iterator<Item = Sum>) -> Option<Sum> {
    all.reduce(|mut a, b| {
        a.add(&b);
        a
    })
}

/// The total over sides whose reports are disjoint, cells counted per side.
pub fn sum_of_sides(sides: &[Total]) -> Total {
    let count = |of: fn(&Total) -> u64| sides.iter().map(of).sum::<u64>();
    let every = |of: fn(&Total) -> Option<Sum>| sides.iter().all(|t| of(t).is_some());
    let value = add(sides.iter().filter_map(|t| t.value));
    let has = |reason| sides.iter().any(|t| t.reason == Some(reason));
    let whole = if every(|t| t.whole) { add(sides.iter().filter_map(|t| t.whole)) } else { None };
    let parts = add(sides.iter().filter_map(|t| t.parts));
    let (covered, expected, unavailable) =
        (count(|t| t.covered), count(|t| t.expected), count(|t| t.unavailable));
    let mut bases = sides.iter().filter_map(|t| t.basis);
    let basis = bases.next().map(|first| {
        if covered < expected || unavailable > 0 {
            Basis::Partial
        } else if bases.all(|b| b == first) {
            first
        } else {
            Basis::Computed
        }
    });
    Total {
        value,
        reason: match value {
            Some(_) => None,
            None if has(Reason::NotAggregable) => Some(Reason::NotAggregable),
            None if has(Reason::NotAvailable) => Some(Reason::NotAvailable),
            None => Some(Reason::Missing),
        },
        basis,
        parts,
        whole,
        difference: match (whole, parts) {
            (Some(w), Some(p)) if every(|t| t.parts) => Some(w.value - p.value),
            _ => None,
        },
        pair: None,
        reported: count(|t| t.reported),
        covered,
        expected,
        unavailable,
        dates: sides.iter().map(|t| t.dates).fold(None, join_dates),
        estimated: sides.iter().any(|t| t.estimated),
        carried: sides.iter().any(|t| t.carried),
    }
}
