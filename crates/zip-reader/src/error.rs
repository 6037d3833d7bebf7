//! What can go wrong.

use block_source::ReadError;

/// Why something could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The layer below failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no sign of an archive.
    #[error("not a zip archive")]
    NotZip,
    /// A feature that this reader does not know.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The feature.
        feature: String,
    },
    /// The bytes contradict the format.
    #[error("damaged zip archive: {what} at {at:#x}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// Byte offset in the archive.
        at: u64,
    },
    /// More than is read.
    #[error("{what}")]
    Limit {
        /// What is too large, with its size.
        what: String,
    },
}

pub(crate) fn corrupt(what: &'static str, at: u64) -> Error {
    Error::Corrupt { what, at }
}

pub(crate) fn unsupported(feature: impl Into<String>) -> Error {
    Error::Unsupported { feature: feature.into() }
}
