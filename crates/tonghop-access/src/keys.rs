//! The keys there are, as the ledger's entries say, one after the other.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use tonghop_proto::ledger::AccessRecord;
use tonghop_proto::ledger::access_record::Change;

use crate::{Caller, Grant, Identity, secret};

/// A key of a reporting system.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// What it is known by.
    pub key: String,
    /// The reporting system it is for.
    pub source: String,
    /// What its holder may do, and where.
    pub grant: Grant,
    /// When it was given.
    pub issued_at: Timestamp,
    /// From then on it is none.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The key that it replaces.
    pub replaces: Option<String>,
    /// A remark by whoever gave it.
    pub note: String,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

/// Whether a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It does.
    Active,
    /// Its time is over, or another has taken its place.
    Expired,
    /// It was taken back.
    Revoked,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("key", &self.key).field("source", &self.source).finish_non_exhaustive()
    }
}

impl KeyState {
    /// In one word.
    pub fn code(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Expired => "expired",
            KeyState::Revoked => "revoked",
        }
    }
}

impl Key {
    /// Whether it holds at a time.
    pub fn state(&self, now: Timestamp) -> KeyState {
        match self.revoked_at {
            Some(_) => KeyState::Revoked,
            None if now >= self.expires_at => KeyState::Expired,
            None => KeyState::Active,
        }
    }

    /// Whoever holds it.
    pub fn holder(&self) -> Caller {
        let identity = Identity::Key { key: self.key.clone() };
        Caller::new(identity, Some(self.source.clone()), self.grant.clone())
    }
}

/// The keys there are.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// The position of the entry that was read last.
    position: i64,
    keys: HashMap<String, Key>,
}

/// What nobody's key has, to be compared with where there is no such key.
const NOBODY: [u8; 32] = [0; 32];

impl Keys {
    /// The position of the entry that was read last; 0 where none was.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Reads the next entry, which was received at a time. What it says of keys that are not there changes nothing.
    pub fn apply(&mut self, position: i64, at: Timestamp, record: AccessRecord) {
        self.position = position;
        match record.change {
            Some(Change::Issued(issued)) => {
                let time = |text: &str| text.parse::<Timestamp>().ok();
                if let (Some(before), Some(until)) =
                    (self.keys.get_mut(&issued.replaces), time(&issued.overlap_until))
                {
                    before.expires_at = before.expires_at.min(until);
                }
                let key = Key {
                    key: issued.key.clone(),
                    source: issued.source,
                    grant: issued.grant.unwrap_or_default().into(),
                    issued_at: at,
                    // A time that cannot be read is over.
                    expires_at: time(&issued.expires_at).unwrap_or(Timestamp::MIN),
                    revoked_at: None,
                    replaces: Some(issued.replaces).filter(|key| !key.is_empty()),
                    note: issued.note,
                    salt: issued.salt,
                    digest: issued.digest,
                };
                self.keys.insert(issued.key, key);
            }
            Some(Change::Revoked(revoked)) => {
                if let Some(key) = self.keys.get_mut(&revoked.key) {
                    key.revoked_at.get_or_insert(at);
                }
            }
            None => {}
        }
    }

    /// The key that is written so, if it holds now.
    pub fn holding(&self, written: &str, now: Timestamp) -> Option<&Key> {
        let (id, secret) = secret::parts(written).ok()?;
        let known = self.keys.get(id);
        // Nobody can tell from the time it takes whether there is such a key.
        let (salt, digest) = known.map_or((&NOBODY[..16], &NOBODY[..]), |key| (&key.salt, &key.digest));
        let is_of = secret::is_of(salt, digest, secret);
        known.filter(|key| is_of && key.state(now) == KeyState::Active)
    }

    /// All of them, whether they hold or not, by source and time.
    pub fn all(&self) -> Vec<&Key> {
        let mut all: Vec<&Key> = self.keys.values().collect();
        all.sort_by(|a, b| (&a.source, a.issued_at, &a.key).cmp(&(&b.source, b.issued_at, &b.key)));
        all
    }

    /// How many there are, whether they hold or not.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// By what it is known by.
    pub fn get(&self, key: &str) -> Option<&Key> {
        self.keys.get(key)
    }
}
