//! The file of `--read-set`: which blocks of which device a scan read. If none of them changed
//! since, the same scan would give the same answer.

use crate::block::BLOCK_SIZE;
use crate::pipeline::DeviceRead;
use serde::Serialize;
use std::io::{self, Write};

/// Version of the file's shape; grows when a reader could break.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct ReadSet<'a> {
    schema_version: u32,
    block_size: u64,
    devices: Vec<Device<'a>>,
}

#[derive(Serialize)]
struct Device<'a> {
    name: &'a str,
    size: u64,
    ranges: Vec<Range>,
}

/// Blocks from the first to the last, both read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Range {
    first: u64,
    last: u64,
}

/// Writes the file.
pub fn write(read: &[DeviceRead], out: &mut dyn Write) -> io::Result<()> {
    let devices = read.iter().map(|device| Device {
        name: &device.name,
        size: device.size,
        ranges: ranges(&device.blocks),
    });
    let devices = devices.collect();
    let set = ReadSet { schema_version: SCHEMA_VERSION, block_size: BLOCK_SIZE, devices };
    serde_json::to_writer(&mut *out, &set)?;
    writeln!(out)
}

fn ranges(blocks: &[u64]) -> Vec<Range> {
    let runs = blocks.chunk_by(|a, b| a.checked_add(1) == Some(*b));
    let ends = runs.filter_map(|run| Some((*run.first()?, *run.last()?)));
    ends.map(|(first, last)| Range { first, last }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_range() {
        let check = |blocks: &[u64], expected: &[(u64, u64)]| {
            let found: Vec<_> = ranges(blocks).iter().map(|r| (r.first, r.last)).collect();
            assert_eq!(found, expected);
        };
        check(&[], &[]);
        check(&[0], &[(0, 0)]);
        check(&[0, 1, 2, 7, 9, 10], &[(0, 2), (7, 7), (9, 10)]);
        check(&[u64::MAX - 1, u64::MAX], &[(u64::MAX - 1, u64::MAX)]);
    }
}
