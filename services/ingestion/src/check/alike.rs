//! Figures that are alike but for their unit and their value, checked once.
//!
//! What this accepts is what [`check`](super::check) accepts without a finding, and without a warning but of
//! plausibility; the property tests hold the two against one another. It explains nothing: whatever it does not accept is checked figure by
//! figure, which finds the words for it.

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use tonghop_access::{Grant, Reach};
use tonghop_core::Date;
use tonghop_core::decimal::MAX_FIGURE;
use tonghop_core::figure::{Scope, Statement};
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::plausibility::Role;
use tonghop_core::quantity::Qualifier;
use tonghop_core::registry::Registry;
use tonghop_core::unit::{Level, UnitId};
use tonghop_proto::record::document::Skeleton;
use tonghop_proto::record::{Columns, Heading, Said};
use tonghop_runtime::Finding;

use super::part::{self, Parts};
use super::{Checker, Under, unit};
use crate::alike::Alike;
use crate::finding::Findings;
use crate::locks::Locks;
use crate::submission::{Limits, Place, RawSubmission};

/// A submission that was accepted for its kinds of figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its figures, in the order given.
    pub figures: Columns,
    /// What its document has beside them, where it can be written again from them.
    pub skeleton: Option<Skeleton>,
    /// What is remarkable and does not hinder: what rules of plausibility say.
    pub warnings: Vec<Finding>,
}

/// What units may be checked together: those of one day, level of collection and scope.
type Class = (Date, Level, Scope);

/// What all figures of a kind have in common.
struct Known<'r> {
    indicator: &'r Indicator,
    class: usize,
    /// The number of series, place, period and scope: two figures of one unit with one number have one key.
    key: usize,
    period: Period,
    scope: Scope,
    /// Whether there is a value, and whether it is exact.
    has_value: Option<bool>,
    /// What a number as it is written is multiplied by.
    scale: i64,
    /// What it is to rules on parts; nothing for most.
    roles: Vec<Role>,
}

/// Units of one class by their place in the submission's list.
struct Row<'r> {
    class: Class,
    /// Those that may be reported for.
    reach: Reach<'r>,
    /// None where not yet looked up.
    units: Vec<Option<Local>>,
}

#[derive(Clone, Copy)]
struct Local {
    id: UnitId,
    /// The unit's number among those of the submission.
    number: usize,
}

/// Accepts a submission that has nothing wrong, and nothing remarkable but what rules of plausibility say; nothing where
/// it has, or may have.
pub fn accept(registry: &Registry, alike: Alike<'_>, limits: &Limits) -> Option<Accepted> {
    accept_from(&Grant::all(), registry, alike, limits)
}

/// [`accept`]s a submission of somebody who may report for the units and sides of a grant only.
pub fn accept_from(
    grant: &Grant,
    registry: &Registry,
    alike: Alike<'_>,
    limits: &Limits,
) -> Option<Accepted> {
    accept_under(&Under { grant, registry, locks: &Locks::default(), now: Timestamp::MIN }, alike, limits)
}

/// The same where periods may be closed: figures of a period that somebody has closed, or opened again, are left to be
/// checked one by one.
pub fn accept_under(under: &Under<'_>, alike: Alike<'_>, limits: &Limits) -> Option<Accepted> {
    let Under { grant, registry, .. } = *under;
    let Alike { source, note, kinds, units, unit, kind, number, mut skeleton } = alike;
    // Codes and numbers are no longer than this here, and of characters that can be seen.
    if unit.is_empty() || unit.len() > limits.max_figures || limits.max_text < crate::alike::LONGEST {
        return None;
    }
    let decimals: Vec<u8> = kinds.iter().map(|k| k.decimals).collect();
    let firsts = kinds.into_iter().map(|k| k.first).collect();
    // The first figure of each kind stands for the others; that is all the usual check is asked.
    let raw = RawSubmission { source, note, figures: firsts, ..RawSubmission::default() };
    let mut checker = Checker::new(*under, limits, Findings::default());
    checker.submission(&raw);
    let mut parts = Parts::within_a_submission(registry);
    let (mut headings, mut known) = (Vec::with_capacity(decimals.len()), Vec::with_capacity(decimals.len()));
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut keys: FxHashMap<(u32, Period, Scope), usize> = FxHashMap::default();
    for (first, decimals) in raw.figures.iter().zip(&decimals) {
        let one = checker.figure(first)?;
        let (figure, indicator) = (&one.accepted.figure, one.indicator);
        if under.locks.on(indicator, figure.period).next().is_some() {
            return None;
        }
        let class: Class =
            (indicator.calendar.last_day(figure.period), indicator.collection_level, figure.scope);
        let row = rows.iter().position(|r| r.class == class).unwrap_or_else(|| {
            rows.push(Row { class, reach: grant.on(registry, class.0), units: vec![None; units.len()] });
            rows.len() - 1
        });
        let next = keys.len();
        let said = match &figure.statement {
            Statement::Value(_, qualifier) => Said::Value(*qualifier),
            Statement::NotAvailable(reason) => Said::NotAvailable(reason.clone()),
            Statement::Withdrawn => Said::Withdrawn,
        };
        let compared = !one.tagged && said != Said::Withdrawn;
        known.push(Known {
            indicator,
            class: row,
            key: *keys.entry((one.place, figure.period, figure.scope)).or_insert(next),
            period: figure.period,
            scope: figure.scope,
            has_value: match said {
                Said::Value(qualifier) => Some(qualifier == Qualifier::Exact),
                Said::NotAvailable(_) | Said::Withdrawn => None,
            },
            scale: 10i64.pow(u32::from(indicator.decimals.checked_sub(*decimals)?)),
            roles: if compared { parts.roles(&figure.indicator, &figure.breakdown, false) } else { vec![] },
        });
        headings.push(Heading {
            indicator: figure.indicator.clone(),
            breakdown: figure.breakdown.clone(),
            period: figure.period,
            scope: figure.scope,
            said,
            programmes: one.accepted.programmes,
        });
    }
    if !checker.findings.is_empty() || !checker.warnings.is_empty() {
        return None;
    }
    if let Some(skeleton) = &mut skeleton {
        for ((template, known), decimals) in skeleton.templates.iter_mut().zip(&known).zip(&decimals) {
            template.left_out = known.indicator.decimals - decimals;
        }
    }

    let mut numbers: FxHashMap<UnitId, usize> = FxHashMap::default();
    let mut seen = Seen { keys: keys.len(), bits: Vec::new() };
    let mut value = Vec::with_capacity(number.len());
    for (i, ((unit, kind), number)) in unit.iter().zip(&kind).zip(&number).enumerate() {
        let of = &known[*kind as usize];
        let row = &mut rows[of.class];
        let local = match row.units[*unit as usize] {
            Some(local) => local,
            None => {
                let (day, _, scope) = row.class;
                let id = unit::plain(registry, units[*unit as usize], of.indicator, day, scope)?;
                if !row.reach.covers(id) {
                    return None;
                }
                let next = numbers.len();
                let local = Local { id, number: *numbers.entry(id).or_insert(next) };
                row.units[*unit as usize] = Some(local);
                local
            }
        };
        if seen.again(local.number, of.key) {
            return None;
        }
        let scaled = i64::try_from(*number).ok()?.checked_mul(of.scale)?;
        if scaled > MAX_FIGURE {
            return None;
        }
        if !of.roles.is_empty() {
            let said = of.has_value.map(|exact| (scaled, exact));
            parts.note(&of.roles, (local.id, of.scope, of.period), said, &Place::Item(i));
        }
        value.push(scaled);
    }
    let (mut findings, mut warnings) = (Findings::default(), Findings::default());
    part::check(parts, registry, &mut findings, &mut warnings);
    if !findings.is_empty() {
        return None;
    }
    let units = units.into_iter().map(str::to_owned).collect();
    let figures = Columns::new(units, headings, unit, kind, value).ok()?;
    Some(Accepted { figures, skeleton, warnings: warnings.into_vec() })
}

/// Which keys were there.
struct Seen {
    keys: usize,
    bits: Vec<u64>,
}

impl Seen {
    /// Whether a key of a unit was there before; it is now.
    fn again(&mut self, unit: usize, key: usize) -> bool {
        let place = unit * self.keys + key;
        let (word, bit) = (place / 64, 1 << (place % 64));
        if word >= self.bits.len() {
            self.bits.resize((word + 1).max(2 * self.bits.len()), 0);
        }
        let was = self.bits[word] & bit != 0;
        self.bits[word] |= bit;
        was
    }
}
