//! Totals beside one another: change over time, the share of a whole, places among peers.
//!
//! Nothing is said that the totals do not bear: where two of them do not speak of the same thing, there is a reason
//! in place of a number.

use std::collections::BTreeMap;

use crate::decimal::divide_rounded;
use crate::indicator::{Aggregable, Indicator, Kind};
use crate::question::{Reason, Refusal, Total};

/// Decimals of a percentage.
pub const PERCENT_DECIMALS: u8 = 2;
/// From a quotient to a percentage in units of its last decimal.
const PERCENT_SHIFT: u32 = 2 + PERCENT_DECIMALS as u32;

/// Why two totals are not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomparable {
    /// There is no such other period.
    NoPeriod,
    /// One of them is not answered.
    Refused,
    /// One of them has no value, for this reason.
    NoValue(Reason),
    /// The unit's territory became another between the two periods.
    Territory,
    /// They do not speak for the same part of their cells.
    Coverage,
    /// Values of this kind are no parts of a whole.
    NotAdditive,
    /// Whoever asks may not read the other.
    NotPermitted,
}

impl Incomparable {
    /// The code used on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Incomparable::NoPeriod => "no_period",
            Incomparable::Refused => "refused",
            Incomparable::NoValue(reason) => reason.code(),
            Incomparable::Territory => "territory",
            Incomparable::Coverage => "coverage",
            Incomparable::NotAdditive => "not_additive",
            Incomparable::NotPermitted => "not_permitted",
        }
    }
}

/// How a value changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The later value less the earlier one, in units of the indicator's last decimal.
    pub difference: i128,
    /// That in percent of the earlier value, in units of its [last decimal](PERCENT_DECIMALS), rounded half away from
    /// zero; none where the earlier value is zero.
    pub percent: Option<i128>,
}

/// What an answer came to.
pub type Answered = Result<Total, Refusal>;

fn value(answer: &Answered) -> Result<(&Total, i128), Incomparable> {
    let total = answer.as_ref().map_err(|_| Incomparable::Refused)?;
    match total.value {
        Some(sum) => Ok((total, sum.value)),
        None => Err(Incomparable::NoValue(total.reason.unwrap_or(Reason::Missing))),
    }
}

/// The change from an earlier total to a later one of the same territory.
///
/// # Errors
/// Where one has no value, or they speak for different parts of their cells: a sum over half of the communes is no
/// decline from one over all of them.
pub fn change(earlier: &Answered, later: &Answered) -> Result<Change, Incomparable> {
    let (later, now) = value(later)?;
    let (earlier, then) = value(earlier)?;
    let part = |covered: u64, of: u64| u128::from(covered) * u128::from(of);
    if part(later.covered, earlier.expected) != part(earlier.covered, later.expected) {
        return Err(Incomparable::Coverage);
    }
    let difference = now - then;
    Ok(Change { difference, percent: divide_rounded(difference, then, PERCENT_SHIFT) })
}

/// How much of the total of a whole another total is: in percent, in units of its [last decimal](PERCENT_DECIMALS),
/// rounded half away from zero.
///
/// # Errors
/// Where one has no value, one does not speak for all its cells, the whole is zero, or the indicator's values do not
/// add up over units.
pub fn share(indicator: &Indicator, part: &Answered, whole: &Answered) -> Result<i128, Incomparable> {
    if matches!(indicator.kind, Kind::Ratio(_)) || indicator.aggregable != Aggregable::Sum {
        return Err(Incomparable::NotAdditive);
    }
    let (part, of_part) = value(part)?;
    let (whole, of_whole) = value(whole)?;
    if part.covered != part.expected || whole.covered != whole.expected {
        return Err(Incomparable::Coverage);
    }
    divide_rounded(of_part, of_whole, PERCENT_SHIFT).ok_or(Incomparable::NoValue(Reason::Undefined))
}

/// The places of some values among each other, 1 for the largest. Equal values have equal places, and the next value
/// is as many places behind as there are larger ones.
pub fn places(values: impl IntoIterator<Item = i128>) -> BTreeMap<i128, u32> {
    let mut counts: BTreeMap<i128, u32> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut place = 1;
    for count in counts.values_mut().rev() {
        let here = place;
        place += *count;
        *count = here;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::{Qualifier, Sum};

    fn total(value: i64, covered: u64, expected: u64) -> Answered {
        let value = Some(Sum::of(value, Qualifier::Exact));
        Ok(Total { value, covered, expected, ..Total::default() })
    }

    fn nothing(reason: Reason) -> Answered {
        Ok(Total { reason: Some(reason), ..Total::default() })
    }

    #[test]
    fn a_change_is_exact_and_its_percentage_rounded_once() {
        let changed = |then, now| change(&total(then, 4, 4), &total(now, 4, 4));
        assert_eq!(changed(8, 9), Ok(Change { difference: 1, percent: Some(1250) }));
        assert_eq!(changed(9, 8), Ok(Change { difference: -1, percent: Some(-1111) }));
        assert_eq!(changed(16_000, 16_001), Ok(Change { difference: 1, percent: Some(1) }));
        assert_eq!(changed(0, 5), Ok(Change { difference: 5, percent: None }));
        assert_eq!(changed(7, 7), Ok(Change { difference: 0, percent: Some(0) }));
    }

    #[test]
    fn totals_of_different_parts_of_their_cells_are_not_compared() {
        assert_eq!(change(&total(5, 3, 4), &total(5, 4, 4)), Err(Incomparable::Coverage));
        assert_eq!(change(&total(5, 4, 4), &total(5, 3, 4)), Err(Incomparable::Coverage));
        // The same part: 108 of 10,035 communes both times; or all, of however many.
        assert!(change(&total(5, 108, 10_035), &total(6, 108, 10_035)).is_ok());
        assert!(change(&total(5, 11_000, 11_000), &total(6, 3_321, 3_321)).is_ok());
        assert_eq!(
            change(&nothing(Reason::NotAvailable), &total(6, 1, 1)),
            Err(Incomparable::NoValue(Reason::NotAvailable))
        );
        let refused = Err(Refusal::UnknownIndicator("x".into()));
        assert_eq!(change(&refused, &total(6, 1, 1)), Err(Incomparable::Refused));
    }

    #[test]
    fn equal_values_share_a_place() {
        let places = places([7, 3, 7, 9, 0, 3]);
        let of = |value: i128| places[&value];
        assert_eq!((of(9), of(7), of(3), of(0)), (1, 2, 4, 6));
    }
}
