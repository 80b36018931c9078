//! Ratios: from the pairs that were rolled up, and from what was given as a bare number.

use std::collections::HashSet;

use super::answer::{LaidOut, Prepared, SideInputs, basis, lay_out_pairs};
use super::inputs;
use super::plan::{Asked, Plan};
use super::{Basis, Reason, Total};
use crate::decimal::divide_rounded;
use crate::figure::{Figures, Scope, Stated};
use crate::indicator::{Indicator, Kind, Precedence};
use crate::period::Period;
use crate::quantity::{Pair, Qualifier, Sum};
use crate::registry::Registry;
use crate::rollup::{Cell, State};
use crate::unit::UnitId;

impl Prepared<'_> {
    /// The total of a ratio from its pairs and from what was given of it as a bare number.
    pub(super) fn ratio(&self, side: &SideInputs<'_>, unit: UnitId, cell: Cell<Pair>) -> Total {
        let indicator = &*self.plan.indicator;
        // Restated, a bare number still says what it says of a unit that has only another number now.
        let bare = match self.plan.renumbered(self.registry, unit) {
            Some(unit) => self.bare(side, unit, cell.collects),
            None => State::Missing,
        };
        let of = |pair: Option<&Pair>| pair.and_then(|p| ratio_value(indicator, p));
        let computed = of(cell.headline.value());
        let bare_counts =
            bare.has_value() && (cell.collects || indicator.precedence != Precedence::ComputedOnly);
        let takes_bare = bare_counts
            && (indicator.precedence == Precedence::DeclaredFirst
                || computed.is_none()
                || cell.covered != cell.expected);
        let whole = bare.value().copied().or(of(cell.whole.value()));
        let parts = of(cell.parts.state.value());
        let mut total = Total {
            parts,
            whole,
            difference: whole.zip(parts).map(|(w, p)| w.value - p.value),
            reported: cell.reported,
            covered: cell.covered,
            expected: cell.expected,
            unavailable: cell.unavailable,
            ..Total::default()
        };
        if takes_bare {
            total.value = bare.value().copied();
            total.basis = Some(if cell.collects { Basis::Reported } else { Basis::Declared });
            total.covered = total.expected;
            total.unavailable = 0;
            total.dates = indicator.is_stock().then_some((self.plan.days.1, self.plan.days.1));
        } else if let Some(value) = computed {
            total.value = Some(value);
            total.pair = cell.headline.value().copied();
            total.basis = basis(&cell);
            total.dates = cell.dates;
            (total.estimated, total.carried) = (cell.estimated, cell.carried);
        } else {
            total.pair = cell.headline.value().copied();
            total.reason = Some(if total.pair.is_some() {
                Reason::Undefined
            } else if cell.headline.is_there() || bare == State::NotAvailable {
                Reason::NotAvailable
            } else if cell.not_aggregable || self.bare_below(side, unit) {
                Reason::NotAggregable
            } else {
                Reason::Missing
            });
        }
        total
    }

    /// What was given of a ratio as a bare number for exactly the unit and period.
    fn bare(&self, side: &SideInputs<'_>, unit: UnitId, collects: bool) -> State<Sum> {
        let scope = if collects { Scope::Own } else { Scope::Territory };
        let mut out = State::Missing;
        for (row_unit, row_scope, period, stated) in bare_rows(side) {
            if (row_unit, row_scope, period) == (unit, scope, self.plan.period) {
                out.add(&match stated {
                    Stated::Value(value, qualifier) => State::Value(Sum::of(value, qualifier)),
                    Stated::NotAvailable => State::NotAvailable,
                });
            }
        }
        out
    }

    /// Whether bare numbers were given at or below the unit within the period.
    fn bare_below(&self, side: &SideInputs<'_>, unit: UnitId) -> bool {
        let made_of = self.plan.made_of(self.registry, unit);
        bare_rows(side).any(|(row_unit, _, period, stated)| {
            let day = side.side.own.indicator.calendar.last_day(period);
            matches!(stated, Stated::Value(..))
                && inputs::within(&side.side.own, period, self.plan.days)
                && self.registry.map_on(day).ancestry(row_unit).any(|u| made_of.contains(&u))
        })
    }
}

/// A unit of whose ratio the part is larger than the whole, so that its pair is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// The unit.
    pub unit: UnitId,
    /// The scope of both sides.
    pub scope: Scope,
    /// Part and whole.
    pub pair: Pair,
}

/// Where a ratio of a part has a part larger than its whole at exactly the plan's period, at these units, whose figures are
/// given.
pub fn excesses(registry: &Registry, plan: &Plan, figures: &Figures, at: &HashSet<UnitId>) -> Vec<Excess> {
    let Kind::Ratio(ratio) = &plan.indicator.kind else { return vec![] };
    if !ratio.numerator_is_part {
        return vec![];
    }
    let mut out = Vec::new();
    for side in &plan.sides {
        let both: Vec<(UnitId, Scope, State<Pair>)> =
            match lay_out_pairs(registry, plan, side, figures, false, Some(at)) {
                LaidOut::FlowPairs(mut inputs) => inputs
                    .remove(&plan.period)
                    .into_iter()
                    .flatten()
                    .flat_map(|(u, r)| [(u, Scope::Own, r.own), (u, Scope::Territory, r.territory)])
                    .collect(),
                LaidOut::StockPairs(held) => held
                    .within(plan.days)
                    .iter()
                    .flat_map(|(u, s)| {
                        let (own, territory) = (s.own.state.clone(), s.territory.state.clone());
                        [(*u, Scope::Own, own), (*u, Scope::Territory, territory)]
                    })
                    .collect(),
                LaidOut::Flow(_) | LaidOut::Stock(_) => vec![],
            };
        for (unit, scope, state) in both {
            if let State::Value(pair) = state
                && pair.numerator.value > pair.denominator.value
            {
                out.push(Excess { unit, scope, pair });
            }
        }
    }
    out.sort_by_key(|e| (e.unit, e.scope));
    out
}

/// Figures of the ratio itself, as `(unit, scope, period, what it says)`.
fn bare_rows<'a>(side: &'a SideInputs<'_>) -> impl Iterator<Item = (UnitId, Scope, Period, Stated)> + 'a {
    let asked: &Asked = &side.side.own;
    let series = side.figures.series.get(&asked.series);
    series.into_iter().flat_map(move |series| {
        series.periods.iter().flat_map(move |(period, rows)| {
            rows.iter()
                .filter(move |row| {
                    let leaf = &series.leaves[row.leaf as usize];
                    asked.members.within(&leaf.members)
                        && asked.reporter.as_ref().is_none_or(|r| leaf.reporter.as_ref() == Some(r))
                })
                .map(move |row| (row.unit, row.scope, *period, row.stated))
        })
    })
}

/// The value of a ratio, in units of its last decimal, rounded half away from zero.
fn ratio_value(indicator: &Indicator, pair: &Pair) -> Option<Sum> {
    let shift = u32::from(indicator.decimals) + if indicator.is_percent() { 2 } else { 0 };
    let value = divide_rounded(pair.numerator.value, pair.denominator.value, shift)?;
    let exact =
        pair.numerator.qualifier == Qualifier::Exact && pair.denominator.qualifier == Qualifier::Exact;
    Some(Sum {
        value,
        exact: if exact { value } else { 0 },
        qualifier: if exact { Qualifier::Exact } else { Qualifier::About },
    })
}
