//! Extent trees: <https://docs.kernel.org/filesystems/ext4/dynamic.html#extent-tree>.

use crate::bytes::{joined, u16_at, u32_at};
use crate::file::Effort;
use crate::{Error, Ext4, Inode, checksum};
use std::ops::Range;

const MAGIC: u16 = 0xf30a;
const MOST_DEPTH: u16 = 5;
/// Lengths above this mark blocks that are allocated and not written: they read as zeroes.
pub const MOST_WRITTEN: u64 = 32768;

/// Consecutive blocks of a file that are consecutive on the device. What no run covers is a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub logical: u64,
    pub physical: u64,
    pub length: u64,
}

impl Run {
    /// The part inside some blocks of the file.
    pub fn within(&self, blocks: &Range<u64>) -> Option<Self> {
        let start = self.logical.max(blocks.start);
        let end = (self.logical + self.length).min(blocks.end);
        let physical = self.physical + (start.saturating_sub(self.logical));
        (start < end).then(|| Self { logical: start, physical, length: end - start })
    }

    /// The run cut into pieces of `most` blocks, at least one.
    pub fn pieces(self, most: u64) -> impl Iterator<Item = Self> {
        let most = most.max(1);
        (0..self.length.div_ceil(most)).map(move |index| Self {
            logical: self.logical + index * most,
            physical: self.physical + index * most,
            length: most.min(self.length - index * most),
        })
    }

    /// The bytes of the device that hold it.
    pub fn device(&self, block_size: u64) -> Range<u64> {
        self.physical * block_size..(self.physical + self.length) * block_size
    }
}

impl Ext4 {
    /// The runs of an inode with extents that touch `wanted` (in blocks), in order.
    pub(crate) fn extent_runs(
        &self,
        inode: &Inode,
        wanted: &Range<u64>,
    ) -> Result<Vec<Run>, Error> {
        let mut runs = Vec::new();
        let root = Node::parse(&inode.block, inode)?;
        let mut todo = vec![(root, 0..u64::MAX)];
        let (mut covered, mut effort) = (0, Effort::default());
        while let Some((node, span)) = todo.pop() {
            if node.depth == 0 {
                node.leaves(inode, wanted, &span, &mut covered, &mut runs)?;
                Effort::runs(runs.len())?;
                continue;
            }
            // Pushed in reverse, so that the leaves come in order.
            for (block, part) in node.children(inode, &span)?.into_iter().rev() {
                if part.start < wanted.end && part.end > wanted.start {
                    effort.node()?;
                    let child = Node::parse(&self.extent_block(inode, block)?, inode)?;
                    // Spans that nest and nodes that are never empty bound the walk: no block of
                    // the file can be reached twice, so neither can a shared child.
                    if child.depth + 1 != node.depth || child.entries.is_empty() {
                        return Err(corrupt(inode));
                    }
                    todo.push((child, part));
                }
            }
        }
        for run in &runs {
            let end = run.physical.checked_add(run.length).ok_or_else(|| corrupt(inode))?;
            if end > self.superblock.blocks {
                return Err(corrupt(inode));
            }
        }
        Ok(runs)
    }
}

impl Ext4 {
    fn extent_block(&self, inode: &Inode, block: u64) -> Result<Vec<u8>, Error> {
        let bytes = self.read_block(block)?;
        match self.superblock.checksum_seed {
            Some(seed) if !checksum::extents_hold(checksum::inode_seed(seed, inode), &bytes) => {
                Err(Error::corrupt("checksum of an extent block of inode", inode.number.0))
            }
            _ => Ok(bytes),
        }
    }
}

struct Node {
    depth: u16,
    entries: Vec<[u8; 12]>,
}

impl Node {
    fn parse(raw: &[u8], inode: &Inode) -> Result<Self, Error> {
        let (count, depth) = (usize::from(u16_at(raw, 2)), u16_at(raw, 6));
        let room = (raw.len() - 12) / 12;
        if u16_at(raw, 0) != MAGIC || count > room || depth > MOST_DEPTH {
            return Err(corrupt(inode));
        }
        let (entries, _) = raw[12..].as_chunks::<12>();
        Ok(Self { depth, entries: entries[..count].to_vec() })
    }

    /// Child blocks, each with the logical blocks that it covers, strictly ascending.
    fn children(&self, inode: &Inode, span: &Range<u64>) -> Result<Vec<(u64, Range<u64>)>, Error> {
        let starts: Vec<u64> = self.entries.iter().map(|e| u64::from(u32_at(e, 0))).collect();
        let outside = |start: &u64| !span.contains(start);
        if starts.windows(2).any(|pair| pair[0] >= pair[1]) || starts.iter().any(outside) {
            return Err(corrupt(inode));
        }
        let ends = starts.iter().skip(1).copied().chain([span.end]);
        let children =
            self.entries.iter().zip(starts.iter().zip(ends)).map(|(entry, (start, end))| {
                (joined(u32_at(entry, 4), u32::from(u16_at(entry, 8))), *start..end)
            });
        Ok(children.collect())
    }

    fn leaves(
        &self,
        inode: &Inode,
        wanted: &Range<u64>,
        span: &Range<u64>,
        covered: &mut u64,
        runs: &mut Vec<Run>,
    ) -> Result<(), Error> {
        for entry in &self.entries {
            let logical = u64::from(u32_at(entry, 0));
            let stored = u64::from(u16_at(entry, 4));
            let length = if stored > MOST_WRITTEN { stored - MOST_WRITTEN } else { stored };
            if logical < *covered || length == 0 || !span.contains(&logical) {
                return Err(corrupt(inode));
            }
            *covered = logical + length;
            if stored <= MOST_WRITTEN && logical < wanted.end && *covered > wanted.start {
                let physical = joined(u32_at(entry, 8), u32::from(u16_at(entry, 6)));
                runs.push(Run { logical, physical, length });
            }
        }
        Ok(())
    }
}

fn corrupt(inode: &Inode) -> Error {
    Error::corrupt("extent tree of inode", inode.number.0)
}
