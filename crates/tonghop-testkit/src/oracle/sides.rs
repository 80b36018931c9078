//! The total over sides that each report their own (§5 `disjoint`; reading 15).

use tonghop_core::quantity::{Amount, Sum};
use tonghop_core::question::{Basis, Reason, Total};

use super::state::both;

/// The sides' totals as one, cells counted per side.
pub(super) fn combined(sides: &[Total]) -> Total {
    let value = sum(sides.iter().filter_map(|t| t.value));
    let parts = sum(sides.iter().filter_map(|t| t.parts));
    let whole = if sides.iter().all(|t| t.whole.is_some()) {
        sum(sides.iter().filter_map(|t| t.whole))
    } else {
        None
    };
    let all_parts = sides.iter().all(|t| t.parts.is_some());
    let count = |of: fn(&Total) -> u64| sides.iter().map(of).sum::<u64>();
    let (covered, expected, unavailable) =
        (count(|t| t.covered), count(|t| t.expected), count(|t| t.unavailable));
    Total {
        value,
        reason: if value.is_some() { None } else { Some(reason(sides)) },
        basis: value.and_then(|_| {
            if covered < expected || unavailable > 0 { Some(Basis::Partial) } else { common_basis(sides) }
        }),
        parts,
        whole,
        difference: whole.zip(parts).filter(|_| all_parts).map(|(w, p)| w.value - p.value),
        pair: None,
        reported: count(|t| t.reported),
        covered,
        expected,
        unavailable,
        dates: sides.iter().fold(None, |dates, t| both(dates, t.dates)),
        estimated: sides.iter().any(|t| t.estimated),
        carried: sides.iter().any(|t| t.carried),
    }
}

fn sum(sums: impl Iterator<Item = Sum>) -> Option<Sum> {
    sums.reduce(|mut a, b| {
        a.add(&b);
        a
    })
}

fn reason(sides: &[Total]) -> Reason {
    let has = |reason| sides.iter().any(|t| t.reason == Some(reason));
    match () {
        () if has(Reason::NotAggregable) => Reason::NotAggregable,
        () if has(Reason::NotAvailable) => Reason::NotAvailable,
        () => Reason::Missing,
    }
}

/// The basis of the sides that have a value if they agree, else computed.
fn common_basis(sides: &[Total]) -> Option<Basis> {
    let mut bases = sides.iter().filter_map(|t| t.basis);
    let first = bases.next()?;
    Some(if bases.all(|b| b == first) { first } else { Basis::Computed })
}
