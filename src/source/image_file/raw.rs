//! Raw images and block devices: the disk byte for byte.

use super::{Error, Image};
use crate::block::{BLOCK_SIZE, BlockFetcher, BlockSource, Done, FileSource};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

struct Raw(FileSource);

/// Opens a raw image.
pub fn open(file: File) -> Result<Image, Error> {
    let allocated = allocated_blocks(&file)?;
    Ok(Image { fetcher: Arc::new(Raw(FileSource::new(file)?)), allocated })
}

impl BlockFetcher for Raw {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn fetch(&self, block: u64, done: Done) {
        let start = block * BLOCK_SIZE;
        let length = BLOCK_SIZE.min(self.size().saturating_sub(start));
        let mut bytes = vec![0; length as usize];
        done(self.0.read_exact_at(start, &mut bytes).map(|()| Some(bytes.into())));
    }
}

/// The space that the file takes, in blocks; a device has no such thing.
fn allocated_blocks(file: &File) -> Result<Option<u64>, Error> {
    let metadata = file.metadata()?;
    Ok(metadata.is_file().then(|| (metadata.blocks() * 512).div_ceil(BLOCK_SIZE)))
}
