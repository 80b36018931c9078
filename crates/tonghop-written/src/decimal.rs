//! Exact decimals of any number of decimals, as they were written.

use std::fmt;

/// A number of zero or more, with its decimals as they were written: `2,20` keeps both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    digits: u128,
    decimals: u8,
}

impl Decimal {
    /// The most digits that are read; the largest figure has 15.
    pub const MOST_DIGITS: usize = 24;

    /// Out of digits before and after the mark; nothing where there are too many. Anything but ASCII digits is none.
    pub fn of(whole: &str, fraction: &str) -> Option<Decimal> {
        let significant = whole.trim_start_matches('0');
        if whole.is_empty() || significant.len() + fraction.len() > Decimal::MOST_DIGITS {
            return None;
        }
        let mut digits: u128 = 0;
        for byte in significant.bytes().chain(fraction.bytes()) {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
            digits = digits.checked_mul(10)?.checked_add(digit.into())?;
        }
        Some(Decimal { digits, decimals: u8::try_from(fraction.len()).ok()? })
    }

    /// So many times ten to the power; nothing where that is too large.
    pub(crate) fn times_ten_to(self, power: u8) -> Option<Decimal> {
        let used = self.decimals.min(power);
        let factor = 10u128.checked_pow(u32::from(power - used))?;
        let digits = self.digits.checked_mul(factor)?;
        (digits < 10u128.pow(36)).then_some(Decimal { digits, decimals: self.decimals - used })
    }

    /// Whether the two are the same number, however many decimals they are written with.
    pub fn same_number(self, other: Decimal) -> bool {
        let scaled = |of: Decimal, decimals: u8| {
            10u128.checked_pow(u32::from(decimals - of.decimals)).and_then(|f| of.digits.checked_mul(f))
        };
        let decimals = self.decimals.max(other.decimals);
        matches!((scaled(self, decimals), scaled(other, decimals)), (Some(a), Some(b)) if a == b)
    }
}

/// As a plain decimal, with a point before decimals.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.decimals == 0 {
            return write!(f, "{}", self.digits);
        }
        let scale = 10u128.pow(u32::from(self.decimals));
        let width = usize::from(self.decimals);
        write!(f, "{}.{:0width$}", self.digits / scale, self.digits % scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_show_as_they_were_written() {
        let shown = |whole, fraction| Decimal::of(whole, fraction).map(|d| d.to_string());
        assert_eq!(shown("1332", ""), Some("1332".to_owned()));
        assert_eq!(shown("02", ""), Some("2".to_owned()));
        assert_eq!(shown("2", "20"), Some("2.20".to_owned()));
        assert_eq!(shown("0", "005"), Some("0.005".to_owned()));
        assert_eq!(shown("", "5"), None);
        assert_eq!(shown("1x", ""), None);
        assert_eq!(shown(&"9".repeat(25), ""), None);
    }

    #[test]
    fn a_power_of_ten_uses_up_decimals_first() {
        let of = |whole, fraction, power| {
            Decimal::of(whole, fraction).and_then(|d| d.times_ten_to(power)).map(|d| d.to_string())
        };
        assert_eq!(of("2", "2", 6), Some("2200000".to_owned()));
        assert_eq!(of("1", "2345", 3), Some("1234.5".to_owned()));
        assert_eq!(of("999999999999999999999999", "", 18), None);
    }
}
