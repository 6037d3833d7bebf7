//! The entries of a bucket, one after the other.

use crate::MOST_DEPTH;
use crate::bounds::Bounds;
use crate::bucket::{Bucket, Root};
use crate::error::{Error, corrupt};
use crate::level::Level;
use crate::page::{Item, Kind, Page};
use crate::visited::Visited;
use crate::wanted::Wanted;
use std::sync::Arc;

/// What a key stands for.
pub enum Entry {
    /// Bytes.
    Value {
        /// The key.
        key: Vec<u8>,
        /// What it stands for.
        value: Vec<u8>,
    },
    /// Another bucket.
    Bucket {
        /// Its name.
        key: Vec<u8>,
        /// What is in it.
        bucket: Bucket,
    },
}

impl Entry {
    /// The key, which is the name of a bucket.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Value { key, .. } | Self::Bucket { key, .. } => key,
        }
    }
}

/// Entries in the order of their keys; an error stands where some are missing, or where the order is
/// broken, and the others follow.
pub struct Entries {
    bucket: Bucket,
    wanted: Wanted,
    levels: Vec<Level>,
    visited: Visited,
    /// Comes before all else.
    problem: Option<Error>,
}

impl Entries {
    pub(crate) fn new(bucket: &Bucket, wanted: Wanted) -> Self {
        let visited = Visited::new(&bucket.above);
        let mut entries =
            Self { bucket: bucket.clone(), wanted, levels: Vec::new(), visited, problem: None };
        let entered = match &bucket.root {
            Root::Page(number) => entries.enter(*number, Bounds::default()),
            Root::Inline(number, bytes) => {
                Page::inline(bucket.pages.clone(), *number, bytes.to_vec())
                    .map(|page| entries.push(page, Bounds::default()))
            }
        };
        if let Err(problem) = entered {
            entries.problem = Some(problem);
        }
        entries
    }

    fn enter(&mut self, number: u64, bounds: Bounds) -> Result<(), Error> {
        if self.levels.len() >= MOST_DEPTH {
            return Err(corrupt("too many pages above one another", number));
        }
        if !self.visited.insert(number) {
            return Err(corrupt("a page that was met before", number));
        }
        let page = Page::read(self.bucket.pages.clone(), number)?;
        self.push(page, bounds);
        Ok(())
    }

    fn push(&mut self, page: Page, bounds: Bounds) {
        let (level, problem) = Level::new(page, bounds, &self.wanted);
        self.levels.push(level);
        self.problem = problem;
    }

    /// Takes the next step; `None` if it led to no entry.
    fn step(&mut self) -> Result<Option<Entry>, Error> {
        let Some(level) = self.levels.last_mut() else { return Ok(None) };
        let Some(index) = level.advance() else {
            self.levels.pop();
            return Ok(None);
        };
        if level.page.kind == Kind::Branch {
            let (child, bounds) = level.child(index)?;
            return self.enter(child, bounds).map(|()| None);
        }
        let (item, key, problem) = level.item(index)?;
        self.problem = problem;
        if !self.wanted.takes(&key) {
            return Ok(None);
        }
        self.entry(&item, key).map(Some)
    }

    fn entry(&self, item: &Item, key: Vec<u8>) -> Result<Entry, Error> {
        let page = &self.levels.last().expect("the item is of its page").page;
        if item.is_bucket {
            let bucket = self.bucket.inner(page, item, self.above())?;
            return Ok(Entry::Bucket { key, bucket });
        }
        let (size, most) = (u64::from(item.value), page.pages().file.limits.value);
        if size > most {
            return Err(Error::TooLarge { key, size, most, page: page.number });
        }
        let value = page.value(item, item.value as usize)?.into_owned();
        Ok(Entry::Value { key, value })
    }

    /// The pages above what stands in the last one, and that one.
    fn above(&self) -> Arc<[u64]> {
        let own = self.levels.iter().map(|level| &level.page).filter(|page| !page.is_inline);
        self.bucket.above.iter().copied().chain(own.map(|page| page.number)).collect()
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(problem) = self.problem.take() {
                return Some(self.fail(problem));
            }
            if self.levels.is_empty() {
                return None;
            }
            match self.step() {
                Ok(None) => {}
                // What is wrong with the order comes behind the entry that broke it.
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(problem) => return Some(self.fail(problem)),
            }
        }
    }
}

impl Entries {
    /// Where no more may be read, nothing follows.
    fn fail(&mut self, problem: Error) -> Result<Entry, Error> {
        if matches!(problem, Error::Budget { .. }) {
            self.levels.clear();
            self.problem = None;
        }
        Err(problem)
    }
}
