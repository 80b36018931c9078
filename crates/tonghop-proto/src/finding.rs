//! Findings of the whole, which are stored in both languages and shown in one.

use std::mem::take;

use prost::{DecodeError, Message};

use crate::aggregation::GetEffectResponse;
use crate::ingestion::Finding;

/// Findings as an effect keeps them.
///
/// # Errors
/// Where the bytes are none that were stored.
pub fn stored(bytes: &[u8]) -> Result<Vec<Finding>, DecodeError> {
    Ok(GetEffectResponse::decode(bytes)?.findings)
}

/// A finding as it is shown: in Vietnamese or in English, without what only services tell one another.
pub fn shown(mut both: Finding, vietnamese: bool) -> Finding {
    let (got, expected, hint) =
        (take(&mut both.got_vi), take(&mut both.expected_vi), take(&mut both.hint_vi));
    both.about.clear();
    // What an earlier version stored has no Vietnamese.
    if vietnamese && !expected.is_empty() {
        (both.got, both.expected, both.hint) = (got, expected, hint);
    }
    both
}
