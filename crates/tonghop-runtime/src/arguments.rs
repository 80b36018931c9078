//! What every service takes on its command line, and asking a running one how it is.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::process::Trouble;
use crate::tls::{TlsArguments, TlsClient, of_the_same_machine};

/// How long a service has to say that it is ready.
const CHECK: Duration = Duration::from_secs(4);

/// Where a service listens, how it ends, and whether it is only asked how it is.
#[derive(Clone, Debug, Args)]
pub struct ServiceArguments {
    /// Address for REST and gRPC [default: the service's own port on 127.0.0.1].
    #[arg(long, env = "TONGHOP_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Seconds in which the service, told to stop, still takes requests but says on /readyz that it is not ready,
    /// so that whoever spreads requests over replicas sees it first.
    #[arg(long, value_name = "SECONDS", env = "TONGHOP_DRAIN_GRACE", default_value_t = 0)]
    pub drain_grace: u64,
    /// TLS of its port.
    #[command(flatten)]
    pub tls: TlsArguments,
    /// Authorities that are believed about the https:// addresses of other services, in PEM [default: those of this
    /// system].
    #[arg(long, value_name = "FILE", env = "TONGHOP_TLS_CA")]
    pub tls_ca: Option<PathBuf>,
    /// Ask the service that runs on this address whether it is ready, and exit with 0 or 1.
    #[arg(long)]
    pub check: bool,
}

/// Which database.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArguments {
    /// The database: postgres://user:password@host/database.
    #[arg(
        long,
        value_name = "URL",
        env = "TONGHOP_DATABASE",
        hide_env_values = true,
        required_unless_present = "check"
    )]
    pub database: Option<String>,
    /// A file with the database's password, where the URL has none.
    #[arg(long, value_name = "FILE", env = "TONGHOP_DATABASE_PASSWORD_FILE")]
    pub database_password_file: Option<PathBuf>,
}

impl ServiceArguments {
    /// Where to listen; on `port` of this machine where nothing is said.
    pub fn listen(&self, port: u16) -> SocketAddr {
        self.listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// TLS of calls to other services.
    pub fn tls_client(&self) -> TlsClient {
        self.tls.client(self.tls_ca.clone())
    }

    /// How long to go on after the word to stop.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.drain_grace)
    }
}

impl DatabaseArguments {
    /// The database's URL, with the password in it.
    ///
    /// # Errors
    /// Where the password's file cannot be read, or the URL does not take it. No message has the password.
    pub fn url(&self) -> Result<String, Trouble> {
        let url = self.database.as_deref().ok_or("no database is named: --database or TONGHOP_DATABASE")?;
        match &self.database_password_file {
            Some(file) => with_password(url, file),
            None => Ok(url.to_owned()),
        }
    }
}

/// The URL with the password of a file.
///
/// # Errors
/// Where the file cannot be read, or the URL is of a kind that takes no password.
pub fn with_password(url: &str, file: &Path) -> Result<String, Trouble> {
    let name = file.display();
    let password = std::fs::read_to_string(file)
        .map_err(|error| format!("the database's password file {name} cannot be read: {error}"))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(format!("the database's password file {name} is empty").into());
    }
    let mut url = Url::parse(url).map_err(|error| format!("the database's URL cannot be read: {error}"))?;
    if url.password().is_some() {
        return Err(
            "the database's URL has a password, and a password file is named too: leave one out".into()
        );
    }
    let set = url.set_password(Some(&escaped(password)));
    set.map_err(|()| "the database's URL is of a kind that takes no password".to_owned())?;
    Ok(url.into())
}

/// Everything but letters and digits in percent signs: a URL by itself would leave the percent sign as it is, and
/// whoever reads the URL would take what follows for an escape.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Asks the service on an address whether it is ready, over TLS where its port speaks that.
///
/// # Errors
/// What it says instead, or that it does not answer.
pub async fn check(listen: SocketAddr, tls: &TlsArguments) -> Result<(), Trouble> {
    // A service that listens on all addresses is asked on this machine's own.
    let mut asked = listen;
    if asked.ip().is_unspecified() {
        asked.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let tls = tls.files().map(|files| of_the_same_machine(&files.certificate, &files.key)).transpose()?;
    let answer = tokio::time::timeout(CHECK, async {
        let stream = TcpStream::connect(asked).await?;
        match tls {
            None => readyz(asked, stream).await,
            Some(config) => {
                let name = ServerName::from(asked.ip());
                readyz(asked, TlsConnector::from(Arc::new(config)).connect(name, stream).await?).await
            }
        }
    });
    let answer = answer.await.map_err(|_| format!("{asked} does not answer"))?;
    let answer = answer.map_err(|error| format!("{asked} does not answer: {error}"))?;
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(answer.split("\r\n\r\n").nth(1).unwrap_or(&answer).trim().to_owned().into())
}

async fn readyz(
    asked: SocketAddr,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
) -> std::io::Result<String> {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {asked}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("it is written");
        file
    }

    #[test]
    fn a_password_from_a_file_is_escaped_and_its_line_end_left_out() {
        let file = password("p@ss/w%41rd-ổ\n");
        let url = with_password("postgres://tonghop@postgres/tonghop?sslmode=disable", file.path());
        assert_eq!(
            url.expect("a URL"),
            "postgres://tonghop:p%40ss%2Fw%2541rd%2D%E1%BB%95@postgres/tonghop?sslmode=disable"
        );
    }

    #[test]
    fn a_password_that_cannot_be_used_is_refused_without_showing_it() {
        let file = password("secret");
        let refused = |url: &str, file: &Path| with_password(url, file).expect_err("refused").to_string();
        for (url, reason) in [
            ("postgres://a:other@host/db", "leave one out"),
            ("sqlite:///x", "takes no password"),
            ("not a url", "cannot be read"),
        ] {
            let message = refused(url, file.path());
            assert!(message.contains(reason) && !message.contains("secret"), "{message}");
            assert!(!message.contains("other"), "{message}");
        }
        assert!(refused("postgres://a@host/db", Path::new("/no/such/file")).contains("/no/such/file"));
        assert!(refused("postgres://a@host/db", password("\n").path()).contains("is empty"));
    }

    #[tokio::test]
    async fn nobody_there_is_not_ready() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        drop(listener);
        let message = check(address, &TlsArguments::default()).await.expect_err("nobody").to_string();
        assert!(message.contains("does not answer"), "{message}");
    }
}
