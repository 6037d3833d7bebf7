//! Pages of the database: from the write-ahead log where it has them, else from the file.

use super::file_header::{self, FileHeader};
use super::wal::Wal;
use crate::error::{Error, corrupt};
use crate::window::Window;
use block_source::BlockSource;
use std::ops::Range;
use std::sync::Arc;

/// The file and its log.
pub struct Store {
    source: Arc<dyn BlockSource>,
    wal: Option<Wal>,
    pub page_size: u32,
    pub usable: usize,
    /// Pages of the database.
    pub pages: u32,
}

impl Store {
    pub fn open(
        source: Arc<dyn BlockSource>,
        wal: Option<Arc<dyn BlockSource>>,
        problems: &mut Vec<Error>,
    ) -> Result<Self, Error> {
        let wal = wal.map_or(Ok(None), Wal::read);
        // Without its log the file is an older state, which is better than none.
        let wal = wal.unwrap_or_else(|error| {
            problems.push(error);
            None
        });
        let in_file = read_header(&source, 0)?;
        let wal = wal.filter(|wal| {
            let fits = wal.page_size == in_file.page_size;
            if !fits {
                problems.push(corrupt("page size of the write-ahead log", 8));
            }
            fits
        });
        let first = wal.as_ref().and_then(|wal| Some((&wal.source, *wal.pages.get(&1)?)));
        let header = first.map_or(Ok(in_file), |(log, at)| read_header(log, at))?;
        let has = source.size() / u64::from(header.page_size);
        let has = u32::try_from(has).unwrap_or(u32::MAX);
        let size = wal.as_ref().map(|wal| wal.size).or(header.pages);
        if wal.is_none() && size.is_some_and(|size| size > has) {
            problems.push(corrupt("file that ends before its last page", source.size()));
        }
        let (page_size, usable) = (header.page_size, header.usable as usize);
        Ok(Self { source, wal, page_size, usable, pages: size.unwrap_or(has) })
    }

    pub fn reader(&self) -> Reader<'_> {
        let log = self.wal.as_ref().map(|wal| Window::new(wal.source.clone()));
        Reader { store: self, file: Window::new(self.source.clone()), log }
    }

    /// Where a page begins, for errors: in the file, where it belongs.
    pub fn place(&self, page: u32) -> u64 {
        u64::from(page.saturating_sub(1)) * u64::from(self.page_size)
    }

    /// Says that pages of the file will be read soon.
    pub fn will_need(&self, pages: impl Iterator<Item = Range<u32>>) {
        let ranges = pages.map(|pages| self.place(pages.start)..self.place(pages.end));
        self.source.will_need(&ranges.collect::<Vec<_>>());
    }
}

fn read_header(source: &Arc<dyn BlockSource>, at: u64) -> Result<FileHeader, Error> {
    if source.size() < file_header::SIZE as u64 {
        return Err(corrupt("file shorter than its head", source.size()));
    }
    let mut bytes = [0; file_header::SIZE];
    source.read_exact_at(at, &mut bytes)?;
    FileHeader::parse(&bytes)
}

/// Reads pages, near ones together.
pub struct Reader<'a> {
    pub store: &'a Store,
    file: Window,
    log: Option<Window>,
}

impl Reader<'_> {
    pub fn page(&mut self, number: u32) -> Result<&[u8], Error> {
        let place = self.store.place(number);
        if number == 0 || number > self.store.pages {
            return Err(corrupt("number of a page", place));
        }
        let size = self.store.page_size as usize;
        let in_log = self.store.wal.as_ref().and_then(|wal| wal.pages.get(&number));
        match (in_log, &mut self.log) {
            (Some(at), Some(log)) => log.read(*at, size),
            _ => self.file.read(place, size),
        }
    }
}
