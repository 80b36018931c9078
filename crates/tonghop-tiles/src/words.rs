//! Short texts of a tile, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// A text of one tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Word(pub(crate) u32);

/// As long as there are no more words than this, looking at each is faster than an index.
const FEW: usize = 16;

/// All texts of a tile; [`Word::default`] is the empty one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    /// Without the empty one.
    list: Vec<Arc<str>>,
    index: HashMap<Arc<str>, u32>,
}

impl Words {
    pub(crate) fn get(&self, word: Word) -> &str {
        match word.0.checked_sub(1) {
            None => "",
            Some(at) => &self.list[at as usize],
        }
    }

    /// How many there are, with the empty one.
    pub(crate) fn count(&self) -> usize {
        self.list.len() + 1
    }

    pub(crate) fn find(&self, text: &str) -> Option<Word> {
        if text.is_empty() {
            return Some(Word(0));
        }
        if self.index.is_empty() {
            let at = self.list.iter().position(|known| **known == *text)?;
            return Some(Word(at as u32 + 1));
        }
        self.index.get(text).map(|at| Word(*at))
    }

    pub(crate) fn word(&mut self, text: &str) -> Word {
        if let Some(known) = self.find(text) {
            return known;
        }
        let text: Arc<str> = text.into();
        self.list.push(Arc::clone(&text));
        let word = self.list.len() as u32;
        if self.list.len() == FEW + 1 {
            let all = self.list.iter().zip(1..);
            self.index = all.map(|(text, word)| (Arc::clone(text), word)).collect();
        } else if self.list.len() > FEW {
            self.index.insert(text, word);
        }
        Word(word)
    }
}
