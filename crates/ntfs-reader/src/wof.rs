//! Files that Windows compressed as a whole ("CompactOS", `compact /exe`). Their data is a hole of
//! the file's size; a named stream has a table of where each chunk ends but the last, and the
//! chunks: <https://devblogs.microsoft.com/oldnewthing/20190618-00/?p=102597>.

use crate::attribute::Attribute;
use crate::bytes::{u32_at, u64_at};
use crate::file::File;
use crate::record::kind;
use crate::reparse::Compression;
use crate::{Error, Ntfs, lzx, xpress};
use std::ops::Range;

const STREAM: &str = "WofCompressedData";
/// Chunks that are read together.
const GROUP: u64 = 32;

/// Where the chunks of a file are.
struct Layout<'a> {
    stream: &'a Attribute,
    stream_size: u64,
    size: u64,
    compression: Compression,
    chunk: u64,
    /// Bytes of an entry of the table.
    width: u64,
}

impl Layout<'_> {
    fn table_size(&self) -> u64 {
        self.size.div_ceil(self.chunk).saturating_sub(1) * self.width
    }
}

impl Ntfs {
    pub(crate) fn read_wof(
        &self,
        file: &File,
        compression: Compression,
        offset: u64,
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let length = file.size.saturating_sub(offset).min(out.len() as u64);
        let out = &mut out[..length as usize];
        if out.is_empty() {
            return Ok(0);
        }
        let layout = layout(file, compression)?;
        let chunks = offset / layout.chunk..(offset + length).div_ceil(layout.chunk);
        for first in chunks.clone().step_by(GROUP as usize) {
            let group = first..chunks.end.min(first + GROUP);
            self.read_group(file, &layout, &group, offset, out)?;
        }
        Ok(out.len())
    }

    pub(crate) fn wof_ranges(
        &self,
        file: &File,
        compression: Compression,
        offset: u64,
        length: u64,
    ) -> Result<Vec<Range<u64>>, Error> {
        let end = offset.saturating_add(length).min(file.size);
        if offset >= end {
            return Ok(Vec::new());
        }
        let layout = layout(file, compression)?;
        let (first, last) = (offset / layout.chunk, (end - 1) / layout.chunk);
        let start = self.chunk_bounds(file, &layout, &(first..first + 1))?[0];
        let stop = self.chunk_bounds(file, &layout, &(last..last + 1))?[1];
        let stream = layout.stream;
        let mut ranges = self.attribute_ranges(file, stream, 0, layout.table_size())?;
        ranges.extend(self.attribute_ranges(file, stream, start, stop.saturating_sub(start))?);
        Ok(ranges)
    }

    /// Puts what some chunks hold into `out`, which starts at `offset` of the file.
    fn read_group(
        &self,
        file: &File,
        layout: &Layout,
        group: &Range<u64>,
        offset: u64,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let bounds = self.chunk_bounds(file, layout, group)?;
        let start = bounds[0];
        let mut compressed = vec![0; (bounds[bounds.len() - 1] - start) as usize];
        self.read_stream(file, layout, start, &mut compressed)?;
        let end = offset + out.len() as u64;
        for (chunk, bounds) in group.clone().zip(bounds.windows(2)) {
            let stored = &compressed[(bounds[0] - start) as usize..(bounds[1] - start) as usize];
            let bytes = expand(file, layout, chunk, stored)?;
            let at = chunk * layout.chunk;
            let (from, to) = (offset.max(at), end.min(at + bytes.len() as u64));
            let target = &mut out[(from - offset) as usize..(to - offset) as usize];
            target.copy_from_slice(&bytes[(from - at) as usize..(to - at) as usize]);
        }
        Ok(())
    }

    /// Where some chunks start in the stream, and where the last one ends. No chunk is longer than
    /// what it holds.
    fn chunk_bounds(
        &self,
        file: &File,
        layout: &Layout,
        chunks: &Range<u64>,
    ) -> Result<Vec<u64>, Error> {
        let all = layout.size.div_ceil(layout.chunk);
        let entries = chunks.start.saturating_sub(1)..chunks.end.min(all - 1);
        let mut table = vec![0; ((entries.end - entries.start) * layout.width) as usize];
        self.read_stream(file, layout, entries.start * layout.width, &mut table)?;
        let entry = |bytes: &[u8]| {
            if layout.width == 4 { u32_at(bytes, 0).into() } else { u64_at(bytes, 0) }
        };
        let mut bounds: Vec<u64> = table.chunks(layout.width as usize).map(entry).collect();
        if chunks.start == 0 {
            bounds.insert(0, 0);
        }
        for bound in &mut bounds {
            *bound = bound.saturating_add(layout.table_size());
        }
        if chunks.end == all {
            bounds.push(layout.stream_size);
        }
        let sane = |pair: &[u64]| pair[0] < pair[1] && pair[1] - pair[0] <= layout.chunk;
        if !bounds.windows(2).all(sane) {
            return Err(file.corrupt("chunks out of order in compressed file"));
        }
        Ok(bounds)
    }

    fn read_stream(
        &self,
        file: &File,
        layout: &Layout,
        at: u64,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let read = self.read_attribute(file, layout.stream, at, out)?;
        if read < out.len() {
            return Err(file.corrupt("compressed stream that ends early: file"));
        }
        Ok(())
    }
}

fn layout(file: &File, compression: Compression) -> Result<Layout<'_>, Error> {
    let name: Vec<u16> = STREAM.encode_utf16().collect();
    let lost = file.corrupt("compressed file without its stream");
    let stream = file.table.find(kind::DATA, &name)?.ok_or(lost.clone())?;
    let chunk = match compression {
        Compression::Xpress4K => 4 << 10,
        Compression::Xpress8K => 8 << 10,
        Compression::Xpress16K => 16 << 10,
        Compression::Lzx => lzx::CHUNK as u64,
    };
    let width = if u32::try_from(file.size).is_ok() { 4 } else { 8 };
    let stream_size = stream.size().ok_or(lost)?;
    Ok(Layout { stream, stream_size, size: file.size, compression, chunk, width })
}

/// A chunk that would not shrink is kept as it is.
fn expand(file: &File, layout: &Layout, chunk: u64, stored: &[u8]) -> Result<Vec<u8>, Error> {
    let length = (layout.size - chunk * layout.chunk).min(layout.chunk) as usize;
    if stored.len() == length {
        return Ok(stored.to_vec());
    }
    let mut bytes = vec![0; length];
    let expanded = match layout.compression {
        Compression::Lzx => lzx::decompress(stored, &mut bytes),
        _ => xpress::decompress(stored, &mut bytes),
    };
    expanded.ok_or(file.corrupt("damaged chunk of compressed file"))?;
    Ok(bytes)
}
