//! What tests need: the naive oracle that transcribes the semantics page, and random worlds to ask it about.
//!
//! | module | idea |
//! |---|---|
//! | [`oracle`] | `docs/semantics.md` §2–§6 as plain recursion, sharing no code with the core's roll-up |
//! | [`tables`] | a draft as the CSV tables that a registry is loaded from |
//! | [`world`] | random registries, figures and questions that shrink and print as small tables |
//! | [`postgres`] | a PostgreSQL server of the test process's own, and tests that run on both databases |

pub mod oracle;
pub mod postgres;
pub mod tables;
pub mod world;
