//! `/sign-in`: asks a browser for a key, which it then sends with every page: as the password of HTTP Basic, under any
//! name. A program sends its key as `Authorization: Bearer`.

use axum::extract::Query as Parameters;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use tonghop_access::{Caller, Identity, challenge_for_browsers};
use url::form_urlencoded::Serializer;

use super::address::{Address, Page};
use super::locale::Lang;
use super::{elsewhere, headers, layout};

/// Where it is.
pub(super) const PATH: &str = "/sign-in";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The view to go back to.
    back: String,
    lang: String,
}

/// The way to it from a view, and back.
pub(super) fn href(address: &Address, page: Page) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("back", &address.href(page));
    if !address.lang.is_empty() {
        query.append_pair("lang", &address.lang);
    }
    format!("{PATH}?{}", query.finish())
}

pub(super) async fn sign_in(
    caller: Caller,
    asked: HeaderMap,
    given: Result<Parameters<Asked>, QueryRejection>,
) -> Response {
    let Asked { back, lang } = given.map(|Parameters(asked)| asked).unwrap_or_default();
    let accepted = asked.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let lang = Lang::asked(&lang, accepted);
    if *caller.identity() != Identity::Anonymous {
        return headers::guarded(elsewhere(way_back(&back)));
    }
    let body = layout::signed_out(lang, way_back(&back)).into_string();
    let mut response = headers::page(&asked, StatusCode::UNAUTHORIZED, lang, body);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge_for_browsers());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A view of this service, and nothing else that somebody may have put into a link.
fn way_back(back: &str) -> &str {
    let path = back.split('?').next().unwrap_or_default();
    let is_ours = Page::ALL.iter().any(|page| page.path() == path);
    let is_plain = back.bytes().all(|byte| byte.is_ascii_graphic());
    if is_ours && is_plain { back } else { Page::Overview.path() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_to_a_view_of_this_service_only() {
        let view = Address { unit: "06".into(), q: "Bắc Kạn".into(), ..Address::default() };
        let href = view.href(Page::Find);
        assert_eq!(way_back(&href), href);
        for other in
            ["", "//evil.example/", "https://evil.example/", "/\\evil.example", "/v1/watch", "/unit\r\nX: y"]
        {
            assert_eq!(way_back(other), "/", "{other:?}");
        }
    }
}
