//! TLS of calls to others: whom a client believes, and with which certificate it shows who it is.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use super::files::{self, Pair};
use crate::process::Trouble;

/// What a client needs to call `https://`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsClient {
    /// Authorities that are believed, in PEM; the system's, where none is named.
    pub ca: Option<PathBuf>,
    /// A certificate of its own and the key of it, in PEM, for whoever asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl TlsClient {
    /// For channels of tonic.
    ///
    /// # Errors
    /// Where a file cannot be read, or holds something else.
    pub fn config(&self) -> Result<ClientTlsConfig, Trouble> {
        let mut config = ClientTlsConfig::new();
        config = match &self.ca {
            Some(path) => {
                let pem = files::read(path)?;
                files::roots(&path.display().to_string(), &pem)?;
                config.ca_certificate(Certificate::from_pem(pem))
            }
            None => config.with_native_roots(),
        };
        if let Some((certificate, key)) = &self.identity {
            let pair = Pair::read(certificate, key)?;
            pair.parsed()?;
            let (certificate, key) = pair.pem();
            config = config.identity(Identity::from_pem(certificate, key));
        }
        Ok(config)
    }
}

/// For asking the service of this machine whose certificate lies in a file: that certificate is believed, and no other,
/// whatever names it has. The service is shown the same, in case it asks for one.
///
/// # Errors
/// Where a file cannot be read, or holds something else.
pub(crate) fn of_the_same_machine(
    certificate: &std::path::Path,
    key: &std::path::Path,
) -> Result<ClientConfig, Trouble> {
    let provider = super::provider();
    let (chain, key) = Pair::read(certificate, key)?.parsed()?;
    let this = chain.first().cloned().ok_or("there is no certificate")?;
    let only = Arc::new(OnlyThis { this, provider: Arc::clone(&provider) });
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(only)
        .with_client_auth_cert(chain, key)?)
}

/// Believes one certificate, whose key the other side has to have.
#[derive(Debug)]
struct OnlyThis {
    this: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OnlyThis {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match end_entity == &self.this {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
