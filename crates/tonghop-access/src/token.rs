//! What an issuer writes: tokens, and the keys that it publishes. Nothing is fetched here.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;
use tonghop_runtime::Failure;

use crate::caller::not_valid;
use crate::{Caller, Grant, Identity, Role};

/// A longer token is none.
const LONGEST_TOKEN: usize = 8 << 10;
/// How far clocks may be apart.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// Entries of a list in a token, and characters of each, at most.
const MOST: usize = 200;
const LONGEST: usize = 200;
/// Keys of a set.
const MOST_KEYS: usize = 100;

/// A token as it was sent. Nothing of it is believed yet.
#[derive(Clone, Debug)]
pub struct Token<'t> {
    text: &'t str,
    algorithm: Algorithm,
    kid: String,
}

impl Token<'_> {
    /// Reads the head of a token.
    ///
    /// # Errors
    /// Where it is none, or says not which key it is signed with.
    pub fn read(text: &str) -> Result<Token<'_>, Failure> {
        if text.len() > LONGEST_TOKEN {
            return Err(not_valid());
        }
        let header = decode_header(text).map_err(|_| not_valid())?;
        let kid = header.kid.filter(|kid| !kid.is_empty() && kid.len() <= LONGEST).ok_or_else(not_valid)?;
        Ok(Token { text, algorithm: header.alg, kid })
    }

    /// What the key that it says it is signed with is called.
    pub fn kid(&self) -> &str {
        &self.kid
    }
}

/// What a token says.
#[derive(Debug, Deserialize)]
pub struct Claims {
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

impl Claims {
    /// Whoever holds them now, of an issuer.
    ///
    /// # Errors
    /// Where they do not hold yet or any more, or there is too much of them.
    pub fn caller(self, issuer: &str, now: Timestamp) -> Result<Caller, Failure> {
        let time = |seconds: i64| Timestamp::from_second(seconds).map_err(|_| not_valid());
        let until = time(self.exp)?.checked_add(LEEWAY).map_err(|_| not_valid())?;
        let from = self.nbf.map(time).transpose()?;
        let early = from.is_some_and(|from| from.duration_since(now) > LEEWAY);
        if now >= until || early {
            return Err(not_valid());
        }
        let source = self.tonghop_source.unwrap_or_else(|| self.sub.clone());
        let lists = [&self.tonghop_roles, &self.tonghop_units, &self.tonghop_sides];
        let texts = lists.into_iter().flatten().chain([&self.sub, &source]);
        let is_text =
            |text: &String| !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        if lists.iter().any(|list| list.len() > MOST) || !texts.into_iter().all(is_text) {
            return Err(not_valid());
        }
        let grant = Grant {
            roles: self.tonghop_roles.iter().filter_map(|code| Role::of_code(code)).collect(),
            units: self.tonghop_units,
            sides: self.tonghop_sides,
            everywhere: false,
        };
        let identity = Identity::Token { issuer: issuer.to_owned(), subject: self.sub };
        Ok(Caller::until(identity, Some(source), grant, until))
    }
}

/// A key that tokens are signed with, for one algorithm.
#[derive(Clone)]
pub struct Verifying {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl std::fmt::Debug for Verifying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Verifying").field(&self.algorithm).finish()
    }
}

impl Verifying {
    /// What a token says, where this key has signed it, and it is of an issuer and for an audience. Whether it holds now
    /// is not looked at.
    ///
    /// # Errors
    /// Where it is not so.
    pub fn claims(&self, token: &Token<'_>, issuer: &str, audience: &str) -> Result<Claims, Failure> {
        // The key says by which algorithm it is used; what the token says has to be the same.
        if token.algorithm != self.algorithm {
            return Err(not_valid());
        }
        let mut wanted = Validation::new(self.algorithm);
        wanted.set_audience(&[audience]);
        wanted.set_issuer(&[issuer]);
        wanted.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // By the clock of this process, later.
        (wanted.validate_exp, wanted.validate_nbf) = (false, false);
        Ok(decode::<Claims>(token.text, &self.key, &wanted).map_err(|_| not_valid())?.claims)
    }
}

/// The keys that an issuer publishes, by name: a JSON Web Key Set (RFC 7517, section 5).
#[derive(Clone, Debug, Default)]
pub struct KeySet(HashMap<String, Verifying>);

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a set. A key that is for something else, or of an algorithm that is not taken, is passed over.
    ///
    /// # Errors
    /// Where it is none, or has too many keys.
    pub fn read(bytes: &[u8]) -> Result<KeySet, String> {
        let set: Published =
            serde_json::from_slice(bytes).map_err(|error| format!("no JSON Web Key Set: {error}"))?;
        if set.keys.len() > MOST_KEYS {
            return Err(format!("{} keys: at most {MOST_KEYS} are taken", set.keys.len()));
        }
        Ok(KeySet(set.keys.into_iter().filter_map(verifying).collect()))
    }

    /// The key of a name.
    pub fn get(&self, kid: &str) -> Option<&Verifying> {
        self.0.get(kid)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// A key that signatures of the three algorithms that are taken are checked with; any other is passed over.
fn verifying(key: Value) -> Option<(String, Verifying)> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    let (algorithm, named) = match &key.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let common = &key.common;
    let is_for_it = common.key_algorithm.is_none_or(|only| only == named)
        && common.public_key_use.as_ref().is_none_or(|only| *only == PublicKeyUse::Signature);
    let kid = common.key_id.clone().filter(|_| is_for_it)?;
    let key = DecodingKey::from_jwk(&key).ok()?;
    Some((kid, Verifying { algorithm, key }))
}
