//! Headers: a head of 16 bytes (magic, number, time, length), the header, zeroes, and a tail of 12
//! bytes (Adler-32 of all before it, length, magic).

use super::slots::Slot;
use crate::MOST_HEADER;
use crate::bytes::le32;
use crate::error::{Error, corrupt};
use crate::window::read_range;
use block_source::BlockSource;

const HEAD: usize = 16;
const TAIL: usize = 12;
const HEAD_MAGIC: &[u8; 4] = b"BlbS";
const TAIL_MAGIC: &[u8; 4] = b"BlbE";

/// A header and whether its checksum holds.
pub struct Content {
    pub bytes: Vec<u8>,
    pub checksum_holds: bool,
}

/// Whether a block begins a header.
pub fn is_head(block: &[u8]) -> bool {
    block.starts_with(HEAD_MAGIC)
}

pub fn read(source: &dyn BlockSource, slot: &Slot) -> Result<Content, Error> {
    let range = slot.range();
    let length = check_ends(source, slot)?;
    let mut bytes = read_range(source, range.start, (range.end - range.start) as usize)?;
    let tail = bytes.len() - TAIL;
    let checksum_holds = adler32(&bytes[..tail]) == le32(&bytes, tail);
    bytes.truncate(HEAD + length);
    bytes.drain(..HEAD);
    Ok(Content { bytes, checksum_holds })
}

/// Head and tail must say the same, before what is between them is read; gives the length.
fn check_ends(source: &dyn BlockSource, slot: &Slot) -> Result<usize, Error> {
    let range = slot.range();
    let size = range.end - range.start;
    if size < (HEAD + TAIL) as u64 || size > MOST_HEADER as u64 {
        return Err(corrupt("size of a header", range.start));
    }
    let (mut head, mut tail) = ([0; HEAD], [0; TAIL]);
    source.read_exact_at(range.start, &mut head)?;
    if !is_head(&head) || le32(&head, 4) != slot.number {
        return Err(corrupt("head of a header", range.start));
    }
    let length = u64::from(le32(&head, 12));
    let blocks = (length + (HEAD + TAIL) as u64).div_ceil(super::BLOCK);
    if blocks != u64::from(slot.blocks) {
        return Err(corrupt("length of a header", range.start));
    }
    let at = range.end - TAIL as u64;
    source.read_exact_at(at, &mut tail)?;
    if u64::from(le32(&tail, 4)) != length || !tail.ends_with(TAIL_MAGIC) {
        return Err(corrupt("tail of a header", at));
    }
    Ok(length as usize)
}

/// <https://www.rfc-editor.org/rfc/rfc1950>, section 8.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1u32, 0u32);
    // As many as cannot overflow the sums.
    for piece in bytes.chunks(5552) {
        for byte in piece {
            low += u32::from(*byte);
            high += low;
        }
        (low, high) = (low % 65521, high % 65521);
    }
    high << 16 | low
}
