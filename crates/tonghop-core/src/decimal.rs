//! Exact decimals: an integer in units of the last decimal.

use std::fmt;

/// The largest figure accepted, in units of the indicator's last decimal. Every sum of figures is kept in 128
/// bits, so no sum of fewer than 10²³ of them can overflow.
pub const MAX_FIGURE: i64 = 999_999_999_999_999;

/// The most decimals an indicator may have.
pub const MAX_DECIMALS: u8 = 6;

/// Why a text is not a value of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not digits with at most one point.
    #[error("not a plain decimal number: write digits only, with a point before decimals, as in 37853")]
    NotANumber,
    /// Below zero.
    #[error("a reported value cannot be negative")]
    Negative,
    /// Decimals where the indicator counts whole things.
    #[error("a fraction where whole things are counted")]
    Fraction,
    /// More decimals than the indicator has.
    #[error("more decimals than the indicator has")]
    TooManyDecimals,
    /// Larger than [`MAX_FIGURE`].
    #[error("too large: at most 999999999999999 in units of the last decimal")]
    TooLarge,
}

/// Reads a plain decimal into units of its last decimal: `98.5` with two decimals is 9850.
///
/// # Errors
/// See [`DecimalError`]; nothing is rounded and nothing guessed.
pub fn parse_decimal(text: &str, decimals: u8) -> Result<i64, DecimalError> {
    if let Some(rest) = text.strip_prefix('-') {
        return match parse_decimal(rest, decimals) {
            Err(DecimalError::NotANumber | DecimalError::Negative) => Err(DecimalError::NotANumber),
            _ => Err(DecimalError::Negative),
        };
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(DecimalError::NotANumber),
        None => (text, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(DecimalError::NotANumber);
    }
    if fraction.len() > usize::from(decimals) {
        return Err(if decimals == 0 { DecimalError::Fraction } else { DecimalError::TooManyDecimals });
    }
    let padding = usize::from(decimals) - fraction.len();
    let digits = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', padding));
    let mut value: i64 = 0;
    for digit in digits {
        value = value * 10 + i64::from(digit - b'0');
        if value > MAX_FIGURE {
            return Err(DecimalError::TooLarge);
        }
    }
    Ok(value)
}

/// Shows a value in units of its last decimal: always with all the indicator's decimals.
pub fn format_decimal(value: i128, decimals: u8) -> String {
    Shown { value, decimals }.to_string()
}

struct Shown {
    value: i128,
    decimals: u8,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10u128.pow(u32::from(self.decimals));
        let magnitude = self.value.unsigned_abs();
        if self.value < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", magnitude / scale)?;
        if self.decimals > 0 {
            write!(f, ".{:0width$}", magnitude % scale, width = usize::from(self.decimals))?;
        }
        Ok(())
    }
}

/// `numerator · 10^shift / denominator`, rounded half away from zero. `None` where the denominator is zero or the
/// result passes 128 bits; what is in between may.
pub fn divide_rounded(numerator: i128, denominator: i128, shift: u32) -> Option<i128> {
    let (above, below) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let mut quotient = above.checked_div(below)?;
    let mut remainder = above.checked_rem(below)?;
    // Digit by digit, as by hand.
    for _ in 0..shift {
        quotient = quotient.checked_mul(10)?;
        remainder = remainder.checked_mul(10)?;
        quotient = quotient.checked_add(remainder / below)?;
        remainder %= below;
    }
    if remainder != 0 && remainder >= below - remainder {
        quotient = quotient.checked_add(1)?;
    }
    let quotient = i128::try_from(quotient).ok()?;
    Some(if (numerator < 0) == (denominator < 0) { quotient } else { -quotient })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(parse_decimal("37853", 0), Ok(37853));
        assert_eq!(parse_decimal("02", 0), Ok(2));
        assert_eq!(parse_decimal("0", 3), Ok(0));
        assert_eq!(parse_decimal("98.5", 2), Ok(9850));
        assert_eq!(parse_decimal("1.001", 3), Ok(1001));
        assert_eq!(parse_decimal("999999999999999", 0), Ok(MAX_FIGURE));
    }

    #[test]
    fn what_is_no_value_says_why() {
        use DecimalError::*;
        for (text, decimals, why) in [
            ("", 0, NotANumber),
            ("1,332", 0, NotANumber),
            ("1 332", 0, NotANumber),
            ("+5", 0, NotANumber),
            ("1e3", 0, NotANumber),
            ("5.", 0, NotANumber),
            (".5", 2, NotANumber),
            ("--5", 0, NotANumber),
            ("-5", 0, Negative),
            ("-0.5", 0, Negative),
            ("2.2", 0, Fraction),
            ("5.0", 0, Fraction),
            ("1.2345", 3, TooManyDecimals),
            ("1000000000000000", 0, TooLarge),
            ("99999999999999999999999999", 0, TooLarge),
        ] {
            assert_eq!(parse_decimal(text, decimals), Err(why), "{text}");
        }
    }

    #[test]
    fn values_show_all_decimals() {
        assert_eq!(format_decimal(9850, 2), "98.50");
        assert_eq!(format_decimal(5, 3), "0.005");
        assert_eq!(format_decimal(-1205, 2), "-12.05");
        assert_eq!(format_decimal(42, 0), "42");
    }

    #[test]
    fn ratios_round_half_away_from_zero() {
        assert_eq!(divide_rounded(1, 2, 0), Some(1));
        assert_eq!(divide_rounded(-1, 2, 0), Some(-1));
        assert_eq!(divide_rounded(1, 3, 2), Some(33));
        assert_eq!(divide_rounded(2, 3, 2), Some(67));
        assert_eq!(divide_rounded(18, 25, 4), Some(7200));
        assert_eq!(divide_rounded(1, 0, 0), None);
    }
}
