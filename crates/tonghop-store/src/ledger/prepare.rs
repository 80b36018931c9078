//! Entries made ready to be appended: everything that takes time and needs no lock.

use jiff::Timestamp;

use super::{Ledger, NewEntry, Premise, Receipt, kept};
use crate::connect::blocking;
use crate::digest::record_digest;
use crate::entities::{ledger, ledger_document};
use crate::row::{check_text, kind_number};
use crate::{Digest, StoreError, frame};

/// The longest media type or note, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 4096;
/// The longest part of a key: source, idempotency key, keeper, series or period, in bytes of UTF-8.
/// PostgreSQL's index entries end at 2,700 bytes.
pub const MAX_KEY_BYTES: usize = 512;

/// The longest `traceparent`: its version 00 has 55 bytes, later ones may have more.
const MAX_TRACE_BYTES: usize = 128;

/// An entry as its rows need it, all the slow work done.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(super) receipt: Receipt,
    pub(super) record_digest: Digest,
    document: Vec<u8>,
    record: Vec<u8>,
    size: i64,
    pub(super) premise: Premise,
    trace_parent: String,
}

impl Prepared {
    /// How many figures it holds.
    #[must_use]
    pub fn figures(&self) -> u32 {
        self.receipt.figures
    }

    /// How many bytes of document and record are written, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.document.len() + self.record.len()
    }

    /// Its row, once its receipt is complete.
    pub(super) fn header(&self, receipt: &Receipt) -> ledger::Model {
        ledger::Model {
            position: receipt.position,
            id: receipt.id,
            kind: i16::from(kind_number(receipt.kind)),
            source: receipt.source.clone(),
            idempotency_key: receipt.idempotency_key.clone(),
            content_digest: receipt.content_digest.to_vec(),
            digest: receipt.digest.to_vec(),
            previous: receipt.previous.to_vec(),
            received_at: receipt.received_at.as_microsecond(),
            figures: i64::from(receipt.figures),
            note: receipt.note.clone(),
            media_type: receipt.media_type.clone(),
            actor: receipt.actor.clone(),
            size: self.size,
            trace_parent: self.trace_parent.clone(),
        }
    }

    /// Its document's row.
    pub(super) fn document(&self, receipt: &Receipt) -> ledger_document::Model {
        ledger_document::Model {
            source: receipt.source.clone(),
            position: receipt.position,
            document: self.document.clone(),
            record: self.record.clone(),
        }
    }
}

impl Ledger {
    /// Makes an entry ready: hashes, compresses, writes its document again. Takes its time, and waits for nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if a document or text is too long, or holds a NUL character.
    pub fn prepare(&self, entry: NewEntry) -> Result<Prepared, StoreError> {
        let NewEntry { id, kind, content, skeleton, record, figures, source, idempotency_key, .. } = entry;
        let NewEntry { received_at, note, actor, premise, trace_parent, .. } = entry;
        let (media_type, document) = (content.media_type().to_owned(), content.bytes());
        let name = |what: &str| format!("{what} of submission {id}");
        for (what, text, max_bytes) in [
            ("source", &source, MAX_KEY_BYTES),
            ("idempotency key", &idempotency_key, MAX_KEY_BYTES),
            ("media type", &media_type, MAX_TEXT_BYTES),
            ("note", &note, MAX_TEXT_BYTES),
            ("actor", &actor, MAX_KEY_BYTES),
            ("trace parent", &trace_parent, MAX_TRACE_BYTES),
        ] {
            check_text(|| name(what), text, max_bytes)?;
        }
        let refuse = |what: &str| {
            let what = name(what);
            move |error: frame::FrameError| StoreError::Refused { what, reason: error.to_string() }
        };
        let kept =
            kept::pack(document, skeleton.as_deref(), &record, self.rewrite).map_err(refuse("document"))?;
        // A time with nanoseconds would come back as another one than was answered.
        let received_at = Timestamp::from_microsecond(received_at.as_microsecond()).unwrap_or(received_at);
        Ok(Prepared {
            premise,
            record_digest: record_digest(&record),
            size: i64::try_from(document.len() + record.len()).unwrap_or(i64::MAX),
            document: kept,
            record: frame::pack(&record).map_err(refuse("record"))?,
            trace_parent,
            receipt: Receipt {
                position: 0,
                id,
                kind,
                source,
                idempotency_key,
                content_digest: *content.digest(),
                digest: [0; 32],
                previous: [0; 32],
                received_at,
                figures,
                note,
                actor,
                media_type,
            },
        })
    }

    /// Several entries, on a thread for it.
    pub(super) async fn prepare_all(&self, entries: Vec<NewEntry>) -> Result<Vec<Prepared>, StoreError> {
        let ledger = self.clone();
        blocking(move || entries.into_iter().map(|entry| ledger.prepare(entry)).collect()).await
    }
}
