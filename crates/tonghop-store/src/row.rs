//! Between rows and values. A column that does not fit its value is a [`StoreError::Row`].

use std::fmt::Display;

use jiff::Timestamp;

use crate::{Digest, EntryKind, StoreError};

/// Where a value stands, for the error.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) table: &'static str,
    pub(crate) key: i64,
}

impl Place {
    pub(crate) fn broken(&self, column: &'static str, reason: impl Display) -> StoreError {
        StoreError::Row { table: self.table, column, key: self.key.to_string(), reason: reason.to_string() }
    }

    pub(crate) fn digest(&self, column: &'static str, bytes: &[u8]) -> Result<Digest, StoreError> {
        bytes
            .try_into()
            .map_err(|_| self.broken(column, format!("a digest has 32 bytes, not {}", bytes.len())))
    }

    pub(crate) fn time(&self, column: &'static str, microseconds: i64) -> Result<Timestamp, StoreError> {
        Timestamp::from_microsecond(microseconds).map_err(|error| self.broken(column, error))
    }

    pub(crate) fn count(&self, column: &'static str, value: i64) -> Result<u32, StoreError> {
        u32::try_from(value).map_err(|_| self.broken(column, format!("{value} is not a count")))
    }

    pub(crate) fn kind(&self, column: &'static str, value: i16) -> Result<EntryKind, StoreError> {
        match value {
            1 => Ok(EntryKind::Submission),
            2 => Ok(EntryKind::Registry),
            3 => Ok(EntryKind::Review),
            4 => Ok(EntryKind::Access),
            5 => Ok(EntryKind::Report),
            _ => Err(self.broken(column, format!("{value} is not a kind of entry"))),
        }
    }

    pub(crate) fn unpack(&self, column: &'static str, frame: &[u8]) -> Result<Vec<u8>, StoreError> {
        crate::frame::unpack(frame).map_err(|error| self.broken(column, error))
    }
}

/// The number that stands for `kind` in columns and in the chain.
pub(crate) fn kind_number(kind: EntryKind) -> u8 {
    match kind {
        EntryKind::Submission => 1,
        EntryKind::Registry => 2,
        EntryKind::Review => 3,
        EntryKind::Access => 4,
        EntryKind::Report => 5,
    }
}

/// Refuses text that is too long, or that PostgreSQL cannot hold.
pub(crate) fn check_text(
    what: impl FnOnce() -> String,
    text: &str,
    max_bytes: usize,
) -> Result<(), StoreError> {
    if text.len() > max_bytes {
        let reason = format!("{} bytes, and at most {max_bytes} are stored", text.len());
        return Err(StoreError::Refused { what: what(), reason });
    }
    if text.contains('\0') {
        return Err(StoreError::Refused { what: what(), reason: "it holds a NUL character".to_owned() });
    }
    Ok(())
}

/// `rows` in vectors of at most `size`, for as many statements. What is left after the full ones comes in vectors of a
/// few sizes, so that the database meets few different statements and need not prepare one anew for every batch.
pub(crate) fn chunks<T>(rows: Vec<T>, size: usize) -> impl Iterator<Item = Vec<T>> {
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let sizes = [size, size / 5, size / 25];
        let next = sizes.into_iter().find(|n| (1..=rows.len()).contains(n)).unwrap_or(1);
        let chunk: Vec<T> = rows.by_ref().take(next).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}
