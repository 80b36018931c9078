//! Arrangement for the whole-system tests: a server of its own for every test, and words to speak to it in.
//!
//! | module | idea |
//! |---|---|
//! | [`server`] | all services in one process, over a directory or a database that goes with the test |
//! | [`compose`] | all services in containers of their own behind one door, and ways to break them |
//! | [`binary`] | the binaries of the workspace, for tests that run them as processes |
//! | [`api`] | the services as they are spoken to, wherever they run |
//! | [`rest`] | requests and replies of REST |
//! | [`openapi`] | the OpenAPI document, and answers held to it |
//! | [`operation`] | any operation of either transport, called by its name |
//! | [`process`] | the binaries, as processes of their own |
//! | [`certificates`] | authorities, certificates and files for what speaks TLS |
//! | [`issuer`] | an issuer of tokens, and keys that they are signed with |
//! | [`collector`] | what spans are sent to |
//! | [`exposition`] | what Prometheus would read |
//! | [`showcase`] | SYNTHETIC figures to look at |
//! | [`browser`] | a real browser |
//! | [`wire`] | gRPC answers in the form REST gives them, so that the two can be compared |
//! | [`load`] | writers and readers that go on while something fails |
//! | [`tools`] | other people's programs, which read what this one writes |
//! | [`page`] | a page of the documentation that people type from |
//! | [`shell`] | a shell in which that is typed |
//! | [`gazetteer`] | what the registry's tables say, counted without any of the code under test |

pub mod api;
pub mod binary;
pub mod browser;
pub mod certificates;
pub mod collector;
pub mod compose;
pub mod exposition;
pub mod gazetteer;
pub mod issuer;
pub mod load;
pub mod openapi;
pub mod operation;
pub mod page;
pub mod process;
pub mod rest;
pub mod server;
pub mod shell;
pub mod showcase;
pub mod tools;
pub mod wire;

pub use api::Api;
pub use compose::Stack;
pub use rest::Reply;
pub use server::Server;
