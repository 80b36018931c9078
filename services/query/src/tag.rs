//! Tags of answers, by which somebody who has an answer already is told so.

use axum::http::{HeaderMap, HeaderValue, header};

/// Bytes of a digest that make a tag.
const BYTES: usize = 16;

/// A strong tag (RFC 9110, section 8.8.3), quotes included.
#[derive(Clone, Debug)]
pub(crate) struct Tag(HeaderValue);

impl Tag {
    /// From the digest of what is tagged.
    pub(crate) fn of(digest: &[u8]) -> Tag {
        let text = format!("\"{}\"", hex(&digest[..digest.len().min(BYTES)]));
        // Quotes and hexadecimal digits are a header's value, whatever the digest.
        Tag(HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\"")))
    }

    /// Whether a request names it, so that who asks has the answer already.
    pub(crate) fn is_known(&self, headers: &HeaderMap) -> bool {
        let named = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        named.flat_map(|value| value.split(',')).any(|one| one.trim().trim_start_matches("W/") == self.0)
    }

    /// As the answer's header has it.
    pub(crate) fn value(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
