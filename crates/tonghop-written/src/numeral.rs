//! Digits with what stands between them.

use crate::decimal::Decimal;
use crate::locale::Locale;

/// Why digits and marks are no number in a locale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Thousands are not in threes, or decimals not after one mark.
    Grouping,
    /// More digits than are read.
    TooLong,
}

/// Spaces that are put between thousands so that no line breaks there. An ordinary space may as well stand between
/// two numbers.
pub(crate) fn is_group_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}')
}

/// Whether a character may stand in a numeral.
pub(crate) fn is_part(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | ',') || is_group_space(c)
}

/// Reads a numeral in a locale: `1.332,5` in Vietnamese is 1332.5.
pub(crate) fn read(text: &str, locale: Locale) -> Result<Decimal, Broken> {
    let (whole, fraction) = match text.split_once(locale.decimal_mark()) {
        Some((_, "")) => return Err(Broken::Grouping),
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Broken::Grouping);
    }
    let whole = ungrouped(whole, locale).ok_or(Broken::Grouping)?;
    Decimal::of(&whole, fraction).ok_or(Broken::TooLong)
}

/// The digits of a whole number, what stands between thousands left out; nothing where that does not stand between
/// thousands.
fn ungrouped(whole: &str, locale: Locale) -> Option<String> {
    let is_mark = |c: char| !c.is_ascii_digit();
    let Some(mark) = whole.chars().find(|c| is_mark(*c)) else {
        return (!whole.is_empty()).then(|| whole.to_owned());
    };
    let known = mark == locale.group_mark() || is_group_space(mark);
    if !known || whole.chars().any(|c| is_mark(c) && c != mark) {
        return None;
    }
    let mut groups = whole.split(mark);
    let first = groups.next()?;
    let begins = (1..=3).contains(&first.len()) && !first.starts_with('0');
    (begins && groups.all(|group| group.len() == 3)).then(|| whole.replace(mark, ""))
}
