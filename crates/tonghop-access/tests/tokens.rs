//! Tokens of an issuer of the test's own: what is taken, what is not, and how often it is asked for its keys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use tonghop_access::{Access, Authority, Caller, Identity, IssuerSettings, Role, Settings};
use tonghop_runtime::{Failure, FailureKind};

const AUDIENCE: &str = "https://tonghop.example";
/// Now, in seconds.
const NOW: i64 = 1_800_000_000;
/// Longer than the issuer is left alone for.
const AGAIN: Duration = Duration::from_secs(11);

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a time")
}

/// A key that tokens are signed with.
struct Signing {
    kid: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
    published: Value,
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signing {
    fn new(kid: &'static str, algorithm: Algorithm) -> Signing {
        let (key, mut published) = match algorithm {
            Algorithm::RS256 => {
                let pkcs8 = KeyPair::generate_for(&PKCS_RSA_SHA256).expect("a key").serialize_der();
                // Within PKCS #8 the key of RSA itself stands after 26 bytes.
                let key = EncodingKey::from_rsa_der(&pkcs8[26..]);
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
                let published =
                    json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key_raw()) });
                (EncodingKey::from_ed_der(&pair.serialize_der()), published)
            }
            other => panic!("{other:?} is not made here"),
        };
        published["kid"] = kid.into();
        published["use"] = "sig".into();
        Signing { kid, algorithm, key, published }
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.to_owned()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.key).expect("a token")
    }
}

/// What an issuer answers when it is asked.
type Answer = Arc<dyn Fn() -> Response + Send + Sync>;

/// An issuer of the test's own.
struct Issuer {
    url: String,
    keys: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
}

fn set(keys: &[&Signing]) -> Answer {
    let keys: Vec<Value> = keys.iter().map(|key| key.published.clone()).collect();
    Arc::new(move || axum::Json(json!({ "keys": keys })).into_response())
}

impl Issuer {
    async fn publishing(keys: Answer) -> Issuer {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let (keys, asked) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let configuration = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") });
        let (answers, counted) = (Arc::clone(&keys), Arc::clone(&asked));
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(move || async move { axum::Json(configuration) }))
            .route(
                "/keys",
                get(move || async move {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let answer = Arc::clone(&*answers.lock().expect("nobody panicked"));
                    answer()
                }),
            )
            .route("/never", get(std::future::pending::<StatusCode>));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Issuer { url, keys, asked }
    }

    fn publish(&self, keys: Answer) {
        *self.keys.lock().expect("nobody panicked") = keys;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn settings(&self) -> IssuerSettings {
        IssuerSettings {
            issuer: self.url.clone(),
            audience: AUDIENCE.to_owned(),
            jwks: None,
            ca: None,
            plain_http: false,
        }
    }

    fn authority(&self) -> Arc<Authority> {
        authority(self.settings())
    }

    /// What a good token says.
    fn claims(&self) -> Value {
        json!({
            "iss": self.url, "aud": [AUDIENCE, "other"], "sub": "system-06", "exp": NOW + 600, "nbf": NOW - 10,
            "tonghop_source": "congan-backan", "tonghop_roles": ["report", "read_internal", "something-new"],
            "tonghop_units": ["06"], "tonghop_sides": ["cong-an"],
        })
    }
}

fn authority(issuer: IssuerSettings) -> Arc<Authority> {
    let settings = Settings { access: Access::Keys, issuer: Some(issuer), ..Settings::default() };
    Authority::new(settings, now).expect("an authority")
}

async fn identify(authority: &Authority, token: &str) -> Result<Caller, Failure> {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).expect("a header");
    authority.identify_any(&HeaderMap::from_iter([(header::AUTHORIZATION, value)])).await
}

async fn kind(authority: &Authority, token: &str) -> Option<FailureKind> {
    identify(authority, token).await.err().map(|failure| failure.kind())
}

/// Lets time pass that is more than the issuer is left alone for.
async fn later() {
    tokio::time::pause();
    tokio::time::advance(AGAIN).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_token_says_who_its_holder_is_and_what_they_may_do() {
    let all = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
    let keys: Vec<Signing> = all
        .into_iter()
        .zip(["one", "two", "three"])
        .map(|(algorithm, kid)| Signing::new(kid, algorithm))
        .collect();
    let issuer = Issuer::publishing(set(&keys.iter().collect::<Vec<_>>())).await;
    let authority = issuer.authority();
    for key in &keys {
        let caller = identify(&authority, &key.sign(&issuer.claims())).await.expect("a caller");
        let identity = Identity::Token { issuer: issuer.url.clone(), subject: "system-06".into() };
        assert_eq!((caller.identity(), caller.source()), (&identity, Some("congan-backan")), "{}", key.kid);
        let grant = caller.grant();
        assert_eq!(grant.roles, [Role::Report, Role::ReadInternal], "what is not known grants nothing");
        assert_eq!(
            (&grant.units[..], &grant.sides[..]),
            (&["06".to_owned()][..], &["cong-an".to_owned()][..])
        );
        assert!(!grant.everywhere);
        // What goes on for long ends with it.
        let keys = authority.keys();
        assert!(caller.still(&keys, now()).is_ok());
        let then = Timestamp::from_second(NOW + 600 + 61).expect("a time");
        assert_eq!(caller.still(&keys, then).expect_err("over").kind(), FailureKind::Unauthenticated);
    }
    let mut bare = issuer.claims();
    for claim in ["tonghop_source", "tonghop_roles", "tonghop_units", "tonghop_sides", "nbf"] {
        bare.as_object_mut().expect("claims").remove(claim);
    }
    let caller = identify(&authority, &keys[0].sign(&bare)).await.expect("a caller");
    assert_eq!(
        (caller.source(), caller.grant().roles.len()),
        (Some("system-06"), 0),
        "nothing is granted unsaid"
    );
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_never_told_apart() {
    let (rsa, other) = (Signing::new("one", Algorithm::RS256), Signing::new("two", Algorithm::ES256));
    let stranger = Signing::new("one", Algorithm::RS256);
    let issuer = Issuer::publishing(set(&[&rsa, &other])).await;
    let authority = issuer.authority();
    let good = rsa.sign(&issuer.claims());
    assert!(identify(&authority, &good).await.is_ok());
    let with = |claim: &str, value: Value| {
        let mut claims = issuer.claims();
        match value {
            Value::Null => drop(claims.as_object_mut().expect("claims").remove(claim)),
            value => claims[claim] = value,
        }
        rsa.sign(&claims)
    };
    let header = |header: Value| {
        let rest = good.split_once('.').expect("parts").1;
        format!("{}.{rest}", encoded(header.to_string().as_bytes()))
    };
    // Whoever knows what is published signs with it as if it were a secret.
    let modulus = rsa.published["n"].as_str().expect("a modulus");
    let confused =
        [modulus.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(modulus).expect("bytes")].map(|secret| {
            let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
            encode(&header, &issuer.claims(), &EncodingKey::from_secret(&secret).expect("a secret"))
                .expect("a token")
        });
    let other_kid = Header { kid: Some("two".into()), ..Header::new(Algorithm::RS256) };
    let other_kid = encode(&other_kid, &issuer.claims(), &rsa.key).expect("a token");
    let rs512 = Header { kid: Some("one".into()), ..Header::new(Algorithm::RS512) };
    let rs512 = encode(&rs512, &issuer.claims(), &rsa.key).expect("a token");
    let no_kid = encode(&Header::new(Algorithm::RS256), &issuer.claims(), &rsa.key).expect("a token");
    let (signed, _) = good.rsplit_once('.').expect("parts");
    let wrong = [
        ("another audience", with("aud", json!("https://other.example"))),
        ("no audience", with("aud", Value::Null)),
        ("another issuer", with("iss", json!("https://other.example"))),
        ("no issuer", with("iss", Value::Null)),
        ("no subject", with("sub", Value::Null)),
        ("an empty subject", with("sub", json!(""))),
        ("no end", with("exp", Value::Null)),
        ("over", with("exp", json!(NOW - 61))),
        ("an end that is none", with("exp", json!(i64::MAX))),
        ("not yet", with("nbf", json!(NOW + 61))),
        ("too much", with("tonghop_units", json!(vec!["06"; 201]))),
        ("a source with a line's end", with("tonghop_source", json!("a\nb"))),
        ("no algorithm", header(json!({ "alg": "none", "kid": "one" }))),
        (
            "no algorithm and no signature",
            format!("{}.", header(json!({ "alg": "none", "kid": "one" })).rsplit_once('.').expect("parts").0),
        ),
        ("an algorithm that is none", header(json!({ "alg": "XS1", "kid": "one" }))),
        ("a secret that is public", confused[0].clone()),
        ("a secret that is public, as bytes", confused[1].clone()),
        ("the name of another key", other_kid),
        ("another algorithm of the same key", rs512),
        ("no name of a key", no_kid),
        ("signed by somebody else", stranger.sign(&issuer.claims())),
        ("another signature", format!("{signed}.{}", encoded(&[7; 256]))),
        ("no signature", format!("{signed}.")),
        (
            "a header that has to be understood",
            header(json!({ "alg": "RS256", "kid": "one", "crit": ["x"], "x": 1 })),
        ),
        ("long", format!("{good}{}", "A".repeat(9000))),
        ("nothing", "..".to_owned()),
    ];
    let said = identify(&authority, "a.b.c").await.expect_err("refused").to_string();
    for (what, token) in wrong {
        let failure = identify(&authority, &token).await.err().unwrap_or_else(|| panic!("{what} is let in"));
        assert_eq!(
            (failure.kind(), failure.to_string()),
            (FailureKind::Unauthenticated, said.clone()),
            "{what}"
        );
    }
    // Clocks may be a minute apart.
    assert_eq!(kind(&authority, &with("exp", json!(NOW - 59))).await, None);
    assert_eq!(kind(&authority, &with("nbf", json!(NOW + 59))).await, None);
    assert_eq!(issuer.asked(), 1, "nothing of this was worth asking for");
}

#[tokio::test]
async fn keys_that_the_issuer_replaces_are_learnt_and_nobody_makes_it_be_asked_without_end() {
    let (before, after) = (Signing::new("one", Algorithm::ES256), Signing::new("two", Algorithm::ES256));
    let issuer = Issuer::publishing(set(&[&before])).await;
    let authority = issuer.authority();
    assert_eq!(kind(&authority, &before.sign(&issuer.claims())).await, None);
    issuer.publish(set(&[&after]));
    // Many at once, too soon after the last time: nobody asks.
    let unknown = after.sign(&issuer.claims());
    for _ in 0..50 {
        assert_eq!(kind(&authority, &unknown).await, Some(FailureKind::Unauthenticated));
    }
    assert_eq!(issuer.asked(), 1);
    later().await;
    let all: Vec<_> = (0..50)
        .map(|_| {
            let (authority, unknown) = (Arc::clone(&authority), unknown.clone());
            tokio::spawn(async move { kind(&authority, &unknown).await })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.expect("it ends"), None);
    }
    assert_eq!(issuer.asked(), 2, "one asks for all of them");
    assert_eq!(kind(&authority, &before.sign(&issuer.claims())).await, Some(FailureKind::Unauthenticated));
}

#[tokio::test]
async fn while_the_issuer_is_away_the_keys_of_before_go_on() {
    let key = Signing::new("one", Algorithm::EdDSA);
    let issuer = Issuer::publishing(set(&[&key])).await;
    let authority = issuer.authority();
    let token = key.sign(&issuer.claims());
    assert_eq!(kind(&authority, &token).await, None);
    let unknown = Signing::new("two", Algorithm::EdDSA).sign(&issuer.claims());
    let many: Vec<Value> =
        (0..101).map(|n| json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": n.to_string() })).collect();
    let answers: [(&str, Answer); 5] = [
        ("an error", Arc::new(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())),
        ("elsewhere", Arc::new(|| (StatusCode::FOUND, [(header::LOCATION, "/never")]).into_response())),
        (
            "too large",
            Arc::new(|| format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(1 << 20)).into_response()),
        ),
        ("too many", Arc::new(move || axum::Json(json!({ "keys": many })).into_response())),
        ("something else", Arc::new(|| "<html>".into_response())),
    ];
    for (nth, (what, answer)) in answers.into_iter().enumerate() {
        issuer.publish(answer);
        later().await;
        assert_eq!(kind(&authority, &unknown).await, Some(FailureKind::Unauthenticated), "{what}");
        assert_eq!(issuer.asked(), nth + 2, "{what}");
        assert_eq!(kind(&authority, &token).await, None, "{what}");
    }
}

#[tokio::test]
async fn whose_keys_were_never_had_is_not_refused_but_told_to_come_again() {
    let key = Signing::new("one", Algorithm::ES256);
    let issuer = Issuer::publishing(set(&[&key])).await;
    let token = key.sign(&issuer.claims());
    for jwks in ["/nothing", "/never"] {
        let settings = IssuerSettings { jwks: Some(format!("{}{jwks}", issuer.url)), ..issuer.settings() };
        assert_eq!(kind(&authority(settings), &token).await, Some(FailureKind::Unavailable), "{jwks}");
    }
    let mistaken = IssuerSettings { issuer: format!("{}/other", issuer.url), ..issuer.settings() };
    assert_eq!(kind(&authority(mistaken), &token).await, Some(FailureKind::Unavailable));
    // A slash more is another issuer.
    let other = IssuerSettings { issuer: format!("{}/", issuer.url), ..issuer.settings() };
    assert_eq!(kind(&authority(other), &token).await, Some(FailureKind::Unavailable));
}

#[test]
fn an_issuer_is_asked_over_tls_or_on_this_machine() {
    let settings = |issuer: &str, jwks: Option<&str>, plain_http: bool| {
        let jwks = jwks.map(str::to_owned);
        let issuer =
            IssuerSettings { issuer: issuer.into(), audience: AUDIENCE.into(), jwks, ca: None, plain_http };
        let settings = Settings { access: Access::Keys, issuer: Some(issuer), ..Settings::default() };
        Authority::new(settings, now).map(drop)
    };
    for good in ["https://id.example", "http://127.0.0.1:8090", "http://[::1]:8090", "http://localhost/realm"]
    {
        assert_eq!(settings(good, None, false), Ok(()), "{good}");
    }
    for bad in ["http://id.example", "http://10.0.0.1", "file:///etc/passwd", "id.example", ""] {
        assert!(settings(bad, None, false).is_err(), "{bad}");
    }
    assert_eq!(settings("http://10.0.0.1", None, true), Ok(()));
    let refused = settings("https://id.example", Some("http://keys.example"), false).expect_err("refused");
    assert!(refused.contains("--oidc-plain-http"), "{refused}");
}
