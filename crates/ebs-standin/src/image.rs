//! A raw disk image as blocks of 512 KiB: which of them hold anything, and their bytes.
//!
//! Only raw images are read. Holes are found by `SEEK_DATA` and `SEEK_HOLE`, and what is
//! left is looked through for zeroes, one block in memory at a time. The image must not
//! change while it is served: checksums are kept once made.

use std::{fs::File, io, os::unix::fs::FileExt, sync::OnceLock};

use hyper::body::Bytes;
use rustix::{
    fs::{SeekFrom, seek},
    io::Errno,
};
use sha2::{Digest, Sha256};

use crate::pool::Pool;

/// Bytes of a block.
pub const BLOCK_SIZE: usize = 512 * 1024;

const BLOCK: u64 = BLOCK_SIZE as u64;
const GIB: u64 = 1 << 30;

/// To compare with: the comparison of slices is fast in unoptimized builds too.
static ZEROES: [u8; BLOCK_SIZE] = [0; BLOCK_SIZE];

/// The SHA-256 of a whole block.
pub(crate) type Checksum = [u8; 32];

#[derive(Debug)]
pub(crate) struct Image {
    bytes: ImageBytes,
    length: u64,
    /// Indexes of the blocks that are not all zero, ascending.
    allocated: Vec<u64>,
    /// By position in `allocated`.
    checksums: Box<[OnceLock<Checksum>]>,
    pool: Pool,
}

#[derive(Debug)]
enum ImageBytes {
    File(File),
    Memory(Bytes),
}

impl Image {
    pub(crate) fn from_file(file: File) -> io::Result<Self> {
        let length = length_of(&file)?;
        Self::new(ImageBytes::File(file), length)
    }

    pub(crate) fn from_memory(bytes: Bytes) -> io::Result<Self> {
        let length = bytes.len() as u64;
        Self::new(ImageBytes::Memory(bytes), length)
    }

    fn new(bytes: ImageBytes, length: u64) -> io::Result<Self> {
        let mut image = Self {
            bytes,
            length,
            allocated: Vec::new(),
            checksums: Box::default(),
            pool: Pool::default(),
        };
        image.allocated = image.scan()?;
        image.checksums = image.allocated.iter().map(|_| OnceLock::new()).collect();
        Ok(image)
    }

    /// The size of the volume, rounded up to whole GiB; at least one.
    pub(crate) fn volume_gib(&self) -> u64 {
        self.length.div_ceil(GIB).max(1)
    }

    /// The allocated blocks from `start` on, ascending.
    pub(crate) fn allocated_from(&self, start: u64) -> &[u64] {
        &self.allocated[self.allocated.partition_point(|index| *index < start)..]
    }

    /// The whole block, padded with zeroes past the image's end, and its checksum; `None`
    /// where it is not allocated.
    pub(crate) fn block(&self, index: u64) -> io::Result<Option<(Bytes, Checksum)>> {
        let Ok(position) = self.allocated.binary_search(&index) else { return Ok(None) };
        let data = self.read(index)?;
        let checksum = *self.checksums[position].get_or_init(|| Sha256::digest(&data).into());
        Ok(Some((data, checksum)))
    }

    /// The checksum of a block; `None` where it is not allocated.
    pub(crate) fn checksum(&self, index: u64) -> io::Result<Option<Checksum>> {
        let known = self.allocated.binary_search(&index).ok();
        match known.and_then(|position| self.checksums[position].get()) {
            Some(checksum) => Ok(Some(*checksum)),
            None => Ok(self.block(index)?.map(|(_, checksum)| checksum)),
        }
    }

    fn scan(&self) -> io::Result<Vec<u64>> {
        let mut found = Vec::new();
        let mut buffer = vec![0; BLOCK_SIZE];
        let mut next = 0;
        while let Some((start, end)) = self.data_from(next * BLOCK)? {
            for index in (start / BLOCK).max(next)..end.div_ceil(BLOCK) {
                let wanted = self.present(index);
                self.fill(index, &mut buffer[..wanted])?;
                if buffer[..wanted] != ZEROES[..wanted] {
                    found.push(index);
                }
                next = index + 1;
            }
        }
        Ok(found)
    }

    /// The first range of data that ends after `offset`; `None` where only holes are left.
    fn data_from(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        if offset >= self.length {
            return Ok(None);
        }
        let ImageBytes::File(file) = &self.bytes else { return Ok(Some((offset, self.length))) };
        let start = match seek(file, SeekFrom::Data(offset)) {
            Ok(start) if start < self.length => start,
            Ok(_) | Err(Errno::NXIO) => return Ok(None),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Some((offset, self.length))),
            Err(error) => return Err(error.into()),
        };
        let end = seek(file, SeekFrom::Hole(start))?;
        Ok(Some((start, end.min(self.length))))
    }

    /// How many bytes of the block are in the image.
    fn present(&self, index: u64) -> usize {
        self.length.saturating_sub(index * BLOCK).min(BLOCK) as usize
    }

    fn fill(&self, index: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &self.bytes {
            ImageBytes::File(file) => file.read_exact_at(buffer, index * BLOCK),
            ImageBytes::Memory(bytes) => {
                let start = index as usize * BLOCK_SIZE;
                buffer.copy_from_slice(&bytes[start..start + buffer.len()]);
                Ok(())
            }
        }
    }

    fn read(&self, index: u64) -> io::Result<Bytes> {
        let wanted = self.present(index);
        if let (ImageBytes::Memory(bytes), BLOCK_SIZE) = (&self.bytes, wanted) {
            let start = index as usize * BLOCK_SIZE;
            return Ok(bytes.slice(start..start + BLOCK_SIZE));
        }
        let mut block = self.pool.take();
        let (present, past_the_end) = block.as_mut().split_at_mut(wanted);
        self.fill(index, present)?;
        past_the_end.fill(0);
        Ok(block.freeze())
    }
}

/// The size, of a block device too.
fn length_of(file: &File) -> io::Result<u64> {
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(seek(file, SeekFrom::End(0))?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn blocks(image: &Image) -> Vec<u64> {
        image.allocated_from(0).to_vec()
    }

    #[test]
    fn holes_and_written_zeroes_are_not_allocated() {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(40 * BLOCK).unwrap();
        file.write_all_at(&[1], 3 * BLOCK + 77).unwrap();
        file.write_all_at(&ZEROES, 9 * BLOCK).unwrap();
        file.write_all_at(&[1, 1], 20 * BLOCK - 1).unwrap();
        file.flush().unwrap();
        assert_eq!(blocks(&Image::from_file(file).unwrap()), [3, 19, 20]);
    }

    #[test]
    fn a_last_part_is_padded() {
        let mut bytes = vec![0; BLOCK_SIZE + 10];
        bytes[BLOCK_SIZE + 9] = 7;
        for image in [in_file(&bytes), Image::from_memory(bytes.clone().into()).unwrap()] {
            assert_eq!(blocks(&image), [1]);
            let (block, checksum) = image.block(1).unwrap().unwrap();
            assert_eq!(block.len(), BLOCK_SIZE);
            assert_eq!(block[..10], bytes[BLOCK_SIZE..]);
            assert_eq!(block[10..], ZEROES[10..]);
            assert_eq!(checksum, <Checksum>::from(Sha256::digest(&block)));
            assert_eq!(image.volume_gib(), 1);
        }
    }

    #[test]
    fn padding_is_zero_in_a_buffer_that_was_used() {
        let image = in_file(&vec![7; BLOCK_SIZE + 1]);
        drop(image.block(0).unwrap());
        let (block, _) = image.block(1).unwrap().unwrap();
        assert_eq!((block[0], &block[1..]), (7, &ZEROES[1..]));
    }

    #[test]
    fn an_empty_image_has_a_volume_without_blocks() {
        let image = in_file(&[]);
        assert_eq!((blocks(&image), image.volume_gib()), (vec![], 1));
    }

    #[test]
    fn a_volume_is_rounded_up() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(3 * GIB + 1).unwrap();
        assert_eq!(Image::from_file(file).unwrap().volume_gib(), 4);
    }

    fn in_file(bytes: &[u8]) -> Image {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Image::from_file(file).unwrap()
    }
}
