//! Raw images and block devices: the disk byte for byte.

use super::{Error, Image};
use crate::block::{BLOCK_SIZE, BlockFetcher, BlockSource, Done, FileSource};
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
use std::fs::File;
use std::sync::Arc;

/// Stretches of data that are counted; a file in more pieces is not counted.
const MOST_STRETCHES: usize = 1 << 20;

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

/// The blocks in which the file has data and not only holes, as the kernel tells; a device tells
/// no such thing.
fn allocated_blocks(file: &File) -> Result<Option<u64>, Error> {
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let (mut blocks, mut from) = (0, 0);
    for _ in 0..MOST_STRETCHES {
        let start = match seek(file, SeekFrom::Data(from)) {
            Ok(start) => start,
            // No data from there on.
            Err(Errno::NXIO) => return Ok(Some(blocks)),
            // A filesystem that cannot tell.
            Err(_) => return Ok(None),
        };
        let Ok(end) = seek(file, SeekFrom::Hole(start)) else { return Ok(None) };
        let (first, behind) = (start / BLOCK_SIZE, end.div_ceil(BLOCK_SIZE));
        blocks += behind.saturating_sub(first);
        // Whatever else is in the last block is counted with it.
        from = behind.saturating_mul(BLOCK_SIZE);
    }
    Ok(None)
}
