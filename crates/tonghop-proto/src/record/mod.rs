//! Submissions as the ledger keeps them for rolling up.

mod columns;
pub mod document;
mod first;
mod packed;

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

/// The longest document that is written again from its record.
const LONGEST_DOCUMENT: usize = 256 << 20;

impl Columns {
    /// Writes a record, of the version that is written today.
    pub fn encode(&self) -> Vec<u8> {
        packed::encode(self)
    }

    /// Writes a record of the first version, which is still read.
    pub fn encode_first(&self) -> Vec<u8> {
        first::encode(self)
    }

    /// Reads a record, of any version.
    ///
    /// # Errors
    /// Where it is not what [`Columns::encode`] writes, or wrote in a former version.
    pub fn decode(bytes: &[u8]) -> Result<Columns, RecordError> {
        match bytes {
            [] => first::decode(bytes),
            [0, version, rest @ ..] if *version == packed::VERSION[1] => packed::decode(rest),
            [0, rest @ ..] => {
                let version = rest.first().map_or("none".to_owned(), u8::to_string);
                Err(RecordError::new(format!("its version is {version}, and known are 1 and 2")))
            }
            _ => first::decode(bytes),
        }
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
