//! Keys of reporting systems, and what was done by whom.

use super::Refused;
use crate::parameters;
use crate::shapes::{AuditLog, GivenKey, Keys, Problem, Revoked, WantedKey};

/// Give a key to a reporting system.
///
/// New, or in the place of another (`replaces`), whose source, roles, units and sides it has where it names none. What
/// its holder sends is `secret`, in this answer only. Takes the role administer.
#[utoipa::path(
    post,
    path = "/v1/keys",
    tag = "access",
    operation_id = "issue_key",
    params(("Idempotency-Key" = String, Header, description = "Asked again under the same, no second key is given", example = "openapi-example")),
    request_body(content = WantedKey, example = json!({
        "source": "congan-backan", "roles": ["report"], "units": ["06"], "sides": ["cong-an"],
        "note": "example",
    })),
    responses(
        (status = 201, description = "Given; what its holder sends is in `secret`", body = GivenKey),
        (status = 200, description = "Given before: without `secret`", body = GivenKey),
        (status = 409, description = "The idempotency key was used for another key", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        Refused,
    )
)]
pub(crate) fn issue() {}

/// The keys there are, whether they hold or not.
#[utoipa::path(
    get,
    path = "/v1/keys",
    tag = "access",
    operation_id = "keys",
    params(parameters::Keys),
    responses((status = 200, description = "A page of keys, by source and time", body = Keys), Refused)
)]
pub(crate) fn keys() {}

/// Take a key back: from then on it is none.
#[utoipa::path(
    delete,
    path = "/v1/keys/{id}",
    tag = "access",
    operation_id = "revoke_key",
    params(("id" = String, Path, description = "What the key is known by", example = "0011223344556677"), parameters::Revocation),
    responses((status = 200, description = "Revoked, now or before", body = Revoked), Refused)
)]
pub(crate) fn revoke() {}

/// What was done, by whom, the last first.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "access",
    operation_id = "audit",
    params(parameters::Audit),
    responses((status = 200, description = "A page of the ledger's entries", body = AuditLog), Refused)
)]
pub(crate) fn audit() {}
