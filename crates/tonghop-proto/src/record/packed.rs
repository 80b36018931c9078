//! The second version of a record: dictionaries and packed columns.
//!
//! | part | form |
//! |---|---|
//! | version | the bytes 0 and 2; no protocol buffer message, as the first version is one, begins with 0 |
//! | how many figures | a varint |
//! | dictionaries | a section: [`RecordWords`] |
//! | units | a section: of each figure the difference from the unit before, a zigzag varint |
//! | headings | a section: likewise |
//! | lengths | a section: of each value how many binary digits it has, a byte; 0 for 0 |
//! | digits | the digits of each value below its highest, which is 1; from the lowest bit of each byte up |
//!
//! A section is its length as a varint, its stored length as a varint, and its content: as it is where the two are
//! equal, else as a zstd frame.

use std::cell::RefCell;

use prost::Message;
use prost::encoding::{decode_varint, encode_varint};
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::Scope;
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use zstd::bulk::{Compressor, Decompressor};

use super::RecordError;
use super::columns::{Columns, Heading, Said};
use crate::ledger::{RecordHeading, RecordWords};

/// What a record of this version begins with.
pub(super) const VERSION: [u8; 2] = [0, 2];

/// The most figures that a record is read for, many times what a submission may have.
const MOST_FIGURES: usize = 16 << 20;
/// The longest section that is read.
const LONGEST_SECTION: usize = 256 << 20;
/// Below this zstd gains nothing.
const SHORT: usize = 48;
const LEVEL: i32 = 1;

thread_local! {
    /// Making one takes longer than packing a small record.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Writes a record.
pub(super) fn encode(columns: &Columns) -> Vec<u8> {
    let n = columns.len();
    let words = RecordWords {
        units: columns.units().to_vec(),
        headings: columns.headings().iter().map(to_wire).collect(),
    };
    let mut out = Vec::with_capacity(256 + words.encoded_len() / 2 + n * 3);
    out.extend_from_slice(&VERSION);
    encode_varint(n as u64, &mut out);
    section(&mut out, &words.encode_to_vec());
    let mut differences = Vec::with_capacity(2 * n);
    for column in [columns.unit(), columns.heading()] {
        differences.clear();
        let mut before = 0;
        for number in column {
            let difference = i64::from(*number) - before;
            before = i64::from(*number);
            let zigzag = ((difference << 1) ^ (difference >> 63)).cast_unsigned();
            if zigzag < 0x80 {
                differences.push(zigzag as u8)
            } else {
                encode_varint(zigzag, &mut differences)
            }
        }
        section(&mut out, &differences);
    }
    let lengths: Vec<u8> = columns.value().iter().map(|v| length(v.unsigned_abs()) as u8).collect();
    section(&mut out, &lengths);
    // Never more than 50 digits a value, and at most 7 that wait: they fit.
    let (mut waiting, mut count) = (0u64, 0u32);
    for value in columns.value() {
        let value = value.unsigned_abs();
        let digits = length(value).saturating_sub(1);
        waiting |= (value & ((1 << digits) - 1)) << count;
        count += digits;
        while count >= 8 {
            out.push(waiting as u8);
            waiting >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        out.push(waiting as u8);
    }
    out
}

/// How many binary digits a number has.
fn length(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

fn section(out: &mut Vec<u8>, content: &[u8]) {
    encode_varint(content.len() as u64, out);
    if content.len() >= SHORT
        && let Some(packed) = compress(content)
        && packed.len() < content.len()
    {
        encode_varint(packed.len() as u64, out);
        out.extend_from_slice(&packed);
    } else {
        encode_varint(content.len() as u64, out);
        out.extend_from_slice(content);
    }
}

fn compress(content: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(LEVEL).ok()?),
        };
        compressor.compress(content).ok()
    })
}

fn decompress(content: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new()?),
        };
        decompressor.decompress(content, length)
    })
}

/// Reads a record, without its version.
pub(super) fn decode(mut bytes: &[u8]) -> Result<Columns, RecordError> {
    let bytes = &mut bytes;
    let n = number(bytes)?;
    if n > MOST_FIGURES {
        return Err(RecordError::new(format!("{n} figures")));
    }
    let words = read_section(bytes)?;
    let words = RecordWords::decode(words.as_slice()).map_err(|e| RecordError::new(e.to_string()))?;
    let headings = words.headings.into_iter().map(from_wire).collect::<Result<Vec<_>, _>>()?;
    let unit = differences(&read_section(bytes)?, n)?;
    let heading = differences(&read_section(bytes)?, n)?;
    let lengths = read_section(bytes)?;
    if lengths.len() != n {
        return Err(RecordError::new("columns of different lengths"));
    }
    let mut value = Vec::with_capacity(n);
    let (mut waiting, mut count) = (0u64, 0u32);
    let mut rest = *bytes;
    for length in lengths {
        let digits = u32::from(length).saturating_sub(1);
        if digits > 50 {
            return Err(RecordError::new(format!("a value of {length} binary digits")));
        }
        while count < digits {
            let (byte, after) = rest.split_first().ok_or_else(|| RecordError::new("it ends too early"))?;
            waiting |= u64::from(*byte) << count;
            count += 8;
            rest = after;
        }
        let low = waiting & ((1 << digits) - 1);
        waiting >>= digits;
        count -= digits;
        let high = if length == 0 { 0 } else { 1 << digits };
        value.push((high | low).cast_signed());
    }
    if !rest.is_empty() || waiting != 0 {
        return Err(RecordError::new("something follows it"));
    }
    Columns::new(words.units, headings, unit, heading, value)
}

fn number(bytes: &mut &[u8]) -> Result<usize, RecordError> {
    let number = decode_varint(bytes).map_err(|e| RecordError::new(e.to_string()))?;
    usize::try_from(number).map_err(|_| RecordError::new(format!("the number {number}")))
}

fn read_section(bytes: &mut &[u8]) -> Result<Vec<u8>, RecordError> {
    let (length, stored) = (number(bytes)?, number(bytes)?);
    if length > LONGEST_SECTION {
        return Err(RecordError::new(format!("a section of {length} bytes")));
    }
    let content = bytes.split_off(..stored).ok_or_else(|| RecordError::new("it ends too early"))?;
    if stored == length {
        return Ok(content.to_vec());
    }
    match decompress(content, length) {
        Ok(content) if content.len() == length => Ok(content),
        Ok(content) => Err(RecordError::new(format!("a section of {} bytes for {length}", content.len()))),
        Err(error) => Err(RecordError::new(error.to_string())),
    }
}

fn differences(mut bytes: &[u8], n: usize) -> Result<Vec<u32>, RecordError> {
    let mut column = Vec::with_capacity(n);
    let mut before = 0i64;
    for _ in 0..n {
        let zigzag = match bytes.split_first() {
            Some((byte, rest)) if *byte < 0x80 => {
                bytes = rest;
                u64::from(*byte)
            }
            _ => decode_varint(&mut bytes).map_err(|e| RecordError::new(e.to_string()))?,
        };
        let difference = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
        let number = before.checked_add(difference).and_then(|n| u32::try_from(n).ok());
        let number = number.ok_or_else(|| RecordError::new(format!("the difference {difference}")))?;
        column.push(number);
        before = i64::from(number);
    }
    if bytes.is_empty() { Ok(column) } else { Err(RecordError::new("columns of different lengths")) }
}

const QUALIFIERS: [Qualifier; 4] =
    [Qualifier::Exact, Qualifier::AtLeast, Qualifier::AtMost, Qualifier::About];

fn to_wire(heading: &Heading) -> RecordHeading {
    let (kind, qualifier, reason) = match &heading.said {
        Said::Value(qualifier) => (0, *qualifier, String::new()),
        Said::NotAvailable(reason) => (1, Qualifier::Exact, reason.clone()),
        Said::Withdrawn => (2, Qualifier::Exact, String::new()),
    };
    RecordHeading {
        indicator: heading.indicator.clone(),
        breakdown: heading.breakdown.to_string(),
        period: heading.period.to_string(),
        flags: kind + 4 * qualifier as u32 + 16 * u32::from(heading.scope == Scope::Territory),
        reason,
        programmes: heading.programmes.clone(),
    }
}

fn from_wire(wire: RecordHeading) -> Result<Heading, RecordError> {
    let (kind, qualifier, scope) = (wire.flags % 4, wire.flags / 4 % 4, wire.flags / 16);
    let period = Period::parse(&wire.period);
    Ok(Heading {
        breakdown: Breakdown::parse(&wire.breakdown)
            .map_err(|e| RecordError::new(format!("breakdown {e:?}")))?,
        period: period.map_err(|e| RecordError::new(format!("period {:?}: {e}", wire.period)))?,
        scope: match scope {
            0 => Scope::Own,
            1 => Scope::Territory,
            _ => return Err(RecordError::new(format!("the flags {}", wire.flags))),
        },
        said: match kind {
            0 => Said::Value(QUALIFIERS[qualifier as usize]),
            1 => Said::NotAvailable(wire.reason),
            2 => Said::Withdrawn,
            _ => return Err(RecordError::new("an unknown kind of statement")),
        },
        indicator: wire.indicator,
        programmes: wire.programmes,
    })
}
