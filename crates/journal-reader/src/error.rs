//! Why something could not be read.

use block_source::ReadError;

/// Why a journal file, or a part of one, could not be read.
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
    #[error("damaged journal: {what} at {at:#x}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// Where: byte offset in the file.
        at: u64,
    },
    /// A value is larger than what is read.
    #[error("a value of more than {most} bytes at {at:#x}")]
    TooLarge {
        /// Bytes that a value may have.
        most: u64,
        /// Where: byte offset in the file.
        at: u64,
    },
    /// More was wanted of the file than may be read of it.
    #[error("more than {most} bytes of the journal are needed")]
    Budget {
        /// Bytes that may be read.
        most: u64,
    },
}

pub(crate) fn corrupt(what: &'static str, at: u64) -> Error {
    Error::Corrupt { what, at }
}
