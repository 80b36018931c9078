//! The tables as sea-orm sees them. Primitives only; what they mean is in the modules that use them.

pub mod checkpoint;
pub mod effect;
pub mod lease;
pub mod ledger;
pub mod ledger_document;
pub mod ledger_head;
pub mod registry;
pub mod registry_kept;
pub mod review;
pub mod rule;
pub mod summary;
pub mod tile;

/// The key of the row in a table that has one row.
pub const SINGLETON: i16 = 1;
