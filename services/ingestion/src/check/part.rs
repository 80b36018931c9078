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
use tonghop_runtime::Text;

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
    /// By indicator, in which rules it is a component, and which.
    components: HashMap<&'r str, Vec<(usize, usize)>>,
    /// Of each rule.
    noted: Vec<Noted>,
}

/// What was noted for a rule.
#[derive(Default)]
struct Noted {
    sides: HashMap<String, u32>,
    cells: HashMap<Breakdown, u32>,
    entries: Vec<Entry>,
}

/// What all figures of one indicator and breakdown are to a rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Role {
    rule: usize,
    component: usize,
    /// The side, counted from 1, where sides are kept apart and the component knows them; else 0.
    side: u32,
    cell: u32,
    /// What values are multiplied by, to be at [`MAX_DECIMALS`].
    scale: i128,
}

/// Of what figures are compared with one another: those of one unit, scope and period.
type Whose = (UnitId, Scope, Period);

/// One component's figure.
#[derive(Clone)]
struct Entry {
    whose: Whose,
    component: usize,
    side: u32,
    cell: u32,
    /// The value, at [`MAX_DECIMALS`]; none where it is not available.
    value: Option<i128>,
    place: Place,
}

impl<'r> Parts<'r> {
    pub(super) fn of(registry: &'r Registry) -> Parts<'r> {
        let rules: Vec<_> = registry.indicators().iter().filter_map(|i| Rule::of(registry, i)).collect();
        let mut components: HashMap<&'r str, Vec<(usize, usize)>> = HashMap::new();
        for (rule, of) in rules.iter().enumerate() {
            for (component, indicator) in of.components().enumerate() {
                components.entry(indicator.code.as_str()).or_default().push((rule, component));
            }
        }
        let noted = rules.iter().map(|_| Noted::default()).collect();
        Parts { rules, components, noted }
    }

    /// What figures of an indicator and breakdown, which names no member of an overlapping dimension, are to the
    /// rules.
    pub(super) fn roles(&mut self, indicator: &str, breakdown: &Breakdown) -> Vec<Role> {
        let mut roles = Vec::new();
        for (rule, component) in self.components.get(indicator).into_iter().flatten().copied() {
            let (of, noted) = (&self.rules[rule], &mut self.noted[rule]);
            let side = match breakdown.member(REPORTER).filter(|_| of.sided) {
                Some(side) => {
                    let next = noted.sides.len() as u32 + 1;
                    *noted.sides.entry(side.to_owned()).or_insert(next)
                }
                None => 0,
            };
            let next = noted.cells.len() as u32;
            let cell = *noted.cells.entry(breakdown.only(|d| of.shared.contains(&d))).or_insert(next);
            let decimals = of.components().nth(component).map_or(MAX_DECIMALS, |i| i.decimals);
            let scale = 10i128.pow(u32::from(MAX_DECIMALS - decimals));
            roles.push(Role { rule, component, side, cell, scale });
        }
        roles
    }

    /// Notes a figure that names no member of an overlapping dimension.
    pub(super) fn note_one(&mut self, figure: &Figure, place: &Place) {
        let value = match figure.statement {
            Statement::Value(value, _) => Some(value),
            Statement::NotAvailable(_) => None,
            Statement::Withdrawn => return,
        };
        let roles = self.roles(&figure.indicator, &figure.breakdown);
        self.note(&roles, (figure.unit, figure.scope, figure.period), value, place);
    }

    /// Notes a figure that was not withdrawn; its value is none where it is not available.
    pub(super) fn note(&mut self, roles: &[Role], whose: Whose, value: Option<i64>, place: &Place) {
        for Role { rule, component, side, cell, scale } in roles.iter().copied() {
            let value = value.map(|v| i128::from(v) * scale);
            let place = place.clone();
            self.noted[rule].entries.push(Entry { whose, component, side, cell, value, place });
        }
    }

    /// Compares what was noted.
    pub(super) fn check(self, registry: &Registry, findings: &mut Findings) {
        for (rule, mut noted) in self.rules.iter().zip(self.noted) {
            let there = |n: usize| noted.entries.iter().any(|e| e.component == n);
            if !(0..rule.components().count()).all(there) {
                continue;
            }
            noted.entries.sort_by_key(|e| (e.whose, e.component));
            let names = Names::of(&noted);
            for group in noted.entries.chunk_by(|a, b| a.whose == b.whose) {
                let known: BTreeSet<u32> = group.iter().map(|e| names.side[e.side as usize]).collect();
                // What knows no sides stands for each of them.
                for side in known.iter().copied().filter(|s| *s > 0 || known.len() == 1) {
                    let group: Vec<Entry> = group
                        .iter()
                        .filter(|e| e.side == 0 || names.side[e.side as usize] == side)
                        .cloned()
                        .collect();
                    rule.compare(&registry.unit(group[0].whose.0).code, &group, &names, findings);
                }
            }
        }
    }
}

/// Sides and cells in the order of their names, whichever was noted first.
struct Names {
    /// Of each side as it was noted, its place in that order, counted from 1; 0 for none.
    side: Vec<u32>,
    /// Likewise of each cell, counted from 0.
    cell: Vec<u32>,
    /// Of each cell as it was noted, whether every member of it is split.
    split: Vec<bool>,
}

impl Names {
    fn of(noted: &Noted) -> Names {
        let sides: BTreeMap<&String, u32> = noted.sides.iter().map(|(name, n)| (name, *n)).collect();
        let cells: BTreeMap<&Breakdown, u32> = noted.cells.iter().map(|(name, n)| (name, *n)).collect();
        let mut side = vec![0; sides.len() + 1];
        for (place, n) in sides.into_values().enumerate() {
            side[n as usize] = place as u32 + 1;
        }
        let (mut cell, mut split) = (vec![0; cells.len()], vec![false; cells.len()]);
        for (place, (name, n)) in cells.into_iter().enumerate() {
            cell[n as usize] = place as u32;
            split[n as usize] = name.iter().all(|(_, member)| member != UNDIVIDED);
        }
        Names { side, cell, split }
    }
}

impl Rule<'_> {
    fn compare(&self, unit: &str, group: &[Entry], names: &Names, findings: &mut Findings) {
        let mut by_cell = group.to_vec();
        by_cell.sort_by_key(|e| names.cell[e.cell as usize]);
        let mut good = true;
        let mut comparable = true;
        let mut cells = 0;
        for entries in by_cell.chunk_by(|a, b| a.cell == b.cell) {
            cells += 1;
            good &= self.holds(unit, entries, findings);
            let there = |part: bool| entries.iter().any(|e| self.is_part(e) == part);
            comparable &= !(names.split[entries[0].cell as usize] && there(true) && !there(false));
        }
        if good && comparable && cells > 1 {
            self.holds(unit, group, findings);
        }
    }

    fn is_part(&self, entry: &Entry) -> bool {
        entry.component < self.numerator.len()
    }

    /// Whether the part is no larger than the whole, as far as every component has a value.
    fn holds(&self, unit: &str, entries: &[Entry], findings: &mut Findings) -> bool {
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
        let first = |part| entries.iter().find(|e| self.is_part(e) == part).map(|e| &e.place);
        let (Some(at), Some(other)) = (first(true), first(false)) else { return true };
        findings.add(|| {
            let names =
                |all: &[&Indicator]| all.iter().map(|i| i.code.as_str()).collect::<Vec<_>>().join(" + ");
            let (n, d) = (names(&self.numerator), names(&self.denominator));
            let (part, whole) = (shown(part), shown(whole));
            let got =
                Text::of(format!("{n} = {part} của đơn vị {unit}"), format!("{n} = {part} for unit {unit}"));
            let expected = Text::of(
                format!("nhiều nhất {whole}, là {d} ({})", other.in_vietnamese()),
                format!("at most {whole}, which is {d} ({other})"),
            );
            let hint = Text::of(
                "bộ phận không lớn hơn tổng thể: sửa một trong hai số, hoặc gửi đủ số tổng thể",
                "a part is no larger than its whole: correct one of the two, or send the whole complete",
            );
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
