//! Runs of clusters, which say where the data of an attribute is:
//! <https://flatcap.github.io/linux-ntfs/ntfs/concepts/data_runs.html>.

use crate::{BootSector, Error};
use block_source::BlockSource;
use std::ops::Range;
use std::sync::Arc;

/// Consecutive clusters of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// First cluster of the attribute.
    pub virtual_start: u64,
    /// Number of clusters, not zero.
    pub length: u64,
    /// First cluster of the volume; a hole has none.
    pub physical: Option<u64>,
}

impl Run {
    pub fn end(&self) -> u64 {
        self.virtual_start + self.length
    }
}

/// The runs of one piece of an attribute, whose first cluster is `first`.
pub fn decode(pairs: &[u8], first: u64, boot: &BootSector) -> Result<Vec<Run>, Error> {
    let mut runs = Vec::new();
    let (mut at, mut next, mut physical) = (0, first, 0_i64);
    while let Some(&head) = pairs.get(at).filter(|head| **head != 0) {
        let (length_size, offset_size) = (usize::from(head & 0xf), usize::from(head >> 4));
        let length = signed(pairs, at + 1, length_size);
        let offset = signed(pairs, at + 1 + length_size, offset_size);
        let (Some(length), Some(offset)) = (length, offset) else {
            return Err(Error::corrupt("run past the end of its attribute: cluster", next));
        };
        at += 1 + length_size + offset_size;
        let length = u64::try_from(length).unwrap_or(0);
        if length == 0 || next.checked_add(length).is_none_or(|end| end > 1 << 55) {
            return Err(Error::corrupt("run of a length out of range: cluster", next));
        }
        let place = if offset_size == 0 {
            None
        } else {
            physical = physical.wrapping_add(offset);
            place(physical, length, boot)?
        };
        runs.push(Run { virtual_start: next, length, physical: place });
        next += length;
    }
    Ok(runs)
}

/// Old volumes mark a hole by the cluster -1.
fn place(physical: i64, length: u64, boot: &BootSector) -> Result<Option<u64>, Error> {
    if physical == -1 {
        return Ok(None);
    }
    let start = u64::try_from(physical).ok();
    let inside =
        start.and_then(|start| start.checked_add(length)).filter(|end| *end <= boot.clusters);
    if inside.is_none() {
        return Err(Error::corrupt("run outside of the volume: cluster", physical.cast_unsigned()));
    }
    Ok(start)
}

/// A signed number of up to eight bytes; one of none is zero.
fn signed(bytes: &[u8], at: usize, size: usize) -> Option<i64> {
    let bytes = bytes.get(at..at.checked_add(size)?).filter(|_| size <= 8)?;
    let Some(&last) = bytes.last() else { return Some(0) };
    let mut wide = [if last < 0x80 { 0 } else { 0xff }; 8];
    wide[..size].copy_from_slice(bytes);
    Some(i64::from_le_bytes(wide))
}

/// The device, and the boot sector that tells where its clusters are.
pub struct Disk {
    pub device: Arc<dyn BlockSource>,
    pub boot: BootSector,
}

/// A piece of a read: which part of the buffer, and where on the device unless it is a hole.
struct Part {
    target: Range<usize>,
    device: Option<Range<u64>>,
}

impl Disk {
    /// Fills `out` with the bytes that runs, sorted, hold from `offset`; holes read as zeroes.
    pub fn read(&self, runs: &[Run], offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let parts = self.parts(runs, offset, out.len() as u64)?;
        let ranges: Vec<_> = parts.iter().filter_map(|part| part.device.clone()).collect();
        if ranges.len() > 1 {
            self.device.will_need(&ranges);
        }
        for part in parts {
            let target = &mut out[part.target];
            match part.device {
                Some(device) => self.device.read_exact_at(device.start, target)?,
                None => target.fill(0),
            }
        }
        Ok(())
    }

    /// Device ranges behind `length` bytes from `offset`, in order; holes have none.
    pub fn ranges(&self, runs: &[Run], offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        let parts = self.parts(runs, offset, length)?;
        Ok(parts.into_iter().filter_map(|part| part.device).collect())
    }

    fn parts(&self, runs: &[Run], offset: u64, length: u64) -> Result<Vec<Part>, Error> {
        let size = self.boot.cluster_size;
        let end =
            offset.checked_add(length).ok_or(Error::corrupt("offset out of range", offset))?;
        let mut at = offset;
        let mut parts = Vec::new();
        let first = runs.partition_point(|run| run.end().saturating_mul(size) <= offset);
        for run in &runs[first..] {
            let start = run.virtual_start.saturating_mul(size);
            if at >= end || start > at {
                break;
            }
            let to = end.min(run.end().saturating_mul(size));
            let device = run.physical.map(|physical| {
                let from = physical * size + (at - start);
                from..from + (to - at)
            });
            parts.push(Part { target: (at - offset) as usize..(to - offset) as usize, device });
            at = to;
        }
        if at < end {
            return Err(Error::corrupt("no run for a part of an attribute: cluster", at / size));
        }
        Ok(parts)
    }
}
