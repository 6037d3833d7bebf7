//! `Packages` of Berkeley DB (rpm before 4.16): a hash of header numbers to headers.
//!
//! On-disk format: `dbinc/db_page.h` of Berkeley DB,
//! <https://github.com/berkeleydb/libdb/blob/master/src/dbinc/db_page.h>. Both byte orders.
//! Refused: other access methods, duplicates, checksums, encryption, partitions.
//!
//! Buckets are read in their order, some dozens at a time: first the pages of all of them, then
//! the chains of pages that those name, so that a slow source has many to fetch at once.

mod meta;
mod page;

pub use meta::byte_order;

use crate::error::{Error, corrupt};
use crate::window::Window;
use crate::{Blob, MOST_HEADER};
use block_source::BlockSource;
use meta::Meta;
use page::{Entry, Value};
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// Pages of buckets that are read before the chains that they name.
const PAGES_AHEAD: usize = 64;

/// An open database.
pub struct Bdb {
    source: Arc<dyn BlockSource>,
    meta: Meta,
}

impl Bdb {
    pub fn open(source: Arc<dyn BlockSource>, problems: &mut Vec<Error>) -> Result<Self, Error> {
        let meta = Meta::read(&*source)?;
        if meta.cut {
            problems.push(corrupt("file that ends before its last page", source.size()));
        }
        Ok(Self { source, meta })
    }

    pub fn headers(&self) -> Headers<'_> {
        Headers {
            database: self,
            window: Window::new(self.source.clone()),
            used: HashSet::new(),
            next_bucket: Some(0),
            next_page: None,
            found: VecDeque::new(),
            strays: 1,
        }
    }

    fn range(&self, page: u32, pages: u64) -> Range<u64> {
        let size = u64::from(self.meta.page_size);
        let start = u64::from(page) * size;
        start..(start + pages * size).min(self.source.size())
    }
}

/// The headers, bucket by bucket.
pub struct Headers<'a> {
    database: &'a Bdb,
    window: Window,
    /// Pages that were used: each belongs to one bucket or one item.
    used: HashSet<u32>,
    next_bucket: Option<u32>,
    /// The next page of the bucket that is being read.
    next_page: Option<u32>,
    found: VecDeque<Result<(u32, Entry), Error>>,
    /// The next page that is looked at for whether it is used though nothing names it.
    strays: u32,
}

impl Iterator for Headers<'_> {
    type Item = Result<Blob, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.found.is_empty() && (self.next_page.is_some() || self.next_bucket.is_some()) {
            self.read_ahead();
        }
        let Some(found) = self.found.pop_front() else {
            return self.stray().map(Err);
        };
        Some(found.and_then(|(page, entry)| self.blob(page, entry)))
    }
}

impl Headers<'_> {
    /// A page in use that was not come by: something that should name it is damaged.
    fn stray(&mut self) -> Option<Error> {
        let meta = &self.database.meta;
        // As many as are used and some; a file of holes may have more than can be looked at.
        let most = u64::from(self.strays) + 4 * self.used.len() as u64 + 4096;
        while self.strays != 0 && u64::from(self.strays) <= most.min(u64::from(meta.last_page)) {
            let number = self.strays;
            self.strays = number.wrapping_add(1);
            if self.used.contains(&number) {
                continue;
            }
            match page_at(&mut self.window, meta, number) {
                Ok(page) if !page::is_used(page, meta.order) => {}
                found => {
                    self.strays = 0;
                    let stray =
                        page::at("page in use that nothing names", number, meta.page_size, 0);
                    return Some(found.err().unwrap_or(stray));
                }
            }
        }
        self.strays = 0;
        None
    }

    fn read_ahead(&mut self) {
        self.announce_buckets();
        for _ in 0..PAGES_AHEAD {
            let Some(page) = self.next_page.take().or_else(|| self.next_bucket_page()) else {
                break;
            };
            if let Err(error) = self.read_page(page) {
                self.found.push_back(Err(error));
            }
        }
        self.announce_chains();
    }

    fn announce_buckets(&self) {
        let meta = &self.database.meta;
        let Some(bucket) = self.next_bucket else { return };
        let last = meta.last_bucket.min(bucket.saturating_add(PAGES_AHEAD as u32));
        let pages = (bucket..=last).filter_map(|bucket| meta.bucket_page(bucket));
        let ranges: Vec<_> = pages.map(|page| self.database.range(page, 1)).collect();
        self.database.source.will_need(&ranges);
    }

    fn announce_chains(&self) {
        let size = self.database.meta.page_size;
        let ranges = self.found.iter().flatten().filter_map(|(_, entry)| match entry.value {
            Value::Chain { page, length } => {
                Some(self.database.range(page, page::pages_of(length, size)))
            }
            Value::Here(_) => None,
        });
        self.database.source.will_need(&ranges.collect::<Vec<_>>());
    }

    /// The first page of the next bucket.
    fn next_bucket_page(&mut self) -> Option<u32> {
        let meta = &self.database.meta;
        let bucket = self.next_bucket?;
        self.next_bucket = bucket.checked_add(1).filter(|next| *next <= meta.last_bucket);
        // A number that no page has is told when it is read.
        Some(meta.bucket_page(bucket).unwrap_or(u32::MAX))
    }

    fn read_page(&mut self, number: u32) -> Result<(), Error> {
        let meta = &self.database.meta;
        let damaged = |what, at| page::at(what, number, meta.page_size, at);
        let bytes = page_at(&mut self.window, meta, number)?;
        if meta.may_be_blank(number) && bytes.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let (next, entries) =
            page::hash_page(bytes, meta.order, number).map_err(|what| damaged(what, 0))?;
        if !self.used.insert(number) {
            return Err(damaged("page of a bucket that was used before", 0));
        }
        self.next_page = Some(next).filter(|next| *next != 0);
        for entry in entries {
            match entry {
                // Number zero holds the number that the next header will get.
                Ok(entry) if entry.number == 0 => {}
                Ok(entry) => self.found.push_back(Ok((number, entry))),
                Err(what) => self.found.push_back(Err(damaged(what, 0))),
            }
        }
        Ok(())
    }

    fn blob(&mut self, page: u32, entry: Entry) -> Result<Blob, Error> {
        let size = u64::from(self.database.meta.page_size);
        let at = u64::from(page) * size + entry.at as u64;
        let bytes = match entry.value {
            Value::Here(bytes) => bytes,
            Value::Chain { page, length } => self.chain(page, length, at)?,
        };
        Ok(Blob { number: entry.number, at, bytes })
    }

    fn chain(&mut self, first: u32, length: u32, at: u64) -> Result<Vec<u8>, Error> {
        let length = length as usize;
        if length > MOST_HEADER || length as u64 > self.database.source.size() {
            return Err(corrupt("length of a header", at));
        }
        let meta = &self.database.meta;
        let mut bytes = Vec::new();
        let (mut before, mut number) = (0, first);
        while bytes.len() < length {
            let damaged = |what| page::at(what, number, meta.page_size, 0);
            let page = page_at(&mut self.window, meta, number)?;
            let (next, content) = page::overflow_page(page, meta.order, number, before)
                .filter(|(_, content)| !content.is_empty())
                .filter(|(_, content)| content.len() <= length - bytes.len())
                .ok_or_else(|| damaged("page that should be one of a header"))?;
            if !self.used.insert(number) {
                return Err(damaged("page of a header that was used before"));
            }
            bytes.extend_from_slice(content);
            (before, number) = (number, next);
        }
        Ok(bytes)
    }
}

fn page_at<'a>(window: &'a mut Window, meta: &Meta, number: u32) -> Result<&'a [u8], Error> {
    let at = u64::from(number) * u64::from(meta.page_size);
    if number == 0 || number > meta.last_page {
        return Err(corrupt("number of a page", at));
    }
    window.read(at, meta.page_size as usize)
}
