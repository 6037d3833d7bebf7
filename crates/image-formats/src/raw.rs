//! Raw images and block devices: the disk byte for byte.

use crate::layer::{Layer, Written};
use block_source::{BlockSource, ReadError, check_bounds};
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
use std::fs::File;
use std::io::Seek;
use std::os::unix::fs::FileExt;

/// Stretches of data that are counted; a file in more pieces is not counted.
const MOST_STRETCHES: usize = 1 << 20;

/// A file as it stands.
pub struct Raw {
    file: File,
    size: u64,
}

impl Raw {
    /// Takes an open file; its size is found by seeking, so that block devices work too.
    pub fn new(mut file: File) -> std::io::Result<Self> {
        let size = file.seek(std::io::SeekFrom::End(0))?;
        Ok(Self { file, size })
    }
}

impl BlockSource for Raw {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        self.file.read_exact_at(out, offset).map_err(|error| ReadError::failed(offset, error))
    }
}

impl Layer for Raw {
    /// As the kernel tells; a device tells no such thing.
    fn note_written(&self, written: &mut Written) -> Option<()> {
        if !self.file.metadata().ok()?.is_file() {
            return None;
        }
        let mut from = 0;
        for _ in 0..MOST_STRETCHES {
            let start = match seek(&self.file, SeekFrom::Data(from)) {
                Ok(start) => start,
                // No data from there on.
                Err(Errno::NXIO) => return Some(()),
                // A filesystem that cannot tell.
                Err(_) => return None,
            };
            let end = seek(&self.file, SeekFrom::Hole(start)).ok()?;
            written.add(start, end.saturating_sub(start));
            from = written.behind(end);
        }
        None
    }
}
