//! Series by number, so that the inner loops compare and hash numbers.

use std::collections::HashMap;
use std::sync::Arc;

use tonghop_core::figure::Series;
use tonghop_core::indicator::Indicator;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

/// A series, by its number in a [`SeriesTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SeriesId(u32);

/// One year of one series in one province, or of the nation's own figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) series: SeriesId,
    pub(crate) keeper: UnitId,
    pub(crate) year: i16,
}

/// What is known of a series.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) series: Series,
    /// As rows have it.
    pub(crate) text: String,
    pub(crate) indicator: Arc<Indicator>,
}

/// All series met under one registry.
#[derive(Debug, Default)]
pub(crate) struct SeriesTable {
    all: Vec<Known>,
    numbers: HashMap<Series, SeriesId>,
}

impl SeriesTable {
    /// The number of a series, which is added if it is new; none if the registry does not know its indicator.
    pub(crate) fn id(&mut self, registry: &Registry, series: &Series) -> Option<SeriesId> {
        if let Some(known) = self.numbers.get(series) {
            return Some(*known);
        }
        let indicator = Arc::clone(registry.indicator(&series.indicator)?);
        let id = SeriesId(self.all.len() as u32);
        self.all.push(Known { series: series.clone(), text: series.to_string(), indicator });
        self.numbers.insert(series.clone(), id);
        Some(id)
    }

    /// The number of a series, if it was met.
    pub(crate) fn find(&self, series: &Series) -> Option<SeriesId> {
        self.numbers.get(series).copied()
    }

    pub(crate) fn get(&self, id: SeriesId) -> &Known {
        &self.all[id.0 as usize]
    }
}
