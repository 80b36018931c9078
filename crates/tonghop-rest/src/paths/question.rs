//! Totals, what they rest on, and what was reported.

use super::Refused;
use crate::parameters;
use crate::shapes::{Coverage, Explanation, Figures, Reviews, Totals, Tree};

/// Totals.
///
/// One rectangle, or one question spread over children, periods, members, indicators and combinations of these. What
/// has no value says why.
#[utoipa::path(
    get,
    path = "/v1/totals",
    tag = "totals",
    params(parameters::Totals, ("If-None-Match" = inline(Option<String>), Header, description = "The `ETag` of an answer that is there")),
    responses(
        (status = 200, description = "A page of totals", body = Totals, headers(
            ("etag" = String, description = "Of what is answered; not of how old it is"),
        )),
        (status = 304, description = "Nothing is different from the answer of this tag"),
        Refused,
    )
)]
pub(crate) fn totals() {}

/// Where a total comes from.
///
/// The same rectangle with its parts, what was set aside and why, and the figures with their submissions.
#[utoipa::path(
    get,
    path = "/v1/totals/explain",
    tag = "totals",
    params(parameters::OneTotal),
    responses((status = 200, description = "A total with its parts", body = Explanation), Refused)
)]
pub(crate) fn explain() {}

/// What was reported, every revision.
#[utoipa::path(
    get,
    path = "/v1/figures",
    tag = "totals",
    params(parameters::Figures),
    responses((status = 200, description = "A page of figures", body = Figures), Refused)
)]
pub(crate) fn figures() {}

/// Who has reported, who has not.
#[utoipa::path(
    get,
    path = "/v1/coverage",
    tag = "totals",
    params(parameters::OneTotal),
    responses((status = 200, description = "A total's counts, and those of the units below", body = Coverage), Refused)
)]
pub(crate) fn coverage() {}

/// A total opened into its parts, and these in their turn, down to the figures and what submitted them.
#[utoipa::path(
    get,
    path = "/v1/totals/tree",
    tag = "totals",
    params(parameters::Tree),
    responses((status = 200, description = "A tree, bounded in depth and width", body = Tree), Refused)
)]
pub(crate) fn tree() {}

/// Frozen reviews, by name.
#[utoipa::path(
    get,
    path = "/v1/reviews",
    tag = "totals",
    params(parameters::Reviews),
    responses((status = 200, description = "A page of reviews", body = Reviews), Refused)
)]
pub(crate) fn reviews() {}

/// What changes, as it changes.
///
/// Server-sent events: the id is the position up to which everything is in, the data a JSON object with `as_of`,
/// `changed` (series), `changes` (indicator, breakdown, period) and `everything`. `Last-Event-ID` resumes.
#[utoipa::path(
    get,
    path = "/v1/watch",
    tag = "totals",
    params(parameters::Watch),
    responses(
        (status = 200, description = "Events, until this replica or aggregation goes away", body = String, content_type = "text/event-stream"),
        Refused,
    )
)]
pub(crate) fn watch() {}
