//! Who asks, and what.

use std::sync::{Arc, OnceLock};

use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION};
use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use tonghop_access::{Authority, Caller, Claims, FileKey, Identity, KeySet, Settings, Token};
use tonghop_ingestion::{check_name, check_note, media_type};
use tonghop_proto::query::GetTotalsRequest;
use tonghop_query::question;
use tonghop_runtime::language::Language;

use crate::registry::small;

/// What nobody who writes an input knows.
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn authority() -> &'static Arc<Authority> {
    static AUTHORITY: OnceLock<Arc<Authority>> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let key = || FileKey::new(SECRET).expect("a key");
        let settings = Settings { administrator: Some(key()), service: Some(key()), ..Settings::default() };
        Authority::new(settings, || Timestamp::UNIX_EPOCH).expect("an authority")
    })
}

/// What stands in the heads of requests: who sends it, in which language they want the answer, what the body is; and the
/// name of a review.
pub fn headers(bytes: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.clone());
        headers.insert(ACCEPT_LANGUAGE, value);
        assert!(authority().identify(&headers).is_err(), "nobody has a key");
        let _either = Language::of_headers(&headers);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(locale) = media_type::locale(text) {
        let declared = locale.map_or("", |locale| locale.code());
        let with = media_type::with_locale(text, declared).expect("it says so itself");
        assert_eq!(media_type::locale(&with).expect("it was put there"), locale);
        assert_eq!(media_type::essence(&with), media_type::essence(text));
    }
    if check_name(text).is_ok() {
        assert!(check_note(text).is_ok(), "what is good for a name is good for a note");
    }
}

/// A token, a set of keys that an issuer publishes, and what a token says: whichever of them the bytes are.
pub fn token(bytes: &[u8]) {
    if let Ok(set) = KeySet::read(bytes) {
        assert!(set.count() <= bytes.len());
    }
    if let Ok(claims) = serde_json::from_slice::<Claims>(bytes)
        && let Ok(caller) = claims.caller("issuer", Timestamp::UNIX_EPOCH)
    {
        assert!(matches!(caller.identity(), Identity::Token { .. }));
        assert!(caller.require_service().is_err(), "a service has no token");
        assert!(!caller.grant().everywhere, "a token says which units it is for");
        assert!(caller.source().is_some_and(|source| !source.is_empty()));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(token) = Token::read(text) {
        // That of RFC 8037, A.2.
        static PUBLISHED: OnceLock<KeySet> = OnceLock::new();
        let published = PUBLISHED.get_or_init(|| {
            let set = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
            KeySet::read(set).expect("a set")
        });
        let key = published.get("k").expect("the key");
        assert!(key.claims(&token, "issuer", "audience").is_err(), "nobody can sign it");
    }
}

/// A question for totals: its words, each ended by a zero, in the order of the message.
pub fn question(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut words = text.split('\0');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let mut request = GetTotalsRequest {
        indicator: word(),
        unit: word(),
        period: word(),
        breakdown: word(),
        by: word(),
        by_dimension: word(),
        map: word(),
        programme: word(),
        level: word(),
        compare: word(),
        share: word(),
        review: word(),
        figures: word(),
        page_token: word(),
        ..GetTotalsRequest::default()
    };
    request.last = word().parse().unwrap_or_default();
    let answer = |request: &GetTotalsRequest| question::totals(&Caller::anonymous(), small(), request);
    match answer(&request) {
        Ok((count, next)) if !next.is_empty() => {
            assert!(count > 1);
            request.page_token = next;
            assert_eq!(answer(&request).expect("the page after it").0, count);
        }
        Ok(_) => {}
        Err(failure) => {
            let findings = failure.findings().iter().all(|f| !f.code.is_empty() && !f.hint.is_empty());
            assert!(findings && !failure.to_string().is_empty());
        }
    }
}
