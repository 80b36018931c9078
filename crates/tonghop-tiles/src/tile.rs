//! Figures of one series and period, with their revisions, in columns.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{self, Leaf, Scope, SeriesFigures, Stated};
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use tonghop_core::unit::UnitId;

use crate::headings::{Headed, Heading, Headings, Kind};
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

/// What was said of a figure at one position of the ledger.
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

/// A figure's key within its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) unit: UnitId,
    pub(crate) scope: Scope,
    pub(crate) members: Word,
}

/// What was said of a figure at one position, in as few bytes as will do: a rebuild holds a country's years of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) unit: UnitId,
    pub(crate) heading: Heading,
    pub(crate) position: i64,
    /// In units of the last decimal, never negative; 0 where there is none.
    pub(crate) value: i64,
}

/// A tile's body.
#[derive(Clone, Debug, Default)]
pub struct TileBody {
    pub(crate) words: Words,
    pub(crate) headings: Headings,
    /// What was said last of each figure, in order of unit, scope and the members' text.
    pub(crate) latest: Vec<Row>,
    /// What was said before of those that were revised, first to last.
    pub(crate) earlier: BTreeMap<Key, Vec<Row>>,
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
        let latest = &body.latest[self.at];
        let earlier = body.earlier.get(&body.key(latest)).into_iter().flatten();
        earlier.chain([latest]).map(|row| body.read(row))
    }

    /// What was said last.
    pub fn latest(&self) -> Revision<&'a str> {
        self.body.read(&self.body.latest[self.at])
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
        self.latest.iter().enumerate().map(|(at, row)| {
            let headed = self.headings.get(row.heading);
            Entry {
                unit: row.unit,
                scope: headed.scope,
                members: self.words.get(headed.members),
                body: self,
                at,
            }
        })
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.latest.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.latest.is_empty()
    }

    /// What stands now, in order of units: the unit, the scope, and what is said.
    pub fn current(&self) -> impl Iterator<Item = (UnitId, Scope, Stated)> {
        self.current_with_members().map(|(unit, scope, _, stated)| (unit, scope, stated))
    }

    /// What stands now where it is alike: values of one qualifier, each of another unit and its own. Most tiles are so.
    pub fn alike(&self) -> Option<(Qualifier, impl Iterator<Item = (UnitId, i64)>)> {
        let heading = self.latest.first()?.heading;
        let Headed { scope: Scope::Own, kind: Kind::Value(qualifier), .. } = self.headings.get(heading)
        else {
            return None;
        };
        // Under one heading a unit has one figure.
        let alike = self.latest.iter().all(|row| row.heading == heading);
        alike.then(|| (*qualifier, self.latest.iter().map(|row| (row.unit, row.value))))
    }

    /// What stands now, in order of units: the unit, the scope, the members, and what is said.
    pub fn current_with_members(&self) -> impl Iterator<Item = (UnitId, Scope, &str, Stated)> {
        self.latest.iter().filter_map(|row| {
            let headed = self.headings.get(row.heading);
            let stated = stated(headed, row.value)?;
            Some((row.unit, headed.scope, self.words.get(headed.members), stated))
        })
    }

    /// The heading of figures with the same scope, members and words, of which the same is said but for the value. That
    /// of `said` is not looked at.
    pub fn heading(
        &mut self,
        scope: Scope,
        members: &str,
        said: Said<&str>,
        reporter: &str,
        programmes: &str,
    ) -> Heading {
        let words = &mut self.words;
        let headed = Headed {
            scope,
            members: words.word(members),
            kind: match said {
                Said::Value(_, qualifier) => Kind::Value(qualifier),
                Said::NotAvailable(reason) => Kind::NotAvailable(words.word(reason)),
                Said::Withdrawn => Kind::Withdrawn,
            },
            reporter: words.word(reporter),
            programmes: words.word(programmes),
        };
        self.headings.heading(headed)
    }

    /// Makes room for the first figures of a tile: memory that grows with each of them would be moved again and again.
    pub fn expect(&mut self, figures: usize) {
        if self.latest.capacity() == 0 {
            self.latest.reserve_exact(figures);
        }
    }

    /// Puts a figure in whose texts are plain.
    pub fn put_text(&mut self, unit: UnitId, scope: Scope, members: &str, revision: Revision<&str>) -> Put {
        let Revision { position, said, reporter, programmes } = revision;
        let heading = self.heading(scope, members, said, reporter, programmes);
        let value = if let Said::Value(value, _) = said { value } else { 0 };
        self.put(unit, heading, position, value)
    }

    /// Puts a figure in that was said at a position. The value of one that has none is not looked at. One that says what
    /// stands already makes no revision.
    pub fn put(&mut self, unit: UnitId, heading: Heading, position: i64, value: i64) -> Put {
        let kind = self.headings.get(heading).kind;
        let value = if matches!(kind, Kind::Value(_)) { value } else { 0 };
        let row = Row { unit, heading, position, value };
        match self.search(&row) {
            Ok(at) => {
                let last = self.latest[at];
                let put = match (self.headings.get(last.heading).kind, kind) {
                    (Kind::Withdrawn, Kind::Withdrawn) => return Put::Unchanged,
                    (Kind::Withdrawn, _) => Put::New,
                    (_, Kind::Withdrawn) => Put::Withdrawn,
                    _ if (last.heading, last.value) == (heading, value) => return Put::Unchanged,
                    _ => Put::Revised,
                };
                self.earlier.entry(self.key(&row)).or_default().push(last);
                self.latest[at] = row;
                put
            }
            Err(_) if kind == Kind::Withdrawn => Put::Unchanged,
            Err(at) => {
                self.latest.insert(at, row);
                Put::New
            }
        }
    }

    /// Figures mostly come in order of their units.
    fn search(&self, row: &Row) -> Result<usize, usize> {
        match self.latest.last() {
            None => Err(0),
            Some(last) if self.compare(last, row).is_lt() => Err(self.latest.len()),
            Some(_) => self.latest.binary_search_by(|known| self.compare(known, row)),
        }
    }

    /// The order of entries.
    pub(crate) fn compare(&self, a: &Row, b: &Row) -> Ordering {
        a.unit.cmp(&b.unit).then_with(|| {
            if a.heading == b.heading {
                return Ordering::Equal;
            }
            let (a, b) = (self.headings.get(a.heading), self.headings.get(b.heading));
            a.scope.cmp(&b.scope).then_with(|| {
                if a.members == b.members {
                    Ordering::Equal
                } else {
                    self.words.get(a.members).cmp(self.words.get(b.members))
                }
            })
        })
    }

    pub(crate) fn key(&self, row: &Row) -> Key {
        let headed = self.headings.get(row.heading);
        Key { unit: row.unit, scope: headed.scope, members: headed.members }
    }

    fn read(&self, row: &Row) -> Revision<&str> {
        let headed = self.headings.get(row.heading);
        Revision {
            position: row.position,
            said: match headed.kind {
                Kind::Value(qualifier) => Said::Value(row.value, qualifier),
                Kind::NotAvailable(reason) => Said::NotAvailable(self.words.get(reason)),
                Kind::Withdrawn => Said::Withdrawn,
            },
            reporter: self.words.get(headed.reporter),
            programmes: self.words.get(headed.programmes),
        }
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
        let mut leaves: Vec<Option<u32>> = vec![None; self.headings.count()];
        let mut rows = Vec::with_capacity(self.latest.len());
        for latest in &self.latest {
            let Some(position) = position(latest.unit) else { continue };
            let row = if latest.position <= position {
                latest
            } else {
                let earlier = self.earlier.get(&self.key(latest)).into_iter().flatten().rev();
                let Some(standing) = { earlier }.find(|row| row.position <= position) else { continue };
                standing
            };
            let headed = self.headings.get(row.heading);
            let Some(stated) = stated(headed, row.value) else { continue };
            let leaf = *leaves[row.heading.0 as usize].get_or_insert_with(|| {
                let reporter = self.words.get(headed.reporter);
                figures.leaf(&Leaf {
                    members: Breakdown::parse(self.words.get(headed.members)).unwrap_or_default(),
                    reporter: Some(reporter.to_owned()).filter(|r| !r.is_empty()),
                })
            });
            rows.push(figure::Row { unit: row.unit, scope: headed.scope, leaf, stated });
        }
        if !rows.is_empty() {
            figures.periods.entry(period).or_default().extend(rows);
        }
    }
}

/// What a revision says to a roll-up; nothing where the figure went back to missing.
fn stated(headed: &Headed, value: i64) -> Option<Stated> {
    match headed.kind {
        Kind::Value(qualifier) => Some(Stated::Value(value, qualifier)),
        Kind::NotAvailable(_) => Some(Stated::NotAvailable),
        Kind::Withdrawn => None,
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
