//! What is taken of TLS on a command line.

use std::path::PathBuf;

use clap::Args;

use super::{Tls, TlsClient, TlsFiles};
use crate::process::Trouble;

/// TLS of the port of a service.
#[derive(Clone, Debug, Default, Args)]
pub struct TlsArguments {
    /// The certificate of the port, and those between it and its authority, in PEM: it then speaks TLS only. Read
    /// again when the file changes.
    #[arg(long, value_name = "FILE", env = "TONGHOP_TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", env = "TONGHOP_TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Authorities, in PEM: only clients that have a certificate of theirs are let in.
    #[arg(long, value_name = "FILE", env = "TONGHOP_TLS_CLIENT_CA", requires = "tls_certificate")]
    pub tls_client_ca: Option<PathBuf>,
}

/// TLS of calls to a service.
#[derive(Clone, Debug, Default, Args)]
pub struct TlsClientArguments {
    /// Authorities that are believed about https:// addresses, in PEM [default: those of this system].
    #[arg(long, value_name = "FILE", env = "TONGHOP_TLS_CA")]
    pub tls_ca: Option<PathBuf>,
    /// A certificate that shows who calls, in PEM, for a service that asks for one.
    #[arg(long, value_name = "FILE", env = "TONGHOP_TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// Its private key, in PEM.
    #[arg(long, value_name = "FILE", env = "TONGHOP_TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
}

impl TlsArguments {
    /// The files that are named, if any are.
    pub fn files(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.tls_certificate.clone().zip(self.tls_key.clone())?;
        Some(TlsFiles { certificate, key, client_ca: self.tls_client_ca.clone() })
    }

    /// TLS of the port, if it is to speak that.
    ///
    /// # Errors
    /// Where a file cannot be used.
    pub fn server(&self) -> Result<Option<Tls>, Trouble> {
        self.files().map(Tls::read).transpose()
    }

    /// TLS of calls to other services, to which it shows the certificate of its port.
    pub fn client(&self, ca: Option<PathBuf>) -> TlsClient {
        TlsClient { ca, identity: self.tls_certificate.clone().zip(self.tls_key.clone()) }
    }
}

impl TlsClientArguments {
    /// TLS of calls.
    pub fn client(&self) -> TlsClient {
        let identity = self.tls_certificate.clone().zip(self.tls_key.clone());
        TlsClient { ca: self.tls_ca.clone(), identity }
    }
}
