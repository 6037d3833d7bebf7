//! Metadata blocks: packed pieces of at most 8 KiB, each behind two bytes that tell its size, read
//! one after the other as a stream.

use crate::Squashfs;
use crate::cache::Weight;
use crate::codec::unpack;
use crate::error::{Error, corrupt};
use crate::superblock::{long, short, word};
use std::sync::Arc;

/// Bytes of a metadata block, unpacked.
pub const SIZE: usize = 8192;
/// Bytes of one on disk, at the most.
pub const MOST_ON_DISK: u64 = SIZE as u64 + 2;
const PLAIN: u16 = 0x8000;

/// An unpacked block, and where the next one begins.
pub struct Block {
    bytes: Vec<u8>,
    next: u64,
}

impl Weight for Block {
    fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

impl Squashfs {
    fn block(&self, at: u64) -> Result<Arc<Block>, Error> {
        self.metadata.get(at, || self.read_block(at))
    }

    fn read_block(&self, at: u64) -> Result<Block, Error> {
        // Most packed blocks are small: header and body in one read.
        let size = self.superblock.bytes_used.min(self.source.size());
        let left = size.saturating_sub(at).min(MOST_ON_DISK) as usize;
        if left < 2 {
            return Err(corrupt("metadata past the end", at));
        }
        let mut bytes = vec![0; left];
        self.source.read_exact_at(at, &mut bytes)?;
        let header = short(&bytes, 0);
        let length = usize::from(header & !PLAIN);
        let end = at + 2 + length as u64;
        let body = bytes.get(2..2 + length).filter(|body| !body.is_empty());
        let body = body.ok_or_else(|| corrupt("size of a metadata block", at))?;
        let bytes = if header & PLAIN == 0 {
            unpack(self.superblock.compression, body, SIZE)
                .ok_or_else(|| corrupt("packed metadata block", at))?
        } else {
            body.to_vec()
        };
        Ok(Block { bytes, next: end })
    }
}

/// A place in a stream of metadata blocks.
#[derive(Clone)]
pub struct Cursor<'a> {
    image: &'a Squashfs,
    at: u64,
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// At `offset` in the block that begins at byte `at`.
    pub fn new(image: &'a Squashfs, at: u64, offset: usize) -> Self {
        Self { image, at, offset }
    }

    /// At a reference: block from the start of its table, and offset in the block.
    pub fn of_reference(image: &'a Squashfs, table: u64, reference: u64) -> Result<Self, Error> {
        let at = table.checked_add(reference >> 16).filter(|_| reference >> 48 == 0);
        let at = at.ok_or_else(|| corrupt("reference", reference))?;
        Ok(Self::new(image, at, (reference & 0xffff) as usize))
    }

    /// Where the cursor is, for errors.
    pub fn place(&self) -> u64 {
        self.at
    }

    /// Fills `out` with the bytes that follow.
    pub fn fill(&mut self, mut out: &mut [u8]) -> Result<(), Error> {
        while !out.is_empty() {
            let block = self.image.block(self.at)?;
            let rest = block.bytes.get(self.offset..).unwrap_or_default();
            if rest.is_empty() {
                self.advance(&block)?;
                continue;
            }
            let length = rest.len().min(out.len());
            let (now, later) = out.split_at_mut(length);
            now.copy_from_slice(&rest[..length]);
            (out, self.offset) = (later, self.offset + length);
        }
        Ok(())
    }

    /// Moves to the next block. All but the last of a table are full.
    fn advance(&mut self, block: &Block) -> Result<(), Error> {
        if self.offset > block.bytes.len() || block.bytes.is_empty() {
            return Err(corrupt("offset in a metadata block", self.at));
        }
        (self.at, self.offset) = (block.next, 0);
        Ok(())
    }

    /// The next bytes, at most 64 KiB of them.
    pub fn bytes(&mut self, length: u16) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; usize::from(length)];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The next two bytes.
    pub fn short(&mut self) -> Result<u16, Error> {
        self.array::<2>().map(|bytes| short(&bytes, 0))
    }

    /// The next four bytes.
    pub fn word(&mut self) -> Result<u32, Error> {
        self.array::<4>().map(|bytes| word(&bytes, 0))
    }

    /// The next eight bytes.
    pub fn long(&mut self) -> Result<u64, Error> {
        self.array::<8>().map(|bytes| long(&bytes, 0))
    }

    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Error> {
        let mut bytes = [0; LENGTH];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

impl Cursor<'_> {
    /// Block and offset, to come back to.
    pub fn position(&self) -> (u64, usize) {
        (self.at, self.offset)
    }
}
