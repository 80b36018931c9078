//! Which path takes what, answers what, and may refuse how. The functions here are never called: they carry what
//! [`utoipa::path`] says of the handlers of the same names in the services.

#![allow(dead_code, reason = "said, not called")]

pub(crate) mod access;
pub(crate) mod export;
pub(crate) mod question;
pub(crate) mod registry;
pub(crate) mod reports;
pub(crate) mod running;
pub(crate) mod submission;

use utoipa::IntoResponses;

use crate::shapes::Problem;

/// How a question may be refused.
#[derive(IntoResponses)]
pub(crate) enum Refused {
    /// The request could not be understood.
    #[response(status = 400, content_type = "application/problem+json")]
    NotUnderstood(Problem),
    /// It takes a key, or the one that was sent does not hold.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The key that was sent does not allow it, there or at all.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// What is asked for does not exist.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// More than the limits allow.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// Understood, and wrong.
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Not now: after `Retry-After` seconds the same can be sent again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// How a submission may be refused beside: so much of them is taken of one key, and no more.
#[derive(IntoResponses)]
pub(crate) enum TurnedAway {
    /// More than one key may send: after `Retry-After` seconds the same can be sent again, under the same key.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(Problem),
}
