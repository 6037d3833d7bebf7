//! The superblock at the start of each leg's metadata: `struct dm_raid_superblock` in the kernel's
//! `drivers/md/dm-raid.c`.

use crate::bytes::{u32_at, u64_at};
use block_source::BlockSource;

const MAGIC: &[u8; 4] = b"DmRd";
/// Fields of version 1.9 and later are there.
const EXTENDED: u32 = 1;

/// What a leg's superblock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaidSuperblock {
    pub events: u64,
    /// A bit for each leg that failed.
    failed: [u64; 4],
    /// Bytes of this leg that are filled; all if `None`.
    pub recovered: Option<u64>,
    pub reshaping: bool,
    /// md's numbers for how the legs are used.
    pub level: u32,
    pub layout: u32,
    /// Bytes in front of the data.
    pub data_offset: u64,
}

impl RaidSuperblock {
    /// `None` if there is none, as on a leg that was never in use.
    pub fn read(metadata: &dyn BlockSource) -> Option<Self> {
        let mut raw = vec![0; 512];
        metadata.read_exact_at(0, &mut raw).ok()?;
        if raw[..4] != *MAGIC {
            return None;
        }
        let extended = u32_at(&raw, 4) & EXTENDED != 0;
        let more = |at: usize| if extended { u64_at(&raw, at) } else { 0 };
        let recovered = u64_at(&raw, 32);
        Some(Self {
            events: u64_at(&raw, 16),
            failed: [u64_at(&raw, 24), more(120), more(128), more(136)],
            recovered: (recovered != u64::MAX).then(|| recovered.saturating_mul(512)),
            level: u32_at(&raw, 48),
            layout: u32_at(&raw, 52),
            reshaping: extended && u32_at(&raw, 60) & 1 != 0,
            data_offset: more(96).saturating_mul(512),
        })
    }

    pub fn failed(&self, leg: usize) -> bool {
        self.failed.get(leg / 64).is_some_and(|bits| bits >> (leg % 64) & 1 == 1)
    }
}
