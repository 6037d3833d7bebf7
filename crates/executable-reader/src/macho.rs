//! Mach-O, and universal files of several: `mach-o/loader.h` and `mach-o/fat.h` of Apple's XNU,
//! <https://github.com/apple-oss-distributions/xnu/tree/main/EXTERNAL_HEADERS/mach-o>.

use crate::error::{Error, corrupt};
use crate::executable::{Executable, Format, Part};
use crate::fields::{Numbers, bytes, name};
use crate::{MOST_IN_ONE, MOST_PARTS};
use block_source::{BlockSource, check_bounds};
use std::ops::Range;
use std::sync::Arc;

const SEGMENT: u64 = 0x1;
const SEGMENT_64: u64 = 0x19;
const WRITABLE: u64 = 2;
/// Kinds of sections without bytes in the file.
const ZERO_FILLED: [u64; 3] = [0x1, 0xc, 0x12];
/// Java classes have the mark of a universal file, and then a version, which is larger than this.
const MOST_ARCHITECTURES: u64 = 30;

/// The executables of a universal file; one that is damaged is left out, unless all are.
pub fn universal(source: &Arc<dyn BlockSource>, head: &[u8]) -> Result<Vec<Executable>, Error> {
    let numbers = Numbers { is_big: true, is_wide: head.get(3) == Some(&0xbf) };
    let count = numbers.u32(head, 4).unwrap_or(0);
    if count == 0 || count > MOST_ARCHITECTURES {
        return Ok(Vec::new());
    }
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for index in 0..(count as usize).min(MOST_IN_ONE) {
        let start = numbers.word(head, 16 + 20 * index, 16 + 32 * index);
        let place = start.zip(numbers.word(head, 20 + 20 * index, 24 + 32 * index));
        let place = place.and_then(|(start, size)| Some(start..start.checked_add(size)?));
        let place = place.filter(|place| place.end <= source.size());
        let opened = match place {
            Some(place) => open(source.clone(), place),
            None => Err(corrupt("an architecture outside of the file", 8)),
        };
        match opened {
            Ok(executable) => found.push(executable),
            Err(error) => problems.push(error),
        }
    }
    match (found.first_mut(), problems) {
        (Some(first), problems) => first.problems.extend(problems),
        (None, mut problems) if !problems.is_empty() => return Err(problems.swap_remove(0)),
        _ => {}
    }
    Ok(found)
}

/// The executable at a place of a file.
pub fn open(source: Arc<dyn BlockSource>, place: Range<u64>) -> Result<Executable, Error> {
    let at = place.start;
    let magic = bytes(&*source, at, 28)?;
    let (is_big, is_wide) = match magic[..4] {
        [0xfe, 0xed, 0xfa, last] => (true, last == 0xcf),
        [first, 0xfa, 0xed, 0xfe] => (false, first == 0xcf),
        _ => return Err(corrupt("no executable of an architecture", at)),
    };
    let numbers = Numbers { is_big, is_wide };
    let format = Format::MachO;
    let (sections, segments, problems) = (Vec::new(), Vec::new(), Vec::new());
    let is_packed = false;
    let mut found =
        Executable { source, place, format, numbers, sections, segments, problems, is_packed };
    let count = numbers.u32(&magic, 16).unwrap_or(0);
    let length = numbers.u32(&magic, 20).unwrap_or(0);
    let commands = at + if is_wide { 32 } else { 28 };
    let is_inside = check_bounds(found.size(), commands - at, length as usize).is_ok();
    let read = if is_inside {
        bytes(&*found.source, commands, length)
    } else {
        Err(corrupt("commands outside of the executable", commands))
    };
    match read {
        Ok(table) => self::commands(&mut found, &table, count, commands),
        Err(error) => found.problems.push(error),
    }
    Ok(found)
}

fn commands(found: &mut Executable, mut table: &[u8], count: u64, mut at: u64) {
    let numbers = found.numbers;
    for _ in 0..count {
        let kind = numbers.u32(table, 0);
        let size = numbers.u32(table, 4).unwrap_or(0) as usize;
        let (Some(kind), Some(command)) = (kind, table.get(..size).filter(|_| size >= 8)) else {
            found.problems.push(corrupt("a command longer than their table", at));
            return;
        };
        if kind == SEGMENT || kind == SEGMENT_64 {
            let wide = Numbers { is_wide: kind == SEGMENT_64, ..numbers };
            if segment(found, wide, command).is_none() {
                found.problems.push(corrupt("a segment longer than its command", at));
            }
        }
        if found.sections.len() > MOST_PARTS {
            found.problems.push(corrupt("too many sections", at));
            return;
        }
        table = &table[size..];
        at += size as u64;
    }
}

/// A segment and its sections.
fn segment(found: &mut Executable, numbers: Numbers, command: &[u8]) -> Option<()> {
    let is_wide = numbers.is_wide;
    let word = |bytes: &[u8], narrow, wide| numbers.word(bytes, narrow, wide);
    let protection = numbers.u32(command, if is_wide { 60 } else { 44 })?;
    let is_writable = protection & WRITABLE != 0;
    let segment = Part {
        name: name(command.get(8..24)?),
        address: word(command, 24, 24)?,
        offset: word(command, 32, 40)?,
        size: word(command, 36, 48)?,
        is_writable,
    };
    let count = numbers.u32(command, if is_wide { 64 } else { 48 })? as usize;
    found.segments.push(segment);
    let (start, length) = if is_wide { (72, 80) } else { (56, 68) };
    for index in 0..count.min(MOST_PARTS) {
        let from = start + index * length;
        let entry = command.get(from..from + length)?;
        let flags = numbers.u32(entry, if is_wide { 64 } else { 56 })?;
        let is_empty = ZERO_FILLED.contains(&(flags & 0xff));
        let size = word(entry, 36, 40)?;
        found.sections.push(Part {
            name: name(entry.get(..16)?),
            address: word(entry, 32, 32)?,
            offset: numbers.u32(entry, if is_wide { 48 } else { 40 })?,
            size: if is_empty { 0 } else { size },
            is_writable,
        });
    }
    Some(())
}
