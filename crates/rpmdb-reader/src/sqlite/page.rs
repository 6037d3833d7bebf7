//! Pages of a table's b-tree: one byte of kind, 3 number of cells, 8 the last child of an inner
//! page; then the places of the cells. A cell of an inner page is a child and the largest number in
//! it; one of a leaf is a length, a number, the row's first bytes and the page that goes on.

use super::record::varint;
use crate::bytes::{be16, be32, part};

const INNER: u8 = 5;
const LEAF: u8 = 13;

/// A page of a table.
pub struct Page {
    pub content: Content,
    /// Cells and free pieces fill the page.
    pub whole: bool,
}

/// What is on a page.
pub enum Content {
    /// Its children, in order.
    Inner(Vec<u32>),
    /// Its rows, or where one is damaged.
    Leaf(Vec<Result<Cell, usize>>),
}

/// A row as far as its page holds it.
pub struct Cell {
    pub at: usize,
    pub number: i64,
    pub length: u64,
    pub local: Vec<u8>,
    /// The page that holds the bytes that follow; zero if there are none.
    pub overflow: u32,
    size: usize,
}

/// Parses a page, whose own head begins at `start`.
pub fn parse(bytes: &[u8], start: usize, usable: usize) -> Option<Page> {
    let head = bytes.get(start..usable)?;
    let cells = usize::from(be16(head, 3));
    let inner = *head.first()? == INNER;
    let places = start + if inner { 12 } else { 8 };
    let end = places + 2 * cells;
    if end > usable || !(inner || head[0] == LEAF) {
        return None;
    }
    let places = (0..cells).map(|cell| usize::from(be16(bytes, places + 2 * cell)));
    let places = places.map(|place| if place < end { usable } else { place });
    let (content, sizes) = if inner {
        // A child at a place that is none is page zero, which is told when it is read.
        let child = |at| part(&bytes[..usable], at, 4).map_or(0, |cell| be32(cell, 0));
        let sizes = places.clone().map(|at| inner_size(bytes, at)).sum();
        (Content::Inner(places.map(child).chain([be32(head, 8)]).collect()), sizes)
    } else {
        leaf(bytes, places, usable)
    };
    let start = match be16(head, 5) {
        0 => 65536,
        start => usize::from(start),
    };
    let listed = sizes + free_pieces(&bytes[..usable], usize::from(be16(head, 1)));
    let whole = start >= end && start + listed + usize::from(head[7]) == usable;
    Some(Page { content, whole })
}

/// The rows of a leaf, and the bytes that they take.
fn leaf(bytes: &[u8], places: impl Iterator<Item = usize>, usable: usize) -> (Content, usize) {
    // Many places of the same cell must not take more memory than the page.
    let mut left = usable;
    let cells = places.map(|at| leaf_cell(bytes, at, usable, &mut left).ok_or(at));
    let cells: Vec<_> = cells.collect();
    let sizes = cells.iter().flatten().map(|cell| cell.size.max(4)).sum();
    (Content::Leaf(cells), sizes)
}

fn inner_size(bytes: &[u8], at: usize) -> usize {
    let number = bytes.get(at.saturating_add(4)..).and_then(varint);
    number.map_or(0, |(_, length)| 4 + length)
}

/// Bytes of the free pieces, which stand in the order of the page.
fn free_pieces(bytes: &[u8], mut at: usize) -> usize {
    let mut sum = 0;
    while at != 0 && at + 4 <= bytes.len() {
        sum += usize::from(be16(bytes, at + 2));
        let next = usize::from(be16(bytes, at));
        at = if next > at { next } else { 0 };
    }
    sum
}

fn leaf_cell(bytes: &[u8], at: usize, usable: usize, left: &mut usize) -> Option<Cell> {
    let cell = bytes.get(at..usable)?;
    let (length, first) = varint(cell)?;
    let (number, second) = varint(cell.get(first..)?)?;
    let start = first + second;
    let here = local_length(length, usable as u64) as usize;
    *left = left.checked_sub(here)?;
    let local = part(cell, start, here)?.to_vec();
    let all = here as u64 == length;
    let overflow = if all { 0 } else { be32(part(cell, start + here, 4)?, 0) };
    let size = start + here + if all { 0 } else { 4 };
    Some(Cell { at, number: number.cast_signed(), length, local, overflow, size })
}

/// Bytes of a row that stand on its leaf; at least the leaf's share, so that the last of the
/// pages that follow is full.
fn local_length(length: u64, usable: u64) -> u64 {
    if length <= usable - 35 {
        return length;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let filling = least + (length - least) % (usable - 4);
    if filling <= usable - 35 { filling } else { least }
}
