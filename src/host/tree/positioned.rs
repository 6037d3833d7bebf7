//! Parts of a file, and a file of the scanned system as a device: positioned reads by many threads,
//! for readers of formats that do not go from start to end.

use super::{FileReader, Located, PathError, Tree};
use crate::filesystem::{Error, FileSystem, NodeId};
use crate::model::{GapReason, printable};
use block_source::{BlockSource, ReadError, check_bounds};
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are told before they are read, once what was told is half read.
const STEP: u64 = 8 << 20;
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
            told: AtomicU64::new(0),
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

/// A regular file, of the size that its metadata say. What follows reads that come one after the
/// other is told to the device, beside what the reader itself tells: databases are read nearly whole.
pub struct PositionedFile {
    filesystem: Arc<dyn FileSystem>,
    node: NodeId,
    size: u64,
    /// End of what was told.
    told: AtomicU64,
}

impl PositionedFile {
    /// The same file for a reader that takes little of it: nothing is told that was not asked for.
    pub fn in_parts(mut self) -> Self {
        self.told = AtomicU64::new(self.size);
        self
    }

    /// The same file, read from start to end, with what follows on its way.
    pub fn in_order(self) -> impl Read {
        InOrder { file: self, at: 0 }
    }

    fn tell_ahead(&self, offset: u64) {
        let told = self.told.load(Ordering::Relaxed);
        let is_next = offset <= told && offset.saturating_add(STEP / 2) >= told;
        let next = told.saturating_add(STEP).min(self.size);
        if !is_next || next <= told {
            return;
        }
        let ours = self.told.compare_exchange(told, next, Ordering::Relaxed, Ordering::Relaxed);
        if ours.is_ok() {
            self.will_need(std::slice::from_ref(&(told..next)));
        }
    }
}

struct InOrder {
    file: PositionedFile,
    at: u64,
}

impl Read for InOrder {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.file.size - self.at).unwrap_or(usize::MAX);
        let length = out.len().min(left);
        self.file.read_exact_at(self.at, &mut out[..length]).map_err(io::Error::other)?;
        self.at += length as u64;
        Ok(length)
    }
}

impl BlockSource for PositionedFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        self.tell_ahead(offset);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filesystem::{Identity, Kind, Listing, Metadata};
    use std::sync::Mutex;

    /// One file, which lies on the device from its start and may be shorter than it says.
    struct OneFile {
        holds: u64,
        told: Mutex<Vec<Range<u64>>>,
    }

    const SIZE: u64 = 20 << 20;

    impl FileSystem for OneFile {
        fn kind(&self) -> &'static str {
            "one"
        }
        fn identity(&self) -> Identity {
            Identity::default()
        }
        fn root(&self) -> NodeId {
            NodeId(0)
        }
        fn metadata(&self, _: NodeId) -> Result<Metadata, Error> {
            let (kind, size) = (Kind::File, SIZE);
            Ok(Metadata { kind, size, mode: 0, uid: 0, gid: 0, modified: 0 })
        }
        fn read_dir(&self, _: NodeId) -> Result<Listing, Error> {
            Ok(Listing::default())
        }
        fn lookup(&self, _: NodeId, _: &[u8]) -> Result<Option<NodeId>, Error> {
            Ok(None)
        }
        fn read_link(&self, _: NodeId) -> Result<Vec<u8>, Error> {
            Ok(Vec::new())
        }
        fn read_at(&self, _: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
            Ok(self.holds.saturating_sub(offset).min(out.len() as u64) as usize)
        }
        fn will_need(&self, ranges: &[Range<u64>]) {
            self.told.lock().unwrap().extend_from_slice(ranges);
        }
        fn xattr(&self, _: NodeId, _: &[u8]) -> Result<Option<Vec<u8>>, Error> {
            Ok(None)
        }
        fn ranges(&self, _: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
            Ok(std::iter::once(offset..offset + length).collect())
        }
    }

    fn open(holds: u64) -> (Arc<OneFile>, PositionedFile) {
        let filesystem = Arc::new(OneFile { holds, told: Mutex::default() });
        let tree = Tree::new(filesystem.clone());
        (filesystem, tree.open_positioned(b"/").unwrap().unwrap())
    }

    #[test]
    fn what_follows_is_told_once_and_before_it_is_read() {
        let (filesystem, file) = open(SIZE);
        for offset in (0..SIZE).step_by(16 << 10) {
            file.read_exact_at(offset, &mut [0; 16 << 10]).unwrap();
            let told = filesystem.told.lock().unwrap().last().map_or(0, |range| range.end);
            assert!(told >= (offset + STEP / 2).min(SIZE), "{told} at {offset}");
        }
        let told = filesystem.told.lock().unwrap().clone();
        assert_eq!(told, [0..STEP, STEP..2 * STEP, 2 * STEP..SIZE]);
    }

    #[test]
    fn a_read_far_ahead_tells_nothing() {
        let (filesystem, file) = open(SIZE);
        file.read_exact_at(SIZE - 1, &mut [0]).unwrap();
        assert!(filesystem.told.lock().unwrap().is_empty());
        file.will_need(&[SIZE - 5..u64::MAX, u64::MAX - 1..u64::MAX]);
        let last = SIZE - 5..SIZE;
        assert_eq!(*filesystem.told.lock().unwrap(), std::slice::from_ref(&last));
    }

    #[test]
    fn a_file_that_is_read_in_parts_tells_nothing() {
        let (filesystem, file) = open(SIZE);
        let file = file.in_parts();
        for offset in [0, 512, SIZE - 1] {
            file.read_exact_at(offset, &mut [0]).unwrap();
        }
        assert!(filesystem.told.lock().unwrap().is_empty());
    }

    #[test]
    fn a_file_that_is_shorter_than_it_says_is_no_endless_read() {
        let (_, file) = open(100);
        let error = file.read_exact_at(90, &mut [0; 20]).unwrap_err();
        assert!(error.to_string().contains("shorter"), "{error}");
        assert_eq!(read_reason(&error), GapReason::Unreadable);
        assert!(file.read_exact_at(SIZE, &mut [0]).is_err());
    }

    #[test]
    fn the_filesystem_knows_why_a_read_failed() {
        let corrupt = Error::Corrupt { what: "extent".to_owned() };
        assert_eq!(read_reason(&ReadError::failed(0, corrupt)), GapReason::Corrupt);
        let unsupported = Error::Unsupported { feature: "this".to_owned() };
        assert_eq!(read_reason(&ReadError::failed(0, unsupported)), GapReason::Unsupported);
    }
}
