//! What REST takes and answers: the OpenAPI document for programs, a page made of it for people.
//!
//! The document is that of all services, as they are behind one address.

mod page;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::Query;
use crate::tag::Tag;

/// What is served of it: made once.
struct Served {
    text: String,
    tag: HeaderValue,
}

impl Served {
    fn of(text: String) -> Served {
        let tag = Tag::of(&Sha256::digest(text.as_bytes())).value();
        Served { text, tag }
    }

    fn answer(&'static self, headers: &HeaderMap, media_type: &'static str) -> Response {
        let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == self.tag);
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(header::CONTENT_TYPE, media_type)], self.text.as_str()).into_response()
        };
        response.headers_mut().insert(header::ETAG, self.tag.clone());
        response
    }
}

static DOCUMENT: LazyLock<Served> = LazyLock::new(|| Served::of(tonghop_rest::document::text()));
static PAGE: LazyLock<Served> =
    LazyLock::new(|| Served::of(page::page(&serde_json::from_str(&DOCUMENT.text).unwrap_or_default())));

/// `/openapi.json` and `/docs`.
pub(crate) fn routes() -> Router<Arc<Query>> {
    let docs = |headers: HeaderMap| async move {
        let mut response = PAGE.answer(&headers, "text/html; charset=utf-8");
        let policy = HeaderValue::from_static(page::POLICY);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    };
    Router::new()
        .route(
            "/openapi.json",
            get(|headers: HeaderMap| async move { DOCUMENT.answer(&headers, "application/json") }),
        )
        .route("/docs", get(docs))
}
