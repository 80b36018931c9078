//! Cells of one map, in columns.
//!
//! ```text
//! count of cells; where there are any:
//! the first unit, and the first cell: which of its numbers are not zero, a bit for each · those numbers
//! where there are more: a column (see `columns`) of units, each less the one before; which columns are not all zero, a
//!   bit for each · those columns, a number for each cell after the first
//! ```
//!
//! The first cell is the nation's, whose numbers are larger than all others. What the numbers of a cell are, [`Numbers`]
//! says.

use std::collections::BTreeMap;

use tonghop_core::Date;
use tonghop_core::calendar::{day_number, day_of_number};
use tonghop_core::quantity::{Qualifier, Sum};
use tonghop_core::rollup::{Along, Cell, Dates, Parts, State, Taken};
use tonghop_core::unit::UnitId;

use crate::bytes::{BodyError, Reader, Writer, from_zigzag, zigzag};

/// The numbers of a cell, most of them zero in most cells. Numbers with a sign are zigzag.
///
/// | place | |
/// |---|---|
/// | 0 | own + 4 · whole + 16 · parts (0 missing, 1 not available, 2 value) + 64 · estimated + 128 · carried |
/// | 1 | taken (0 nowhere, 1 whole, 2 parts) + 4 · along time + 8 · collects + 16 · not aggregable + 32 · parts have dates + 64 · whole has dates |
/// | 2 | covered |
/// | 3, 4 | reported, expected: less covered |
/// | 5 | unavailable |
/// | 6, 7 | covered by parts, less covered; unavailable in parts, less unavailable |
/// | 8 | qualifiers of own + 4 · whole + 16 · parts |
/// | 9 to 12 | of own, if it is a value: the value, and the value less its exact part, in two numbers each, the lower 64 bits first |
/// | 13 to 16, 17 to 20 | the same of whole, and of parts |
/// | 21, 22 | the oldest day of parts, since 1970-01-01, and how many days later the newest is |
/// | 23, 24 | the same of whole |
pub(crate) type Numbers = [u64; COUNT];

/// How many numbers a cell has.
const COUNT: usize = 25;

fn signed(number: i64) -> u64 {
    zigzag(i128::from(number)) as u64
}

fn from_signed(number: u64) -> i64 {
    from_zigzag(u128::from(number)) as i64
}

/// How much more a count is than another, so that any two can be told.
fn beyond(count: u64, other: u64) -> u64 {
    signed(count.wrapping_sub(other) as i64)
}

fn count(beyond: u64, other: u64) -> u64 {
    other.wrapping_add(from_signed(beyond) as u64)
}

fn halves(number: i128) -> [u64; 2] {
    let both = zigzag(number);
    [both as u64, (both >> 64) as u64]
}

fn whole([low, high]: [u64; 2]) -> i128 {
    from_zigzag(u128::from(low) | u128::from(high) << 64)
}

fn kind(state: &State<Sum>) -> u64 {
    match state {
        State::Missing => 0,
        State::NotAvailable => 1,
        State::Value(_) => 2,
    }
}

fn numbers_of(cell: &Cell<Sum>) -> Numbers {
    let mut out = [0; COUNT];
    let states = [&cell.own, &cell.whole, &cell.parts.state];
    out[0] = kind(states[0])
        + 4 * kind(states[1])
        + 16 * kind(states[2])
        + 64 * u64::from(cell.estimated)
        + 128 * u64::from(cell.carried);
    let taken = match cell.taken {
        Taken::Nowhere => 0,
        Taken::Whole => 1,
        Taken::Parts => 2,
    };
    let dates = [cell.parts.dates, cell.whole_dates];
    out[1] = taken
        + 4 * u64::from(cell.along == Along::Time)
        + 8 * u64::from(cell.collects)
        + 16 * u64::from(cell.not_aggregable)
        + 32 * u64::from(dates[0].is_some())
        + 64 * u64::from(dates[1].is_some());
    out[2] = cell.covered;
    out[3] = beyond(cell.reported, cell.covered);
    out[4] = beyond(cell.expected, cell.covered);
    out[5] = cell.unavailable;
    out[6] = beyond(cell.parts.covered, cell.covered);
    out[7] = beyond(cell.parts.unavailable, cell.unavailable);
    for (at, state) in states.into_iter().enumerate() {
        let Some(sum) = state.value() else { continue };
        out[8] |= (sum.qualifier as u64) << (2 * at);
        let place = 9 + 4 * at;
        out[place..place + 2].copy_from_slice(&halves(sum.value));
        out[place + 2..place + 4].copy_from_slice(&halves(sum.value.wrapping_sub(sum.exact)));
    }
    for (at, dates) in dates.into_iter().enumerate() {
        let Some((oldest, newest)) = dates else { continue };
        let (oldest, newest) = (day_number(oldest), day_number(newest));
        out[21 + 2 * at] = signed(i64::from(oldest));
        out[22 + 2 * at] = signed(i64::from(newest) - i64::from(oldest));
    }
    out
}

fn cell_of(numbers: &Numbers) -> Result<Cell<Sum>, BodyError> {
    let (kinds, flags) = (numbers[0], numbers[1]);
    if kinds > 0xff || flags > 0x7f || numbers[8] > 0x3f {
        return Err(BodyError::Damaged("an unknown kind of cell"));
    }
    let state = |at: usize| match kinds >> (2 * at) & 3 {
        0 => Ok(State::Missing),
        1 => Ok(State::NotAvailable),
        2 => {
            let of = |place: usize| whole([numbers[place], numbers[place + 1]]);
            let (value, inexact) = (of(9 + 4 * at), of(11 + 4 * at));
            let qualifier = Qualifier::ALL[(numbers[8] >> (2 * at) & 3) as usize];
            Ok(State::Value(Sum { value, exact: value.wrapping_sub(inexact), qualifier }))
        }
        _ => Err(BodyError::Damaged("an unknown kind of state")),
    };
    // Of kinds, two bits for parts are followed by two flags.
    let (own, whole, parts) = (state(0)?, state(1)?, state(2)?);
    let dates = |at: usize, flag: u64| -> Result<Dates, BodyError> {
        if flags & flag == 0 {
            return Ok(None);
        }
        let oldest = from_signed(numbers[21 + 2 * at]);
        let newest = oldest.wrapping_add(from_signed(numbers[22 + 2 * at]));
        Ok(Some((day(oldest)?, day(newest)?)))
    };
    let (parts_dates, whole_dates) = (dates(0, 32)?, dates(1, 64)?);
    let taken = match flags & 3 {
        0 => Taken::Nowhere,
        1 => Taken::Whole,
        2 => Taken::Parts,
        _ => return Err(BodyError::Damaged("an unknown source")),
    };
    let (headline, headline_dates) = match taken {
        Taken::Nowhere => (State::Missing, None),
        Taken::Whole => (whole.clone(), whole_dates),
        Taken::Parts => (parts.clone(), parts_dates),
    };
    let (estimated, carried) = (kinds & 64 != 0, kinds & 128 != 0);
    let of_parts = taken == Taken::Parts;
    let (covered, unavailable) = (numbers[2], numbers[5]);
    Ok(Cell {
        own,
        whole,
        whole_dates,
        parts: Parts {
            state: parts,
            covered: count(numbers[6], covered),
            unavailable: count(numbers[7], unavailable),
            dates: parts_dates,
            // Of parts that are not taken nobody asks.
            estimated: estimated && of_parts,
            carried: carried && of_parts,
        },
        along: if flags & 4 != 0 { Along::Time } else { Along::Units },
        headline,
        taken,
        reported: count(numbers[3], covered),
        covered,
        expected: count(numbers[4], covered),
        unavailable,
        dates: headline_dates,
        estimated,
        carried,
        collects: flags & 8 != 0,
        not_aggregable: flags & 16 != 0,
    })
}

fn day(number: i64) -> Result<Date, BodyError> {
    let day = i32::try_from(number).ok().and_then(day_of_number);
    day.ok_or(BodyError::Damaged("a day out of range"))
}

/// A bit for each place in which any of some cells has a number.
fn places(cells: &[Numbers]) -> u32 {
    let mut any = [0; COUNT];
    for numbers in cells {
        any.iter_mut().zip(numbers).for_each(|(any, number)| *any |= number);
    }
    any.iter().enumerate().fold(0, |places, (at, any)| places | u32::from(*any != 0) << at)
}

fn each(places: u32) -> impl Iterator<Item = usize> {
    (0..COUNT).filter(move |at| places >> at & 1 == 1)
}

pub(crate) fn write(out: &mut Writer, cells: &BTreeMap<UnitId, Cell<Sum>>) {
    out.unsigned(cells.len() as u128);
    let mut units = cells.keys();
    let Some(first) = units.next() else { return };
    out.unsigned(u128::from(first.0));
    let numbers: Vec<Numbers> = cells.values().map(numbers_of).collect();
    let (head, rest) = (&numbers[0], &numbers[1..]);
    let of_head = places(&numbers[..1]);
    out.unsigned(u128::from(of_head));
    each(of_head).for_each(|at| out.unsigned(u128::from(head[at])));
    if rest.is_empty() {
        return;
    }
    let mut column = Vec::with_capacity(rest.len());
    let mut before = first.0;
    for unit in units {
        column.push(u64::from(unit.0 - before));
        before = unit.0;
    }
    out.column(&column);
    let of_rest = places(rest);
    out.unsigned(u128::from(of_rest));
    for at in each(of_rest) {
        column.clear();
        column.extend(rest.iter().map(|numbers| numbers[at]));
        out.column(&column);
    }
}

fn read_places(reader: &mut Reader<'_>) -> Result<u32, BodyError> {
    let places: u32 = reader.number()?;
    if places >> COUNT == 0 { Ok(places) } else { Err(BodyError::Damaged("numbers that no cell has")) }
}

/// Cells of a map, up to where those after the first are.
struct Begun {
    head: Numbers,
    units: Vec<UnitId>,
    /// Which columns follow.
    columns: u32,
}

/// Cells of one map at most: what is damaged must not ask for more memory than a map can need.
const MOST_CELLS: usize = 1 << 16;

fn begin(reader: &mut Reader<'_>) -> Result<Option<Begun>, BodyError> {
    let count: usize = reader.number()?;
    if count > MOST_CELLS {
        return Err(BodyError::Damaged("a count past all bounds"));
    }
    if count == 0 {
        return Ok(None);
    }
    let mut unit: u32 = reader.number()?;
    let mut begun = Begun { head: [0; COUNT], units: vec![UnitId(unit)], columns: 0 };
    for at in each(read_places(reader)?) {
        begun.head[at] = reader.number()?;
    }
    if count > 1 {
        for step in reader.column(count - 1)? {
            let next =
                u32::try_from(step).ok().filter(|step| *step > 0).and_then(|step| unit.checked_add(step));
            unit = next.ok_or(BodyError::Damaged("a unit twice, or out of range"))?;
            begun.units.push(UnitId(unit));
        }
        begun.columns = read_places(reader)?;
    }
    Ok(Some(begun))
}

/// Reads the cells of a map.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<BTreeMap<UnitId, Cell<Sum>>, BodyError> {
    let Some(Begun { head, units, columns }) = begin(reader)? else { return Ok(BTreeMap::new()) };
    let mut all = vec![[0; COUNT]; units.len()];
    all[0] = head;
    for at in each(columns) {
        let column = reader.column(units.len() - 1)?;
        all[1..].iter_mut().zip(column).for_each(|(numbers, number)| numbers[at] = number);
    }
    units.into_iter().zip(&all).map(|(unit, numbers)| Ok((unit, cell_of(numbers)?))).collect()
}

/// Cells of a map as they are written, of which each can be read without the others.
#[derive(Debug)]
pub(crate) struct Written {
    head: Numbers,
    units: Vec<UnitId>,
    /// Which number of a cell, and where its column begins.
    columns: Vec<(usize, usize)>,
}

impl Written {
    /// Finds the cells of a map in what is left of some bytes, and passes over them.
    pub(crate) fn find(bytes: &[u8], reader: &mut Reader<'_>) -> Result<Written, BodyError> {
        let Some(Begun { head, units, columns: which }) = begin(reader)? else {
            return Ok(Written { head: [0; COUNT], units: vec![], columns: vec![] });
        };
        let mut columns = Vec::with_capacity(which.count_ones() as usize);
        for number in each(which) {
            columns.push((number, bytes.len() - reader.0.len()));
            reader.one_of_column(units.len() - 1, None)?;
        }
        Ok(Written { head, units, columns })
    }

    /// The cell of a unit, of the bytes in which all were found.
    pub(crate) fn cell(&self, bytes: &[u8], unit: UnitId) -> Result<Option<Cell<Sum>>, BodyError> {
        let Ok(place) = self.units.binary_search(&unit) else { return Ok(None) };
        let Some(after_first) = place.checked_sub(1) else { return cell_of(&self.head).map(Some) };
        let mut numbers = [0; COUNT];
        for (number, start) in &self.columns {
            let column = &mut Reader(&bytes[*start..]);
            numbers[*number] =
                column.one_of_column(self.units.len() - 1, Some(after_first))?.unwrap_or_default();
        }
        cell_of(&numbers).map(Some)
    }
}
