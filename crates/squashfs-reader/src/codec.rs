//! Unpacking of one block, into no more bytes than it may have.

use crate::superblock::Compression;
use std::io::Read;

/// Memory that a dictionary of xz or lzma may take: blocks are of at most 1 MiB.
const DICTIONARY_KIB: u32 = 64 << 10;

/// The unpacked bytes; `None` if they are damaged or more than `most`.
pub fn unpack(kind: Compression, packed: &[u8], most: usize) -> Option<Vec<u8>> {
    match kind {
        Compression::Gzip => take(flate2::read::ZlibDecoder::new(packed), most),
        Compression::Xz => {
            let reader = lzma_rust2::XzReader::new_mem_limit(packed, false, DICTIONARY_KIB);
            take(reader, most)
        }
        Compression::Lzma => {
            let reader = lzma_rust2::LzmaReader::new_mem_limit(packed, DICTIONARY_KIB, None);
            take(reader.ok()?, most)
        }
        Compression::Lzo => {
            lzo1x::decompress(packed, most).ok().filter(|bytes| bytes.len() <= most)
        }
        Compression::Lz4 => {
            let mut bytes = vec![0; most];
            let length = lz4_flex::block::decompress_into(packed, &mut bytes).ok()?;
            bytes.truncate(length);
            Some(bytes)
        }
        Compression::Zstd => zstd::bulk::decompress(packed, most).ok(),
    }
}

fn take(reader: impl Read, most: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most);
    reader.take(most as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= most).then_some(bytes)
}
