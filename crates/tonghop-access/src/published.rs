//! The keys that an issuer publishes (a JSON Web Key Set), fetched within bounds.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Certificate, Client, Url, redirect};
use serde::Deserialize;

use crate::issuer::IssuerSettings;
use crate::token::KeySet;

/// How long it may take altogether.
const LONGEST: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const LARGEST: usize = 256 << 10;

/// Where an issuer publishes its keys.
pub(crate) struct Published {
    http: Client,
    issuer: String,
    jwks: Option<Url>,
    plain_http: bool,
}

/// What is read of `openid-configuration`.
#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

impl Published {
    /// Where the settings say.
    ///
    /// # Errors
    /// Where an address is none, or one that is not to be asked; where a file cannot be used.
    pub(crate) fn new(settings: &IssuerSettings) -> Result<Published, String> {
        let mut http = Client::builder()
            .no_proxy()
            .timeout(LONGEST)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("tonghop/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &settings.ca {
            let name = path.display();
            let pem = std::fs::read(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
            let unusable = |_| format!("{name} holds no certificates in PEM");
            let certificates = Certificate::from_pem_bundle(&pem).map_err(unusable)?;
            http = http.tls_certs_merge(certificates);
        }
        let http = http.build().map_err(|error| format!("no client for the issuer: {error}"))?;
        let plain_http = settings.plain_http;
        // Said now, not when the first token comes.
        address(&settings.issuer, plain_http)?;
        let jwks = settings.jwks.as_deref().map(|url| address(url, plain_http)).transpose()?;
        Ok(Published { http, issuer: settings.issuer.clone(), jwks, plain_http })
    }

    /// The keys there are now, by their names.
    ///
    /// # Errors
    /// Why they cannot be had.
    pub(crate) async fn keys(&self) -> Result<KeySet, String> {
        let fetching = async {
            let jwks = match &self.jwks {
                Some(jwks) => jwks.clone(),
                None => self.discovered().await?,
            };
            let bytes = self.bytes(&jwks).await?;
            KeySet::read(&bytes).map_err(|error| format!("{jwks}: {error}"))
        };
        tokio::time::timeout(LONGEST, fetching).await.map_err(|_| "the issuer took too long".to_owned())?
    }

    async fn discovered(&self) -> Result<Url, String> {
        let at = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let at = address(&at, self.plain_http)?;
        let configuration: Configuration = self.json(&at).await?;
        if configuration.issuer != self.issuer {
            return Err(format!("{at} is that of another issuer"));
        }
        address(&configuration.jwks_uri, self.plain_http)
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, at: &Url) -> Result<T, String> {
        let bytes = self.bytes(at).await?;
        serde_json::from_slice(&bytes).map_err(|error| format!("{at} is not what it should be: {error}"))
    }

    async fn bytes(&self, at: &Url) -> Result<Vec<u8>, String> {
        let unread = |error: reqwest::Error| format!("{at} does not answer: {error}");
        let mut answer = self.http.get(at.clone()).send().await.map_err(unread)?;
        if !answer.status().is_success() {
            return Err(format!("{at} answers with {}", answer.status()));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unread)? {
            if bytes.len() + piece.len() > LARGEST {
                return Err(format!("{at} has more than {LARGEST} bytes"));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

/// An address that is asked: over TLS, or on this machine.
fn address(text: &str, plain_http: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no address: {error}"))?;
    let is_here = url.host_str().is_some_and(|host| {
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    });
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here || plain_http => Ok(url),
        "http" => {
            Err(format!("{text} is not asked without TLS: give an https:// address, or --oidc-plain-http"))
        }
        _ => Err(format!("{text} is not an https:// address")),
    }
}
