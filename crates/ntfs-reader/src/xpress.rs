//! XPRESS with Huffman codes:
//! <https://learn.microsoft.com/openspecs/windows_protocols/ms-xca/a8b7cb0a-92a6-4187-a23b-5e14273b96f8>.

use crate::bits::Bits;
use crate::huffman::Huffman;

const LENGTHS: usize = 256;

/// Fills `out`, which must be the whole that was compressed.
pub fn decompress(input: &[u8], out: &mut [u8]) -> Option<()> {
    let (packed, rest) = input.split_at_checked(LENGTHS)?;
    let lengths: Vec<u8> = packed.iter().flat_map(|pair| [pair & 0xf, pair >> 4]).collect();
    let code = Huffman::new(&lengths)?;
    let mut bits = Bits::new(rest);
    let mut filled = 0;
    while filled < out.len() {
        let symbol = code.decode(&mut bits)?;
        if bits.ran_out() {
            return None;
        }
        if symbol < 256 {
            out[filled] = symbol as u8;
            filled += 1;
            continue;
        }
        let length = length(symbol & 0xf, &mut bits)?;
        let distance_bits = u32::from(symbol >> 4 & 0xf);
        let distance = 1 << distance_bits | usize::from(bits.take(distance_bits));
        filled = repeat(out, filled, distance, length)?;
    }
    Some(())
}

/// A long length stands in bytes after the words that were read ahead.
fn length(stored: u16, bits: &mut Bits) -> Option<usize> {
    let mut length = usize::from(stored);
    if stored == 0xf {
        bits.fill();
        let more = bits.byte()?;
        length += usize::from(more);
        if more == 0xff {
            length = usize::from(u16::from_le_bytes([bits.byte()?, bits.byte()?]));
        }
    }
    Some(length + 3)
}

/// Repeats what stands `distance` bytes before; gives where it ends.
pub fn repeat(out: &mut [u8], filled: usize, distance: usize, length: usize) -> Option<usize> {
    if distance == 0 || distance > filled || length > out.len() - filled {
        return None;
    }
    if distance >= length {
        out.copy_within(filled - distance..filled - distance + length, filled);
    } else {
        for target in filled..filled + length {
            out[target] = out[target - distance];
        }
    }
    Some(filled + length)
}
