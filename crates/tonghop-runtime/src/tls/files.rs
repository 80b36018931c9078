//! Certificates and keys as they lie in files, in PEM.

use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::process::Trouble;

/// A larger file holds something else.
const LARGEST: u64 = 1 << 20;

/// A certificate, with those between it and its authority, and its private key.
#[derive(PartialEq, Eq)]
pub(super) struct Pair {
    certificate: (PathBuf, Vec<u8>),
    key: (PathBuf, Vec<u8>),
}

impl Pair {
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Pair, Trouble> {
        let read = |path: &Path| Ok::<_, Trouble>((path.to_owned(), read(path)?));
        Ok(Pair { certificate: read(certificate)?, key: read(key)? })
    }

    /// In PEM.
    pub(super) fn pem(&self) -> (&[u8], &[u8]) {
        (&self.certificate.1, &self.key.1)
    }

    pub(super) fn parsed(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Trouble> {
        let chain = certificates(&self.certificate.0.display().to_string(), &self.certificate.1)?;
        let name = self.key.0.display();
        let key = PrivateKeyDer::from_pem_slice(&self.key.1)
            .map_err(|_| format!("{name} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"))?;
        Ok((chain, key))
    }
}

/// A file's bytes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let name = path.display();
    let file = std::fs::File::open(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{name} cannot be read: {error}"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("{name} has more than {LARGEST} bytes: it holds something else").into());
    }
    Ok(bytes)
}

/// All certificates of a file.
pub(super) fn certificates(name: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let all = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(format!("{name} holds no certificates in PEM (-----BEGIN CERTIFICATE-----)").into()),
    }
}

/// The authorities of a file.
pub(super) fn roots(name: &str, pem: &[u8]) -> Result<RootCertStore, Trouble> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(name, pem)? {
        roots
            .add(certificate)
            .map_err(|error| format!("{name} holds no certificate of an authority: {error}"))?;
    }
    Ok(roots)
}
