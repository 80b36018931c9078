//! Things of a tile that are each kept once, and known by a number.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// As long as there are no more than this, looking at each is faster than an index.
const FEW: usize = 16;

/// Things by number, in the order in which they came.
#[derive(Clone, Debug)]
pub(crate) struct Numbered<T> {
    list: Vec<T>,
    /// Of all of them, once they are more than a few.
    index: HashMap<T, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered { list: Vec::new(), index: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    pub(crate) fn get(&self, number: u32) -> &T {
        &self.list[number as usize]
    }

    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    fn find<K: Eq + Hash + ?Sized>(&self, key: &K) -> Option<u32>
    where
        T: Borrow<K>,
    {
        if self.list.len() > FEW {
            return self.index.get(key).copied();
        }
        self.list.iter().position(|known| known.borrow() == key).map(|at| at as u32)
    }

    /// The number of a thing, which is made and added if it is new.
    pub(crate) fn number<K: Eq + Hash + ?Sized>(&mut self, key: &K, make: impl FnOnce() -> T) -> u32
    where
        T: Borrow<K>,
    {
        if let Some(known) = self.find(key) {
            return known;
        }
        let (new, thing) = (self.list.len() as u32, make());
        self.list.push(thing.clone());
        if self.list.len() == FEW + 1 {
            self.index = self.list.iter().cloned().zip(0..).collect();
        } else if self.list.len() > FEW {
            self.index.insert(thing, new);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_kept_once_however_many_there_are() {
        let mut numbered = Numbered::<String>::default();
        let mut all = || -> Vec<u32> {
            let text = |n: u32| format!("thing {n}");
            (0..50).map(|n| numbered.number(text(n).as_str(), || text(n))).collect()
        };
        let first = all();
        assert_eq!(first, (0..50).collect::<Vec<_>>());
        assert_eq!(all(), first);
        assert_eq!(numbered.count(), 50);
        assert_eq!(numbered.get(49), "thing 49");
    }
}
