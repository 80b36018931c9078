//! How much of a unit went on as another, exactly.

use std::fmt;

/// Decimals of the shares that a registry gives.
const GIVEN: u32 = 6;

/// A share of a unit, above 0 and at most 1.
///
/// Shares of several changes after one another multiply, so a share has as many decimals as it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The share is this over 10 to the power of `decimals`; no zero stands at its end.
    numerator: u128,
    decimals: u32,
}

impl Share {
    /// All of it.
    pub const WHOLE: Share = Share { numerator: 1, decimals: 0 };

    /// Of millionths, as successions have it.
    pub fn of_millionths(millionths: u32) -> Share {
        Share { numerator: u128::from(millionths), decimals: GIVEN }.trimmed()
    }

    /// Whether it is all.
    pub fn is_whole(self) -> bool {
        self == Share::WHOLE
    }

    /// The share of a share; none where it is finer than 38 digits say.
    #[must_use]
    pub fn of(self, other: Share) -> Option<Share> {
        let numerator = self.numerator.checked_mul(other.numerator)?;
        Some(Share { numerator, decimals: self.decimals + other.decimals }.trimmed())
    }

    /// Two shares of one unit together; none where that is finer than 38 digits say.
    #[must_use]
    pub fn and(self, other: Share) -> Option<Share> {
        let decimals = self.decimals.max(other.decimals);
        let scaled = |s: Share| 10u128.checked_pow(decimals - s.decimals)?.checked_mul(s.numerator);
        Some(Share { numerator: scaled(self)?.checked_add(scaled(other)?)?, decimals }.trimmed())
    }

    fn trimmed(mut self) -> Share {
        while self.decimals > 0 && self.numerator.is_multiple_of(10) {
            self.numerator /= 10;
            self.decimals -= 1;
        }
        self
    }
}

/// As a plain decimal: `1`, `0.25`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.decimals == 0 {
            return write!(f, "{}", self.numerator);
        }
        let digits = format!("{:0>1$}", self.numerator, self.decimals as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.decimals as usize);
        write!(f, "{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(millionths: u32) -> Share {
        Share::of_millionths(millionths)
    }

    #[test]
    fn shares_multiply_and_add_exactly() {
        assert_eq!(share(1_000_000), Share::WHOLE);
        assert_eq!(share(250_000).of(share(500_000)), Some(share(125_000)));
        assert_eq!(share(333_333).of(share(1)).unwrap().to_string(), "0.000000333333");
        assert_eq!(share(333_333).and(share(666_667)), Some(Share::WHOLE));
        assert_eq!(
            share(250_000).of(share(1)).unwrap().and(share(750_000)).unwrap().to_string(),
            "0.75000025"
        );
    }

    #[test]
    fn what_is_too_fine_is_none_and_not_rounded() {
        let fine = (0..6).try_fold(Share::WHOLE, |all, _| all.of(share(333_333)));
        assert!(fine.is_some());
        assert_eq!(fine.and_then(|f| f.of(share(333_333))), None);
        assert_eq!(fine.and_then(|f| f.and(Share::WHOLE)).map(|s| s.to_string().len()), Some(38));
    }
}
