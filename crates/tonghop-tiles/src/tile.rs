//! Figures of one series and period, with their revisions, in columns.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Leaf, Row, Scope, SeriesFigures, Stated};
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use tonghop_core::unit::UnitId;

use crate::words::{Word, Words};

/// What a revision says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<Text> {
    /// A value, in units of the last decimal; never negative.
    Value(i64, Qualifier),
    /// No value, for a reason.
    NotAvailable(Text),
    /// The figure went back to missing.
    Withdrawn,
}

/// What was said of a figure at one position of the ledger. Its texts are [words](Word) of the tile where figures are
/// put in, and plain text where they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision<Text> {
    /// The position.
    pub position: i64,
    /// What was said.
    pub said: Said<Text>,
    /// Who said it, where that is no part of the key; empty where it is.
    pub reporter: Text,
    /// Programmes it was reported under, separated by `|`; empty for none.
    pub programmes: Text,
}

impl<Text> Revision<Text> {
    fn map<Other>(self, mut text: impl FnMut(Text) -> Other) -> Revision<Other> {
        Revision {
            position: self.position,
            said: match self.said {
                Said::Value(value, qualifier) => Said::Value(value, qualifier),
                Said::NotAvailable(reason) => Said::NotAvailable(text(reason)),
                Said::Withdrawn => Said::Withdrawn,
            },
            reporter: text(self.reporter),
            programmes: text(self.programmes),
        }
    }
}

/// A figure's key within its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) unit: UnitId,
    pub(crate) scope: Scope,
    pub(crate) members: Word,
}

/// A tile's body.
#[derive(Clone, Debug, Default)]
pub struct TileBody {
    pub(crate) words: Words,
    /// In order of unit, scope and the members' text.
    pub(crate) keys: Vec<Key>,
    /// What was said last of each key.
    pub(crate) latest: Vec<Revision<Word>>,
    /// What was said before of those that were revised, first to last.
    pub(crate) earlier: BTreeMap<Key, Vec<Revision<Word>>>,
}

/// A figure's key within its tile, with all that was said of it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The unit.
    pub unit: UnitId,
    /// The scope.
    pub scope: Scope,
    /// Members of the partitions, as `dimension=member|…`.
    pub members: &'a str,
    body: &'a TileBody,
    at: usize,
}

impl<'a> Entry<'a> {
    /// What was said, first to last; never nothing.
    pub fn revisions(&self) -> impl DoubleEndedIterator<Item = Revision<&'a str>> + use<'a> {
        let body = self.body;
        let earlier = body.earlier.get(&body.keys[self.at]).into_iter().flatten();
        earlier.chain([&body.latest[self.at]]).map(|revision| body.read(*revision))
    }

    /// What was said last.
    pub fn latest(&self) -> Revision<&'a str> {
        self.body.read(self.body.latest[self.at])
    }

    /// The revision that stands as of a position.
    pub fn as_of(&self, position: i64) -> Option<Revision<&'a str>> {
        self.revisions().rev().find(|r| r.position <= position)
    }
}

/// What became of a figure that was put into a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// There was none.
    New,
    /// It replaced another.
    Revised,
    /// It says what is there already.
    Unchanged,
    /// It took one back.
    Withdrawn,
}

impl TileBody {
    /// All entries, in order of unit, scope and members.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.keys.iter().enumerate().map(|(at, key)| Entry {
            unit: key.unit,
            scope: key.scope,
            members: self.words.get(key.members),
            body: self,
            at,
        })
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What stands now, in order of units: the unit, the scope, and what is said.
    pub fn current(&self) -> impl Iterator<Item = (UnitId, Scope, Stated)> {
        self.current_with_members().map(|(unit, scope, _, stated)| (unit, scope, stated))
    }

    /// What stands now, in order of units: the unit, the scope, the members, and what is said.
    pub fn current_with_members(&self) -> impl Iterator<Item = (UnitId, Scope, &str, Stated)> {
        self.keys.iter().zip(&self.latest).filter_map(|(key, revision)| {
            let stated = stated(revision)?;
            Some((key.unit, key.scope, self.words.get(key.members), stated))
        })
    }

    /// The word for a text, which is added if it is new.
    pub fn word(&mut self, text: &str) -> Word {
        self.words.word(text)
    }

    /// Makes room for the first figures of a tile: memory that grows with each of them would be moved again and again.
    pub fn expect(&mut self, figures: usize) {
        if self.keys.capacity() == 0 {
            self.keys.reserve_exact(figures);
            self.latest.reserve_exact(figures);
        }
    }

    /// Puts a figure in whose texts are plain.
    pub fn put_text(&mut self, unit: UnitId, scope: Scope, members: &str, revision: Revision<&str>) -> Put {
        let members = self.word(members);
        let revision = revision.map(|text| self.words.word(text));
        self.put(unit, scope, members, revision)
    }

    /// Puts a figure in. One that says what stands already makes no revision.
    pub fn put(&mut self, unit: UnitId, scope: Scope, members: Word, revision: Revision<Word>) -> Put {
        let key = Key { unit, scope, members };
        match self.search(&key) {
            Ok(at) => {
                let last = &mut self.latest[at];
                let put = match (&last.said, &revision.said) {
                    (Said::Withdrawn, Said::Withdrawn) => return Put::Unchanged,
                    (Said::Withdrawn, _) => Put::New,
                    (_, Said::Withdrawn) => Put::Withdrawn,
                    _ if Revision { position: last.position, ..revision } == *last => return Put::Unchanged,
                    _ => Put::Revised,
                };
                let before = std::mem::replace(last, revision);
                self.earlier.entry(key).or_default().push(before);
                put
            }
            Err(_) if revision.said == Said::Withdrawn => Put::Unchanged,
            Err(at) => {
                self.keys.insert(at, key);
                self.latest.insert(at, revision);
                Put::New
            }
        }
    }

    /// Figures mostly come in order of their units.
    fn search(&self, key: &Key) -> Result<usize, usize> {
        match self.keys.last() {
            None => Err(0),
            Some(last) if self.compare(last, key).is_lt() => Err(self.keys.len()),
            Some(_) => self.keys.binary_search_by(|known| self.compare(known, key)),
        }
    }

    /// The order of entries.
    pub(crate) fn compare(&self, a: &Key, b: &Key) -> Ordering {
        (a.unit, a.scope).cmp(&(b.unit, b.scope)).then_with(|| {
            if a.members == b.members {
                Ordering::Equal
            } else {
                self.words.get(a.members).cmp(self.words.get(b.members))
            }
        })
    }

    fn read(&self, revision: Revision<Word>) -> Revision<&str> {
        revision.map(|word| self.words.get(word))
    }

    /// Adds what stands as of a position to the figures of the tile's series.
    pub fn add_to(&self, figures: &mut SeriesFigures, period: Period, position: i64) {
        self.add_some_to(figures, period, |_| Some(position));
    }

    /// Adds what stands of some units to the figures of the tile's series, of each as of a position of its own; nothing of
    /// those that have none.
    pub fn add_some_to(
        &self,
        figures: &mut SeriesFigures,
        period: Period,
        position: impl Fn(UnitId) -> Option<i64>,
    ) {
        let mut leaves: Vec<((Word, Word), u32)> = Vec::new();
        let mut rows = Vec::with_capacity(self.keys.len());
        for (key, latest) in self.keys.iter().zip(&self.latest) {
            let Some(position) = position(key.unit) else { continue };
            let revision = if latest.position <= position {
                latest
            } else {
                let earlier = self.earlier.get(key).into_iter().flatten().rev();
                let Some(standing) = { earlier }.find(|r| r.position <= position) else { continue };
                standing
            };
            let Some(stated) = stated(revision) else { continue };
            let words = (key.members, revision.reporter);
            let leaf = match leaves.iter().find(|(known, _)| *known == words) {
                Some((_, leaf)) => *leaf,
                None => {
                    let reporter = self.words.get(revision.reporter);
                    let leaf = figures.leaf(&Leaf {
                        members: Breakdown::parse(self.words.get(key.members)).unwrap_or_default(),
                        reporter: Some(reporter.to_owned()).filter(|r| !r.is_empty()),
                    });
                    leaves.push((words, leaf));
                    leaf
                }
            };
            rows.push(Row { unit: key.unit, scope: key.scope, leaf, stated });
        }
        if !rows.is_empty() {
            figures.periods.entry(period).or_default().extend(rows);
        }
    }
}

/// What a revision says to a roll-up; nothing where the figure went back to missing.
fn stated(revision: &Revision<Word>) -> Option<Stated> {
    match revision.said {
        Said::Value(value, qualifier) => Some(Stated::Value(value, qualifier)),
        Said::NotAvailable(_) => Some(Stated::NotAvailable),
        Said::Withdrawn => None,
    }
}

/// The same figures with the same revisions, whatever the words' numbers.
impl PartialEq for TileBody {
    fn eq(&self, other: &TileBody) -> bool {
        self.len() == other.len()
            && self.entries().zip(other.entries()).all(|(a, b)| {
                (a.unit, a.scope, a.members) == (b.unit, b.scope, b.members)
                    && a.revisions().eq(b.revisions())
            })
    }
}
