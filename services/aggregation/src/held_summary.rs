//! A summary held in memory while its cells change.

use std::collections::BTreeMap;

use tonghop_core::Date;
use tonghop_core::quantity::Sum;
use tonghop_core::registry::Registry;
use tonghop_core::rollup::{Below, Cell};
use tonghop_core::unit::UnitId;
use tonghop_tiles::SummaryBody;

/// A summary that is held.
#[derive(Debug, Default)]
pub(crate) struct HeldSummary {
    body: SummaryBody,
    /// What the cells of all units but the nation come to.
    below: Below,
    /// The last position of figures whose totals are not written yet.
    dirty: Option<i64>,
}

impl HeldSummary {
    /// As it was stored.
    pub(crate) fn of(registry: &Registry, body: SummaryBody) -> HeldSummary {
        let mut below = Below::default();
        let provinces = body.cells.iter().filter(|(unit, _)| **unit != registry.nation());
        provinces.for_each(|(_, cell)| below.add(cell));
        HeldSummary { body, below, dirty: None }
    }

    /// Figures of a position are in its cells now.
    pub(crate) fn touch(&mut self, position: i64) {
        self.dirty = Some(self.dirty.map_or(position, |before| before.max(position)));
    }

    /// The last position of figures whose totals are to be written, as they are from now on.
    pub(crate) fn take_dirty(&mut self) -> Option<i64> {
        self.dirty.take()
    }

    /// As bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.body.encode()
    }

    /// How many cells it has, on all maps.
    pub(crate) fn count(&self) -> usize {
        self.body.cells.len() + self.body.restated.values().map(BTreeMap::len).sum::<usize>()
    }

    /// The cell of a unit.
    pub(crate) fn cell(&self, unit: UnitId) -> Option<&Cell<Sum>> {
        self.body.cells.get(&unit)
    }

    /// All cells.
    pub(crate) fn cells(&self) -> &BTreeMap<UnitId, Cell<Sum>> {
        &self.body.cells
    }

    /// What the cells of all units but the nation come to.
    pub(crate) fn below(&self) -> &Below {
        &self.below
    }

    /// Sets the cell of a unit below the nation.
    pub(crate) fn set(&mut self, unit: UnitId, cell: Cell<Sum>) {
        self.below.add(&cell);
        if let Some(before) = self.body.cells.insert(unit, cell) {
            self.below.take(&before);
        }
    }

    /// Sets the nation's cell.
    pub(crate) fn set_nation(&mut self, nation: UnitId, cell: Cell<Sum>) {
        self.body.cells.insert(nation, cell);
    }

    /// Sets the cell of a unit on the map that begins on a day.
    pub(crate) fn restate(&mut self, from: Date, unit: UnitId, cell: Cell<Sum>) {
        self.body.restated.entry(from).or_default().insert(unit, cell);
    }
}
