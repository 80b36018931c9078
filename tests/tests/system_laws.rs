//! The laws of the semantics page (§9) for the whole system: random worlds through ingestion, ledger, roll-up and
//! query, against the naive oracle on the same figures in the order of the ledger.
//!
//! `PROPTEST_CASES` sets on how many worlds; a failure prints its world as a table.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::task::JoinSet;
use tonghop_core::Date;
use tonghop_core::decimal::format_decimal;
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Figure, Statement};
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::period::Period;
use tonghop_core::question::{Question, Refusal, Total};
use tonghop_core::registry::{Draft, Registry, UnitLookup};
use tonghop_proto::ingestion as wire;
use tonghop_proto::query as pb;
use tonghop_testkit::world::{Case, cases};
use tonghop_testkit::{oracle, tables};
use tonghop_tests::Server;
use tonic::{Code, Status};
use tonic_types::StatusExt;

const CASES: u32 = 24;

/// Random worlds that were tried, and figures that were not taken.
static TRIED: AtomicUsize = AtomicUsize::new(0);
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// One submission, and what happens around it.
#[derive(Clone, Debug)]
struct Step {
    /// How many of the figures that are left it takes.
    figures: usize,
    /// Whether it is sent together with the next.
    together: bool,
    /// An earlier submission that is sent once more.
    replay: Option<usize>,
    /// The service is stopped, and started with this batch size.
    restart: Option<usize>,
}

/// How a world's figures come in.
#[derive(Clone, Debug)]
struct Course {
    batch_entries: usize,
    /// Where figures come from the list: 0 as listed, else drawn from as many at its front.
    late: usize,
    /// Gone through again and again.
    steps: Vec<Step>,
    /// Of which indicator, and for which years, all units are asked about.
    all_of: (usize, usize),
    /// Whether the changes of the map are loaded late: after the figures of units that were there before.
    late_reforms: bool,
}

fn course() -> impl Strategy<Value = Course> {
    let step = (
        prop_oneof![3 => 1..=3usize, 2 => 4..=15usize],
        prop::bool::weighted(0.5),
        prop::option::weighted(0.15, 0..1000usize),
        prop::option::weighted(0.06, 1..=50usize),
    );
    let step =
        step.prop_map(|(figures, together, replay, restart)| Step { figures, together, replay, restart });
    let late = prop_oneof![2 => Just(0usize), 1 => 2..=40usize];
    let late_reforms = prop::bool::weighted(0.4);
    (1..=50usize, late, vec(step, 1..12), (0..1000usize, 0..1000usize), late_reforms).prop_map(
        |(batch_entries, late, steps, all_of, late_reforms)| Course {
            batch_entries,
            late,
            steps,
            all_of,
            late_reforms,
        },
    )
}

/// The figures in the order in which they come.
fn in_order(figures: &[Figure], late: usize) -> Vec<Figure> {
    let mut left: Vec<&Figure> = figures.iter().collect();
    let mut out = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let next = (out.len() * 7 + 3) % left.len().min(late.max(1));
        out.push(left.remove(next).clone());
    }
    out
}

/// A figure on the wire.
fn on_the_wire(registry: &Registry, figure: &Figure) -> wire::Figure {
    use wire::figure::Statement as Said;
    let decimals = registry.indicator(&figure.indicator).unwrap().decimals;
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

fn codes(status: &Status) -> BTreeSet<String> {
    let details = status.get_details_bad_request().map(|d| d.field_violations).unwrap_or_default();
    details.iter().filter_map(|v| Some(v.description.split_once(':')?.0.to_owned())).collect()
}

/// A world in the system: what was taken so far, in the order of the ledger.
struct System {
    server: Server,
    registry: std::sync::Arc<Registry>,
    /// Every registry that was loaded, by its position.
    registries: BTreeMap<i64, std::sync::Arc<Registry>>,
    taken: BTreeMap<i64, (wire::SubmitRequest, Vec<Figure>)>,
    keys: usize,
    skipped: usize,
    as_of: i64,
}

impl System {
    async fn start(case: &Case, batch_entries: usize, draft: &Draft) -> System {
        let server = Server::empty(batch_entries).await;
        let registry = std::sync::Arc::clone(&case.registry);
        let (registries, taken) = (BTreeMap::new(), BTreeMap::new());
        let mut system = System { server, registry, registries, taken, keys: 0, skipped: 0, as_of: 0 };
        system.load("world", draft).await;
        system
    }

    async fn load(&mut self, key: &str, draft: &Draft) {
        let tables: HashMap<String, Vec<u8>> = tables::tables(draft).into_iter().collect();
        let loaded = self.server.load(key, tables, false).await.expect("the world is a registry");
        self.server.wait(loaded.position).await;
        let registry = Registry::build(draft.clone(), None).expect("what loads is a registry");
        self.registries.insert(loaded.position, std::sync::Arc::new(registry));
        self.as_of = loaded.position;
    }

    fn request(&mut self, figures: &[Figure]) -> wire::SubmitRequest {
        self.keys += 1;
        wire::SubmitRequest {
            idempotency_key: format!("k{}", self.keys),
            source: "world".to_owned(),
            figures: figures.iter().map(|f| on_the_wire(&self.registry, f)).collect(),
            ..wire::SubmitRequest::default()
        }
    }

    /// Sends submissions at the same time. One that contradicts itself comes in two halves instead.
    async fn send(&mut self, submissions: Vec<Vec<Figure>>) {
        let mut waiting: Vec<Vec<Figure>> = submissions.into_iter().filter(|s| !s.is_empty()).collect();
        while !waiting.is_empty() {
            let mut sent = JoinSet::new();
            for figures in std::mem::take(&mut waiting) {
                let request = self.request(&figures);
                let mut client = self.server.ingestion();
                sent.spawn(async move {
                    let answer = client.submit(request.clone()).await;
                    (request, figures, answer)
                });
            }
            for (request, figures, answer) in sent.join_all().await {
                match answer {
                    Ok(answer) => {
                        let answer = answer.into_inner();
                        assert!(!answer.replayed, "a new key is new");
                        let receipt = answer.receipt.expect("a receipt");
                        assert_eq!(receipt.figures as usize, figures.len());
                        assert!(self.taken.insert(receipt.position, (request, figures)).is_none());
                    }
                    Err(status) => {
                        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
                        if figures.len() == 1 {
                            self.skipped += 1;
                            eprintln!("not taken: {:?} {status:?}", figures[0]);
                            continue;
                        }
                        let contradiction = ["duplicate_figure", "numerator_above_denominator"];
                        let contradicts = |c: &String| contradiction.contains(&c.as_str());
                        assert!(codes(&status).iter().all(contradicts), "{status:?}");
                        let (first, second) = figures.split_at(figures.len() / 2);
                        waiting.extend([first.to_vec(), second.to_vec()]);
                    }
                }
            }
        }
    }

    /// Sends what was taken once more.
    async fn replay(&mut self, which: usize) {
        let all: Vec<i64> = self.taken.keys().copied().collect();
        let Some(position) = all.get(which * all.len() / 1000) else { return };
        let before = self.server.head().await;
        let request = self.taken[position].0.clone();
        let answer = self.server.ingestion().submit(request).await.expect("a replay").into_inner();
        let receipt = answer.receipt.expect("a receipt");
        assert_eq!((answer.replayed, receipt.position), (true, *position));
        assert_eq!(self.server.head().await, before, "a replay changes nothing");
    }

    /// All figures, in the order of the ledger.
    fn figures(&self) -> Vec<Figure> {
        self.taken.values().flat_map(|(_, figures)| figures.clone()).collect()
    }

    /// The system's answer: a total, or why there is none.
    async fn answer(&mut self, question: &Question) -> String {
        match self.total(question).await {
            Ok(total) => shown(total),
            Err(status) => {
                let codes: Vec<String> = codes(&status).into_iter().collect();
                format!("refused: {}", codes.join(", "))
            }
        }
    }

    /// A total that includes everything.
    async fn total(&mut self, question: &Question) -> Result<pb::Total, Status> {
        let head = self.server.head().await.position;
        let request = pb::GetTotalsRequest {
            indicator: question.indicator.clone(),
            unit: self.registry.unit(question.unit).code.clone(),
            period: question.period.to_string(),
            breakdown: question.breakdown.to_string(),
            map: question.map.map(|day| day.to_string()).unwrap_or_default(),
            at_least: head,
            ..pb::GetTotalsRequest::default()
        };
        let answer = self.server.query().get_totals(request).await?.into_inner();
        let as_of = answer.as_of.expect("as of").position;
        assert!(as_of >= self.as_of, "{as_of} is before {}", self.as_of);
        assert_eq!(as_of, head, "everything, and nothing after");
        self.as_of = as_of;
        let [total] = answer.totals.try_into().expect("one total");
        Ok(total)
    }

    /// Asks the system and the oracle.
    async fn compare(&mut self, question: &Question, figures: &[Figure]) -> String {
        let registry = std::sync::Arc::clone(&self.registry);
        let answer = self.answer(question).await;
        // The wire names a unit by its code, which on the day asked for may be another unit's.
        let known = registry.indicator(&question.indicator);
        let named = known.map(|indicator| {
            let day = question.map.unwrap_or_else(|| indicator.calendar.last_day(question.period));
            registry.unit_on(&registry.unit(question.unit).code, day)
        });
        let expected = match named {
            Some(UnitLookup::OtherTime(ids)) => {
                let day = question.map.unwrap_or(Date::MIN);
                let there = |level| registry.units().iter().any(|u| u.level == level && u.in_force(day));
                let gone = ids.iter().all(|id| !there(registry.unit(*id).level));
                let refusal = if question.map.is_some() && gone {
                    Refusal::LevelGone { level: String::new(), day }
                } else {
                    Refusal::NotInForce { day }
                };
                told(&registry, question, &Err(refusal))
            }
            Some(UnitLookup::Found(unit)) => {
                let question = Question { unit, ..question.clone() };
                told(&registry, &question, &oracle::total(&registry, figures, &question))
            }
            Some(UnitLookup::Unknown) | None => {
                told(&registry, question, &oracle::total(&registry, figures, question))
            }
        };
        assert!(answer == expected, "asked {question:?}\n{}", beside(&answer, &expected));
        answer
    }
}

impl System {
    /// Asks as of a past position, and the oracle by the registry and the figures of then.
    async fn compare_past(&mut self, question: &Question, position: i64) {
        let known = self.registries.range(..=position).next_back();
        let (then, now) =
            (std::sync::Arc::clone(known.expect("a registry").1), std::sync::Arc::clone(&self.registry));
        let Some(indicator) = then.indicator(&question.indicator) else { return };
        let unit_then = |unit, day| match then.unit_on(&now.unit(unit).code, day) {
            UnitLookup::Found(unit) => Some(unit),
            UnitLookup::OtherTime(_) | UnitLookup::Unknown => None,
        };
        let day = question.map.unwrap_or_else(|| indicator.calendar.last_day(question.period));
        // What cannot be asked for by name is asked about elsewhere.
        let Some(unit) = unit_then(question.unit, day) else { return };
        let figures = self.taken.range(..=position).flat_map(|(_, (_, figures))| figures);
        let figures: Vec<Figure> = figures
            .map(|figure| {
                let of = then.indicator(&figure.indicator).expect("no indicator comes or goes");
                let unit = unit_then(figure.unit, of.calendar.last_day(figure.period));
                Figure { unit: unit.expect("it was taken under that registry"), ..figure.clone() }
            })
            .collect();
        let asked = Question { unit, ..question.clone() };
        let expected = told(&then, &asked, &oracle::total(&then, &figures, &asked));
        let request = pb::GetTotalsRequest {
            indicator: question.indicator.clone(),
            unit: now.unit(question.unit).code.clone(),
            period: question.period.to_string(),
            breakdown: question.breakdown.to_string(),
            map: question.map.map(|day| day.to_string()).unwrap_or_default(),
            as_of: position,
            ..pb::GetTotalsRequest::default()
        };
        let answer = match self.server.query().get_totals(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                assert_eq!(answer.as_of.expect("as of").position, position);
                let [total] = answer.totals.try_into().expect("one total");
                shown(total)
            }
            Err(status) => {
                let codes: Vec<String> = codes(&status).into_iter().collect();
                format!("refused: {}", codes.join(", "))
            }
        };
        assert!(answer == expected, "as of {position}, asked {question:?}\n{}", beside(&answer, &expected));
    }

    /// Positions of the past: the first, one in between, and the last of each registry but the one in force.
    fn past(&self) -> Vec<i64> {
        let positions: Vec<i64> = self.taken.keys().copied().collect();
        let mut past: BTreeSet<i64> = self.registries.keys().skip(1).map(|position| position - 1).collect();
        past.extend(positions.first());
        past.extend(positions.get(positions.len() / 2));
        past.into_iter().collect()
    }
}

/// The system's answer and what it should be, side by side, the lines marked that differ.
fn beside(system: &str, expected: &str) -> String {
    let (mut ours, mut theirs) = (system.lines(), expected.lines());
    let mut out = format!("    {:<40} expected\n", "system");
    loop {
        let (ours, theirs) = (ours.next(), theirs.next());
        if ours.is_none() && theirs.is_none() {
            return out;
        }
        let mark = if ours == theirs { ' ' } else { '*' };
        out += &format!("  {mark} {:<40} {}\n", ours.unwrap_or_default(), theirs.unwrap_or_default());
    }
}

/// A total, a field a line.
fn lines(total: &pb::Total) -> String {
    format!("{total:?}").replace(", ", "\n")
}

/// What of a total the oracle speaks of.
fn shown(total: pb::Total) -> String {
    assert!(total.given.is_empty() || total.reason == "not_aggregable", "{total:?}");
    let bare = pb::Total {
        unit: None,
        indicator: String::new(),
        breakdown: String::new(),
        period: String::new(),
        map: String::new(),
        map_from: String::new(),
        given: vec![],
        unit_of_measure_vi: String::new(),
        unit_of_measure_en: String::new(),
        ..total
    };
    lines(&bare)
}

/// The oracle's answer as the wire has it.
fn told(registry: &Registry, question: &Question, answer: &Result<Total, Refusal>) -> String {
    let total = match answer {
        Ok(total) => total,
        Err(refusal) => {
            let code = match refusal {
                Refusal::UnknownIndicator(_) => "unknown_indicator",
                Refusal::NotItsDimension { .. } => "not_its_dimension",
                Refusal::UnknownMember { .. } => "unknown_member",
                Refusal::OverlappingReporters { .. } => "overlapping_reporters",
                Refusal::RatioAcrossReporters { .. } => "ratio_across_reporters",
                Refusal::WrongGrain { .. } => "wrong_grain",
                Refusal::NotInForce { .. } => "unit_not_in_force",
                Refusal::BelowCollection { .. } => "below_collection_level",
                Refusal::LevelGone { .. } => "not_on_this_map",
                Refusal::MapTooOld { .. } => "map_older_than_period",
            };
            return format!("refused: {code}");
        }
    };
    let indicator = registry.indicator(&question.indicator).unwrap();
    let text = |value: i128| Some(format_decimal(value, indicator.decimals));
    let parts = components(registry, indicator);
    let decimals = parts.iter().map(|i| i.decimals).max().unwrap_or_default();
    let total = pb::Total {
        value: total.value.and_then(|s| text(s.value)),
        reason: total.reason.map(|r| r.code().to_owned()).unwrap_or_default(),
        qualifier: total.value.map(|s| s.qualifier.code().to_owned()).unwrap_or_default(),
        exact_part: total.value.and_then(|s| text(s.exact)),
        basis: total.basis.map(|b| b.code().to_owned()).unwrap_or_default(),
        parts: total.parts.and_then(|s| text(s.value)),
        whole: total.whole.and_then(|s| text(s.value)),
        difference: total.difference.and_then(text),
        reported: total.reported,
        covered: total.covered,
        expected: total.expected,
        unavailable: total.unavailable,
        oldest: total.dates.map(|(oldest, _)| oldest.to_string()).unwrap_or_default(),
        newest: total.dates.map(|(_, newest)| newest.to_string()).unwrap_or_default(),
        numerator: total.pair.map(|p| side(p.numerator.value, decimals, p.millionths)),
        denominator: total.pair.map(|p| side(p.denominator.value, decimals, p.millionths)),
        estimated: total.estimated,
        carried: total.carried,
        ..pb::Total::default()
    };
    lines(&total)
}

/// A side of a ratio: the decimals of its indicators, and as many more as shares of it need.
fn side(value: i128, decimals: u8, millionths: u8) -> String {
    let finest = decimals + 6 * millionths;
    let mut shown = format_decimal(value, finest);
    for _ in 0..finest - decimals {
        if shown.ends_with('0') {
            shown.pop();
        }
    }
    shown.trim_end_matches('.').to_owned()
}

fn components<'r>(registry: &'r Registry, indicator: &Indicator) -> Vec<&'r Indicator> {
    let Kind::Ratio(of) = &indicator.kind else { return vec![] };
    let codes = of.numerator.iter().chain(&of.denominator);
    codes.filter_map(|c| registry.indicator(c).map(AsRef::as_ref)).collect()
}

/// Every unit, for a few periods of one indicator.
fn about_all_units(case: &Case, (which, years): (usize, usize)) -> Vec<Question> {
    let indicators = case.registry.indicators();
    let Some(indicator) = indicators.get(which * indicators.len() / 1000) else { return vec![] };
    let year = [2022, 2021, 2023][years * 3 / 1000];
    let mut periods = vec![Period::Year(year)];
    periods.extend(Period::Year(year).collection_periods(indicator.frequency).into_iter().rev().take(1));
    if years % 3 == 0 {
        periods.push(Period::Span(2021, 2023));
    }
    periods.retain(|p| indicator.takes(p.grain()));
    let side = (years % 2 == 0).then(|| indicator.reporters.first()).flatten();
    let breakdown = side.map_or_else(Breakdown::default, |s| Breakdown::default().with("reporter", s));
    let question = |unit, period| Question {
        unit,
        indicator: indicator.code.clone(),
        breakdown: breakdown.clone(),
        period,
        map: None,
    };
    let units = case.registry.units().iter();
    let reported = units.flat_map(|u| periods.iter().map(move |p| (u.id, *p))).map(|(u, p)| question(u, p));
    let mut out: Vec<Question> = reported.collect();
    // And every unit of today's map restated to it.
    if let Some(map) = case.registry.maps().last()
        && let Some(day) = map.from
    {
        let on_map = |period| map.units().map(move |unit| (unit, period));
        let restated = periods.iter().flat_map(|p| on_map(*p));
        out.extend(restated.map(|(unit, p)| Question { map: Some(day), ..question(unit, p) }));
    }
    out
}

/// The figures that are as valid before the changes of the map are known as after.
fn known_early(early: &Registry, late: &Registry, figure: &Figure) -> bool {
    let indicator = late.indicator(&figure.indicator).unwrap();
    let day = indicator.calendar.last_day(figure.period);
    match early.unit_on(&late.unit(figure.unit).code, day) {
        UnitLookup::Found(unit) => {
            let level = indicator.collection_level;
            early.collects(unit, day, level) == late.collects(figure.unit, day, level)
                && early.unit(unit).level == late.unit(figure.unit).level
        }
        UnitLookup::OtherTime(_) | UnitLookup::Unknown => false,
    }
}

async fn holds(case: Case, course: Course) {
    let mut left = in_order(&case.figures, course.late);
    let draft = tables::draft(&case.registry);
    let mut system = if course.late_reforms {
        let before = tables::draft_before_reforms(&case.registry);
        let early = Registry::build(before.clone(), None).expect("what was before is a registry");
        let mut system = System::start(&case, course.batch_entries, &before).await;
        let (known, later) = left.into_iter().partition(|f| known_early(&early, &case.registry, f));
        left = later;
        let known: Vec<Figure> = known;
        system.send(known.chunks(7).map(<[Figure]>::to_vec).collect()).await;
        system.load("reforms", &draft).await;
        system
    } else {
        System::start(&case, course.batch_entries, &draft).await
    };
    let mut together: Vec<Vec<Figure>> = Vec::new();
    for step in course.steps.iter().cycle() {
        let rest = left.split_off(step.figures.min(left.len()));
        together.push(std::mem::replace(&mut left, rest));
        if !step.together || together.len() == 4 || left.is_empty() {
            system.send(std::mem::take(&mut together)).await;
        }
        if let Some(which) = step.replay {
            system.replay(which).await;
        }
        if let Some(batch_entries) = step.restart {
            system.server.restart(batch_entries).await;
            // What was acknowledged is there, and adds up, wherever the roll-up was.
            let figures = system.figures();
            for question in case.questions.iter().take(2) {
                system.compare(question, &figures).await;
            }
        }
        if left.is_empty() {
            break;
        }
    }
    let figures = system.figures();
    assert_eq!(figures.len() + system.skipped, case.figures.len());
    let mut questions = case.questions.clone();
    questions.extend(about_all_units(&case, course.all_of));
    let mut answers = Vec::with_capacity(questions.len());
    for question in &questions {
        answers.push(system.compare(question, &figures).await);
    }
    for position in system.past() {
        for question in &case.questions {
            system.compare_past(question, position).await;
        }
    }
    system.server.assert_clean().await;
    system.server.rebuild().await;
    for (question, before) in questions.iter().zip(answers) {
        let after = system.answer(question).await;
        assert!(after == before, "after a rebuild, asked {question:?}\n{}", beside(&after, &before));
    }
    system.server.assert_clean().await;
    TRIED.fetch_add(figures.len(), Ordering::Relaxed);
    SKIPPED.fetch_add(system.skipped, Ordering::Relaxed);
    drop(system.server.stop().await);
}

#[test]
fn the_whole_system_answers_as_the_oracle_whatever_happens_on_the_way() {
    let tries = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let config = ProptestConfig {
        cases: tries,
        failure_persistence: None,
        max_shrink_iters: 150,
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    proptest!(config, |(case in cases(), course in course())| {
        runtime.block_on(holds(case, course));
    });
    let (taken, skipped) = (TRIED.load(Ordering::Relaxed), SKIPPED.load(Ordering::Relaxed));
    assert!(skipped * 100 <= taken, "{skipped} figures were not taken, {taken} were");
}

#[test]
fn a_world_goes_through_tables_and_comes_back_the_same() {
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(case in cases())| {
        let again = Registry::build(tables::draft(&case.registry), None).unwrap();
        prop_assert_eq!(again.units(), case.registry.units());
        let links = |r: &Registry| format!("{:?}", r.successions());
        prop_assert_eq!(links(&again), links(&case.registry));
        prop_assert_eq!(format!("{:?}", again.indicators()), format!("{:?}", case.registry.indicators()));
    });
}
