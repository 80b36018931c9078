//! Who is asking, and what they may do: one answer for REST and gRPC.
//!
//! | module | idea |
//! |---|---|
//! | `grant` | roles, and the units and sides they hold for |
//! | `caller` | whoever asks, with what is granted to them |
//! | `secret` | a key as its holder sends it, and what is kept of it |
//! | `keys` | the keys there are, as the ledger's entries say |
//! | `authority` | from a request to its caller |
//!
//! Every operation takes its [`Caller`] as an argument and asks it; nothing is decided in a transport.

mod authority;
mod caller;
mod grant;
mod keys;
mod secret;

pub use authority::{Access, Authority, behind, challenge_for_browsers, inside, of_request};
pub use caller::{Caller, Identity};
pub use grant::{Grant, Role};
pub use keys::{Key, KeyState, Keys};
pub use secret::{Issued, Malformed, issue};
