//! Why a file could not be written.

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A value that a column of decimals has no room for. Text formats have.
    #[error(
        "{column}: {value} does not fit a decimal of 38 digits with {scale} after the point: ask for csv or json"
    )]
    DoesNotFit {
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
        /// Digits after the point.
        scale: u8,
    },
    /// A day or a time that is none.
    #[error("{column}: {value:?} is not a day or time")]
    NotATime {
        /// The column.
        column: &'static str,
        /// What is there.
        value: String,
    },
    /// More rows than a file may have.
    #[error("more than {0} rows: ask for less at once")]
    TooManyRows(u64),
    /// What a file is written into does not take it.
    #[error("what is written into takes no more")]
    Io(#[from] std::io::Error),
    /// The format's library says that it cannot be written.
    #[error("the file cannot be written")]
    Format(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ExportError {
    pub(crate) fn format(error: impl std::error::Error + Send + Sync + 'static) -> ExportError {
        ExportError::Format(Box::new(error))
    }
}
