//! What is answered. Nothing else is in an answer than what its shape names.
//!
//! A key that can be null is always there; one that is left out where there is nothing to say is not required.

mod access;
mod figures;
mod maps;
mod problems;
mod registry;
mod reports;
mod submissions;
mod totals;

pub use access::{AuditEntry, AuditLog, GivenKey, Key, KeyState, Keys, Revoked, Role, WantedKey};
pub use figures::{Figures, FiguresFile, Revision};
pub use maps::{History, Level, MapDiff, Part, Unit, UnitChange, Units};
pub use problems::{Finding, Problem};
pub use registry::{Dimension, Dimensions, Indicator, Indicators, Member, Programme, Programmes};
pub use reports::{
    Act, Closing, Compliance, Deadline, Done, Owed, Regime, Regimes, Report, ReportCount, ReportEvent,
    Reports, ToDo,
};
pub use submissions::{
    Accepted, DryRun, Effect, Found, Received, State, SubmissionState, Submitted, SubmittedFigure, Whole,
};
pub use totals::{
    AsOf, Compared, Coverage, Explanation, Frozen, FrozenReview, Given, Node, Origin, Rank, Review, Reviews,
    Share, ToFreeze, Total, Totals, TotalsFile, Tree, UnitRef,
};

use serde::Serialize;
use utoipa::ToSchema;

/// A decimal, exact, as text.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(value_type = String, pattern = r"^-?[0-9]+(\.[0-9]+)?$", examples("37853", "98.50"))]
pub struct Decimal(pub String);

/// A text in both languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}
