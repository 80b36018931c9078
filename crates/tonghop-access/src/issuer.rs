//! Tokens that an issuer has signed (OpenID Connect): an alternative to keys.
//!
//! A token is a JSON Web Token, sent as `Authorization: Bearer`. It has to be signed by a key that the issuer publishes,
//! and to say `iss`, `aud`, `sub` and `exp`. What its holder may do is said by claims of this system: [`Claims`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use tonghop_runtime::{Failure, FailureKind, Text};

use crate::caller::not_valid;
use crate::published::Published;
use crate::{Caller, Grant, Identity, Role};

/// A longer token is none.
const LONGEST_TOKEN: usize = 8 << 10;
/// How far clocks may be apart.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// Between two times that the issuer is asked for its keys at least, however many tokens name one that is not known.
const AGAIN: Duration = Duration::from_secs(10);
/// After which they are asked for again, also where all that are named are known.
const OLD: Duration = Duration::from_secs(300);
/// Requests that wait for the issuer's keys at once.
const WAITING: usize = 64;
/// Entries of a list in a token, and characters of each, at most.
const MOST: usize = 200;
const LONGEST: usize = 200;

/// Which issuer's tokens are taken, and where its keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSettings {
    /// What tokens call it: their `iss`, to the letter.
    pub issuer: String,
    /// Whom tokens are for: one of their `aud`.
    pub audience: String,
    /// Where its keys are; found out from `ISSUER/.well-known/openid-configuration`, where nothing is said.
    pub jwks: Option<String>,
    /// Authorities that are believed about it beside the system's, in PEM.
    pub ca: Option<PathBuf>,
    /// Whether it may be asked without TLS over a network. On this machine it may.
    pub plain_http: bool,
}

/// What a token says.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    /// The reporting system that the holder pushes for; left out, what `sub` says.
    tonghop_source: Option<String>,
    /// Codes of roles; one that is not known grants nothing.
    #[serde(default)]
    tonghop_roles: Vec<String>,
    /// Codes of units that they hold for, and for all below.
    #[serde(default)]
    tonghop_units: Vec<String>,
    /// Sides that may be reported for; none stands for all.
    #[serde(default)]
    tonghop_sides: Vec<String>,
}

/// A key that tokens are signed with, for one algorithm.
#[derive(Clone)]
pub(crate) struct Verifying {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

/// The keys as they were published last.
#[derive(Default)]
struct Known {
    keys: HashMap<String, Verifying>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

/// An issuer.
pub(crate) struct Issuer {
    settings: IssuerSettings,
    published: Published,
    known: RwLock<Known>,
    /// Only one at a time asks it.
    asking: Mutex<()>,
    waiting: Semaphore,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Issuer").field(&self.settings).finish()
    }
}

impl Issuer {
    /// Its keys are asked for when the first token comes.
    ///
    /// # Errors
    /// Where an address is none, or one that is not to be asked; where a file cannot be used.
    pub(crate) fn new(settings: IssuerSettings) -> Result<Arc<Issuer>, String> {
        if settings.issuer.is_empty() || settings.audience.is_empty() {
            return Err(
                "an issuer and an audience belong together: --oidc-issuer and --oidc-audience".to_owned()
            );
        }
        let published = Published::new(&settings)?;
        let (known, asking, waiting) = (RwLock::default(), Mutex::default(), Semaphore::new(WAITING));
        Ok(Arc::new(Issuer { settings, published, known, asking, waiting }))
    }

    /// Whoever holds a token.
    ///
    /// # Errors
    /// Where it is none of this issuer's for this audience, or does not hold now; where the issuer's keys have never
    /// been had.
    pub(crate) async fn holder(self: &Arc<Self>, token: &str, now: Timestamp) -> Result<Caller, Failure> {
        if token.len() > LONGEST_TOKEN {
            return Err(not_valid());
        }
        let header = decode_header(token).map_err(|_| not_valid())?;
        let kid = header.kid.filter(|kid| !kid.is_empty() && kid.len() <= LONGEST).ok_or_else(not_valid)?;
        let verifying = self.key(&kid).await?;
        // The key says by which algorithm it is used; what the token says has to be the same.
        if header.alg != verifying.algorithm {
            return Err(not_valid());
        }
        let mut wanted = Validation::new(verifying.algorithm);
        wanted.set_audience(&[&self.settings.audience]);
        wanted.set_issuer(&[&self.settings.issuer]);
        wanted.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // By the clock of this process, below.
        (wanted.validate_exp, wanted.validate_nbf) = (false, false);
        let claims = decode::<Claims>(token, &verifying.key, &wanted).map_err(|_| not_valid())?.claims;
        self.caller(claims, now)
    }

    fn caller(&self, claims: Claims, now: Timestamp) -> Result<Caller, Failure> {
        let time = |seconds: i64| Timestamp::from_second(seconds).map_err(|_| not_valid());
        let until = time(claims.exp)?.checked_add(LEEWAY).map_err(|_| not_valid())?;
        let from = claims.nbf.map(time).transpose()?;
        let early = from.is_some_and(|from| from.duration_since(now) > LEEWAY);
        if now >= until || early {
            return Err(not_valid());
        }
        let source = claims.tonghop_source.unwrap_or_else(|| claims.sub.clone());
        let lists = [&claims.tonghop_roles, &claims.tonghop_units, &claims.tonghop_sides];
        let texts = lists.into_iter().flatten().chain([&claims.sub, &source]);
        let is_text =
            |text: &String| !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        if lists.iter().any(|list| list.len() > MOST) || !texts.into_iter().all(is_text) {
            return Err(not_valid());
        }
        let grant = Grant {
            roles: claims.tonghop_roles.iter().filter_map(|code| Role::of_code(code)).collect(),
            units: claims.tonghop_units,
            sides: claims.tonghop_sides,
            everywhere: false,
        };
        let identity = Identity::Token { issuer: self.settings.issuer.clone(), subject: claims.sub };
        Ok(Caller::until(identity, Some(source), grant, until))
    }

    /// The key of a name. Where it is not known, the issuer is asked, but not time and again; where it is, that is
    /// checked beside the request now and then.
    async fn key(self: &Arc<Self>, kid: &str) -> Result<Verifying, Failure> {
        if let Some((key, is_old)) = self.look_up(kid) {
            if is_old {
                let this = Arc::clone(self);
                tokio::spawn(async move { this.refresh().await });
            }
            return Ok(key);
        }
        let Ok(_place) = self.waiting.try_acquire() else { return Err(away()) };
        self.refresh().await;
        match self.look_up(kid) {
            Some((key, _)) => Ok(key),
            None if self.read(|known| known.fetched.is_none()) => Err(away()),
            None => Err(not_valid()),
        }
    }

    fn look_up(&self, kid: &str) -> Option<(Verifying, bool)> {
        self.read(|known| {
            let is_old = known.fetched.is_none_or(|at| at.elapsed() > OLD)
                && known.tried.is_none_or(|at| at.elapsed() > AGAIN);
            known.keys.get(kid).map(|key| (key.clone(), is_old))
        })
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Asks the issuer for its keys, unless somebody just did. Those of before stay where it does not answer.
    async fn refresh(&self) {
        let _one = self.asking.lock().await;
        if self.read(|known| known.tried.is_some_and(|at| at.elapsed() < AGAIN)) {
            return;
        }
        self.write(|known| known.tried = Some(Instant::now()));
        match self.published.keys().await {
            Ok(keys) => {
                tracing::debug!(keys = keys.len(), "the issuer's keys have been read");
                self.write(|known| (known.keys, known.fetched) = (keys, Some(Instant::now())));
            }
            Err(why) => tracing::warn!(why, "the issuer's keys could not be had; those of before go on"),
        }
    }
}

/// That nobody's token can be checked now.
fn away() -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        Text::of(
            "chưa lấy được khóa của bên cấp mã xác thực; hãy thử lại",
            "the keys of the issuer of tokens cannot be had now; try again",
        ),
    )
}
