//! What many figures of a tile have in common, each kept once.

use tonghop_core::figure::Scope;
use tonghop_core::quantity::Qualifier;

use crate::numbered::Numbered;
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

/// All headings of a tile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headings(Numbered<Headed>);

impl Headings {
    pub(crate) fn get(&self, heading: Heading) -> &Headed {
        self.0.get(heading.0)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.count()
    }

    /// The heading for this, which is added if it is new.
    pub(crate) fn heading(&mut self, headed: Headed) -> Heading {
        Heading(self.0.number(&headed, || headed))
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
