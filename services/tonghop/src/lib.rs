//! The command line, and all three services in one process.
//!
//! Every command but `up` is a client of the public API (gRPC; for files REST) and of nothing else: what it can do,
//! any other program can do too. `demo` and `load-month` start the services in this process first and then speak to them
//! in the same way.
//!
//! | module | idea |
//! |---|---|
//! | [`arguments`] | what can be typed |
//! | [`commands`] | one module a command |
//! | [`up`] | the services in one process |
//! | [`form_sheet`] | a form to fill in, as a workbook |
//! | [`settings`] | settings from a file |
//! | [`file`] | totals as a file |
//! | [`spoken`] | the language of a command |
//! | [`client`], [`trouble`] | speaking to the services, and what went wrong in words |
//! | [`shipped`] | the registry and the report inside the binary |
//! | [`synthetic`] | made-up figures from a fixed seed |
//! | [`words`], [`table`], [`rows`], [`branches`], [`map_rows`], [`json`], [`progress`], [`output`] | how things are shown |

pub mod arguments;
pub mod branches;
pub mod client;
pub mod commands;
pub mod file;
pub mod form_sheet;
pub mod json;
pub mod map_rows;
pub mod output;
pub mod progress;
pub mod rows;
pub mod settings;
pub mod shipped;
pub mod spoken;
pub mod synthetic;
pub mod table;
pub mod trouble;
pub mod up;
pub mod words;
