//! TLS of the port: certificates from files, read again when they change, and handshakes within bounds.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::files::{self, Pair};
use crate::process::Trouble;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes under way at once.
const HANDSHAKES: usize = 1024;
/// Of one address: whoever opens connections and says nothing takes no other's place.
const HANDSHAKES_OF_ONE: usize = 64;
/// How often it is looked whether files have changed.
const LOOK: Duration = Duration::from_secs(2);

/// The files that TLS of a port is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and its authority, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
    /// Authorities of clients' certificates, in PEM; where they are named, every client has to have one of theirs.
    pub client_ca: Option<PathBuf>,
}

/// What is read of them.
#[derive(PartialEq, Eq)]
struct Contents {
    pair: Pair,
    client_ca: Option<Vec<u8>>,
}

/// TLS of a port.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    used: RwLock<(Contents, Arc<ServerConfig>)>,
    handshakes: Mutex<Handshakes>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

impl Tls {
    /// From files.
    ///
    /// # Errors
    /// Where one cannot be read, holds something else, or certificate and key do not belong together.
    pub fn read(files: TlsFiles) -> Result<Tls, Trouble> {
        let provider = super::provider();
        let contents = Contents::of(&files)?;
        let config = Arc::new(config(&files, &contents, &provider)?);
        let used = RwLock::new((contents, config));
        Ok(Tls(Arc::new(Inner { files, provider, used, handshakes: Mutex::default() })))
    }

    /// Looks again and again whether the files have changed, and takes what is in them for the connections that come
    /// then. What cannot be used (half of a new pair, say) is left for the next look.
    pub(crate) async fn follow(self) {
        let mut complained = false;
        loop {
            tokio::time::sleep(LOOK).await;
            let this = self.clone();
            match tokio::task::spawn_blocking(move || this.look()).await {
                Ok(Ok(true)) => {
                    complained = false;
                    tracing::info!("the certificates have been read again");
                }
                Ok(Ok(false)) => {}
                Ok(Err(trouble)) if !complained => {
                    complained = true;
                    tracing::warn!(%trouble, "the new certificates cannot be used; the ones before go on");
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }

    /// Whether there are others, which are then used.
    fn look(&self) -> Result<bool, Trouble> {
        let Inner { files, provider, used, .. } = &*self.0;
        let contents = Contents::of(files)?;
        if used.read().unwrap_or_else(PoisonError::into_inner).0 == contents {
            return Ok(false);
        }
        let config = Arc::new(config(files, &contents, provider)?);
        *used.write().unwrap_or_else(PoisonError::into_inner) = (contents, config);
        Ok(true)
    }

    /// Shakes hands over a connection, within bounds.
    ///
    /// # Errors
    /// Where the client breaks off, takes too long, shows no certificate that it had to, or too many are at it.
    pub(crate) async fn accept(
        &self,
        connection: TcpStream,
        from: SocketAddr,
    ) -> io::Result<TlsStream<TcpStream>> {
        let _place = Place::take(&self.0.handshakes, from.ip())
            .ok_or_else(|| io::Error::other("too many handshakes at once"))?;
        let config = Arc::clone(&self.0.used.read().unwrap_or_else(PoisonError::into_inner).1);
        let handshake = TlsAcceptor::from(config).accept(connection);
        let timed_out = |_| io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
        tokio::time::timeout(HANDSHAKE, handshake).await.map_err(timed_out)?
    }
}

impl Contents {
    fn of(files: &TlsFiles) -> Result<Contents, Trouble> {
        let pair = Pair::read(&files.certificate, &files.key)?;
        let client_ca = files.client_ca.as_deref().map(files::read).transpose()?;
        Ok(Contents { pair, client_ca })
    }
}

fn config(
    files: &TlsFiles,
    contents: &Contents,
    provider: &Arc<CryptoProvider>,
) -> Result<ServerConfig, Trouble> {
    let name = |path: &Path| path.display().to_string();
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(provider)).with_safe_default_protocol_versions()?;
    let builder = match (&files.client_ca, &contents.client_ca) {
        (Some(path), Some(pem)) => {
            let roots = Arc::new(files::roots(&name(path), pem)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider)).build();
            builder.with_client_cert_verifier(verifier.map_err(|e| format!("{}: {e}", name(path)))?)
        }
        _ => builder.with_no_client_auth(),
    };
    let (chain, key) = contents.pair.parsed()?;
    let (certificate, private) = (name(&files.certificate), name(&files.key));
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|e| format!("{certificate} and {private} do not make a certificate with its key: {e}"))?;
    config.alpn_protocols = super::PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

/// Those under way.
#[derive(Debug, Default)]
struct Handshakes {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place among the handshakes under way.
struct Place<'a> {
    handshakes: &'a Mutex<Handshakes>,
    from: IpAddr,
}

impl Place<'_> {
    fn take(handshakes: &Mutex<Handshakes>, from: IpAddr) -> Option<Place<'_>> {
        let mut under_way = handshakes.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = under_way.by_address.get(&from).copied().unwrap_or_default();
        if under_way.all >= HANDSHAKES || of_one >= HANDSHAKES_OF_ONE {
            return None;
        }
        under_way.all += 1;
        under_way.by_address.insert(from, of_one + 1);
        Some(Place { handshakes, from })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut under_way = self.handshakes.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.all -= 1;
        match under_way.by_address.get_mut(&self.from) {
            Some(more) if *more > 1 => *more -= 1,
            _ => drop(under_way.by_address.remove(&self.from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn one_address_takes_no_place_of_another() {
        let handshakes = Mutex::default();
        let (one, other) =
            (IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)), IpAddr::from(Ipv4Addr::new(10, 0, 0, 2)));
        let places: Vec<_> = std::iter::from_fn(|| Place::take(&handshakes, one)).collect();
        assert_eq!(places.len(), HANDSHAKES_OF_ONE);
        assert!(Place::take(&handshakes, other).is_some());
        drop(places);
        assert!(Place::take(&handshakes, one).is_some());
        let handshakes = handshakes.into_inner().expect("nobody panicked");
        assert_eq!(
            (handshakes.all, handshakes.by_address.len()),
            (0, 0),
            "nothing is kept of those that went"
        );
    }
}
