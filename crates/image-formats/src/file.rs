//! Files of this machine, opened without being changed and without waiting for anybody.

use crate::error::Error;
use rustix::fs::OFlags;
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Which file it is, whatever name it was opened by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Opens the file or block device that the user named.
pub fn open(path: &Path) -> Result<(File, FileId), Error> {
    // To open some devices is to change them: their kind is looked at before, and once more after.
    check_kind(std::fs::metadata(path)?.file_type())?;
    let file = OpenOptions::new().read(true).custom_flags(non_blocking()).open(path)?;
    let metadata = file.metadata()?;
    check_kind(metadata.file_type())?;
    Ok((file, FileId::from(&metadata)))
}

/// A pipe would be waited for until someone writes into it.
pub fn non_blocking() -> i32 {
    i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag of a few bits")
}

fn check_kind(kind: FileType) -> Result<(), Error> {
    let feature = match kind {
        _ if kind.is_dir() => "a directory as a disk; write dir:PATH to scan it as a root",
        _ if kind.is_fifo() => "a pipe as a disk; write it to a file first",
        _ if kind.is_socket() => "a socket as a disk",
        _ if kind.is_char_device() => "a character device as a disk",
        _ => return Ok(()),
    };
    Err(Error::unsupported(feature))
}
