//! Slots: 16 bytes each in pages of 4 KiB, behind the head of the first page. Magic, number of the
//! header, first block, blocks; one without a first block is free.

use super::BLOCK;
use crate::bytes::le32;
use crate::error::{Error, corrupt};
use crate::window::Window;
use block_source::BlockSource;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of the head of the file, before the first slot.
pub const HEAD: usize = 32;
pub const PAGE: u64 = 4096;
const SIZE: usize = 16;
const MAGIC: &[u8; 4] = b"Slot";
/// Ten times what the largest distribution has.
const MOST_SLOTS: usize = 1_000_000;
/// Damaged slots that are told one by one.
const MOST_ERRORS: usize = 100;

/// Where a header is.
pub struct Slot {
    pub number: u32,
    pub block: u32,
    pub blocks: u32,
}

impl Slot {
    /// Bytes of the file.
    pub fn range(&self) -> Range<u64> {
        let start = u64::from(self.block) * BLOCK;
        start..start + u64::from(self.blocks) * BLOCK
    }
}

/// All slots in use that make sense; what is wrong with others is added to `errors`.
pub fn read(source: &Arc<dyn BlockSource>, pages: u32, errors: &mut VecDeque<Error>) -> Vec<Slot> {
    let end = u64::from(pages) * PAGE;
    if end > source.size() {
        errors.push_back(corrupt("file that ends before its last slot", source.size()));
    }
    let end = end.min(source.size());
    source.will_need(std::slice::from_ref(&(0..end.min((MOST_SLOTS * SIZE) as u64))));
    let mut window = Window::new(source.clone());
    let mut slots = Vec::new();
    let mut at = HEAD as u64;
    while at + SIZE as u64 <= end {
        let read = window.read(at, SIZE).and_then(|slot| parse(slot, at, source.size(), pages));
        match read {
            Ok(None) => {}
            Ok(Some(slot)) => slots.push(slot),
            Err(error) => errors.push_back(error),
        }
        if errors.len() > MOST_ERRORS || slots.len() > MOST_SLOTS {
            errors.push_back(corrupt("too many damaged or used slots, the rest is left", at));
            break;
        }
        at += SIZE as u64;
    }
    slots
}

fn parse(bytes: &[u8], at: u64, size: u64, pages: u32) -> Result<Option<Slot>, Error> {
    if !bytes.starts_with(MAGIC) {
        return Err(corrupt("magic number of a slot", at));
    }
    let slot = Slot { number: le32(bytes, 4), block: le32(bytes, 8), blocks: le32(bytes, 12) };
    if slot.block == 0 {
        return Ok(None);
    }
    if slot.number == 0 || slot.blocks == 0 || slot.range().start < u64::from(pages) * PAGE {
        return Err(corrupt("slot", at));
    }
    if slot.range().end > size {
        return Err(corrupt("slot of a header past the end of the file", at));
    }
    Ok(Some(slot))
}
