//! Disk images in files, and block devices, which read the same, as fetchers of blocks.
//!
//! The formats are those of the crate `image-formats`.

use crate::block::{BLOCK_SIZE, BlockFetcher, BlockSource, Done, room};
use image_formats::{Contents, Disk};
use std::path::Path;
use std::sync::Arc;

pub use image_formats::{Error, Limits, Unpacking, Unread, Watch};

/// What a file holds.
pub struct Opened {
    /// One disk, or all those of an appliance.
    pub images: Vec<Image>,
    /// Parts of an appliance that were not opened.
    pub unread: Vec<Unread>,
}

/// A disk image that was opened.
pub struct Image {
    /// Its name in an appliance.
    pub name: Option<String>,
    /// Its blocks.
    pub fetcher: Arc<dyn BlockFetcher>,
    /// How many 512 KiB blocks hold data, when the image tells.
    pub allocated: Option<u64>,
    /// What of the disk is known not to be there, in words.
    pub missing: Vec<String>,
}

/// Opens the image or block device at `path`; `watch` is told before a packed disk is unpacked.
pub fn open(path: &Path, limits: &Limits, watch: Watch) -> Result<Opened, Error> {
    let opened = image_formats::open_watched(path, limits, watch)?;
    let images = opened.disks.into_iter().map(Image::from).collect();
    Ok(Opened { images, unread: opened.unread })
}

impl From<Disk> for Image {
    fn from(disk: Disk) -> Self {
        let Contents { written: allocated, missing } = disk.contents(BLOCK_SIZE);
        Self { name: disk.name, fetcher: Arc::new(Blocks(disk.source)), allocated, missing }
    }
}

/// Reads in the thread that asks: none of the sources waits for anything but the kernel.
struct Blocks(Arc<dyn BlockSource>);

impl BlockFetcher for Blocks {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn fetch(&self, block: u64, done: Done) {
        let start = block * BLOCK_SIZE;
        let length = BLOCK_SIZE.min(self.size().saturating_sub(start));
        let mut bytes = if length == BLOCK_SIZE { room() } else { vec![0; length as usize].into() };
        let free =
            Arc::get_mut(&mut bytes).expect("it was just made, or taken from where none is shared");
        let read = self.0.read_exact_at(start, free);
        done(read.map(|()| bytes.iter().any(|byte| *byte != 0).then_some(bytes)));
    }
}
