//! Data of files and streams, however it is kept.

use crate::attribute::{Attribute, Body, Clusters, Sizes};
use crate::file::{File, Kind};
use crate::record::kind;
use crate::reparse::Reparse;
use crate::{Error, Ntfs, name};
use std::ops::Range;

impl Ntfs {
    /// Fills `out` with the bytes from `offset`, fewer only where the file ends. Holes and bytes
    /// that were never written read as zeroes, compressed data as what it was.
    pub fn read_at(&self, file: &File, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        let Some(data) = data(file)? else { return Ok(0) };
        if let Some(Reparse::Compressed(compression)) = file.reparse()? {
            return self.read_wof(file, *compression, offset, out);
        }
        self.read_attribute(file, data, offset, out)
    }

    /// The same for a named stream; `None` if the file has no stream of this name.
    pub fn read_stream_at(
        &self,
        file: &File,
        stream: &[u8],
        offset: u64,
        out: &mut [u8],
    ) -> Result<Option<usize>, Error> {
        let Some(name) = name::from_wtf8(stream) else { return Ok(None) };
        let Some(data) = file.table.find(kind::DATA, &name)? else { return Ok(None) };
        self.read_attribute(file, data, offset, out).map(Some)
    }

    /// Device ranges that hold `length` bytes of the file from `offset`, in the file's order; of a
    /// directory, those of its index. Of compressed data, what has to be read for these bytes.
    /// [`Error::Unsupported`] if they are more than a million: ask for a part of the file then.
    pub fn ranges(&self, file: &File, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        if file.kind == Kind::Directory {
            return self.index_ranges(file, offset, length);
        }
        let Some(data) = data(file)? else { return Ok(Vec::new()) };
        if let Some(Reparse::Compressed(compression)) = file.reparse()? {
            return self.wof_ranges(file, *compression, offset, length);
        }
        self.attribute_ranges(file, data, offset, length)
    }

    /// Bytes of an attribute, fewer only where it ends.
    pub(crate) fn read_attribute(
        &self,
        file: &File,
        attribute: &Attribute,
        offset: u64,
        out: &mut [u8],
    ) -> Result<usize, Error> {
        check_readable(attribute)?;
        let clusters = match &attribute.body {
            Body::Resident(bytes) => return Ok(copy_from(bytes, offset, out)),
            Body::Clusters(clusters) => clusters,
        };
        let sizes = file.table.sizes(clusters)?;
        let length = sizes.size.saturating_sub(offset).min(out.len() as u64);
        let written = sizes.initialized.saturating_sub(offset).min(length);
        let (target, never_written) = out[..length as usize].split_at_mut(written as usize);
        never_written.fill(0);
        if target.is_empty() {
            return Ok(length as usize);
        }
        if attribute.is_compressed() {
            self.read_compressed(file, attribute, clusters, offset, target)?;
        } else {
            let wanted = self.clusters(offset, written);
            let runs = self.runs(file, attribute, clusters, &wanted)?;
            self.disk.read(&runs, offset, target)?;
        }
        Ok(length as usize)
    }

    pub(crate) fn attribute_ranges(
        &self,
        file: &File,
        attribute: &Attribute,
        offset: u64,
        length: u64,
    ) -> Result<Vec<Range<u64>>, Error> {
        check_readable(attribute)?;
        let Body::Clusters(clusters) = &attribute.body else { return Ok(Vec::new()) };
        let Sizes { size, initialized, .. } = file.table.sizes(clusters)?;
        let length = size.min(initialized).saturating_sub(offset).min(length);
        if length == 0 {
            return Ok(Vec::new());
        }
        let mut wanted = self.clusters(offset, length);
        if attribute.is_compressed() {
            wanted = self.whole_units(clusters, file, &wanted)?;
        }
        let runs = self.runs(file, attribute, clusters, &wanted)?;
        let size = self.disk.boot.cluster_size;
        let (start, end) = if attribute.is_compressed() {
            (wanted.start * size, wanted.end.saturating_mul(size))
        } else {
            (offset, offset + length)
        };
        // The last unit may end with the file's last run.
        let reached = runs.last().map_or(0, |run| run.end().saturating_mul(size));
        self.disk.ranges(&runs, start, end.min(reached).saturating_sub(start))
    }

    /// The clusters that hold some bytes.
    fn clusters(&self, offset: u64, length: u64) -> Range<u64> {
        let size = self.disk.boot.cluster_size;
        offset / size..offset.saturating_add(length).div_ceil(size)
    }

    pub(crate) fn runs(
        &self,
        file: &File,
        attribute: &Attribute,
        clusters: &Clusters,
        wanted: &Range<u64>,
    ) -> Result<Vec<crate::runs::Run>, Error> {
        file.table.runs(&self.disk, &self.mft, attribute, clusters, wanted)
    }
}

/// The unnamed data of a file; the system has files that have none.
fn data(file: &File) -> Result<Option<&Attribute>, Error> {
    if file.kind == Kind::Directory {
        return Err(file.corrupt("a directory has no data: file"));
    }
    file.check_is_here()?;
    file.table.find(kind::DATA, &[])
}

fn check_readable(attribute: &Attribute) -> Result<(), Error> {
    if attribute.is_encrypted() {
        return Err(Error::unsupported("an encrypted file (EFS)"));
    }
    Ok(())
}

fn copy_from(bytes: &[u8], offset: u64, out: &mut [u8]) -> usize {
    let start = bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
    let length = out.len().min(bytes.len() - start);
    out[..length].copy_from_slice(&bytes[start..start + length]);
    length
}
