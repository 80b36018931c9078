//! The service over REST.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tonghop_access::{Caller, Role};
use tonghop_proto::json::{finding, maps};
use tonghop_proto::registry as pb;
use tonghop_rest::parameters;
use tonghop_runtime::language::{self, Language, not_read};
use tonghop_runtime::{Failure, FailureKind, Finding, Text};

use crate::fair::{Arriving, Held};
use crate::grpc::{hex, time, whole_finding};
use crate::media_type::with_locale;
use crate::service::{Arrived, Ingestion, JSON, too_large};
use crate::submission::Limits;

/// Bytes of a document that is refused that are let come, twice as many as it may have; and for how long.
const LET_COME: usize = 64 << 20;
const LET_COME_FOR: Duration = Duration::from_secs(5);
/// The largest body that freezes a review.
const LARGEST_REVIEW: usize = 16 << 10;

/// The routes of this service.
pub fn routes(ingestion: Arc<Ingestion>) -> Router {
    Router::new()
        .route("/v1/submissions", post(submit))
        .route("/v1/submissions/{id}", get(submission))
        .route("/v1/submissions/{id}/document", get(document))
        .route("/v1/reviews", post(freeze_review).layer(DefaultBodyLimit::max(LARGEST_REVIEW)))
        .route("/v1/units", get(units))
        .route("/v1/units/{code}/history", get(history))
        .route("/v1/map/diff", get(map_diff))
        .route("/v1/indicators", get(indicators))
        .route("/v1/dimensions", get(dimensions))
        .route("/v1/programmes", get(programmes))
        .route("/v1/regimes", get(regimes))
        .merge(crate::report_rest::routes())
        .merge(crate::access_wire::routes())
        .with_state(ingestion)
}

/// Whoever may report: others are refused before what they send is taken in.
struct Reporter(Caller);

impl<S: Sync> FromRequestParts<S> for Reporter {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Reporter, Failure> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require(Role::Report)?;
        Ok(Reporter(caller))
    }
}

async fn submit(
    State(ingestion): State<Arc<Ingestion>>,
    Reporter(caller): Reporter,
    parameters: Result<Query<parameters::Submission>, QueryRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let (Parts { headers, .. }, body) = request.into_parts();
    let (parameters, held) = match begun(&ingestion, &caller, parameters, &headers, &body) {
        Ok(begun) => begun,
        Err(refusal) => {
            let_come(&headers, body, LET_COME).await;
            return Err(refusal);
        }
    };
    let mut body = ingestion.admission.arriving(body, Arc::clone(&held));
    let document = match read(&mut body, &ingestion.limits).await {
        Ok(document) => document,
        Err(refusal) => {
            let rest = body.rest();
            drop(held);
            if let Some(rest) = rest {
                let_come(&headers, rest, ingestion.limits.max_bytes).await;
            }
            return Err(refusal);
        }
    };
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media_type = match text(header::CONTENT_TYPE) {
        "" => JSON,
        given => given,
    };
    let arrived = Arrived {
        key: text(header::HeaderName::from_static("idempotency-key")).to_owned(),
        source: parameters.source,
        note: parameters.note,
        media_type: with_locale(media_type, &parameters.locale)?,
        document,
        as_message: false,
        dry_run: parameters.dry_run,
    };
    let taken = ingestion.submit(&caller, arrived).await?;
    drop(held);
    let warnings = serde_json::to_value(&taken.warnings).map_err(Failure::internal)?;
    let body = match &taken.receipt {
        Some(receipt) => json!({
            "id": receipt.id.to_string(),
            "position": receipt.position,
            "digest": hex(&receipt.digest),
            "figures": receipt.figures,
            "warnings": warnings,
        }),
        None => json!({ "dry_run": true, "figures": taken.figures, "warnings": warnings }),
    };
    let status =
        if taken.receipt.is_some() && !taken.replayed { StatusCode::CREATED } else { StatusCode::OK };
    Ok(said((status, axum::Json(body)).into_response()))
}

/// What is asked, and memory for a body that begins to come.
///
/// # Errors
/// Where it will not be taken, as far as that is known before it comes.
fn begun(
    ingestion: &Ingestion,
    caller: &Caller,
    parameters: Result<Query<parameters::Submission>, QueryRejection>,
    headers: &HeaderMap,
    body: &Body,
) -> Result<(parameters::Submission, Arc<Held>), Failure> {
    let Query(parameters) = parameters.map_err(misunderstood)?;
    as_it_is(headers)?;
    let declared = body.size_hint().exact();
    if declared.is_some_and(|bytes| bytes > ingestion.limits.max_bytes as u64) {
        return Err(too_large(&ingestion.limits));
    }
    let held = ingestion.admission.begin(caller, declared)?;
    Ok((parameters, held))
}

/// An answer with words in it, which says in which language.
fn said(mut response: Response) -> Response {
    language::say(response.headers_mut(), Language::spoken());
    response
}

/// That a document is sent as it is. What is compressed is small on the line and large in memory; documents travel well
/// enough without.
fn as_it_is(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(given) = headers.get(header::CONTENT_ENCODING) else { return Ok(()) };
    let given = String::from_utf8_lossy(given.as_bytes());
    if given.eq_ignore_ascii_case("identity") {
        return Ok(());
    }
    let finding = Finding {
        code: "content_encoding".into(),
        path: "Content-Encoding".into(),
        got: Text::same(given),
        expected: Text::of("không nén", "none"),
        hint: Text::of("gửi tài liệu không nén", "send the document as it is"),
        ..Finding::default()
    };
    Err(Failure::of(FailureKind::UnsupportedMediaType, finding))
}

/// Lets come what is refused anyway, so that whoever sends it hears why, and how long to wait: so many bytes, for a few
/// seconds. Nothing of it is held. Who asks first whether to send it is told without.
async fn let_come(headers: &HeaderMap, mut body: Body, most: usize) {
    if headers.contains_key(header::EXPECT) {
        return;
    }
    let coming = async {
        let mut room = most;
        while let Some(Ok(frame)) = body.frame().await {
            match room.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(left) => room = left,
                None => return,
            }
        }
    };
    // Who is slow is cut off.
    let _ = tokio::time::timeout(LET_COME_FOR, coming).await;
}

/// Reads a document as it comes, no further than documents go.
async fn read(body: &mut Arriving<Body>, limits: &Limits) -> Result<Bytes, Failure> {
    let room = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
    let mut document = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if document.len() + data.len() > limits.max_bytes {
            return Err(too_large(limits));
        }
        if document.is_empty() && data.len() >= room {
            // It came in one piece.
            if body.is_end_stream() {
                return Ok(data);
            }
        }
        // As much as comes, not as much as is announced.
        document.extend_from_slice(&data);
    }
    Ok(document.freeze())
}

async fn submission(
    State(ingestion): State<Arc<Ingestion>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let (receipt, effect) = ingestion.submission(&caller, &id).await?;
    let mut body = json!({
        "id": receipt.id.to_string(),
        "state": if effect.rolled_up { "rolled_up" } else { "accepted" },
        "position": receipt.position,
        "digest": hex(&receipt.digest),
        "figures": receipt.figures,
        "source": receipt.source,
        "idempotency_key": receipt.idempotency_key,
        "received_at": time(receipt.received_at),
        "note": receipt.note,
    });
    if let Some(changed) = effect.effect.filter(|_| effect.rolled_up) {
        body["effect"] = json!({
            "new": changed.new, "revised": changed.revised,
            "unchanged": changed.unchanged, "withdrawn": changed.withdrawn,
        });
        body["findings"] = effect.findings.into_iter().map(|f| finding(&whole_finding(f))).collect();
    }
    Ok(said(axum::Json(body).into_response()))
}

/// What is to be frozen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    name: String,
    #[serde(default)]
    position: i64,
    #[serde(default)]
    note: String,
}

async fn freeze_review(
    State(ingestion): State<Arc<Ingestion>>,
    caller: Caller,
    body: Result<axum::Json<Review>, JsonRejection>,
) -> Result<Response, Failure> {
    let axum::Json(asked) = body.map_err(|rejection| {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => FailureKind::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => FailureKind::UnsupportedMediaType,
            _ => FailureKind::NotUnderstood,
        };
        Failure::new(kind, not_read(&rejection.body_text()))
    })?;
    let frozen = ingestion.freeze_review(&caller, &asked.name, asked.position, &asked.note).await?;
    let body = json!({
        "review": { "name": frozen.name, "position": frozen.position, "note": frozen.receipt.note },
        "id": frozen.receipt.id.to_string(),
        "position": frozen.receipt.position,
        "digest": hex(&frozen.receipt.digest),
    });
    let status = if frozen.replayed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, axum::Json(body)).into_response())
}

async fn document(
    State(ingestion): State<Arc<Ingestion>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let document = ingestion.document(&caller, &id).await?;
    let media_type = HeaderValue::from_str(&document.media_type).map_err(Failure::internal)?;
    Ok(([(header::CONTENT_TYPE, media_type)], document.bytes).into_response())
}

pub(crate) fn misunderstood(rejection: QueryRejection) -> Failure {
    misread(rejection.body_text())
}

fn misread(why: String) -> Failure {
    Failure::new(FailureKind::NotUnderstood, not_read(&why))
}

pub(crate) fn next(token: &str) -> Option<&str> {
    if token.is_empty() { None } else { Some(token) }
}

fn open_date(date: &str) -> Option<&str> {
    next(date)
}

async fn units(
    State(ingestion): State<Arc<Ingestion>>,
    parameters: Result<Query<parameters::Units>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(p) = parameters.map_err(misunderstood)?;
    let request = pb::ListUnitsRequest {
        date: p.date,
        parent_code: p.parent,
        code: p.code,
        level: p.level,
        page_size: p.limit,
        page_token: p.cursor,
    };
    let page = ingestion.list_units(&request).await?;
    let units: Vec<Value> = page.units.iter().map(maps::unit).collect();
    Ok(axum::Json(json!({ "units": units, "next": next(&page.next_page_token) })).into_response())
}

async fn map_diff(
    State(ingestion): State<Arc<Ingestion>>,
    parameters: Result<Query<parameters::MapDiff>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(p) = parameters.map_err(misunderstood)?;
    let request = pb::DiffMapsRequest {
        from: p.from,
        to: p.to,
        level: p.level,
        code: p.unit,
        page_size: p.limit,
        page_token: p.cursor,
    };
    Ok(axum::Json(maps::map_diff(&ingestion.diff_maps(&request).await?)).into_response())
}

async fn history(
    State(ingestion): State<Arc<Ingestion>>,
    Path(code): Path<String>,
    parameters: Result<Query<parameters::History>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(p) = parameters.map_err(misunderstood)?;
    let request = pb::GetUnitHistoryRequest { code, date: p.date };
    Ok(axum::Json(maps::history(&ingestion.unit_history(&request).await?)).into_response())
}

async fn indicators(
    State(ingestion): State<Arc<Ingestion>>,
    parameters: Result<Query<parameters::Page>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(p) = parameters.map_err(misunderstood)?;
    let request = pb::ListIndicatorsRequest { page_size: p.limit, page_token: p.cursor };
    let page = ingestion.list_indicators(&request).await?;
    let all: Vec<Value> = page
        .indicators
        .iter()
        .map(|i| {
            json!({
                "code": i.code, "name": { "vi": i.name_vi, "en": i.name_en },
                "unit_of_measure": { "vi": i.unit_vi, "en": i.unit_en }, "decimals": i.decimals, "kind": i.kind,
                "numerator": i.numerator, "denominator": i.denominator, "numerator_is_part": i.numerator_is_part,
                "collection_level": i.collection_level, "frequency": i.frequency, "calendar": i.calendar,
                "reporter_overlap": i.reporter_overlap, "reporters": i.reporters, "dimensions": i.dimensions,
                "precedence": i.precedence, "programmes": i.programmes, "aggregable": i.aggregable,
                "valid_from": open_date(&i.valid_from), "valid_to": open_date(&i.valid_to),
                "core": i.core, "from_map": i.from_map, "sensitivity": i.sensitivity,
            })
        })
        .collect();
    Ok(axum::Json(json!({ "indicators": all, "next": next(&page.next_page_token) })).into_response())
}

async fn dimensions(State(ingestion): State<Arc<Ingestion>>) -> Result<Response, Failure> {
    let all = ingestion.list_dimensions().await?;
    let dimensions: Vec<Value> = all
        .dimensions
        .iter()
        .map(|d| {
            let members: Vec<Value> =
                d.members.iter().map(|m| json!({ "code": m.code, "name": { "vi": m.name_vi, "en": m.name_en } })).collect();
            json!({ "code": d.code, "name": { "vi": d.name_vi, "en": d.name_en }, "kind": d.kind, "members": members })
        })
        .collect();
    Ok(axum::Json(json!({ "dimensions": dimensions })).into_response())
}

async fn regimes(State(ingestion): State<Arc<Ingestion>>) -> Result<Response, Failure> {
    let all = ingestion.list_regimes().await?;
    let regimes: Vec<Value> = all
        .regimes
        .iter()
        .map(|r| {
            let deadlines: Vec<Value> =
                r.deadlines.iter().map(|d| json!({ "level": d.level, "days": d.days })).collect();
            json!({
                "code": r.code, "name": { "vi": r.name_vi, "en": r.name_en }, "indicators": r.indicators,
                "level": r.level, "frequency": r.frequency, "calendar": r.calendar,
                "valid_from": open_date(&r.valid_from), "valid_to": open_date(&r.valid_to),
                "approvals": r.approvals, "deadlines": deadlines, "source": r.source,
            })
        })
        .collect();
    Ok(axum::Json(json!({ "regimes": regimes })).into_response())
}

async fn programmes(State(ingestion): State<Arc<Ingestion>>) -> Result<Response, Failure> {
    let all = ingestion.list_programmes().await?;
    let programmes: Vec<Value> = all
        .programmes
        .iter()
        .map(|p| json!({ "code": p.code, "title": { "vi": p.title_vi, "en": p.title_en } }))
        .collect();
    Ok(axum::Json(json!({ "programmes": programmes })).into_response())
}
