//! Keys of reporting systems, and what was done by whom.

use serde::Serialize;
use utoipa::ToSchema;

/// What somebody may do.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Push figures.
    Report,
    /// Approve and return reports.
    Approve,
    /// Read what is not public.
    ReadInternal,
    /// Load registries, give and revoke keys, freeze reviews, rebuild and verify, read the audit log.
    Administer,
}

/// Whether a key holds.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It does.
    Active,
    /// Its time is over, or another has taken its place.
    Expired,
    /// It was taken back.
    Revoked,
}

/// A key that is asked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedKey {
    /// The reporting system; its submissions bear this name. Left out where a key is replaced: that key's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// What it may do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Codes of units; it holds for them and all below, each on the map of the period that is spoken of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// Members of the dimension reporter; none stands for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sides: Vec<String>,
    /// A time, or a day, at whose beginning in Việt Nam it ends; a year from now where it is left out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expires_at: String,
    /// A note. No names of persons.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The key that it replaces.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub replaces: String,
    /// For how many hours that one goes on: 24 where it is left out.
    #[schema(maximum = 720)]
    pub overlap_hours: Option<u32>,
}

/// A key. Nothing of it is secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What it is known by.
    pub key: String,
    /// Whether it holds.
    pub state: KeyState,
    /// The reporting system it is for.
    pub source: String,
    /// What its holder may do.
    pub roles: Vec<Role>,
    /// For which units.
    pub units: Vec<String>,
    /// For which sides; none stands for all.
    pub sides: Vec<String>,
    /// When it was given.
    #[schema(format = "date-time")]
    pub issued_at: String,
    /// From then on it is none.
    #[schema(format = "date-time")]
    pub expires_at: String,
    /// When it was revoked.
    #[schema(format = "date-time", required = true)]
    pub revoked_at: Option<String>,
    /// The key that it replaces.
    #[schema(required = true)]
    pub replaces: Option<String>,
    /// A note.
    pub note: String,
}

/// A key that was given.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenKey {
    /// The key.
    pub key: Key,
    /// Where that is in the ledger.
    pub position: i64,
    /// What its holder sends, as `Authorization: Bearer SECRET`. Shown once.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(pattern = "^th_[0-9a-f]{16}_[0-9a-f]{64}$")]
    pub secret: String,
}

/// A key that was revoked.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// The key.
    pub key: Key,
    /// Where that is in the ledger.
    pub position: i64,
}

/// A page of keys.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Keys, by source and time.
    pub keys: Vec<Key>,
    /// The `cursor` of the next page.
    #[schema(required = true)]
    pub next: Option<String>,
}

/// Something that was done: an entry of the ledger, which its chain covers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// Its position.
    pub position: i64,
    /// When.
    #[schema(format = "date-time")]
    pub time: String,
    /// Who did it: `key:ID`, `token:ISSUER#SUBJECT`, `administrator`; empty where nobody had to say.
    pub actor: String,
    /// `submission`, `registry`, `review`, `access` or `report`.
    pub kind: String,
    /// What was done, in words.
    pub what: String,
    /// Under which source it is in the ledger.
    pub source: String,
    /// And under which key.
    pub idempotency_key: String,
    /// A note.
    pub note: String,
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// The ledger's chain digest at the position, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
}

/// A page of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditLog {
    /// Entries, the last first.
    pub entries: Vec<AuditEntry>,
    /// The `cursor` of the next page.
    #[schema(required = true)]
    pub next: Option<String>,
}
