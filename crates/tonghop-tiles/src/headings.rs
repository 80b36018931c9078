//! What many figures of a tile have in common, each kept once.

use std::collections::HashMap;

use tonghop_core::figure::Scope;
use tonghop_core::quantity::Qualifier;

use crate::words::Word;

/// What is said of a figure, besides its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Value(Qualifier),
    NotAvailable(Word),
    Withdrawn,
}

/// All that a tile keeps of a figure besides its unit, its value, and where in the ledger it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Headed {
    pub(crate) scope: Scope,
    pub(crate) members: Word,
    pub(crate) kind: Kind,
    pub(crate) reporter: Word,
    pub(crate) programmes: Word,
}

/// A heading of one tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading(pub(crate) u32);

/// As long as there are no more headings than this, looking at each is faster than an index.
const FEW: usize = 16;

/// All headings of a tile, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headings {
    list: Vec<Headed>,
    /// Of all of them, once they are more than a few.
    index: HashMap<Headed, u32>,
}

impl Headings {
    pub(crate) fn get(&self, heading: Heading) -> &Headed {
        &self.list[heading.0 as usize]
    }

    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    fn find(&self, headed: &Headed) -> Option<u32> {
        if self.list.len() > FEW {
            return self.index.get(headed).copied();
        }
        self.list.iter().position(|known| known == headed).map(|at| at as u32)
    }

    /// The heading for this, which is added if it is new.
    pub(crate) fn heading(&mut self, headed: Headed) -> Heading {
        if let Some(known) = self.find(&headed) {
            return Heading(known);
        }
        let new = self.list.len() as u32;
        self.list.push(headed);
        if self.list.len() == FEW + 1 {
            self.index = self.list.iter().copied().zip(0..).collect();
        } else if self.list.len() > FEW {
            self.index.insert(headed, new);
        }
        Heading(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_kept_once_however_many_there_are() {
        let mut headings = Headings::default();
        let headed = |n: u32| Headed {
            scope: if n.is_multiple_of(2) { Scope::Own } else { Scope::Territory },
            members: Word(n / 2),
            kind: if n.is_multiple_of(3) { Kind::Withdrawn } else { Kind::NotAvailable(Word(n)) },
            reporter: Word(0),
            programmes: Word(1),
        };
        let first: Vec<Heading> = (0..50).map(|n| headings.heading(headed(n))).collect();
        let again: Vec<Heading> = (0..50).map(|n| headings.heading(headed(n))).collect();
        assert_eq!(first, again);
        assert_eq!(headings.count(), 50);
        for (n, heading) in (0..).zip(first) {
            assert_eq!(*headings.get(heading), headed(n));
        }
    }
}
