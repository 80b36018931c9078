//! A submission read by what its figures have in common.
//!
//! Of the figures of a month thousands differ in their unit and value alone. So a figure is first compared, byte for
//! byte, with those before it: where it is one of them but for these two, only these two are read. What was seen
//! first of each kind is read as ever.
//!
//! Whoever reads so gives up on anything unusual: the usual reading of the same bytes takes it, or finds the words for
//! what is wrong with it.

use std::collections::HashMap;

use tonghop_core::decimal::MAX_DECIMALS;
use tonghop_proto::record::document::Skeleton;

use crate::submission::RawFigure;

/// More kinds than any submission has whose figures are alike.
pub(crate) const MOST_KINDS: usize = 2048;
/// Kinds of figures that room is made for before they come.
pub(crate) const KINDS_AT_FIRST: usize = 128;
/// The longest unit code, and the longest number, that is read here.
pub(crate) const LONGEST: usize = 32;

/// A submission by kinds of figures, units and numbers; as believed as a
/// [`RawSubmission`](crate::submission::RawSubmission).
#[derive(Clone, Debug)]
pub struct Alike<'a> {
    pub(crate) source: String,
    pub(crate) note: String,
    pub(crate) kinds: Vec<Kind>,
    /// Codes of units: ASCII letters, digits and `-_.`, and not empty.
    pub(crate) units: Vec<&'a str>,
    /// Of each figure, the place of its unit, of its kind, and its number.
    pub(crate) unit: Vec<u32>,
    pub(crate) kind: Vec<u32>,
    pub(crate) number: Vec<u64>,
    /// How the document is written; the decimals left out are not known yet.
    pub(crate) skeleton: Option<Skeleton>,
}

/// Figures that differ in unit and value alone.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// The first of them.
    pub(crate) first: RawFigure,
    /// Decimals that their values are written with.
    pub(crate) decimals: u8,
}

/// A value as it is written: its digits as one number, and how many of them are decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) digits: u64,
    pub(crate) decimals: u8,
}

/// Reads a number as it is written again: without zeros before it, with at most 15 digits.
pub(crate) fn number(text: &[u8]) -> Option<Number> {
    if text.is_empty() || text.len() > 16 || (text[0] == b'0' && text.len() > 1 && text[1] != b'.') {
        return None;
    }
    let (mut digits, mut point) = (0u64, None);
    for (i, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() && i > 0 => point = Some(i),
            _ => return None,
        }
    }
    let decimals = match point {
        Some(at) if at + 1 == text.len() => return None,
        Some(at) => u8::try_from(text.len() - at - 1).ok().filter(|n| *n <= MAX_DECIMALS)?,
        None if text.len() > 15 => return None,
        None => 0,
    };
    Some(Number { digits, decimals })
}

/// How many bytes at the beginning are of a code.
pub(crate) fn code_length(text: &[u8]) -> usize {
    text.iter()
        .take(LONGEST)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        .count()
}

/// How many bytes at the beginning are of a number.
pub(crate) fn number_length(text: &[u8]) -> usize {
    text.iter().take(LONGEST).take_while(|b| b.is_ascii_digit() || **b == b'.').count()
}

/// Whether a text is a code that needs no further look.
pub(crate) fn is_code(text: &[u8]) -> bool {
    !text.is_empty() && code_length(text) == text.len()
}

/// Figures as they are read. Templates are what a form knows its kinds by.
pub(crate) struct Gathered<'a, T> {
    units: Vec<&'a str>,
    unit_of: HashMap<&'a [u8], u32>,
    after_unit: Vec<u32>,
    last_unit: usize,
    pub(crate) templates: Vec<T>,
    kinds: Vec<Kind>,
    after_kind: Vec<u32>,
    last_kind: usize,
    unit: Vec<u32>,
    kind: Vec<u32>,
    number: Vec<u64>,
}

impl<'a, T> Gathered<'a, T> {
    pub(crate) fn new() -> Gathered<'a, T> {
        Gathered {
            units: vec![],
            unit_of: HashMap::new(),
            after_unit: vec![],
            last_unit: 0,
            templates: vec![],
            kinds: vec![],
            after_kind: vec![],
            last_kind: 0,
            unit: vec![],
            kind: vec![],
            number: vec![],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.unit.len()
    }

    /// The kind that came last time after the last one's: it most often comes again.
    pub(crate) fn expected(&self) -> Option<usize> {
        self.after_kind.get(self.last_kind).map(|k| *k as usize)
    }

    /// Adds a kind; nothing where there are too many.
    pub(crate) fn learn(&mut self, template: T, first: RawFigure, decimals: u8) -> Option<usize> {
        if self.kinds.len() == MOST_KINDS {
            return None;
        }
        self.templates.push(template);
        self.kinds.push(Kind { first, decimals });
        self.after_kind.push(0);
        Some(self.kinds.len() - 1)
    }

    /// Adds a figure; nothing where its unit is no code.
    pub(crate) fn push(&mut self, unit: &'a [u8], kind: usize, number: u64) -> Option<()> {
        let unit = self.unit(unit)?;
        if let Some(next) = self.after_kind.get_mut(self.last_kind) {
            *next = kind as u32;
        }
        self.last_kind = kind;
        self.unit.push(unit as u32);
        self.kind.push(kind as u32);
        self.number.push(number);
        Some(())
    }

    fn unit(&mut self, code: &'a [u8]) -> Option<usize> {
        let is = |i: usize| self.units.get(i).is_some_and(|u| u.as_bytes() == code);
        if is(self.last_unit) {
            return Some(self.last_unit);
        }
        let expected = self.after_unit.get(self.last_unit).map_or(0, |u| *u as usize);
        let place = if is(expected) {
            expected
        } else if let Some(place) = self.unit_of.get(code) {
            *place as usize
        } else {
            if !is_code(code) {
                return None;
            }
            let place = self.units.len();
            self.units.push(std::str::from_utf8(code).ok()?);
            self.unit_of.insert(code, place as u32);
            self.after_unit.push(0);
            place
        };
        if let Some(next) = self.after_unit.get_mut(self.last_unit) {
            *next = place as u32;
        }
        self.last_unit = place;
        Some(place)
    }

    pub(crate) fn done(self, source: String, note: String, skeleton: Option<Skeleton>) -> Alike<'a> {
        Alike {
            source,
            note,
            kinds: self.kinds,
            units: self.units,
            unit: self.unit,
            kind: self.kind,
            number: self.number,
            skeleton,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_where_it_is_written_again_alike() {
        let read = |text: &str| number(text.as_bytes()).map(|n| (n.digits, n.decimals));
        assert_eq!(read("0"), Some((0, 0)));
        assert_eq!(read("37853"), Some((37853, 0)));
        assert_eq!(read("98.50"), Some((9850, 2)));
        assert_eq!(read("0.5"), Some((5, 1)));
        assert_eq!(read("999999999999999"), Some((999_999_999_999_999, 0)));
        for other in
            ["", "007", "00", ".5", "5.", "1.2.3", "-1", "+1", "1e3", " 1", "1234567890123456", "1.2345678"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
