//! Settings from a file, under those that were typed or are in the environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tonghop_access::{Access, IssuerSettings};
use tonghop_ingestion::fair::TrafficArguments;
use tonghop_runtime::tls::TlsFiles;

use crate::trouble::Trouble;

/// The defaults, as a file to copy from.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// What a file may set.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where the database files lie.
    pub data_dir: Option<PathBuf>,
    /// A database's URL, instead of files; empty for files.
    pub database: Option<String>,
    /// Address for REST and gRPC.
    pub listen: Option<SocketAddr>,
    /// Ledger entries rolled up in one transaction at most.
    pub batch_entries: Option<usize>,
    /// Pushes a second that one key may send.
    pub rate_requests: Option<u64>,
    /// Bytes a second that one key may push.
    pub rate_bytes: Option<u64>,
    /// Memory for submissions that come in and wait, in MiB.
    pub body_memory: Option<u64>,
    /// Whom it lets in.
    pub access: Option<Access>,
    /// A file with the administrator's key; empty for admin.key in the data directory.
    pub admin_key_file: Option<PathBuf>,
    /// The certificate of the port, in PEM; empty: no TLS.
    pub tls_certificate: Option<PathBuf>,
    /// Its private key, in PEM.
    pub tls_key: Option<PathBuf>,
    /// Authorities of the certificates that clients have to have, in PEM; empty: none is asked for.
    pub tls_client_ca: Option<PathBuf>,
    /// An issuer of tokens that are taken beside keys; empty: none.
    pub oidc_issuer: Option<String>,
    /// Whom its tokens have to be for.
    pub oidc_audience: Option<String>,
    /// Where it publishes its keys; empty: as it says itself.
    pub oidc_jwks: Option<String>,
    /// Authorities that are believed about it beside the system's, in PEM; empty: none.
    pub oidc_ca: Option<PathBuf>,
    /// Whether it is asked over a network without TLS.
    pub oidc_plain_http: Option<bool>,
    /// A file with the key by which services in processes of their own are known; empty where there are none.
    pub service_key_file: Option<PathBuf>,
}

impl Settings {
    /// How much is let in.
    pub fn traffic(&self) -> TrafficArguments {
        TrafficArguments {
            rate_requests: self.rate_requests,
            rate_bytes: self.rate_bytes,
            body_memory: self.body_memory,
        }
    }

    /// Reads a file's text; `name` is what messages call it.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(name: &str, text: &str) -> Result<Settings, Trouble> {
        toml::from_str(text).map_err(|error| Trouble::refused(format!("settings {name}: {error}")))
    }

    /// The defaults under those of a file, where one is named.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn load(file: Option<&Path>) -> Result<Settings, Trouble> {
        let defaults = Settings::read("config.default.toml", DEFAULTS)?;
        let Some(file) = file else { return Ok(defaults) };
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Trouble::refused(format!("settings {name} cannot be read: {error}")))?;
        let chosen = Settings::read(&name, &text)?;
        Ok(Settings {
            data_dir: chosen.data_dir.or(defaults.data_dir),
            database: chosen.database.or(defaults.database),
            listen: chosen.listen.or(defaults.listen),
            batch_entries: chosen.batch_entries.or(defaults.batch_entries),
            rate_requests: chosen.rate_requests.or(defaults.rate_requests),
            rate_bytes: chosen.rate_bytes.or(defaults.rate_bytes),
            body_memory: chosen.body_memory.or(defaults.body_memory),
            access: chosen.access.or(defaults.access),
            admin_key_file: chosen.admin_key_file.or(defaults.admin_key_file),
            tls_certificate: chosen.tls_certificate.or(defaults.tls_certificate),
            tls_key: chosen.tls_key.or(defaults.tls_key),
            tls_client_ca: chosen.tls_client_ca.or(defaults.tls_client_ca),
            oidc_issuer: chosen.oidc_issuer.or(defaults.oidc_issuer),
            oidc_audience: chosen.oidc_audience.or(defaults.oidc_audience),
            oidc_jwks: chosen.oidc_jwks.or(defaults.oidc_jwks),
            oidc_ca: chosen.oidc_ca.or(defaults.oidc_ca),
            oidc_plain_http: chosen.oidc_plain_http.or(defaults.oidc_plain_http),
            service_key_file: chosen.service_key_file.or(defaults.service_key_file),
        })
    }

    /// Whose tokens are taken beside keys, where somebody is named.
    ///
    /// # Errors
    /// Where an issuer is named without an audience, or the other way round.
    pub fn issuer(&self) -> Result<Option<IssuerSettings>, Trouble> {
        let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        match (named(&self.oidc_issuer), named(&self.oidc_audience)) {
            (Some(issuer), Some(audience)) => Ok(Some(IssuerSettings {
                issuer,
                audience,
                jwks: named(&self.oidc_jwks),
                ca: self.oidc_ca.clone().filter(|file| !file.as_os_str().is_empty()),
                plain_http: self.oidc_plain_http.unwrap_or_default(),
            })),
            (None, None) => Ok(None),
            _ => Err(Trouble::refused("settings: oidc_issuer and oidc_audience belong together")),
        }
    }

    /// The files of the port's TLS, where they are named.
    ///
    /// # Errors
    /// Where one of two that belong together is missing.
    pub fn tls(&self) -> Result<Option<TlsFiles>, Trouble> {
        let named = |file: &Option<PathBuf>| file.clone().filter(|file| !file.as_os_str().is_empty());
        let client_ca = named(&self.tls_client_ca);
        match (named(&self.tls_certificate), named(&self.tls_key)) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key, client_ca })),
            (None, None) if client_ca.is_none() => Ok(None),
            _ => Err(Trouble::refused(
                "settings: tls_certificate and tls_key belong together, and tls_client_ca to both",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use tonghop_ingestion::fair::Traffic;

    use super::*;

    #[test]
    fn the_defaults_set_everything() {
        let defaults = Settings::load(None).expect("the file that ships reads");
        assert_eq!(defaults.data_dir.as_deref(), Some(Path::new("./tonghop-data")));
        assert_eq!(defaults.database.as_deref(), Some(""));
        assert_eq!(defaults.listen.map(|l| l.to_string()).as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(defaults.batch_entries, Some(256));
        // What is written there is what is meant where nothing is said.
        assert_eq!(Traffic::from(defaults.traffic()), Traffic::default());
        let unsaid = TrafficArguments::default();
        let TrafficArguments { rate_requests, rate_bytes, body_memory } = defaults.traffic();
        assert_ne!(
            (rate_requests, rate_bytes, body_memory),
            (unsaid.rate_requests, unsaid.rate_bytes, unsaid.body_memory)
        );
        assert_eq!(defaults.access, Some(Access::Keys));
        assert_eq!(defaults.admin_key_file.as_deref(), Some(Path::new("")));
        assert_eq!(defaults.tls().expect("it holds together"), None);
    }

    #[test]
    fn a_key_that_is_not_known_is_refused_by_name() {
        let trouble = Settings::read("mine.toml", "lisen = \"127.0.0.1:1\"").expect_err("a typing error");
        assert!(trouble.lines().join(" ").contains("lisen"), "{trouble:?}");
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let half = Settings::read("mine.toml", "tls_certificate = \"a.pem\"\n").expect("it reads");
        let trouble = half.tls().expect_err("the key is missing");
        assert!(trouble.lines().join(" ").contains("tls_key"), "{trouble:?}");
    }

    #[test]
    fn a_file_goes_before_the_defaults() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("mine.toml");
        std::fs::write(&file, "batch_entries = 7\n").expect("it is written");
        let settings = Settings::load(Some(&file)).expect("it reads");
        assert_eq!(
            (settings.batch_entries, settings.listen),
            (Some(7), Settings::load(None).expect("defaults").listen)
        );
    }
}
