//! The first block of a journal.
//! <https://docs.kernel.org/filesystems/ext4/journal.html#super-block>

use crate::Error;
use crate::bytes::be32_at;
use crate::checksum::crc32c;
use std::ops::Range;

pub const MAGIC: u32 = 0xc03b_3998;
const VERSION_1: u32 = 3;
const VERSION_2: u32 = 4;
const LENGTH: usize = 1024;
const CHECKSUM: usize = 0xfc;
const DEFAULT_FAST_COMMIT_BLOCKS: u32 = 256;
/// Blocks that the log has at least beside those for fast commits.
const FEWEST_BLOCKS: u32 = 1024;

const COMPAT_CHECKSUM: u32 = 0x1;
mod incompat {
    pub const BITS_64: u32 = 0x2;
    pub const ASYNC_COMMIT: u32 = 0x4;
    pub const CSUM_V2: u32 = 0x8;
    pub const CSUM_V3: u32 = 0x10;
    pub const FAST_COMMIT: u32 = 0x20;
    /// And revoke records.
    pub const KNOWN: u32 = 0x3f;
}

/// What protects the blocks of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    None,
    /// One sum over a whole transaction, in its commit block.
    Transactions,
    /// A sum in each block, and 16 bits (or 32) of one for each copy.
    Blocks {
        seed: u32,
        wide: bool,
    },
}

/// A journal's superblock whose numbers make sense together. Numbers of blocks count from the
/// start of the journal.
#[derive(Debug, Clone)]
pub struct JournalSuperblock {
    /// The first block of the log proper.
    pub first: u32,
    /// The block after the last one of the log proper.
    pub last: u32,
    /// Blocks for fast commits.
    pub fast_commits: Range<u32>,
    /// Sequence number of the transaction that comes first.
    pub sequence: u32,
    /// Where that starts; zero if the log is empty.
    pub start: u32,
    pub protection: Protection,
    /// Numbers of blocks have 64 bits.
    pub wide: bool,
    /// Commit blocks are not waited for, so an interrupted one is no damage.
    pub async_commit: bool,
}

impl JournalSuperblock {
    /// Parses the first block of a journal of `blocks` blocks.
    pub fn parse(raw: &[u8], blocks: u64) -> Result<Self, Error> {
        let version = be32_at(raw, 4);
        if be32_at(raw, 0) != MAGIC || !matches!(version, VERSION_1 | VERSION_2) {
            return Err(Error::corrupt("no journal superblock", version));
        }
        let feature = |at| if version == VERSION_2 { be32_at(raw, at) } else { 0 };
        let (compat, incompat) = (feature(0x24), feature(0x28));
        if incompat & !incompat::KNOWN != 0 {
            return Err(Error::unsupported(format!("journal features {incompat:#x}")));
        }
        let protection = protection(raw, compat, incompat)?;
        let length = be32_at(raw, 0x10);
        let mut found = Self {
            first: be32_at(raw, 0x14),
            last: length,
            fast_commits: 0..0,
            sequence: be32_at(raw, 0x18),
            start: be32_at(raw, 0x1c),
            protection,
            wide: incompat & incompat::BITS_64 != 0,
            async_commit: incompat & incompat::ASYNC_COMMIT != 0,
        };
        let fits = be32_at(raw, 0xc) as usize == raw.len() && u64::from(length) <= blocks;
        if !fits || found.first == 0 || found.first >= length {
            return Err(Error::corrupt("size of the journal", length));
        }
        if incompat & incompat::FAST_COMMIT != 0 {
            found.reserve(be32_at(raw, 0x54));
        }
        if found.start != 0 && !(found.first..found.last).contains(&found.start) {
            return Err(Error::corrupt("start of the journal", found.start));
        }
        Ok(found)
    }

    /// Takes the end of the journal for fast commits; one block between stays unused.
    fn reserve(&mut self, blocks: u32) {
        let blocks = if blocks == 0 { DEFAULT_FAST_COMMIT_BLOCKS } else { blocks };
        let end = self.last;
        if let Some(last) = end.checked_sub(blocks).filter(|last| *last >= FEWEST_BLOCKS) {
            self.last = last;
        }
        self.fast_commits = self.last.saturating_add(1)..end;
    }

    /// Bytes of one tag in a descriptor block, without a UUID.
    pub fn tag_length(&self) -> usize {
        match self.protection {
            Protection::Blocks { wide: true, .. } => 16,
            // Two bytes too many, by an old mistake that became the format.
            Protection::Blocks { .. } => 10 + if self.wide { 4 } else { 0 },
            _ => 8 + if self.wide { 4 } else { 0 },
        }
    }
}

fn protection(raw: &[u8], compat: u32, incompat: u32) -> Result<Protection, Error> {
    let wide = incompat & incompat::CSUM_V3 != 0;
    if wide || incompat & incompat::CSUM_V2 != 0 {
        let sum = |raw: &[u8]| {
            [&raw[..CHECKSUM], &[0; 4], &raw[CHECKSUM + 4..LENGTH]].into_iter().fold(!0, crc32c)
        };
        if raw.len() < LENGTH || sum(raw) != be32_at(raw, CHECKSUM) {
            return Err(Error::corrupt("checksum of the journal superblock", 0_u32));
        }
        return Ok(Protection::Blocks { seed: crc32c(!0, &raw[0x30..0x40]), wide });
    }
    Ok(if compat & COMPAT_CHECKSUM != 0 { Protection::Transactions } else { Protection::None })
}
