//! Submissions as protocol buffer messages.
//!
//! What is kept of one is the bytes of a `SubmitRequest` with the source, the note and the figures, written as
//! protocol buffers are written everywhere: fields in order, none that says nothing. So the same submission has the
//! same digest whichever way it came.

use std::collections::HashMap;

use bytes::Bytes;
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint, encoded_len_varint};
use tonghop_proto::ingestion as pb;
use tonghop_proto::record::document::{FIGURE, Holes, Skeleton, Template, UNIT, VALUE};

use tonghop_runtime::{Failure, FailureKind, Text};

use crate::alike::{Alike, Gathered, KINDS_AT_FIRST, Number, number};
use crate::json::too_many;
use crate::media_type::with_locale;
use crate::service::{Arrived, WIRE};
use crate::submission::{Limits, RawFigure, nfc};

/// Tags of a request around its figures.
const KEY: u8 = 0x0a;
const DRY_RUN: u8 = 0x30;
const SOURCE: u8 = 0x12;
const NOTE: u8 = 0x1a;
/// Tags that a figure may have between unit and value, and after it, each before the next.
const BETWEEN: [u8; 4] = [0x12, 0x1a, 0x22, 0x2a];
const NOT_AVAILABLE: u8 = 0x3a;
const WITHDRAW: u8 = 0x40;
const QUALIFIER: u8 = 0x4a;
const PROGRAMME: u8 = 0x52;

/// How figures of a kind are written, after their unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Written<'a> {
    /// Up to the value, with its tag; all of it where there is none.
    middle: &'a [u8],
    suffix: &'a [u8],
    has_value: bool,
    decimals: u8,
}

impl<'a> Written<'a> {
    /// The number of a figure of this kind.
    fn number(&self, rest: &[u8]) -> Option<u64> {
        if !self.has_value {
            return (rest == self.middle).then_some(0);
        }
        let (length, rest) = rest.strip_prefix(self.middle)?.split_first()?;
        let (text, rest) = rest.split_at_checked(usize::from(*length))?;
        let read = number(text)?;
        (rest == self.suffix && read.decimals == self.decimals).then_some(read.digits)
    }

    /// What a figure is, after its unit.
    fn of(bytes: &'a [u8]) -> Option<(Written<'a>, u64)> {
        let mut rest = bytes;
        let mut passed = 0;
        let middle = |rest: &[u8], more: usize| &bytes[..bytes.len() - rest.len() + more];
        while let Some((tag, after)) = rest.split_first() {
            match *tag {
                VALUE => {
                    let middle = middle(rest, 1);
                    rest = after;
                    let length = length(&mut rest)?;
                    let text = rest.split_off(..length)?;
                    let Number { digits, decimals } = number(text)?;
                    return Some((Written { middle, suffix: rest, has_value: true, decimals }, digits));
                }
                NOT_AVAILABLE | WITHDRAW | QUALIFIER | PROGRAMME => break,
                tag if tag > passed && BETWEEN.contains(&tag) => {
                    passed = tag;
                    rest = after;
                    let length = length(&mut rest)?;
                    rest.split_off(..length)?;
                }
                _ => return None,
            }
        }
        Some((Written { middle: bytes, suffix: &[], has_value: false, decimals: 0 }, 0))
    }
}

/// A length, written as short as it can be.
fn length(rest: &mut &[u8]) -> Option<usize> {
    match rest.split_first() {
        Some((byte, after)) if *byte < 0x80 => {
            *rest = after;
            Some(usize::from(*byte))
        }
        _ => {
            let before = rest.len();
            let length = decode_varint(rest).ok()?;
            (before - rest.len() == encoded_len_varint(length)).then(|| usize::try_from(length).ok())?
        }
    }
}

/// A text of the request, where it is the next field.
fn text<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a str> {
    let Some(after) = rest.strip_prefix(&[tag]) else { return Some("") };
    *rest = after;
    let length = length(rest)?;
    let text = std::str::from_utf8(rest.split_off(..length)?).ok()?;
    // An empty one is not written.
    (!text.is_empty()).then_some(text)
}

/// Fields of a figure that are read, at most: its own, and programmes.
const MOST_FIELDS: usize = 64;

/// That a message holds no more than is read into objects. An empty figure is two bytes on the wire and a hundred times
/// that in memory, so they are counted before any is made.
///
/// # Errors
/// `TooLarge` where there are more figures than are taken, `NotUnderstood` where one has more fields than any figure has.
/// What is malformed is for whoever decodes it to say.
pub fn bounded(message: &[u8], limits: &Limits) -> Result<(), Failure> {
    let (mut rest, mut figures) = (message, 0);
    while let Some(field) = field(&mut rest) {
        if field.number != u32::from(FIGURE >> 3) {
            continue;
        }
        figures += 1;
        // One over the limit is enough for the check to say so.
        if figures > limits.max_figures + 1 {
            return Err(too_many(limits));
        }
        let (mut of_figure, mut fields) = (field.content, 0);
        while fields <= MOST_FIELDS && self::field(&mut of_figure).is_some() {
            fields += 1;
        }
        if fields > MOST_FIELDS {
            return Err(Failure::new(
                FailureKind::NotUnderstood,
                Text::of(
                    format!("figures[{}] có nhiều hơn {MOST_FIELDS} trường", figures - 1),
                    format!("figures[{}] has more than {MOST_FIELDS} fields", figures - 1),
                ),
            ));
        }
    }
    Ok(())
}

/// A field of a message, as protocol buffers write it.
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    /// Where it has a length.
    pub(crate) content: &'a [u8],
    /// Where it is a number.
    pub(crate) varint: u64,
}

/// Takes the next field; nothing at the end, and where there is none that could be read.
pub(crate) fn field<'a>(rest: &mut &'a [u8]) -> Option<Field<'a>> {
    if rest.is_empty() {
        return None;
    }
    let (number, wire_type) = decode_key(rest).ok()?;
    let mut field = Field { number, content: &[], varint: 0 };
    match wire_type {
        WireType::LengthDelimited => {
            let length = usize::try_from(decode_varint(rest).ok()?).ok()?;
            field.content = rest.split_off(..length)?;
        }
        WireType::Varint => field.varint = decode_varint(rest).ok()?,
        WireType::ThirtyTwoBit => drop(rest.split_off(..4)?),
        WireType::SixtyFourBit => drop(rest.split_off(..8)?),
        // In no message of ours; a decoder that meets them goes through them without making anything.
        WireType::StartGroup | WireType::EndGroup => {}
    }
    Some(field)
}

/// The reporting system that a message names where it is usually written, at its beginning; empty where it does not.
pub(crate) fn named_first(message: &[u8]) -> &str {
    let mut rest = message;
    let named = text(&mut rest, KEY).and_then(|_| text(&mut rest, SOURCE));
    named.unwrap_or_default()
}

/// Opens a request, and leaves its figures as they are.
///
/// # Errors
/// `NotUnderstood` where it is no request, or has both figures and a document; `TooLarge` where it has more figures than
/// are taken.
pub fn open(request: &Bytes, limits: &Limits) -> Result<Arrived, Failure> {
    if let Some(arrived) = open_plain(request) {
        return Ok(arrived);
    }
    bounded(request, limits)?;
    let request = pb::SubmitRequest::decode(request.clone()).map_err(|e| not_a_submission(&e))?;
    match request.document {
        Some(_) if !request.figures.is_empty() => {
            let detail = Text::of(
                "gửi số liệu hoặc tài liệu, không gửi cả hai",
                "give figures or a document, not both",
            );
            Err(Failure::new(FailureKind::NotUnderstood, detail))
        }
        Some(document) => Ok(Arrived {
            key: request.idempotency_key,
            source: request.source,
            note: request.note,
            media_type: with_locale(&document.media_type, &document.locale)?,
            document: document.content.into(),
            as_message: false,
            dry_run: request.dry_run,
        }),
        None => Ok(of_messages(
            request.idempotency_key,
            request.source,
            request.note,
            request.figures,
            request.dry_run,
        )),
    }
}

/// That a message is none.
pub(crate) fn not_a_submission(error: &prost::DecodeError) -> Failure {
    let detail = Text::of(format!("không phải là báo cáo: {error}"), format!("not a submission: {error}"));
    Failure::new(FailureKind::NotUnderstood, detail)
}

/// A submission given as messages, kept as the bytes of one.
pub(crate) fn of_messages(
    key: String,
    source: String,
    note: String,
    figures: Vec<pb::Figure>,
    dry_run: bool,
) -> Arrived {
    let whole = pb::SubmitRequest { source, note, figures, ..pb::SubmitRequest::default() };
    let document = whole.encode_to_vec().into();
    let pb::SubmitRequest { source, note, .. } = whole;
    Arrived { key, source, note, media_type: WIRE.to_owned(), document, as_message: true, dry_run }
}

/// A request whose fields come in order: what is kept of it lies in it as one piece.
pub(crate) fn open_plain(request: &Bytes) -> Option<Arrived> {
    let mut rest: &[u8] = request;
    let key = text(&mut rest, KEY)?.to_owned();
    let start = request.len() - rest.len();
    let source = text(&mut rest, SOURCE)?.to_owned();
    let note = text(&mut rest, NOTE)?.to_owned();
    while let Some(after) = rest.strip_prefix(&[FIGURE]) {
        rest = after;
        let length = length(&mut rest)?;
        rest.split_off(..length)?;
    }
    let end = request.len() - rest.len();
    let dry_run = match rest {
        [] => false,
        [DRY_RUN, 1] => true,
        _ => return None,
    };
    let document = request.slice(start..end);
    Some(Arrived { key, source, note, media_type: WIRE.to_owned(), document, as_message: true, dry_run })
}

/// Reads a submission by what its figures have in common; nothing where it has to be read figure by figure, or is not
/// written as it is kept.
pub fn alike(document: &[u8]) -> Option<Alike<'_>> {
    let mut rest = document;
    let source = text(&mut rest, SOURCE)?;
    let note = text(&mut rest, NOTE)?;
    let prologue = &document[..document.len() - rest.len()];
    let mut gathered: Gathered<'_, Written<'_>> = Gathered::new();
    let mut known: HashMap<Written<'_>, usize> = HashMap::with_capacity(KINDS_AT_FIRST);
    while let Some((tag, after)) = rest.split_first() {
        if *tag != FIGURE {
            return None;
        }
        rest = after;
        let length = length(&mut rest)?;
        let bytes = rest.split_off(..length)?;
        let [UNIT, code_length, after @ ..] = bytes else { return None };
        let (code, after) = after.split_at_checked(usize::from(*code_length))?;
        let expected = gathered.expected();
        if let Some(kind) = expected
            && let Some(number) = gathered.templates[kind].number(after)
        {
            gathered.push(code, kind, number)?;
            continue;
        }
        let (written, number) = Written::of(after)?;
        let kind = match known.get(&written) {
            Some(kind) => *kind,
            None => {
                let figure = pb::Figure::decode(bytes).ok()?;
                // Kept is what would be written of it.
                if figure.encoded_len() != bytes.len() || figure.encode_to_vec() != bytes {
                    return None;
                }
                let first = RawFigure::from_wire(gathered.len(), figure);
                let kind = gathered.learn(written, first, written.decimals)?;
                known.insert(written, kind);
                kind
            }
        };
        gathered.push(code, kind, number)?;
    }
    let template = |written: &Written<'_>| Template {
        prefix: vec![],
        middle: written.middle.to_vec(),
        suffix: written.suffix.to_vec(),
        holes: if written.has_value { Holes::UnitValue } else { Holes::Unit },
        decimals: written.decimals,
        left_out: 0,
    };
    let skeleton = Skeleton {
        wire: true,
        prologue: prologue.to_vec(),
        separator: vec![],
        epilogue: vec![],
        templates: gathered.templates.iter().map(template).collect(),
    };
    Some(gathered.done(nfc(source), nfc(note), Some(skeleton)))
}
