//! What is approved of totals in random worlds: random reports that are handed in, approved, returned and opened again
//! between random figures and revisions, against the naive oracle on the figures that the approvals are of.
//!
//! `PROPTEST_CASES` sets on how many worlds; a failure prints its world as a table.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use tonghop_core::decimal::format_decimal;
use tonghop_core::figure::{Figure, Statement};
use tonghop_core::indicator::Kind;
use tonghop_core::period::{Frequency, Period};
use tonghop_core::question::Question;
use tonghop_core::registry::{Draft, RegimeRow, Registry, UnitLookup};
use tonghop_core::unit::UnitId;
use tonghop_proto::ingestion as wire;
use tonghop_proto::query as pb;
use tonghop_testkit::oracle::Approval;
use tonghop_testkit::world::{Case, cases};
use tonghop_testkit::{oracle, tables};
use tonghop_tests::{Api, Server};

const CASES: u32 = 16;

/// What is done between two submissions: with which regime's report, whose, and what.
type Deed = (usize, usize, usize);

/// A regime for what is collected at each level and in each calendar, as often as that goes; and for some a second one,
/// reported half as often, so that figures are under two.
fn regimes(registry: &Registry, draft: &Draft) -> Vec<RegimeRow> {
    let mut out = vec![];
    for (at, indicator) in registry.indicators().iter().filter(|i| !i.from_map).enumerate() {
        let frequency = match indicator.frequency {
            _ if indicator.calendar.year_only => Frequency::Year,
            Frequency::Event => Frequency::Month,
            other => other,
        };
        let above: Vec<String> = draft.levels.iter().map(|l| l.code.clone()).collect();
        let level = registry.level_code(indicator.collection_level).to_owned();
        let mut approvals: Vec<String> = above.into_iter().take_while(|code| *code != level).collect();
        approvals.reverse();
        // Some have fewer that approve, some none.
        approvals.truncate([approvals.len(), 1, 0, 2][at % 4]);
        let row = |code: String, level: String, approvals: Vec<String>, frequency| RegimeRow {
            code,
            name_vi: "x".into(),
            name_en: "x".into(),
            programme: String::new(),
            indicators: vec![indicator.code.clone()],
            level,
            frequency,
            calendar: indicator.calendar.code.clone(),
            valid_from: None,
            valid_to: None,
            approvals,
            deadlines: vec![],
            source: "synthetic".into(),
        };
        // What is declared for whole territories is reported by those above.
        if let Some((above, further)) = approvals.split_first().filter(|(_, further)| !further.is_empty()) {
            out.push(row(format!("p{at}"), above.clone(), further.to_vec(), frequency));
        }
        if at % 3 == 0 {
            out.push(row(format!("y{at}"), level.clone(), approvals.clone(), Frequency::Year));
        }
        out.push(row(format!("r{at}"), level, approvals, frequency));
    }
    out
}

fn on_the_wire(registry: &Registry, figure: &Figure) -> wire::Figure {
    use wire::figure::Statement as Said;
    let decimals = registry.indicator(&figure.indicator).expect("an indicator").decimals;
    let (statement, qualifier) = match &figure.statement {
        Statement::Value(value, qualifier) => {
            (Said::Value(format_decimal(i128::from(*value), decimals)), qualifier.code())
        }
        Statement::NotAvailable(reason) => (Said::NotAvailable(reason.clone()), ""),
        Statement::Withdrawn => (Said::Withdraw(true), ""),
    };
    wire::Figure {
        unit: registry.unit(figure.unit).code.clone(),
        indicator: figure.indicator.clone(),
        breakdown: figure.breakdown.to_string(),
        period: figure.period.to_string(),
        scope: figure.scope.code().to_owned(),
        statement: Some(statement),
        qualifier: qualifier.to_owned(),
        programmes: vec![],
    }
}

/// Reports, with the positions of those that are published.
#[derive(Default)]
struct Standing {
    /// By regime, unit and period: its state's code, and since which position.
    states: BTreeMap<(String, UnitId, Period), (String, i64)>,
    /// What stood as of each position at which something was done.
    as_of: BTreeMap<i64, Vec<Approval>>,
    published: usize,
}

impl Standing {
    fn approvals(&self) -> Vec<Approval> {
        let published = self.states.iter().filter(|(_, (state, _))| state == "published");
        let approval =
            |((regime, unit, period), (_, position)): (&(String, UnitId, Period), &(String, i64))| Approval {
                regime: regime.clone(),
                unit: *unit,
                period: *period,
                position: *position,
            };
        published.map(approval).collect()
    }
}

struct World {
    server: Server,
    api: Api,
    registry: Arc<Registry>,
    taken: Vec<(i64, Figure)>,
    standing: Standing,
    keys: usize,
    /// Comparisons with approved figures in them.
    telling: std::cell::Cell<usize>,
}

impl World {
    /// Does something with the report that a figure belongs to, where that can be done.
    async fn act(&mut self, figure: &Figure, (which, of_unit, what): Deed) {
        let registry = Arc::clone(&self.registry);
        let under: Vec<_> =
            registry.regimes().iter().filter(|r| r.indicators.contains(&figure.indicator)).collect();
        let Some(regime) = under.get(which * under.len() / 1000) else { return };
        let Some(period) = regime.report_period(figure.period) else { return };
        let day = regime.calendar.last_day(period);
        // The figure's unit, or another one that reports; rarely one that does not.
        let reporters = regime.reporters(&registry, registry.nation(), day);
        let unit = match of_unit {
            0..700 => figure.unit,
            other => match reporters.get((other - 700) * reporters.len() / 300) {
                Some(unit) => *unit,
                None => return,
            },
        };
        let code = registry.unit(unit).code.clone();
        let UnitLookup::Found(unit) = registry.unit_on(&code, day) else { return };
        let acts: &[&str] = match what {
            // All the way up.
            0..600 => &["submit", "approve", "approve", "approve", "approve"],
            600..700 => &["submit"],
            700..800 => &["approve"],
            800..900 => &["return"],
            _ => &["reopen"],
        };
        for act in acts {
            self.keys += 1;
            let request = wire::ActOnReportsRequest {
                idempotency_key: format!("a{}", self.keys),
                act: (*act).to_owned(),
                regime: regime.code.clone(),
                period: period.to_string(),
                units: vec![code.clone()],
                reason: "x".into(),
                ..wire::ActOnReportsRequest::default()
            };
            let Ok(acted) = self.api.reports().act_on_reports(request).await else { continue };
            let acted = acted.into_inner();
            let position = acted.receipt.expect("a receipt").position;
            let state = acted.states[0].state.clone();
            self.standing.published += usize::from(state == "published");
            self.standing.states.insert((regime.code.clone(), unit, period), (state, position));
            self.standing.as_of.insert(position, self.standing.approvals());
        }
    }

    async fn send(&mut self, figures: &[Figure]) {
        self.keys += 1;
        let request = wire::SubmitRequest {
            idempotency_key: format!("k{}", self.keys),
            source: "world".to_owned(),
            figures: figures.iter().map(|f| on_the_wire(&self.registry, f)).collect(),
            ..wire::SubmitRequest::default()
        };
        match self.api.ingestion().submit(request).await {
            Ok(taken) => {
                let position = taken.into_inner().receipt.expect("a receipt").position;
                self.taken.extend(figures.iter().map(|figure| (position, figure.clone())));
            }
            // One that contradicts itself comes in halves; one figure by itself is left out.
            Err(_) if figures.len() > 1 => {
                let (first, second) = figures.split_at(figures.len() / 2);
                Box::pin(self.send(first)).await;
                Box::pin(self.send(second)).await;
            }
            Err(_) => {}
        }
    }

    /// Asks for approved figures only, and how much of all is approved, as of a position; and the oracle both.
    async fn compare(&self, question: &Question, as_of: Option<i64>) {
        let head = self.server.head().await.position;
        let at = as_of.unwrap_or(head);
        let known = self.standing.as_of.range(..=at).next_back();
        let approvals = known.map(|(_, approvals)| approvals.clone()).unwrap_or_default();
        let until: Vec<(i64, Figure)> = self.taken.iter().filter(|(p, _)| *p <= at).cloned().collect();
        let figures = oracle::approved(&self.registry, &until, &approvals);
        let Some(indicator) = self.registry.indicator(&question.indicator) else { return };
        let day = question.map.unwrap_or_else(|| indicator.calendar.last_day(question.period));
        let code = self.registry.unit(question.unit).code.clone();
        // The wire names a unit by its code.
        let UnitLookup::Found(unit) = self.registry.unit_on(&code, day) else { return };
        let question = Question { unit, ..question.clone() };
        let ask = async |figures: &str| {
            let request = pb::GetTotalsRequest {
                indicator: question.indicator.clone(),
                unit: code.clone(),
                period: question.period.to_string(),
                breakdown: question.breakdown.to_string(),
                map: question.map.map(|day| day.to_string()).unwrap_or_default(),
                at_least: head,
                as_of: as_of.unwrap_or(0),
                figures: figures.to_owned(),
                ..pb::GetTotalsRequest::default()
            };
            self.api.query().get_totals(request).await.map(|answer| answer.into_inner().totals.remove(0))
        };
        let (all, approved) = (ask("all").await, ask("approved").await);
        let expected = match oracle::total(&self.registry, &figures, &question) {
            Ok(total) => total,
            Err(_) => {
                return assert!(all.is_err() && approved.is_err(), "{question:?}: {all:?} {approved:?}");
            }
        };
        let (all, approved) = (all.expect("a total"), approved.expect("a total"));
        let components: Vec<&str> = match &indicator.kind {
            Kind::Ratio(of) => { of.numerator.iter().chain(&of.denominator).map(String::as_str) }
                .chain([indicator.code.as_str()])
                .collect(),
            Kind::Flow | Kind::Stock => vec![indicator.code.as_str()],
        };
        let is_somewhere = components.iter().any(|code| self.registry.approving(code).next().is_some());
        let says = Some(expected.covered).filter(|_| is_somewhere);
        let text = |value: i128| format_decimal(value, indicator.decimals);
        let found = (
            approved.value.clone(),
            approved.basis.as_str(),
            (approved.reported, approved.covered, approved.expected, approved.unavailable),
            approved.parts.clone(),
            approved.whole.clone(),
            (all.approved, approved.approved),
        );
        let wanted = (
            expected.value.map(|s| text(s.value)),
            expected.basis.map_or("", |b| b.code()),
            (expected.reported, expected.covered, expected.expected, expected.unavailable),
            expected.parts.map(|s| text(s.value)),
            expected.whole.map(|s| text(s.value)),
            (says, says),
        );
        self.telling.set(self.telling.get() + usize::from(expected.covered > 0));
        assert_eq!(found, wanted, "as of {as_of:?} {question:?}\napprovals {approvals:#?}");
    }
}

async fn holds(case: Case, deeds: Vec<(usize, Deed)>) -> (usize, usize) {
    let mut draft = tables::draft(&case.registry);
    draft.regimes = regimes(&case.registry, &draft);
    let registry = Arc::new(Registry::build(draft.clone(), None).expect("the regimes hold together"));
    let server = Server::empty(16).await;
    let tables: HashMap<String, Vec<u8>> = tables::tables(&draft).into_iter().collect();
    server.load("world", tables, false).await.expect("the world is a registry");
    let api = Api::at(server.base().to_owned());
    let (taken, standing) = (vec![], Standing::default());
    let mut world = World { server, api, registry, taken, standing, keys: 0, telling: Default::default() };
    let mut deeds = deeds.iter().cycle();
    for figures in case.figures.chunks(2) {
        world.send(figures).await;
        for _ in 0..4 {
            let Some((at, deed)) = deeds.next() else { break };
            let so_far = world.taken.len();
            if let Some((_, figure)) = world.taken.get(at * so_far / 1000).cloned() {
                world.act(&figure, *deed).await;
            }
        }
    }
    let middle = world.taken.get(world.taken.len() / 2).map(|(position, _)| *position);
    for question in &case.questions {
        world.compare(question, None).await;
        if let Some(middle) = middle {
            world.compare(question, Some(middle)).await;
        }
    }
    // Figures that stand for what was asked of them; each for its own unit and period, and for the nation.
    for (_, figure) in world.taken.iter().take(12) {
        for unit in [figure.unit, world.registry.nation()] {
            let breakdown = Default::default();
            let (indicator, period) = (figure.indicator.clone(), figure.period);
            world.compare(&Question { unit, indicator, breakdown, period, map: None }, None).await;
        }
    }
    world.server.wait(world.server.head().await.position).await;
    world.server.assert_clean().await;
    let counts = (world.standing.published, world.telling.get());
    drop(world.server.stop().await);
    counts
}

#[test]
fn approved_totals_are_totals_of_the_figures_that_approvals_are_of() {
    let tries = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let config = ProptestConfig {
        cases: tries,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (published, telling) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let deed = (0..1000usize, (0..1000usize, 0..1000usize, 0..1000usize));
    proptest!(config, |(case in cases(), deeds in vec(deed, 4..40))| {
        let (reports, totals) = runtime.block_on(holds(case, deeds));
        published.fetch_add(reports, Ordering::Relaxed);
        telling.fetch_add(totals, Ordering::Relaxed);
    });
    let (published, telling) = (published.into_inner(), telling.into_inner());
    println!("{published} reports published, {telling} totals with approved figures, {tries} worlds");
    assert!(published >= tries as usize && telling >= tries as usize, "{published}, {telling}");
}
