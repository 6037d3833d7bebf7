//! Huffman codes that are given by the lengths of their words, shorter words first.

use crate::bits::Bits;

const LONGEST: usize = 16;
/// Words of at most this length are found in a table.
const SHORT: u32 = 9;

pub struct Huffman {
    /// For each value of the next bits the symbol and its length, or length 0.
    short: Vec<(u16, u8)>,
    /// Words of each length.
    counts: [u16; LONGEST + 1],
    /// By length, then by number.
    symbols: Vec<u16>,
}

impl Huffman {
    /// The code of some lengths, of which 0 means that a symbol is not used. A code must use all
    /// words, but may be empty. `None` if it does not.
    pub fn new(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0_u16; LONGEST + 1];
        for length in lengths {
            *counts.get_mut(usize::from(*length))? += 1;
        }
        counts[0] = 0;
        let used: u32 =
            (1..=LONGEST).map(|length| u32::from(counts[length]) << (LONGEST - length)).sum();
        if used != 0 && used != 1 << LONGEST {
            return None;
        }
        let mut symbols: Vec<u16> = (0..lengths.len() as u16).collect();
        symbols.retain(|symbol| lengths[usize::from(*symbol)] != 0);
        symbols.sort_by_key(|symbol| lengths[usize::from(*symbol)]);
        let short = short(&symbols, lengths);
        Some(Self { short, counts, symbols })
    }

    /// The next symbol; `None` if the code is empty.
    pub fn decode(&self, bits: &mut Bits) -> Option<u16> {
        let next = bits.peek();
        let &(symbol, length) = self.short.get(usize::from(next >> (16 - SHORT)))?;
        if length != 0 {
            bits.skip(length.into());
            return Some(symbol);
        }
        self.decode_long(next, bits)
    }

    fn decode_long(&self, next: u16, bits: &mut Bits) -> Option<u16> {
        let (mut first, mut index) = (0_u32, 0);
        for length in 1..=LONGEST {
            let count = u32::from(self.counts[length]);
            let offset = (u32::from(next) >> (LONGEST - length)).checked_sub(first)?;
            if offset < count {
                bits.skip(length as u32);
                return self.symbols.get((index + offset) as usize).copied();
            }
            index += count;
            first = (first + count) << 1;
        }
        None
    }
}

fn short(symbols: &[u16], lengths: &[u8]) -> Vec<(u16, u8)> {
    let mut table = Vec::with_capacity(1 << SHORT);
    for &symbol in symbols {
        let length = lengths[usize::from(symbol)];
        if u32::from(length) > SHORT {
            break;
        }
        let times = 1 << (SHORT - u32::from(length));
        table.extend(std::iter::repeat_n((symbol, length), times));
    }
    if !symbols.is_empty() {
        table.resize(1 << SHORT, (0, 0));
    }
    table
}
