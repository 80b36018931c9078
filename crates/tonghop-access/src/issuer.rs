//! Tokens that an issuer has signed (OpenID Connect): an alternative to keys.
//!
//! A token is a JSON Web Token, sent as `Authorization: Bearer`. It has to be signed by a key that the issuer publishes,
//! and to say `iss`, `aud`, `sub` and `exp`. What its holder may do is said by claims of this system: [`Claims`](crate::Claims).

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use tonghop_runtime::{Failure, FailureKind, Text};

use crate::Caller;
use crate::caller::not_valid;
use crate::published::Published;
use crate::token::{KeySet, Token, Verifying};

/// Between two times that the issuer is asked for its keys at least, however many tokens name one that is not known.
const AGAIN: Duration = Duration::from_secs(10);
/// After which they are asked for again, also where all that are named are known.
const OLD: Duration = Duration::from_secs(300);
/// Requests that wait for the issuer's keys at once.
const WAITING: usize = 64;

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

/// The keys as they were published last.
#[derive(Default)]
struct Known {
    keys: KeySet,
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
        let token = Token::read(token)?;
        let verifying = self.key(token.kid()).await?;
        let IssuerSettings { issuer, audience, .. } = &self.settings;
        verifying.claims(&token, issuer, audience)?.caller(issuer, now)
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
                tracing::debug!(keys = keys.count(), "the issuer's keys have been read");
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
