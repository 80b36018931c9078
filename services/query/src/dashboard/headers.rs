//! What every answer of the dashboard says beside its body: that nothing from elsewhere is to be loaded, run or framed.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::locale::Lang;
use crate::tag::Tag;

/// Only what this service itself sends is loaded; nothing within a page is run or styled by itself.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const GUARDS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// With the headers that guard the reader.
pub(super) fn guarded(mut response: Response) -> Response {
    for (name, value) in GUARDS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A page: in its language, with a tag of its content; nothing but the tag where the reader has it already.
pub(super) fn page(asked: &HeaderMap, status: StatusCode, lang: Lang, body: String) -> Response {
    let tag = Tag::of(&Sha256::digest(body.as_bytes()));
    let mut response = match tag.is_known(asked) && status == StatusCode::OK {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => (status, axum::response::Html(body)).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.code()));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ETAG, tag.value());
    guarded(response)
}
