//! How units stand under one another for a roll-up, worked out once for each map.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use crate::lineage::{Before, Reading};
use crate::registry::Registry;
use crate::unit::{Level, Tree, UnitId};

/// What a roll-up under one unit goes over on one map, with its cells counted.
#[derive(Debug)]
pub struct Stand {
    /// The unit's subtree; on a map before the unit was, the subtrees of what it and the units below it were.
    pub tree: Tree,
    /// Cells of each unit in one collection period; also those of units that the subtree leaves out.
    pub cells: Vec<u64>,
    index: FxHashMap<UnitId, u32>,
    collecting: Members,
}

/// Some units, as bits from the lowest on: every figure that is rolled up asks.
#[derive(Debug, Default)]
struct Members {
    lowest: u32,
    words: Vec<u64>,
}

impl Members {
    fn of(units: &[UnitId]) -> Members {
        let lowest = units.iter().map(|unit| unit.0).min().unwrap_or_default();
        let highest = units.iter().map(|unit| unit.0).max().unwrap_or_default();
        let mut words = vec![0; (highest - lowest) as usize / 64 + 1];
        for unit in units {
            let at = (unit.0 - lowest) as usize;
            words[at / 64] |= 1 << (at % 64);
        }
        Members { lowest, words }
    }

    fn has(&self, unit: UnitId) -> bool {
        let Some(at) = unit.0.checked_sub(self.lowest) else { return false };
        self.words.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }
}

impl Stand {
    /// Where a unit stands in the arrays.
    pub fn position(&self, unit: UnitId) -> Option<usize> {
        self.index.get(&unit).map(|i| *i as usize)
    }

    /// Whether a unit is here and collects.
    pub fn collects(&self, unit: UnitId) -> bool {
        self.collecting.has(unit)
    }
}

/// Things made when first asked for.
#[derive(Debug)]
struct Made<K, V> {
    known: Mutex<HashMap<K, Arc<V>>>,
}

impl<K, V> Default for Made<K, V> {
    fn default() -> Self {
        Made { known: Mutex::default() }
    }
}

impl<K: Hash + Eq, V> Made<K, V> {
    fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(known);
        }
        let made = Arc::new(make());
        Arc::clone(self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(made))
    }
}

/// What roll-ups over one registry need.
#[derive(Debug, Default)]
pub(crate) struct Stands {
    stands: Made<(usize, UnitId, Level, bool), Stand>,
    roots: Made<(usize, UnitId), Vec<UnitId>>,
    placed: Made<(usize, usize, UnitId, Level, bool), Vec<u64>>,
    readers: Made<(UnitId, usize, usize), Vec<UnitId>>,
}

impl Registry {
    /// What a roll-up under `root` goes over on a map, of an indicator collected at `collection`. A shallow one has
    /// the root and the units directly below it, with the cells of the whole.
    pub fn stand(&self, epoch: usize, root: UnitId, collection: Level, shallow: bool) -> Arc<Stand> {
        self.stands().stands.get((epoch, root, collection, shallow), || {
            let roots = self.roots(epoch, root);
            let (map, units) = (&self.maps()[epoch], self.units());
            let full = Tree::under(map, units, &roots, collection, false);
            let counts: HashMap<UnitId, u64> = full.nodes.iter().map(|n| n.unit).zip(full.cells()).collect();
            let tree = if shallow { Tree::under(map, units, &roots, collection, true) } else { full };
            let collecting: Vec<UnitId> =
                tree.nodes.iter().filter(|node| node.collects).map(|node| node.unit).collect();
            Stand {
                collecting: Members::of(&collecting),
                cells: tree.nodes.iter().map(|n| counts[&n.unit]).collect(),
                index: tree.nodes.iter().enumerate().map(|(i, n)| (n.unit, i as u32)).collect(),
                tree,
            }
        })
    }

    /// The units on a map under which lies all that `root` and the units below it go back to. On a map on which the
    /// root is in force it is one of them; on a later one there are none.
    pub fn roots(&self, epoch: usize, root: UnitId) -> Arc<Vec<UnitId>> {
        self.stands().roots.get((epoch, root), || {
            let in_force = |at: usize| self.maps().get(at).is_some_and(|map| map.has(root));
            let (is_in_force, is_later) = (in_force(epoch), in_force(epoch + 1));
            let last_of_life = is_in_force && !is_later;
            let before_life = !is_in_force && (epoch + 1..self.maps().len()).any(in_force);
            if last_of_life || !(is_in_force || before_life) {
                return if is_in_force { vec![root] } else { vec![] };
            }
            let later = &self.maps()[epoch + 1];
            let next = self.roots(epoch + 1, root);
            let below = Tree::under(later, self.units(), &next, Level(u8::MAX), false);
            let mut all: BTreeSet<UnitId> = BTreeSet::new();
            for node in below.nodes {
                match self.before(epoch + 1, node.unit, Reading::Restated) {
                    Before::Same => {
                        all.insert(node.unit);
                    }
                    Before::Of(sources) => all.extend(sources.iter().map(|s| s.unit)),
                }
            }
            let map = &self.maps()[epoch];
            let is_topmost = |unit: &UnitId| !map.ancestry(*unit).skip(1).any(|above| all.contains(&above));
            all.iter().copied().filter(is_topmost).collect()
        })
    }

    /// The units directly below the nation that keep all that a roll-up under a unit reads on some maps, from the first
    /// to the last; the nation itself for the nation.
    pub fn keepers_of(&self, unit: UnitId, (first, last): (usize, usize)) -> HashSet<UnitId> {
        if first == last && self.maps()[first].has(unit) {
            return HashSet::from([self.keeper_on(unit, first)]);
        }
        let of = |epoch| {
            let roots = self.roots(epoch, unit);
            roots.iter().map(|root| self.keeper_on(*root, epoch)).collect::<Vec<_>>()
        };
        (first..=last).flat_map(of).collect()
    }

    /// The units directly below the nation on the map `last` whose roll-up over maps from `first` on reads what a unit
    /// keeps.
    pub fn readers_of(&self, keeper: UnitId, (first, last): (usize, usize)) -> Arc<Vec<UnitId>> {
        self.stands().readers.get((keeper, first, last), || {
            let all = self.maps()[last].children(self.nation()).iter().copied();
            all.filter(|unit| self.keepers_of(*unit, (first, last)).contains(&keeper)).collect()
        })
    }

    /// How many cells of one collection period on the map `from` each unit of a stand on the map `to` has: the units
    /// that collected then, each counted once, where it counts on the later map.
    pub fn placed_cells(
        &self,
        (from, to): (usize, usize),
        root: UnitId,
        collection: Level,
        shallow: bool,
    ) -> Arc<Vec<u64>> {
        self.stands().placed.get((from, to, root, collection, shallow), || {
            let then = self.stand(from, root, collection, false);
            let full = self.stand(to, root, collection, false);
            let map = &self.maps()[to];
            let mut counts = vec![0; full.tree.nodes.len()];
            for node in then.tree.nodes.iter().filter(|n| n.collects) {
                let place = (from + 1..=to).fold(node.unit, |unit, epoch| self.place(epoch, unit));
                // It may lie below the collection level now: then it counts with the unit above.
                if let Some(at) = map.ancestry(place).find_map(|unit| full.position(unit)) {
                    counts[at] += 1;
                }
            }
            full.tree.add_up(&mut counts);
            let stand = self.stand(to, root, collection, shallow);
            let count = |unit: UnitId| full.position(unit).map_or(0, |at| counts[at]);
            stand.tree.nodes.iter().map(|n| count(n.unit)).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_that_were_given() {
        let given: Vec<UnitId> = [70, 133, 134, 198, 4000].map(UnitId).to_vec();
        let members = Members::of(&given);
        for unit in (0..5000).map(UnitId) {
            assert_eq!(members.has(unit), given.contains(&unit), "{unit:?}");
        }
        assert!(!Members::of(&[]).has(UnitId(0)));
        assert!(!Members::default().has(UnitId(0)));
    }
}
