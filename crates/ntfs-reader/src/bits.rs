//! Bits as XPRESS and LZX keep them: in little-endian words of 16 bits, highest bit first.

/// Words that may be asked for past the end; the compressors' last codes may stand in the last
/// word, after which the reader looks ahead.
const MOST_MISSING: u32 = 2;

pub struct Bits<'a> {
    input: &'a [u8],
    at: usize,
    /// Bits that were read, the next one highest.
    ahead: u32,
    count: u32,
    missing: u32,
}

impl<'a> Bits<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0, ahead: 0, count: 0, missing: 0 }
    }

    /// Reads ahead until there are 16 bits.
    pub fn fill(&mut self) {
        if self.count >= 16 {
            return;
        }
        let word = if let Some(word) = self.input.get(self.at..self.at + 2) {
            u16::from_le_bytes([word[0], word[1]])
        } else {
            self.missing += 1;
            0
        };
        self.at += 2;
        self.ahead |= u32::from(word) << (16 - self.count);
        self.count += 16;
    }

    /// The next 16 bits, which stay.
    pub fn peek(&mut self) -> u16 {
        self.fill();
        (self.ahead >> 16) as u16
    }

    /// Drops bits of a `peek`.
    pub fn skip(&mut self, count: u32) {
        self.ahead <<= count;
        self.count -= count;
    }

    /// At most 16 bits.
    pub fn take(&mut self, count: u32) -> u16 {
        let bits = u32::from(self.peek()) >> (16 - count);
        self.skip(count);
        bits as u16
    }

    /// A byte that stands after all words that were read ahead.
    pub fn byte(&mut self) -> Option<u8> {
        let byte = self.input.get(self.at).copied();
        self.at += 1;
        byte
    }

    /// Bytes from the next word on; if the last word was used up, from the one after the next.
    pub fn align(&mut self) {
        self.fill();
        let words_ahead = (self.count - 1) / 16;
        self.at -= 2 * words_ahead as usize;
        (self.ahead, self.count) = (0, 0);
    }

    /// Bytes that stand after all words that were read ahead.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.input.get(self.at..self.at.checked_add(count)?);
        self.at += count;
        bytes
    }

    /// Whether more was asked for than there is.
    pub fn ran_out(&self) -> bool {
        self.missing > MOST_MISSING
    }
}
