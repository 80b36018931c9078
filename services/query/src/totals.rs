//! Totals: one rectangle, or the same question over children, periods, members or indicators.

use std::collections::BTreeSet;
use std::sync::Arc;

use tonghop_core::Date;
use tonghop_core::dimension::{Breakdown, REPORTER};
use tonghop_core::figure::{Scope, Stated};
use tonghop_core::indicator::{Indicator, ReporterOverlap};
use tonghop_core::lineage::{Before, Reading};
use tonghop_core::period::Period;
use tonghop_core::question::{Plan, Question, Reason, Refusal, Total, plan};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind};

use crate::ask;
use crate::read::Item;
use crate::view;
use crate::{Query, View};

/// Totals on one page at most, and where nothing is asked.
const LARGEST_PAGE: usize = 1000;
/// Questions that one request may come to.
const MOST_QUESTIONS: usize = 20_000;
/// Figures listed under a total that does not add up.
const MOST_GIVEN: usize = 100;

/// What a unit's territory was through time.
struct Territory<'a> {
    registry: &'a Registry,
    unit: UnitId,
    /// The map that the unit is of.
    told_on: usize,
}

impl Territory<'_> {
    /// The units whose territory it is on a map: the unit itself where it is in force, else those that it goes back to.
    fn on(&self, epoch: usize) -> Vec<UnitId> {
        let mut units = BTreeSet::from([self.unit]);
        for step in (epoch + 1..=self.told_on).rev() {
            units = units.into_iter().flat_map(|unit| self.before(step, unit)).collect();
        }
        units.into_iter().collect()
    }

    fn before(&self, epoch: usize, unit: UnitId) -> Vec<UnitId> {
        match self.registry.before(epoch, unit, Reading::Restated) {
            _ if self.registry.maps()[epoch - 1].has(unit) => vec![unit],
            Before::Same => vec![],
            Before::Of(sources) => sources.iter().map(|s| s.unit).collect(),
        }
    }

    /// Whether it became another between two maps, under a new number alone aside.
    fn changed(&self, from: usize, to: usize) -> bool {
        (from + 1..=to).any(|epoch| {
            self.on(epoch).into_iter().any(|unit| {
                let before = self.registry.before(epoch, unit, Reading::Restated);
                before != Before::Same && before.renumbered().is_none()
            })
        })
    }
}

/// A question ready to be answered, or refused by itself among others.
struct Asked {
    unit: UnitId,
    indicator: Arc<Indicator>,
    breakdown: Breakdown,
    period: Period,
    map: Option<Date>,
    plan: Result<Arc<Plan>, Refusal>,
    /// Whether the territory is not that of the point before in a series.
    is_break: bool,
}

impl Query {
    /// Answers a request for totals.
    ///
    /// # Errors
    /// What is wrong with the request; that nothing was reported is an answer.
    pub async fn totals(&self, request: &pb::GetTotalsRequest) -> Result<pb::GetTotalsResponse, Failure> {
        let view = self.view(request.at_least).await?;
        let asked = questions(&view, request)?;
        let (start, size) = page(&request.page_token, request.page_size)?;
        let end = asked.len().min(start.saturating_add(size));
        let this_page = asked.get(start..end).unwrap_or_default();
        let totals = view.totals(this_page).await?;
        Ok(pb::GetTotalsResponse {
            as_of: Some(view.as_of()),
            totals,
            count: asked.len() as u64,
            next_page_token: if end < asked.len() { end.to_string() } else { String::new() },
        })
    }
}

/// Where a page starts, and how long it is.
pub(crate) fn page(token: &str, size: u32) -> Result<(usize, usize), Failure> {
    let start = if token.is_empty() {
        0
    } else {
        token.parse().map_err(|_| {
            let expected = "the `next` of the page before";
            let hint = "leave it out for the first page";
            ask::finding(FailureKind::NotUnderstood, "malformed_cursor", "cursor", token, expected, hint)
        })?
    };
    let size = if size == 0 { LARGEST_PAGE } else { LARGEST_PAGE.min(size as usize) };
    Ok((start, size))
}

fn questions(view: &View, request: &pb::GetTotalsRequest) -> Result<Vec<Asked>, Failure> {
    let map = ask::map(&request.map)?;
    let registry = &view.registry;
    let period = ask::period(&request.period)?;
    let breakdown = ask::breakdown(&request.breakdown)?;
    if request.by == "indicators" {
        return indicators(view, request, &breakdown, period, map);
    }
    let indicator = ask::indicator(registry, &request.indicator)?;
    let unit = ask::unit(registry, &indicator, &request.unit, period, map)?;
    let one = |unit: UnitId, breakdown: &Breakdown, period: Period| {
        let question =
            Question { unit, indicator: indicator.code.clone(), breakdown: breakdown.clone(), period, map };
        Asked {
            unit,
            indicator: Arc::clone(&indicator),
            breakdown: breakdown.clone(),
            period,
            map,
            plan: plan(registry, &question).map(Arc::new),
            is_break: false,
        }
    };
    let all: Vec<Asked> = match request.by.as_str() {
        "" => vec![one(unit, &breakdown, period)],
        "children" => {
            // All children share the parent's plan, and so one reading of the tiles.
            let shared = one(unit, &breakdown, period);
            let day = map.unwrap_or_else(|| indicator.calendar.last_day(period));
            let children = registry.map_on(day).children(unit).iter();
            let children = children.filter(|c| registry.unit(**c).level <= indicator.collection_level);
            match &shared.plan {
                Err(refusal) => return Err(ask::refused(refusal)),
                Ok(plan) => children
                    .map(|child| Asked {
                        unit: *child,
                        indicator: Arc::clone(&indicator),
                        breakdown: breakdown.clone(),
                        period,
                        map,
                        plan: Ok(Arc::clone(plan)),
                        is_break: false,
                    })
                    .collect(),
            }
        }
        "periods" => {
            let within = ask::periods_within(&indicator, period);
            let told_on = map.unwrap_or_else(|| indicator.calendar.last_day(period));
            let territory = Territory { registry, unit, told_on: registry.epoch(told_on) };
            let mut before = None;
            let mut points = Vec::new();
            for period in within {
                let epoch = registry.epoch(indicator.calendar.last_day(period));
                let is_break = before.is_some_and(|before| territory.changed(before, epoch));
                let units = if map.is_some() { vec![unit] } else { territory.on(epoch) };
                let point = |unit| Asked { is_break, ..one(unit, &breakdown, period) };
                points.extend(units.into_iter().map(point));
                before = Some(epoch);
            }
            points
        }
        "breakdown" => {
            let name = &request.by_dimension;
            let dimension = registry.dimension(name).filter(|_| indicator.has_dimension(name));
            let Some(dimension) = dimension else {
                return Err(ask::refused(&Refusal::NotItsDimension {
                    indicator: indicator.code.clone(),
                    dimension: name.clone(),
                    has: indicator.dimensions.join(", "),
                }));
            };
            let members = dimension.members.iter().map(|m| m.code.as_str());
            let members = members.filter(|m| {
                name != REPORTER
                    || indicator.reporters.is_empty()
                    || indicator.reporters.iter().any(|r| r == m)
            });
            members.map(|member| one(unit, &breakdown.with(name, member), period)).collect()
        }
        other => {
            return Err(ask::finding(
                FailureKind::NotUnderstood,
                "unknown_by",
                "by",
                other,
                "children, periods, breakdown or indicators",
                "leave it out for one total",
            ));
        }
    };
    match all.as_slice() {
        [Asked { plan: Err(refusal), .. }] if request.by.is_empty() => Err(ask::refused(refusal)),
        _ if all.len() > MOST_QUESTIONS => Err(Failure::new(
            FailureKind::TooLarge,
            format!("this asks for {} totals; at most {MOST_QUESTIONS} at once", all.len()),
        )),
        _ => Ok(all),
    }
}

/// Every indicator of a programme, or every core one. Sides that overlap are asked one by one.
fn indicators(
    view: &View,
    request: &pb::GetTotalsRequest,
    breakdown: &Breakdown,
    period: Period,
    map: Option<Date>,
) -> Result<Vec<Asked>, Failure> {
    let registry = &view.registry;
    if !request.programme.is_empty() && registry.programme(&request.programme).is_none() {
        return Err(ask::finding(
            FailureKind::NotFound,
            "unknown_programme",
            "programme",
            &request.programme,
            "the code of a programme",
            "GET /v1/programmes lists them",
        ));
    }
    let mut out = Vec::new();
    let mut trouble = None;
    for indicator in registry.indicators() {
        let wanted = if !request.programme.is_empty() {
            indicator.programmes.contains(&request.programme)
        } else if !request.indicator.is_empty() {
            indicator.code == request.indicator || indicator.short_code() == request.indicator
        } else {
            indicator.core
        };
        if !wanted || !indicator.takes(period.grain()) {
            continue;
        }
        // One unit may be in force on the last day in one calendar and not in another.
        let unit = match ask::unit(registry, indicator, &request.unit, period, map) {
            Ok(unit) => unit,
            Err(failure) => {
                trouble = Some(failure);
                continue;
            }
        };
        let sides = match (indicator.overlap, breakdown.member(REPORTER)) {
            (ReporterOverlap::Overlapping, None) => {
                indicator.reporters.iter().map(|r| breakdown.with(REPORTER, r)).collect()
            }
            _ => vec![breakdown.clone()],
        };
        for breakdown in sides {
            let question = Question {
                unit,
                indicator: indicator.code.clone(),
                breakdown: breakdown.clone(),
                period,
                map,
            };
            out.push(Asked {
                unit,
                indicator: Arc::clone(indicator),
                breakdown,
                period,
                map,
                is_break: false,
                plan: plan(registry, &question).map(Arc::new),
            });
        }
    }
    match trouble {
        Some(failure) if out.is_empty() => Err(failure),
        _ => Ok(out),
    }
}

impl View {
    async fn totals(&self, asked: &[Asked]) -> Result<Vec<pb::Total>, Failure> {
        let items: Vec<Item> = asked
            .iter()
            .filter_map(|a| Some(Item { unit: a.unit, plan: Arc::clone(a.plan.as_ref().ok()?) }))
            .collect();
        let mut answers = self.answer(&items).await?.into_iter();
        let mut out = Vec::with_capacity(asked.len());
        for one in asked {
            let (plan, answer) = match &one.plan {
                Ok(plan) => (plan, answers.next()),
                Err(refusal) => {
                    let Asked { unit, indicator, breakdown, period, map, is_break, .. } = one;
                    let frame = view::frame(&self.registry, indicator, *unit, breakdown, *period, *map);
                    let territory_break = *is_break;
                    out.push(pb::Total { refused: refusal.to_string(), territory_break, ..frame });
                    continue;
                }
            };
            let Some(answer) = answer else { return Err(Failure::internal("an answer is missing")) };
            let shown = self.shown(plan, one.unit, &one.breakdown, answer).await?;
            out.push(pb::Total { territory_break: one.is_break, ..shown });
        }
        Ok(out)
    }

    /// A total as it is shown; where nothing adds up, with what was given.
    pub(crate) async fn shown(
        &self,
        plan: &Plan,
        unit: UnitId,
        breakdown: &Breakdown,
        answer: Result<Total, Refusal>,
    ) -> Result<pb::Total, Failure> {
        let not_aggregable = matches!(&answer, Ok(t) if t.reason == Some(Reason::NotAggregable));
        let mut shown = view::total(&self.registry, plan, unit, breakdown, answer);
        if not_aggregable {
            shown.given = self.given(plan, unit).await?;
        }
        Ok(shown)
    }

    /// Figures of the indicator itself at or below a unit within a plan's period.
    async fn given(&self, plan: &Plan, unit: UnitId) -> Result<Vec<pb::GivenFigure>, Failure> {
        let registry = &self.registry;
        let figures = self.figures(plan, &[unit]).await?;
        let indicator = &plan.indicator;
        let made_of = plan.made_of(registry, unit);
        let mut out = Vec::new();
        for side in &plan.sides {
            let Some(series) = figures.series.get(&side.own.series) else { continue };
            for (period, rows) in &series.periods {
                let (first, last) = indicator.calendar.days(*period);
                if first < plan.days.0 || plan.days.1 < last {
                    continue;
                }
                for row in rows {
                    let leaf = &series.leaves[row.leaf as usize];
                    let Stated::Value(value, qualifier) = row.stated else { continue };
                    let mut breakdown = leaf.members.clone();
                    let tags = side.own.series.tags.iter();
                    for (dimension, member) in tags.chain(leaf.reporter.as_deref().map(|r| (REPORTER, r))) {
                        breakdown = breakdown.with(dimension, member);
                    }
                    let below = registry.map_on(last).ancestry(row.unit).any(|u| made_of.contains(&u));
                    if below && side.own.members.within(&leaf.members) && out.len() < MOST_GIVEN {
                        out.push(pb::GivenFigure {
                            unit: Some(view::unit_ref(registry, row.unit, last)),
                            period: period.to_string(),
                            scope: if row.scope == Scope::Own { "own" } else { "territory" }.into(),
                            breakdown: breakdown.to_string(),
                            value: tonghop_core::decimal::format_decimal(
                                i128::from(value),
                                indicator.decimals,
                            ),
                            qualifier: qualifier.code().into(),
                        });
                    }
                }
            }
        }
        Ok(out)
    }
}
