//! Who is asking, and what they may do: one answer for REST and gRPC.
//!
//! | module | idea |
//! |---|---|
//! | `grant` | roles, and the units and sides they hold for |
//! | `caller` | whoever asks, with what is granted to them |
//! | `secret` | a key as its holder sends it, and what is kept of it |
//! | `keys` | the keys there are, as the ledger's entries say |
//! | `file_key` | a key that lies in a file of the processes |
//! | `token` | tokens that an issuer has signed, and the keys for it, as they are written |
//! | `issuer`, `published` | an issuer whose tokens are taken; the keys that it publishes |
//! | `authority` | from a request to its caller |
//! | `refusals` | who was refused, counted and logged |
//! | `arguments` | what a service takes of this on its command line |
//!
//! Every operation takes its [`Caller`] as an argument and asks it; nothing is decided in a transport.

mod arguments;
mod authority;
mod caller;
mod file_key;
mod grant;
mod issuer;
mod keys;
mod published;
mod refusals;
mod secret;
mod token;

pub use arguments::{AccessArguments, IssuerArguments};
pub use authority::{
    Access, Authority, Settings, behind, challenge_for_browsers, inside, is_token, of_request,
};
pub use caller::{Caller, Identity};
pub use file_key::FileKey;
pub use grant::{Grant, Reach, Role};
pub use issuer::IssuerSettings;
pub use keys::{Key, KeyState, Keys};
pub use secret::{Issued, Malformed, is_issued, issue};
pub use token::{Claims, KeySet, Token, Verifying};
