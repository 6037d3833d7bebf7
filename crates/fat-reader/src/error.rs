//! Why something could not be read.

use block_source::ReadError;

/// Why a filesystem or a part of it could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The layer below failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The bytes contradict the format.
    #[error("damaged FAT: {what} at {at:#x}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// The byte offset or cluster that shows it.
        at: u64,
    },
}

pub(crate) fn corrupt(what: &'static str, at: impl Into<u64>) -> Error {
    Error::Corrupt { what, at: at.into() }
}
