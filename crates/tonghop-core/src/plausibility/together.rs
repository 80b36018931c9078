//! Figures put together that rules speak of, and which of them contradict a rule.
//!
//! Compared is only what is said of every term, of the same unit, scope, period and side: each member that all terms
//! are split by, and of rules on parts the totals, where no member of the part stands without its whole.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Expression, Relation, Rule};
use crate::decimal::MAX_DECIMALS;
use crate::dimension::{Breakdown, DimensionKind, REPORTER, UNDIVIDED};
use crate::figure::Scope;
use crate::indicator::{Indicator, Kind, ReporterOverlap};
use crate::period::Period;
use crate::registry::Registry;
use crate::unit::UnitId;

/// By what figures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'r> {
    /// A ratio whose numerator is a part of its denominator.
    Ratio(&'r Indicator),
    /// A rule of plausibility.
    Rule(&'r Rule),
}

/// What is compared by a ratio or a rule.
struct Compared<'r> {
    of: Of<'r>,
    /// The indicators of the terms, in order; of a ratio the numerator's first.
    terms: Vec<&'r Indicator>,
    /// How many of the terms are added up for the first side of a ratio.
    numerator: usize,
    /// Of each term, whether the figure of the period before is meant.
    previous: Vec<bool>,
    /// The partitions that all terms have.
    shared: Vec<&'r str>,
    /// Whether sides are kept apart in any term: then they are compared side by side.
    sided: bool,
}

impl<'r> Compared<'r> {
    fn new(
        registry: &'r Registry,
        of: Of<'r>,
        terms: Vec<&'r Indicator>,
        numerator: usize,
        previous: Vec<bool>,
    ) -> Option<Compared<'r>> {
        let partition = |d: &str| registry.dimension(d).is_some_and(|d| d.kind == DimensionKind::Partition);
        let reported = || terms.iter().filter(|t| !t.from_map);
        let first: &'r Indicator = reported().next()?;
        let shared = first.dimensions.iter().map(String::as_str);
        // What the map gives is given for the whole, so that nothing is compared by members.
        let by_member = terms.iter().all(|t| !t.from_map);
        let shared = shared
            .filter(|d| by_member && *d != REPORTER && partition(d) && reported().all(|t| t.has_dimension(d)))
            .collect();
        let sided = reported().any(|t| t.overlap != ReporterOverlap::Single);
        Some(Compared { of, terms, numerator, previous, shared, sided })
    }

    fn ratio(registry: &'r Registry, ratio: &'r Indicator) -> Option<Compared<'r>> {
        let Kind::Ratio(of) = &ratio.kind else { return None };
        if !of.numerator_is_part {
            return None;
        }
        let codes = of.numerator.iter().chain(&of.denominator);
        let terms: Option<Vec<&'r Indicator>> =
            codes.map(|c| registry.indicator(c).map(AsRef::as_ref)).collect();
        let terms = terms?;
        let previous = vec![false; terms.len()];
        Compared::new(registry, Of::Ratio(ratio), terms, of.numerator.len(), previous)
    }

    fn rule(registry: &'r Registry, rule: &'r Rule) -> Option<Compared<'r>> {
        let terms: Option<Vec<&'r Indicator>> = rule
            .expression
            .terms
            .iter()
            .map(|t| registry.indicator(&t.indicator).map(AsRef::as_ref))
            .collect();
        let previous = rule.expression.terms.iter().map(|t| t.previous).collect();
        Compared::new(registry, Of::Rule(rule), terms?, 1, previous)
    }

    /// Whether the first side is a part of the second.
    fn is_of_parts(&self) -> bool {
        match self.of {
            Of::Ratio(_) => true,
            Of::Rule(rule) => rule.expression.relation == Relation::AtMost,
        }
    }

    /// Whether only exact values can be judged.
    fn needs_exact(&self) -> bool {
        matches!(
            self.of,
            Of::Rule(Rule { expression: Expression { relation: Relation::Sum { .. }, .. }, .. })
        )
    }
}

/// Whether a ratio of the registry says already what a rule does.
fn is_said_by_a_ratio(registry: &Registry, rule: &Rule) -> bool {
    let [part, whole] = rule.expression.terms.as_slice() else { return false };
    let same = |codes: &[String], code: &str| matches!(codes, [one] if one == code);
    rule.expression.relation == Relation::AtMost
        && registry.indicators().iter().any(|ratio| match &ratio.kind {
            Kind::Ratio(of) => {
                of.numerator_is_part
                    && same(&of.numerator, &part.indicator)
                    && same(&of.denominator, &whole.indicator)
            }
            Kind::Flow | Kind::Stock => false,
        })
}

/// Figures that are put together, each with where it stands.
pub struct Together<'r, P> {
    compared: Vec<Compared<'r>>,
    /// By indicator, in which comparisons it is a term, and which.
    terms: HashMap<&'r str, Vec<(usize, usize)>>,
    /// Of each comparison.
    noted: Vec<Noted<P>>,
}

impl<P> std::fmt::Debug for Together<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Together").field("comparisons", &self.compared.len()).finish_non_exhaustive()
    }
}

/// What was noted for a comparison.
struct Noted<P> {
    sides: HashMap<String, u32>,
    cells: HashMap<Breakdown, u32>,
    entries: Vec<Entry<P>>,
}

/// What all figures of one indicator and breakdown are to a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    compared: usize,
    term: usize,
    /// The side, counted from 1, where sides are kept apart and the term knows them; else 0.
    side: u32,
    cell: u32,
    /// What values are multiplied by, to be at [`MAX_DECIMALS`].
    scale: i128,
}

/// Of what figures are compared with one another: those of one unit, scope and period.
type Whose = (UnitId, Scope, Period);

/// One term's figure.
#[derive(Clone)]
struct Entry<P> {
    whose: Whose,
    term: usize,
    side: u32,
    cell: u32,
    /// The value, at [`MAX_DECIMALS`], and whether it is exact; none where it is not available.
    value: Option<(i128, bool)>,
    place: P,
}

/// Figures that contradict what they are compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation<'r, P> {
    /// By what they were compared.
    pub of: Of<'r>,
    /// Their unit.
    pub unit: UnitId,
    /// Their scope.
    pub scope: Scope,
    /// Their period.
    pub period: Period,
    /// Of each term its value, at [`MAX_DECIMALS`], and where its first figure stands; nowhere where the map gives it.
    pub terms: Vec<(i128, Option<P>)>,
}

impl<'r, P: Clone> Together<'r, P> {
    /// To compare by the ratios of a registry and by its rules, but those that look back at the period before.
    pub fn within_a_submission(registry: &'r Registry) -> Together<'r, P> {
        let ratios = registry.indicators().iter().filter_map(|i| Compared::ratio(registry, i));
        let rules = registry.rules().iter().filter(|rule| !rule.expression.looks_back());
        let rules = rules.filter(|rule| !is_said_by_a_ratio(registry, rule));
        Together::new(ratios.chain(rules.filter_map(|rule| Compared::rule(registry, rule))).collect())
    }

    /// To compare by some rules of a registry, whatever it says of ratios.
    pub fn by_rules(registry: &'r Registry, rules: impl IntoIterator<Item = &'r Rule>) -> Together<'r, P> {
        let rules = rules.into_iter().filter(|rule| !is_said_by_a_ratio(registry, rule));
        Together::new(rules.filter_map(|rule| Compared::rule(registry, rule)).collect())
    }

    fn new(compared: Vec<Compared<'r>>) -> Together<'r, P> {
        let mut terms: HashMap<&'r str, Vec<(usize, usize)>> = HashMap::new();
        for (at, of) in compared.iter().enumerate() {
            for (term, indicator) in of.terms.iter().enumerate().filter(|(_, i)| !i.from_map) {
                terms.entry(indicator.code.as_str()).or_default().push((at, term));
            }
        }
        let noted = compared
            .iter()
            .map(|_| Noted { sides: HashMap::new(), cells: HashMap::new(), entries: vec![] })
            .collect();
        Together { compared, terms, noted }
    }

    /// What figures of an indicator and breakdown, which names no member of an overlapping dimension, are to the
    /// comparisons: those of the period itself, or as those of the period before.
    pub fn roles(&mut self, indicator: &str, breakdown: &Breakdown, previous: bool) -> Vec<Role> {
        let mut roles = Vec::new();
        for (at, term) in self.terms.get(indicator).into_iter().flatten().copied() {
            let (of, noted) = (&self.compared[at], &mut self.noted[at]);
            if of.previous[term] != previous {
                continue;
            }
            let side = match breakdown.member(REPORTER).filter(|_| of.sided) {
                Some(side) => {
                    let next = noted.sides.len() as u32 + 1;
                    *noted.sides.entry(side.to_owned()).or_insert(next)
                }
                None => 0,
            };
            let next = noted.cells.len() as u32;
            let cell = *noted.cells.entry(breakdown.only(|d| of.shared.contains(&d))).or_insert(next);
            let decimals = of.terms.get(term).map_or(MAX_DECIMALS, |i| i.decimals);
            let scale = 10i128.pow(u32::from(MAX_DECIMALS.saturating_sub(decimals)));
            roles.push(Role { compared: at, term, side, cell, scale });
        }
        roles
    }

    /// Notes a figure that was not withdrawn: its value, and whether that is exact; none where it is not available.
    pub fn note(&mut self, roles: &[Role], whose: Whose, value: Option<(i64, bool)>, place: &P) {
        for Role { compared, term, side, cell, scale } in roles.iter().copied() {
            let value = value.map(|(value, exact)| (i128::from(value) * scale, exact));
            let place = place.clone();
            self.noted[compared].entries.push(Entry { whose, term, side, cell, value, place });
        }
    }

    /// Compares what was noted.
    pub fn violations(self, registry: &Registry) -> Vec<Violation<'r, P>> {
        let mut out = Vec::new();
        for (of, mut noted) in self.compared.iter().zip(self.noted) {
            let there = |n: usize| of.terms[n].from_map || noted.entries.iter().any(|e| e.term == n);
            if noted.entries.is_empty() || !(0..of.terms.len()).all(there) {
                continue;
            }
            noted.entries.sort_by_key(|e| (e.whose, e.term));
            let names = Names::of(&noted);
            for group in noted.entries.chunk_by(|a, b| a.whose == b.whose) {
                let known: BTreeSet<u32> = group.iter().map(|e| names.side[e.side as usize]).collect();
                // What knows no sides stands for each of them.
                for side in known.iter().copied().filter(|s| *s > 0 || known.len() == 1) {
                    let group: Vec<Entry<P>> = group
                        .iter()
                        .filter(|e| e.side == 0 || names.side[e.side as usize] == side)
                        .cloned()
                        .collect();
                    of.compare(registry, &group, &names, &mut out);
                }
            }
        }
        out
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
    fn of<P>(noted: &Noted<P>) -> Names {
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

impl<'r> Compared<'r> {
    fn compare<P: Clone>(
        &self,
        registry: &Registry,
        group: &[Entry<P>],
        names: &Names,
        out: &mut Vec<Violation<'r, P>>,
    ) {
        let mut by_cell = group.to_vec();
        by_cell.sort_by_key(|e| names.cell[e.cell as usize]);
        let mut good = true;
        let mut comparable = self.is_of_parts();
        let mut cells = 0;
        for entries in by_cell.chunk_by(|a, b| a.cell == b.cell) {
            cells += 1;
            good &= self.holds(registry, entries, out);
            let there = |part: bool| entries.iter().any(|e| self.is_part(e) == part);
            comparable &= !(names.split[entries[0].cell as usize] && there(true) && !there(false));
        }
        if good && comparable && cells > 1 {
            self.holds(registry, group, out);
        }
    }

    fn is_part<P>(&self, entry: &Entry<P>) -> bool {
        entry.term < self.numerator
    }

    /// Whether figures of one unit, scope and period stand to one another as they have to, as far as every term has a
    /// value.
    fn holds<P: Clone>(
        &self,
        registry: &Registry,
        entries: &[Entry<P>],
        out: &mut Vec<Violation<'r, P>>,
    ) -> bool {
        let Some((unit, scope, period)) = entries.first().map(|e| e.whose) else { return true };
        let mut terms: Vec<(i128, Option<P>)> = Vec::with_capacity(self.terms.len());
        for (n, indicator) in self.terms.iter().enumerate() {
            if indicator.from_map {
                terms.push((given_by_the_map(registry, indicator, unit, period), None));
                continue;
            }
            let mut of = entries.iter().filter(|e| e.term == n).peekable();
            let Some(place) = of.peek().map(|e| e.place.clone()) else { return true };
            let sum = of.try_fold(0i128, |sum, entry| match entry.value {
                Some((value, exact)) if exact || !self.needs_exact() => sum.checked_add(value),
                _ => None,
            });
            let Some(sum) = sum else { return true };
            terms.push((sum, Some(place)));
        }
        let holds = match self.of {
            Of::Ratio(_) => {
                let (part, whole) = terms.split_at(self.numerator.min(terms.len()));
                let sum = |of: &[(i128, Option<P>)]| of.iter().map(|(value, _)| value).sum::<i128>();
                sum(part) <= sum(whole)
            }
            Of::Rule(rule) => {
                rule.expression.holds(&terms.iter().map(|(value, _)| *value).collect::<Vec<_>>())
            }
        };
        if !holds {
            out.push(Violation { of: self.of, unit, scope, period, terms });
        }
        holds
    }
}

/// How many units of a level there are in a unit on the last day of a period, at [`MAX_DECIMALS`].
fn given_by_the_map(registry: &Registry, indicator: &Indicator, unit: UnitId, period: Period) -> i128 {
    let day = indicator.calendar.last_day(period);
    let map = registry.map_on(day);
    let (mut count, mut stack) = (0i128, vec![unit]);
    while let Some(unit) = stack.pop() {
        if registry.collects(unit, day, indicator.collection_level) {
            count += 1;
        } else {
            stack.extend(map.children(unit).iter());
        }
    }
    count * 10i128.pow(u32::from(MAX_DECIMALS))
}
