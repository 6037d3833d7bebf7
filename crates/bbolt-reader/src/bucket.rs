//! Buckets.
//!
//! The value of a bucket: its `root` page and its `sequence` (64 bits each). A small bucket has no page of
//! its own: `root` is zero, and the page follows.

use crate::MOST_NESTED;
use crate::bytes::le64;
use crate::entries::{Entries, Entry};
use crate::error::{Error, corrupt};
use crate::page::{Item, Page, Pages};
use crate::wanted::Wanted;
use std::sync::Arc;

const HEADER: usize = 16;

/// Keys with their values, and other buckets.
#[derive(Clone)]
pub struct Bucket {
    pub(crate) pages: Arc<Pages>,
    pub(crate) root: Root,
    /// Pages above it, those of the buckets that hold it among them.
    pub(crate) above: Arc<[u64]>,
    pub(crate) depth: usize,
    sequence: u64,
}

#[derive(Clone)]
pub enum Root {
    Page(u64),
    /// A value of a page.
    Inline(u64, Arc<[u8]>),
}

impl Bucket {
    pub(crate) fn new(pages: Arc<Pages>, root: Root, sequence: u64) -> Self {
        Self { pages, root, above: Arc::default(), depth: 0, sequence }
    }

    /// The bucket that an item of a page is, which is in this one.
    pub(crate) fn inner(&self, page: &Page, item: &Item, above: Arc<[u64]>) -> Result<Self, Error> {
        let length = item.value as usize;
        // An inline bucket has a quarter of a page at most.
        let read = length.min(self.pages.page_size as usize);
        let value = page.value(item, read)?;
        if self.depth >= MOST_NESTED {
            return Err(corrupt("too many buckets in one another", page.number));
        }
        let root = match le64(&value, 0) {
            _ if length < HEADER => return Err(corrupt("a bucket without a root", page.number)),
            0 if read < length => return Err(corrupt("a bucket that is too long", page.number)),
            0 => Root::Inline(page.number, value[HEADER..].into()),
            root => Root::Page(root),
        };
        let (pages, sequence) = (self.pages.clone(), le64(&value, 8));
        Ok(Self { pages, root, above, depth: self.depth + 1, sequence })
    }

    /// The number that programs count up with `NextSequence`.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// All entries, in the order of their keys.
    pub fn entries(&self) -> Entries {
        Entries::new(self, Wanted::All)
    }

    /// The entries whose key begins with `prefix`, in the order of their keys.
    pub fn seek(&self, prefix: &[u8]) -> Entries {
        Entries::new(self, Wanted::Prefix(prefix.to_vec()))
    }

    /// The value of a key; `None` if there is none, or a bucket has that name. Fails if the value may be in
    /// what cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(match self.find(key)? {
            Some(Entry::Value { value, .. }) => Some(value),
            _ => None,
        })
    }

    /// The bucket of a name in this one; `None` if there is none. Fails if it may be in what cannot be read.
    pub fn bucket(&self, name: &[u8]) -> Result<Option<Self>, Error> {
        Ok(match self.find(name)? {
            Some(Entry::Bucket { bucket, .. }) => Some(bucket),
            _ => None,
        })
    }

    /// The bucket that is found by going through those of these names.
    pub fn nested(&self, names: &[&[u8]]) -> Result<Option<Self>, Error> {
        let mut bucket = self.clone();
        for name in names {
            let Some(inner) = bucket.bucket(name)? else { return Ok(None) };
            bucket = inner;
        }
        Ok(Some(bucket))
    }

    fn find(&self, key: &[u8]) -> Result<Option<Entry>, Error> {
        let mut problem = None;
        for entry in Entries::new(self, Wanted::Key(key.to_vec())) {
            match entry {
                Ok(entry) => return Ok(Some(entry)),
                Err(error) => drop(problem.get_or_insert(error)),
            }
        }
        problem.map_or(Ok(None), Err)
    }
}
