//! What can go wrong.

use block_source::ReadError;

/// Why an array, or a part of one, cannot be read.
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
        /// The offset or value that shows it.
        at: u64,
    },
    /// A part that is needed is not there.
    #[error("{what} is missing")]
    Missing {
        /// The part.
        what: String,
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
