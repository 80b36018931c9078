//! From current figures to what a roll-up starts from.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::plan::Asked;
use crate::figure::{Figures, Scope, SeriesFigures, Stated};
use crate::period::Period;
use crate::quantity::{Pair, Sum};
use crate::registry::Registry;
use crate::rollup::State;
use crate::rollup::flow::{Inputs, Reported};
use crate::rollup::stock::{Latest, Standing, Stood};
use crate::unit::UnitId;

/// Whether each leaf of a series is asked for.
fn chosen(asked: &Asked, series: &SeriesFigures) -> Vec<bool> {
    series
        .leaves
        .iter()
        .map(|leaf| {
            asked.members.within(&leaf.members)
                && asked.reporter.as_ref().is_none_or(|r| leaf.reporter.as_ref() == Some(r))
        })
        .collect()
}

/// Flow figures, summed over the leaves that are asked for.
pub fn of_flow(asked: &Asked, figures: &Figures) -> Inputs<Sum> {
    let mut inputs = Inputs::new();
    let Some(series) = figures.series.get(&asked.series) else { return inputs };
    let chosen = chosen(asked, series);
    for (period, rows) in &series.periods {
        let mut units: HashMap<UnitId, Reported<Sum>> = HashMap::new();
        for row in rows.iter().filter(|r| chosen[r.leaf as usize]) {
            let here = units.entry(row.unit).or_default();
            match row.scope {
                Scope::Own => here.own.add(&row.stated.into()),
                Scope::Territory => here.territory.add(&row.stated.into()),
            }
        }
        if !units.is_empty() {
            inputs.insert(*period, units);
        }
    }
    inputs
}

/// Stock figures: of every member the latest whose last day is within the days, summed over members.
pub fn of_stock(registry: &Registry, asked: &Asked, figures: &Figures, days: (Date, Date)) -> Standing<Sum> {
    of_stock_at(registry, asked, figures, days, None)
}

/// The same, where `at` is given of these units alone; the figures have to be theirs already.
pub(super) fn of_stock_at(
    registry: &Registry,
    asked: &Asked,
    figures: &Figures,
    days: (Date, Date),
    at: Option<&HashSet<UnitId>>,
) -> Standing<Sum> {
    if asked.indicator.from_map {
        return of_map(registry, asked, days.1, at);
    }
    let Some(series) = figures.series.get(&asked.series) else { return HashMap::new() };
    let chosen = chosen(asked, series);
    // Leaves that differ by reporter alone are one member, whose later figure stands.
    let member: Vec<usize> = series
        .leaves
        .iter()
        .map(|leaf| series.leaves.iter().position(|l| l.members == leaf.members).unwrap_or_default())
        .collect();
    type Rank = (bool, Date, std::cmp::Reverse<i32>);
    let mut latest: HashMap<(UnitId, Scope, usize), (Rank, Stated)> = HashMap::new();
    for (period, rows) in &series.periods {
        let day = asked.indicator.calendar.last_day(*period);
        if day < days.0 || days.1 < day {
            continue;
        }
        let length = period.months().map_or(0, |(first, last)| last - first + 1);
        for row in rows.iter().filter(|r| chosen[r.leaf as usize]) {
            let has_value = matches!(row.stated, Stated::Value(..));
            let rank = (has_value, day, std::cmp::Reverse(length));
            let entry = (rank, row.stated);
            latest
                .entry((row.unit, row.scope, member[row.leaf as usize]))
                .and_modify(|known| {
                    if known.0 < rank {
                        *known = entry;
                    }
                })
                .or_insert(entry);
        }
    }
    let mut out: Standing<Sum> = HashMap::new();
    for ((unit, scope, _), (rank, stated)) in latest {
        let stood = out.entry(unit).or_default();
        let one = Latest { state: stated.into(), dates: rank.0.then_some((rank.1, rank.1)) };
        match scope {
            Scope::Own => stood.own.add(&one),
            Scope::Territory => stood.territory.add(&one),
        }
    }
    out
}

/// What the map itself gives: 1 for every unit that collects, on the day.
fn of_map(registry: &Registry, asked: &Asked, day: Date, at: Option<&HashSet<UnitId>>) -> Standing<Sum> {
    let stand =
        registry.stand(registry.epoch(day), registry.nation(), asked.indicator.collection_level, false);
    let kind_asked = asked.members.iter().next().map(|(_, member)| member);
    let is_asked = |unit: &UnitId| {
        let kind = registry.unit(*unit).stage(day).map(|s| s.kind.as_str());
        stand.collects(*unit) && (kind_asked.is_none() || kind_asked == kind)
    };
    let one = |unit: UnitId| {
        let one = Latest { state: State::Value(Sum::of(1, Default::default())), dates: Some((day, day)) };
        (unit, Stood { own: one, territory: Latest::default() })
    };
    match at {
        Some(units) => units.iter().copied().filter(is_asked).map(one).collect(),
        None => stand.tree.nodes.iter().map(|node| node.unit).filter(is_asked).map(one).collect(),
    }
}

/// How the components of a ratio become pairs.
#[derive(Clone, Debug)]
pub(super) struct Pairing {
    /// What each addend above the line is multiplied by, so that all have as many decimals.
    pub(super) numerator: Vec<i128>,
    /// The same below it.
    pub(super) denominator: Vec<i128>,
    /// Whether what is above is a part of what is below.
    pub(super) is_part: bool,
}

impl Pairing {
    /// The pair of one unit, scope and period: there only if every addend is.
    fn pair(&self, numerator: &[&State<Sum>], denominator: &[&State<Sum>]) -> State<Pair> {
        let side = |states: &[&State<Sum>], scales: &[i128]| {
            let mut out = State::Value(Sum::default());
            for (state, scale) in states.iter().zip(scales) {
                match (state, &mut out) {
                    (State::Missing, _) => return State::Missing,
                    (State::NotAvailable, _) => out = State::NotAvailable,
                    (State::Value(sum), State::Value(total)) => {
                        let scaled = Sum { value: sum.value * scale, exact: sum.exact * scale, ..*sum };
                        crate::quantity::Amount::add(total, &scaled);
                    }
                    (State::Value(_), _) => {}
                }
            }
            out
        };
        match (side(numerator, &self.numerator), side(denominator, &self.denominator)) {
            (State::Missing, _) | (_, State::Missing) => State::Missing,
            (State::Value(n), State::Value(d)) if self.is_part && n.value > d.value => State::Missing,
            (State::Value(numerator), State::Value(denominator)) => {
                State::Value(Pair { numerator, denominator, millionths: 0 })
            }
            _ => State::NotAvailable,
        }
    }

    /// Pairs of flows: at each unit, scope and period.
    pub(super) fn of_flows(&self, numerator: &[Inputs<Sum>], denominator: &[Inputs<Sum>]) -> Inputs<Pair> {
        let missing = Reported::default();
        let mut out = Inputs::new();
        for (period, units) in &numerator[0] {
            let mut pairs = HashMap::new();
            for unit in units.keys() {
                let at = |inputs: &'_ [Inputs<Sum>]| -> Vec<Reported<Sum>> {
                    let find =
                        |i: &Inputs<Sum>| i.get(period).and_then(|u| u.get(unit)).unwrap_or(&missing).clone();
                    inputs.iter().map(find).collect()
                };
                let (n, d) = (at(numerator), at(denominator));
                let own = self.pair(&refs(&n, |r| &r.own), &refs(&d, |r| &r.own));
                let territory = self.pair(&refs(&n, |r| &r.territory), &refs(&d, |r| &r.territory));
                if own.is_there() || territory.is_there() {
                    pairs.insert(*unit, Reported { own, territory });
                }
            }
            if !pairs.is_empty() {
                out.insert(*period, pairs);
            }
        }
        out
    }

    /// Pairs of stocks: of the latest of each.
    pub(super) fn of_stocks(
        &self,
        numerator: &[Standing<Sum>],
        denominator: &[Standing<Sum>],
    ) -> Standing<Pair> {
        let at = |unit: &UnitId, stocks: &[Standing<Sum>]| -> Vec<Stood<Sum>> {
            stocks.iter().map(|s| s.get(unit).cloned().unwrap_or_default()).collect()
        };
        let mut out = HashMap::new();
        for unit in numerator[0].keys() {
            let (n, d) = (at(unit, numerator), at(unit, denominator));
            let latest = |scope: fn(&Stood<Sum>) -> &Latest<Sum>| {
                let state = self.pair(&refs(&n, |s| &scope(s).state), &refs(&d, |s| &scope(s).state));
                let dates = n.iter().chain(&d).map(|s| scope(s).dates).fold(None, crate::rollup::join_dates);
                Latest { dates: if state.has_value() { dates } else { None }, state }
            };
            let stood = Stood { own: latest(|s| &s.own), territory: latest(|s| &s.territory) };
            if stood.own.state.is_there() || stood.territory.state.is_there() {
                out.insert(*unit, stood);
            }
        }
        out
    }
}

fn refs<T>(all: &[T], state: impl Fn(&T) -> &State<Sum>) -> Vec<&State<Sum>> {
    all.iter().map(state).collect()
}

/// Periods whose days lie within others.
pub(super) fn within(asked: &Asked, period: Period, days: (Date, Date)) -> bool {
    let (first, last) = asked.indicator.calendar.days(period);
    days.0 <= first && last <= days.1
}
