//! JSON read by what its figures have in common.
//!
//! The first figure of each kind is read as every figure is, and its text is kept with two holes: unit and value. A
//! figure that is this text, byte for byte, with a plain code and a plain number in the holes, means the same but for
//! them; nothing else is read so.

use serde_json::value::RawValue;

use super::document::too_deep;
use super::figures::{At, Reader};
use super::walk::{Read, each_entry};
use crate::alike::{Alike, Gathered, code_length, is_code, number, number_length};
use crate::submission::{Field, Limits, Place};
use tonghop_proto::record::document::{Holes, Skeleton, Template};

/// Arrays and objects around a figure.
const AROUND: usize = 2;
/// Figures compared with kinds other than the one that is expected, for each figure there is.
const TRIES: usize = 64;

/// The text of a figure with its holes.
#[derive(Clone, Copy)]
struct Written<'a> {
    prefix: &'a [u8],
    middle: &'a [u8],
    suffix: &'a [u8],
    holes: Holes,
    decimals: u8,
}

/// A figure of a kind: its unit, its number, and how long its text is.
struct Found<'a> {
    unit: &'a [u8],
    number: u64,
    length: usize,
}

impl<'a> Written<'a> {
    /// The figure at the beginning of a text, where it is of this kind.
    fn find<'t>(&self, text: &'t [u8]) -> Option<Found<'t>> {
        let mut rest = text.strip_prefix(self.prefix)?;
        let (mut unit, mut digits) = (&text[..0], 0);
        let order = match self.holes {
            Holes::Unit => [Some(true), None],
            Holes::UnitValue => [Some(true), Some(false)],
            Holes::ValueUnit => [Some(false), Some(true)],
        };
        for (hole, after) in order.into_iter().zip([self.middle, self.suffix]) {
            match hole {
                Some(true) => unit = rest.split_off(..code_length(rest))?,
                Some(false) => {
                    let read = number(rest.split_off(..number_length(rest))?)?;
                    if read.decimals != self.decimals {
                        return None;
                    }
                    digits = read.digits;
                }
                None => {}
            }
            rest = rest.strip_prefix(after)?;
        }
        Some(Found { unit, number: digits, length: text.len() - rest.len() })
    }

    /// The text of a figure with holes for what its unit and value are; nothing where they are not plain.
    fn of(figure: &'a RawValue) -> Option<Written<'a>> {
        let text = figure.get().as_bytes();
        let (mut unit, mut value) = (None, None);
        let read = each_entry(figure, |key, given| {
            // Where a value stands is how far it is from where the figure begins.
            let start = given.get().as_ptr().addr() - text.as_ptr().addr();
            let end = start + given.get().len();
            let quoted = usize::from(given.get().starts_with('"'));
            let inside = (start + quoted, end - quoted);
            if key == Field::Unit.key() {
                unit = Some(inside);
            } else if key == Field::Value.key() {
                value = Some(inside);
            }
            true
        });
        let (Read::Done, Some(unit)) = (read, unit) else { return None };
        if !is_code(&text[unit.0..unit.1]) {
            return None;
        }
        let Some(value) = value else {
            let (prefix, middle) = (&text[..unit.0], &text[unit.1..]);
            return Some(Written { prefix, middle, suffix: &[], holes: Holes::Unit, decimals: 0 });
        };
        let decimals = number(&text[value.0..value.1])?.decimals;
        let (holes, first, second) =
            if unit < value { (Holes::UnitValue, unit, value) } else { (Holes::ValueUnit, value, unit) };
        Some(Written {
            prefix: &text[..first.0],
            middle: &text[first.1..second.0],
            suffix: &text[second.1..],
            holes,
            decimals,
        })
    }
}

/// Reads a submission by what its figures have in common; nothing where it has to be read figure by figure.
pub fn alike<'a>(bytes: &'a [u8], limits: &Limits) -> Option<Alike<'a>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut rest = space(text).strip_prefix('{')?;
    let mut reader = Reader::new(limits);
    let (mut source, mut note, mut figures) = (None, None, None);
    loop {
        rest = space(rest);
        let after = rest.strip_prefix('"')?;
        let (key, after) = after.split_once('"')?;
        rest = space(space(after).strip_prefix(':')?);
        match key {
            "figures" if figures.is_none() => {
                let read = read_figures(text, rest, limits, &mut reader)?;
                rest = &rest[read.length..];
                figures = Some(read);
            }
            "source" | "note" => {
                let value = next_value(rest)?;
                rest = &rest[value.get().len()..];
                let into = if key == "source" { &mut source } else { &mut note };
                if into.replace(reader.text(&At::top(key), value)?).is_some() {
                    return None;
                }
            }
            _ => return None,
        }
        rest = space(rest);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => break,
        }
    }
    if !space(rest.strip_prefix('}')?).is_empty() || !reader.findings.is_empty() {
        return None;
    }
    let Figures { gathered, uniform, start, end, separator, .. } = figures?;
    let template = |written: &Written<'_>| Template {
        prefix: written.prefix.to_vec(),
        middle: written.middle.to_vec(),
        suffix: written.suffix.to_vec(),
        holes: written.holes,
        decimals: written.decimals,
        left_out: 0,
    };
    let skeleton = uniform.then(|| Skeleton {
        wire: false,
        prologue: bytes[..start].to_vec(),
        separator: separator.unwrap_or_default().as_bytes().to_vec(),
        epilogue: bytes[end..].to_vec(),
        templates: gathered.templates.iter().map(template).collect(),
    });
    Some(gathered.done(source.unwrap_or_default(), note.unwrap_or_default(), skeleton))
}

/// The array of figures.
struct Figures<'a> {
    gathered: Gathered<'a, Written<'a>>,
    /// Where the first begins and the last ends, in the document.
    start: usize,
    end: usize,
    /// What stands between two, and whether it is the same everywhere.
    separator: Option<&'a str>,
    uniform: bool,
    /// How long the array's text is.
    length: usize,
}

fn read_figures<'a>(
    whole: &'a str,
    array: &'a str,
    limits: &Limits,
    reader: &mut Reader<'_>,
) -> Option<Figures<'a>> {
    let mut rest = space(array.strip_prefix('[')?);
    let start = whole.len() - rest.len();
    let mut gathered: Gathered<'a, Written<'a>> = Gathered::new();
    let (mut separator, mut uniform) = (None, true);
    let mut tries = 0usize;
    loop {
        if gathered.len() == limits.max_figures {
            return None;
        }
        let bytes = rest.as_bytes();
        let expected = gathered.expected();
        let found = expected.and_then(|kind| Some((kind, gathered.templates[kind].find(bytes)?)));
        let found = found.or_else(|| {
            tries += gathered.templates.len();
            let mut kinds = gathered.templates.iter().enumerate();
            kinds.find_map(|(kind, written)| Some((kind, written.find(bytes)?)))
        });
        // Kinds that come in no order are soon found faster figure by figure.
        if tries > TRIES * gathered.len() + 2 * crate::alike::MOST_KINDS * crate::alike::MOST_KINDS {
            return None;
        }
        let (kind, Found { unit, number, length }) = match found {
            Some(found) => found,
            None => {
                let value = next_value(rest)?;
                let most = limits.max_depth.checked_sub(AROUND)?;
                if too_deep(value.get().as_bytes(), most).is_some() {
                    return None;
                }
                let first = reader.figure(Place::Item(gathered.len()), value)?;
                if !reader.findings.is_empty() {
                    return None;
                }
                let written = Written::of(value)?;
                let found = written.find(bytes).filter(|f| f.length == value.get().len())?;
                (gathered.learn(written, first, written.decimals)?, found)
            }
        };
        gathered.push(unit, kind, number)?;
        rest = &rest[length..];
        if let Some(usual) = separator
            && let Some(after) = rest.strip_prefix(usual)
            && space(after).len() == after.len()
        {
            rest = after;
            continue;
        }
        let after = space(rest);
        if let Some(after) = after.strip_prefix(']') {
            let end = whole.len() - rest.len();
            let length = array.len() - after.len();
            return Some(Figures { gathered, start, end, separator, uniform, length });
        }
        let next = space(after.strip_prefix(',')?);
        let between = &rest[..rest.len() - next.len()];
        uniform &= separator.is_none_or(|s| s == between);
        separator.get_or_insert(between);
        rest = next;
    }
}

/// Without the white space that JSON has between its signs.
fn space(text: &str) -> &str {
    text.trim_start_matches([' ', '\n', '\r', '\t'])
}

/// The JSON value at the beginning of a text.
fn next_value(text: &str) -> Option<&RawValue> {
    serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next()?.ok()
}
