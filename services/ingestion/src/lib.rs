//! Ingestion: takes what is reported, checks every figure, appends to the ledger, answers when it is durable.
//! It computes no total.
//!
//! | module | idea |
//! |---|---|
//! | [`submission`] | a submission as read, before anything in it is believed |
//! | [`json`], [`csv_form`], [`xlsx`], [`wire`] | the forms it may come in |
//! | [`sheet_place`] | where in a spreadsheet a figure stands |
//! | [`alike`] | figures read by what they have in common |
//! | [`check`] | every figure against the registry, all findings at once |
//! | [`finding`] | what can be found, by code |
//! | [`registry_tables`], `registry_load` | a registry or a reform as tables, and its load |
//! | `media_type` | what a document is, and in which locale its numbers are |
//! | `maps` | units, maps and what became of them, asked for |
//! | `in_force` | what is in force, which any replica may change |
//! | [`locks`] | periods that are closed for figures |
//! | `service`, `take` | the operations, the same for both transports |
//! | `streams` | submissions that come in pieces, and those that broke off |
//! | `reviews` | names for positions, frozen |
//! | `reports` | what is done with units' reports, and which there are |
//! | [`fair`] | so that nobody starves another: whose turn it is, and how much at once |
//! | `keys`, `audit` | keys of reporting systems, and what was done by whom |
//! | `writer` | group commit |
//! | `metrics` | what is counted |
//! | `grpc`, `registry_grpc`, `rest`, `access_wire` | the transports |

mod access_wire;
pub mod alike;
mod audit;
pub mod check;
pub mod csv_form;
pub mod fair;
pub mod finding;
mod grpc;
mod in_force;
pub mod json;
mod keys;
pub mod locks;
mod maps;
pub mod media_type;
mod metrics;
mod registry_grpc;
mod registry_load;
pub mod registry_tables;
mod report_grpc;
mod report_rest;
mod reports;
mod rest;
mod reviews;
mod service;
pub mod sheet_place;
mod streams;
pub mod submission;
mod take;
pub mod wire;
mod writer;
pub mod xlsx;

pub use grpc::IngestionGrpc;
pub use registry_load::Loaded;
pub use rest::routes;
pub use reviews::{Frozen, check_name, check_note};
pub use service::{Arrived, CSV, Given, Ingestion, JSON, Taken, WIRE, XLSX};

/// Bytes that nobody can know, from the operating system.
///
/// # Errors
/// Where it gives none.
pub fn random<const BYTES: usize>() -> Result<[u8; BYTES], String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(bytes)
}
