//! Pages, and what they hold.
//!
//! A page's header: `id` (64 bits), `flags`, `count` (16 bits each), `overflow` (32 bits: pages that follow
//! and belong to it). Behind it `count` slots of 16 bytes, then keys and values. A slot of a branch: `pos`,
//! `ksize` (32 bits each), `pgid` (64); one of a leaf: `flags`, `pos`, `ksize`, `vsize` (32 bits each).
//! `pos` counts from the slot; the value follows its key.

use crate::MOST_KEY;
use crate::bytes::{le16, le32, le64};
use crate::error::{Error, corrupt};
use crate::file::File;
use std::borrow::Cow;
use std::sync::Arc;

const HEADER: usize = 16;
const SLOT: usize = 16;
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
const BUCKET: u32 = 1;

/// The pages of a state.
pub struct Pages {
    pub file: File,
    pub page_size: u64,
    /// From this one on there are none.
    pub count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Branch,
    Leaf,
}

/// A page with those that belong to it, of which the beginning is held.
pub struct Page {
    pages: Arc<Pages>,
    /// Of the page, or of the one that holds it.
    pub number: u64,
    /// Whether it is a value of another page.
    pub is_inline: bool,
    pub kind: Kind,
    pub slots: usize,
    /// Bytes of all of it.
    pub length: u64,
    head: Vec<u8>,
}

/// Where a key is, and the value behind it.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    pub is_bucket: bool,
    at: u64,
    key: u32,
    pub value: u32,
}

impl Item {
    pub fn length(&self) -> u64 {
        u64::from(self.key) + u64::from(self.value)
    }
}

impl Pages {
    fn start(&self, number: u64) -> Option<u64> {
        (number < self.count).then(|| number.checked_mul(self.page_size)).flatten()
    }
}

impl Page {
    pub fn read(pages: Arc<Pages>, number: u64) -> Result<Self, Error> {
        // The first two are meta pages.
        let start = pages.start(number).filter(|_| number > 1);
        let start = start.ok_or_else(|| corrupt("a page that there is not", number))?;
        let there = pages.file.size().saturating_sub(start).min(pages.page_size) as usize;
        let head = pages.file.read(number, start, there.max(HEADER))?;
        if le64(&head, 0) != number {
            return Err(corrupt("a page of another number", number));
        }
        let overflow = u64::from(le32(&head, 12));
        if number.checked_add(overflow).is_none_or(|last| last >= pages.count) {
            return Err(corrupt("a page that is too long", number));
        }
        let length = (overflow + 1) * pages.page_size;
        Self { pages, number, is_inline: false, kind: Kind::Leaf, slots: 0, length, head }.parsed()
    }

    /// A page that is a value of the page `number`.
    pub fn inline(pages: Arc<Pages>, number: u64, head: Vec<u8>) -> Result<Self, Error> {
        let length = head.len() as u64;
        if head.len() < HEADER || le16(&head, 8) != LEAF {
            return Err(corrupt("a bucket that holds no leaf", number));
        }
        Self { pages, number, is_inline: true, kind: Kind::Leaf, slots: 0, length, head }.parsed()
    }

    fn parsed(mut self) -> Result<Self, Error> {
        self.kind = match le16(&self.head, 8) {
            BRANCH => Kind::Branch,
            LEAF => Kind::Leaf,
            _ => return Err(corrupt("a page that is neither branch nor leaf", self.number)),
        };
        self.slots = le16(&self.head, 10).into();
        if self.data() > self.length {
            return Err(corrupt("more items than the page has room for", self.number));
        }
        // Else a small file could have any number of items that cannot be read.
        let start = self.pages.start(self.number).unwrap_or(0);
        if self.data() > self.pages.file.size().saturating_sub(start) {
            return Err(corrupt("the file ends before it", self.number));
        }
        if self.kind == Kind::Branch && self.slots == 0 {
            return Err(corrupt("a branch without items", self.number));
        }
        Ok(self)
    }

    /// What slot `index` tells, once it is known to be inside the page.
    pub fn item(&self, index: usize) -> Result<Item, Error> {
        let at = HEADER + SLOT * index;
        let slot = self.bytes(at as u64, SLOT)?;
        let word = |number: usize| le32(&slot, 4 * number);
        let item = |is_bucket, position: u32, key, value| {
            let at = at as u64 + u64::from(position);
            Item { is_bucket, at, key, value }
        };
        let item = match self.kind {
            Kind::Branch => item(false, word(0), word(1), 0),
            Kind::Leaf => item(word(0) == BUCKET, word(1), word(2), word(3)),
        };
        self.check(item, self.kind == Kind::Leaf && word(0) > BUCKET)
    }

    fn check(&self, item: Item, is_unknown: bool) -> Result<Item, Error> {
        let what = if is_unknown {
            "an item of an unknown kind"
        } else if item.key == 0 || item.key as usize > MOST_KEY {
            "a key of a wrong length"
        } else if item.at < self.data() || item.at + item.length() > self.length {
            "an item outside of its page"
        } else {
            return Ok(item);
        };
        Err(corrupt(what, self.number))
    }

    /// The page that slot `index` of a branch names, whatever its key is.
    pub fn child(&self, index: usize) -> Result<u64, Error> {
        Ok(le64(&self.bytes((HEADER + SLOT * index) as u64, SLOT)?, 8))
    }

    pub fn key(&self, item: &Item) -> Result<Cow<'_, [u8]>, Error> {
        self.bytes(item.at, item.key as usize)
    }

    /// The first `length` bytes of a value, which has that many.
    pub fn value(&self, item: &Item, length: usize) -> Result<Cow<'_, [u8]>, Error> {
        self.bytes(item.at + u64::from(item.key), length)
    }

    pub fn pages(&self) -> &Arc<Pages> {
        &self.pages
    }

    /// Tells the source of the pages below it.
    pub fn will_need(&self, slots: std::ops::Range<usize>) {
        let held = self.head.len().saturating_sub(HEADER) / SLOT;
        let children = (slots.start..slots.end.min(held))
            .map(|index| le64(&self.head, HEADER + SLOT * index + 8))
            .filter_map(|child| self.pages.start(child));
        self.pages.file.will_need(children, self.pages.page_size);
    }

    /// Where keys and values begin.
    fn data(&self) -> u64 {
        (HEADER + SLOT * self.slots) as u64
    }

    /// A part of the page; what is not held is read.
    fn bytes(&self, at: u64, length: usize) -> Result<Cow<'_, [u8]>, Error> {
        let end = at + length as u64;
        if end <= self.head.len() as u64 {
            return Ok(Cow::Borrowed(&self.head[at as usize..end as usize]));
        }
        let start = self.pages.start(self.number).and_then(|start| start.checked_add(at));
        let start = start.filter(|_| !self.is_inline && end <= self.length);
        let start = start.ok_or_else(|| corrupt("an item outside of its page", self.number))?;
        self.pages.file.read(self.number, start, length).map(Cow::Owned)
    }
}
