//! Rolled-up cells of one series and period: the nation's, and those of the units directly below it; and these restated
//! to every later map.
//!
//! ```text
//! version 2
//! the cells of the period's own map
//! count of later maps, then for each in order: its first day, in days since 1970-01-01 · cells
//!
//! cells: count, then for each unit in order:
//!   unit less the unit before
//!   own + 4 · whole + 16 · parts (0 missing, 1 not available, 2 value) + 64 · estimated + 128 · carried
//!   taken (0 nowhere, 1 whole, 2 parts) + 4 · along time + 8 · collects + 16 · not aggregable
//!     + 32 · parts have dates + 64 · whole has dates
//!   reported · covered · expected · unavailable · covered by parts · unavailable in parts
//!   for each of own, whole and parts that is a value: value · exact part · qualifier
//!   for each of parts and whole that has dates: oldest · newest, in days since 1970-01-01
//! ```
//!
//! A unit that is not there has nothing in the period. Under a later map stand only the units that were something else
//! on the map before it; all others are there as they were.

use std::collections::BTreeMap;

use tonghop_core::Date;
use tonghop_core::calendar::{day_number, day_of_number};
use tonghop_core::lineage::{Before, Reading};
use tonghop_core::quantity::{Qualifier, Sum};
use tonghop_core::registry::Registry;
use tonghop_core::rollup::{Along, Cell, Dates, Parts, State, Taken};
use tonghop_core::unit::UnitId;

use crate::bytes::{BodyError, Reader, Writer};

const VERSION: u8 = 2;

/// A summary's body: a cell for each unit that has anything in the period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SummaryBody {
    /// By unit.
    pub cells: BTreeMap<UnitId, Cell<Sum>>,
    /// Restated, by the first day of the map and unit: those units that the map made.
    pub restated: BTreeMap<Date, BTreeMap<UnitId, Cell<Sum>>>,
}

impl SummaryBody {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(vec![VERSION]);
        write_cells(&mut out, &self.cells);
        out.unsigned(self.restated.len() as u128);
        for (from, cells) in &self.restated {
            out.signed(i128::from(day_number(*from)));
            write_cells(&mut out, cells);
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
        let cells = read_cells(&mut reader)?;
        let mut restated = BTreeMap::new();
        for _ in 0..reader.count()? {
            let from = day(reader.small()?)?;
            if restated.insert(from, read_cells(&mut reader)?).is_some() {
                return Err(BodyError::Damaged("a map twice"));
            }
        }
        if reader.0.is_empty() {
            Ok(SummaryBody { cells, restated })
        } else {
            Err(BodyError::Damaged("bytes left over"))
        }
    }

    /// The cell of a unit of the map `epoch`, for a period whose own map is `then`, no later.
    pub fn cell(
        &self,
        registry: &Registry,
        (then, epoch): (usize, usize),
        unit: UnitId,
    ) -> Option<&Cell<Sum>> {
        let made = |e: &usize| registry.before(*e, unit, Reading::Restated) != Before::Same;
        match (then + 1..=epoch).rev().find(made) {
            Some(epoch) => self.restated.get(&registry.maps()[epoch].from?)?.get(&unit),
            None => self.cells.get(&unit),
        }
    }
}

fn write_cells(out: &mut Writer, cells: &BTreeMap<UnitId, Cell<Sum>>) {
    out.unsigned(cells.len() as u128);
    let mut before = 0u32;
    for (unit, cell) in cells {
        out.unsigned(u128::from(unit.0 - before));
        before = unit.0;
        write_cell(out, cell);
    }
}

fn read_cells(reader: &mut Reader<'_>) -> Result<BTreeMap<UnitId, Cell<Sum>>, BodyError> {
    let count = reader.count()?;
    let mut cells = BTreeMap::new();
    let mut unit = 0u32;
    for _ in 0..count {
        let step: u32 = reader.number()?;
        unit = unit.checked_add(step).ok_or(BodyError::Damaged("a unit out of range"))?;
        if cells.insert(UnitId(unit), read_cell(reader)?).is_some() {
            return Err(BodyError::Damaged("a unit twice"));
        }
    }
    Ok(cells)
}

fn kind(state: &State<Sum>) -> u8 {
    match state {
        State::Missing => 0,
        State::NotAvailable => 1,
        State::Value(_) => 2,
    }
}

fn write_cell(out: &mut Writer, cell: &Cell<Sum>) {
    out.0.push(
        kind(&cell.own)
            + 4 * kind(&cell.whole)
            + 16 * kind(&cell.parts.state)
            + 64 * u8::from(cell.estimated)
            + 128 * u8::from(cell.carried),
    );
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
    let (estimated, carried) = (kinds & 64 != 0, kinds & 128 != 0);
    let of_parts = taken == Taken::Parts;
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
            // Of parts that are not taken nobody asks.
            estimated: estimated && of_parts,
            carried: carried && of_parts,
        },
        along: if flags & 4 != 0 { Along::Time } else { Along::Units },
        headline,
        taken,
        reported,
        covered,
        expected,
        unavailable,
        dates: headline_dates,
        estimated,
        carried,
        collects: flags & 8 != 0,
        not_aggregable: flags & 16 != 0,
    })
}

fn day(number: i32) -> Result<Date, BodyError> {
    day_of_number(number).ok_or(BodyError::Damaged("a day out of range"))
}
