//! How a document is kept: itself, or as what it is written again from.

use crate::frame::{self, FrameError};
use crate::row::Place;
use crate::{Digest, StoreError, content_digest};

/// What came of it, or why nothing did.
pub type Rewritten<T> = Result<T, String>;

/// What a document is written again from.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What it has beside its record.
    pub skeleton: &'a [u8],
    /// Its record.
    pub record: &'a [u8],
}

/// How documents are written again from their skeletons and records. What comes out is compared with what was received,
/// or with its digest, so nothing is taken on trust.
#[derive(Clone, Copy, Debug)]
pub struct Rewrite {
    /// The document.
    pub write: fn(Parts<'_>) -> Rewritten<Vec<u8>>,
    /// Whether that is this one; quicker.
    pub gives: fn(Parts<'_>, &[u8]) -> Rewritten<bool>,
}

/// The column that keeps a document: its skeleton where it comes out the same from it, else itself.
pub(super) fn pack(
    document: &[u8],
    skeleton: Option<&[u8]>,
    record: &[u8],
    rewrite: Option<Rewrite>,
) -> Result<Vec<u8>, FrameError> {
    if let (Some(skeleton), Some(rewrite)) = (skeleton, rewrite) {
        match (rewrite.gives)(Parts { skeleton, record }, document) {
            Ok(true) => return frame::pack_skeleton(skeleton),
            Ok(false) => {
                tracing::warn!("a document comes out otherwise from its skeleton: it is kept itself")
            }
            Err(error) => {
                tracing::warn!(error, "a document does not come out of its skeleton: it is kept itself")
            }
        }
    }
    frame::pack(document)
}

/// The document of a column.
pub(super) fn unpack(
    place: &Place,
    column: &[u8],
    record: &[u8],
    rewrite: Option<Rewrite>,
) -> Result<Vec<u8>, StoreError> {
    if !frame::is_skeleton(column) {
        return place.unpack("document", column);
    }
    let skeleton = frame::unpack_skeleton(column).map_err(|error| place.broken("document", error))?;
    let Some(rewrite) = rewrite else {
        return Err(place.broken("document", "it is written again from its record, which nobody here can"));
    };
    (rewrite.write)(Parts { skeleton: &skeleton, record }).map_err(|error| place.broken("document", error))
}

/// Whether a document is what was received.
pub(super) fn is_received(media_type: &str, document: &[u8], digest: &Digest) -> bool {
    content_digest(media_type, document) == *digest
}
