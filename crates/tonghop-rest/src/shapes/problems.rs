//! What is wrong.

use serde::Serialize;
use utoipa::ToSchema;

/// One thing wrong, or remarkable.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What kind of thing, for programs; never changes.
    pub code: String,
    /// Where, in JSON or among the parameters.
    pub path: Option<String>,
    /// Where, in CSV: the line, counted from 1.
    pub line: Option<u32>,
    /// Where, in CSV: the column's name.
    pub column: Option<String>,
    /// What was read.
    pub got: String,
    /// What was expected.
    pub expected: String,
    /// What to do.
    pub hint: String,
}

/// Why there is no answer (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What kind of problem: `urn:tonghop:problem:…`.
    #[schema(pattern = "^urn:tonghop:problem:[a-z-]+$")]
    pub r#type: String,
    /// The kind in words.
    pub title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong, in words.
    pub detail: String,
    /// Everything wrong, one by one.
    pub findings: Option<Vec<Finding>>,
    /// Quote it when asking what went wrong.
    pub trace_id: Option<String>,
}
