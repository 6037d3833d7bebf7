//! PE: <https://learn.microsoft.com/en-us/windows/win32/debug/pe-format>.

use crate::error::{Error, corrupt};
use crate::executable::{Executable, Format, Part};
use crate::fields::{Numbers, bytes, name};
use block_source::BlockSource;
use std::sync::Arc;

const HEADER: u64 = 24;
const SECTION: usize = 40;
const INITIALISED: u64 = 0x40;
const WRITABLE: u64 = 0x8000_0000;
const WIDE: u64 = 0x20b;

/// The executable; `None` if it is only one of DOS.
pub fn open(source: Arc<dyn BlockSource>, head: &[u8]) -> Result<Option<Executable>, Error> {
    let narrow = Numbers { is_big: false, is_wide: false };
    let Some(at) = narrow.u32(head, 0x3c) else { return Ok(None) };
    if at.saturating_add(HEADER) > source.size() {
        return Ok(None);
    }
    let header = bytes(&*source, at, HEADER)?;
    if !header.starts_with(b"PE\0\0") {
        return Ok(None);
    }
    let field = |at| narrow.u16(&header, at).unwrap_or(0);
    let (count, optional_length) = (field(6), field(20));
    let optional = bytes(&*source, at + HEADER, optional_length)?;
    let is_wide = narrow.u16(&optional, 0) == Some(WIDE);
    let base = if is_wide { narrow.u64(&optional, 24) } else { narrow.u32(&optional, 28) };
    let base = base.ok_or_else(|| corrupt("the optional header", at + HEADER))?;
    let (mut sections, mut problems) = (Vec::new(), Vec::new());
    match bytes(&*source, at + HEADER + optional_length, count * SECTION as u64) {
        Ok(table) => {
            sections = table.chunks_exact(SECTION).filter_map(|it| section(it, base)).collect();
        }
        Err(error) => problems.push(error),
    }
    let segments = sections.clone();
    let is_packed = sections.first().is_some_and(|part: &Part| part.name == "UPX0");
    let (place, numbers) = (0..source.size(), Numbers { is_wide, ..narrow });
    let format = Format::Pe;
    Ok(Some(Executable { source, place, format, numbers, sections, segments, problems, is_packed }))
}

fn section(entry: &[u8], base: u64) -> Option<Part> {
    let numbers = Numbers { is_big: false, is_wide: false };
    let field = |at| numbers.u32(entry, at);
    let (loaded, size) = (field(8)?, field(16)?);
    let flags = field(36)?;
    Some(Part {
        name: name(entry.get(..8)?),
        address: base.checked_add(field(12)?)?,
        offset: field(20)?,
        // What is in the file is padded.
        size: if loaded == 0 { size } else { size.min(loaded) },
        is_writable: flags & WRITABLE != 0 && flags & INITIALISED != 0,
    })
}
