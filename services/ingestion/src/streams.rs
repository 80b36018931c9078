//! Submissions that come in pieces, and those that broke off.
//!
//! A stream's figures are kept as the bytes that they came in, behind one another as a whole submission has them, so that a
//! stream takes no more memory than what was sent. Nothing of it is stored before its end: sending all of it again under
//! the same key is always right. Where lines are unsteady that may never come to an end, so what came of a stream that
//! broke off is kept for some minutes, in the memory of the process that it came to, and its sender goes on after that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prost::Message;
use prost::encoding::{encode_varint, encoded_len_varint};
use tokio::time::Instant;
use tonghop_access::{Caller, Role};
use tonghop_proto::ingestion as pb;
use tonghop_proto::record::document::FIGURE;
use tonghop_runtime::{Failure, FailureKind, Finding, Text};
use tonghop_store::Receipt;

use crate::fair::Held;
use crate::json::too_many;
use crate::service::{Arrived, Ingestion, WIRE, check_key, too_large};
use crate::submission::Limits;
use crate::wire::{Field, field};
use crate::writer::failure;

/// How long what broke off is kept.
const KEPT: Duration = Duration::from_secs(600);
/// How many of one sender are, and of all.
const MOST_OF_SENDER: usize = 4;
const MOST: usize = 256;

/// Whose stream, and which.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    actor: String,
    source: String,
    key: String,
}

impl Name {
    fn of(caller: &Caller, source: &str, key: &str) -> Name {
        // A key's holder speaks for its source, whether they say so or not.
        let source = caller.source().unwrap_or(source).to_owned();
        Name { actor: caller.actor(), source, key: key.to_owned() }
    }
}

/// What came of a stream.
#[derive(Debug)]
struct Pieces {
    key: String,
    source: String,
    note: String,
    /// A `SubmitRequest` with what came.
    document: Vec<u8>,
    figures: usize,
    /// What came is counted for as long as it is in memory.
    held: Vec<Arc<Held>>,
}

#[derive(Debug)]
struct Broken {
    pieces: Pieces,
    since: Instant,
}

/// The streams that broke off.
#[derive(Debug)]
pub(crate) struct Streams {
    broken: Mutex<HashMap<Name, Broken>>,
    most_bytes: usize,
}

/// A stream while it comes. Dropped before its end, it is kept among those that broke off.
#[derive(Debug)]
pub(crate) struct Stream {
    streams: Arc<Streams>,
    name: Name,
    dry_run: bool,
    /// None once it is at its end, or was refused.
    pieces: Option<Pieces>,
}

/// Fields of a `SubmitStreamRequest`.
const IDEMPOTENCY_KEY: u32 = 1;
const SOURCE: u32 = 2;
const NOTE: u32 = 3;
const FIGURES: u32 = 4;
const DRY_RUN: u32 = 5;
const AFTER_FIGURES: u32 = 6;

impl Streams {
    /// At most so many bytes of them are kept.
    pub(crate) fn new(most_bytes: u64) -> Streams {
        Streams { broken: Mutex::default(), most_bytes: usize::try_from(most_bytes).unwrap_or(usize::MAX) }
    }

    /// Begins a stream with its first message, or goes on with one that broke off.
    ///
    /// # Errors
    /// Where the message cannot be read, or what it goes on after is not there.
    pub(crate) fn open(
        self: &Arc<Streams>,
        caller: &Caller,
        first: &[u8],
        held: Arc<Held>,
        limits: &Limits,
    ) -> Result<Stream, Failure> {
        caller.require(Role::Report)?;
        let (mut key, mut source, mut note) = (String::new(), String::new(), String::new());
        let (mut dry_run, mut after) = (false, 0);
        each_field(first, |of| {
            match of.number {
                IDEMPOTENCY_KEY => key = text(of.content)?,
                SOURCE => source = text(of.content)?,
                NOTE => note = text(of.content)?,
                DRY_RUN => dry_run = of.varint != 0,
                AFTER_FIGURES => after = of.varint,
                _ => {}
            }
            Ok(())
        })?;
        check_key("idempotency_key", &key)?;
        let name = Name::of(caller, &source, &key);
        let pieces = if after > 0 {
            let mut kept = self.take(&name, after)?;
            kept.held.push(held);
            kept
        } else {
            let named = pb::SubmitRequest {
                source: source.clone(),
                note: note.clone(),
                ..pb::SubmitRequest::default()
            };
            Pieces { key, source, note, document: named.encode_to_vec(), figures: 0, held: vec![held] }
        };
        let mut stream = Stream { streams: Arc::clone(self), name, dry_run, pieces: Some(pieces) };
        stream.more(first, limits)?;
        Ok(stream)
    }

    /// How many figures of a stream that broke off are there.
    fn held(&self, name: &Name) -> usize {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = broken.get(name).filter(|broken| broken.since.elapsed() < KEPT);
        kept.map_or(0, |broken| broken.pieces.figures)
    }

    /// Takes what is kept of a stream, which has to be so many figures.
    fn take(&self, name: &Name, figures: u64) -> Result<Pieces, Failure> {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let there = broken.get(name).filter(|broken| broken.since.elapsed() < KEPT);
        let there = there.map_or(0, |broken| broken.pieces.figures);
        if there > 0 && there as u64 == figures {
            let kept = broken.remove(name).map(|broken| broken.pieces);
            return kept.ok_or_else(|| Failure::internal("what was there is gone"));
        }
        let finding = Finding {
            code: "not_held".into(),
            path: "after_figures".into(),
            got: Text::same(figures.to_string()),
            expected: Text::of(
                format!("{there}: số liệu của luồng này hiện đang được giữ"),
                format!("{there}: so many figures of this stream are there"),
            ),
            hint: Text::of(
                "gửi tiếp sau số đó, hoặc gửi lại từ đầu với cùng khóa chống trùng",
                "go on after these, or begin anew with the same idempotency key",
            ),
            ..Finding::default()
        };
        Err(Failure::of(FailureKind::Unprocessable, finding))
    }

    /// Keeps what came of a stream that broke off.
    fn keep(&self, name: Name, pieces: Pieces) {
        if pieces.figures == 0 || pieces.document.len() > self.most_bytes {
            return;
        }
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.retain(|_, broken| broken.since.elapsed() < KEPT);
        let actor = name.actor.clone();
        let source = name.source.clone();
        broken.insert(name, Broken { pieces, since: Instant::now() });
        // The oldest go first: of a sender who has too many, then of all.
        let of_sender = |name: &Name| name.actor == actor && name.source == source;
        while broken.keys().filter(|name| of_sender(name)).count() > MOST_OF_SENDER {
            drop_oldest(&mut broken, of_sender);
        }
        let bytes = |broken: &HashMap<Name, Broken>| -> usize {
            broken.values().map(|broken| broken.pieces.document.len()).sum()
        };
        while broken.len() > MOST || bytes(&broken) > self.most_bytes {
            drop_oldest(&mut broken, |_| true);
        }
    }
}

fn drop_oldest(broken: &mut HashMap<Name, Broken>, of: impl Fn(&Name) -> bool) {
    let candidates = broken.iter().filter(|(name, _)| of(name));
    if let Some(oldest) = candidates.min_by_key(|(_, broken)| broken.since).map(|(name, _)| name.clone()) {
        broken.remove(&oldest);
    }
}

impl Stream {
    /// Adds the figures of a message.
    ///
    /// # Errors
    /// Where the message cannot be read, or there is more than a submission has; nothing is kept then.
    pub(crate) fn more(&mut self, message: &[u8], limits: &Limits) -> Result<(), Failure> {
        let Some(mut pieces) = self.pieces.take() else {
            return Err(Failure::internal("a stream after its end"));
        };
        each_field(message, |of| {
            if of.number == FIGURES {
                pieces.figures += 1;
                // One over the limit is enough for the check to say so.
                if pieces.figures > limits.max_figures + 1 {
                    return Err(too_many(limits));
                }
                let length = of.content.len() as u64;
                pieces.document.reserve(1 + encoded_len_varint(length) + of.content.len());
                pieces.document.push(FIGURE);
                encode_varint(length, &mut pieces.document);
                pieces.document.extend_from_slice(of.content);
            }
            Ok(())
        })?;
        if pieces.document.len() > limits.max_bytes {
            return Err(too_large(limits));
        }
        self.pieces = Some(pieces);
        Ok(())
    }

    /// The submission that came, whole, and what holds its memory.
    ///
    /// # Errors
    /// Where it was refused before.
    pub(crate) fn end(mut self) -> Result<(Arrived, Vec<Arc<Held>>), Failure> {
        let pieces = self.pieces.take().ok_or_else(|| Failure::internal("a stream after its end"))?;
        let arrived = Arrived {
            key: pieces.key,
            source: pieces.source,
            note: pieces.note,
            media_type: WIRE.to_owned(),
            document: pieces.document.into(),
            as_message: true,
            dry_run: self.dry_run,
        };
        Ok((arrived, pieces.held))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(pieces) = self.pieces.take() {
            self.streams.keep(self.name.clone(), pieces);
        }
    }
}

impl Ingestion {
    /// How many figures of a stream that broke off are there, or the receipt where all of it was taken.
    ///
    /// # Errors
    /// Where the caller may not push, or the ledger does not answer.
    pub(crate) async fn stream_progress(
        &self,
        caller: &Caller,
        source: &str,
        key: &str,
    ) -> Result<(u32, Option<Receipt>), Failure> {
        caller.require(Role::Report)?;
        check_key("idempotency_key", key)?;
        let name = Name::of(caller, source, key);
        check_key("source", &name.source)?;
        let known = self.ledger.receipt_by_key(&name.source, key).await.map_err(failure)?;
        // Whoever is bound to no source may name any, and is told of what they may see.
        let known = known.filter(|receipt| self.may_see(caller, receipt));
        let held = u32::try_from(self.streams.held(&name)).map_err(Failure::internal)?;
        Ok((held, known))
    }
}

/// Goes through the fields of a message.
fn each_field(message: &[u8], mut each: impl FnMut(Field<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut rest = message;
    while let Some(of) = field(&mut rest) {
        each(of)?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    Err(not_a_message())
}

fn text(bytes: &[u8]) -> Result<String, Failure> {
    String::from_utf8(bytes.to_vec()).map_err(|_| not_a_message())
}

fn not_a_message() -> Failure {
    Failure::new(
        FailureKind::NotUnderstood,
        Text::of("một phần của luồng không đọc được", "a piece of the stream cannot be read"),
    )
}
