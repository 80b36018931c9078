//! §6, ratios (reading 17).
//!
//! - A component is asked with the question's breakdown, restricted to its dimensions; one that several sides
//!   report needs a side: the one asked for, else the ratio's only one, else its own only one.
//! - At each unit, scope and period (of stocks, with the latest of each in it) the pair is missing if any addend
//!   is, else not available if any is; a part larger than its whole is missing too. Pairs are rolled up by the
//!   ratio's own rules. Values have the largest number of decimals of the components.
//! - A figure of the ratio itself, for exactly the question's unit and period, answers before pairs that do not
//!   cover (declared_first: before all pairs; computed_only above the collection level: never).
//! - A figure's period is read in the calendar of its indicator, the question's in the ratio's. A figure of a ratio
//!   of stocks itself is as of the period's last day.
//! - Without a value: undefined if a headline pair has one; else not available if the pair or that figure is; else
//!   not aggregable if the ratio was given at or below the unit within the period, or the pairs say so; else missing.

use std::collections::BTreeSet;

use tonghop_core::Date;
use tonghop_core::decimal::divide_rounded;
use tonghop_core::dimension::{Breakdown, REPORTER};
use tonghop_core::figure::{Figure, Scope};
use tonghop_core::indicator::{Indicator, Precedence, RatioOf, ReporterOverlap};
use tonghop_core::period::Period;
use tonghop_core::quantity::{Amount, Pair, Qualifier, Sum};
use tonghop_core::question::{Basis, Question, Reason, Refusal, Total};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

use super::figures::{Reports, Sheet};
use super::rollup::{Rectangle, Rollup};
use super::state::{Given, State, both};
use super::{basis, made_of, parts_alone, renumbered, told};

/// The pairs of a ratio.
struct Pairs<'a> {
    numerator: Vec<Addend<'a>>,
    denominator: Vec<Addend<'a>>,
    numerator_is_part: bool,
}

/// An indicator that is added on one side, and the power of ten that brings it to the ratio's scale.
struct Addend<'a> {
    sheet: Sheet<'a>,
    shift: u32,
}

impl Addend<'_> {
    fn given(&self, unit: UnitId, scope: Scope, period: Period, days: (Date, Date)) -> Given<Sum> {
        let mut given = self.sheet.given(unit, scope, period, days);
        if let State::Value(sum) = &mut given.state {
            sum.value *= 10i128.pow(self.shift);
            sum.exact *= 10i128.pow(self.shift);
        }
        given
    }
}

impl Reports<Pair> for Pairs<'_> {
    fn given(&self, unit: UnitId, scope: Scope, period: Period, days: (Date, Date)) -> Given<Pair> {
        let given =
            |side: &[Addend]| side.iter().map(|a| a.given(unit, scope, period, days)).collect::<Vec<_>>();
        let (above, below) = (given(&self.numerator), given(&self.denominator));
        let all = above.iter().chain(&below);
        if all.clone().any(|g| !g.state.is_there()) {
            return Given::default();
        }
        if all.clone().any(|g| !g.has_value()) {
            return Given { state: State::NotAvailable, dates: None };
        }
        let sum = |side: &[Given<Sum>]| {
            let mut sum = Sum::default();
            side.iter().filter_map(|g| g.state.value()).for_each(|value| sum.add(value));
            sum
        };
        let pair = Pair { numerator: sum(&above), denominator: sum(&below), millionths: 0 };
        if self.numerator_is_part && pair.numerator.value > pair.denominator.value {
            return Given::default();
        }
        Given { state: State::Value(pair), dates: all.fold(None, |dates, g| both(dates, g.dates)) }
    }

    fn spans(&self, unit: UnitId) -> BTreeSet<(i16, i16)> {
        let has_pair = |(from, to): &(i16, i16)| {
            let span = Period::Span(*from, *to);
            // Spans are of flows, which are asked for exactly.
            let days = (Date::MIN, Date::MAX);
            [Scope::Own, Scope::Territory]
                .iter()
                .any(|scope| self.given(unit, *scope, span, days).has_value())
        };
        let addends = self.numerator.iter().chain(&self.denominator);
        addends.flat_map(|a| a.sheet.spans(unit)).filter(has_pair).collect()
    }
}

impl<'a> Pairs<'a> {
    fn new(
        registry: &'a Registry,
        figures: &'a [Figure],
        ratio: &'a Indicator,
        of: &RatioOf,
        asked: &Breakdown,
    ) -> Result<Pairs<'a>, Refusal> {
        let component = |code: &String| registry.indicator(code).expect("a registry is consistent");
        let decimals = |code: &String| u32::from(component(code).decimals);
        let most = of.numerator.iter().chain(&of.denominator).map(decimals).max().unwrap_or(0);
        let addends = |codes: &[String]| {
            let addend = |code: &String| {
                let component: &'a Indicator = component(code);
                let asked = asked_of(component, ratio, asked)?;
                let sheet = Sheet::new(registry, figures, component, &asked);
                Ok(Addend { sheet, shift: most - decimals(code) })
            };
            codes.iter().map(addend).collect::<Result<Vec<_>, Refusal>>()
        };
        Ok(Pairs {
            numerator: addends(&of.numerator)?,
            denominator: addends(&of.denominator)?,
            numerator_is_part: of.numerator_is_part,
        })
    }
}

/// What a component is asked for.
fn asked_of(component: &Indicator, ratio: &Indicator, asked: &Breakdown) -> Result<Breakdown, Refusal> {
    let of_component = asked.only(|d| component.has_dimension(d));
    if component.overlap == ReporterOverlap::Single || asked.member(REPORTER).is_some() {
        return Ok(of_component);
    }
    match (ratio.reporters.as_slice(), component.reporters.as_slice()) {
        ([only], _) | (_, [only]) => Ok(of_component.with(REPORTER, only)),
        _ => Err(Refusal::RatioAcrossReporters {
            indicator: ratio.code.clone(),
            component: component.code.clone(),
            sides: component.reporters.join(", "),
        }),
    }
}

/// The total of a ratio; `asked` is the question's breakdown, with the ratio's only side where sides overlap.
pub(super) fn total(
    registry: &Registry,
    figures: &[Figure],
    indicator: &Indicator,
    of: &RatioOf,
    question: &Question,
    asked: &Breakdown,
) -> Result<Total, Refusal> {
    let p = question.period;
    let pairs = Pairs::new(registry, figures, indicator, of, asked)?;
    let rollup = Rollup::new(registry, indicator, &pairs);
    let at = told(&rollup, question);
    let made_of = made_of(&rollup, question);
    let bare = Sheet::new(registry, figures, indicator, asked);
    let scope = if at.collects { Scope::Own } else { Scope::Territory };
    // Restated, it says what it says of a unit that only has another number now.
    let given = match made_of.as_slice() {
        [same] if renumbered(&rollup, question) => bare.exactly(*same, scope, p).state,
        _ => State::Missing,
    };

    let divided = |pair: &State<Pair>| pair.value().and_then(|pair| divide(indicator, pair));
    let of_pairs = divided(&at.headline.state);
    let covering = at.covered >= at.expected;
    let usable = given.value().copied().filter(|_| !parts_alone(indicator, at.collects));
    let (value, is_given) = match (of_pairs, usable) {
        (Some(_), Some(given)) if indicator.precedence == Precedence::DeclaredFirst => (Some(given), true),
        (Some(value), _) if covering => (Some(value), false),
        (_, Some(given)) => (Some(given), true),
        (value, None) => (value, false),
    };
    let whole = given.value().copied().or_else(|| divided(&at.whole.state));
    let parts = divided(&at.parts);
    let within = || given_within(registry, indicator, &bare, &made_of, p);
    let reason = match (&value, &at.headline.state) {
        (Some(_), _) => None,
        (None, State::Value(_)) => Some(Reason::Undefined),
        (None, State::NotAvailable) => Some(Reason::NotAvailable),
        (None, State::Missing) if given == State::NotAvailable => Some(Reason::NotAvailable),
        (None, State::Missing) if at.not_aggregable || within() => Some(Reason::NotAggregable),
        (None, State::Missing) => Some(Reason::Missing),
    };
    let day = indicator.calendar.last_day(p);
    Ok(Total {
        value,
        reason,
        basis: value.and_then(|_| match (is_given, at.collects) {
            (true, true) => Some(Basis::Reported),
            (true, false) => Some(Basis::Declared),
            (false, _) => basis(&at),
        }),
        parts,
        whole,
        difference: whole.zip(parts).map(|(whole, parts)| whole.value - parts.value),
        pair: at.headline.state.value().copied().filter(|_| !is_given),
        reported: at.reported,
        covered: if is_given { at.expected } else { at.covered },
        expected: at.expected,
        unavailable: if is_given { 0 } else { at.unavailable },
        dates: value.and_then(|_| dates(indicator, &at, is_given, day)),
        estimated: value.is_some() && !is_given && at.estimated,
        carried: value.is_some() && !is_given && at.carried,
    })
}

/// Dates of a ratio of stocks: those of the pairs, or the period's end for a figure of the ratio itself.
fn dates(indicator: &Indicator, at: &Rectangle<Pair>, is_given: bool, day: Date) -> Option<(Date, Date)> {
    match is_given {
        _ if !indicator.is_stock() => None,
        true => Some((day, day)),
        false => at.headline.dates,
    }
}

/// N/D, rounded half away from zero; in percent 100 · N/D.
fn divide(indicator: &Indicator, pair: &Pair) -> Option<Sum> {
    let percent = if indicator.is_percent() { 2 } else { 0 };
    let shift = u32::from(indicator.decimals) + percent;
    let value = divide_rounded(pair.numerator.value, pair.denominator.value, shift)?;
    let exact = [pair.numerator, pair.denominator].iter().all(|side| side.qualifier == Qualifier::Exact);
    let qualifier = if exact { Qualifier::Exact } else { Qualifier::About };
    Some(Sum { value, exact: if exact { value } else { 0 }, qualifier })
}

/// Whether the ratio itself was given at or below a unit within a period.
fn given_within(
    registry: &Registry,
    indicator: &Indicator,
    bare: &Sheet,
    made_of: &[UnitId],
    p: Period,
) -> bool {
    let (first, last) = indicator.calendar.days(p);
    bare.rows.iter().map(|row| row.figure).any(|figure| {
        let (from, to) = indicator.calendar.days(figure.period);
        let at_or_below = registry.map_on(to).ancestry(figure.unit).any(|a| made_of.contains(&a));
        let has_value = bare.exactly(figure.unit, figure.scope, figure.period).has_value();
        first <= from && to <= last && at_or_below && has_value
    })
}
