//! A tile's body as bytes.
//!
//! ```text
//! version 3
//! words: count, then each a text             (members, reporters, reasons, programmes); 0 is the empty word
//! count of entries, in order of unit, scope and members
//! lowest unit, then a column (see `columns`): for each entry after the first, unit less the unit before
//! columns, a number for each entry:
//!   members' word · 2 + scope (0 own, 1 territory)
//! of what was said last of each entry: lowest position, then columns, a number for each entry:
//!   position less the lowest
//!   kind (0 value, 1 not available, 2 withdrawn) + 4 · qualifier
//!   value, or the reason's word
//!   reporter's word
//!   programmes' word
//! count of entries that were revised, then for each: number of entries after the one before · count, then what was said
//! before, each: position less the position before · kind + 4 · qualifier · value or reason · reporter · programmes
//! ```
//!
//! Numbers outside columns are in base-128 groups, lowest first; differences of positions are zigzag. Equal bodies have
//! equal bytes: words are numbered in the order in which the entries use them.

use tonghop_core::figure::Scope;
use tonghop_core::quantity::Qualifier;
use tonghop_core::unit::UnitId;

use crate::bytes::{BodyError, Reader, Writer};
use crate::tile::{Key, Revision, Said, TileBody};
use crate::words::{Word, Words};

const VERSION: u8 = 3;

/// Entries of a tile at most: what is damaged must not ask for more memory than a tile can need.
const MOST_ENTRIES: usize = 1 << 22;

const QUALIFIERS: [Qualifier; 4] =
    [Qualifier::Exact, Qualifier::AtLeast, Qualifier::AtMost, Qualifier::About];

/// Numbers words in the order of their use.
struct Renumbered<'a> {
    words: &'a Words,
    numbers: Vec<u32>,
    used: Vec<Word>,
}

impl Renumbered<'_> {
    fn number(&mut self, word: Word) -> u64 {
        if word == Word::default() {
            return 0;
        }
        let number = &mut self.numbers[word.0 as usize];
        if *number == 0 {
            self.used.push(word);
            *number = self.used.len() as u32;
        }
        u64::from(*number)
    }

    /// Kind and qualifier, and the number that goes with them.
    fn said(&mut self, said: Said<Word>) -> (u64, u64) {
        match said {
            Said::Value(value, qualifier) => (4 * qualifier as u64, value.unsigned_abs()),
            Said::NotAvailable(reason) => (1, self.number(reason)),
            Said::Withdrawn => (2, 0),
        }
    }
}

impl TileBody {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let count = self.keys.len();
        let numbers = vec![0; self.words.count()];
        let mut words = Renumbered { words: &self.words, numbers, used: vec![] };
        let mut body = Writer::default();
        body.unsigned(count as u128);
        let mut before = self.keys.first().map_or(0, |k| k.unit.0);
        body.unsigned(u128::from(before));
        let mut columns: [Vec<u64>; 7] = Default::default();
        columns.iter_mut().for_each(|c| c.reserve_exact(count));
        let [units, places, positions, kinds, values, reporters, programmes] = &mut columns;
        let lowest = self.latest.iter().map(|r| r.position).min().unwrap_or(0);
        for (at, (key, revision)) in self.keys.iter().zip(&self.latest).enumerate() {
            if at > 0 {
                units.push(u64::from(key.unit.0 - before));
            }
            before = key.unit.0;
            places.push(2 * words.number(key.members) + u64::from(key.scope == Scope::Territory));
            positions.push(revision.position.abs_diff(lowest));
            let (kind, value) = words.said(revision.said);
            kinds.push(kind);
            values.push(value);
            reporters.push(words.number(revision.reporter));
            programmes.push(words.number(revision.programmes));
        }
        let [units, places, latest @ ..] = &columns;
        body.column(units);
        body.column(places);
        body.signed(i128::from(lowest));
        latest.iter().for_each(|column| body.column(column));
        self.encode_earlier(&mut body, &mut words);

        let mut out = Writer(Vec::with_capacity(body.0.len() + 32));
        out.0.push(VERSION);
        out.unsigned(words.used.len() as u128);
        for word in &words.used {
            out.text(words.words.get(*word));
        }
        out.0.extend(body.0);
        out.0
    }

    fn encode_earlier(&self, body: &mut Writer, words: &mut Renumbered<'_>) {
        body.unsigned(self.earlier.len() as u128);
        if self.earlier.is_empty() {
            return;
        }
        let (mut next, mut position) = (0, 0i64);
        for (at, key) in self.keys.iter().enumerate() {
            let Some(revisions) = self.earlier.get(key) else { continue };
            body.unsigned((at - next) as u128);
            next = at + 1;
            body.unsigned(revisions.len() as u128);
            for revision in revisions {
                body.signed(i128::from(revision.position) - i128::from(position));
                position = revision.position;
                let (kind, value) = words.said(revision.said);
                for number in
                    [kind, value, words.number(revision.reporter), words.number(revision.programmes)]
                {
                    body.unsigned(u128::from(number));
                }
            }
        }
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
        let mut body = TileBody::default();
        for number in 1..=reader.count()? {
            if body.words.word(reader.text()?).0 as usize != number {
                return Err(BodyError::Damaged("a word twice"));
            }
        }
        let count: usize = reader.number()?;
        if count > MOST_ENTRIES {
            return Err(BodyError::Damaged("a count past all bounds"));
        }
        body.decode_keys(&mut reader, count)?;
        body.decode_latest(&mut reader, count)?;
        body.decode_earlier(&mut reader)?;
        if reader.0.is_empty() { Ok(body) } else { Err(BodyError::Damaged("bytes left over")) }
    }

    fn known(&self, number: u64) -> Result<Word, BodyError> {
        match u32::try_from(number) {
            Ok(word) if (word as usize) < self.words.count() => Ok(Word(word)),
            _ => Err(BodyError::Damaged("no such word")),
        }
    }

    fn said(&self, kind: u64, value: u64) -> Result<Said<Word>, BodyError> {
        Ok(match kind % 4 {
            0 if kind < 16 => {
                let value = i64::try_from(value).map_err(|_| BodyError::Damaged("a value out of range"))?;
                Said::Value(value, QUALIFIERS[(kind / 4) as usize])
            }
            1 => Said::NotAvailable(self.known(value)?),
            2 => Said::Withdrawn,
            _ => return Err(BodyError::Damaged("an unknown kind of figure")),
        })
    }

    fn decode_keys(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), BodyError> {
        let mut unit: u32 = reader.number()?;
        let steps = reader.column(count.saturating_sub(1))?;
        let places = reader.column(count)?;
        self.keys.reserve_exact(count);
        for (step, place) in [0].into_iter().chain(steps).zip(places) {
            let next = u32::try_from(step).ok().and_then(|step| unit.checked_add(step));
            unit = next.ok_or(BodyError::Damaged("a unit out of range"))?;
            let scope = if place % 2 == 1 { Scope::Territory } else { Scope::Own };
            let key = Key { unit: UnitId(unit), scope, members: self.known(place / 2)? };
            // Of two that are one, each would have the revisions of the other.
            if step == 0 && self.keys.last().is_some_and(|last| self.compare(last, &key).is_ge()) {
                return Err(BodyError::Damaged("entries out of order"));
            }
            self.keys.push(key);
        }
        Ok(())
    }

    fn decode_latest(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), BodyError> {
        let lowest: i64 = reader.small()?;
        let mut column = || reader.column(count);
        let (positions, kinds, values) = (column()?, column()?, column()?);
        let (reporters, programmes) = (column()?, column()?);
        self.latest.reserve_exact(count);
        for at in 0..count {
            let position = lowest.checked_add_unsigned(positions[at]);
            self.latest.push(Revision {
                position: position.ok_or(BodyError::Damaged("a position out of range"))?,
                said: self.said(kinds[at], values[at])?,
                reporter: self.known(reporters[at])?,
                programmes: self.known(programmes[at])?,
            });
        }
        Ok(())
    }

    fn decode_earlier(&mut self, reader: &mut Reader<'_>) -> Result<(), BodyError> {
        let (mut next, mut position) = (0usize, 0i64);
        for _ in 0..reader.count()? {
            let at = next.checked_add(reader.number()?).filter(|at| *at < self.keys.len());
            let at = at.ok_or(BodyError::Damaged("an entry out of range"))?;
            next = at + 1;
            let many = reader.count()?;
            let mut revisions = Vec::with_capacity(many);
            for _ in 0..many {
                let step: i64 = reader.small()?;
                position = position.checked_add(step).ok_or(BodyError::Damaged("a position out of range"))?;
                let (kind, value) = (reader.number()?, reader.number()?);
                revisions.push(Revision {
                    position,
                    said: self.said(kind, value)?,
                    reporter: self.known(reader.number()?)?,
                    programmes: self.known(reader.number()?)?,
                });
            }
            self.earlier.insert(self.keys[at], revisions);
        }
        Ok(())
    }
}
