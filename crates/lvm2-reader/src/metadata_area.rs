//! An area of a physical volume that holds the metadata of its group as text: a header that says
//! where the newest text stands, and a circular buffer with this one and older ones:
//! `lib/format_text/layout.h` of LVM2.

use crate::Error;
use crate::bytes::{u32_at, u64_at};
use crate::error::{corrupt, unsupported};
use crate::label::{SECTOR, crc, holds};
use block_source::BlockSource;
use std::ops::Range;

const MAGIC: &[u8; 16] = b" LVM2 x[5A%r0N*>";
/// A text, or an area in the search for old ones, is not read past this.
const MOST_BYTES: u64 = 16 << 20;
const IGNORED: u32 = 1;

/// What an area holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The newest text of the group.
    Text(Vec<u8>),
    /// No group uses this area, or it is switched off.
    Nothing,
}

// Offsets: 0 checksum, 4 magic, 20 version, 24 start, 32 size, 40 texts, each of offset, size,
// checksum and flags, ended by zeroes. The first is the newest; the second is only there while a
// change is being made.

/// The newest text in an area.
pub fn read(device: &dyn BlockSource, area: &Range<u64>) -> Result<Held, Error> {
    let mut header = vec![0; SECTOR];
    device.read_exact_at(area.start, &mut header)?;
    let wrong = |what| corrupt(what, area.start);
    if header[4..20] != *MAGIC || !holds(crc(&header[4..]), u32_at(&header, 0)) {
        return Err(wrong("header of the LVM metadata area at"));
    }
    if u32_at(&header, 20) != 1 {
        return Err(unsupported(format!("LVM metadata area of version {}", u32_at(&header, 20))));
    }
    let size = u64_at(&header, 32);
    if u64_at(&header, 24) != area.start || size <= SECTOR as u64 {
        return Err(wrong("place or size in the header of the LVM metadata area at"));
    }
    let (offset, length) = (u64_at(&header, 40), u64_at(&header, 48));
    if offset == 0 || length == 0 || u32_at(&header, 60) & IGNORED != 0 {
        return Ok(Held::Nothing);
    }
    if length > MOST_BYTES {
        return Err(unsupported(format!("LVM metadata of {length} bytes")));
    }
    if offset < SECTOR as u64 || offset >= size || length > size - SECTOR as u64 {
        return Err(wrong("place of the text in the LVM metadata area at"));
    }
    let text = read_round(device, area.start, size, offset, length as usize)?;
    if !holds(crc(&text), u32_at(&header, 56)) {
        return Err(wrong("checksum of the text in the LVM metadata area at"));
    }
    Ok(Held::Text(text))
}

/// Reads a text that goes on behind the header where it meets the end of the area.
fn read_round(
    device: &dyn BlockSource,
    start: u64,
    size: u64,
    offset: u64,
    length: usize,
) -> Result<Vec<u8>, Error> {
    let mut text = vec![0; length];
    let front = (size - offset).min(length as u64) as usize;
    let at = start.checked_add(offset).ok_or_else(|| corrupt("LVM metadata area at", start))?;
    device.read_exact_at(at, &mut text[..front])?;
    if front < length {
        device.read_exact_at(start + SECTOR as u64, &mut text[front..])?;
    }
    Ok(text)
}

/// Everything in the buffer of an area, twice in a row, so that each text in it is in one piece
/// somewhere; and how long one is.
pub fn whole_buffer(
    device: &dyn BlockSource,
    area: &Range<u64>,
) -> Result<(Vec<u8>, usize), Error> {
    let start = area.start.saturating_add(SECTOR as u64);
    let length = area.end.saturating_sub(start).min(MOST_BYTES);
    let mut buffer = vec![0; length as usize];
    device.read_exact_at(start, &mut buffer)?;
    buffer.extend_from_within(..);
    Ok((buffer, length as usize))
}
