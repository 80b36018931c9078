//! What is submitted, and what becomes of it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::Finding;

/// A submission.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Submitted {
    /// The reporting system.
    pub source: String,
    /// A note.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// How numbers are written as text: `vi` (37.853 and 2,2) or `en` (37,853 and 2.2); left out, they are plain
    /// decimals.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub locale: String,
    /// The figures, at most 100,000.
    #[schema(min_items = 1, max_items = 100_000)]
    pub figures: Vec<SubmittedFigure>,
}

/// A value: a decimal as text, or a whole number; never a fraction as a JSON number.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Whole {
    /// A decimal.
    Text(String),
    /// A whole number.
    Number(u64),
}

/// A figure of a submission: with a value, not available for a reason, or withdrawn.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmittedFigure {
    /// Code of a unit on the map of the period's last day, or on that of `map_date`.
    pub unit: String,
    /// The day on whose map the code is read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub map_date: String,
    /// Code of an indicator, or the part of it before the first hyphen.
    pub indicator: String,
    /// The period.
    pub period: String,
    /// `own`, or `territory`: for the whole territory, its subordinates included.
    pub scope: String,
    /// The value.
    #[schema(nullable = false)]
    pub value: Option<Whole>,
    /// How the source put it: `exact` where nothing is said, `at_least`, `at_most`, `about`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub qualifier: String,
    /// Why there is no value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub not_available: String,
    /// Takes the figure back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub withdraw: bool,
    /// The reporter, and a member of each partition of the indicator.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub breakdown: BTreeMap<String, String>,
    /// Programmes it is reported under.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub programmes: Vec<String>,
}

/// A receipt.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The submission's own id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its position in the ledger.
    pub position: i64,
    /// The ledger's chain digest at the position, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
    /// How many figures it has.
    pub figures: u64,
    /// What is remarkable in it.
    pub warnings: Vec<Finding>,
}

/// What a submission would be found to be.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRun {
    /// Always true: nothing was kept.
    pub dry_run: bool,
    /// How many figures it has.
    pub figures: u64,
    /// What is remarkable in it.
    pub warnings: Vec<Finding>,
}

/// The first receipt, where the same key and content were taken before; or what a dry run found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Received {
    /// Taken before.
    Accepted(Accepted),
    /// A dry run.
    DryRun(DryRun),
}

/// How far a submission is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In the ledger.
    Accepted,
    /// In every total.
    RolledUp,
}

/// What a submission did to the figures.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Figures that were not there.
    pub new: u64,
    /// Figures that replaced an earlier value.
    pub revised: u64,
    /// Figures that said what was there.
    pub unchanged: u64,
    /// Figures that were taken back.
    pub withdrawn: u64,
}

/// What only the whole shows.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// What kind of thing.
    pub code: String,
    /// Where.
    pub path: String,
    /// What there is.
    pub got: String,
    /// What was expected.
    pub expected: String,
    /// What to do.
    pub hint: String,
}

/// A submission, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionState {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// How far it is.
    pub state: State,
    /// Its position in the ledger.
    pub position: i64,
    /// The ledger's chain digest at the position, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
    /// How many figures it has.
    pub figures: u64,
    /// The reporting system.
    pub source: String,
    /// Under which key it was sent.
    pub idempotency_key: String,
    /// When it was received.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// Its note.
    pub note: String,
    /// What it did, once it is rolled up.
    pub effect: Option<Effect>,
    /// What the whole shows, once it is rolled up.
    pub findings: Option<Vec<Found>>,
}
