//! What the logs put over the hive bins: byte ranges, each of which is read from a log.

use crate::error::{Error, unsupported};
use block_source::BlockSource;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most ranges that are kept.
const MOST: usize = 1 << 20;

/// Ranges by their first byte; none overlaps another.
#[derive(Default)]
pub struct Overlay {
    ranges: BTreeMap<u64, Piece>,
}

/// A range that is read from a log.
#[derive(Clone)]
struct Piece {
    end: u64,
    log: Arc<dyn BlockSource>,
    /// Byte of the log where it begins.
    at: u64,
}

/// Where the bytes from some offset on are read, and how many of them.
pub enum Place<'a> {
    Log(&'a Arc<dyn BlockSource>, u64, u64),
    Hive(u64),
}

impl Overlay {
    /// Puts a range over all that was put there before.
    pub fn put(
        &mut self,
        start: u64,
        length: u64,
        log: &Arc<dyn BlockSource>,
        at: u64,
    ) -> Result<(), Error> {
        if self.ranges.len() >= MOST {
            return Err(unsupported(format!("logs of more than {MOST} pages")));
        }
        let end = start + length;
        self.clear(start, end);
        self.ranges.insert(start, Piece { end, log: Arc::clone(log), at });
        Ok(())
    }

    fn clear(&mut self, start: u64, end: u64) {
        if let Some((first, piece)) = self.ranges.range_mut(..start).next_back()
            && piece.end > start
        {
            let tail = Piece { at: piece.at + (end.max(*first) - first), ..piece.clone() };
            piece.end = start;
            if tail.end > end {
                self.ranges.insert(end, tail);
            }
        }
        while let Some((&first, _)) = self.ranges.range(start..end).next() {
            let Some(piece) = self.ranges.remove(&first) else { return };
            if piece.end > end {
                let at = piece.at + (end - first);
                self.ranges.insert(end, Piece { at, ..piece });
            }
        }
    }

    /// Where the byte at `offset` is, and how many bytes from it on are there too.
    pub fn place(&self, offset: u64) -> Place<'_> {
        match self.ranges.range(..=offset).next_back() {
            Some((start, piece)) if piece.end > offset => {
                Place::Log(&piece.log, piece.at + (offset - start), piece.end - offset)
            }
            _ => match self.ranges.range(offset..).next() {
                Some((next, _)) => Place::Hive(next - offset),
                None => Place::Hive(u64::MAX),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against an array of bytes that is written the same way.
    #[test]
    fn later_ranges_hide_earlier_ones() {
        let log: Arc<dyn BlockSource> = Arc::new(Vec::new());
        let mut numbers = 1u64;
        let mut below = |end: u64| {
            numbers = numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (numbers >> 33) % end
        };
        for _ in 0..200 {
            let (mut overlay, mut expected) = (Overlay::default(), [None; 64]);
            for round in 0..12 {
                let (start, length) = (below(48), 1 + below(16));
                overlay.put(start, length, &log, 100 * round).unwrap();
                for byte in 0..length {
                    expected[(start + byte) as usize] = Some(100 * round + byte);
                }
            }
            for (offset, expected) in expected.iter().enumerate() {
                let found = match overlay.place(offset as u64) {
                    Place::Log(_, at, _) => Some(at),
                    Place::Hive(_) => None,
                };
                assert_eq!(found, *expected);
            }
        }
    }
}
