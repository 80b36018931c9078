//! Where a total comes from, and who has reported.

use std::sync::Arc;

use tonghop_access::Caller;
use tonghop_core::decimal::format_decimal;
use tonghop_core::indicator::Precedence;
use tonghop_core::period::Period;
use tonghop_core::quantity::Sum;
use tonghop_core::question::{Plan, Prepared, Question, Refusal, plan};
use tonghop_core::rollup::{Along, Cell, Taken};
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;
use tonghop_runtime::Failure;

use crate::figures::Wanted;
use crate::moment::When;
use crate::read::Item;
use crate::{Query, View, approved, ask};

/// Children, tiles and figures listed at most.
const MOST: usize = 500;

impl Query {
    /// Opens a total into its parts.
    ///
    /// # Errors
    /// What is wrong with the request, or that the caller may not ask it.
    pub async fn explain(
        &self,
        caller: &Caller,
        request: &pb::ExplainRequest,
    ) -> Result<pb::ExplainResponse, Failure> {
        let when = when(request.at_least, request.as_of, &request.review);
        let when = When { approved_only: approved::only(&request.figures)?, ..when };
        let view = self.view(caller, when).await?;
        let asked = view.one(&Words {
            indicator: &request.indicator,
            unit: &request.unit,
            period: &request.period,
            breakdown: &request.breakdown,
            map: &request.map,
        })?;
        let unit = asked.question.unit;
        let period = asked.question.period;
        let breakdown = &asked.question.breakdown;
        let children = view.children(&asked.plan, unit);
        let answered = view.many(&asked, &children).await?;
        let Some((total, children)) = answered.split_first() else {
            return Err(Failure::internal("an answer is missing"));
        };
        let tilings = period.usable_tilings(asked.plan.indicator.frequency);
        let mut tiles = Vec::new();
        if !asked.plan.indicator.is_stock() {
            let mut all: Vec<Period> = tilings.into_iter().flatten().collect();
            all.sort();
            all.dedup();
            let questions = all.into_iter().take(MOST).map(|tile| view.at(&asked, tile)).collect();
            tiles = view.answered(&asked, questions).await?;
        }
        let mut figures = Vec::new();
        for unit in asked.plan.made_of(&view.registry, unit) {
            let of_unit = view
                .revisions(&Wanted {
                    indicator: &asked.plan.indicator,
                    unit,
                    period,
                    breakdown,
                    below: false,
                    exactly: !asked.plan.indicator.is_stock(),
                })
                .await?;
            figures.extend(of_unit);
        }
        figures.truncate(MOST);
        let cells = view.cells(&asked.plan, unit).await?;
        let along = match cells.as_slice() {
            [] => "",
            [first, ..] if first.along == Along::Time => "time",
            _ => "units",
        };
        Ok(pb::ExplainResponse {
            as_of: Some(view.as_of()),
            total: Some(total.clone()),
            along: along.into(),
            children: children.to_vec(),
            tiles,
            figures: view.with_submissions(figures).await?,
            origins: view.origins(&asked).await?,
            set_aside: cells.iter().flat_map(|cell| set_aside(&asked.plan, cell)).collect(),
        })
    }

    /// Who has reported: the total's counts, and those of the units below.
    ///
    /// # Errors
    /// What is wrong with the request, or that the caller may not ask it.
    pub async fn coverage(
        &self,
        caller: &Caller,
        request: &pb::GetCoverageRequest,
    ) -> Result<pb::GetCoverageResponse, Failure> {
        let when = when(request.at_least, request.as_of, &request.review);
        let when = When { approved_only: approved::only(&request.figures)?, ..when };
        let view = self.view(caller, when).await?;
        let asked = view.one(&Words {
            indicator: &request.indicator,
            unit: &request.unit,
            period: &request.period,
            breakdown: &request.breakdown,
            map: &request.map,
        })?;
        let children = view.children(&asked.plan, asked.question.unit);
        let answered = view.many(&asked, &children).await?;
        let (total, children) =
            answered.split_first().map_or((None, vec![]), |(t, c)| (Some(t.clone()), c.to_vec()));
        let origins = view.origins(&asked).await?;
        Ok(pb::GetCoverageResponse { as_of: Some(view.as_of()), total, children, origins })
    }
}

fn when(at_least: i64, as_of: i64, review: &str) -> When<'_> {
    When { at_least, as_of, review, ..When::default() }
}

/// The words of a question.
struct Words<'a> {
    indicator: &'a str,
    unit: &'a str,
    period: &'a str,
    breakdown: &'a str,
    map: &'a str,
}

/// One question with its plan.
struct One {
    question: Question,
    plan: Arc<Plan>,
}

impl View {
    fn one(&self, words: &Words<'_>) -> Result<One, Failure> {
        let map = ask::map(words.map)?;
        let period = ask::period(words.period)?;
        let breakdown = ask::breakdown(words.breakdown)?;
        let indicator = ask::indicator(&self.sight, words.indicator)?;
        let unit = ask::unit(&self.registry, &indicator, words.unit, period, map)?;
        self.sight.may_ask(&indicator, unit, period, map)?;
        let question = Question { unit, indicator: indicator.code.clone(), breakdown, period, map };
        let plan = plan(&self.registry, &question).map_err(|r| ask::refused(&r))?;
        Ok(One { question, plan: Arc::new(plan) })
    }

    fn children(&self, plan: &Plan, unit: UnitId) -> Vec<UnitId> {
        let map = &self.registry.maps()[plan.told_on(&self.registry)];
        let children = map.children(unit).iter().copied();
        children
            .filter(|c| self.registry.unit(*c).level <= plan.indicator.collection_level)
            .take(MOST)
            .collect()
    }

    /// The units that a restated total is put together from, with their totals as reported and their shares.
    async fn origins(&self, one: &One) -> Result<Vec<pb::Origin>, Failure> {
        if one.plan.told_on(&self.registry) == one.plan.epoch(&self.registry) {
            return Ok(vec![]);
        }
        let shares = one.plan.shares_of(&self.registry, one.question.unit);
        let questions = shares.keys().map(|unit| Question { unit: *unit, map: None, ..one.question.clone() });
        let totals = self.answered(one, questions.collect()).await?;
        let origin = |(total, share): (pb::Total, _)| pb::Origin { total: Some(total), share };
        Ok(totals.into_iter().zip(shares.values().map(ToString::to_string)).map(origin).collect())
    }

    /// The total of the question's unit, then those of other units.
    async fn many(&self, one: &One, others: &[UnitId]) -> Result<Vec<pb::Total>, Failure> {
        let units = std::iter::once(one.question.unit).chain(others.iter().copied());
        let items: Vec<Item> = units.map(|unit| Item { unit, plan: Arc::clone(&one.plan) }).collect();
        let answers = self.answer(&items).await?;
        let mut out = Vec::with_capacity(items.len());
        for (item, answer) in items.iter().zip(answers) {
            let breakdown = &one.question.breakdown;
            out.push(self.shown(&item.plan, item.unit, breakdown, answer));
        }
        Ok(out)
    }

    /// The same question for another period: a tile. One that ends before the unit began is restated to the map of the
    /// question.
    fn at(&self, one: &One, period: Period) -> Question {
        let map = &self.registry.maps()[one.plan.told_on(&self.registry)];
        let day = one.plan.indicator.calendar.last_day(period);
        let reads_back = self.registry.epoch(day) < one.plan.told_on(&self.registry);
        let map = one.question.map.or(map.from.filter(|_| reads_back));
        Question { period, map, ..one.question.clone() }
    }

    /// The totals of questions near another, or why there are none; all read at once.
    async fn answered(&self, one: &One, questions: Vec<Question>) -> Result<Vec<pb::Total>, Failure> {
        let planned = questions.into_iter().map(|question| {
            let plan = plan(&self.registry, &question).map(Arc::new);
            (question, plan)
        });
        let planned: Vec<_> = planned.collect();
        let item = |(question, plan): &(Question, Result<Arc<Plan>, Refusal>)| {
            Some(Item { unit: question.unit, plan: Arc::clone(plan.as_ref().ok()?) })
        };
        let items: Vec<Item> = planned.iter().filter_map(item).collect();
        let mut answers = self.answer(&items).await?.into_iter();
        let mut out = Vec::with_capacity(planned.len());
        for (Question { unit, breakdown, period, map, .. }, plan) in planned {
            out.push(match plan {
                Ok(plan) => {
                    let answer = answers.next().ok_or_else(|| Failure::internal("an answer is missing"))?;
                    self.shown(&plan, unit, &breakdown, answer)
                }
                Err(refusal) => {
                    let indicator = &one.plan.indicator;
                    let frame = crate::view::frame(&self.registry, indicator, unit, &breakdown, period, map);
                    pb::Total { refused: ask::said(&refusal).to_string(), ..frame }
                }
            });
        }
        Ok(out)
    }

    async fn cells(&self, plan: &Arc<Plan>, unit: UnitId) -> Result<Vec<Cell<Sum>>, Failure> {
        let figures = self.figures(plan, &[unit]).await?;
        let (registry, plan) = (Arc::clone(&self.registry), Arc::clone(plan));
        let cells =
            tokio::task::spawn_blocking(move || Prepared::new(&registry, &plan, &figures).cells(unit));
        cells.await.map_err(Failure::internal)
    }
}

/// What a headline leaves aside, and why, in words.
pub(crate) fn set_aside(plan: &Plan, cell: &Cell<Sum>) -> Vec<String> {
    let decimals = plan.indicator.decimals;
    let show = |sum: &Sum| format_decimal(sum.value, decimals);
    let mut out = Vec::new();
    let whole =
        if cell.collects { "the unit's own figure for the whole period" } else { "the declared figure" };
    match (cell.taken, cell.whole.value(), cell.parts.state.value()) {
        (Taken::Parts, Some(given), _)
            if plan.indicator.precedence == Precedence::ComputedOnly && !cell.collects =>
        {
            out.push(format!(
                "{whole}, {}: this indicator is only ever computed from its parts",
                show(given)
            ));
        }
        (Taken::Parts, Some(given), _) => {
            out.push(format!("{whole}, {}: the parts cover all {} cells", show(given), cell.expected));
        }
        (Taken::Whole, _, Some(parts)) => out.push(format!(
            "the parts, {}, covering {} of {} cells: {}",
            show(parts),
            cell.parts.covered,
            cell.expected,
            match plan.indicator.precedence {
                Precedence::DeclaredFirst => "a declared figure goes first for this indicator",
                Precedence::BottomUp | Precedence::ComputedOnly => "they do not cover all",
            }
        )),
        _ => {}
    }
    if let Some(own) = cell.own.value()
        && !cell.collects
        && (cell.taken == Taken::Whole || (cell.taken == Taken::Parts && cell.along == Along::Time))
    {
        out.push(format!(
            "the unit's own activity, {}: what was chosen is taken as holding it already",
            show(own)
        ));
    }
    out
}
