//! Authorities, certificates and files of a test's own, for what speaks TLS.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// A certificate and its private key, in PEM.
pub type Pair = (String, String);

/// An authority that nobody but the test believes.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, in PEM.
    pub pem: String,
}

impl Authority {
    /// A new one.
    pub fn new() -> Authority {
        let mut parameters = CertificateParams::new(vec![]).expect("no names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        Authority { issuer: Issuer::new(parameters, key), pem }
    }

    /// A certificate of this machine, for either end.
    pub fn issue(&self) -> Pair {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut parameters = CertificateParams::new(names).expect("names");
        parameters.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// A client of REST that believes this authority and nothing else, and shows a certificate where it has one.
    pub fn believer(&self, identity: Option<&Pair>) -> reqwest::Client {
        let root = reqwest::Certificate::from_pem(self.pem.as_bytes()).expect("a certificate");
        let mut builder = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
        if let Some((certificate, key)) = identity {
            let identity = reqwest::Identity::from_pem(format!("{key}{certificate}").as_bytes());
            builder = builder.identity(identity.expect("an identity"));
        }
        builder.build().expect("a client")
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

/// Files of a test; they go when this is dropped.
#[derive(Debug)]
pub struct Files(TempDir);

impl Files {
    /// None yet.
    pub fn new() -> Files {
        Files(tempfile::tempdir().expect("a directory"))
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes one, over the one of this name where there is one.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Writes a certificate and its key.
    pub fn pair(&self, name: &str, (certificate, key): &Pair) -> (PathBuf, PathBuf) {
        (self.put(&format!("{name}.pem"), certificate), self.put(&format!("{name}.key"), key))
    }
}

impl Default for Files {
    fn default() -> Files {
        Files::new()
    }
}
