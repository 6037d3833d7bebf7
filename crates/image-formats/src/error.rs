//! Why an image could not be opened, or a part of it not read.

use block_source::ReadError;
use std::path::PathBuf;

/// Why an image could not be opened, or a part of it not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// A feature that is not read.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The feature.
        feature: String,
    },
    /// The image contradicts its format.
    #[error("damaged image: {what} at byte {at}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// Where.
        at: u64,
    },
    /// A file that the image names is not opened.
    #[error("the {role} {name:?} is not opened: {why}")]
    Refused {
        /// What the image names it as.
        role: &'static str,
        /// Its name, shortened.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// A file that the image names could not be opened.
    #[error("the {role} {name:?}: {source}")]
    Named {
        /// What the image names it as.
        role: &'static str,
        /// Its name, shortened.
        name: String,
        /// Why not.
        source: Box<Error>,
    },
    /// A packed disk could not be unpacked.
    #[error("unpacking the {packing} stream, at byte {at}: {source}")]
    Packed {
        /// How it is packed.
        packing: &'static str,
        /// How much of the packed bytes was read.
        at: u64,
        /// What the decoder or the temporary file said.
        source: std::io::Error,
    },
    /// A packed disk is too large to be unpacked.
    #[error("the packed disk unpacks to more than {most} bytes {of}; unpack it to a file first")]
    TooLarge {
        /// How many are unpacked.
        most: u64,
        /// What bounds them.
        of: &'static str,
    },
    /// There is no room for a packed disk.
    #[error(
        "the packed disk holds more than {most} bytes, all that there is room for in {folder:?}"
    )]
    NoRoom {
        /// How many there is room for.
        most: u64,
        /// The folder of the temporary file.
        folder: PathBuf,
    },
}

impl Error {
    pub(crate) fn unsupported(feature: impl Into<String>) -> Self {
        Self::Unsupported { feature: feature.into() }
    }

    pub(crate) fn corrupt<T>(what: &'static str, at: u64) -> Result<T, Self> {
        Err(Self::Corrupt { what, at })
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Read(std::io::Error::other(error))
    }
}

/// A name from an image, fit for a message.
pub(crate) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(200).collect()
}
