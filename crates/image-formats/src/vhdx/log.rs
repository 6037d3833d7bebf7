//! The log of a vhdx image: changes of its tables that may not have reached their places.
//!
//! A ring of entries, each a whole number of 4 KiB sectors. The newest run of entries whose
//! numbers follow one another, and which is whole back to the tail that its last entry names, is
//! what counts. It is laid over the file in memory, as whoever opens it to write would do on disk.
//!
//! ```text
//! entry   "loge", CRC-32C of all of it, 8 length, 12 tail, 16 sequence, 24 count of
//!         descriptors, 32 log GUID, 48 least size of the file then, 56 size of the file after
//! then    descriptors of 32 bytes: "desc", 4 last 4 bytes, 8 first 8 bytes, 16 place, 24 sequence
//!         or "zero", 8 length, 16 place, 24 sequence
//! then    a sector for each "desc": "data", 4 high sequence, 4084 bytes, low sequence
//! ```

use super::MIB;
use super::header::checksum_holds;
use crate::bytes::{le32, le64};
use crate::error::Error;
use crate::layer::{Bytes, Layer, Written};
use block_source::{BlockSource, ReadError, check_bounds};
use std::collections::BTreeMap;
use std::sync::Arc;

const SECTOR: u64 = 4096;
/// Longest log that is replayed; Hyper-V and qemu make them of 1 MiB.
const MOST_LOG: u64 = 16 * MIB;

/// Where the log is.
pub struct Log {
    pub id: [u8; 16],
    pub start: u64,
    pub length: u64,
}

/// An entry whose checksum and descriptors hold.
struct Entry {
    length: u64,
    tail: u64,
    sequence: u64,
    least_size: u64,
    size: u64,
    changes: Vec<Change>,
}

/// A stretch of the file that reads as other bytes, or as zeroes.
struct Change {
    start: u64,
    length: u64,
    bytes: Option<Vec<u8>>,
}

impl Log {
    /// The file as it is once the log is replayed.
    pub fn replay(&self, file: Bytes) -> Result<Bytes, Error> {
        if self.length > MOST_LOG {
            let feature = format!("a vhdx whose log is {} bytes long", self.length);
            return Err(Error::Unsupported { feature });
        }
        if self.length == 0 || !self.length.is_multiple_of(MIB) || self.start < MIB {
            return Error::corrupt("log out of range", self.start);
        }
        let mut ring = vec![0; self.length as usize];
        file.read_exact_at(self.start, &mut ring)?;
        let mut entries = self.entries(&ring);
        let Some(active) = self.active(&entries) else {
            return Error::corrupt("log without a whole run of entries", self.start);
        };
        let mut size = file.size();
        let mut changes = Vec::new();
        for at in active {
            let entry = entries.remove(&at).expect("an entry of the run");
            if entry.least_size > file.size() {
                return Error::corrupt("file shorter than its log says", entry.least_size);
            }
            size = size.max(entry.size);
            changes.extend(entry.changes);
        }
        Ok(Arc::new(Replayed { file, size, changes }))
    }

    /// All sound entries by their place in the ring.
    fn entries(&self, ring: &[u8]) -> BTreeMap<u64, Entry> {
        let mut entries = BTreeMap::new();
        // Sound entries lie side by side; crafted ones could make each sector begin a long one.
        let mut checked = 0;
        for at in (0..self.length).step_by(SECTOR as usize) {
            let head = &ring[at as usize..][..64];
            let length = u64::from(le32(head, 8));
            let sound = head.starts_with(b"loge")
                && head[32..48] == self.id
                && length >= SECTOR
                && length.is_multiple_of(SECTOR)
                && length <= self.length;
            if !sound || checked + length > 4 * self.length {
                continue;
            }
            checked += length;
            let bytes = (0..length).step_by(SECTOR as usize).flat_map(|sector| {
                let from = ((at + sector) % self.length) as usize;
                &ring[from..from + SECTOR as usize]
            });
            if let Some(entry) = Entry::parse(bytes.copied().collect()) {
                entries.insert(at, entry);
            }
        }
        entries
    }

    /// The places of the entries that count, in order.
    fn active(&self, entries: &BTreeMap<u64, Entry>) -> Option<Vec<u64>> {
        let mut last: Vec<_> = entries.iter().map(|(at, entry)| (entry.sequence, *at)).collect();
        last.sort_unstable();
        last.into_iter().rev().find_map(|(_, last)| self.run(entries, last))
    }

    /// The run that ends with an entry and begins at the tail that it names.
    fn run(&self, entries: &BTreeMap<u64, Entry>, last: u64) -> Option<Vec<u64>> {
        let mut run = vec![entries[&last].tail];
        let mut length = 0;
        loop {
            let at = *run.last().expect("the tail at least");
            let entry = entries.get(&at)?;
            length += entry.length;
            if length > self.length {
                return None;
            }
            if at == last {
                return Some(run);
            }
            let next = (at + entry.length) % self.length;
            entries.get(&next).filter(|next| next.sequence == entry.sequence + 1)?;
            run.push(next);
        }
    }
}

impl Entry {
    fn parse(mut bytes: Vec<u8>) -> Option<Self> {
        if !checksum_holds(&mut bytes) {
            return None;
        }
        let (count, sequence) = (le32(&bytes, 24) as usize, le64(&bytes, 16));
        let sectors = count.checked_mul(32)?.checked_add(64)?.div_ceil(SECTOR as usize);
        let descriptors = bytes.get(64..)?.chunks_exact(32).take(count);
        if sequence == 0 || sequence == u64::MAX || descriptors.len() != count {
            return None;
        }
        let mut data = bytes.chunks_exact(SECTOR as usize).skip(sectors);
        let changes = descriptors.map(|descriptor| {
            (le64(descriptor, 24) == sequence).then_some(())?;
            match &descriptor[..4] {
                b"zero" => Some(Change {
                    start: le64(descriptor, 16),
                    length: le64(descriptor, 8),
                    bytes: None,
                }),
                b"desc" => Change::of(descriptor, data.next()?, sequence),
                _ => None,
            }
        });
        Some(Self {
            length: bytes.len() as u64,
            tail: u64::from(le32(&bytes, 12)),
            sequence,
            least_size: le64(&bytes, 48),
            size: le64(&bytes, 56),
            changes: changes.collect::<Option<_>>()?,
        })
    }
}

impl Change {
    fn of(descriptor: &[u8], data: &[u8], sequence: u64) -> Option<Self> {
        let said = u64::from(le32(data, 4)) << 32 | u64::from(le32(data, 4092));
        if !data.starts_with(b"data") || said != sequence {
            return None;
        }
        let bytes = [&descriptor[8..16], &data[8..4092], &descriptor[4..8]].concat();
        Some(Self { start: le64(descriptor, 16), length: SECTOR, bytes: Some(bytes) })
    }

    /// Lays the change over what was read from `offset`.
    fn apply(&self, offset: u64, out: &mut [u8]) {
        let end = offset + out.len() as u64;
        let from = self.start.max(offset);
        let to = self.start.saturating_add(self.length).min(end);
        if from >= to {
            return;
        }
        let target = &mut out[(from - offset) as usize..(to - offset) as usize];
        match &self.bytes {
            Some(bytes) => {
                let first = (from - self.start) as usize;
                target.copy_from_slice(&bytes[first..first + target.len()]);
            }
            None => target.fill(0),
        }
    }
}

/// A file under the changes of its log.
struct Replayed {
    file: Bytes,
    size: u64,
    changes: Vec<Change>,
}

impl BlockSource for Replayed {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        // What the log makes longer reads as zeroes until it is written.
        let left = self.file.size().saturating_sub(offset);
        let (there, new) = {
            let there = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
            out.split_at_mut(there)
        };
        new.fill(0);
        if !there.is_empty() {
            self.file.read_exact_at(offset, there)?;
        }
        for change in &self.changes {
            change.apply(offset, out);
        }
        Ok(())
    }
}

impl Layer for Replayed {
    fn note_written(&self, _: &mut Written) -> Option<()> {
        None
    }
}
