//! The shorter periods that a period is put together from.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::spans;
use crate::period::Period;
use crate::unit::UnitId;

/// The tilings of a period that units may choose from.
pub(super) struct Choices {
    fixed: Vec<Arc<Vec<Period>>>,
    by_unit: HashMap<UnitId, Arc<Vec<Period>>>,
    /// All periods in any of them.
    pub(super) all: BTreeSet<Period>,
}

impl Choices {
    /// The same for all units.
    pub(super) fn fixed(tilings: Vec<Vec<Period>>) -> Choices {
        Choices {
            all: tilings.iter().flatten().copied().collect(),
            fixed: tilings.into_iter().map(Arc::new).collect(),
            by_unit: HashMap::new(),
        }
    }

    /// Of a span of years: for a unit that reported shorter spans, these in place of their years.
    pub(super) fn span(from: i16, to: i16, reported: HashMap<UnitId, BTreeSet<(i16, i16)>>) -> Choices {
        let mut choices = Choices::fixed(vec![(from..=to).map(Period::Year).collect()]);
        for (unit, spans) in reported {
            let spans: Vec<_> = spans.into_iter().collect();
            let tiles = spans::tiles(from, to, &spans);
            choices.all.extend(&tiles);
            choices.by_unit.insert(unit, Arc::new(tiles));
        }
        choices
    }

    /// The one that units have of which nothing is known.
    pub(super) fn usual(&self) -> Arc<Vec<Period>> {
        self.fixed.first().map_or_else(|| Arc::new(vec![]), Arc::clone)
    }

    /// Those of a unit.
    pub(super) fn of(&self, unit: UnitId) -> &[Arc<Vec<Period>>] {
        match self.by_unit.get(&unit) {
            Some(tiles) => std::slice::from_ref(tiles),
            None => &self.fixed,
        }
    }
}
