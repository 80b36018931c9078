//! Documents written again from their records.
//!
//! A document says of thousands of figures the same thing in the same bytes, but for the unit and the value, which
//! the record has. What is left of it is a skeleton: how a figure of each heading is written, and what stands around
//! the figures. With the record it gives the document back byte for byte.

use prost::Message;
use prost::encoding::encode_varint;

use super::{Columns, RecordError};
use crate::ledger::{DocumentSkeleton, FigureTemplate};

/// What the holes in a figure's template are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holes {
    /// The unit alone: there is no value.
    Unit,
    /// The unit, then the value.
    UnitValue,
    /// The value, then the unit.
    ValueUnit,
}

/// How a figure of a heading is written: prefix, first hole, middle, second hole, suffix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Before the first hole.
    pub prefix: Vec<u8>,
    /// Between the holes; after the only one.
    pub middle: Vec<u8>,
    /// After the second hole.
    pub suffix: Vec<u8>,
    /// What they are for.
    pub holes: Holes,
    /// Decimals that values are written with.
    pub decimals: u8,
    /// Decimals of the indicator that are left out; all of them are zero.
    pub left_out: u8,
}

/// What a document has beside its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skeleton {
    /// Whether figures and their texts stand behind their lengths, as in protocol buffers; otherwise it is text.
    pub wire: bool,
    /// Before the first figure.
    pub prologue: Vec<u8>,
    /// Between any two.
    pub separator: Vec<u8>,
    /// After the last.
    pub epilogue: Vec<u8>,
    /// Of each of the record's headings, in their order.
    pub templates: Vec<Template>,
}

/// The tags of a submission's figures, and of a figure's unit and value, on the wire.
pub const FIGURE: u8 = 0x22;
/// A figure's unit.
pub const UNIT: u8 = 0x0a;
/// A figure's value.
pub const VALUE: u8 = 0x32;

impl Skeleton {
    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let template = |t: &Template| FigureTemplate {
            prefix: t.prefix.clone(),
            middle: t.middle.clone(),
            suffix: t.suffix.clone(),
            holes: match t.holes {
                Holes::Unit => 0,
                Holes::UnitValue => 1,
                Holes::ValueUnit => 2,
            },
            decimals: t.decimals.into(),
            left_out: t.left_out.into(),
        };
        DocumentSkeleton {
            wire: self.wire,
            prologue: self.prologue.clone(),
            separator: self.separator.clone(),
            epilogue: self.epilogue.clone(),
            templates: self.templates.iter().map(template).collect(),
        }
        .encode_to_vec()
    }

    /// Reads what [`Skeleton::encode`] writes.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn decode(bytes: &[u8]) -> Result<Skeleton, RecordError> {
        let skeleton = DocumentSkeleton::decode(bytes).map_err(|e| RecordError::new(e.to_string()))?;
        let template = |t: FigureTemplate| {
            let decimals = |n: u32| match u8::try_from(n) {
                Ok(n) if n <= tonghop_core::decimal::MAX_DECIMALS => Ok(n),
                _ => Err(RecordError::new(format!("{n} decimals"))),
            };
            Ok(Template {
                prefix: t.prefix,
                middle: t.middle,
                suffix: t.suffix,
                holes: match t.holes {
                    0 => Holes::Unit,
                    1 => Holes::UnitValue,
                    2 => Holes::ValueUnit,
                    other => return Err(RecordError::new(format!("the holes {other}"))),
                },
                decimals: decimals(t.decimals)?,
                left_out: decimals(t.left_out)?,
            })
        };
        Ok(Skeleton {
            wire: skeleton.wire,
            prologue: skeleton.prologue,
            separator: skeleton.separator,
            epilogue: skeleton.epilogue,
            templates: skeleton.templates.into_iter().map(template).collect::<Result<_, _>>()?,
        })
    }

    /// The document that the skeleton is of, where `columns` are of its record.
    ///
    /// # Errors
    /// Where the two do not fit one another.
    pub fn document(&self, columns: &Columns) -> Result<Vec<u8>, RecordError> {
        let longest = self.templates.iter().map(|t| t.prefix.len() + t.middle.len() + t.suffix.len()).max();
        let room = columns.len().saturating_mul(longest.unwrap_or(0) + self.separator.len() + 16);
        let mut out = Vec::with_capacity(room.min(super::LONGEST_DOCUMENT));
        self.write(columns, &mut out)?;
        Ok(out)
    }

    /// Whether that document is this one.
    pub fn gives(&self, columns: &Columns, document: &[u8]) -> bool {
        let mut rest = document;
        self.write(columns, &mut rest).is_ok() && rest.is_empty()
    }

    fn write(&self, columns: &Columns, out: &mut impl Target) -> Result<(), RecordError> {
        if self.templates.len() != columns.headings().len() {
            return Err(RecordError::new("its document is of other headings"));
        }
        out.put(&self.prologue)?;
        let figures = columns.unit().iter().zip(columns.heading()).zip(columns.value());
        for (i, ((unit, heading), value)) in figures.enumerate() {
            if i > 0 {
                out.put(&self.separator)?;
            }
            let template = &self.templates[*heading as usize];
            let unit = columns.units()[*unit as usize].as_bytes();
            let mut digits = [0; LONGEST_VALUE];
            let value = match template.holes {
                Holes::Unit => &[],
                Holes::UnitValue | Holes::ValueUnit => template.value(value.unsigned_abs(), &mut digits),
            };
            if self.wire {
                template.write_wire(unit, value, out)?
            } else {
                template.write(unit, value, out)?
            }
        }
        out.put(&self.epilogue)
    }
}

/// Digits of the longest value, with its point and a zero before it.
const LONGEST_VALUE: usize = 24;

/// Where a document is written to.
trait Target {
    fn put(&mut self, part: &[u8]) -> Result<(), RecordError>;
}

impl Target for Vec<u8> {
    fn put(&mut self, part: &[u8]) -> Result<(), RecordError> {
        if self.len() + part.len() > super::LONGEST_DOCUMENT {
            return Err(RecordError::new("its document is longer than any that is taken"));
        }
        self.extend_from_slice(part);
        Ok(())
    }
}

/// What is left of a document that is compared with what would be written.
impl Target for &[u8] {
    fn put(&mut self, part: &[u8]) -> Result<(), RecordError> {
        *self = self.strip_prefix(part).ok_or_else(|| RecordError::new("its document is another"))?;
        Ok(())
    }
}

impl Template {
    /// A value as it is written.
    fn value<'d>(&self, value: u64, digits: &'d mut [u8; LONGEST_VALUE]) -> &'d [u8] {
        let mut rest = value / 10u64.pow(self.left_out.into());
        let (mut start, mut place) = (LONGEST_VALUE, 0);
        // A value has at most 16 digits, a zero before the point is no more.
        while (rest > 0 || place <= self.decimals) && start > 1 {
            if place == self.decimals && place > 0 {
                start -= 1;
                digits[start] = b'.';
            }
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            place += 1;
        }
        &digits[start..]
    }

    fn write(&self, unit: &[u8], value: &[u8], out: &mut impl Target) -> Result<(), RecordError> {
        let (first, second) = match self.holes {
            Holes::Unit | Holes::UnitValue => (unit, value),
            Holes::ValueUnit => (value, unit),
        };
        out.put(&self.prefix)?;
        out.put(first)?;
        out.put(&self.middle)?;
        out.put(second)?;
        out.put(&self.suffix)
    }

    /// Behind lengths: the unit's, the value's and the figure's. The prefix is empty, and the value's tag the end of
    /// the middle.
    fn write_wire(&self, unit: &[u8], value: &[u8], out: &mut impl Target) -> Result<(), RecordError> {
        let short = |text: &[u8]| match u8::try_from(text.len()) {
            Ok(length) if length < 0x80 => Ok(length),
            _ => Err(RecordError::new("a unit or value that is too long for its document")),
        };
        let has_value = usize::from(self.holes != Holes::Unit);
        let length = 2 + unit.len() + self.middle.len() + has_value + value.len() + self.suffix.len();
        let mut head = [FIGURE; 13];
        let mut behind = &mut head[1..];
        encode_varint(length as u64, &mut behind);
        let used = 13 - behind.len();
        head[used] = UNIT;
        head[used + 1] = short(unit)?;
        out.put(&head[..used + 2])?;
        out.put(unit)?;
        out.put(&self.middle)?;
        if self.holes != Holes::Unit {
            out.put(&[short(value)?])?;
            out.put(value)?;
        }
        out.put(&self.suffix)
    }
}

/// Writes a document again.
///
/// # Errors
/// Where skeleton and record are not of one submission, or not what they were.
pub fn rewrite(skeleton: &[u8], record: &[u8]) -> Result<Vec<u8>, RecordError> {
    Skeleton::decode(skeleton)?.document(&Columns::decode(record)?)
}

/// Whether that document is this one.
///
/// # Errors
/// Where skeleton or record is not what it was.
pub fn rewrites(skeleton: &[u8], record: &[u8], document: &[u8]) -> Result<bool, RecordError> {
    Ok(Skeleton::decode(skeleton)?.gives(&Columns::decode(record)?, document))
}
