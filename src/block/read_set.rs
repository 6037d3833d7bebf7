//! Which blocks of a device a scan read.
//!
//! An inventory is a function of these blocks alone: if none of them changed between two
//! snapshots of a volume, the inventory is the same. Blocks that were read as zeroes because
//! the snapshot does not hold them belong to the set too.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The blocks of one device that were read, by index.
#[derive(Debug, Default)]
pub struct ReadSet {
    blocks: Mutex<BTreeSet<u64>>,
}

impl ReadSet {
    /// Notes that a block was read.
    pub fn insert(&self, block: u64) {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).insert(block);
    }

    /// How many blocks were read so far.
    pub fn count(&self) -> u64 {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// The blocks read so far, sorted.
    pub fn blocks(&self) -> Vec<u64> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}
