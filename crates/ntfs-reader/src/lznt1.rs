//! LZNT1, the compression of NTFS:
//! <https://learn.microsoft.com/openspecs/windows_protocols/ms-xca/5655f4a3-6ba4-489b-959f-e1f407c52f15>.
//! Chunks of 4096 bytes, each literal bytes and copies of what came before in the chunk.

use crate::bytes::{part, u16_at};

const CHUNK: usize = 4096;
const COMPRESSED: u16 = 0x8000;

/// Fills `out`; what the input does not reach is zero.
pub fn decompress(input: &[u8], out: &mut [u8]) -> Result<(), &'static str> {
    let mut at = 0;
    for chunk in out.chunks_mut(CHUNK) {
        let head = u16_at(input, at);
        let filled = if head == 0 {
            at = input.len();
            0
        } else {
            let length = usize::from(head & 0xfff) + 1;
            let body = part(input, at + 2, length).ok_or("compressed chunk past its unit: file")?;
            at += 2 + length;
            if head & COMPRESSED == 0 { copy(body, chunk)? } else { expand(body, chunk)? }
        };
        chunk[filled..].fill(0);
    }
    Ok(())
}

fn copy(body: &[u8], chunk: &mut [u8]) -> Result<usize, &'static str> {
    let target = chunk.get_mut(..body.len()).ok_or("stored chunk longer than a chunk: file")?;
    target.copy_from_slice(body);
    Ok(body.len())
}

/// Gives the number of bytes that were written.
fn expand(body: &[u8], chunk: &mut [u8]) -> Result<usize, &'static str> {
    let (mut at, mut filled) = (0, 0);
    while at < body.len() {
        let flags = body[at];
        at += 1;
        for bit in 0..8 {
            if at >= body.len() {
                break;
            }
            if flags >> bit & 1 == 0 {
                *chunk.get_mut(filled).ok_or("compressed chunk longer than a chunk: file")? =
                    body[at];
                at += 1;
                filled += 1;
            } else {
                let token = part(body, at, 2).ok_or("compressed chunk that ends early: file")?;
                filled = repeat(u16_at(token, 0), chunk, filled)?;
                at += 2;
            }
        }
    }
    Ok(filled)
}

/// The further a chunk is filled, the more bits of a copy are its distance, and the fewer its
/// length.
fn repeat(token: u16, chunk: &mut [u8], filled: usize) -> Result<usize, &'static str> {
    let mut length_bits = 12;
    while filled > 16 << (12 - length_bits) {
        length_bits -= 1;
    }
    let distance = usize::from(token >> length_bits) + 1;
    let length = usize::from(token & ((1 << length_bits) - 1)) + 3;
    if distance > filled || length > chunk.len() - filled {
        return Err("copy out of range in compressed chunk: file");
    }
    for target in filled..filled + length {
        chunk[target] = chunk[target - distance];
    }
    Ok(filled + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification: MS-XCA, 3.2.
    #[test]
    fn the_example_of_the_specification() {
        let compressed = [
            0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2,
            0x47, 0x01, 0xa0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0,
            0x45, 0x20, 0x05, 0x24, 0x13, 0x88, 0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58,
            0x02, 0x8c, 0x09, 0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00, 0x04, 0x01,
            0x18, 0x90, 0x00,
        ];
        let text = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E \
                    F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        let mut out = vec![0xaa; text.len() + 5];
        decompress(&compressed, &mut out).unwrap();
        assert_eq!(&out[..text.len()], text.as_bytes());
        assert_eq!(out[text.len()..], [0; 5]);
    }

    #[test]
    fn damage_is_told() {
        let mut out = [0; CHUNK];
        assert!(decompress(&[0x10, 0xb0, 0], &mut out).is_err());
        assert!(decompress(&[0x02, 0xb0, 1, 0, 0], &mut out).is_err());
        assert!(decompress(&[0x03, 0xb0, 2, b'a', 0xff, 0xff], &mut out).is_err());
    }
}
