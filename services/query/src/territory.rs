//! What a unit's territory was through time.

use std::collections::BTreeSet;

use tonghop_core::lineage::{Before, Reading};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

/// The territory of a unit of one map, on the maps before it.
pub(crate) struct Territory<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) unit: UnitId,
    /// The map that the unit is of.
    pub(crate) told_on: usize,
}

impl Territory<'_> {
    /// The units whose territory it is on a map: the unit itself where it is in force, else those that it goes back to.
    pub(crate) fn on(&self, epoch: usize) -> Vec<UnitId> {
        let mut units = BTreeSet::from([self.unit]);
        for step in (epoch + 1..=self.told_on).rev() {
            units = units.into_iter().flat_map(|unit| self.before(step, unit)).collect();
        }
        units.into_iter().collect()
    }

    fn before(&self, epoch: usize, unit: UnitId) -> Vec<UnitId> {
        match self.registry.before(epoch, unit, Reading::Restated) {
            _ if self.registry.maps()[epoch - 1].has(unit) => vec![unit],
            Before::Same => vec![],
            Before::Of(sources) => sources.iter().map(|s| s.unit).collect(),
        }
    }

    /// Whether it became another between two maps, under a new number alone aside.
    pub(crate) fn changed(&self, from: usize, to: usize) -> bool {
        (from + 1..=to).any(|epoch| {
            self.on(epoch).into_iter().any(|unit| {
                let before = self.registry.before(epoch, unit, Reading::Restated);
                before != Before::Same && before.renumbered().is_none()
            })
        })
    }
}
