//! The rows of a table, leaf by leaf, some dozens of leaves at a time: first the leaves, then the
//! pages that their rows go on in, so that a slow source has many to fetch at once.

use super::page::{self, Cell, Content};
use super::store::{Reader, Store};
use crate::MOST_HEADER;
use crate::bytes::be32;
use crate::error::{Error, corrupt};
use std::collections::{HashSet, VecDeque};

/// As SQLite allows.
const MOST_DEPTH: u8 = 20;
const LEAVES_AHEAD: usize = 32;
/// Children that a source is told of at once.
const CHILDREN_AHEAD: usize = 512;
/// What a record has before its header.
const RECORD_HEAD: u64 = 32;

/// A row and where in the file it stands.
pub struct Row {
    pub at: u64,
    pub number: i64,
    pub length: u64,
    local: Vec<u8>,
    overflow: u32,
}

/// All bytes of a row.
pub struct Payload {
    pub bytes: Vec<u8>,
    /// Where a page is that another row has used too.
    pub shared: Option<u64>,
}

/// The rows of a table.
pub struct Rows<'a> {
    reader: Reader<'a>,
    /// Pages to read and how deep they are; the next one last.
    pending: Vec<(u32, u8)>,
    /// Pages of the tree.
    seen: HashSet<u32>,
    /// Pages that rows went on in.
    used: HashSet<u32>,
    /// Pages that rows may still go on in: twice as many as there are.
    left: u64,
    found: VecDeque<Result<Row, Error>>,
}

impl<'a> Rows<'a> {
    pub fn new(store: &'a Store, root: u32) -> Self {
        Self {
            reader: store.reader(),
            pending: vec![(root, 0)],
            seen: HashSet::from([root]),
            used: HashSet::new(),
            left: 2 * u64::from(store.pages),
            found: VecDeque::new(),
        }
    }

    fn read_ahead(&mut self) {
        for _ in 0..LEAVES_AHEAD {
            let Some((number, depth)) = self.pending.pop() else { break };
            if let Err(error) = self.read_page(number, depth) {
                self.found.push_back(Err(error));
            }
        }
        self.announce_rows();
    }

    fn read_page(&mut self, number: u32, depth: u8) -> Result<(), Error> {
        let store = self.reader.store;
        let start = if number == 1 { super::file_header::SIZE } else { 0 };
        let bytes = self.reader.page(number)?;
        let place = store.place(number);
        let page = page::parse(bytes, start, store.usable);
        let page = page.ok_or_else(|| corrupt("page that should be one of a table", place))?;
        if !page.whole {
            self.found.push_back(Err(corrupt("cells of a page", place)));
        }
        match page.content {
            Content::Leaf(cells) => {
                let row = |cell: Result<Cell, usize>| match cell {
                    Ok(cell) => Ok(Row::of(cell, place)),
                    Err(at) => Err(corrupt("row", place + at as u64)),
                };
                self.found.extend(cells.into_iter().map(row));
            }
            Content::Inner(_) if depth >= MOST_DEPTH => {
                return Err(corrupt("tree that is too deep", place));
            }
            Content::Inner(children) => self.descend(&children, depth + 1, place),
        }
        Ok(())
    }

    fn descend(&mut self, children: &[u32], depth: u8, place: u64) {
        let next = children.iter().take(CHILDREN_AHEAD);
        self.reader.store.will_need(next.map(|child| *child..child.saturating_add(1)));
        // The errors come before the rows of the children, which is no matter.
        for child in children.iter().rev() {
            if self.seen.insert(*child) {
                self.pending.push((*child, depth));
            } else {
                self.found.push_back(Err(corrupt("page that is twice in a tree", place)));
            }
        }
    }

    /// The pages that rows go on in mostly follow one another.
    fn announce_rows(&self) {
        let store = self.reader.store;
        let pages = self.found.iter().flatten().filter(|row| row.overflow > 0).map(|row| {
            let rest = row.length.saturating_sub(row.local.len() as u64);
            let pages = rest.div_ceil(store.usable as u64 - 4).min(u64::from(store.pages));
            row.overflow..row.overflow.saturating_add(pages as u32)
        });
        store.will_need(pages);
    }

    /// All bytes of a row.
    pub fn payload(&mut self, row: &Row) -> Result<Payload, Error> {
        let store = self.reader.store;
        let most = u64::from(store.pages) * u64::from(store.page_size);
        if row.length > most || row.length > MOST_HEADER as u64 + RECORD_HEAD {
            return Err(corrupt("length of a row", row.at));
        }
        let length = row.length as usize;
        let mut payload = Payload { bytes: row.local.clone(), shared: None };
        let mut number = row.overflow;
        while payload.bytes.len() < length {
            let place = store.place(number);
            self.left =
                self.left.checked_sub(1).ok_or_else(|| corrupt("rows that share pages", place))?;
            let page = self.reader.page(number)?;
            let rest = (length - payload.bytes.len()).min(store.usable - 4);
            payload.bytes.extend_from_slice(&page[4..4 + rest]);
            let next = be32(page, 0);
            if !self.used.insert(number) {
                payload.shared = Some(place);
            }
            number = next;
        }
        if number != 0 {
            return Err(corrupt("row that goes on after its end", row.at));
        }
        Ok(payload)
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.found.is_empty() && !self.pending.is_empty() {
            self.read_ahead();
        }
        self.found.pop_front()
    }
}

impl Row {
    fn of(cell: Cell, place: u64) -> Self {
        let Cell { at, number, length, local, overflow, .. } = cell;
        Self { at: place + at as u64, number, length, local, overflow }
    }
}
