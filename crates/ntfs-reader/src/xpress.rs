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

#[cfg(test)]
mod tests {
    use super::*;

    /// What wimlib 1.13 makes of a hundred lines, after the lengths of the codes: pairs of their
    /// place and value.
    const LENGTHS: &[(usize, u8)] = &[
        (5, 0x07),
        (16, 0x08),
        (24, 0x58),
        (25, 0x55),
        (26, 0x55),
        (27, 0x45),
        (28, 0x44),
        (50, 0x80),
        (52, 0x80),
        (54, 0x07),
        (55, 0x08),
        (128, 0x08),
        (144, 0x80),
        (145, 0x50),
        (170, 0x08),
        (178, 0x71),
        (186, 0x70),
        (194, 0x60),
        (202, 0x60),
    ];
    #[rustfmt::skip]
    const LINES: &[u8] = &[
        0xf7, 0xf3, 0xf5, 0xf9, 0xf3, 0xf1, 0xcf, 0xe3, 0x6e, 0xf7, 0xe7, 0x77, 0x79, 0x8e, 0xae, 0xe7,
        0xe7, 0x7b, 0xe7, 0x1c, 0x7f, 0x9d, 0xd0, 0xff, 0x2c, 0xe2, 0xc2, 0x26, 0x2e, 0xac, 0x2c, 0xc3,
        0xc3, 0x36, 0x3e, 0xac, 0x2e, 0xc4, 0xfe, 0x42, 0x10, 0xcc, 0x0b, 0xb9, 0xb9, 0x90, 0x90, 0x0b,
        0x0b, 0xb9, 0xb9, 0x90, 0x10, 0x0c, 0x0c, 0xc1, 0xd2, 0x7b, 0x04, 0x43, 0x43, 0x30, 0x30, 0x04,
        0x04, 0x43, 0x43, 0x30, 0x32, 0x24, 0x24, 0x43, 0xd1, 0x33, 0x0c, 0xd1, 0xc9, 0x90, 0x90, 0x0c,
        0x0c, 0xc9, 0xd1, 0x90, 0x10, 0x0d, 0x0d, 0xd1, 0xd7, 0x10, 0x64, 0x51, 0x43, 0x34, 0x34, 0x44,
        0x44, 0x43, 0x43, 0x36, 0x36, 0x64, 0x64, 0x43, 0x43, 0x36, 0x6e, 0x7d, 0xd9, 0x10, 0x90, 0x0d,
        0x08, 0xd9, 0x04, 0x21, 0x84, 0x20, 0x82, 0x10, 0x42, 0x10, 0x16, 0x3b, 0x82, 0x90, 0x42, 0x10,
        0x49, 0x48, 0x21, 0x09, 0x24, 0x24, 0x90, 0x84, 0x13, 0x92, 0xf8, 0xd9, 0x90, 0x84, 0x14, 0xa2,
        0x88, 0x42, 0x0a, 0x51, 0x44, 0x21, 0x85, 0x28, 0xae, 0x10, 0xf5, 0xd9, 0xf4, 0xe3, 0x00, 0x00,
    ];

    fn compressed() -> Vec<u8> {
        let mut bytes = vec![0; super::LENGTHS];
        for (at, value) in LENGTHS {
            bytes[*at] = *value;
        }
        bytes.extend(LINES);
        bytes
    }

    #[test]
    fn what_wimlib_compressed() {
        let line = |line| format!("line {line}\n").into_bytes();
        let lines: Vec<u8> = (0..100).flat_map(line).collect();
        let mut out = vec![0xaa; lines.len()];
        assert!(decompress(&compressed(), &mut out).is_some());
        assert_eq!(out, lines);
    }

    #[test]
    fn damage_is_told() {
        let mut out = vec![0; 790];
        let bytes = compressed();
        assert!(decompress(&bytes[..bytes.len() - 20], &mut out).is_none());
        assert!(decompress(&bytes[..200], &mut out).is_none());
        assert!(decompress(&[0; 300], &mut out).is_none());
        assert!(decompress(&[0x11; 300], &mut out).is_none());
    }
}
