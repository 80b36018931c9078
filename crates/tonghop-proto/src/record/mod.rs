//! Submissions as the ledger keeps them for rolling up.

mod columns;
mod first;

use tonghop_core::figure::Figure;
use tonghop_core::registry::Registry;

pub use columns::{Columns, Heading, Said};

/// A figure that passed every check, with the words it was submitted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedFigure {
    /// The figure, its unit resolved.
    pub figure: Figure,
    /// The unit's code.
    pub unit_code: String,
    /// Programmes it was reported under.
    pub programmes: Vec<String>,
}

/// A record that makes no sense: the ledger is damaged, or another version wrote it.
#[derive(Debug, thiserror::Error)]
#[error("a submission record of the ledger makes no sense: {0}")]
pub struct RecordError(String);

impl RecordError {
    fn new(what: impl Into<String>) -> RecordError {
        RecordError(what.into())
    }
}

impl Columns {
    /// Writes a record.
    pub fn encode(&self) -> Vec<u8> {
        first::encode(self)
    }

    /// Reads a record, of any version.
    ///
    /// # Errors
    /// Where it is not what [`Columns::encode`] writes, or wrote in a former version.
    pub fn decode(bytes: &[u8]) -> Result<Columns, RecordError> {
        first::decode(bytes)
    }
}

/// Writes a record, figures in the order given.
pub fn encode(figures: &[AcceptedFigure]) -> Vec<u8> {
    Columns::of(figures).encode()
}

/// Reads a record. Units are found on the registry given, so that a registry loaded later moves figures to
/// where they belong; what [`Columns::figures`] leaves out is left out.
///
/// # Errors
/// Where the record is not what [`encode`] writes, or the registry does not know its indicators.
pub fn decode(registry: &Registry, bytes: &[u8]) -> Result<Vec<AcceptedFigure>, RecordError> {
    Columns::decode(bytes)?.figures(registry)
}
