//! Bytes of disks: windows onto them, a shared cache of 512 KiB blocks, and the set of blocks
//! that a scan read.

mod cache;
mod read_set;
mod room;
mod window;

pub use block_source::{BlockSource, FileSource, ReadError, check_bounds};
pub use cache::{BlockCache, BlockFetcher, CachedSource, Done};
pub use read_set::ReadSet;
pub use room::room;
pub use window::Window;

use std::sync::Arc;

/// Bytes in one block, the unit in which EBS stores and sells snapshots.
pub const BLOCK_SIZE: u64 = 512 * 1024;

/// A device in use: something to read, and the name that reports call it by.
#[derive(Clone)]
pub struct Device {
    /// Name for people, such as `disk.img:p1`.
    pub name: String,
    /// The bytes.
    pub source: Arc<dyn BlockSource>,
}

impl Device {
    /// A named device.
    pub fn new(name: impl Into<String>, source: Arc<dyn BlockSource>) -> Self {
        Self { name: name.into(), source }
    }

    /// Part of this device under a name of its own.
    pub fn window(&self, name: impl Into<String>, offset: u64, length: u64) -> Self {
        Self::new(name, Arc::new(Window::new(self.source.clone(), offset, length)))
    }

    /// Up to `length` bytes from `offset`, fewer only where the device ends.
    pub fn read_up_to(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let left = self.source.size().saturating_sub(offset);
        let mut bytes = vec![0; length.min(usize::try_from(left).unwrap_or(usize::MAX))];
        // Past the end there is nothing, not even a place to read nothing from.
        if !bytes.is_empty() {
            self.source.read_exact_at(offset, &mut bytes)?;
        }
        Ok(bytes)
    }
}
