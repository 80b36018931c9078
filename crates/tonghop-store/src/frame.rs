//! Columns of bytes.
//!
//! | version, a byte | what follows |
//! |---|---|
//! | 1 | the length as a big-endian `u32`, then a zstd frame |
//! | 2 | the content as it is: zstd gains nothing |
//! | 3 | of a document, its skeleton, as a column of version 1 or 2 |

use std::cell::RefCell;
use std::fmt;

use zstd::bulk::Compressor;

/// The longest content that is packed, and the longest that unpacking allocates.
pub(crate) const MAX_BYTES: usize = 256 << 20;

const COMPRESSED: u8 = 1;
const PLAIN: u8 = 2;
const SKELETON: u8 = 3;
const HEADER: usize = 5;
const LEVEL: i32 = 3;

thread_local! {
    /// Making one takes longer than packing a small column.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

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
    let compressed = compress(content).map_err(|error| FrameError(error.to_string()))?;
    if HEADER + compressed.len() > content.len() {
        return Ok([&[PLAIN], content].concat());
    }
    let mut frame = Vec::with_capacity(HEADER + compressed.len());
    frame.push(COMPRESSED);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&compressed);
    Ok(frame)
}

fn compress(content: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(LEVEL)?),
        };
        compressor.compress(content)
    })
}

/// A document's column that holds its skeleton.
pub(crate) fn pack_skeleton(skeleton: &[u8]) -> Result<Vec<u8>, FrameError> {
    Ok([&[SKELETON], pack(skeleton)?.as_slice()].concat())
}

/// Whether a document's column holds its skeleton.
pub(crate) fn is_skeleton(frame: &[u8]) -> bool {
    frame.first() == Some(&SKELETON)
}

/// The skeleton that [`pack_skeleton`] was given.
pub(crate) fn unpack_skeleton(frame: &[u8]) -> Result<Vec<u8>, FrameError> {
    unpack(frame.strip_prefix(&[SKELETON]).unwrap_or(frame))
}

/// What [`pack`] was given. Never allocates more than [`MAX_BYTES`], whatever the frame says.
pub(crate) fn unpack(frame: &[u8]) -> Result<Vec<u8>, FrameError> {
    let Some((&version, rest)) = frame.split_first() else { return Ok(Vec::new()) };
    if version == PLAIN && rest.len() <= MAX_BYTES {
        return Ok(rest.to_vec());
    }
    if version != COMPRESSED {
        return fail(format!("format {version} is not known here; known are {COMPRESSED} and {PLAIN}"));
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
    fn what_zstd_makes_no_smaller_is_kept_as_it_is() {
        let mut noise = 1u32;
        let content: Vec<u8> = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        })
        .take(5000)
        .collect();
        let frame = pack(&content).unwrap();
        assert_eq!((frame.len(), frame[0]), (5001, PLAIN));
        assert_eq!(unpack(&frame).unwrap(), content);
    }

    #[test]
    fn a_skeleton_is_told_from_content() {
        for skeleton in [&b""[..], b"a", &[7; 1000]] {
            let frame = pack_skeleton(skeleton).unwrap();
            assert!(is_skeleton(&frame) && unpack(&frame).is_err());
            assert_eq!(unpack_skeleton(&frame).unwrap(), skeleton);
        }
        assert!(!is_skeleton(&pack(b"content").unwrap()) && !is_skeleton(b""));
    }

    #[test]
    fn an_unknown_version_is_refused() {
        let mut frame = pack(b"content").unwrap();
        for version in [0, 3, 4] {
            frame[0] = version;
            let message = unpack(&frame).unwrap_err().to_string();
            assert_eq!(message, format!("format {version} is not known here; known are 1 and 2"));
        }
    }

    #[test]
    fn a_frame_that_holds_more_than_it_claims_is_refused() {
        let mut frame = pack(&[7; 1000]).unwrap();
        assert_eq!(frame[0], COMPRESSED);
        frame[1..5].copy_from_slice(&999_u32.to_be_bytes());
        let message = unpack(&frame).unwrap_err().to_string();
        assert!(message.starts_with("cannot be decompressed"), "{message}");
    }

    #[test]
    fn a_claim_beyond_the_limit_is_refused_before_anything_is_allocated() {
        let mut frame = pack(&[7; 1000]).unwrap();
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
