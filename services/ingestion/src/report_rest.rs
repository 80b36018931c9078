//! Reports over REST.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tonghop_access::Caller;
use tonghop_proto::ingestion as pb;
use tonghop_proto::json::reports as shown;
use tonghop_rest::parameters;
use tonghop_runtime::language::not_read;
use tonghop_runtime::{Failure, FailureKind};

use crate::grpc::hex;
use crate::service::Ingestion;

/// The largest body of an act: 10,000 units, and a reason.
const LARGEST_ACT: usize = 1 << 20;

/// The routes of reports.
pub(crate) fn routes() -> Router<Arc<Ingestion>> {
    Router::new()
        .route("/v1/reports", get(list))
        .route("/v1/reports", post(act).layer(DefaultBodyLimit::max(LARGEST_ACT)))
}

/// What is to be done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToDo {
    act: String,
    regime: String,
    period: String,
    #[serde(default)]
    units: Vec<String>,
    #[serde(default)]
    below: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    until: String,
}

async fn act(
    State(ingestion): State<Arc<Ingestion>>,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Json<ToDo>, JsonRejection>,
) -> Result<Response, Failure> {
    let Json(asked) = body.map_err(|rejection| {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => FailureKind::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => FailureKind::UnsupportedMediaType,
            _ => FailureKind::NotUnderstood,
        };
        Failure::new(kind, not_read(&rejection.body_text()))
    })?;
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let request = pb::ActOnReportsRequest {
        idempotency_key: key.to_owned(),
        act: asked.act,
        regime: asked.regime,
        period: asked.period,
        units: asked.units,
        below: asked.below,
        level: asked.level,
        reason: asked.reason,
        until: asked.until,
    };
    let acted = ingestion.act_on_reports(&caller, &request).await?;
    let states: Vec<Value> = acted.states.iter().map(shown::count).collect();
    let body = json!({
        "id": acted.receipt.id.to_string(),
        "position": acted.receipt.position,
        "digest": hex(&acted.receipt.digest),
        "states": states,
    });
    let status = if acted.replayed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(body)).into_response())
}

async fn list(
    State(ingestion): State<Arc<Ingestion>>,
    caller: Caller,
    parameters: Result<Query<parameters::Reports>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(p) =
        parameters.map_err(|e| Failure::new(FailureKind::NotUnderstood, not_read(&e.body_text())))?;
    let request = pb::ListReportsRequest {
        regime: p.regime,
        period: p.period,
        unit: p.unit,
        state: p.state,
        history: p.history,
        page_size: p.limit,
        page_token: p.cursor,
    };
    Ok(Json(shown::reports(&ingestion.list_reports(&caller, &request).await?)).into_response())
}
