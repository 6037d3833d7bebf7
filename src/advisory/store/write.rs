//! Writing a store: sections of other feeds are copied as they are, the file is replaced whole.

use super::format::{self, Entry, FeedInfo, Header, MAX_HEADER, MAX_INDEX, MAX_LIST};
use super::record::{self, StoredAdvisory, StoredCycle, StoredExploited};
use super::{Store, StoreError};
use crate::advisory::feeds::Record;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

/// Collects a feed's records, in any order.
#[derive(Default)]
pub struct SectionBuilder {
    lists: BTreeMap<Vec<u8>, (u64, Vec<u8>)>,
    refused: Option<&'static str>,
}

impl SectionBuilder {
    /// Adds a record.
    pub fn add(&mut self, record: Record) {
        let outcome = match record {
            Record::Advisory(advisory) => {
                let key =
                    record::advisory_key(&advisory.distro, &advisory.release, &advisory.package);
                self.push(key, StoredAdvisory::new(advisory).as_ref())
            }
            Record::KnownExploited(known) => {
                let key = record::exploited_key(&known.id);
                self.push(key, Some(&StoredExploited::new(known)))
            }
            Record::Support(cycle) => {
                let key = record::support_key(&cycle.os, &cycle.release);
                self.push(key, Some(&StoredCycle::new(cycle)))
            }
            Record::Listed { release, package } => {
                let key = record::advisory_key(&release.distro, &release.name, &package);
                key.map(|key| {
                    self.lists.entry(key).or_default();
                })
            }
        };
        if outcome.is_none() {
            self.refused = Some("a record is unfit or");
        }
    }

    fn push<T: Serialize>(&mut self, key: Option<Vec<u8>>, record: Option<&T>) -> Option<()> {
        let bytes = postcard::to_stdvec(record?).ok()?;
        let (count, list) = self.lists.entry(key?).or_default();
        *count += 1;
        list.extend_from_slice(&bytes);
        Some(())
    }

    /// The finished section.
    pub fn finish(self, info: FeedInfo) -> Result<Section, StoreError> {
        let too_large = |what| StoreError::TooLarge { feed: info.name.clone(), what };
        if let Some(what) = self.refused {
            return Err(too_large(what));
        }
        let mut data = Vec::new();
        let mut index = fst::MapBuilder::memory();
        for (key, (count, records)) in self.lists {
            index.insert(key, data.len() as u64).map_err(|_| too_large("the index is"))?;
            // A list in postcard is its count and then its items.
            let mut list = postcard::to_stdvec(&count).map_err(|_| too_large("a list is"))?;
            list.extend_from_slice(&records);
            let length = u32::try_from(list.len()).map_err(|_| too_large("a list is"))?;
            if u64::from(length) > MAX_LIST {
                return Err(too_large("a list is"));
            }
            data.extend_from_slice(&length.to_le_bytes());
            data.extend_from_slice(&crc32fast::hash(&list).to_le_bytes());
            data.extend_from_slice(&list);
        }
        let index = index.into_inner().map_err(|_| too_large("the index is"))?;
        if index.len() as u64 > MAX_INDEX {
            return Err(too_large("the index is"));
        }
        Ok(Section { info, index, data })
    }
}

/// A feed's data, ready to be written.
pub struct Section {
    info: FeedInfo,
    index: Vec<u8>,
    data: Vec<u8>,
}

/// Writes a store.
#[derive(Default)]
pub struct StoreWriter<'a> {
    kept: Vec<(&'a Store, usize)>,
    new: Vec<Section>,
}

impl<'a> StoreWriter<'a> {
    /// Copies all feeds of `store` but the named one.
    pub fn keep_others(&mut self, store: &'a Store, name: &str) {
        let others = store.sections.iter().enumerate().filter(|(_, old)| old.info.name != name);
        self.kept.extend(others.map(|(index, _)| (store, index)));
    }

    /// Adds a feed.
    pub fn add(&mut self, section: Section) {
        self.new.push(section);
    }

    /// Writes the file beside `path` and puts it in place at once.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        let header = self.header()?;
        let io = |cause| StoreError::Io { path: path.to_owned(), cause };
        self.replace(path, &header).map_err(io)
    }

    fn header(&self) -> Result<Vec<u8>, StoreError> {
        let too_large =
            || StoreError::TooLarge { feed: "all".to_owned(), what: "the list of feeds is" };
        let kept = self.kept.iter().map(|(store, index)| store.sections[*index].entry.clone());
        let new = self.new.iter().map(|section| Entry {
            info: section.info.clone(),
            index_sha256: format::sha256(&section.index),
            offset: 0,
            index_length: section.index.len() as u64,
            data_length: section.data.len() as u64,
        });
        let mut header = Header { feeds: kept.chain(new).collect() };
        let mut offset = 0;
        for entry in &mut header.feeds {
            entry.offset = offset;
            offset += entry.index_length + entry.data_length;
        }
        header.feeds.sort_by(|a, b| a.info.name.cmp(&b.info.name));
        let bytes = postcard::to_stdvec(&header).map_err(|_| too_large())?;
        let length = u32::try_from(bytes.len()).map_err(|_| too_large())?;
        if u64::from(length) > MAX_HEADER {
            return Err(too_large());
        }
        Ok(format::head(&bytes, length))
    }

    fn replace(&self, path: &Path, head: &[u8]) -> io::Result<()> {
        let folder = folder_of(path);
        fs::create_dir_all(folder)?;
        // Readable for all, within the umask: the data are public.
        let mode = fs::Permissions::from_mode(0o644);
        let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(folder)?;
        let mut out = BufWriter::new(file.as_file_mut());
        out.write_all(head)?;
        for (store, index) in &self.kept {
            let place = store.sections[*index].place;
            copy(&store.file, place.index, &mut out)?;
            copy(&store.file, place.data, &mut out)?;
        }
        for section in &self.new {
            out.write_all(&section.index)?;
            out.write_all(&section.data)?;
        }
        out.flush()?;
        drop(out);
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    }
}

/// The folder that holds `path`.
pub(in crate::advisory) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn copy(file: &File, extent: format::Extent, out: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let (mut at, mut left) = (extent.start, extent.length);
    while left > 0 {
        let step = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        file.read_exact_at(&mut buffer[..step], at)?;
        out.write_all(&buffer[..step])?;
        at += step as u64;
        left -= step as u64;
    }
    Ok(())
}
