//! Why something could not be read.

use block_source::ReadError;

/// Why a database, a header or a part of one could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The layer below failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A feature that this reader does not know.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The feature.
        feature: String,
    },
    /// The bytes contradict the format.
    #[error("damaged rpm database: {what} at {at:#x}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// Where: byte offset in the file, or in the header if that is what is damaged.
        at: u64,
    },
}

pub(crate) fn corrupt(what: &'static str, at: u64) -> Error {
    Error::Corrupt { what, at }
}

pub(crate) fn unsupported(feature: impl Into<String>) -> Error {
    Error::Unsupported { feature: feature.into() }
}
