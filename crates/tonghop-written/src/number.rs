//! A number as it is written, with the words around it.

use tonghop_core::quantity::Qualifier;
use unicode_normalization::UnicodeNormalization;

use crate::decimal::Decimal;
use crate::locale::Locale;
use crate::numeral::{self, Broken, is_group_space, is_part};
use crate::words;

/// The longest text that is looked at, in characters. "không vượt quá 999.999.999.999.999 nghìn tỷ" has 41.
const LONGEST: usize = 80;

/// A number that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The number.
    pub number: Number,
    /// How it was put.
    pub qualifier: Qualifier,
    /// What the same text says in the other locale, where that is another number.
    pub elsewhere: Option<Decimal>,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// A number.
    Plain(Decimal),
    /// A number of hundredths: `98%`.
    Percent(Decimal),
    /// So many of so many: `102/102`.
    Of {
        /// Before the stroke.
        part: Decimal,
        /// After it.
        whole: Decimal,
    },
}

/// Why a text is not read as a number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// No number, or more than one.
    #[error("no number")]
    NotANumber,
    /// It reads in a locale, or in each differently, and none is declared.
    #[error("it depends on the locale, which is not declared")]
    NeedsLocale {
        /// What it says in Vietnamese.
        vietnamese: Option<Decimal>,
        /// What it says in English.
        english: Option<Decimal>,
    },
    /// It does not read in the declared locale, and does in the other.
    #[error("it is written as in another locale")]
    OtherLocale {
        /// What it says there.
        reads: Decimal,
    },
    /// Thousands are not in threes, or decimals not after one mark.
    #[error("its thousands are not in threes")]
    Grouping,
    /// An ordinary space between digits.
    #[error("a space between digits")]
    SpaceBetweenDigits,
    /// Words beside the number that say nothing of it: a unit of measure, or a number in words.
    #[error("words beside the number")]
    Words {
        /// They.
        words: String,
    },
    /// More than one word for how exact it is.
    #[error("more than one qualifier")]
    SeveralQualifiers,
    /// Below zero.
    #[error("below zero")]
    Negative,
    /// Digits of full width, as East Asian keyboards write them.
    #[error("full-width digits")]
    FullWidthDigits,
    /// Arabic-Indic digits.
    #[error("Arabic-Indic digits")]
    ArabicIndicDigits,
    /// Other characters that stand for numbers: of other scripts, superscripts, fractions.
    #[error("other digits than 0 to 9")]
    OtherDigits,
    /// Larger than any figure.
    #[error("too large")]
    TooLarge,
}

/// Reads a number. Without a locale it has to be a plain decimal, or say the same in every locale.
///
/// # Errors
/// See [`Why`]; nothing is rounded and nothing guessed.
pub fn read_number(text: &str, locale: Option<Locale>) -> Result<Written, Why> {
    let text: String = text.chars().take(LONGEST + 1).nfc().flat_map(char::to_lowercase).collect();
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(Why::NotANumber);
    }
    if let Some(why) = text.chars().find_map(foreign_digit) {
        return Err(why);
    }
    match locale {
        Some(locale) => read_in(text, locale),
        None => read_anywhere(text),
    }
}

/// Digits that look like others, and are not what a figure is written in.
fn foreign_digit(c: char) -> Option<Why> {
    match c {
        '0'..='9' => None,
        '\u{ff10}'..='\u{ff19}' => Some(Why::FullWidthDigits),
        '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' => Some(Why::ArabicIndicDigits),
        c if c.is_numeric() => Some(Why::OtherDigits),
        _ => None,
    }
}

/// What a text says that declares no locale.
fn read_anywhere(text: &str) -> Result<Written, Why> {
    let readings = Locale::ALL.map(|locale| read_in(text, locale));
    let [Ok(vietnamese), Ok(english)] = &readings else {
        // A plain decimal stays one: it reads in English, and in Vietnamese as nothing.
        if let (Some(plain), Ok(english)) = (plain(text), &readings[1]) {
            return Ok(Written {
                number: Number::Plain(plain),
                qualifier: english.qualifier,
                elsewhere: None,
            });
        }
        let read = |reading: &Result<Written, Why>| reading.as_ref().ok().map(|w| w.number.first());
        return match (read(&readings[0]), read(&readings[1])) {
            (None, None) => readings[0].clone(),
            (vietnamese, english) => Err(Why::NeedsLocale { vietnamese, english }),
        };
    };
    if vietnamese.number == english.number && vietnamese.qualifier == english.qualifier {
        return Ok(*vietnamese);
    }
    let (vietnamese, english) = (Some(vietnamese.number.first()), Some(english.number.first()));
    Err(Why::NeedsLocale { vietnamese, english })
}

/// Digits with at most one point.
fn plain(text: &str) -> Option<Decimal> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    Decimal::of(whole, fraction)
}

fn read_in(text: &str, locale: Locale) -> Result<Written, Why> {
    let mut qualifier = None;
    let mut rest = text;
    for take in [words::qualifier_before, words::qualifier_after] {
        while let Some((found, left)) = take(rest, locale) {
            if qualifier.replace(found).is_some() {
                return Err(Why::SeveralQualifiers);
            }
            rest = left;
        }
    }
    if rest.starts_with(['-', '−', '–']) && rest.contains(|c: char| c.is_ascii_digit()) {
        return Err(Why::Negative);
    }
    let (numeral, after) = split(rest)?;
    let number = decimal(numeral, locale)?;
    let elsewhere = numeral::read(numeral, locale.other()).ok().filter(|other| !other.same_number(number));
    let qualifier = qualifier.unwrap_or_default();
    let (number, elsewhere) = if after.is_empty() {
        (Number::Plain(number), elsewhere)
    } else if let Some(whole) = after.strip_prefix('/') {
        let (whole, more) = split(whole.trim_start())?;
        if !more.is_empty() {
            return Err(Why::Words { words: more.to_owned() });
        }
        (Number::Of { part: number, whole: decimal(whole, locale)? }, None)
    } else if words::is_percent(after, locale) {
        (Number::Percent(number), elsewhere)
    } else if let Some(power) = words::power(after, locale) {
        let times = |number: Decimal| number.times_ten_to(power);
        (Number::Plain(times(number).ok_or(Why::TooLarge)?), elsewhere.and_then(times))
    } else if after.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Why::SpaceBetweenDigits);
    } else {
        return Err(Why::Words { words: after.to_owned() });
    };
    Ok(Written { number, qualifier, elsewhere })
}

/// A numeral at the beginning of a text, and what comes after it.
fn split(text: &str) -> Result<(&str, &str), Why> {
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (numeral, after) = text.split_at(end);
    // A space of any kind may stand between a number and its words.
    let numeral = numeral.trim_end_matches(is_group_space);
    if !numeral.starts_with(|c: char| c.is_ascii_digit()) {
        let words = text.split_whitespace().collect::<Vec<_>>();
        let has_digits = text.contains(|c: char| c.is_ascii_digit());
        // Words before the number.
        return match words.iter().position(|word| word.starts_with(|c: char| c.is_ascii_digit())) {
            Some(at) if has_digits && at > 0 => Err(Why::Words { words: words[..at].join(" ") }),
            _ => Err(Why::NotANumber),
        };
    }
    Ok((numeral, after.trim_start()))
}

fn decimal(numeral: &str, locale: Locale) -> Result<Decimal, Why> {
    numeral::read(numeral, locale).map_err(|broken| match broken {
        Broken::TooLong => Why::TooLarge,
        Broken::Grouping => match numeral::read(numeral, locale.other()) {
            Ok(reads) => Why::OtherLocale { reads },
            Err(_) => Why::Grouping,
        },
    })
}

impl Number {
    /// The number itself, or the one before the stroke.
    pub fn first(self) -> Decimal {
        match self {
            Number::Plain(number) | Number::Percent(number) | Number::Of { part: number, .. } => number,
        }
    }
}
