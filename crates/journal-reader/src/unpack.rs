//! Unpacking of a value, into no more bytes than a value may have.

use crate::bytes::le64;
use crate::error::{Error, corrupt};
use std::io::Read;

/// Bytes of the largest value that is read, packed or not.
pub const MOST: usize = 1 << 20;
/// Memory for the dictionary of xz, and for the window of zstd: values are small.
const MOST_WINDOW: u64 = 16 << 20;

const XZ: u8 = 1;
const LZ4: u8 = 2;
const ZSTD: u8 = 4;
/// Any of them.
pub const PACKED: u8 = XZ | LZ4 | ZSTD;

/// The bytes of a value that has these flags.
pub fn unpack(flags: u8, bytes: Vec<u8>, at: u64) -> Result<Vec<u8>, Error> {
    let unpacked = match flags & PACKED {
        0 => return Ok(bytes),
        XZ => {
            let most = (MOST_WINDOW >> 10) as u32;
            take(lzma_rust2::XzReader::new_mem_limit(bytes.as_slice(), false, most))
        }
        LZ4 => lz4(&bytes),
        ZSTD => zstd(&bytes),
        _ => return Err(corrupt("a value of several compressions", at)),
    };
    let unpacked = unpacked.ok_or_else(|| corrupt("a value that cannot be unpacked", at))?;
    if unpacked.len() > MOST {
        return Err(Error::TooLarge { most: MOST as u64, at });
    }
    Ok(unpacked)
}

/// A block behind its unpacked length.
fn lz4(bytes: &[u8]) -> Option<Vec<u8>> {
    let (length, block) = bytes.split_at_checked(8)?;
    let length = usize::try_from(le64(length, 0)).ok()?;
    if length > MOST {
        return Some(vec![0; MOST + 1]);
    }
    // No byte of a block stands for more.
    if length / 255 > block.len() {
        return None;
    }
    let mut unpacked = vec![0; length];
    let got = lz4_flex::block::decompress_into(block, &mut unpacked).ok()?;
    (got == length).then_some(unpacked)
}

fn zstd(bytes: &[u8]) -> Option<Vec<u8>> {
    let decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(bytes, MOST_WINDOW);
    take(decoder.ok()?)
}

/// One byte more than a value may have shows that it has more.
fn take(reader: impl Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MOST as u64 + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
