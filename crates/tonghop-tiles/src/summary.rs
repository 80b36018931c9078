//! Rolled-up cells of one series and period: the nation's, and those of the units directly below it.
//!
//! ```text
//! version 1
//! count, then for each unit in order:
//!   unit less the unit before
//!   own + 4 · whole + 16 · parts (0 missing, 1 not available, 2 value)
//!   taken (0 nowhere, 1 whole, 2 parts) + 4 · along time + 8 · collects + 16 · not aggregable
//!     + 32 · parts have dates + 64 · whole has dates
//!   reported · covered · expected · unavailable · covered by parts · unavailable in parts
//!   for each of own, whole and parts that is a value: value · exact part · qualifier
//!   for each of parts and whole that has dates: oldest · newest, in days since 1970-01-01
//! ```
//!
//! A unit that is not there has nothing in the period.

use std::collections::BTreeMap;

use tonghop_core::Date;
use tonghop_core::calendar::{day_number, day_of_number};
use tonghop_core::quantity::{Qualifier, Sum};
use tonghop_core::rollup::{Along, Cell, Dates, Parts, State, Taken};
use tonghop_core::unit::UnitId;

use crate::bytes::{BodyError, Reader, Writer};

const VERSION: u8 = 1;

/// A summary's body: a cell for each unit that has anything in the period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SummaryBody {
    /// By unit.
    pub cells: BTreeMap<UnitId, Cell<Sum>>,
}

impl SummaryBody {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(vec![VERSION]);
        out.unsigned(self.cells.len() as u128);
        let mut before = 0u32;
        for (unit, cell) in &self.cells {
            out.unsigned(u128::from(unit.0 - before));
            before = unit.0;
            write_cell(&mut out, cell);
        }
        out.0
    }

    /// From bytes.
    ///
    /// # Errors
    /// Where they are of another version, or damaged.
    pub fn decode(bytes: &[u8]) -> Result<SummaryBody, BodyError> {
        let mut reader = Reader(bytes);
        match reader.byte()? {
            VERSION => {}
            other => return Err(BodyError::Version(other)),
        }
        let count = reader.count()?;
        let mut cells = BTreeMap::new();
        let mut unit = 0u32;
        for _ in 0..count {
            let step: u32 = reader.number()?;
            unit = unit.checked_add(step).ok_or(BodyError::Damaged("a unit out of range"))?;
            cells.insert(UnitId(unit), read_cell(&mut reader)?);
        }
        if reader.0.is_empty() {
            Ok(SummaryBody { cells })
        } else {
            Err(BodyError::Damaged("bytes left over"))
        }
    }
}

fn kind(state: &State<Sum>) -> u8 {
    match state {
        State::Missing => 0,
        State::NotAvailable => 1,
        State::Value(_) => 2,
    }
}

fn write_cell(out: &mut Writer, cell: &Cell<Sum>) {
    out.0.push(kind(&cell.own) + 4 * kind(&cell.whole) + 16 * kind(&cell.parts.state));
    let taken = match cell.taken {
        Taken::Nowhere => 0,
        Taken::Whole => 1,
        Taken::Parts => 2,
    };
    out.0.push(
        taken
            + 4 * u8::from(cell.along == Along::Time)
            + 8 * u8::from(cell.collects)
            + 16 * u8::from(cell.not_aggregable)
            + 32 * u8::from(cell.parts.dates.is_some())
            + 64 * u8::from(cell.whole_dates.is_some()),
    );
    let counts = [
        cell.reported,
        cell.covered,
        cell.expected,
        cell.unavailable,
        cell.parts.covered,
        cell.parts.unavailable,
    ];
    for count in counts {
        out.unsigned(u128::from(count));
    }
    for sum in [&cell.own, &cell.whole, &cell.parts.state].into_iter().filter_map(|s| s.value()) {
        out.signed(sum.value);
        out.signed(sum.exact);
        out.0.push(sum.qualifier as u8);
    }
    for (oldest, newest) in [cell.parts.dates, cell.whole_dates].into_iter().flatten() {
        out.signed(i128::from(day_number(oldest)));
        out.signed(i128::from(day_number(newest)));
    }
}

fn read_cell(reader: &mut Reader<'_>) -> Result<Cell<Sum>, BodyError> {
    let (kinds, flags) = (reader.byte()?, reader.byte()?);
    let mut counts = [0u64; 6];
    for count in &mut counts {
        *count = reader.number()?;
    }
    let mut state = |kind: u8| match kind % 4 {
        0 => Ok(State::Missing),
        1 => Ok(State::NotAvailable),
        2 => Ok(State::Value(Sum {
            value: reader.signed()?,
            exact: reader.signed()?,
            qualifier: match reader.byte()? {
                0 => Qualifier::Exact,
                1 => Qualifier::AtLeast,
                2 => Qualifier::AtMost,
                3 => Qualifier::About,
                _ => return Err(BodyError::Damaged("an unknown qualifier")),
            },
        })),
        _ => Err(BodyError::Damaged("an unknown kind of state")),
    };
    let own = state(kinds)?;
    let whole = state(kinds / 4)?;
    let parts = state(kinds / 16)?;
    let mut dates = |flag: u8| -> Result<Dates, BodyError> {
        if flags & flag == 0 {
            return Ok(None);
        }
        Ok(Some((day(reader.small()?)?, day(reader.small()?)?)))
    };
    let (parts_dates, whole_dates) = (dates(32)?, dates(64)?);
    let taken = match flags % 4 {
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
    let [reported, covered, expected, unavailable, parts_covered, parts_unavailable] = counts;
    Ok(Cell {
        own,
        whole,
        whole_dates,
        parts: Parts {
            state: parts,
            covered: parts_covered,
            unavailable: parts_unavailable,
            dates: parts_dates,
        },
        along: if flags & 4 != 0 { Along::Time } else { Along::Units },
        headline,
        taken,
        reported,
        covered,
        expected,
        unavailable,
        dates: headline_dates,
        collects: flags & 8 != 0,
        not_aggregable: flags & 16 != 0,
    })
}

fn day(number: i32) -> Result<Date, BodyError> {
    day_of_number(number).ok_or(BodyError::Damaged("a day out of range"))
}
