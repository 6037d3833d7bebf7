//! LZX as WIM images and WOF use it, with a window of 32 KiB, each chunk for itself:
//! <https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-patch/cc78752a-b4af-4eee-88cb-01f4d8a4c2bf>,
//! with one bit for the usual block size, and call instructions translated in every chunk.

use crate::bits::Bits;
use crate::huffman::Huffman;
use crate::xpress::repeat;

pub const CHUNK: usize = 32 << 10;
/// A position slot for each power of two and a half up to the window, times eight lengths.
const MAIN: usize = 256 + 30 * 8;
const LENGTHS: usize = 249;

/// What a chunk carries from block to block.
struct State {
    recent: [u32; 3],
    main: [u8; MAIN],
    lengths: [u8; LENGTHS],
}

/// Fills `out`, which must be the whole that was compressed.
pub fn decompress(input: &[u8], out: &mut [u8]) -> Option<()> {
    let mut bits = Bits::new(input);
    let mut state = State { recent: [1; 3], main: [0; MAIN], lengths: [0; LENGTHS] };
    let mut filled = 0;
    while filled < out.len() {
        let kind = bits.take(3);
        let size = if bits.take(1) == 1 { CHUNK } else { usize::from(bits.take(16)) };
        if size == 0 || size > out.len() - filled || bits.ran_out() {
            return None;
        }
        let end = filled + size;
        match kind {
            1 | 2 => state.expand(&mut bits, &mut out[..end], filled, kind == 2)?,
            3 => state.copy(&mut bits, &mut out[filled..end])?,
            _ => return None,
        }
        filled = end;
    }
    translate_calls(out);
    Some(())
}

impl State {
    /// A block that is not compressed.
    fn copy(&mut self, bits: &mut Bits, out: &mut [u8]) -> Option<()> {
        bits.align();
        for recent in &mut self.recent {
            *recent = u32::from_le_bytes(bits.bytes(4)?.try_into().ok()?);
        }
        out.copy_from_slice(bits.bytes(out.len())?);
        if out.len() % 2 == 1 {
            bits.bytes(1)?;
        }
        Some(())
    }

    /// A block that is compressed; `out` ends where it ends.
    fn expand(
        &mut self,
        bits: &mut Bits,
        out: &mut [u8],
        from: usize,
        aligned: bool,
    ) -> Option<()> {
        let aligned = if aligned { Some(aligned_code(bits)?) } else { None };
        let (literals, matches) = self.main.split_at_mut(256);
        read_lengths(bits, literals)?;
        read_lengths(bits, matches)?;
        read_lengths(bits, &mut self.lengths)?;
        let main = Huffman::new(&self.main)?;
        let lengths = Huffman::new(&self.lengths)?;
        let mut filled = from;
        while filled < out.len() {
            let symbol = main.decode(bits)?;
            if bits.ran_out() {
                return None;
            }
            if symbol < 256 {
                out[filled] = symbol as u8;
                filled += 1;
                continue;
            }
            let mut length = usize::from(symbol & 7) + 2;
            if symbol & 7 == 7 {
                length += usize::from(lengths.decode(bits)?);
            }
            let distance =
                self.distance(usize::from((symbol - 256) >> 3), bits, aligned.as_ref())?;
            filled = repeat(out, filled, distance as usize, length)?;
        }
        Some(())
    }

    /// The distance of a slot; the last three are kept, and have slots of their own.
    fn distance(&mut self, slot: usize, bits: &mut Bits, aligned: Option<&Huffman>) -> Option<u32> {
        if slot < 3 {
            self.recent.swap(0, slot);
            return Some(self.recent[0]);
        }
        let extra = (slot / 2).saturating_sub(1) as u32;
        let base = if slot < 4 { slot as u32 } else { (2 + slot as u32 % 2) << extra };
        let offset = match aligned {
            Some(code) if extra >= 3 => {
                u32::from(bits.take(extra - 3)) << 3 | u32::from(code.decode(bits)?)
            }
            _ => u32::from(bits.take(extra)),
        };
        let distance = base + offset - 2;
        self.recent = [distance, self.recent[0], self.recent[1]];
        Some(distance)
    }
}

fn aligned_code(bits: &mut Bits) -> Option<Huffman> {
    let lengths: [u8; 8] = std::array::from_fn(|_| bits.take(3) as u8);
    Huffman::new(&lengths)
}

/// Lengths are told as differences to those of the last block, in a code of their own.
fn read_lengths(bits: &mut Bits, lengths: &mut [u8]) -> Option<()> {
    let own: [u8; 20] = std::array::from_fn(|_| bits.take(4) as u8);
    let code = Huffman::new(&own)?;
    let mut at = 0;
    while at < lengths.len() {
        let symbol = code.decode(bits)?;
        if bits.ran_out() {
            return None;
        }
        let (count, length) = match symbol {
            17 => (4 + bits.take(4), 0),
            18 => (20 + bits.take(5), 0),
            19 => {
                let count = 4 + bits.take(1);
                let symbol = code.decode(bits)?;
                (count, less(lengths[at], symbol)?)
            }
            symbol => (1, less(lengths[at], symbol)?),
        };
        // The compressor may run over the end.
        let end = lengths.len().min(at + usize::from(count));
        lengths[at..end].fill(length);
        at = end;
    }
    Some(())
}

fn less(last: u8, by: u16) -> Option<u8> {
    (by <= 16).then(|| ((u16::from(last) + 17 - by) % 17) as u8)
}

/// Calls of x86 code lead to absolute places while compressed.
fn translate_calls(out: &mut [u8]) {
    const FILE_SIZE: i32 = 12_000_000;
    let mut at = 0;
    while at + 10 < out.len() {
        if out[at] != 0xe8 {
            at += 1;
            continue;
        }
        let stored = i32::from_le_bytes([out[at + 1], out[at + 2], out[at + 3], out[at + 4]]);
        let here = i32::try_from(at).unwrap_or(i32::MAX);
        if (-here..FILE_SIZE).contains(&stored) {
            let relative = if stored >= 0 { stored - here } else { stored + FILE_SIZE };
            out[at + 1..at + 5].copy_from_slice(&relative.to_le_bytes());
        }
        at += 5;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What wimlib 1.13 makes of a hundred lines.
    #[rustfmt::skip]
    const LINES: &[u8] = &[
        0x31, 0x20, 0x00, 0x62, 0x00, 0x00, 0x33, 0x00, 0x50, 0x03, 0x42, 0x00, 0x6a, 0x5e, 0x75, 0x86,
        0xb6, 0xdb, 0xcd, 0xff, 0x10, 0xe0, 0x1f, 0x29, 0x6e, 0xbf, 0x00, 0x60, 0x00, 0x00, 0x80, 0x06,
        0x00, 0x80, 0x21, 0x88, 0xbc, 0xe1, 0x92, 0xc5, 0x8f, 0xb7, 0x80, 0xbe, 0x00, 0x80, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x87, 0x00, 0xff, 0xff, 0x3e, 0xff, 0x3f, 0xff, 0xfe, 0x7e, 0xf8, 0xbc,
        0xfc, 0xf7, 0xee, 0xfa, 0xbe, 0xbb, 0xb1, 0xf3, 0xed, 0xd9, 0xfb, 0x76, 0x03, 0x9f, 0xfe, 0xe7,
        0xd3, 0xf4, 0x21, 0x6e, 0x5b, 0x2a, 0xb4, 0xe4, 0x4d, 0xd3, 0xd3, 0x34, 0x34, 0x4d, 0x6d, 0xd3,
        0xdb, 0xb6, 0xb6, 0x6d, 0x6d, 0xdb, 0xe3, 0xb8, 0x38, 0x8e, 0x8e, 0xe3, 0xe2, 0x38, 0x84, 0x10,
        0x08, 0x21, 0x10, 0x42, 0xa5, 0x94, 0x4a, 0x29, 0x94, 0x52, 0x4a, 0xa9, 0x94, 0x52, 0x29, 0xa5,
        0x5a, 0x4b, 0xb5, 0xd6, 0x6b, 0xad, 0x18, 0x5b, 0x31, 0xc6, 0x63, 0x8c, 0x9e, 0x19, 0x00, 0x00,
    ];

    #[test]
    fn what_wimlib_compressed() {
        let line = |line| format!("line {line}\n").into_bytes();
        let lines: Vec<u8> = (0..100).flat_map(line).collect();
        let mut out = vec![0xaa; lines.len()];
        assert!(decompress(LINES, &mut out).is_some());
        assert_eq!(out, lines);
    }

    /// wimlib makes none of these, but its decompressor reads these two as "hello" and "abc".
    #[test]
    fn blocks_that_are_not_compressed() {
        let recent = [1, 0, 0, 0].repeat(3);
        let first = [&[0x00, 0x60, 0x00, 0x50], &recent[..], b"hello\0"].concat();
        let second = [&[0x00, 0x60, 0x00, 0x30], &recent[..], b"abc\0"].concat();
        let blocks = [first, second].concat();
        let mut out = [0; 8];
        assert!(decompress(&blocks, &mut out).is_some());
        assert_eq!(&out, b"helloabc");
        assert!(decompress(&blocks[..30], &mut out).is_none());
    }

    #[test]
    fn damage_is_told() {
        let mut out = vec![0; 790];
        assert!(decompress(&LINES[..LINES.len() - 20], &mut out).is_none());
        assert!(decompress(&[0; 100], &mut out).is_none());
        assert!(decompress(&[0xff; 100], &mut out).is_none());
    }
}
