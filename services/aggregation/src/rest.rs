//! Which replica is active, for whoever sends requests to that one only.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::Aggregation;

/// `GET /active`: 200 from the replica that rolls up, 503 from one that stands by.
pub fn routes(aggregation: Arc<Aggregation>) -> Router {
    let answer = move || async move {
        match aggregation.is_active() {
            true => (StatusCode::OK, "active\n").into_response(),
            false => (StatusCode::SERVICE_UNAVAILABLE, "standing by\n").into_response(),
        }
    };
    Router::new().route("/active", get(answer))
}
