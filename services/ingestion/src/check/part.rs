//! A part is no larger than its whole.
//!
//! Where an indicator is a part of another, a submission that says otherwise contradicts itself. Compared is
//! only what it says of both, of the same unit, scope, period and side: each member that is split on both
//! sides, and the totals where no member of the part stands without its whole. What meets only in the ledger
//! is the roll-up's to find.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tonghop_core::decimal::{MAX_DECIMALS, format_decimal};
use tonghop_core::dimension::{Breakdown, DimensionKind, REPORTER, UNDIVIDED};
use tonghop_core::figure::{Figure, Scope, Statement};
use tonghop_core::indicator::{Indicator, Kind, ReporterOverlap};
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::record::AcceptedFigure;

use crate::finding::{Code, Findings, finding};
use crate::submission::{Field, Place};

/// A ratio whose numerator is a part of its denominator.
struct Rule<'r> {
    numerator: Vec<&'r Indicator>,
    denominator: Vec<&'r Indicator>,
    /// The partitions that all its components have.
    shared: Vec<&'r str>,
    /// Whether sides are kept apart in any component: then they are compared side by side.
    sided: bool,
}

impl<'r> Rule<'r> {
    fn of(registry: &'r Registry, ratio: &'r Indicator) -> Option<Rule<'r>> {
        let Kind::Ratio(of) = &ratio.kind else { return None };
        let all = |codes: &'r [String]| -> Option<Vec<&'r Indicator>> {
            codes.iter().map(|c| registry.indicator(c).map(AsRef::as_ref)).collect()
        };
        if !of.numerator_is_part {
            return None;
        }
        let (numerator, denominator) = (all(&of.numerator)?, all(&of.denominator)?);
        let partition = |d: &str| registry.dimension(d).is_some_and(|d| d.kind == DimensionKind::Partition);
        let components = || numerator.iter().chain(&denominator);
        let first: &'r Indicator = numerator.first()?;
        let shared = first
            .dimensions
            .iter()
            .map(String::as_str)
            .filter(|d| *d != REPORTER && partition(d) && components().all(|c| c.has_dimension(d)));
        let shared = shared.collect();
        let sided = components().any(|c| c.overlap != ReporterOverlap::Single);
        Some(Rule { numerator, denominator, shared, sided })
    }

    /// Components in order, the numerator's first.
    fn components(&self) -> impl Iterator<Item = &'r Indicator> {
        self.numerator.iter().chain(&self.denominator).copied()
    }
}

/// Figures of one submission that are part or whole of one another.
pub(super) struct Parts<'r> {
    rules: Vec<Rule<'r>>,
    figures: HashMap<&'r str, Vec<usize>>,
}

/// One component's figure, under what it is compared.
struct Entry<'f> {
    component: usize,
    /// The side, where sides are kept apart and the component knows them.
    side: Option<&'f str>,
    cell: Breakdown,
    /// The value, at [`MAX_DECIMALS`]; none where it is not available.
    value: Option<i128>,
    place: Place,
}

impl<'r> Parts<'r> {
    pub(super) fn of(registry: &'r Registry) -> Parts<'r> {
        let rules: Vec<_> = registry.indicators().iter().filter_map(|i| Rule::of(registry, i)).collect();
        let components = rules.iter().flat_map(Rule::components).map(|i| (i.code.as_str(), vec![]));
        let figures = components.collect();
        Parts { rules, figures }
    }

    /// Notes the `index`-th accepted figure, which names no member of an overlapping dimension.
    pub(super) fn note(&mut self, figure: &Figure, index: usize) {
        if figure.statement != Statement::Withdrawn
            && let Some(known) = self.figures.get_mut(figure.indicator.as_str())
        {
            known.push(index);
        }
    }

    /// Compares what was noted.
    pub(super) fn check(
        &self,
        registry: &Registry,
        accepted: &[(Place, AcceptedFigure)],
        findings: &mut Findings,
    ) {
        for rule in &self.rules {
            let mut groups: BTreeMap<(UnitId, Scope, Period), Vec<Entry<'_>>> = BTreeMap::new();
            for (n, component) in rule.components().enumerate() {
                for index in self.figures.get(component.code.as_str()).into_iter().flatten() {
                    let (place, accepted) = &accepted[*index];
                    let figure = &accepted.figure;
                    let scale = 10i128.pow(u32::from(MAX_DECIMALS - component.decimals));
                    groups.entry((figure.unit, figure.scope, figure.period)).or_default().push(Entry {
                        component: n,
                        side: figure.breakdown.member(REPORTER).filter(|_| rule.sided),
                        cell: figure.breakdown.only(|d| rule.shared.contains(&d)),
                        value: match figure.statement {
                            Statement::Value(value, _) => Some(i128::from(value) * scale),
                            Statement::NotAvailable(_) | Statement::Withdrawn => None,
                        },
                        place: *place,
                    });
                }
            }
            for ((unit, ..), entries) in groups {
                let known: BTreeSet<Option<&str>> = entries.iter().map(|e| e.side).collect();
                // What knows no sides stands for each of them.
                let sides = known.iter().filter(|s| s.is_some() || known.len() == 1);
                for side in sides {
                    let group: Vec<&Entry<'_>> =
                        entries.iter().filter(|e| e.side.is_none() || e.side == *side).collect();
                    rule.compare(&registry.unit(unit).code, &group, findings);
                }
            }
        }
    }
}

impl Rule<'_> {
    fn compare(&self, unit: &str, group: &[&Entry<'_>], findings: &mut Findings) {
        let mut cells: BTreeMap<&Breakdown, Vec<&Entry<'_>>> = BTreeMap::new();
        for entry in group {
            cells.entry(&entry.cell).or_default().push(entry);
        }
        let mut good = true;
        let mut comparable = true;
        for (cell, entries) in &cells {
            good &= self.holds(unit, entries, findings);
            let there = |part: bool| entries.iter().any(|e| self.is_part(e) == part);
            let split = cell.iter().all(|(_, member)| member != UNDIVIDED);
            comparable &= !(split && there(true) && !there(false));
        }
        if good && comparable && cells.len() > 1 {
            self.holds(unit, group, findings);
        }
    }

    fn is_part(&self, entry: &Entry<'_>) -> bool {
        entry.component < self.numerator.len()
    }

    /// Whether the part is no larger than the whole, as far as every component has a value.
    fn holds(&self, unit: &str, entries: &[&Entry<'_>], findings: &mut Findings) -> bool {
        let components = self.numerator.len() + self.denominator.len();
        let complete = (0..components).all(|n| entries.iter().any(|e| e.component == n));
        if !complete || entries.iter().any(|e| e.value.is_none()) {
            return true;
        }
        let sum = |part: bool| -> i128 {
            entries.iter().filter(|e| self.is_part(e) == part).filter_map(|e| e.value).sum()
        };
        let (part, whole) = (sum(true), sum(false));
        if part <= whole {
            return true;
        }
        let first = |part| entries.iter().find(|e| self.is_part(e) == part).map(|e| e.place);
        let (Some(at), Some(other)) = (first(true), first(false)) else { return true };
        findings.add(|| {
            let names =
                |all: &[&Indicator]| all.iter().map(|i| i.code.as_str()).collect::<Vec<_>>().join(" + ");
            let (n, d) = (names(&self.numerator), names(&self.denominator));
            let got = format!("{n} = {} for unit {unit}", shown(part));
            let expected = format!("at most {}, which is {d} ({other})", shown(whole));
            let hint =
                "a part is no larger than its whole: correct one of the two, or send the whole complete";
            finding(Code::NumeratorAboveDenominator, at.at(Field::Value), got, expected, hint)
        });
        false
    }
}

/// A sum without decimals that say nothing.
fn shown(value: i128) -> String {
    let text = format_decimal(value, MAX_DECIMALS);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
