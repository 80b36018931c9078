//! A key as its holder sends it, and what is kept of it.
//!
//! A key is written `th_ID_SECRET`: an id of 16 and a secret of 64 hexadecimal digits. The secret is 32 random bytes, so
//! nothing can be guessed, and a fast keyed digest keeps it as well as a slow one would; a slow one would make every
//! push slow. Kept are a salt and the HMAC-SHA-256 of the secret under it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a key begins with, so that one that lies about is known for what it is.
const PREFIX: &str = "th";
const ID_DIGITS: usize = 16;
const SECRET_DIGITS: usize = 64;

/// Not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A new key.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// What it is known by; no secret.
    pub key: String,
    /// What its holder sends. Shown once, and kept nowhere.
    pub secret: String,
    /// What is kept of it.
    pub salt: [u8; 16],
    /// What is kept of it.
    pub digest: [u8; 32],
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Makes a key of 56 bytes that nobody can know: 8 for its id, 16 of salt, 32 of secret.
pub fn issue(random: &[u8; 56]) -> Issued {
    let (key, secret) = (hex(&random[..8]), &random[24..]);
    let mut salt = [0; 16];
    salt.copy_from_slice(&random[8..24]);
    let secret = hex(secret);
    let digest = digest_of(&salt, &secret);
    Issued { secret: format!("{PREFIX}_{key}_{secret}"), key, salt, digest }
}

/// What a holder sends, taken apart: the key's id, and its secret.
///
/// # Errors
/// Where it is not written as a key is.
pub(crate) fn parts(written: &str) -> Result<(&str, &str), Malformed> {
    let mut parts = written.split('_');
    let (Some(PREFIX), Some(id), Some(secret), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Malformed);
    };
    let digits = |text: &str, many| text.len() == many && text.bytes().all(|b| b.is_ascii_hexdigit());
    if digits(id, ID_DIGITS) && digits(secret, SECRET_DIGITS) { Ok((id, secret)) } else { Err(Malformed) }
}

/// What is kept of a secret under a salt.
pub(crate) fn digest_of(salt: &[u8], secret: &str) -> [u8; 32] {
    mac(salt, secret).finalize().into_bytes().into()
}

/// Whether a text is written as a key is that was given to a reporting system.
pub fn is_issued(written: &str) -> bool {
    parts(written).is_ok()
}

/// Whether a secret is the one of which this is kept. Takes the same time whatever is wrong with it.
pub(crate) fn is_of(salt: &[u8], digest: &[u8], secret: &str) -> bool {
    mac(salt, secret).verify_slice(digest).is_ok()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(salt: &[u8], secret: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).expect("any length");
    mac.update(secret.as_bytes());
    mac
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_secret_alone() {
        let random: [u8; 56] = std::array::from_fn(|i| i as u8);
        let issued = issue(&random);
        let (id, secret) = parts(&issued.secret).expect("a key");
        assert_eq!(id, issued.key);
        assert!(is_of(&issued.salt, &issued.digest, secret));
        let other = secret.replace('1', "2");
        assert!(!is_of(&issued.salt, &issued.digest, &other));
        assert!(!is_of(&[0; 16], &issued.digest, secret));
        assert!(!is_of(&issued.salt, &[], secret));
    }

    #[test]
    fn what_is_not_written_as_a_key_is_none() {
        let good = issue(&[7; 56]).secret;
        for bad in ["", "th", "th__", &good[1..], &good[..good.len() - 1], &format!("{good}_"), "th_é_é"] {
            assert_eq!(parts(bad), Err(Malformed), "{bad}");
        }
    }
}
