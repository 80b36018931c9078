//! What only the whole can show: findings on figures that are right by themselves, and odd beside others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tonghop_core::decimal::format_decimal;
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Figures, Scope, Series, Stated};
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::period::Period;
use tonghop_core::question::{Plan, Question, excesses, plan};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::ingestion::Finding;
use tonghop_runtime::{Language, Text};

use crate::prepared::{Headed, Part, Prepared};
use crate::series::{Place, SeriesTable};
use crate::shelf::Shelves;

/// Findings of one submission at most.
const MOST: usize = 200;
/// Indicators and periods of which the plans are remembered at most.
const MOST_KNOWN: usize = 20_000;

/// The questions about ratios that figures can be components of, each planned once.
#[derive(Debug, Default)]
pub(crate) struct Ratios {
    plans: HashMap<(String, Period), Arc<Vec<Plan>>>,
}

/// What a submission says of an indicator and period, in one province.
type About<'a> = (&'a str, Period, UnitId);

impl Ratios {
    fn plans(&mut self, registry: &Registry, code: &str, period: Period) -> Arc<Vec<Plan>> {
        if self.plans.len() > MOST_KNOWN {
            self.plans.clear();
        }
        let make = || {
            let indicator = registry.indicator(code);
            Arc::new(indicator.map_or_else(Vec::new, |indicator| ratio_plans(registry, indicator, period)))
        };
        Arc::clone(self.plans.entry((code.to_owned(), period)).or_insert_with(make))
    }

    /// Whether something may be odd about the figures of an indicator and period.
    pub(crate) fn speak_of(&mut self, registry: &Registry, code: &str, period: Period) -> bool {
        !self.plans(registry, code, period).is_empty()
    }

    /// The places that are read to find what is odd about a submission.
    pub(crate) fn places(
        &mut self,
        registry: &Registry,
        table: &mut SeriesTable,
        one: &Prepared,
    ) -> BTreeSet<Place> {
        let about: BTreeSet<(String, Period, UnitId)> = one
            .parts
            .iter()
            .map(|part| {
                let code = table.get(part.place.series).indicator.code.clone();
                (code, part.period, part.place.keeper)
            })
            .collect();
        let mut out = BTreeSet::new();
        for (code, period, keeper) in about {
            for plan in self.plans(registry, &code, period).iter() {
                for (series, year) in series_of(plan) {
                    out.extend(table.id(registry, series).map(|series| Place { series, keeper, year }));
                }
            }
        }
        out
    }

    /// Findings on the figures of one submission, after all of them were put in.
    pub(crate) fn find(
        &mut self,
        registry: &Registry,
        table: &SeriesTable,
        shelves: &Shelves,
        one: &Prepared,
    ) -> Vec<Finding> {
        let mut out = mixed_grains(table, shelves, one);
        let mut asked: BTreeMap<About<'_>, Vec<&Part>> = BTreeMap::new();
        for part in &one.parts {
            let code = table.get(part.place.series).indicator.code.as_str();
            asked.entry((code, part.period, part.place.keeper)).or_default().push(part);
        }
        let mut seen = BTreeSet::new();
        for ((code, period, keeper), parts) in asked {
            let plans = self.plans(registry, code, period);
            if plans.is_empty() {
                continue;
            }
            let figures = parts.iter().flat_map(|part| one.figures(part));
            let units: HashSet<UnitId> = figures.filter_map(|i| one.units[*i as usize]).collect();
            for plan in plans.iter() {
                let mut all = Figures::default();
                for (series, year) in series_of(plan) {
                    let known = all.series.entry(series.clone()).or_default();
                    let Some(id) = table.find(series) else { continue };
                    for (period, held) in shelves.tiles(&Place { series: id, keeper, year }) {
                        let wanted = |unit| units.contains(&unit).then_some(i64::MAX);
                        held.body.add_some_to(known, period, wanted);
                    }
                }
                for excess in excesses(registry, plan, &all, &units) {
                    let key = (plan.indicator.code.clone(), plan.period, excess.unit, excess.scope);
                    if out.len() < MOST && seen.insert(key) {
                        out.push(part_above_whole(registry, plan, excess.unit, excess.scope, excess.pair));
                    }
                }
            }
        }
        out
    }
}

/// The questions about ratios in which a figure is a component, and its part must not exceed its whole.
fn ratio_plans(registry: &Registry, figure_of: &Indicator, period: Period) -> Vec<Plan> {
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

/// The series and years whose figures a plan reads.
fn series_of(plan: &Plan) -> BTreeSet<(&Series, i16)> {
    let mut out = BTreeSet::new();
    for asked in plan.asked().filter(|a| !a.indicator.from_map) {
        let calendar = &asked.indicator.calendar;
        for year in calendar.year_of(plan.days.0)..=calendar.year_of(plan.days.1) {
            out.insert((&asked.series, year));
        }
    }
    out
}

/// What a finding says, stored in both languages.
pub(crate) fn in_both(got: Text, expected: Text, hint: Text) -> Finding {
    let [vi, en] = [Language::Vietnamese, Language::English];
    Finding {
        got: got.in_language(en).to_owned(),
        expected: expected.in_language(en).to_owned(),
        hint: hint.in_language(en).to_owned(),
        got_vi: got.in_language(vi).to_owned(),
        expected_vi: expected.in_language(vi).to_owned(),
        hint_vi: hint.in_language(vi).to_owned(),
        ..Finding::default()
    }
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
    let part = format_decimal(pair.numerator.value, decimals);
    let whole = format_decimal(pair.denominator.value, decimals);
    Finding {
        code: "part_exceeds_whole".into(),
        path: format!(
            "{} {} {} {}",
            registry.unit(unit).code,
            plan.indicator.code,
            plan.period,
            scope.code()
        ),
        ..in_both(
            Text::of(format!("{part} trong {whole}"), format!("{part} of {whole}")),
            Text::of("bộ phận không lớn hơn tổng thể", "a part that is not larger than its whole"),
            Text::of(
                "đơn vị không có tỷ lệ, và coi như chưa báo cáo, cho đến khi một trong hai số được sửa",
                "the unit has no ratio, and counts as not covered, until one of the two is revised",
            ),
        )
    }
}

/// A unit that gives one member of a partition by the month and another by the year: one of them is left aside.
fn mixed_grains(table: &SeriesTable, shelves: &Shelves, one: &Prepared) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    for part in &one.parts {
        let headed_of = |figure: u32| &one.headings[one.columns.heading()[figure as usize] as usize];
        let Some((first, last)) = part.period.months() else { continue };
        let indicator = &table.get(part.place.series).indicator;
        let is_split = |figure: &u32| has_partition(indicator, headed_of(*figure));
        if indicator.is_stock() || !one.figures(part).first().is_some_and(is_split) {
            continue;
        }
        let others: Vec<_> = shelves
            .tiles(&part.place)
            .filter(|(period, _)| {
                let overlaps = period.months().is_some_and(|(a, b)| a <= last && first <= b);
                overlaps && *period != part.period
            })
            .collect();
        if others.is_empty() {
            continue;
        }
        for figure in one.figures(part) {
            let at = *figure as usize;
            let Some(unit) = one.units[at] else { continue };
            let headed = headed_of(*figure);
            let heading = &one.columns.headings()[one.columns.heading()[at] as usize];
            let gives_another = |(u, scope, members, _): (UnitId, Scope, &str, Stated)| {
                u == unit && scope == heading.scope && *members != *headed.members
            };
            let other = others.iter().find(|(_, held)| held.body.current_with_members().any(gives_another));
            if let Some((period, _)) = other
                && out.len() < MOST
                && seen.insert((unit, headed.series, part.period, *period))
            {
                let code = &one.columns.units()[one.columns.unit()[at] as usize];
                let (breakdown, own) = (&heading.breakdown, heading.period);
                out.push(Finding {
                    code: "mixed_grain".into(),
                    path: format!("{code} {} {own}", heading.indicator),
                    ..in_both(
                        Text::of(format!("{breakdown} cho kỳ {own}"), format!("{breakdown} for {own}")),
                        Text::of(
                            format!("mọi mục của phân tổ cùng theo một kỳ: các mục khác báo cáo theo kỳ {period}"),
                            format!(
                                "all members of the breakdown for the same periods: others are given for {period}"
                            ),
                        ),
                        Text::of(
                            "số tổng hợp chỉ dùng một trong hai, số kia bị để ngoài: hãy báo cáo mọi mục theo \
                             cùng một kỳ",
                            "a total uses one of the two, so the other is left aside: give all members by the same \
                             period",
                        ),
                    )
                });
            }
        }
    }
    out
}

/// Whether figures of a heading's series name members of a partition.
fn has_partition(indicator: &Indicator, headed: &Headed) -> bool {
    indicator.dimensions.iter().any(|d| d != "reporter" && headed.leaf.members.member(d).is_some())
}
