//! How units stand under one another for a roll-up, worked out once for each map.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;

use crate::registry::Registry;
use crate::unit::{Level, Tree, UnitId};

/// A subtree of one map, with its cells counted.
#[derive(Debug)]
pub struct Stand {
    /// The subtree.
    pub tree: Tree,
    /// Cells of each unit in one collection period; also those of units that the subtree leaves out.
    pub cells: Vec<u64>,
    index: HashMap<UnitId, u32>,
}

impl Stand {
    /// Where a unit stands in the arrays.
    pub fn position(&self, unit: UnitId) -> Option<usize> {
        self.index.get(&unit).map(|i| *i as usize)
    }
}

type Key = (usize, UnitId, Level, bool);

/// The subtrees that roll-ups over one registry need; each is made when first asked for.
#[derive(Debug, Default)]
pub(crate) struct Stands {
    made: Mutex<HashMap<Key, Arc<Stand>>>,
}

impl Registry {
    /// The subtree under `root` on the map of `day`, of an indicator collected at `collection`. A shallow one
    /// is `root` and the units directly below it, with the cells of the whole.
    pub fn stand(&self, day: Date, root: UnitId, collection: Level, shallow: bool) -> Arc<Stand> {
        let key = (self.epoch(day), root, collection, shallow);
        let made = &self.stands().made;
        if let Some(stand) = made.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(stand);
        }
        let map = self.map_on(day);
        let full = Tree::under(map, self.units(), root, collection, false);
        let counts: HashMap<UnitId, u64> = full.nodes.iter().map(|n| n.unit).zip(full.cells()).collect();
        let tree = if shallow { Tree::under(map, self.units(), root, collection, true) } else { full };
        let stand = Arc::new(Stand {
            cells: tree.nodes.iter().map(|n| counts[&n.unit]).collect(),
            index: tree.nodes.iter().enumerate().map(|(i, n)| (n.unit, i as u32)).collect(),
            tree,
        });
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(made.entry(key).or_insert(stand))
    }
}
