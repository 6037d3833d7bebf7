//! A database: the state that one of its meta pages names.

use crate::bucket::{Bucket, Root};
use crate::error::Error;
use crate::file::{File, Limits};
use crate::meta::{Meta, both};
use crate::page::Pages;
use block_source::BlockSource;
use std::sync::Arc;

/// An open database.
pub struct Database {
    file: File,
    meta: Meta,
    other: Option<Result<Meta, Error>>,
}

impl Database {
    /// Opens a file by the newer of its meta pages that are whole. Fails if neither is, with what is wrong
    /// with the first one.
    pub fn open(source: Arc<dyn BlockSource>, limits: Limits) -> Result<Self, Error> {
        let file = File::new(source, limits);
        let (meta, other) = match both(&file) {
            [Ok(first), Ok(second)] if second.transaction > first.transaction => {
                (second, Ok(first))
            }
            [Ok(first), second] => (first, second),
            [Err(problem), Ok(second)] => (second, Err(problem)),
            [Err(problem), Err(_)] => return Err(problem),
        };
        Ok(Self { file, meta, other: Some(other) })
    }

    /// The bucket that holds all others.
    pub fn root(&self) -> Bucket {
        let Meta { page_size, pages, root, sequence, .. } = self.meta;
        let pages = Pages { file: self.file.clone(), page_size, count: pages };
        Bucket::new(Arc::new(pages), Root::Page(root), sequence)
    }

    /// The state before the last transaction, if its meta page is whole: as good as the newer one, unless
    /// the file was copied while it was written. What is read counts for both.
    pub fn older(&self) -> Option<Self> {
        let meta = self.other.as_ref()?.as_ref().ok()?;
        Some(Self { file: self.file.clone(), meta: *meta, other: None })
    }

    /// What is wrong with the other meta page: the state that it named is lost, and may have been the newer
    /// one.
    pub fn problem(&self) -> Option<&Error> {
        self.other.as_ref()?.as_ref().err()
    }

    /// Number of the transaction that wrote this state.
    pub fn transaction(&self) -> u64 {
        self.meta.transaction
    }

    /// Bytes of a page.
    pub fn page_size(&self) -> u64 {
        self.meta.page_size
    }
}
