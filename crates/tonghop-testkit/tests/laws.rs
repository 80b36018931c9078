//! The laws of the semantics page (§9) on random worlds.
//!
//! `PROPTEST_CASES` sets how many worlds each law is tried on; a failure prints its world as a table.

use std::collections::BTreeMap;
use std::mem::discriminant;

use proptest::prelude::*;
use tonghop_core::Date;
use tonghop_core::dimension::{Breakdown, REPORTER};
use tonghop_core::figure::{Figure, Scope, Statement};
use tonghop_core::indicator::{Aggregable, Indicator, Kind, Precedence, ReporterOverlap};
use tonghop_core::lineage::{Before, Reading, WHOLE};
use tonghop_core::period::{Frequency, Grain, Period};
use tonghop_core::question::{Basis, Question, Refusal, Total, answer};
use tonghop_core::registry::Registry;
use tonghop_core::unit::{Level, Map, UnitId};
use tonghop_testkit::oracle;
use tonghop_testkit::world::{Case, book, cases, compared};

fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(cases);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() }
}

/// Alike, refusals by their kind only.
fn same(a: &Result<Total, Refusal>, b: &Result<Total, Refusal>) -> bool {
    match (a, b) {
        (Err(a), Err(b)) => discriminant(a) == discriminant(b),
        (a, b) => a == b,
    }
}

/// Law 1, from scratch: the core answers every question as the oracle does.
fn agree(case: &Case) -> Result<(), TestCaseError> {
    let book = case.book();
    for question in &case.questions {
        let theirs = oracle::total(&case.registry, &case.figures, question);
        let ours = answer(&case.registry, &book, question);
        prop_assert!(same(&theirs, &ours), "{}", compared(&case.registry, question, &theirs, &ours));
    }
    Ok(())
}

/// Law 5, and what else holds of any one total.
fn bounded(case: &Case, question: &Question, total: &Total) -> Result<(), TestCaseError> {
    let shown = || compared(&case.registry, question, &Ok(total.clone()), &Ok(total.clone()));
    prop_assert!(total.reported <= total.covered, "reported ≤ covered: {}", shown());
    prop_assert!(total.covered <= total.expected, "covered ≤ expected: {}", shown());
    prop_assert!(total.unavailable <= total.covered, "unavailable ≤ covered: {}", shown());
    prop_assert!(total.value.is_some() != total.reason.is_some(), "a value or a reason: {}", shown());
    prop_assert_eq!(total.value.is_some(), total.basis.is_some(), "a value has a basis: {}", shown());
    if let Some(value) = total.value {
        prop_assert!(0 <= value.exact && value.exact <= value.value, "the exact part: {}", shown());
        prop_assert!(total.basis != Some(Basis::Computed) || total.covered == total.expected, "{}", shown());
    }
    if let Some((oldest, newest)) = total.dates {
        prop_assert!(oldest <= newest, "{}", shown());
    }
    let indicator = case.registry.indicator(&question.indicator).unwrap();
    if let (Kind::Ratio(of), Some(value), Some(_)) = (&indicator.kind, total.value, total.pair)
        && of.numerator_is_part
    {
        let one = 10i128.pow(u32::from(indicator.decimals) + if indicator.is_percent() { 2 } else { 0 });
        prop_assert!((0..=one).contains(&value.value), "a part in [0, 1]: {}", shown());
    }
    Ok(())
}

/// Law 2: figures of different keys may come in any order.
fn order_is_nothing(case: &Case, seed: usize) -> Result<(), TestCaseError> {
    let mut figures: Vec<(usize, &Figure)> = case.figures.iter().enumerate().collect();
    // Figures of one key stay in their order: each key's place among the others is drawn anew.
    let draw = |text: String| {
        text.bytes().fold(seed, |h, b| h.wrapping_mul(31).wrapping_add(usize::from(b)) ^ (h >> 7))
    };
    figures.sort_by_key(|(i, figure)| (draw(key(&case.registry, figure)), *i));
    let permuted: Vec<Figure> = figures.into_iter().map(|(_, figure)| figure.clone()).collect();
    let (before, after) = (case.book(), book(&case.registry, &permuted));
    for question in &case.questions {
        let (a, b) = (answer(&case.registry, &before, question), answer(&case.registry, &after, question));
        prop_assert!(a == b, "{}", compared(&case.registry, question, &a, &b));
    }
    Ok(())
}

/// Law 4: of a computed-only flow not by event, with figures of one grain, the nation's headline is the sum of all
/// own figures. Not of nine months where half-years are collected, which tile no year, nor of spans, which overlap.
fn conserved(case: &Case) -> Result<(), TestCaseError> {
    for indicator in case.registry.indicators() {
        let fits = indicator.kind == Kind::Flow
            && indicator.precedence == Precedence::ComputedOnly
            && indicator.aggregable == Aggregable::Sum
            && indicator.overlap != ReporterOverlap::Overlapping
            && indicator.frequency != Frequency::Event;
        for grain in [Grain::Month, Grain::Quarter, Grain::Half, Grain::NineMonths, Grain::Year] {
            let tiles_a_year = (grain, indicator.frequency) != (Grain::NineMonths, Frequency::Half);
            if fits && tiles_a_year && indicator.takes(grain) {
                conserved_of(case, indicator, grain)?;
            }
        }
    }
    Ok(())
}

fn conserved_of(case: &Case, indicator: &Indicator, grain: Grain) -> Result<(), TestCaseError> {
    let counts = |f: &&Figure| {
        f.indicator == indicator.code && f.period.grain() == grain && f.breakdown.member("tag").is_none()
    };
    let figures: Vec<Figure> = case.figures.iter().filter(counts).cloned().collect();
    let book = book(&case.registry, &figures);
    let mut standing = BTreeMap::new();
    for figure in figures.iter().filter(|f| f.scope == Scope::Own) {
        standing.insert(key(&case.registry, figure), (figure.period, &figure.statement));
    }
    for year in 2021..=2025 {
        let question = Question {
            unit: case.registry.nation(),
            indicator: indicator.code.clone(),
            breakdown: Breakdown::default(),
            period: Period::Year(year),
            map: None,
        };
        let own = standing.values().filter(|(period, _)| period.years() == Some((year, year)));
        let sum: i128 = own
            .map(|(_, statement)| match statement {
                Statement::Value(value, _) => i128::from(*value),
                Statement::NotAvailable(_) | Statement::Withdrawn => 0,
            })
            .sum();
        let total = answer(&case.registry, &book, &question);
        let value = total.as_ref().ok().and_then(|t| t.value).map_or(0, |v| v.value);
        let shown = || compared(&case.registry, &question, &total, &total);
        prop_assert_eq!(value, sum, "of {:?} figures, {}", grain, shown());
    }
    Ok(())
}

/// Law 4, the other half: the nation is the same in every map; and of one level, units all of which go on within it sum
/// to what they were.
fn same_in_every_map(case: &Case) -> Result<(), TestCaseError> {
    let (registry, book) = (&case.registry, case.book());
    for question in &case.questions {
        let Some(indicator) = registry.indicator(&question.indicator) else { continue };
        let then = registry.epoch(indicator.calendar.last_day(question.period));
        let adds = indicator.aggregable.over_units() && !matches!(indicator.kind, Kind::Ratio(_));
        for (epoch, map) in registry.maps().iter().enumerate().skip(then + 1) {
            let told = |unit, map| answer(registry, &book, &Question { unit, map, ..question.clone() });
            let nation = registry.nation();
            let (reported, restated) = (told(nation, None), told(nation, map.from));
            prop_assert!(
                same(&reported, &restated),
                "{}",
                compared(registry, question, &reported, &restated)
            );
            for level in (0..=indicator.collection_level.0).map(Level).filter(|_| adds) {
                if !stays_whole(registry, level, (then, epoch)) {
                    continue;
                }
                let sum = |of: &Map, on: Option<Date>| -> i128 {
                    let units = of.units().filter(|unit| registry.unit(*unit).level == level);
                    units.filter_map(|unit| told(unit, on).ok()?.value).map(|sum| sum.value).sum()
                };
                let (before, after) = (sum(&registry.maps()[then], None), sum(map, map.from));
                prop_assert_eq!(before, after, "{:?} of {} on {:?}", level, question.period, map.from);
            }
        }
    }
    Ok(())
}

/// Whether all units of a level go on in full as units of that level, and these come from nowhere else.
fn stays_whole(registry: &Registry, level: Level, (then, last): (usize, usize)) -> bool {
    (then + 1..=last).all(|epoch| {
        let of_level =
            |epoch: usize| registry.maps()[epoch].units().filter(|unit| registry.unit(*unit).level == level);
        let mut given: BTreeMap<UnitId, u32> = of_level(epoch - 1).map(|unit| (unit, 0)).collect();
        for unit in of_level(epoch) {
            match registry.before(epoch, unit, Reading::Restated) {
                Before::Same => *given.entry(unit).or_default() += WHOLE,
                Before::Of(sources) => {
                    sources.iter().for_each(|s| *given.entry(s.unit).or_default() += s.shares[s.at]);
                }
            }
        }
        given.iter().all(|(unit, share)| *share == WHOLE && registry.unit(*unit).level == level)
    })
}

/// What a figure is kept under (§1, §5).
fn key(registry: &Registry, figure: &Figure) -> String {
    let single = registry.indicator(&figure.indicator).unwrap().overlap == ReporterOverlap::Single;
    let breakdown = figure.breakdown.only(|d| !(single && d == REPORTER));
    format!("{:?} {} {} {:?} {breakdown}", figure.unit, figure.indicator, figure.period, figure.scope)
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn the_core_answers_as_the_oracle(case in cases()) {
        agree(&case)?;
    }
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn totals_keep_their_bounds(case in cases()) {
        for question in &case.questions {
            if let Ok(total) = oracle::total(&case.registry, &case.figures, question) {
                bounded(&case, question, &total)?;
            }
        }
    }

    #[test]
    fn the_order_of_different_keys_is_nothing(case in cases(), seed in 1..1_000_000usize) {
        order_is_nothing(&case, seed)?;
    }

    #[test]
    fn what_is_computed_only_is_conserved(case in cases()) {
        conserved(&case)?;
    }

    #[test]
    fn every_map_comes_to_the_same(case in cases()) {
        same_in_every_map(&case)?;
    }
}
