//! Figures, as they were reported.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{AsOf, Decimal, Finding, UnitRef};

/// What one submission said of one figure.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// Of which unit.
    pub unit: UnitRef,
    /// Of which indicator.
    pub indicator: String,
    /// Of which members.
    pub breakdown: BTreeMap<String, String>,
    /// Of which period.
    pub period: String,
    /// `own` or `territory`.
    pub scope: String,
    /// The value; null where withdrawn or not available.
    #[schema(required)]
    pub value: Option<Decimal>,
    /// `exact`, `at_least`, `at_most`, `about`.
    #[schema(required)]
    pub qualifier: Option<String>,
    /// Why there is no value.
    #[schema(required)]
    pub not_available: Option<String>,
    /// Whether it was taken back.
    pub withdrawn: bool,
    /// Whether it stands.
    pub current: bool,
    /// Under which programmes it was reported.
    pub programmes: Vec<String>,
    /// The ledger position of its submission.
    pub position: i64,
    /// Its submission.
    #[schema(required)]
    pub submission: Option<String>,
    /// The system that sent it.
    #[schema(required)]
    pub source: Option<String>,
    /// When it was received.
    #[schema(required, format = DateTime)]
    pub received_at: Option<String>,
    /// The ledger's digest up to and with it, in hexadecimal, as the receipt has it.
    #[schema(required)]
    pub digest: Option<String>,
    /// What is remarkable about it beside other figures, as it was when it was rolled up.
    pub findings: Option<Vec<Finding>>,
}

/// A page of figures.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// As of when.
    pub as_of: AsOf,
    /// The page, every revision of each figure.
    pub figures: Vec<Revision>,
    /// The `cursor` of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// A file of figures.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FiguresFile {
    /// As of when.
    pub as_of: AsOf,
    /// The parameters that were asked with.
    pub asked: BTreeMap<String, String>,
    /// How many follow.
    pub rows: u64,
    /// Whether made-up figures may be among them.
    pub synthetic: bool,
    /// What is said of them.
    pub note: Option<String>,
    /// All of them.
    pub figures: Vec<Revision>,
}
