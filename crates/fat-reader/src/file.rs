//! Files: bytes over a chain of clusters.

use crate::directory::{self, metadata};
use crate::error::{Error, corrupt};
use crate::{EntryAt, Fat};
use std::ops::Range;

pub fn read_at(fat: &Fat, at: EntryAt, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
    let file = metadata(fat, at)?;
    if file.is_directory {
        return Err(corrupt("no file", at.0));
    }
    let left = u64::from(file.size).saturating_sub(offset);
    let length = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    if length == 0 {
        return Ok(0);
    }
    let chain = fat.chain(file.cluster, u64::from(file.size))?;
    let mut done = 0;
    for part in parts(&chain.runs, offset..offset + length as u64) {
        let size = (part.end - part.start) as usize;
        fat.source.read_exact_at(part.start, &mut out[done..done + size])?;
        done += size;
    }
    if done == length {
        return Ok(done);
    }
    let (what, number) = chain.damage.unwrap_or(("chain too short for its file", file.cluster));
    Err(corrupt(what, number))
}

pub fn ranges(fat: &Fat, at: EntryAt, bytes: Range<u64>) -> Result<Vec<Range<u64>>, Error> {
    let file = metadata(fat, at)?;
    if file.is_directory {
        return Ok(parts(&directory::runs(fat, file.cluster)?.0, bytes).collect());
    }
    let end = bytes.end.min(u64::from(file.size));
    if bytes.start >= end {
        return Ok(Vec::new());
    }
    let chain = fat.chain(file.cluster, u64::from(file.size))?;
    Ok(parts(&chain.runs, bytes.start..end).collect())
}

/// Where on the device these bytes are.
fn parts(runs: &[Range<u64>], bytes: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let mut at = 0;
    let place = move |run: &Range<u64>| {
        let start = at;
        at += run.end - run.start;
        let from = bytes.start.max(start);
        let to = bytes.end.min(at);
        (from < to).then(|| run.start + (from - start)..run.start + (to - start))
    };
    runs.iter().filter_map(place)
}
