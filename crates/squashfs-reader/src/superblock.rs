//! The superblock: 96 bytes at the start.

use crate::error::{Error, corrupt};
use crate::inode::InodeRef;
use block_source::{BlockSource, ReadError};

const SIZE: usize = 96;
/// A table that is not there.
const NONE: u64 = u64::MAX;

/// What the superblock tells.
#[derive(Debug, Clone)]
pub struct Superblock {
    /// Bytes of a data block.
    pub block_size: u32,
    /// Seconds since 1970 at which the image was made.
    pub made: u32,
    /// How blocks are packed.
    pub compression: Compression,
    /// Bytes of the image.
    pub bytes_used: u64,
    pub(crate) root: InodeRef,
    pub(crate) fragments: u32,
    pub(crate) ids: u16,
    pub(crate) id_table: u64,
    pub(crate) xattr_table: Option<u64>,
    pub(crate) inode_table: u64,
    pub(crate) directory_table: u64,
    pub(crate) fragment_table: Option<u64>,
}

/// How blocks are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say it")]
pub enum Compression {
    Gzip,
    Lzma,
    Lzo,
    Xz,
    Lz4,
    Zstd,
}

pub fn claims(source: &dyn BlockSource) -> Result<bool, ReadError> {
    let mut magic = [0; 4];
    if source.size() < SIZE as u64 {
        return Ok(false);
    }
    source.read_exact_at(0, &mut magic)?;
    Ok(matches!(&magic, b"hsqs" | b"sqsh"))
}

impl Superblock {
    pub(crate) fn read(source: &dyn BlockSource) -> Result<Self, Error> {
        let mut bytes = [0; SIZE];
        source.read_exact_at(0, &mut bytes)?;
        let (major, minor) = (short(&bytes, 28), short(&bytes, 30));
        match &bytes[..4] {
            b"hsqs" if (major, minor) == (4, 0) => {}
            b"hsqs" => {
                return Err(Error::Unsupported { feature: format!("squashfs {major}.{minor}") });
            }
            b"sqsh" => {
                let feature = "squashfs in big-endian order, before 4.0".to_owned();
                return Err(Error::Unsupported { feature });
            }
            _ => return Err(corrupt("no superblock", 0)),
        }
        let (block_size, log) = (word(&bytes, 12), short(&bytes, 22));
        if !(12..=20).contains(&log) || 1 << log != block_size {
            return Err(corrupt("block size", 12));
        }
        let table = |at| Some(long(&bytes, at)).filter(|at| *at != NONE);
        Ok(Self {
            block_size,
            made: word(&bytes, 8),
            compression: Compression::of(short(&bytes, 20))?,
            bytes_used: long(&bytes, 40),
            root: InodeRef(long(&bytes, 32)),
            fragments: word(&bytes, 16),
            ids: short(&bytes, 26),
            id_table: long(&bytes, 48),
            xattr_table: table(56),
            inode_table: long(&bytes, 64),
            directory_table: long(&bytes, 72),
            fragment_table: table(80),
        })
    }
}

impl Compression {
    fn of(number: u16) -> Result<Self, Error> {
        Ok(match number {
            1 => Self::Gzip,
            2 => Self::Lzma,
            3 => Self::Lzo,
            4 => Self::Xz,
            5 => Self::Lz4,
            6 => Self::Zstd,
            other => {
                let feature = format!("squashfs compression {other}");
                return Err(Error::Unsupported { feature });
            }
        })
    }
}

/// Numbers of a fixed-size array; the offsets are ours.
pub fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}
