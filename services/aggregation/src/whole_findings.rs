//! What only the whole can show: findings on figures that are right by themselves, and odd beside others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tonghop_core::decimal::format_decimal;
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Figures, Scope, Series};
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::period::Period;
use tonghop_core::question::{Plan, Question, excesses, plan};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::ingestion::Finding;
use tonghop_proto::record::AcceptedFigure;

use crate::engine::Kept;
use crate::shelf::{Place, Shelves};

/// Findings of one submission at most.
const MOST: usize = 200;

/// The questions about ratios in which a figure is a component, and its part must not exceed its whole.
pub(crate) fn ratio_plans(registry: &Registry, figure_of: &Indicator, period: Period) -> Vec<Plan> {
    let period = if figure_of.is_stock() {
        Period::Year(figure_of.calendar.year_of(figure_of.calendar.last_day(period)))
    } else {
        period
    };
    let mut out = Vec::new();
    for ratio in registry.indicators() {
        let Kind::Ratio(of) = &ratio.kind else { continue };
        let is_component = of.numerator.iter().chain(&of.denominator).any(|c| *c == figure_of.code);
        if !of.numerator_is_part || !is_component {
            continue;
        }
        let question = |breakdown| Question {
            unit: registry.nation(),
            indicator: ratio.code.clone(),
            breakdown,
            period,
            map: None,
        };
        match plan(registry, &question(Breakdown::default())) {
            Ok(plan) => out.push(plan),
            Err(_) => out.extend(ratio.reporters.iter().filter_map(|side| {
                plan(registry, &question(Breakdown::default().with("reporter", side))).ok()
            })),
        }
    }
    out
}

/// The places whose figures a plan reads for one province.
pub(crate) fn places_of(plan: &Plan, keeper: UnitId) -> BTreeSet<Place> {
    let mut out = BTreeSet::new();
    for asked in plan.asked().filter(|a| !a.indicator.from_map) {
        let calendar = &asked.indicator.calendar;
        for year in calendar.year_of(plan.days.0)..=calendar.year_of(plan.days.1) {
            out.insert(Place { series: asked.series.clone(), keeper, year });
        }
    }
    out
}

/// Findings on the figures of one submission, after all of them were put in.
pub(crate) fn find(
    registry: &Registry,
    shelves: &Shelves,
    figures: &[AcceptedFigure],
    kept: &[Kept],
) -> Vec<Finding> {
    let mut out = mixed_grains(registry, shelves, figures, kept);
    let mut asked: BTreeMap<(&str, Period, UnitId), BTreeSet<UnitId>> = BTreeMap::new();
    for (accepted, Kept { place, .. }) in figures.iter().zip(kept) {
        let figure = &accepted.figure;
        asked.entry((&figure.indicator, figure.period, place.keeper)).or_default().insert(figure.unit);
    }
    let mut seen = BTreeSet::new();
    for ((indicator, period, keeper), units) in asked {
        let Some(indicator) = registry.indicator(indicator) else { continue };
        for plan in ratio_plans(registry, indicator, period) {
            let mut all = Figures::default();
            for place in places_of(&plan, keeper) {
                let Some(of) = registry.indicator(&place.series.indicator) else { continue };
                let known = all.series.entry(place.series.clone()).or_default();
                shelves.add_figures_in(known, &of.calendar, &place.series, place.keeper, place.year);
            }
            for excess in excesses(registry, &plan, &all) {
                let key = (plan.indicator.code.clone(), plan.period, excess.unit, excess.scope);
                if out.len() < MOST && units.contains(&excess.unit) && seen.insert(key) {
                    out.push(part_above_whole(registry, &plan, excess.unit, excess.scope, excess.pair));
                }
            }
        }
    }
    out
}

fn part_above_whole(
    registry: &Registry,
    plan: &Plan,
    unit: UnitId,
    scope: Scope,
    pair: tonghop_core::quantity::Pair,
) -> Finding {
    let decimals = plan
        .sides
        .iter()
        .flat_map(|s| s.numerator.iter().chain(&s.denominator))
        .map(|a| a.indicator.decimals);
    let decimals = decimals.max().unwrap_or(0);
    Finding {
        code: "part_exceeds_whole".into(),
        path: format!(
            "{} {} {} {}",
            registry.unit(unit).code,
            plan.indicator.code,
            plan.period,
            scope.code()
        ),
        got: format!(
            "{} of {}",
            format_decimal(pair.numerator.value, decimals),
            format_decimal(pair.denominator.value, decimals)
        ),
        expected: "a part that is not larger than its whole".into(),
        hint: "the unit has no ratio, and counts as not covered, until one of the two is revised".into(),
        ..Finding::default()
    }
}

/// A unit that gives one member of a partition by the month and another by the year: one of them is left aside.
fn mixed_grains(
    registry: &Registry,
    shelves: &Shelves,
    figures: &[AcceptedFigure],
    kept: &[Kept],
) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    for (accepted, Kept { place: Place { series, keeper, year }, leaf }) in figures.iter().zip(kept) {
        let figure = &accepted.figure;
        let Some(indicator) = registry.indicator(&figure.indicator) else { continue };
        if indicator.is_stock() || !has_partition(indicator, series) {
            continue;
        }
        let Some((first, last)) = figure.period.months() else { continue };
        let members = leaf.members.to_string();
        let other = shelves.tiles_in(&indicator.calendar, series, *keeper, *year).find(|(period, body)| {
            let overlaps = period.months().is_some_and(|(a, b)| a <= last && first <= b);
            overlaps
                && *period != figure.period
                && body.entries().iter().any(|e| {
                    e.unit == figure.unit
                        && e.scope == figure.scope
                        && *e.members != *members
                        && e.revisions.last().is_some_and(|r| r.said != tonghop_tiles::Said::Withdrawn)
                })
        });
        if let Some((period, _)) = other
            && out.len() < MOST
            && seen.insert((figure.unit, series.clone(), figure.period, period))
        {
            out.push(Finding {
                code: "mixed_grain".into(),
                path: format!("{} {} {}", accepted.unit_code, figure.indicator, figure.period),
                got: format!("{} for {}", figure.breakdown, figure.period),
                expected: format!("all members of the breakdown for the same periods: others are given for {period}"),
                hint: "a total uses one of the two, so the other is left aside: give all members by the same period"
                    .into(),
                ..Finding::default()
            });
        }
    }
    out
}

fn has_partition(indicator: &Arc<Indicator>, series: &Series) -> bool {
    indicator.dimensions.iter().any(|d| d != "reporter" && series.tags.member(d).is_none())
}
