//! What can go wrong.

use block_source::ReadError;

/// Why something could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The layer below failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The bytes contradict the format.
    #[error("damaged executable: {what} at {at:#x}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// Byte offset in the file.
        at: u64,
    },
}

pub(crate) fn corrupt(what: &'static str, at: u64) -> Error {
    Error::Corrupt { what, at }
}
