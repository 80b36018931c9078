//! An entry of the ledger before and after it has a position, and its row.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use crate::entities::ledger;
use crate::row::Place;
use crate::{Digest, StoreError, content_digest};

/// What kind of thing an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Figures from a reporting system.
    Submission,
    /// A load of the registry; it holds for all entries after it.
    Registry,
    /// A name for a position before it. It changes no total.
    Review,
    /// Who may do what from now on: a key that is given, replaced or revoked.
    Access,
    /// What became of units' reports, or of a period: handed in, approved, returned, closed, opened again.
    Report,
}

impl EntryKind {
    /// Whether what comes after it is checked by what it says.
    #[must_use]
    pub fn is_rule(self) -> bool {
        matches!(self, EntryKind::Registry | EntryKind::Access | EntryKind::Report)
    }
}

/// What an entry takes for granted of the ledger. It is looked at under the lock that gives positions, so that it
/// holds at the entry's own position whatever other processes append meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Premise {
    /// The last of the entries that [are rules](EntryKind::is_rule) is the one at this position; 0 for none.
    Rules(i64),
    /// Nothing lies after this position.
    Head(i64),
}

/// What was sent, with its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    media_type: String,
    bytes: Bytes,
    digest: Digest,
}

impl Content {
    /// Of a media type, such as `text/csv`, and bytes as they were received. Hashes them.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Content {
        let (media_type, bytes) = (media_type.into(), bytes.into());
        let digest = content_digest(&media_type, &bytes);
        Content { media_type, bytes, digest }
    }

    /// What it is.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// [`content_digest`] of both.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// An entry that has no position yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The submission's own id, new for every submission.
    pub id: Uuid,
    /// What kind of entry it is.
    pub kind: EntryKind,
    /// The system it came from.
    pub source: String,
    /// The source's name for this submission: the same key with the same content is the same submission.
    pub idempotency_key: String,
    /// The document as it was received.
    pub content: Content,
    /// From what the document is written again, beside the record: see [`Ledger::rewriting`](crate::Ledger::rewriting).
    /// None where it has to be kept itself.
    pub skeleton: Option<Bytes>,
    /// The canonical form that rolling up reads; empty if the document itself is that form.
    pub record: Bytes,
    /// How many figures it holds.
    pub figures: u32,
    /// When it was received. Kept to the microsecond.
    pub received_at: Timestamp,
    /// Remark by the sender or an administrator.
    pub note: String,
    /// Who did it: the name of a key or of another identity, never of a person; empty where nobody had to say.
    pub actor: String,
    /// What it was made under.
    pub premise: Premise,
    /// The span in which it was pushed, as a W3C `traceparent`; empty where there is none. What follows from the
    /// entry can be traced to it. Kept beside the entry: no digest covers it.
    pub trace_parent: String,
}

/// What became of a [`NewEntry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is in the ledger, at the receipt's position.
    New(Receipt),
    /// It was there already, with the same source, key and content: the first one's receipt.
    Replayed(Receipt),
    /// Not appended: its source has used its key for other content, whose receipt this is.
    Conflict(Receipt),
    /// Not appended: its premise does not hold any more.
    Outdated,
}

impl Appended {
    /// The receipt of the entry that holds the source and key, if there is one.
    #[must_use]
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::New(receipt) | Self::Replayed(receipt) | Self::Conflict(receipt) => Some(receipt),
            Self::Outdated => None,
        }
    }
}

/// An entry of the ledger without its document: what the sender is told, and can prove later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its place in the ledger, dense from 1.
    pub position: i64,
    /// The submission's own id.
    pub id: Uuid,
    /// What kind of entry it is.
    pub kind: EntryKind,
    /// The system it came from.
    pub source: String,
    /// The source's name for it.
    pub idempotency_key: String,
    /// [`content_digest`](crate::content_digest) of media type and document.
    pub content_digest: Digest,
    /// [`chain_digest`](crate::chain_digest) of this entry and thereby of all before it.
    pub digest: Digest,
    /// `digest` of the entry before; zeros for the first.
    pub previous: Digest,
    /// When it was received, to the microsecond.
    pub received_at: Timestamp,
    /// How many figures it holds.
    pub figures: u32,
    /// Remark by the sender or an administrator.
    pub note: String,
    /// Who did it: the name of a key or of another identity, never of a person; empty where nobody had to say.
    pub actor: String,
    /// What the document is, such as `text/csv`.
    pub media_type: String,
}

/// An entry of the ledger with all that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry without its document.
    pub receipt: Receipt,
    /// The document as it was received.
    pub document: Vec<u8>,
    /// The canonical form that rolling up reads; empty if `document` itself is that form.
    pub record: Vec<u8>,
    /// The span in which it was pushed, as a W3C `traceparent`; empty where there is none. No digest covers it.
    pub trace_parent: String,
}

/// An entry of the ledger with its record, and without its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The entry without its document.
    pub receipt: Receipt,
    /// The canonical form that rolling up reads; empty if the document itself is that form.
    pub record: Vec<u8>,
    /// The span in which it was pushed, as a W3C `traceparent`; empty where there is none. No digest covers it.
    pub trace_parent: String,
}

/// A document as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is, such as `text/csv`.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The end of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Position of the last entry.
    pub position: i64,
    /// Its digest.
    pub digest: Digest,
    /// When it was received.
    pub received_at: Timestamp,
    /// Position of the registry in force; 0 where there is none.
    pub registry_position: i64,
    /// Position of the last entry that [is a rule](EntryKind::is_rule); 0 where there is none.
    pub rules_position: i64,
}

impl TryFrom<ledger::Model> for Receipt {
    type Error = StoreError;

    fn try_from(row: ledger::Model) -> Result<Self, StoreError> {
        let place = Place { table: "ledger", key: row.position };
        Ok(Self {
            position: row.position,
            id: row.id,
            kind: place.kind("kind", row.kind)?,
            content_digest: place.digest("content_digest", &row.content_digest)?,
            digest: place.digest("digest", &row.digest)?,
            previous: place.digest("previous", &row.previous)?,
            received_at: place.time("received_at", row.received_at)?,
            figures: place.count("figures", row.figures)?,
            source: row.source,
            idempotency_key: row.idempotency_key,
            note: row.note,
            actor: row.actor,
            media_type: row.media_type,
        })
    }
}
