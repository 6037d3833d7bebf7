//! Data of files, links and directories, whatever maps them.

use crate::extent::Run;
use crate::{Error, Ext4, Inode, Kind};
use std::ops::Range;

const MOST_LINK: u64 = 64 * 1024;
const FAST_LINK: u64 = 60;
/// Nodes of a map that one request may read, and pieces that it may give: more than a terabyte of
/// a file, if the map is sound. Crafted block maps may share nodes, and grow without end.
const MOST_NODES: usize = 1 << 16;
const MOST_RUNS: usize = 1 << 20;

impl Ext4 {
    /// Fills `out` with the bytes from `offset`, fewer only where the file ends. Holes and blocks
    /// that were never written read as zeroes.
    pub fn read_at(&self, inode: &Inode, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        inode.check_readable()?;
        let length = inode.size.saturating_sub(offset).min(out.len() as u64);
        let out = &mut out[..length as usize];
        out.fill(0);
        if out.is_empty() {
            return Ok(0);
        }
        if inode.is_inline() {
            let data = self.inline_data(inode)?;
            let from = data.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
            let length = out.len().min(data.len() - from);
            out[..length].copy_from_slice(&data[from..from + length]);
            return Ok(out.len());
        }
        let end = offset + length;
        let runs = self.runs(inode, offset..end)?;
        let parts: Vec<_> = runs.iter().filter_map(|run| self.part(run, offset, end)).collect();
        let ranges: Vec<_> = parts.iter().map(|part| part.device.clone()).collect();
        self.device.will_need(&ranges);
        for part in parts {
            let size = (part.device.end - part.device.start) as usize;
            let target = &mut out[part.at as usize..part.at as usize + size];
            self.device.read_exact_at(part.device.start, target)?;
        }
        Ok(out.len())
    }

    /// Target of a symbolic link.
    pub fn read_link(&self, inode: &Inode) -> Result<Vec<u8>, Error> {
        if inode.kind != Kind::Symlink || inode.size > MOST_LINK {
            return Err(Error::corrupt(
                "not a symbolic link of sane length: inode",
                inode.number.0,
            ));
        }
        inode.check_readable()?;
        if inode.size < FAST_LINK && !inode.uses_extents() && !inode.is_inline() {
            return Ok(inode.block[..inode.size as usize].to_vec());
        }
        let mut target = vec![0; inode.size as usize];
        self.read_at(inode, 0, &mut target)?;
        Ok(target)
    }

    /// Device ranges that hold `length` bytes of the file from `offset`, in the file's order.
    /// [`Error::Unsupported`] if they are more than a million: ask for a part of the file then.
    pub fn ranges(
        &self,
        inode: &Inode,
        offset: u64,
        length: u64,
    ) -> Result<Vec<Range<u64>>, Error> {
        let end = offset.saturating_add(length).min(inode.size);
        if inode.is_inline() || offset >= end {
            return Ok(Vec::new());
        }
        let runs = self.runs(inode, offset..end)?;
        let parts = runs.iter().filter_map(|run| self.part(run, offset, end));
        Ok(self.located(parts.map(|part| part.device).collect()))
    }

    /// The device range that holds the first bytes of a file or directory, if its inode tells it by itself.
    pub fn first_range(&self, inode: &Inode) -> Option<Range<u64>> {
        let is_told = inode.runs.is_some() || inode.uses_extents() && inode.has_flat_map();
        let ranges = is_told.then(|| self.ranges(inode, 0, 1));
        ranges?.ok()?.into_iter().next()
    }

    /// Where bytes really are: copies in the journal are elsewhere.
    pub(crate) fn located(&self, ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
        match &self.overlay {
            Some(overlay) => overlay.locate(&ranges),
            None => ranges,
        }
    }

    fn runs(&self, inode: &Inode, bytes: Range<u64>) -> Result<Vec<Run>, Error> {
        if !matches!(inode.kind, Kind::File | Kind::Directory | Kind::Symlink) {
            return Err(Error::corrupt("no data in a special file: inode", inode.number.0));
        }
        let size = self.superblock.block_size;
        self.block_runs(inode, &(bytes.start / size..bytes.end.div_ceil(size)))
    }

    /// The runs that touch some blocks of a file, in order. The first and the last run may go on
    /// past the blocks that were asked for.
    pub(crate) fn block_runs(&self, inode: &Inode, blocks: &Range<u64>) -> Result<Vec<Run>, Error> {
        if blocks.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(runs) = &inode.runs {
            return Ok(runs.iter().filter(|run| run.within(blocks).is_some()).copied().collect());
        }
        if inode.uses_extents() {
            self.extent_runs(inode, blocks)
        } else {
            self.mapped_runs(inode, blocks)
        }
    }

    /// The part of a run inside `offset..end`.
    fn part(&self, run: &Run, offset: u64, end: u64) -> Option<Part> {
        let size = self.superblock.block_size;
        let start = run.logical * size;
        let from = offset.max(start);
        let to = end.min(start + run.length * size);
        let device = run.physical * size;
        (from < to)
            .then(|| Part { at: from - offset, device: device + from - start..device + to - start })
    }
}

/// A piece of a read: where in the buffer, and where on the device.
struct Part {
    at: u64,
    device: Range<u64>,
}

/// Counts what a request reads and gives, and refuses to go on past the limits.
#[derive(Default)]
pub struct Effort {
    nodes: usize,
}

impl Effort {
    pub fn node(&mut self) -> Result<(), Error> {
        self.nodes += 1;
        within(self.nodes, MOST_NODES, "nodes in its map")
    }

    pub fn runs(count: usize) -> Result<(), Error> {
        within(count, MOST_RUNS, "pieces")
    }
}

fn within(count: usize, most: usize, what: &str) -> Result<(), Error> {
    if count > most {
        return Err(Error::unsupported(format!("a file of more than {most} {what} at once")));
    }
    Ok(())
}
