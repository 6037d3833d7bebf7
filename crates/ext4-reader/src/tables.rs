//! Where inode tables are, as far as it was asked: a listing asks for each inode of a group, and would
//! read and check the group's descriptor each time.

use std::sync::atomic::{AtomicU64, Ordering};

/// Groups that are remembered, in eight bytes each: eight terabytes in the usual geometry.
const MOST: u64 = 1 << 16;
/// No inode table is there.
const UNKNOWN: u64 = 0;

/// The first blocks of the inode tables of groups, for many threads at once.
pub struct Tables(Box<[AtomicU64]>);

impl Tables {
    /// Knows nothing yet of so many groups.
    pub fn new(groups: u64) -> Self {
        Self((0..groups.min(MOST)).map(|_| AtomicU64::new(UNKNOWN)).collect())
    }

    pub fn known(&self, group: u64) -> Option<u64> {
        // Each number stands for itself, so that no order between threads is needed.
        let block = self.slot(group)?.load(Ordering::Relaxed);
        (block != UNKNOWN).then_some(block)
    }

    pub fn note(&self, group: u64, block: u64) {
        if let Some(slot) = self.slot(group) {
            slot.store(block, Ordering::Relaxed);
        }
    }

    fn slot(&self, group: u64) -> Option<&AtomicU64> {
        self.0.get(usize::try_from(group).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_past_the_limit_are_not_remembered() {
        let tables = Tables::new(u64::MAX);
        for group in [0, MOST - 1, MOST, u64::MAX] {
            tables.note(group, 7);
        }
        let known = [0, 1, MOST - 1, MOST, u64::MAX].map(|group| tables.known(group));
        assert_eq!(known, [Some(7), None, Some(7), None, None]);
    }
}
