//! From a request to its caller, the same for both transports: gRPC's metadata are the headers of its request.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::ValueEnum;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use serde::Deserialize;
use tonghop_runtime::Failure;
use tonghop_runtime::metrics::Metrics;
use tonghop_runtime::trace::{TracedChannel, channel_of_holder, traced_channel};
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::caller::not_valid;
use crate::issuer::{Issuer, IssuerSettings};
use crate::refusals::Refusals;
use crate::{Caller, FileKey, Keys};

/// Whom a process lets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Anybody, to do anything: for trying it out, on an address that nobody else reaches.
    Open,
    /// Anybody may read what is public; all else takes a key.
    #[default]
    Keys,
    /// Nothing without a key, but for how the process is.
    Closed,
}

/// What an authority goes by, beside the keys that are given and revoked.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whom it lets in.
    pub access: Access,
    /// By what the administrator is known.
    pub administrator: Option<FileKey>,
    /// By what the services of this system know one another.
    pub service: Option<FileKey>,
    /// Whose tokens are taken beside keys.
    pub issuer: Option<IssuerSettings>,
}

impl Settings {
    /// Anybody may do anything.
    pub fn open() -> Settings {
        Settings { access: Access::Open, ..Settings::default() }
    }

    /// A channel to another service of this system, to which every call says who makes it.
    ///
    /// # Errors
    /// Where the services' key has characters that cannot be sent.
    pub fn speaking(&self, channel: Channel) -> Result<TracedChannel, String> {
        match &self.service {
            Some(key) => channel_of_holder(channel, key.written())
                .map_err(|_| "the services' key cannot be sent".to_owned()),
            None => Ok(traced_channel(channel)),
        }
    }
}

/// Who may come in, and as whom.
#[derive(Debug)]
pub struct Authority {
    settings: Settings,
    issuer: Option<Arc<Issuer>>,
    refusals: Refusals,
    keys: RwLock<Arc<Keys>>,
    now: fn() -> Timestamp,
}

impl Authority {
    /// Lets in as it is told; keys are [learnt](Self::learn) as they are given and revoked.
    ///
    /// # Errors
    /// Where the issuer of tokens that is named cannot be asked.
    pub fn new(settings: Settings, now: fn() -> Timestamp) -> Result<Arc<Authority>, String> {
        let (refusals, keys) = (Refusals::default(), RwLock::default());
        let issuer = settings.issuer.clone().map(Issuer::new).transpose()?;
        Ok(Arc::new(Authority { settings, issuer, refusals, keys, now }))
    }

    /// Whom it lets in.
    pub fn access(&self) -> Access {
        self.settings.access
    }

    /// Shows how many it refused.
    pub fn register(&self, metrics: &Metrics) {
        metrics.register(|registry| self.refusals.register(registry));
    }

    /// The keys there are, as far as this process knows.
    pub fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the keys there are now, unless it knows later ones.
    pub fn learn(&self, keys: Arc<Keys>) {
        let mut known = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if known.position() <= keys.position() {
            *known = keys;
        }
    }

    /// Who sends a request.
    ///
    /// # Errors
    /// Where it says who it is from, and that does not hold.
    pub fn identify(&self, headers: &HeaderMap) -> Result<Caller, Failure> {
        if self.settings.access == Access::Open {
            return Ok(Caller::open());
        }
        let Some(given) = headers.get(AUTHORIZATION) else { return Ok(Caller::anonymous()) };
        let bearer = given.to_str().ok().and_then(|text| text.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let sent = bearer.map(|(_, sent)| sent.trim()).ok_or_else(not_valid)?;
        let is = |key: &Option<FileKey>| key.as_ref().is_some_and(|key| key.is(sent));
        // All are looked at, so that the time it takes does not tell which it is.
        let (administrator, service) = (is(&self.settings.administrator), is(&self.settings.service));
        let keys = self.keys();
        let key = keys.holding(sent, (self.now)());
        match (administrator, service, key) {
            (true, ..) => Ok(Caller::administrator()),
            (_, true, _) => Ok(Caller::service()),
            (_, _, Some(key)) => Ok(key.holder()),
            _ => Err(not_valid()),
        }
    }

    /// Who sends a request, by a key or by a token.
    ///
    /// # Errors
    /// Where it says who it is from, and that does not hold; where it cannot be found out now.
    pub async fn identify_any(&self, headers: &HeaderMap) -> Result<Caller, Failure> {
        let by_key = self.identify(headers);
        match (&by_key, &self.issuer, token_in(headers)) {
            (Err(_), Some(issuer), Some(token)) => issuer.holder(token, (self.now)()).await,
            _ => by_key,
        }
    }

    /// What somebody may come in to at all.
    fn lets_in(&self, caller: &Caller, path: &str) -> Result<(), Failure> {
        match self.settings.access {
            Access::Closed if !FOR_ANYBODY.contains(&path) => caller.require_identity(),
            _ => Ok(()),
        }
    }
}

/// What anybody may ask where nothing else is answered without a key: what the program is, and which replica is active.
const FOR_ANYBODY: [&str; 3] = ["/openapi.json", "/docs", "/active"];

/// Whether a text is written as a token is: three parts with points between, which no key has.
pub fn is_token(written: &str) -> bool {
    written.split('.').count() == 3
}

/// What is sent as a token.
fn token_in(headers: &HeaderMap) -> Option<&str> {
    let (_, sent) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(sent.trim()).filter(|sent| is_token(sent))
}

/// How a browser is asked for a key, which it sends as the password of HTTP Basic.
pub fn challenge_for_browsers() -> HeaderValue {
    HeaderValue::from_static(r#"Basic realm="tonghop", charset="UTF-8""#)
}

/// The key that a browser sends as the password of HTTP Basic, as any other client sends it. Only where it is used to
/// look at something: a page from elsewhere may make a browser send what changes something, with all it knows.
fn browsers_key(request: &Request) -> Option<HeaderValue> {
    let (scheme, encoded) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if request.method() != Method::GET || !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (_, password) = decoded.split_once(':')?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {password}")).ok()?;
    bearer.set_sensitive(true);
    Some(bearer)
}

/// Whether somebody looks at an answer in a browser.
fn is_for_a_browser(request: &Request) -> bool {
    let accepted = request.headers().get(ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    request.method() == Method::GET && accepted.starts_with(b"text/html")
}

/// Answers a request as one of its caller, who is found in its extensions; one that says wrongly who it is from is
/// refused.
async fn identified(State(authority): State<Arc<Authority>>, mut request: Request, next: Next) -> Response {
    let content = request.headers().get(CONTENT_TYPE).map(|value| value.as_bytes());
    let grpc = content.is_some_and(|content| content.starts_with(b"application/grpc"));
    let path = operation(&request, grpc);
    let mut asks_browser = is_for_a_browser(&request);
    if let Some(key) = browsers_key(&request) {
        asks_browser = true;
        request.headers_mut().insert(AUTHORIZATION, key);
    }
    let caller = authority.identify_any(request.headers()).await;
    let caller = caller.and_then(|caller| authority.lets_in(&caller, &path).map(|()| caller));
    let (caller, answer) = match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller.clone());
            (Some(caller), next.run(request).await)
        }
        Err(failure) if grpc => (None, tonic::Status::from(failure).into_http()),
        Err(failure) => {
            let mut response = failure.into_response();
            if asks_browser {
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge_for_browsers());
            }
            (None, response)
        }
    };
    authority.refusals.note(caller.as_ref(), &path, grpc, &answer);
    answer
}

/// What is asked for, in words of which there are few: the route, not what is written in its place.
fn operation(request: &Request, grpc: bool) -> String {
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    match (grpc, matched) {
        (true, Some(_)) => request.uri().path().to_owned(),
        (_, matched) => matched.unwrap_or("unmatched").to_owned(),
    }
}

/// Answers requests that come from within the system, over connections that nobody else reaches.
async fn within(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Caller::service());
    next.run(request).await
}

/// Puts services and routes behind an authority: every request has its caller.
pub fn behind(authority: &Arc<Authority>, grpc: Routes, rest: Router) -> (Routes, Router) {
    let identified = middleware::from_fn_with_state(Arc::clone(authority), identified);
    let grpc = Routes::from(grpc.into_axum_router().layer(identified.clone()));
    (grpc, rest.layer(identified))
}

/// Services that are reached from within the process alone.
pub fn inside(grpc: Routes) -> Routes {
    Routes::from(grpc.into_axum_router().layer(middleware::from_fn(within)))
}

/// The caller of a request that came through [`identified`] or [`within`].
///
/// # Errors
/// Where it came through neither: nothing is done for nobody.
pub fn of_request(extensions: &Extensions) -> Result<Caller, Failure> {
    extensions.get::<Caller>().cloned().ok_or_else(|| Failure::internal("a request without a caller"))
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Failure> {
        of_request(&parts.extensions)
    }
}
