//! Disk images in files, and block devices, which read the same.
//!
//! The format is told by the first bytes, never by the file's name.

mod foreign;
mod qcow2;
mod raw;

use crate::block::BlockFetcher;
use rustix::fs::OFlags;
use std::fs::{File, FileType, OpenOptions};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
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
    // To open some devices is to change them: their kind is looked at before, and once more after.
    check_kind(std::fs::metadata(path)?.file_type())?;
    let file = open_at_once(path)?;
    check_kind(file.metadata()?.file_type())?;
    if qcow2::claims(&file)? {
        return qcow2::open(file);
    }
    match foreign::recognise(&file)? {
        Some(feature) => Err(Error::Unsupported { feature }),
        None => raw::open(file),
    }
}

/// A pipe would be waited for until someone writes into it.
fn open_at_once(path: &Path) -> std::io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag of a few bits");
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn check_kind(kind: FileType) -> Result<(), Error> {
    let feature = match kind {
        _ if kind.is_dir() => "a directory as a disk; write dir:PATH to scan it as a root",
        _ if kind.is_fifo() => "a pipe as a disk; write it to a file first",
        _ if kind.is_socket() => "a socket as a disk",
        _ if kind.is_char_device() => "a character device as a disk",
        _ => return Ok(()),
    };
    Err(Error::Unsupported { feature: feature.to_owned() })
}
