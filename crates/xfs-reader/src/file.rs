//! Data of files, and where it is.

use crate::extent::Run;
use crate::fork::{Fork, Form};
use crate::{Error, Inode, Kind, Xfs};
use std::ops::Range;

impl Xfs {
    /// Fills `out` with the bytes from `offset`, fewer only where the file ends. Holes and blocks
    /// that were never written read as zeroes.
    pub fn read_at(&self, inode: &Inode, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        if inode.kind != Kind::File {
            return Err(Error::corrupt("not a regular file: inode", inode.number.0));
        }
        check_readable(inode)?;
        let length = inode.size.saturating_sub(offset).min(out.len() as u64);
        let out = &mut out[..length as usize];
        out.fill(0);
        if out.is_empty() {
            return Ok(0);
        }
        let parts = self.parts(&inode.data, offset..offset + length)?;
        let ranges: Vec<_> = parts.iter().map(|part| part.device.clone()).collect();
        self.device.will_need(&ranges);
        for part in parts {
            let size = (part.device.end - part.device.start) as usize;
            let target = &mut out[part.at as usize..part.at as usize + size];
            self.device.read_exact_at(part.device.start, target)?;
        }
        Ok(out.len())
    }

    /// Device ranges that hold `length` bytes of a file or directory from `offset`, in its order;
    /// of a directory the blocks with entries, not its index. [`Error::Unsupported`] if they are
    /// more than a million: ask for a part of the file then.
    pub fn ranges(
        &self,
        inode: &Inode,
        offset: u64,
        length: u64,
    ) -> Result<Vec<Range<u64>>, Error> {
        if !matches!(inode.kind, Kind::File | Kind::Directory | Kind::Symlink) {
            return Err(Error::corrupt("no data in a special file: inode", inode.number.0));
        }
        check_readable(inode)?;
        let end = offset.saturating_add(length).min(inode.size);
        if inode.data.form == Form::Local || offset >= end {
            return Ok(Vec::new());
        }
        Ok(self.parts(&inode.data, offset..end)?.into_iter().map(|part| part.device).collect())
    }

    fn parts(&self, fork: &Fork, bytes: Range<u64>) -> Result<Vec<Part>, Error> {
        let size = self.superblock.block_size;
        let runs = self.runs(fork, &(bytes.start / size..bytes.end.div_ceil(size)))?;
        let written = runs.iter().filter(|run| run.written);
        Ok(written.filter_map(|run| self.part(run, &bytes)).collect())
    }

    /// The part of a run inside `bytes`.
    fn part(&self, run: &Run, bytes: &Range<u64>) -> Option<Part> {
        let size = self.superblock.block_size;
        let start = run.logical.checked_mul(size)?;
        let from = bytes.start.max(start);
        let to = bytes.end.min(start.saturating_add(run.length * size));
        let device = |at| run.offset + (at - start);
        (from < to).then(|| Part { at: from - bytes.start, device: device(from)..device(to) })
    }
}

/// A piece of a read: where in the buffer, and where on the device.
struct Part {
    at: u64,
    device: Range<u64>,
}

fn check_readable(inode: &Inode) -> Result<(), Error> {
    if inode.is_realtime() {
        return Err(Error::unsupported("a file on the realtime device"));
    }
    Ok(())
}
