//! Marvin32, the hash of log entries, over whole words: an entry's length is a multiple of eight.

use crate::bytes::le32s;

const SEED: u64 = 0x82EF_4D88_7A4E_55C5;

/// A hash that is fed piece by piece.
#[derive(Debug, Clone, Copy)]
pub struct Marvin {
    low: u32,
    high: u32,
}

impl Marvin {
    pub fn new() -> Self {
        Self { low: SEED as u32, high: (SEED >> 32) as u32 }
    }

    /// Takes whole words; what is left of four bytes is not seen.
    pub fn feed(&mut self, bytes: &[u8]) {
        le32s(bytes).for_each(|word| self.mix(word));
    }

    pub fn end(mut self) -> u64 {
        self.mix(0x80);
        self.mix(0);
        u64::from(self.high) << 32 | u64::from(self.low)
    }

    fn mix(&mut self, word: u32) {
        self.low = self.low.wrapping_add(word);
        self.high ^= self.low;
        self.low = self.low.rotate_left(20).wrapping_add(self.high);
        self.high = self.high.rotate_left(9) ^ self.low;
        self.low = self.low.rotate_left(27).wrapping_add(self.high);
        self.high = self.high.rotate_left(19);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The start of an entry that Windows 10 wrote, and the second hash in it.
    #[test]
    fn as_windows() {
        let words = [0x454c_7648u32, 0x1e00, 0, 3, 0x5000, 1];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(FIRST.to_le_bytes());
        let mut marvin = Marvin::new();
        marvin.feed(&bytes);
        assert_eq!(marvin.end(), SECOND);
    }

    const FIRST: u64 = 0x4746_A817_0770_1E5D;
    const SECOND: u64 = 0xE637_DCAF_F687_7267;
}
