//! Read-only random access to the bytes of a disk.
//!
//! [`BlockSource`] is what every volume and filesystem reader takes: a device of a known size
//! whose reads either fill the whole buffer or fail. It is shared between threads and has no
//! way to write.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

/// A device that is read at byte offsets by many threads at once.
pub trait BlockSource: Send + Sync {
    /// Size of the device in bytes.
    fn size(&self) -> u64;

    /// Fills `out` with the bytes from `offset`, or fails; never a short read.
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError>;

    /// Says that these byte ranges will be read soon, so that a slow source can start on all of
    /// them at once. Never blocks, never fails; ranges outside the device are ignored.
    fn will_need(&self, _ranges: &[Range<u64>]) {}
}

/// A read that could not be filled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The range is not inside the device.
    #[error("{length} bytes at offset {offset} are outside the device of {size} bytes")]
    OutOfBounds {
        /// First byte asked for.
        offset: u64,
        /// Number of bytes asked for.
        length: u64,
        /// Size of the device in bytes.
        size: u64,
    },
    /// The layer below could not deliver the bytes.
    #[error("reading at offset {offset}: {source}")]
    Failed {
        /// First byte asked for.
        offset: u64,
        /// What the layer below said.
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl ReadError {
    /// A failed read with its cause.
    pub fn failed(offset: u64, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed { offset, source: Arc::from(cause.into()) }
    }
}

/// Checks that `length` bytes from `offset` are inside a device of `size` bytes.
pub fn check_bounds(size: u64, offset: u64, length: usize) -> Result<(), ReadError> {
    let length = length as u64;
    match offset.checked_add(length) {
        Some(end) if end <= size => Ok(()),
        _ => Err(ReadError::OutOfBounds { offset, length, size }),
    }
}

impl<T: BlockSource + ?Sized> BlockSource for Arc<T> {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        (**self).read_exact_at(offset, out)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        (**self).will_need(ranges);
    }
}

/// A disk held in memory, for tests and for small things unpacked from somewhere else.
impl BlockSource for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size(), offset, out.len())?;
        let start = offset as usize;
        out.copy_from_slice(&self[start..start + out.len()]);
        Ok(())
    }
}

/// A local file or block device, read with positioned reads.
#[derive(Debug)]
pub struct FileSource {
    file: std::fs::File,
    size: u64,
}

impl FileSource {
    /// Takes an open file; its size is found by seeking, so that block devices work too.
    pub fn new(mut file: std::fs::File) -> std::io::Result<Self> {
        let size = std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
        Ok(Self { file, size })
    }

    /// Opens the file at `path` read-only.
    pub fn open(path: impl AsRef<std::path::Path>) -> std::io::Result<Self> {
        Self::new(std::fs::File::open(path)?)
    }
}

impl BlockSource for FileSource {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        std::os::unix::fs::FileExt::read_exact_at(&self.file, out, offset)
            .map_err(|error| ReadError::failed(offset, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_past_the_end_fails_and_leaves_the_buffer() {
        let disk = vec![1u8; 10];
        let mut out = [9u8; 4];
        assert!(disk.read_exact_at(7, &mut out).is_err());
        assert!(disk.read_exact_at(u64::MAX, &mut out).is_err());
        assert_eq!(out, [9; 4]);
        disk.read_exact_at(6, &mut out).expect("inside the device");
        assert_eq!(out, [1; 4]);
    }
}
