//! An issuer of tokens of the test's own: it publishes keys, and tokens are signed with them.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tonghop_access::IssuerSettings;

/// Whom its tokens are for.
pub const AUDIENCE: &str = "https://tonghop.example";

/// Of the key of RSA in PKCS #8: what stands before the key itself, in bytes.
const BEFORE_RSA: usize = 26;

/// A key that tokens are signed with.
pub struct Signing {
    name: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
    published: Value,
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signing {
    /// A new one, for RS256, ES256 or EdDSA.
    ///
    /// # Panics
    /// For any other algorithm.
    pub fn new(name: &'static str, algorithm: Algorithm) -> Signing {
        let (key, mut published) = match algorithm {
            Algorithm::RS256 => {
                let pkcs8 = KeyPair::generate_for(&PKCS_RSA_SHA256).expect("a key").serialize_der();
                let key = EncodingKey::from_rsa_der(&pkcs8[BEFORE_RSA..]);
                let published = Jwk::from_encoding_key(&key, algorithm).expect("a public key");
                (key, serde_json::to_value(published).expect("JSON"))
            }
            Algorithm::ES256 => {
                let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
                let point = pair.public_key_raw();
                let (x, y) = (encoded(&point[1..33]), encoded(&point[33..65]));
                let published = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
                (EncodingKey::from_ec_der(&pair.serialize_der()), published)
            }
            Algorithm::EdDSA => {
                let pair = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
                let x = encoded(pair.public_key_raw());
                let published = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
                (EncodingKey::from_ed_der(&pair.serialize_der()), published)
            }
            other => panic!("{other:?} is not made here"),
        };
        published["kid"] = name.into();
        published["use"] = "sig".into();
        Signing { name, algorithm, key, published }
    }

    /// A token that says so much.
    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.name.to_owned()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.key).expect("a token")
    }
}

/// An issuer, on a port of this machine for as long as the test's runtime runs.
#[derive(Debug)]
pub struct Issuer {
    url: String,
    /// What it publishes; none while it is away.
    keys: Arc<Mutex<Option<Vec<Value>>>>,
}

impl Issuer {
    /// Away, until it [publishes](Self::publish).
    pub async fn start() -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let configuration = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") });
        let keys: Arc<Mutex<Option<Vec<Value>>>> = Arc::default();
        let published = Arc::clone(&keys);
        let answer = move || -> Response {
            match &*published.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(keys) => axum::Json(json!({ "keys": keys })).into_response(),
                None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            }
        };
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(move || async move { axum::Json(configuration) }))
            .route("/keys", get(move || async move { answer() }));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Issuer { url, keys }
    }

    /// Publishes these keys, in the place of those of before.
    pub fn publish(&self, keys: &[&Signing]) {
        let published = keys.iter().map(|key| key.published.clone()).collect();
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(published);
    }

    /// How a server is told of it.
    pub fn settings(&self) -> IssuerSettings {
        let (issuer, audience) = (self.url.clone(), AUDIENCE.to_owned());
        IssuerSettings { issuer, audience, jwks: None, ca: None, plain_http: false }
    }

    /// What a token says that holds for ten minutes, of a reporting system of Bắc Kạn's police.
    pub fn claims(&self) -> Value {
        json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "system-06", "exp": from_now(600),
            "tonghop_source": "congan-backan", "tonghop_roles": ["report"],
            "tonghop_units": ["06"], "tonghop_sides": ["cong-an"],
        })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// So many seconds from now, as tokens say it.
#[expect(clippy::disallowed_methods, reason = "a server's own clock is what tokens are held against")]
pub fn from_now(seconds: i64) -> i64 {
    Timestamp::now().as_second() + seconds
}
