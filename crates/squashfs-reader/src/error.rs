//! Why something could not be read.

use block_source::ReadError;

/// Why an image or a part of it could not be read.
#[derive(Debug, thiserror::Error)]
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
    #[error("damaged squashfs: {what} at {at:#x}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// Where: byte offset in the image, or an inode's place.
        at: u64,
    },
}

pub(crate) fn corrupt(what: &'static str, at: u64) -> Error {
    Error::Corrupt { what, at }
}
