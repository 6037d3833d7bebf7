//! Pages: 8 own number, 12 page before, 16 page after, 20 number of items, 22 bytes used (of a
//! page of a long item), 25 type; from 26 on the places of the items, which stand at the end of
//! the page in the opposite order: each goes to where the one before it begins.

use crate::bytes::{Order, part};
use crate::error::{Error, corrupt};

const HEAD: usize = 26;
const UNSORTED_HASH: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;
const ON_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

/// The key and the value of an entry.
pub struct Entry {
    /// The number that rpm gave to the header.
    pub number: u32,
    /// Where on the page the value stands.
    pub at: usize,
    pub value: Value,
}

/// Where a value is.
pub enum Value {
    /// On the page.
    Here(Vec<u8>),
    /// In a chain of pages.
    Chain { page: u32, length: u32 },
}

/// A page of a bucket: the next one, and the entries or what is wrong with them.
pub type HashPage = (u32, Vec<Result<Entry, &'static str>>);

/// Parses a page of a bucket.
pub fn hash_page(bytes: &[u8], order: Order, number: u32) -> Result<HashPage, &'static str> {
    if order.u32(bytes, 8) != number || ![HASH, UNSORTED_HASH].contains(&bytes[25]) {
        return Err("page that should be one of a bucket");
    }
    let items = usize::from(order.u16(bytes, 20));
    if HEAD + 2 * items > bytes.len() || items % 2 != 0 {
        return Err("number of items on a page");
    }
    let entries = (0..items / 2).map(|pair| entry(bytes, order, items, pair)).collect();
    Ok((order.u32(bytes, 16), entries))
}

fn entry(bytes: &[u8], order: Order, items: usize, pair: usize) -> Result<Entry, &'static str> {
    let (_, key) = item(bytes, order, items, 2 * pair).ok_or("place of a key")?;
    let (at, value) = item(bytes, order, items, 2 * pair + 1).ok_or("place of a value")?;
    let number = match key {
        [ON_PAGE, number @ ..] if number.len() == 4 => order.u32(number, 0),
        _ => return Err("key"),
    };
    let value = match value {
        [ON_PAGE, bytes @ ..] => Value::Here(bytes.to_vec()),
        [OFF_PAGE, ..] if value.len() == 12 => {
            Value::Chain { page: order.u32(value, 4), length: order.u32(value, 8) }
        }
        _ => return Err("kind of a value"),
    };
    Ok(Entry { number, at, value })
}

/// An item: its place on the page and its bytes, the first of which is its kind.
fn item(bytes: &[u8], order: Order, items: usize, index: usize) -> Option<(usize, &[u8])> {
    let place = |index: usize| usize::from(order.u16(bytes, HEAD + 2 * index));
    let end = if index == 0 { bytes.len() } else { place(index - 1) };
    let start = Some(place(index)).filter(|start| *start >= HEAD + 2 * items)?;
    Some((start, bytes.get(start..end)?))
}

/// A page of a long item: the next one, and the bytes.
pub fn overflow_page(bytes: &[u8], order: Order, number: u32, before: u32) -> Option<(u32, &[u8])> {
    let fits =
        bytes[25] == OVERFLOW && order.u32(bytes, 8) == number && order.u32(bytes, 12) == before;
    let content = part(bytes, HEAD, usize::from(order.u16(bytes, 22)))?;
    fits.then(|| (order.u32(bytes, 16), content))
}

/// Whether a page holds something. Free ones have no kind.
pub fn is_used(bytes: &[u8], order: Order) -> bool {
    match bytes[25] {
        HASH | UNSORTED_HASH => order.u16(bytes, 20) > 0,
        kind => kind == OVERFLOW,
    }
}

/// Pages that a long item takes.
pub fn pages_of(length: u32, page_size: u32) -> u64 {
    u64::from(length).div_ceil(u64::from(page_size) - HEAD as u64)
}

/// An error at a place on a page.
pub fn at(what: &'static str, page: u32, page_size: u32, at: usize) -> Error {
    corrupt(what, u64::from(page) * u64::from(page_size) + at as u64)
}
