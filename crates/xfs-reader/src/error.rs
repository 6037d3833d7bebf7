//! What can go wrong.

use block_source::ReadError;

/// Why something could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The device could not deliver.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A feature that this reader does not know.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The feature.
        feature: String,
    },
    /// The bytes contradict the format.
    #[error("{what} ({at})")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// The number (of a block or inode) or value that shows it.
        at: u64,
    },
}

impl Error {
    pub(crate) fn corrupt(what: &'static str, at: impl Into<u64>) -> Self {
        Self::Corrupt { what, at: at.into() }
    }

    pub(crate) fn unsupported(feature: impl Into<String>) -> Self {
        Self::Unsupported { feature: feature.into() }
    }
}
