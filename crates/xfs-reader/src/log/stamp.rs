//! What the kernel writes into blocks of metadata of version 5 just before it writes them out:
//! the place in the log of their last change, and their checksum. Blocks in the log have neither.

use crate::bytes::{be16, be32, be64, uuid};
use crate::checksum;

/// Kinds of buffers, as the log names them.
mod kind {
    pub const BTREE: u16 = 4;
    pub const AGF: u16 = 5;
    pub const AGFL: u16 = 6;
    pub const AGI: u16 = 7;
    pub const SYMLINK: u16 = 9;
    pub const DIRECTORY_BLOCK: u16 = 10;
    pub const DIRECTORY_DATA: u16 = 11;
    pub const DIRECTORY_FREE: u16 = 12;
    pub const DIRECTORY_LEAF_1: u16 = 13;
    pub const DIRECTORY_LEAF_N: u16 = 14;
    pub const NODE: u16 = 15;
    pub const ATTRIBUTE_LEAF: u16 = 16;
    pub const SUPERBLOCK: u16 = 18;
}

/// Where a kind of block keeps these things.
struct Layout {
    kind: u16,
    lsn: usize,
    uuid: usize,
    checksum: usize,
}

const SUPERBLOCK: Layout = Layout { kind: kind::SUPERBLOCK, lsn: 240, uuid: 32, checksum: 224 };
/// Where the superblock keeps the UUID of metadata, if it is another than that of users.
const META_UUID: usize = 248;
const INCOMPAT: usize = 216;

impl Layout {
    const fn short_btree() -> Self {
        Self { kind: kind::BTREE, lsn: 24, uuid: 32, checksum: 52 }
    }

    const fn long_btree() -> Self {
        Self { kind: kind::BTREE, lsn: 32, uuid: 40, checksum: 64 }
    }

    const fn directory(kind: u16) -> Self {
        Self { kind, lsn: 16, uuid: 24, checksum: 4 }
    }

    const fn node(kind: u16) -> Self {
        Self { kind, lsn: 24, uuid: 32, checksum: 12 }
    }

    /// By the magic number of what a block holds.
    fn of(block: &[u8]) -> Option<Self> {
        Some(match &be32(block, 0).to_be_bytes() {
            // Free space by place and by size, inodes, free inodes, owners, references.
            b"AB3B" | b"AB3C" | b"IAB3" | b"FIB3" | b"RMB3" | b"R3FC" => Self::short_btree(),
            b"BMA3" => Self::long_btree(),
            b"XAGF" => Self { kind: kind::AGF, lsn: 208, uuid: 64, checksum: 216 },
            b"XAFL" => Self { kind: kind::AGFL, lsn: 24, uuid: 8, checksum: 32 },
            b"XAGI" => Self { kind: kind::AGI, lsn: 320, uuid: 296, checksum: 312 },
            b"XSLM" => Self { kind: kind::SYMLINK, lsn: 48, uuid: 16, checksum: 12 },
            b"XDB3" => Self::directory(kind::DIRECTORY_BLOCK),
            b"XDD3" => Self::directory(kind::DIRECTORY_DATA),
            b"XDF3" => Self::directory(kind::DIRECTORY_FREE),
            b"XFSB" => SUPERBLOCK,
            _ => return Self::of_node(block),
        })
    }

    fn of_node(block: &[u8]) -> Option<Self> {
        Some(match be16(block, 8) {
            0x3df1 => Self::node(kind::DIRECTORY_LEAF_1),
            0x3dff => Self::node(kind::DIRECTORY_LEAF_N),
            0x3ebe => Self::node(kind::NODE),
            0x3bee => Self::node(kind::ATTRIBUTE_LEAF),
            _ => return None,
        })
    }
}

/// The place in the log of a block's last change that was written out, if it tells one and belongs
/// to this filesystem.
pub fn last_change(block: &[u8], meta_uuid: &[u8; 16]) -> Option<u64> {
    let layout = Layout::of(block)?;
    let own_uuid =
        layout.kind == kind::SUPERBLOCK && be32(block, INCOMPAT) & crate::incompat::META_UUID != 0;
    let at = if own_uuid { META_UUID } else { layout.uuid };
    let lsn = be64(block, layout.lsn);
    (uuid(block, at) == *meta_uuid && lsn != 0 && lsn != u64::MAX).then_some(lsn)
}

/// Stamps a block that holds what the log says that it holds.
pub fn stamp(block: &mut [u8], kind: u16, lsn: u64) {
    let Some(layout) = Layout::of(block).filter(|layout| layout.kind == kind) else { return };
    if block.len() < layout.checksum + 4 || block.len() < layout.lsn + 8 {
        return;
    }
    block[layout.lsn..layout.lsn + 8].copy_from_slice(&lsn.to_be_bytes());
    let sum = checksum::checksum(block, layout.checksum);
    block[layout.checksum..layout.checksum + 4].copy_from_slice(&sum.to_le_bytes());
}
