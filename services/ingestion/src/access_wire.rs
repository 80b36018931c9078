//! Keys and the audit log on the wire, both ways.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tonghop_access::{Caller, of_request};
use tonghop_proto::access as pb;
use tonghop_proto::access::access_service_server::{AccessService, AccessServiceServer};
use tonghop_rest::parameters;
use tonghop_runtime::{Failure, FailureKind};
use tonic::{Request, Status};

use crate::grpc::IngestionGrpc;
use crate::keys::Given;
use crate::rest::{misunderstood, next};
use crate::service::Ingestion;
use tonghop_runtime::language::not_read;

/// The largest body that asks for a key.
const LARGEST_REQUEST: usize = 64 << 10;

impl IngestionGrpc {
    /// Keys and the audit log, as a service to be routed to.
    pub fn access(&self) -> AccessServiceServer<IngestionGrpc> {
        AccessServiceServer::new(self.clone()).max_decoding_message_size(LARGEST_REQUEST)
    }
}

#[tonic::async_trait]
impl AccessService for IngestionGrpc {
    async fn issue_key(
        &self,
        request: Request<pb::IssueKeyRequest>,
    ) -> Result<tonic::Response<pb::IssueKeyResponse>, Status> {
        let caller = of_request(request.extensions())?;
        let given = self.0.issue_key(&caller, request.get_ref()).await?;
        Ok(tonic::Response::new(pb::IssueKeyResponse {
            key: Some(self.0.shown(&given.key)),
            replayed: given.secret.is_none(),
            secret: given.secret.map(|secret| secret.0).unwrap_or_default(),
            position: given.receipt.position,
        }))
    }

    async fn list_keys(
        &self,
        request: Request<pb::ListKeysRequest>,
    ) -> Result<tonic::Response<pb::ListKeysResponse>, Status> {
        let caller = of_request(request.extensions())?;
        Ok(tonic::Response::new(self.0.list_keys(&caller, request.get_ref()).await?))
    }

    async fn revoke_key(
        &self,
        request: Request<pb::RevokeKeyRequest>,
    ) -> Result<tonic::Response<pb::RevokeKeyResponse>, Status> {
        let caller = of_request(request.extensions())?;
        let revoked = self.0.revoke_key(&caller, request.get_ref()).await?;
        Ok(tonic::Response::new(pb::RevokeKeyResponse {
            key: Some(self.0.shown(&revoked.key)),
            position: revoked.receipt.position,
            replayed: revoked.replayed,
        }))
    }

    async fn list_audit(
        &self,
        request: Request<pb::ListAuditRequest>,
    ) -> Result<tonic::Response<pb::ListAuditResponse>, Status> {
        let caller = of_request(request.extensions())?;
        Ok(tonic::Response::new(self.0.list_audit(&caller, request.get_ref()).await?))
    }
}

/// The routes.
pub(crate) fn routes() -> Router<Arc<Ingestion>> {
    Router::new()
        .route("/v1/keys", get(keys))
        .route("/v1/keys", post(issue).layer(DefaultBodyLimit::max(LARGEST_REQUEST)))
        .route("/v1/keys/{id}", delete(revoke))
        .route("/v1/audit", get(audit))
}

/// A key that is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Wanted {
    source: String,
    roles: Vec<String>,
    units: Vec<String>,
    sides: Vec<String>,
    expires_at: String,
    note: String,
    replaces: String,
    overlap_hours: Option<u32>,
}

fn shown(key: &pb::Key) -> Value {
    json!({
        "key": key.key, "state": key.state, "source": key.source, "roles": key.roles, "units": key.units,
        "sides": key.sides, "issued_at": key.issued_at, "expires_at": key.expires_at,
        "revoked_at": next(&key.revoked_at), "replaces": next(&key.replaces), "note": key.note,
    })
}

async fn issue(
    State(ingestion): State<Arc<Ingestion>>,
    caller: Caller,
    headers: HeaderMap,
    body: Result<axum::Json<Wanted>, JsonRejection>,
) -> Result<Response, Failure> {
    let axum::Json(wanted) = body.map_err(|rejection| {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => FailureKind::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => FailureKind::UnsupportedMediaType,
            _ => FailureKind::NotUnderstood,
        };
        Failure::new(kind, not_read(&rejection.body_text()))
    })?;
    let idempotency_key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let request = pb::IssueKeyRequest {
        idempotency_key: idempotency_key.to_owned(),
        source: wanted.source,
        roles: wanted.roles,
        units: wanted.units,
        sides: wanted.sides,
        expires_at: wanted.expires_at,
        note: wanted.note,
        replaces: wanted.replaces,
        overlap_hours: wanted.overlap_hours,
    };
    let given = ingestion.issue_key(&caller, &request).await?;
    let mut body = json!({ "key": shown(&ingestion.shown(&given.key)), "position": given.receipt.position });
    let status = match given.secret {
        Some(secret) => {
            body["secret"] = secret.0.into();
            StatusCode::CREATED
        }
        None => StatusCode::OK,
    };
    // What is in it is for nobody's memory.
    Ok((status, [("cache-control", "no-store")], axum::Json(body)).into_response())
}

async fn keys(
    State(ingestion): State<Arc<Ingestion>>,
    caller: Caller,
    parameters: Result<Query<parameters::Keys>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(p) = parameters.map_err(misunderstood)?;
    let request = pb::ListKeysRequest { source: p.source, page_size: p.limit, page_token: p.cursor };
    let page = ingestion.list_keys(&caller, &request).await?;
    let keys: Vec<Value> = page.keys.iter().map(shown).collect();
    Ok(axum::Json(json!({ "keys": keys, "next": next(&page.next_page_token) })).into_response())
}

async fn revoke(
    State(ingestion): State<Arc<Ingestion>>,
    caller: Caller,
    Path(key): Path<String>,
    parameters: Result<Query<parameters::Revocation>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(p) = parameters.map_err(misunderstood)?;
    let Given { key, receipt, .. } =
        ingestion.revoke_key(&caller, &pb::RevokeKeyRequest { key, note: p.note }).await?;
    let body = json!({ "key": shown(&ingestion.shown(&key)), "position": receipt.position });
    Ok(axum::Json(body).into_response())
}

async fn audit(
    State(ingestion): State<Arc<Ingestion>>,
    caller: Caller,
    parameters: Result<Query<parameters::Audit>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(p) = parameters.map_err(misunderstood)?;
    let request =
        pb::ListAuditRequest { kind: p.kind, actor: p.actor, page_size: p.limit, page_token: p.cursor };
    let page = ingestion.list_audit(&caller, &request).await?;
    let entries: Vec<Value> = page
        .entries
        .iter()
        .map(|e| {
            json!({
                "position": e.position, "time": e.time, "actor": e.actor, "kind": e.kind, "what": e.what,
                "source": e.source, "idempotency_key": e.idempotency_key, "note": e.note, "id": e.id,
                "digest": e.digest,
            })
        })
        .collect();
    Ok(axum::Json(json!({ "entries": entries, "next": next(&page.next_page_token) })).into_response())
}
