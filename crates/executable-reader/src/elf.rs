//! ELF: <https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html>.

use crate::MOST_PARTS;
use crate::error::{Error, corrupt};
use crate::executable::{Executable, Format, Part};
use crate::fields::{Numbers, bytes, name};
use block_source::BlockSource;
use std::sync::Arc;

const LOADED: u64 = 1;
const WRITABLE: u64 = 2;
/// A section without bytes in the file.
const NO_BITS: u64 = 8;
/// What a count or an index is where it does not fit.
const EXTENDED: u64 = 0xffff;
/// Bytes of the names of sections that are read.
const MOST_NAMES: u64 = 1 << 20;

/// Where the tables are.
struct Header {
    numbers: Numbers,
    segments: Table,
    sections: Table,
    names: u64,
}

/// A table of entries of one size.
struct Table {
    at: u64,
    entry: u64,
    count: u64,
}

impl Table {
    fn read(&self, source: &dyn BlockSource, entry: u64) -> Result<Vec<u8>, Error> {
        if self.entry != entry || self.count > MOST_PARTS as u64 {
            return Err(corrupt("a table of entries of an unknown size, or too many", self.at));
        }
        bytes(source, self.at, self.entry * self.count)
    }
}

pub fn open(source: Arc<dyn BlockSource>, head: &[u8]) -> Result<Executable, Error> {
    let mut header = header(head).ok_or_else(|| corrupt("the header", 0))?;
    let mut problems = Vec::new();
    let segments = segments(&*source, &header);
    let sections = sections(&*source, &mut header, &mut problems);
    let mut found = |parts: Result<Vec<Part>, Error>| {
        parts.unwrap_or_else(|error| {
            problems.push(error);
            Vec::new()
        })
    };
    let (segments, sections) = (found(segments), found(sections));
    // What UPX notes stands behind the table of segments.
    let is_packed = sections.is_empty() && head.windows(4).take(1024).any(|it| it == b"UPX!");
    let (place, format, numbers) = (0..source.size(), Format::Elf, header.numbers);
    Ok(Executable { source, place, format, numbers, sections, segments, problems, is_packed })
}

fn header(head: &[u8]) -> Option<Header> {
    let is_wide = match head.get(4)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let is_big = match head.get(5)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let numbers = Numbers { is_big, is_wide };
    let word = |narrow, wide| numbers.word(head, narrow, wide);
    let short = |narrow: usize, wide: usize| numbers.u16(head, if is_wide { wide } else { narrow });
    Some(Header {
        numbers,
        segments: Table { at: word(28, 32)?, entry: short(42, 54)?, count: short(44, 56)? },
        sections: Table { at: word(32, 40)?, entry: short(46, 58)?, count: short(48, 60)? },
        names: short(50, 62)?,
    })
}

fn segments(source: &dyn BlockSource, header: &Header) -> Result<Vec<Part>, Error> {
    let numbers = header.numbers;
    if header.segments.count == 0 {
        return Ok(Vec::new());
    }
    let table = header.segments.read(source, if numbers.is_wide { 56 } else { 32 })?;
    let entries = table.chunks_exact(header.segments.entry as usize);
    let part = |entry: &[u8]| {
        let word = |narrow, wide| numbers.word(entry, narrow, wide);
        let flags = numbers.u32(entry, if numbers.is_wide { 4 } else { 24 })?;
        let is_loaded = numbers.u32(entry, 0)? == LOADED;
        let (offset, address, size) = (word(4, 8)?, word(8, 16)?, word(16, 32)?);
        let is_writable = flags & WRITABLE != 0;
        is_loaded.then_some(Part { name: String::new(), address, offset, size, is_writable })
    };
    Ok(entries.filter_map(part).collect())
}

/// The sections, of which many programs have none; names that cannot be read are empty.
fn sections(
    source: &dyn BlockSource,
    header: &mut Header,
    problems: &mut Vec<Error>,
) -> Result<Vec<Part>, Error> {
    if header.sections.at == 0 {
        return Ok(Vec::new());
    }
    extend(source, header)?;
    let numbers = header.numbers;
    let table = header.sections.read(source, if numbers.is_wide { 64 } else { 40 })?;
    let entries = table.chunks_exact(header.sections.entry as usize);
    let entries: Vec<_> = entries.filter_map(|entry| section(numbers, entry)).collect();
    let names = names(source, &entries, header.names).unwrap_or_else(|error| {
        problems.push(error);
        Vec::new()
    });
    let with_name = |(at, part): (u64, Part)| Part {
        name: names.get(at as usize..).map(name).unwrap_or_default(),
        ..part
    };
    Ok(entries.into_iter().map(with_name).collect())
}

/// Counts that do not fit into the header stand in the first section.
fn extend(source: &dyn BlockSource, header: &mut Header) -> Result<(), Error> {
    if header.sections.count != 0 && header.names != EXTENDED {
        return Ok(());
    }
    let numbers = header.numbers;
    let first = bytes(source, header.sections.at, if numbers.is_wide { 64 } else { 40 })?;
    if header.sections.count == 0 {
        header.sections.count = numbers.word(&first, 20, 32).unwrap_or(0);
    }
    if header.names == EXTENDED {
        header.names = numbers.u32(&first, if numbers.is_wide { 40 } else { 24 }).unwrap_or(0);
    }
    Ok(())
}

/// A section, and where its name is.
fn section(numbers: Numbers, entry: &[u8]) -> Option<(u64, Part)> {
    let word = |narrow, wide| numbers.word(entry, narrow, wide);
    let has_bits = numbers.u32(entry, 4)? != NO_BITS;
    let size = if has_bits { word(20, 32)? } else { 0 };
    let is_writable = word(8, 8)? & 1 != 0;
    let (address, offset) = (word(12, 16)?, word(16, 24)?);
    Some((numbers.u32(entry, 0)?, Part { name: String::new(), address, offset, size, is_writable }))
}

fn names(source: &dyn BlockSource, entries: &[(u64, Part)], index: u64) -> Result<Vec<u8>, Error> {
    match entries.get(index as usize) {
        // There is no table of names.
        Some(_) if index == 0 => Ok(Vec::new()),
        Some((_, part)) => {
            let names = bytes(source, part.offset, part.size.min(MOST_NAMES))?;
            // The first of a table of names is the empty one.
            let is_table = names.first() == Some(&0);
            is_table.then_some(names).ok_or_else(|| corrupt("no names of sections", part.offset))
        }
        None if entries.is_empty() => Ok(Vec::new()),
        None => Err(corrupt("no section with the names", index)),
    }
}
