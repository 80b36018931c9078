//! Regimes, reports, and who owes what.

use super::Refused;
use crate::parameters;
use crate::shapes::{Compliance, Done, Problem, Regimes, Reports, ToDo};

/// Reporting regimes: which units report what each period, by when, and who approves it.
#[utoipa::path(
    get,
    path = "/v1/regimes",
    tag = "reports",
    responses((status = 200, description = "All of them", body = Regimes), Refused)
)]
pub(crate) fn regimes() {}

/// Hand reports in, approve, return or reopen them; close a period for figures, or open it again.
///
/// All of it or nothing, with a finding for every unit that stands in the way.
#[utoipa::path(
    post,
    path = "/v1/reports",
    tag = "reports",
    operation_id = "act_on_reports",
    params(("Idempotency-Key" = String, Header, description = "The caller's name for the act", example = "openapi-report")),
    request_body(content = ToDo, example = json!({
        "act": "submit", "regime": "ctph07-thang", "period": "2025-M10", "below": "19",
    })),
    responses(
        (status = 201, description = "Done: durable when this is answered", body = Done),
        (status = 200, description = "Done before, under the same key", body = Done),
        (status = 401, description = "Nobody said who they are", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller may not", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key was used for something else", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        Refused,
    )
)]
pub(crate) fn act() {}

/// Reports of a period, and what became of them.
#[utoipa::path(
    get,
    path = "/v1/reports",
    tag = "reports",
    operation_id = "list_reports",
    params(parameters::Reports),
    responses(
        (status = 200, description = "A page of reports, in the order of the tree", body = Reports),
        (status = 401, description = "Nobody said who they are", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller may not", body = Problem, content_type = "application/problem+json"),
        Refused,
    )
)]
pub(crate) fn list() {}

/// Who owes a report, by when, and what became of it: what reminders are sent from.
#[utoipa::path(
    get,
    path = "/v1/compliance",
    tag = "reports",
    params(parameters::Compliance),
    responses(
        (status = 200, description = "A page of units, in the order of the tree", body = Compliance),
        (status = 304, description = "Nothing is different from the answer of this tag"),
        (status = 401, description = "Nobody said who they are", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller may not", body = Problem, content_type = "application/problem+json"),
        Refused,
    )
)]
pub(crate) fn compliance() {}
