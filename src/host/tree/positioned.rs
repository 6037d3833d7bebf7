//! Parts of a file, and a file of the scanned system as a device: positioned reads by many threads,
//! for readers of formats that do not go from start to end.

use super::{FileReader, Located, PathError, Tree};
use crate::filesystem::{Error, FileSystem, NodeId};
use crate::model::{GapReason, printable};
use block_source::{BlockSource, ReadError, check_bounds};
use std::ops::Range;
use std::sync::Arc;

/// Ranges of the disk that are told at once; what is beyond them is read when it is wanted.
const MOST_RANGES: usize = 10_000;

impl Tree {
    /// A regular file to be read in any order; `None` if there is no such file.
    pub fn open_positioned(&self, path: &[u8]) -> Result<Option<PositionedFile>, PathError> {
        let file = self.open(path)?;
        Ok(file.map(|FileReader { filesystem, node, size, .. }| PositionedFile {
            filesystem,
            node,
            size,
        }))
    }

    /// Bytes of a regular file from an offset, fewer where it ends; `None` if there is no such file.
    pub fn read_part(
        &self,
        path: &[u8],
        offset: u64,
        length: usize,
    ) -> Result<Option<Vec<u8>>, PathError> {
        let Some(file) = self.open(path)? else { return Ok(None) };
        let mut bytes = vec![0; length];
        let read = file.filesystem.read_at(file.node, offset, &mut bytes);
        let read =
            read.map_err(|source| PathError::FileSystem { path: printable(path), source })?;
        bytes.truncate(read);
        Ok(Some(bytes))
    }

    /// Whether two places are one node, which may be mounted twice.
    pub fn is_same(&self, one: Located, other: Located) -> bool {
        one.node == other.node && Arc::ptr_eq(self.filesystem(one), self.filesystem(other))
    }
}

/// A regular file, of the size that its metadata say.
pub struct PositionedFile {
    filesystem: Arc<dyn FileSystem>,
    node: NodeId,
    size: u64,
}

impl BlockSource for PositionedFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        let mut done = 0;
        while done < out.len() {
            let at = offset + done as u64;
            let read = self.filesystem.read_at(self.node, at, &mut out[done..]);
            match read.map_err(|error| ReadError::failed(at, error))? {
                0 => return Err(ReadError::failed(at, "the file is shorter than its size")),
                more => done += more,
            }
        }
        Ok(())
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        let mut found = Vec::new();
        for range in ranges.iter().take(MOST_RANGES) {
            let end = range.end.min(self.size);
            let length = end.saturating_sub(range.start);
            if let Ok(more) = self.filesystem.ranges(self.node, range.start, length)
                && length > 0
            {
                found.extend(more);
            }
            if found.len() >= MOST_RANGES {
                break;
            }
        }
        found.truncate(MOST_RANGES);
        self.filesystem.will_need(&found);
    }
}

/// The reason word of the gap that a failed read of a file ends as: the filesystem below may know
/// better than that it failed.
pub fn read_reason(error: &ReadError) -> GapReason {
    let ReadError::Failed { source, .. } = error else { return GapReason::Unreadable };
    match source.downcast_ref::<Error>() {
        Some(Error::Unsupported { .. }) => GapReason::Unsupported,
        Some(Error::Corrupt { .. }) => GapReason::Corrupt,
        _ => GapReason::Unreadable,
    }
}
