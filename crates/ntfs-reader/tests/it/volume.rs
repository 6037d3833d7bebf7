//! Volumes that mkntfs makes and ntfs-3g fills. Needs root and FUSE.

use conformance::{Mounted, mkfs, workplace};
use rustix::fs::{XattrFlags, lsetxattr};
use std::path::{Path, PathBuf};

/// An image with a place to mount it.
pub struct Volume {
    work: tempfile::TempDir,
}

impl Volume {
    pub fn new(megabytes: u64, options: &[&str]) -> Self {
        let volume = Self { work: workplace() };
        let command = [&["mkntfs", "-q", "-F", "-f"], options].concat();
        mkfs(&volume.image(), megabytes, &command);
        volume
    }

    pub fn image(&self) -> PathBuf {
        self.work.path().join("image")
    }

    /// A path beside the image.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    pub fn mount(&self, options: &str) -> Mounted {
        Mounted::by(&["ntfs-3g", "-o", options], &self.image(), &self.work.path().join("place"))
    }

    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.image()).unwrap()
    }
}

/// Sets what ntfs-3g keeps as an attribute, such as `system.ntfs_reparse_data`.
pub fn set(path: &Path, name: &str, value: &[u8]) {
    lsetxattr(path, name, value, XattrFlags::empty())
        .unwrap_or_else(|error| panic!("{name} of {}: {error}", path.display()));
}

/// A reparse point as it is stored.
pub fn reparse(tag: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [&tag.to_le_bytes()[..], &length.to_le_bytes(), &[0; 2], data].concat()
}
