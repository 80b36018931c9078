//! Figures of one series and period, with their revisions.
//!
//! ```text
//! version 1
//! words: count, then each a text             (members, reporters, reasons, programmes)
//! entries: count, then each, in order of unit, scope and members:
//!   unit less the unit before · members' word · 2 + scope · number of revisions, then each:
//!     position less the position before · kind + 4 · qualifier + 16 · has reporter + 32 · has programmes
//!     value, or the reason's word · [reporter's word] · [programmes' word]
//! ```
//!
//! All numbers are in base-128 groups, lowest first; differences of positions are zigzag.

use std::collections::HashMap;
use std::sync::Arc;

use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Leaf, Scope, SeriesFigures, Stated};
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use tonghop_core::unit::UnitId;

use crate::bytes::{BodyError, Reader, Writer};

const VERSION: u8 = 1;

/// What a revision says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A value, in units of the last decimal.
    Value(i64, Qualifier),
    /// No value, for a reason.
    NotAvailable(Arc<str>),
    /// The figure went back to missing.
    Withdrawn,
}

/// What was said of a figure at one position of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The position.
    pub position: i64,
    /// What was said.
    pub said: Said,
    /// Who said it, where that is no part of the key.
    pub reporter: Option<Arc<str>>,
    /// Programmes it was reported under, separated by `|`; empty for none.
    pub programmes: Arc<str>,
}

/// A figure's key within its tile, and its revisions in order of position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The unit.
    pub unit: UnitId,
    /// The scope.
    pub scope: Scope,
    /// Members of the partitions, as `dimension=member|…`.
    pub members: Arc<str>,
    /// What was said, first to last; never empty.
    pub revisions: Vec<Revision>,
}

impl Entry {
    /// The revision that stands as of a position.
    pub fn as_of(&self, position: i64) -> Option<&Revision> {
        self.revisions.iter().rev().find(|r| r.position <= position)
    }
}

/// A tile's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileBody {
    /// In order of unit, scope and members.
    entries: Vec<Entry>,
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
    /// All entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Puts a figure in. One that says what stands already makes no revision.
    pub fn put(&mut self, unit: UnitId, scope: Scope, members: &str, revision: Revision) -> Put {
        let at =
            self.entries.binary_search_by(|e| (e.unit, e.scope, &*e.members).cmp(&(unit, scope, members)));
        match at {
            Ok(i) => {
                let entry = &mut self.entries[i];
                let last = entry.revisions.last();
                let put = match (last.map(|r| &r.said), &revision.said) {
                    (None | Some(Said::Withdrawn), Said::Withdrawn) => Put::Unchanged,
                    (None | Some(Said::Withdrawn), _) => Put::New,
                    (_, Said::Withdrawn) => Put::Withdrawn,
                    _ if last.is_some_and(|r| {
                        (&r.said, &r.reporter, &r.programmes)
                            == (&revision.said, &revision.reporter, &revision.programmes)
                    }) =>
                    {
                        Put::Unchanged
                    }
                    _ => Put::Revised,
                };
                if put != Put::Unchanged {
                    entry.revisions.push(revision);
                }
                put
            }
            Err(_) if revision.said == Said::Withdrawn => Put::Unchanged,
            Err(i) => {
                let entry = Entry { unit, scope, members: members.into(), revisions: vec![revision] };
                self.entries.insert(i, entry);
                Put::New
            }
        }
    }

    /// Adds what stands as of a position to the figures of the tile's series.
    pub fn add_to(&self, figures: &mut SeriesFigures, period: Period, position: i64) {
        let mut leaves: HashMap<(&str, Option<&str>), u32> = HashMap::new();
        let mut rows = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let Some(revision) = entry.as_of(position) else { continue };
            let stated = match &revision.said {
                Said::Value(value, qualifier) => Stated::Value(*value, *qualifier),
                Said::NotAvailable(_) => Stated::NotAvailable,
                Said::Withdrawn => continue,
            };
            let leaf = *leaves.entry((&entry.members, revision.reporter.as_deref())).or_insert_with(|| {
                figures.leaf(&Leaf {
                    members: Breakdown::parse(&entry.members).unwrap_or_default(),
                    reporter: revision.reporter.as_deref().map(str::to_owned),
                })
            });
            rows.push(tonghop_core::figure::Row { unit: entry.unit, scope: entry.scope, leaf, stated });
        }
        if !rows.is_empty() {
            figures.periods.entry(period).or_default().extend(rows);
        }
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut words: Vec<Arc<str>> = Vec::new();
        let mut seen: HashMap<Arc<str>, u128> = HashMap::new();
        let mut word = |text: &Arc<str>| {
            *seen.entry(Arc::clone(text)).or_insert_with(|| {
                words.push(Arc::clone(text));
                words.len() as u128 - 1
            })
        };
        let mut body = Writer::default();
        body.unsigned(self.entries.len() as u128);
        let (mut unit_before, mut position_before) = (0u32, 0i64);
        for entry in &self.entries {
            body.unsigned(u128::from(entry.unit.0 - unit_before));
            unit_before = entry.unit.0;
            body.unsigned(word(&entry.members) * 2 + u128::from(entry.scope == Scope::Territory));
            body.unsigned(entry.revisions.len() as u128);
            for revision in &entry.revisions {
                body.signed(i128::from(revision.position) - i128::from(position_before));
                position_before = revision.position;
                let (kind, qualifier, value) = match &revision.said {
                    Said::Value(value, qualifier) => (0, *qualifier, u128::from(value.unsigned_abs())),
                    Said::NotAvailable(reason) => (1, Qualifier::Exact, word(reason)),
                    Said::Withdrawn => (2, Qualifier::Exact, 0),
                };
                let has_reporter = u8::from(revision.reporter.is_some());
                let has_programmes = u8::from(!revision.programmes.is_empty());
                body.0.push(kind + 4 * qualifier as u8 + 16 * has_reporter + 32 * has_programmes);
                body.unsigned(value);
                if let Some(reporter) = &revision.reporter {
                    body.unsigned(word(reporter));
                }
                if !revision.programmes.is_empty() {
                    body.unsigned(word(&revision.programmes));
                }
            }
        }
        let mut out = Writer(vec![VERSION]);
        out.unsigned(words.len() as u128);
        for word in &words {
            out.text(word);
        }
        out.0.extend(body.0);
        out.0
    }

    /// From bytes.
    ///
    /// # Errors
    /// Where they are of another version, or damaged.
    pub fn decode(bytes: &[u8]) -> Result<TileBody, BodyError> {
        let mut reader = Reader(bytes);
        match reader.byte()? {
            VERSION => {}
            other => return Err(BodyError::Version(other)),
        }
        let count = reader.count()?;
        let words = (0..count).map(|_| reader.text().map(Arc::<str>::from)).collect::<Result<Vec<_>, _>>()?;
        let word = |i: u128| {
            let found = usize::try_from(i).ok().and_then(|i| words.get(i));
            found.map(Arc::clone).ok_or(BodyError::Damaged("no such word"))
        };
        let empty: Arc<str> = "".into();
        let count = reader.count()?;
        let mut entries = Vec::with_capacity(count);
        let (mut unit, mut position) = (0u32, 0i64);
        for _ in 0..count {
            let step: u32 = reader.number()?;
            unit = unit.checked_add(step).ok_or(BodyError::Damaged("a unit out of range"))?;
            let members = reader.unsigned()?;
            let scope = if members % 2 == 1 { Scope::Territory } else { Scope::Own };
            let members = word(members / 2)?;
            let many = reader.count()?;
            let mut revisions = Vec::with_capacity(many);
            for _ in 0..many {
                let step: i64 = reader.small()?;
                position = position.checked_add(step).ok_or(BodyError::Damaged("a position out of range"))?;
                let flags = reader.byte()?;
                let value = reader.unsigned()?;
                let qualifier = [Qualifier::Exact, Qualifier::AtLeast, Qualifier::AtMost, Qualifier::About]
                    [usize::from(flags / 4 % 4)];
                let said = match flags % 4 {
                    0 => {
                        let value =
                            i64::try_from(value).map_err(|_| BodyError::Damaged("a value out of range"))?;
                        Said::Value(value, qualifier)
                    }
                    1 => Said::NotAvailable(word(value)?),
                    2 => Said::Withdrawn,
                    _ => return Err(BodyError::Damaged("an unknown kind of figure")),
                };
                let reporter = if flags & 16 != 0 { Some(word(reader.unsigned()?)?) } else { None };
                let programmes = if flags & 32 != 0 { word(reader.unsigned()?)? } else { Arc::clone(&empty) };
                revisions.push(Revision { position, said, reporter, programmes });
            }
            entries.push(Entry { unit: UnitId(unit), scope, members, revisions });
        }
        if reader.0.is_empty() {
            Ok(TileBody { entries })
        } else {
            Err(BodyError::Damaged("bytes left over"))
        }
    }
}
