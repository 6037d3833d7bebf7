//! Block maps of ext2 and ext3: twelve direct blocks, then one, two and three levels of indirect
//! ones. A zero at any level is a hole as large as what hangs below it.
//! <https://docs.kernel.org/filesystems/ext4/dynamic.html#direct-indirect-block-addressing>

use crate::bytes::u32_at;
use crate::extent::Run;
use crate::file::Effort;
use crate::{Error, Ext4, Inode};
use std::ops::Range;

const DIRECT: u64 = 12;

impl Ext4 {
    /// The runs of an inode with a block map that touch `wanted` (in blocks), in order.
    pub(crate) fn mapped_runs(
        &self,
        inode: &Inode,
        wanted: &Range<u64>,
    ) -> Result<Vec<Run>, Error> {
        let per_block = self.superblock.block_size / 4;
        let mut walk = Walk { ext4: self, wanted, runs: Vec::new(), effort: Effort::default() };
        for index in 0..DIRECT {
            walk.visit(u32_at(&inode.block, 4 * index as usize), index, 1, 0)?;
        }
        let mut logical = DIRECT;
        for level in 1..=3_u32 {
            let covers = per_block.pow(level);
            let pointer = u32_at(&inode.block, 4 * (DIRECT as usize + level as usize - 1));
            walk.visit(pointer, logical, covers, level)?;
            logical += covers;
        }
        Ok(walk.runs)
    }
}

struct Walk<'a> {
    ext4: &'a Ext4,
    wanted: &'a Range<u64>,
    runs: Vec<Run>,
    effort: Effort,
}

impl Walk<'_> {
    /// Takes a pointer that covers `covers` blocks from `logical`; `level` is at most three deep.
    fn visit(&mut self, pointer: u32, logical: u64, covers: u64, level: u32) -> Result<(), Error> {
        let outside = logical >= self.wanted.end || logical + covers <= self.wanted.start;
        if pointer == 0 || outside {
            return Ok(());
        }
        if level == 0 {
            self.ext4.block_offset(u64::from(pointer))?;
            self.push(logical, u64::from(pointer));
            return Effort::runs(self.runs.len());
        }
        self.effort.node()?;
        let table = self.ext4.read_block(u64::from(pointer))?;
        let each = covers / (self.ext4.superblock.block_size / 4);
        let first = self.wanted.start.saturating_sub(logical) / each;
        let last = (self.wanted.end - 1 - logical).min(covers - 1) / each;
        for index in first..=last {
            let pointer = u32_at(&table, 4 * index as usize);
            self.visit(pointer, logical + index * each, each, level - 1)?;
        }
        Ok(())
    }

    fn push(&mut self, logical: u64, physical: u64) {
        if let Some(last) = self.runs.last_mut()
            && last.logical + last.length == logical
            && last.physical + last.length == physical
        {
            last.length += 1;
            return;
        }
        self.runs.push(Run { logical, physical, length: 1 });
    }
}
