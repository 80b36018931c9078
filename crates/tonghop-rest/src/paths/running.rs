//! How a process is.

/// The process runs.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "running",
    responses((status = 200, description = "It runs", body = String, content_type = "text/plain"))
)]
pub(crate) fn healthz() {}

/// The process can do its work.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "running",
    responses(
        (status = 200, description = "It can", body = String, content_type = "text/plain"),
        (status = 503, description = "What is in the way", body = String, content_type = "text/plain"),
    )
)]
pub(crate) fn readyz() {}

/// Of aggregation: whether this replica is the one that rolls up.
#[utoipa::path(
    get,
    path = "/active",
    tag = "running",
    responses(
        (status = 200, description = "It rolls up", body = String, content_type = "text/plain"),
        (status = 503, description = "It stands by", body = String, content_type = "text/plain"),
    )
)]
pub(crate) fn active() {}

/// For Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "running",
    responses((status = 200, description = "All of it, as text", body = String, content_type = "text/plain"))
)]
pub(crate) fn metrics() {}
