//! Disk images in files, and block devices, which read the same.
//!
//! The format is told by the first bytes, never by the file's name.

mod qcow2;
mod raw;

use crate::block::BlockFetcher;
use std::path::Path;
use std::sync::Arc;

/// A disk image that was opened.
pub struct Image {
    /// Its blocks.
    pub fetcher: Arc<dyn BlockFetcher>,
    /// How many 512 KiB blocks hold data, when the image tells.
    pub allocated: Option<u64>,
}

/// Why an image could not be opened.
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
}

/// Opens the image or block device at `path`.
pub fn open(path: &Path) -> Result<Image, Error> {
    if std::fs::metadata(path)?.is_dir() {
        let feature = "a directory as a disk; write dir:PATH to scan it as a root".to_owned();
        return Err(Error::Unsupported { feature });
    }
    let file = std::fs::File::open(path)?;
    if qcow2::claims(&file)? { qcow2::open(file) } else { raw::open(file) }
}
