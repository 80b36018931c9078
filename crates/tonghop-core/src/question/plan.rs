//! Which figures a question needs, or why it has no answer.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::{Question, Refusal};
use crate::dimension::{Breakdown, DimensionKind, REPORTER};
use crate::figure::Series;
use crate::indicator::{Indicator, Kind, ReporterOverlap};
use crate::lineage::{Before, Portion, Reading};
use crate::period::{Frequency, Period};
use crate::registry::Registry;
use crate::unit::UnitId;

/// Figures of one indicator that count as one: a series, narrowed to members and to a side.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The indicator.
    pub indicator: Arc<Indicator>,
    /// The series.
    pub series: Series,
    /// Members that a figure must have.
    pub members: Breakdown,
    /// Who must have reported it, where the reporter is an attribute.
    pub reporter: Option<String>,
}

impl Asked {
    /// A whole series, nothing narrowed.
    pub fn whole(indicator: &Arc<Indicator>, series: Series) -> Asked {
        Asked { indicator: Arc::clone(indicator), series, members: Breakdown::default(), reporter: None }
    }
}

/// What the total of one side is made of; an indicator whose sides are not summed has one.
#[derive(Clone, Debug)]
pub struct Side {
    /// The indicator's own figures: of a ratio, bare percentages.
    pub own: Asked,
    /// Of a ratio: what is above the line.
    pub numerator: Vec<Asked>,
    /// Of a ratio: what is below it.
    pub denominator: Vec<Asked>,
}

/// A question that has an answer for any unit in force.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is asked for.
    pub indicator: Arc<Indicator>,
    /// The period.
    pub period: Period,
    /// Its first and last day.
    pub days: (Date, Date),
    /// The sides to sum.
    pub sides: Vec<Side>,
    /// The map that it is restated to.
    pub map: Option<OnMap>,
}

/// A map that totals are restated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnMap {
    /// The day that was asked for.
    pub day: Date,
    /// The number of that day's map; no earlier than the period's own.
    pub epoch: usize,
}

impl Plan {
    /// All series that the answer reads.
    pub fn series(&self) -> BTreeSet<Series> {
        self.asked().filter(|a| !a.indicator.from_map).map(|a| a.series.clone()).collect()
    }

    /// Every group of figures that the answer reads.
    pub fn asked(&self) -> impl Iterator<Item = &Asked> {
        self.sides.iter().flat_map(|s| std::iter::once(&s.own).chain(&s.numerator).chain(&s.denominator))
    }

    /// Whether the answer is the total of whole series as they are kept, with nothing narrowed.
    pub fn is_of_whole_series(&self) -> bool {
        matches!(self.indicator.kind, Kind::Flow | Kind::Stock)
            && !self.indicator.from_map
            && self.asked().all(|a| a.members.is_empty() && a.reporter.is_none())
    }

    /// The number of the period's own map: that of its last day.
    pub fn epoch(&self, registry: &Registry) -> usize {
        registry.epoch(self.days.1)
    }

    /// The number of the map that units are of: that restated to, else the period's own.
    pub fn told_on(&self, registry: &Registry) -> usize {
        self.map.map_or_else(|| self.epoch(registry), |map| map.epoch)
    }

    /// The units of the period's own map that the total of a unit is put together from: itself as reported, and
    /// restated those that it goes back to.
    pub fn made_of(&self, registry: &Registry, unit: UnitId) -> BTreeSet<UnitId> {
        registry.goes_back_to(unit, self.told_on(registry), self.epoch(registry))
    }

    /// The units that [make up](Plan::made_of) the total of a unit, with how much of each went on as it.
    pub fn shares_of(&self, registry: &Registry, unit: UnitId) -> BTreeMap<UnitId, Portion> {
        let mut out = BTreeMap::from([(unit, Portion::WHOLE)]);
        for epoch in (self.epoch(registry) + 1..=self.told_on(registry)).rev() {
            let mut earlier: BTreeMap<UnitId, Portion> = BTreeMap::new();
            for (unit, portion) in out {
                match registry.before(epoch, unit, Reading::Restated) {
                    Before::Same => earlier.entry(unit).or_default().add(portion),
                    Before::Of(sources) => sources.iter().for_each(|s| {
                        earlier.entry(s.unit).or_default().add(portion.of(s.shares[s.at]));
                    }),
                }
            }
            out = earlier;
        }
        out
    }

    /// The unit of the period's own map whose territory a unit is, where it is that of one unit.
    pub(super) fn renumbered(&self, registry: &Registry, unit: UnitId) -> Option<UnitId> {
        (self.epoch(registry) + 1..=self.told_on(registry)).rev().try_fold(unit, |unit, epoch| match registry
            .before(epoch, unit, Reading::Restated)
        {
            Before::Same => Some(unit),
            other => other.renumbered(),
        })
    }

    /// The units that keep all that the total of a unit is read from: the nation, or units directly below it.
    pub fn keepers(&self, registry: &Registry, unit: UnitId) -> HashSet<UnitId> {
        let (first, last) = self.reading_days();
        let maps = (registry.epoch(first), registry.epoch(last));
        self.made_of(registry, unit).into_iter().flat_map(|unit| registry.keepers_of(unit, maps)).collect()
    }

    /// The days within which the figures that it reads end: those of the period, in the calendar of every indicator
    /// that is read.
    pub fn reading_days(&self) -> (Date, Date) {
        let mut days = self.days;
        if !self.indicator.is_stock() {
            for asked in self.asked() {
                let (first, last) = asked.indicator.calendar.days(self.period);
                days = (days.0.min(first), days.1.max(last));
            }
        }
        days
    }

    /// Whether a unit has an answer.
    ///
    /// # Errors
    /// Where it is not in force on the period's last day, or on the map that it is restated to; or lies below the
    /// collection level.
    pub fn admits(&self, registry: &Registry, unit: UnitId) -> Result<(), Refusal> {
        let map = &registry.maps()[self.told_on(registry)];
        let level = registry.unit(unit).level;
        let day = self.map.map_or(self.days.1, |map| map.day);
        if !map.has(unit) {
            let has_level = map.units().any(|u| registry.unit(u).level == level);
            return Err(match self.map {
                Some(_) if !has_level => {
                    Refusal::LevelGone { level: registry.level_code(level).to_owned(), day }
                }
                _ => Refusal::NotInForce { day },
            });
        }
        if level > self.indicator.collection_level {
            return Err(Refusal::BelowCollection {
                indicator: self.indicator.code.clone(),
                level: registry.level_code(self.indicator.collection_level).to_owned(),
            });
        }
        Ok(())
    }
}

/// Plans a question.
///
/// # Errors
/// Why it has no answer.
pub fn plan(registry: &Registry, question: &Question) -> Result<Plan, Refusal> {
    let Question { unit, indicator, breakdown, period, map } = question;
    let plan = without_sides(registry, indicator, breakdown, *period, *map)?;
    plan.admits(registry, *unit)?;
    with_sides(registry, plan, breakdown)
}

/// Plans the same question for any number of units, each of which may still not be [admitted](Plan::admits).
///
/// # Errors
/// Why it has no answer for any of them.
pub fn plan_for_any(
    registry: &Registry,
    indicator: &str,
    breakdown: &Breakdown,
    period: Period,
    map: Option<Date>,
) -> Result<Plan, Refusal> {
    with_sides(registry, without_sides(registry, indicator, breakdown, period, map)?, breakdown)
}

fn without_sides(
    registry: &Registry,
    indicator: &str,
    breakdown: &Breakdown,
    period: Period,
    map: Option<Date>,
) -> Result<Plan, Refusal> {
    let indicator =
        registry.indicator(indicator).ok_or_else(|| Refusal::UnknownIndicator(indicator.to_owned()))?;
    check_breakdown(registry, indicator, breakdown)?;
    if !indicator.takes(period.grain()) {
        return Err(Refusal::WrongGrain {
            indicator: indicator.code.clone(),
            frequency: frequency_name(indicator.frequency),
            calendar: indicator.calendar.code.clone(),
            period,
        });
    }
    let days = indicator.calendar.days(period);
    let map = map.map(|day| OnMap { day, epoch: registry.epoch(day) });
    if let Some(OnMap { day, epoch }) = map
        && epoch < registry.epoch(days.1)
    {
        return Err(Refusal::MapTooOld { map: day, last: days.1 });
    }
    Ok(Plan { indicator: Arc::clone(indicator), period, days, sides: vec![], map })
}

fn with_sides(registry: &Registry, plan: Plan, breakdown: &Breakdown) -> Result<Plan, Refusal> {
    let sides = sides(&plan.indicator, breakdown)?;
    let sides = sides.iter().map(|b| side(registry, &plan.indicator, b)).collect::<Result<_, _>>()?;
    Ok(Plan { sides, ..plan })
}

/// The name of a frequency in messages, in Vietnamese.
pub fn frequency_in_vietnamese(frequency: Frequency) -> &'static str {
    match frequency {
        Frequency::Event => "đợt phát sinh",
        Frequency::Month => "tháng",
        Frequency::Quarter => "quý",
        Frequency::Half => "6 tháng",
        Frequency::Year => "năm",
    }
}

/// The name of a frequency in messages.
pub fn frequency_name(frequency: Frequency) -> &'static str {
    match frequency {
        Frequency::Event => "event",
        Frequency::Month => "month",
        Frequency::Quarter => "quarter",
        Frequency::Half => "half",
        Frequency::Year => "year",
    }
}

fn check_breakdown(registry: &Registry, indicator: &Indicator, breakdown: &Breakdown) -> Result<(), Refusal> {
    for (dimension, _) in breakdown.iter() {
        if !indicator.has_dimension(dimension) {
            return Err(Refusal::NotItsDimension {
                indicator: indicator.code.clone(),
                dimension: dimension.to_owned(),
                has: if indicator.dimensions.is_empty() {
                    "no breakdown".to_owned()
                } else {
                    indicator.dimensions.join(", ")
                },
            });
        }
    }
    for (dimension, member) in breakdown.iter() {
        if registry.dimension(dimension).is_none_or(|d| d.member(member).is_none()) {
            return Err(Refusal::UnknownMember {
                dimension: dimension.to_owned(),
                member: member.to_owned(),
            });
        }
    }
    Ok(())
}

/// The breakdowns, with a side named where sides are kept apart, whose totals sum to the one asked for.
fn sides(indicator: &Indicator, breakdown: &Breakdown) -> Result<Vec<Breakdown>, Refusal> {
    let asked = breakdown.member(REPORTER).is_some();
    match (indicator.overlap, indicator.reporters.as_slice()) {
        (ReporterOverlap::Single, _) => Ok(vec![breakdown.clone()]),
        _ if asked => Ok(vec![breakdown.clone()]),
        (ReporterOverlap::Overlapping, [only]) => Ok(vec![breakdown.with(REPORTER, only)]),
        (ReporterOverlap::Overlapping, all) => {
            Err(Refusal::OverlappingReporters { indicator: indicator.code.clone(), sides: all.join(" | ") })
        }
        // Ratios of sides do not add up.
        (ReporterOverlap::Disjoint, all) if let Kind::Ratio(ratio) = &indicator.kind => {
            Err(Refusal::RatioAcrossReporters {
                indicator: indicator.code.clone(),
                component: ratio.numerator.join(" + "),
                sides: all.join(" | "),
            })
        }
        (ReporterOverlap::Disjoint, all) => Ok(all.iter().map(|r| breakdown.with(REPORTER, r)).collect()),
    }
}

fn side(registry: &Registry, indicator: &Arc<Indicator>, breakdown: &Breakdown) -> Result<Side, Refusal> {
    let (numerator, denominator) = match &indicator.kind {
        Kind::Flow | Kind::Stock => (vec![], vec![]),
        Kind::Ratio(ratio) => {
            let of = |codes: &[String]| {
                codes
                    .iter()
                    .map(|c| component(registry, indicator, breakdown, c))
                    .collect::<Result<Vec<_>, _>>()
            };
            (of(&ratio.numerator)?, of(&ratio.denominator)?)
        }
    };
    Ok(Side { own: asked(registry, indicator, breakdown), numerator, denominator })
}

/// A component of a ratio: a dimension that it lacks is left out of it.
fn component(
    registry: &Registry,
    ratio: &Indicator,
    breakdown: &Breakdown,
    code: &str,
) -> Result<Asked, Refusal> {
    let component = registry.indicator(code).ok_or_else(|| Refusal::UnknownIndicator(code.to_owned()))?;
    let mut own = breakdown.only(|d| component.has_dimension(d));
    if component.overlap != ReporterOverlap::Single && own.member(REPORTER).is_none() {
        own = match (ratio.reporters.as_slice(), component.reporters.as_slice()) {
            ([only], _) | (_, [only]) => own.with(REPORTER, only),
            (_, all) => {
                return Err(Refusal::RatioAcrossReporters {
                    indicator: ratio.code.clone(),
                    component: component.code.clone(),
                    sides: all.join(" | "),
                });
            }
        };
    }
    Ok(asked(registry, component, &own))
}

fn asked(registry: &Registry, indicator: &Arc<Indicator>, breakdown: &Breakdown) -> Asked {
    let is_tag = |dimension: &str| {
        dimension != REPORTER
            && registry.dimension(dimension).is_some_and(|d| d.kind == DimensionKind::Overlapping)
    };
    let by_side = indicator.overlap != ReporterOverlap::Single;
    Asked {
        indicator: Arc::clone(indicator),
        series: Series {
            indicator: indicator.code.clone(),
            tags: breakdown.only(|d| is_tag(d) || (by_side && d == REPORTER)),
        },
        members: breakdown.only(|d| d != REPORTER && !is_tag(d)),
        reporter: if by_side { None } else { breakdown.member(REPORTER).map(str::to_owned) },
    }
}
