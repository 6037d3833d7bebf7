//! A journal file.

use crate::error::Error;
use crate::header::Header;
use crate::pages::Pages;
use block_source::BlockSource;
use std::sync::Arc;

/// An open journal file.
pub struct Journal {
    pub(crate) pages: Pages,
    pub(crate) header: Header,
}

impl Journal {
    /// Opens a file, of which no more than `most` bytes will be read, those that values have when they are
    /// unpacked among them.
    pub fn open(source: Arc<dyn BlockSource>, most: u64) -> Result<Self, Error> {
        let mut pages = Pages::new(source, most);
        let header = Header::read(&mut pages)?;
        Ok(Self { pages, header })
    }

    /// What it says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }
}
