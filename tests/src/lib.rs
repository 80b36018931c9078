//! Arrangement for the whole-system tests: a server of its own for every test, and words to speak to it in.
//!
//! | module | idea |
//! |---|---|
//! | [`server`] | all services in one process, over a directory or a database that goes with the test |
//! | [`rest`] | requests and replies of REST |
//! | [`process`] | the binaries, as processes of their own |
//! | [`collector`] | what spans are sent to |
//! | [`exposition`] | what Prometheus would read |
//! | [`wire`] | gRPC answers in the form REST gives them, so that the two can be compared |
//! | [`gazetteer`] | what the registry's tables say, counted without any of the code under test |

pub mod collector;
pub mod exposition;
pub mod gazetteer;
pub mod process;
pub mod rest;
pub mod server;
pub mod wire;

pub use rest::Reply;
pub use server::Server;
