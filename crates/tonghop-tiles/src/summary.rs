//! Rolled-up cells of one series and period: the nation's, and those of the units directly below it; and these restated
//! to every later map.
//!
//! ```text
//! version 3
//! the cells of the period's own map (see `cells`)
//! count of later maps, then for each in order: its first day, in days since 1970-01-01 · cells
//! ```
//!
//! A unit that is not there has nothing in the period. Under a later map stand only the units that were something else
//! on the map before it; all others are there as they were.

use std::collections::BTreeMap;

use tonghop_core::Date;
use tonghop_core::calendar::{day_number, day_of_number};
use tonghop_core::lineage::{Before, Reading};
use tonghop_core::quantity::Sum;
use tonghop_core::registry::Registry;
use tonghop_core::rollup::Cell;
use tonghop_core::unit::UnitId;

use crate::bytes::{BodyError, Reader, Writer};
use crate::cells::{self, Written};

const VERSION: u8 = 3;

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
        cells::write(&mut out, &self.cells);
        out.unsigned(self.restated.len() as u128);
        for (from, cells) in &self.restated {
            out.signed(i128::from(day_number(*from)));
            cells::write(&mut out, cells);
        }
        out.0
    }

    /// From bytes.
    ///
    /// # Errors
    /// Where they are of another version, or damaged.
    pub fn decode(bytes: &[u8]) -> Result<SummaryBody, BodyError> {
        let (cells, restated) = maps(bytes, cells::read)?;
        Ok(SummaryBody { cells, restated })
    }
}

/// A summary's body as it is written, of which a cell is read when it is asked for: most who ask want one of a hundred.
#[derive(Debug)]
pub struct WrittenSummary {
    bytes: Vec<u8>,
    cells: Written,
    restated: BTreeMap<Date, Written>,
}

impl WrittenSummary {
    /// Of bytes, in which all cells are found and none is read.
    ///
    /// # Errors
    /// Where they are of another version, or damaged in a way that shows without looking at each number.
    pub fn of(bytes: Vec<u8>) -> Result<WrittenSummary, BodyError> {
        let (cells, restated) = maps(&bytes, |reader| Written::find(&bytes, reader))?;
        Ok(WrittenSummary { bytes, cells, restated })
    }

    /// The cell of a unit of the map `epoch`, for a period whose own map is `then`, no later.
    ///
    /// # Errors
    /// Where it is damaged.
    pub fn cell(
        &self,
        registry: &Registry,
        (then, epoch): (usize, usize),
        unit: UnitId,
    ) -> Result<Option<Cell<Sum>>, BodyError> {
        let made = |e: &usize| registry.before(*e, unit, Reading::Restated) != Before::Same;
        match (then + 1..=epoch).rev().find(made) {
            Some(epoch) => {
                registry.maps()[epoch].from.map_or(Ok(None), |from| self.cell_on(Some(from), unit))
            }
            None => self.cell_on(None, unit),
        }
    }

    /// The cell of a unit as it is restated to the map that begins on a day, or of the period's own map.
    ///
    /// # Errors
    /// Where it is damaged.
    pub fn cell_on(&self, from: Option<Date>, unit: UnitId) -> Result<Option<Cell<Sum>>, BodyError> {
        let cells = match from {
            None => Some(&self.cells),
            Some(from) => self.restated.get(&from),
        };
        cells.map_or(Ok(None), |cells| cells.cell(&self.bytes, unit))
    }
}

/// Reads what stands for the period's own map, and for each later one by its first day.
fn maps<Cells>(
    bytes: &[u8],
    mut read: impl FnMut(&mut Reader<'_>) -> Result<Cells, BodyError>,
) -> Result<(Cells, BTreeMap<Date, Cells>), BodyError> {
    let mut reader = Reader(bytes);
    match reader.byte()? {
        VERSION => {}
        other => return Err(BodyError::Version(other)),
    }
    let cells = read(&mut reader)?;
    let mut restated = BTreeMap::new();
    for _ in 0..reader.count()? {
        let from = day_of_number(reader.small()?).ok_or(BodyError::Damaged("a day out of range"))?;
        if restated.insert(from, read(&mut reader)?).is_some() {
            return Err(BodyError::Damaged("a map twice"));
        }
    }
    if reader.0.is_empty() { Ok((cells, restated)) } else { Err(BodyError::Damaged("bytes left over")) }
}
