//! Short texts of a tile, each kept once.

use std::sync::Arc;

use crate::numbered::Numbered;

/// A text of one tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Word(pub(crate) u32);

/// All texts of a tile; [`Word::default`] is the empty one, which is not among those that are numbered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(Numbered<Arc<str>>);

impl Words {
    pub(crate) fn get(&self, word: Word) -> &str {
        word.0.checked_sub(1).map_or("", |number| self.0.get(number))
    }

    /// How many there are, with the empty one.
    pub(crate) fn count(&self) -> usize {
        self.0.count() + 1
    }

    /// The word for a text, which is added if it is new.
    pub(crate) fn word(&mut self, text: &str) -> Word {
        if text.is_empty() { Word::default() } else { Word(self.0.number(text, || text.into()) + 1) }
    }
}
