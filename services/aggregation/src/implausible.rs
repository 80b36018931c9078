//! What rules of plausibility say of figures once they are beside all others: findings of the submission that brought the
//! last of them, kept with its figures. Nothing is refused here any more, whatever a rule's severity is.

use std::collections::{BTreeMap, BTreeSet};

use tonghop_core::decimal::{MAX_DECIMALS, format_decimal};
use tonghop_core::dimension::{Breakdown, REPORTER};
use tonghop_core::figure::{Scope, Series};
use tonghop_core::indicator::{Indicator, ReporterOverlap};
use tonghop_core::period::Period;
use tonghop_core::plausibility::{Of, Rule, Severity, Together, Violation};
use tonghop_core::quantity::Qualifier;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::ingestion::Finding;
use tonghop_runtime::Text;
use tonghop_tiles::Said;

use crate::prepared::Prepared;
use crate::series::{Place, SeriesTable};
use crate::shelf::Shelves;
use crate::whole_findings::in_both;

/// Findings of one submission at most: as many as its receipt lists.
const MOST: usize = 1000;

/// Rules by the indicators whose figures they speak of, those of the period before left aside.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Places among the registry's rules.
    by_indicator: BTreeMap<String, Vec<usize>>,
}

/// The figures of a period in one province that rules speak of.
type Group = (Period, UnitId);

impl Rules {
    pub(crate) fn of(registry: &Registry) -> Rules {
        let mut by_indicator: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, rule) in registry.rules().iter().enumerate() {
            let terms = rule.expression.terms.iter().filter(|term| !term.previous);
            let codes: BTreeSet<&String> = terms.map(|term| &term.indicator).collect();
            for code in codes {
                by_indicator.entry(code.clone()).or_default().push(at);
            }
        }
        Rules { by_indicator }
    }

    /// Whether rules speak of an indicator's figures.
    pub(crate) fn speak_of(&self, code: &str) -> bool {
        self.by_indicator.contains_key(code)
    }

    /// What a submission says that rules speak of: by period and province, which rules.
    fn spoken_of(&self, table: &SeriesTable, one: &Prepared) -> BTreeMap<Group, BTreeSet<usize>> {
        let mut out: BTreeMap<Group, BTreeSet<usize>> = BTreeMap::new();
        if self.by_indicator.is_empty() {
            return out;
        }
        for part in &one.parts {
            let known = table.get(part.place.series);
            if is_tagged(&known.series) {
                continue;
            }
            if let Some(rules) = self.by_indicator.get(&known.indicator.code) {
                out.entry((part.period, part.place.keeper)).or_default().extend(rules);
            }
        }
        out
    }

    /// The places that are read to find what is implausible about a submission.
    pub(crate) fn places(
        &self,
        registry: &Registry,
        table: &mut SeriesTable,
        one: &Prepared,
    ) -> BTreeSet<Place> {
        let mut out = BTreeSet::new();
        for ((period, keeper), rules) in self.spoken_of(table, one) {
            for (indicator, _, period) in terms(registry, &rules, period) {
                let year = indicator.calendar.year_of(indicator.calendar.last_day(period));
                for series in series_of(indicator) {
                    out.extend(table.id(registry, &series).map(|series| Place { series, keeper, year }));
                }
            }
        }
        out
    }

    /// Findings on the figures of one submission, after all of them were put in.
    pub(crate) fn find(
        &self,
        registry: &Registry,
        table: &SeriesTable,
        shelves: &Shelves,
        one: &Prepared,
    ) -> Vec<Finding> {
        let mut out = Vec::new();
        for ((period, keeper), rules) in self.spoken_of(table, one) {
            let of_rules = rules.iter().filter_map(|at| registry.rules().get(*at));
            // Of each figure, whether it is the submission's own.
            let mut together: Together<'_, bool> = Together::by_rules(registry, of_rules);
            for (indicator, previous, at) in terms(registry, &rules, period) {
                let year = indicator.calendar.year_of(indicator.calendar.last_day(at));
                for series in series_of(indicator) {
                    let Some(id) = table.find(&series) else { continue };
                    let place = Place { series: id, keeper, year };
                    let tile = shelves.tiles(&place).find(|(of, _)| *of == at);
                    let Some((_, held)) = tile else { continue };
                    note(&mut together, indicator, &series, previous, period, one, &held.body);
                }
            }
            for violation in together.violations(registry) {
                let Of::Rule(rule) = violation.of else { continue };
                let is_own = violation.terms.iter().any(|(_, own)| *own == Some(true));
                if is_own && out.len() < MOST {
                    out.push(implausible(registry, rule, &violation));
                }
            }
        }
        out
    }
}

/// Puts the current figures of a tile to those that are compared.
fn note(
    together: &mut Together<'_, bool>,
    indicator: &Indicator,
    series: &Series,
    previous: bool,
    period: Period,
    one: &Prepared,
    body: &tonghop_tiles::TileBody,
) {
    // Few breakdowns are in one tile.
    let mut known = BTreeMap::new();
    for entry in body.entries() {
        let revision = entry.latest();
        let value = match revision.said {
            Said::Value(value, qualifier) => Some((value, qualifier == Qualifier::Exact)),
            Said::NotAvailable(_) => None,
            Said::Withdrawn => continue,
        };
        let roles = known.entry((entry.members, revision.reporter)).or_insert_with(|| {
            let mut breakdown = Breakdown::parse(entry.members).unwrap_or_default();
            let side = series.tags.member(REPORTER).unwrap_or(revision.reporter);
            if !side.is_empty() {
                breakdown = breakdown.with(REPORTER, side);
            }
            together.roles(&indicator.code, &breakdown, previous)
        });
        let own = !previous && revision.position == one.receipt.position;
        together.note(roles, (entry.unit, entry.scope, period), value, &own);
    }
}

/// Whether figures of a series are for a member of an overlapping dimension: rules do not speak of these.
fn is_tagged(series: &Series) -> bool {
    series.tags.iter().any(|(dimension, _)| dimension != REPORTER)
}

/// The indicators that rules speak of, each once, with whether that of the period before is meant, and the period.
fn terms<'r>(
    registry: &'r Registry,
    rules: &BTreeSet<usize>,
    period: Period,
) -> Vec<(&'r Indicator, bool, Period)> {
    let rules = rules.iter().filter_map(|at| registry.rules().get(*at));
    let terms: BTreeSet<(&String, bool)> =
        rules.flat_map(|rule| &rule.expression.terms).map(|term| (&term.indicator, term.previous)).collect();
    let known = terms.into_iter().filter_map(|(code, previous)| {
        let period = if previous { period.previous()? } else { period };
        Some((&**registry.indicator(code)?, previous, period))
    });
    known.filter(|(indicator, _, _)| !indicator.from_map).collect()
}

/// The series of an indicator that are for no member of an overlapping dimension.
fn series_of(indicator: &Indicator) -> Vec<Series> {
    let of = |tags| Series { indicator: indicator.code.clone(), tags };
    match indicator.overlap {
        ReporterOverlap::Single => vec![of(Breakdown::default())],
        ReporterOverlap::Disjoint | ReporterOverlap::Overlapping => {
            let sides = indicator.reporters.iter();
            sides.map(|side| of(Breakdown::default().with(REPORTER, side))).collect()
        }
    }
}

/// How a figure is named in a finding of the whole.
fn named(registry: &Registry, unit: UnitId, indicator: &str, period: Period, scope: Scope) -> String {
    format!("{} {indicator} {period} {}", registry.unit(unit).code, scope.code())
}

fn implausible(registry: &Registry, rule: &Rule, violation: &Violation<'_, bool>) -> Finding {
    let Violation { unit, scope, period, terms, .. } = violation;
    let said = rule.expression.terms.iter().zip(terms);
    let about: Vec<String> = said
        .clone()
        .filter(|(_, (_, own))| *own == Some(true))
        .map(|(term, _)| named(registry, *unit, &term.indicator, *period, *scope))
        .collect();
    let [vi, en] = [("kỳ trước ", "của"), ("previous ", "for")].map(|(before, of)| {
        let values = said.clone().map(|(term, (value, _))| {
            let before = if term.previous { before } else { "" };
            format!("{before}{} = {}", term.indicator, shown(*value))
        });
        format!("{} {of} {}", values.collect::<Vec<_>>().join(", "), registry.unit(*unit).code)
    });
    let hint = match rule.severity {
        Severity::Error => Text::of(
            "các số này mâu thuẫn với nhau: hãy gửi báo cáo sau với số đúng cho số bị sai",
            "these numbers contradict one another: send a later submission for the one that is wrong",
        ),
        Severity::Warn => Text::of(
            "hãy kiểm tra lại các số này, nếu sai thì gửi báo cáo sau với số đúng",
            "look at these numbers again, and send a later submission where one is wrong",
        ),
    };
    Finding {
        code: "implausible".into(),
        path: about.first().cloned().unwrap_or_default(),
        about,
        ..in_both(
            Text::of(vi, en),
            Text::of(
                format!("{} (quy tắc {})", rule.written, rule.code),
                format!("{} (rule {})", rule.written, rule.code),
            ),
            hint,
        )
    }
}

/// A sum without decimals that say nothing.
fn shown(value: i128) -> String {
    let text = format_decimal(value, MAX_DECIMALS);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
