//! TLS, by rustls: of the port, and of calls to others.
//!
//! | module | idea |
//! |---|---|
//! | `files` | certificates and keys as they lie in files |
//! | `server` | TLS of the port |
//! | `client` | whom a client believes, and who it shows that it is |
//! | `arguments` | what is taken of this on a command line |

mod arguments;
mod client;
mod files;
mod server;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use arguments::{TlsArguments, TlsClientArguments};
pub use client::TlsClient;
pub(crate) use client::of_the_same_machine;
pub use server::{Tls, TlsFiles};

/// What is spoken over it: gRPC needs HTTP/2.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The cryptography, named where it is used, so that nothing depends on what else is linked into a process.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
