//! Compressed columns: a version byte, the length as a big-endian `u32`, then a zstd frame.

use std::fmt;

/// The longest content that is packed, and the longest that unpacking allocates.
pub(crate) const MAX_BYTES: usize = 256 << 20;

const VERSION: u8 = 1;
const HEADER: usize = 5;
const LEVEL: i32 = 3;

/// Why a column could not be packed or unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FrameError(String);

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fail<T>(message: impl Into<String>) -> Result<T, FrameError> {
    Err(FrameError(message.into()))
}

/// Compresses `content`. What is empty stays empty.
pub(crate) fn pack(content: &[u8]) -> Result<Vec<u8>, FrameError> {
    if content.is_empty() {
        return Ok(Vec::new());
    }
    let length = match u32::try_from(content.len()) {
        Ok(length) if content.len() <= MAX_BYTES => length,
        _ => return fail(format!("{} bytes, and at most {MAX_BYTES} are stored", content.len())),
    };
    let compressed = zstd::bulk::compress(content, LEVEL).map_err(|error| FrameError(error.to_string()))?;
    let mut frame = Vec::with_capacity(HEADER + compressed.len());
    frame.push(VERSION);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&compressed);
    Ok(frame)
}

/// What [`pack`] was given. Never allocates more than [`MAX_BYTES`], whatever the frame says.
pub(crate) fn unpack(frame: &[u8]) -> Result<Vec<u8>, FrameError> {
    let Some((&version, rest)) = frame.split_first() else { return Ok(Vec::new()) };
    if version != VERSION {
        return fail(format!("format {version} is not known here; known is {VERSION}"));
    }
    let Some((length, compressed)) = rest.split_first_chunk::<4>() else {
        return fail(format!("{} bytes are too few for a frame", frame.len()));
    };
    let length = match usize::try_from(u32::from_be_bytes(*length)) {
        Ok(length) if length <= MAX_BYTES => length,
        _ => return fail(format!("the frame claims more than {MAX_BYTES} bytes")),
    };
    match zstd::bulk::decompress(compressed, length) {
        Ok(content) if content.len() == length => Ok(content),
        Ok(content) => fail(format!("the frame claims {length} bytes and holds {}", content.len())),
        Err(error) => fail(format!("cannot be decompressed: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks_to_the_same() {
        for content in [&b""[..], b"a", &[0; 100_000], "Bình Định".as_bytes()] {
            assert_eq!(unpack(&pack(content).unwrap()).unwrap(), content);
        }
        assert!(pack(&[0; 100_000]).unwrap().len() < 100);
    }

    #[test]
    fn an_unknown_version_is_refused() {
        let mut frame = pack(b"content").unwrap();
        frame[0] = 2;
        assert_eq!(unpack(&frame).unwrap_err().to_string(), "format 2 is not known here; known is 1");
    }

    #[test]
    fn a_frame_that_holds_more_than_it_claims_is_refused() {
        let mut frame = pack(&[7; 1000]).unwrap();
        frame[1..5].copy_from_slice(&999_u32.to_be_bytes());
        let message = unpack(&frame).unwrap_err().to_string();
        assert!(message.starts_with("cannot be decompressed"), "{message}");
    }

    #[test]
    fn a_claim_beyond_the_limit_is_refused_before_anything_is_allocated() {
        let mut frame = pack(b"content").unwrap();
        frame[1..5].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(unpack(&frame).unwrap_err().to_string(), "the frame claims more than 268435456 bytes");
    }

    #[test]
    fn a_frame_cut_short_is_refused() {
        let frame = pack(&[7; 1000]).unwrap();
        for length in 1..frame.len() {
            assert!(unpack(&frame[..length]).is_err(), "{length}");
        }
    }
}
