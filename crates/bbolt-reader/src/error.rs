//! Why something could not be read.

use block_source::ReadError;

/// Why a database, or a part of one, could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The layer below failed.
    #[error("page {page}: {source}")]
    Read {
        /// The page that was read.
        page: u64,
        /// What the layer below said.
        source: ReadError,
    },
    /// A feature that this reader does not know.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The feature.
        feature: String,
    },
    /// The bytes contradict the format.
    #[error("damaged bbolt database: {what}, page {page}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// Where: number of the page.
        page: u64,
    },
    /// A value is larger than the caller takes.
    #[error("a value of {size} bytes, of which {most} are read, page {page}")]
    TooLarge {
        /// Its key.
        key: Vec<u8>,
        /// Bytes that it has.
        size: u64,
        /// Bytes that a value may have.
        most: u64,
        /// Where: number of the page.
        page: u64,
    },
    /// More was wanted of the file than may be read of it.
    #[error("more than {most} bytes of the database are needed")]
    Budget {
        /// Bytes that may be read.
        most: u64,
    },
}

impl Error {
    /// The page that is concerned.
    pub fn page(&self) -> Option<u64> {
        match self {
            Self::Read { page, .. } | Self::Corrupt { page, .. } | Self::TooLarge { page, .. } => {
                Some(*page)
            }
            Self::Unsupported { .. } | Self::Budget { .. } => None,
        }
    }
}

pub(crate) fn corrupt(what: &'static str, page: u64) -> Error {
    Error::Corrupt { what, page }
}
