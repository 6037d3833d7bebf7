//! A device some of whose blocks are read from elsewhere on it.

use super::superblock::MAGIC;
use block_source::{BlockSource, ReadError, check_bounds};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Where the copy of a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The block of the device that holds it.
    pub block: u64,
    /// The first four bytes are the journal's magic number, in place of what stands there.
    pub escaped: bool,
}

/// The device as it would be after the replay.
pub struct Overlay {
    device: Arc<dyn BlockSource>,
    block_size: u64,
    places: BTreeMap<u64, Place>,
}

/// A part of a read, and the escaped copy that it starts in.
struct Piece {
    device: Range<u64>,
    /// Bytes between the start of an escaped copy and this piece.
    escaped_before: Option<u64>,
}

impl Overlay {
    pub fn new(
        device: Arc<dyn BlockSource>,
        block_size: u64,
        places: BTreeMap<u64, Place>,
    ) -> Self {
        Self { device, block_size, places }
    }

    /// Where some bytes really are on the device, in order.
    pub fn locate(&self, ranges: &[Range<u64>]) -> Vec<Range<u64>> {
        if self.places.is_empty() {
            return ranges.to_vec();
        }
        let mut found: Vec<Range<u64>> = Vec::new();
        for piece in ranges.iter().flat_map(|range| self.pieces(range.clone())) {
            match found.last_mut() {
                Some(last) if last.end == piece.device.start => last.end = piece.device.end,
                _ => found.push(piece.device),
            }
        }
        found
    }

    /// Cuts a range where it enters or leaves a replaced block.
    fn pieces(&self, range: Range<u64>) -> impl Iterator<Item = Piece> {
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let (block, within) = (at / self.block_size, at % self.block_size);
            let start = at;
            Some(match self.places.range(block..).next() {
                Some((replaced, place)) if *replaced == block => {
                    at = range.end.min(start - within + self.block_size);
                    let from = place.block * self.block_size + within;
                    Piece {
                        device: from..from + (at - start),
                        escaped_before: place.escaped.then_some(within),
                    }
                }
                next => {
                    let until = next.map_or(u64::MAX, |(replaced, _)| replaced * self.block_size);
                    at = range.end.min(until);
                    Piece { device: start..at, escaped_before: None }
                }
            })
        })
    }
}

impl BlockSource for Overlay {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size(), offset, out.len())?;
        let mut rest = out;
        let end = offset + rest.len() as u64;
        for piece in self.pieces(offset..end) {
            let length = (piece.device.end - piece.device.start) as usize;
            let (part, after) = rest.split_at_mut(length);
            self.device.read_exact_at(piece.device.start, part)?;
            if let Some(before) = piece.escaped_before.filter(|before| *before < 4) {
                let magic = MAGIC.to_be_bytes();
                let bytes = part.iter_mut().zip(&magic[before as usize..]);
                bytes.for_each(|(byte, magic)| *byte = *magic);
            }
            rest = after;
        }
        Ok(())
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.device.will_need(&self.locate(ranges));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cross_replaced_blocks_and_get_the_magic_number_back() {
        let device: Vec<u8> = (0..64).collect();
        let places =
            [(1, Place { block: 6, escaped: true }), (3, Place { block: 0, escaped: false })];
        let overlay = Overlay::new(Arc::new(device.clone()), 8, places.into_iter().collect());
        let mut expected = device.clone();
        expected[8..16].copy_from_slice(&device[48..56]);
        expected[8..12].copy_from_slice(&[0xc0, 0x3b, 0x39, 0x98]);
        expected[24..32].copy_from_slice(&device[..8]);
        for start in 0..64 {
            for end in start..=64 {
                let mut out = vec![0xaa; end - start];
                overlay.read_exact_at(start as u64, &mut out).unwrap();
                assert_eq!(out, expected[start..end], "{start}..{end}");
            }
        }
        assert!(overlay.read_exact_at(60, &mut [0; 5]).is_err());
        assert_eq!(overlay.locate(&[4..20, 24..40]), [4..8, 48..56, 16..20, 0..8, 32..40]);
    }
}
