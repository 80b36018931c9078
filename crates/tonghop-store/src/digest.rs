//! What is hashed, and in which order: anyone with a ledger's rows can re-check them from this page.

use sha2::{Digest as _, Sha256};

use crate::Receipt;
use crate::row::kind_number;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// The `previous` of the first entry.
pub(crate) const ORIGIN: Digest = [0; 32];

const DOMAIN: &[u8] = b"tonghop-ledger-1";
/// Of entries that say who did it.
const DOMAIN_WITH_ACTOR: &[u8] = b"tonghop-ledger-2";

/// SHA-256 of the media type, a NUL byte and the document as it was received.
///
/// Two documents with the same idempotency key are the same submission exactly if these are equal.
#[must_use]
pub fn content_digest(media_type: &str, document: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(media_type.as_bytes());
    hash.update([0]);
    hash.update(document);
    hash.finalize().into()
}

/// The digest that an entry adds to the chain: all of the receipt but `digest` itself, which is not read, and
/// the record.
///
/// SHA-256 of, one after the other: the ASCII text `tonghop-ledger-1`; the previous digest; the position (8
/// bytes, as all integers big-endian); the kind (1 byte: 1 submission, 2 registry, 3 review, 4 access, 5 report); the id (16 bytes); source,
/// idempotency key, media type and note, each in UTF-8 after its length (8 bytes); the content digest; the
/// SHA-256 of the record; the time of receipt in microseconds since 1970 (8 bytes); the number of figures (4
/// bytes). The document is covered by the content digest.
///
/// Where the entry says who did it, the text is `tonghop-ledger-2`, and the actor stands after the note, written as it
/// is.
#[must_use]
pub fn chain_digest(receipt: &Receipt, record: &[u8]) -> Digest {
    chain_digest_over(receipt, &record_digest(record))
}

pub(crate) fn record_digest(record: &[u8]) -> Digest {
    Sha256::digest(record).into()
}

pub(crate) fn chain_digest_over(receipt: &Receipt, record_digest: &Digest) -> Digest {
    let mut hash = Sha256::new();
    let has_actor = !receipt.actor.is_empty();
    hash.update(if has_actor { DOMAIN_WITH_ACTOR } else { DOMAIN });
    hash.update(receipt.previous);
    hash.update(receipt.position.to_be_bytes());
    hash.update([kind_number(receipt.kind)]);
    hash.update(receipt.id.as_bytes());
    let actor = Some(&receipt.actor).filter(|_| has_actor);
    let texts = [&receipt.source, &receipt.idempotency_key, &receipt.media_type, &receipt.note];
    for text in texts.into_iter().chain(actor) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(receipt.content_digest);
    hash.update(record_digest);
    hash.update(receipt.received_at.as_microsecond().to_be_bytes());
    hash.update(receipt.figures.to_be_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EntryKind;

    fn receipt() -> Receipt {
        Receipt {
            position: 1,
            id: uuid::Uuid::from_u128(1),
            kind: EntryKind::Submission,
            source: "moh".to_owned(),
            idempotency_key: "a".to_owned(),
            content_digest: content_digest("text/csv", b"unit,value"),
            digest: ORIGIN,
            previous: ORIGIN,
            received_at: jiff::Timestamp::UNIX_EPOCH,
            figures: 3,
            note: String::new(),
            actor: String::new(),
            media_type: "text/csv".to_owned(),
        }
    }

    #[test]
    fn every_field_of_a_receipt_but_the_digest_changes_the_chain() {
        type Change = (&'static str, fn(&mut Receipt));
        let changes: [Change; 12] = [
            ("position", |r| r.position = 2),
            ("id", |r| r.id = uuid::Uuid::from_u128(2)),
            ("kind", |r| r.kind = EntryKind::Registry),
            ("source", |r| r.source.push('x')),
            ("key", |r| r.idempotency_key.push('x')),
            ("content", |r| r.content_digest[0] ^= 1),
            ("previous", |r| r.previous[0] ^= 1),
            ("time", |r| r.received_at = jiff::Timestamp::from_microsecond(1).unwrap()),
            ("figures", |r| r.figures = 4),
            ("note", |r| r.note.push('x')),
            ("actor", |r| r.actor.push('x')),
            ("media type", |r| r.media_type.push('x')),
        ];
        let before = chain_digest(&receipt(), b"record");
        for (name, change) in changes {
            let mut changed = receipt();
            change(&mut changed);
            assert_ne!(chain_digest(&changed, b"record"), before, "{name}");
        }
        assert_ne!(chain_digest(&receipt(), b"recorD"), before, "record");
        assert_eq!(chain_digest(&Receipt { digest: [9; 32], ..receipt() }, b"record"), before);
    }

    #[test]
    fn text_cannot_slide_from_one_field_into_the_next() {
        let one = Receipt { source: "ab".to_owned(), idempotency_key: "c".to_owned(), ..receipt() };
        let other = Receipt { source: "a".to_owned(), idempotency_key: "bc".to_owned(), ..receipt() };
        assert_ne!(chain_digest(&one, b""), chain_digest(&other, b""));
    }

    #[test]
    fn the_media_type_cannot_slide_into_the_document() {
        assert_ne!(content_digest("text/csv", b"x"), content_digest("text/csvx", b""));
    }
}
