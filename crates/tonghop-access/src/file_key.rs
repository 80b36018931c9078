//! A key that lies in a file of the processes: the administrator's, and the one that the services know one another by.

use std::fmt;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::secret;

/// The shortest such key that is taken, and the longest: 32 characters are as many as nobody guesses.
const SHORTEST: usize = 32;
const LONGEST: usize = 512;
/// What the keys begin with that stand in the repository, for trying things out.
const FOR_TRYING: &str = "for-trying-out-only";

/// A key of a file. It is never shown.
#[derive(Clone)]
pub struct FileKey {
    written: String,
    salt: [u8; 16],
    digest: [u8; 32],
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKey").finish_non_exhaustive()
    }
}

impl FileKey {
    /// A key as it is written.
    ///
    /// # Errors
    /// What is wrong with it, without showing it.
    pub fn new(written: &str) -> Result<FileKey, String> {
        let written = written.trim();
        if written.len() < SHORTEST || written.len() > LONGEST {
            return Err(format!(
                "a key has {SHORTEST} to {LONGEST} characters and there are {}: head -c 32 /dev/urandom | base64",
                written.len()
            ));
        }
        if !written.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("a key has letters, digits and signs of ASCII only".to_owned());
        }
        // Compared by digests, so that the time it takes tells nothing.
        let salt = [0; 16];
        Ok(FileKey { digest: secret::digest_of(&salt, written), salt, written: written.to_owned() })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read, or has no key in it.
    pub fn read(file: &Path) -> Result<FileKey, String> {
        let name = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("the key file {name} cannot be read: {error}"))?;
        let key = FileKey::new(&text).map_err(|wrong| format!("the key file {name}: {wrong}"))?;
        if key.written.starts_with(FOR_TRYING) {
            tracing::warn!(file = %name, "this key stands in the repository and protects nothing: make your own");
        }
        Ok(key)
    }

    /// The key of a file, which is made of random bytes and readable to its owner only where it is not there yet.
    ///
    /// # Errors
    /// Where it cannot be read or written.
    pub fn read_or_make(file: &Path, random: &[u8; 32]) -> Result<FileKey, String> {
        let failed =
            |error: std::io::Error| format!("the key file {} cannot be made: {error}", file.display());
        match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
            Ok(mut made) => {
                writeln!(made, "{}", secret::hex(random)).map_err(failed)?;
                made.sync_all().map_err(failed)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        FileKey::read(file)
    }

    /// Whether this is what was sent. Takes the same time whatever is wrong with it.
    pub fn is(&self, sent: &str) -> bool {
        secret::is_of(&self.salt, &self.digest, sent)
    }

    /// What is sent, to be known by it.
    pub fn written(&self) -> &str {
        &self.written
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("admin.key");
        let made = FileKey::read_or_make(&file, &[7; 32]).expect("a key");
        let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = FileKey::read_or_make(&file, &[8; 32]).expect("the same key");
        assert_eq!(again.written(), made.written());
        assert!(again.is(made.written()) && !again.is(&made.written()[1..]) && !again.is(""));
        assert!(!format!("{made:?}").contains(made.written()));
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        let short = FileKey::new("much too short").expect_err("refused");
        assert!(!short.contains("much") && short.contains("32 to 512"), "{short}");
        let spaced = FileKey::new(&"a b".repeat(20)).expect_err("refused");
        assert!(!spaced.contains("a b"), "{spaced}");
        let absent = FileKey::read(Path::new("/no/such/file")).expect_err("refused");
        assert!(absent.contains("/no/such/file"), "{absent}");
    }
}
