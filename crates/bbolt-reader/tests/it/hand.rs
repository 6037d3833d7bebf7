//! Databases made by hand, for shapes that bbolt does not write.

pub const PAGE: usize = 4096;

/// Recomputes the checksum of a meta page's 64 bytes.
pub fn seal(meta: &mut [u8]) {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = meta[..56].iter().fold(0xcbf2_9ce4_8422_2325_u64, step);
    meta[56..64].copy_from_slice(&hash.to_le_bytes());
}

/// A file with room for `pages`, whose root is page 2.
pub fn file(pages: u64) -> Vec<u8> {
    let mut bytes = vec![0; PAGE * pages as usize];
    for number in [0, 1] {
        let meta = &mut bytes[PAGE * number + 16..][..64];
        let words = [0xed0c_daed, 2, PAGE as u32, 0];
        for (at, word) in words.iter().enumerate() {
            meta[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
        }
        for (at, value) in [(16, 2), (32, u64::MAX), (40, pages), (48, number as u64)] {
            meta[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        seal(meta);
    }
    bytes
}

/// Items of a leaf: whether it is a bucket, key, value.
pub type Items<'a> = &'a [(bool, &'a [u8], &'a [u8])];

pub fn leaf(number: u64, items: Items) -> Vec<u8> {
    let (mut slots, mut data) = (head(number, 2, items.len()), Vec::new());
    for (index, (is_bucket, key, value)) in items.iter().enumerate() {
        let position = 16 * (items.len() - index) + data.len();
        for word in [usize::from(*is_bucket), position, key.len(), value.len()] {
            slots.extend_from_slice(&(word as u32).to_le_bytes());
        }
        data.extend_from_slice(key);
        data.extend_from_slice(value);
    }
    [slots, data].concat()
}

pub fn branch(number: u64, items: &[(&[u8], u64)]) -> Vec<u8> {
    let (mut slots, mut data) = (head(number, 1, items.len()), Vec::new());
    for (index, (key, child)) in items.iter().enumerate() {
        let position = 16 * (items.len() - index) + data.len();
        for word in [position, key.len()] {
            slots.extend_from_slice(&(word as u32).to_le_bytes());
        }
        slots.extend_from_slice(&child.to_le_bytes());
        data.extend_from_slice(key);
    }
    [slots, data].concat()
}

fn head(number: u64, flags: u16, count: usize) -> Vec<u8> {
    let mut head = number.to_le_bytes().to_vec();
    head.extend_from_slice(&flags.to_le_bytes());
    head.extend_from_slice(&(count as u16).to_le_bytes());
    head.extend_from_slice(&[0; 4]);
    head
}

/// The value of a bucket whose root is a page.
pub fn bucket(root: u64) -> Vec<u8> {
    [root.to_le_bytes(), [0; 8]].concat()
}

/// The value of a bucket that is in it.
pub fn inline(items: Items) -> Vec<u8> {
    [vec![0; 16], leaf(0, items)].concat()
}

/// Puts pages, each of which knows its number, in their places.
pub fn with(mut bytes: Vec<u8>, pages: &[Vec<u8>]) -> Vec<u8> {
    for page in pages {
        let number = u64::from_le_bytes(page[..8].try_into().unwrap()) as usize;
        bytes[PAGE * number..][..page.len()].copy_from_slice(page);
    }
    bytes
}
