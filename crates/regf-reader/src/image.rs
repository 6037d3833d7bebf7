//! The hive bins as they are after the logs, and the cells in them.
//!
//! On-disk format: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md#cell>.
//! Which bin a cell is in is not looked up, for that would read all of a hive; [`Image::check_bins`]
//! does, if asked.

use crate::base_block::{BIN, LENGTH};
use crate::bytes::le32;
use crate::claims::Claims;
use crate::error::{Damage, Error, corrupt};
use crate::overlay::{Overlay, Place};
use block_source::BlockSource;
use std::ops::Range;
use std::sync::Arc;

/// The offset that points to nothing.
pub const NOWHERE: u32 = u32::MAX;
/// Bytes of a cell's size.
pub const SIZE: u32 = 4;
/// Bytes of a hive bin's header.
const BIN_HEADER: u32 = 32;
/// Bytes that are read of a cell before its size is known; most have less.
const GUESS: u32 = 128;

/// The hive bins.
pub struct Image {
    pub source: Arc<dyn BlockSource>,
    pub overlay: Overlay,
    /// Bytes of them.
    pub bins: u32,
    pub minor: u32,
    /// Offset of the root key.
    pub root: u32,
    pub claims: Claims,
}

/// The byte of the file at an offset in the hive bins.
pub fn file_offset(offset: u32) -> u64 {
    LENGTH + u64::from(offset)
}

impl Image {
    /// Fills `out` with the bytes from an offset in the hive bins.
    pub fn read(&self, offset: u32, out: &mut [u8]) -> Result<(), Error> {
        let mut done = 0;
        while done < out.len() {
            let at = u64::from(offset) + done as u64;
            let left = (out.len() - done) as u64;
            done += match self.overlay.place(at) {
                Place::Log(log, from, length) => {
                    let length = left.min(length) as usize;
                    log.read_exact_at(from, &mut out[done..done + length])?;
                    length
                }
                Place::Hive(length) => {
                    let length = left.min(length) as usize;
                    self.read_hive(LENGTH + at, &mut out[done..done + length])?;
                    length
                }
            };
        }
        Ok(())
    }

    fn read_hive(&self, at: u64, out: &mut [u8]) -> Result<(), Error> {
        if at + out.len() as u64 > self.source.size() {
            return Err(corrupt("hive is cut short", at));
        }
        Ok(self.source.read_exact_at(at, out)?)
    }

    /// The first bytes of a cell in use, at most `most` of them.
    pub fn cell(&self, offset: u32, most: u32) -> Result<Vec<u8>, Error> {
        let wrong = |what| corrupt(what, file_offset(offset));
        if offset < BIN_HEADER || !offset.is_multiple_of(8) || offset >= self.bins {
            return Err(wrong("offset of no cell"));
        }
        let guess = GUESS.min(most.saturating_add(SIZE)).min(self.bins - offset).max(SIZE);
        let mut bytes = vec![0; guess as usize];
        self.read(offset, &mut bytes)?;
        let size = le32(&bytes, 0).cast_signed();
        if size >= 0 {
            return Err(wrong("cell that is not in use"));
        }
        let size = size.unsigned_abs();
        if !size.is_multiple_of(8) || size > self.bins - offset {
            return Err(wrong("wrong size of a cell"));
        }
        let length = (size - SIZE).min(most);
        bytes.drain(..SIZE as usize);
        let known = bytes.len();
        bytes.resize(length as usize, 0);
        if length as usize > known {
            self.read(offset + SIZE + known as u32, &mut bytes[known..])?;
        }
        Ok(bytes)
    }

    /// A cell that is only the owner's: a list, or large data.
    pub fn own_cell(&self, offset: u32, most: u32, owner: u32) -> Result<Vec<u8>, Error> {
        let bytes = self.cell(offset, most)?;
        let end = offset + SIZE + bytes.len() as u32;
        if !self.claims.claim(offset..end, owner) {
            return Err(corrupt("cell that belongs to another", file_offset(offset)));
        }
        Ok(bytes)
    }

    /// Tells the source which cells will be read.
    pub fn will_need(&self, offsets: impl Iterator<Item = u32>) {
        let range = |offset| file_offset(offset)..file_offset(offset) + u64::from(GUESS);
        let ranges: Vec<Range<u64>> = offsets.map(range).collect();
        self.source.will_need(&ranges);
    }

    /// Whether what the file has not is all in the logs.
    pub fn check_length(&self) -> Result<(), Error> {
        let mut at = self.source.size().saturating_sub(LENGTH);
        while at < u64::from(self.bins) {
            match self.overlay.place(at) {
                Place::Log(_, _, length) => at += length,
                Place::Hive(_) => return Err(corrupt("hive is cut short", LENGTH + at)),
            }
        }
        Ok(())
    }

    /// Whether a hive bin begins at an offset; its size.
    pub fn bin(&self, offset: u32) -> Result<u32, Error> {
        let mut header = [0; BIN_HEADER as usize];
        self.read(offset, &mut header)?;
        let size = le32(&header, 8);
        let is_sized = size >= BIN && size.is_multiple_of(BIN) && size <= self.bins - offset;
        if !header.starts_with(b"hbin") || le32(&header, 4) != offset || !is_sized {
            return Err(corrupt("wrong header of a hive bin", file_offset(offset)));
        }
        Ok(size)
    }

    /// Looks at all hive bins and at the sizes of all cells in them.
    pub fn check_bins(&self) -> Damage {
        let (mut damage, mut offset) = (Damage::default(), 0);
        while offset < self.bins && !damage.is_too_much() {
            let bin = self.bin(offset);
            let checked = bin.clone().and_then(|size| self.check_cells(offset, size));
            checked.unwrap_or_else(|problem| damage.note(problem));
            // Where one is wrong, the next is looked for at the next place that may have one.
            offset += bin.unwrap_or(BIN);
        }
        damage
    }

    fn check_cells(&self, bin: u32, size: u32) -> Result<(), Error> {
        let mut offset = BIN_HEADER;
        let mut page = vec![0; BIN as usize];
        let mut loaded = NOWHERE;
        while offset < size {
            let at = bin + offset;
            if at / BIN != loaded {
                loaded = at / BIN;
                self.read(loaded * BIN, &mut page)?;
            }
            let cell = le32(&page, (at % BIN) as usize).cast_signed().unsigned_abs();
            if cell < 8 || !cell.is_multiple_of(8) || cell > size - offset {
                return Err(corrupt("wrong size of a cell", file_offset(at)));
            }
            offset += cell;
        }
        Ok(())
    }
}
