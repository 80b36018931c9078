//! Submissions.

use super::{Refused, TurnedAway};
use crate::parameters;
use crate::shapes::{Accepted, Frozen, Problem, Received, SubmissionState, Submitted, ToFreeze};

/// Submit figures.
///
/// Taken whole or not at all; at most 32 MiB and 100,000 figures. Sent again under the same key it is answered with
/// the first receipt. As CSV: columns `unit_code, indicator, breakdown, period, scope, value`, in any order, `qualifier,
/// not_available_reason, programme, withdraw` and `map_date` where needed; others are ignored. As XLSX: the same columns,
/// or a form with indicators down and periods or units across. With a `locale`, numbers may be written as people write
/// them; a finding in a workbook names its cell.
#[utoipa::path(
    post,
    path = "/v1/submissions",
    tag = "submissions",
    operation_id = "submit",
    params(
        ("Idempotency-Key" = String, Header, description = "The source's name for the submission", example = "openapi-example"),
        parameters::Submission,
    ),
    request_body(content(
        (Submitted = "application/json", example = json!({
            "source": "congan-backan",
            "note": "May 2024",
            "figures": [{
                "unit": "01864", "indicator": "tg02", "period": "2024-M05", "scope": "own",
                "value": "12", "breakdown": { "reporter": "cong-an" },
            }],
        })),
        (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )),
    responses(
        (status = 201, description = "Taken: durable when this is answered", body = Accepted),
        (status = 200, description = "Taken before, or a dry run", body = Received),
        (status = 409, description = "The key was used with other content", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither JSON, CSV nor XLSX", body = Problem, content_type = "application/problem+json"),
        TurnedAway,
        Refused,
    )
)]
pub(crate) fn submit() {}

/// A submission, and what became of it.
#[utoipa::path(
    get,
    path = "/v1/submissions/{id}",
    tag = "submissions",
    params(("id" = String, Path, description = "Its id", example = "0193f0a0-0000-7000-8000-000000000000")),
    responses((status = 200, description = "Receipt, effect, and what only the whole shows", body = SubmissionState), Refused)
)]
pub(crate) fn submission() {}

/// What was accepted, byte for byte.
#[utoipa::path(
    get,
    path = "/v1/submissions/{id}/document",
    tag = "submissions",
    operation_id = "submission_document",
    params(("id" = String, Path, description = "Its id", example = "0193f0a0-0000-7000-8000-000000000000")),
    responses(
        (status = 200, description = "The document, with the media type it was sent with", content(
            (serde_json::Value = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (Vec<u8> = "application/x-protobuf"),
        )),
        Refused,
    )
)]
pub(crate) fn document() {}

/// Freeze a review: a name for a position, as of which questions are answered the same for ever.
#[utoipa::path(
    post,
    path = "/v1/reviews",
    tag = "submissions",
    operation_id = "freeze_review",
    request_body(content = ToFreeze, example = json!({ "name": "openapi-example", "note": "Sơ kết" })),
    responses(
        (status = 201, description = "Frozen: durable when this is answered", body = Frozen),
        (status = 200, description = "Frozen before, for the same position", body = Frozen),
        (status = 409, description = "The name stands for another position", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        Refused,
    )
)]
pub(crate) fn freeze_review() {}
