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
use crate::headings::{Headed, Heading, Kind};
use crate::tile::{Row, TileBody};
use crate::words::{Word, Words};

const VERSION: u8 = 3;

/// Entries of a tile at most: what is damaged must not ask for more memory than a tile can need.
const MOST_ENTRIES: usize = 1 << 22;

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

    /// A heading's numbers, in the order in which an entry uses its words.
    fn heading(&mut self, headed: &Headed) -> Numbers {
        let place = 2 * self.number(headed.members) + u64::from(headed.scope == Scope::Territory);
        let (kind, reason) = match headed.kind {
            Kind::Value(qualifier) => (4 * qualifier as u64, 0),
            Kind::NotAvailable(reason) => (1, self.number(reason)),
            Kind::Withdrawn => (2, 0),
        };
        let (reporter, programmes) = (self.number(headed.reporter), self.number(headed.programmes));
        Numbers { place, kind, reason, reporter, programmes }
    }
}

/// What is written of a heading, with each figure under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbers {
    place: u64,
    kind: u64,
    /// In place of a value.
    reason: u64,
    reporter: u64,
    programmes: u64,
}

/// How many columns there are of what was said last of each entry, besides units and positions.
const SAID: usize = 5;

impl TileBody {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let count = self.latest.len();
        let numbers = vec![0; self.words.count()];
        let mut words = Renumbered { words: &self.words, numbers, used: vec![] };
        let mut headings: Vec<Option<Numbers>> = vec![None; self.headings.count()];
        let mut numbers_of = |words: &mut Renumbered<'_>, heading: Heading| {
            *headings[heading.0 as usize].get_or_insert_with(|| words.heading(self.headings.get(heading)))
        };
        let mut body = Writer::default();
        body.unsigned(count as u128);
        let mut before = self.latest.first().map_or(0, |row| row.unit.0);
        body.unsigned(u128::from(before));
        let lowest = self.latest.iter().map(|row| row.position).min().unwrap_or(0);
        let (mut units, mut positions) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut columns: [Vec<u64>; SAID] = std::array::from_fn(|_| Vec::with_capacity(count));
        let [places, kinds, values, reporters, programmes] = &mut columns;
        for row in &self.latest {
            units.push(u64::from(row.unit.0 - before));
            before = row.unit.0;
            positions.push(row.position.abs_diff(lowest));
            let numbers = numbers_of(&mut words, row.heading);
            places.push(numbers.place);
            kinds.push(numbers.kind);
            values.push(row.value.unsigned_abs() + numbers.reason);
            reporters.push(numbers.reporter);
            programmes.push(numbers.programmes);
        }
        let [places, said @ ..] = &columns;
        body.column(units.get(1..).unwrap_or_default());
        body.column(places);
        body.signed(i128::from(lowest));
        body.column(&positions);
        said.iter().for_each(|column| body.column(column));
        self.encode_earlier(&mut body, |heading| numbers_of(&mut words, heading));

        let mut out = Writer(Vec::with_capacity(body.0.len() + 32));
        out.0.push(VERSION);
        out.unsigned(words.used.len() as u128);
        for word in &words.used {
            out.text(words.words.get(*word));
        }
        out.0.extend(body.0);
        out.0
    }

    fn encode_earlier(&self, body: &mut Writer, mut numbers_of: impl FnMut(Heading) -> Numbers) {
        body.unsigned(self.earlier.len() as u128);
        if self.earlier.is_empty() {
            return;
        }
        let (mut next, mut position) = (0, 0i64);
        for (at, row) in self.latest.iter().enumerate() {
            let Some(rows) = self.earlier.get(&self.key(row)) else { continue };
            body.unsigned((at - next) as u128);
            next = at + 1;
            body.unsigned(rows.len() as u128);
            for row in rows {
                body.signed(i128::from(row.position) - i128::from(position));
                position = row.position;
                let Numbers { kind, reason, reporter, programmes, .. } = numbers_of(row.heading);
                for number in [kind, row.value.unsigned_abs() + reason, reporter, programmes] {
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

    /// The heading of what is written, and its value.
    fn said(&mut self, place: u64, said: Written) -> Result<(Heading, i64), BodyError> {
        let (kind, value) = match said.kind % 4 {
            0 if said.kind < 16 => {
                let value =
                    i64::try_from(said.value).map_err(|_| BodyError::Damaged("a value out of range"))?;
                (Kind::Value(Qualifier::ALL[(said.kind / 4) as usize]), value)
            }
            1 => (Kind::NotAvailable(self.known(said.value)?), 0),
            2 => (Kind::Withdrawn, 0),
            _ => return Err(BodyError::Damaged("an unknown kind of figure")),
        };
        let headed = Headed {
            scope: if place % 2 == 1 { Scope::Territory } else { Scope::Own },
            members: self.known(place / 2)?,
            kind,
            reporter: self.known(said.reporter)?,
            programmes: self.known(said.programmes)?,
        };
        Ok((self.headings.heading(headed), value))
    }

    fn decode_latest(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), BodyError> {
        let mut unit: u32 = reader.number()?;
        let steps = reader.column(count.saturating_sub(1))?;
        let places = reader.column(count)?;
        let lowest: i64 = reader.small()?;
        let mut column = || reader.column(count);
        let (positions, kinds, values) = (column()?, column()?, column()?);
        let (reporters, programmes) = (column()?, column()?);
        self.latest.reserve_exact(count);
        for at in 0..count {
            let step = at.checked_sub(1).map_or(0, |before| steps[before]);
            let next = u32::try_from(step).ok().and_then(|step| unit.checked_add(step));
            unit = next.ok_or(BodyError::Damaged("a unit out of range"))?;
            let position = lowest.checked_add_unsigned(positions[at]);
            let position = position.ok_or(BodyError::Damaged("a position out of range"))?;
            let said = Written {
                kind: kinds[at],
                value: values[at],
                reporter: reporters[at],
                programmes: programmes[at],
            };
            let (heading, value) = self.said(places[at], said)?;
            let row = Row { unit: UnitId(unit), heading, position, value };
            // Of two that are one, each would have the revisions of the other.
            if step == 0 && self.latest.last().is_some_and(|last| self.compare(last, &row).is_ge()) {
                return Err(BodyError::Damaged("entries out of order"));
            }
            self.latest.push(row);
        }
        Ok(())
    }

    fn decode_earlier(&mut self, reader: &mut Reader<'_>) -> Result<(), BodyError> {
        let (mut next, mut position) = (0usize, 0i64);
        for _ in 0..reader.count()? {
            let at = next.checked_add(reader.number()?).filter(|at| *at < self.latest.len());
            let at = at.ok_or(BodyError::Damaged("an entry out of range"))?;
            next = at + 1;
            let key = self.key(&self.latest[at]);
            let place = 2 * u64::from(key.members.0) + u64::from(key.scope == Scope::Territory);
            let many = reader.count()?;
            let mut rows = Vec::with_capacity(many);
            for _ in 0..many {
                let step: i64 = reader.small()?;
                position = position.checked_add(step).ok_or(BodyError::Damaged("a position out of range"))?;
                let said = Written {
                    kind: reader.number()?,
                    value: reader.number()?,
                    reporter: reader.number()?,
                    programmes: reader.number()?,
                };
                let (heading, value) = self.said(place, said)?;
                rows.push(Row { unit: key.unit, heading, position, value });
            }
            self.earlier.insert(key, rows);
        }
        Ok(())
    }
}

/// What is written of a figure besides its key and position.
struct Written {
    kind: u64,
    /// The value, or the reason's word.
    value: u64,
    reporter: u64,
    programmes: u64,
}
