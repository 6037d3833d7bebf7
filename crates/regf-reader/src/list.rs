//! Lists of subkeys: leaves with or without hints of names, and roots over leaves.
//!
//! On-disk format: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md#index-leaf>.
//! A root below a root is read though Windows writes none; a list that comes twice is damage.

use crate::bytes::{le16, le32};
use crate::error::{Damage, Error, corrupt};
use crate::image::{Image, file_offset};
use crate::text::upper;
use std::collections::HashSet;

/// The largest list: 65,535 elements of eight bytes.
const MOST_LIST: u32 = 4 + 8 * 65_535;

/// An element of a list.
#[derive(Debug, Clone, Copy)]
pub struct Element {
    /// Offset of the key.
    pub key: u32,
    hint: Hint,
}

/// What an element tells of its key's name.
#[derive(Debug, Clone, Copy)]
enum Hint {
    Nothing,
    /// Its first four letters.
    Start([u8; 4]),
    Hash(u32),
}

/// A name that is looked for.
pub struct Wanted {
    start: Vec<u16>,
    hash: u32,
}

impl Wanted {
    pub fn new(name: &str) -> Self {
        let hash = upper(name)
            .fold(0u32, |hash, unit| hash.wrapping_mul(37).wrapping_add(u32::from(unit)));
        Self { start: upper(name).take(4).collect(), hash }
    }
}

impl Element {
    /// Whether its hint allows the name.
    pub fn may_be(&self, wanted: &Wanted) -> bool {
        match self.hint {
            Hint::Nothing | Hint::Start([0, ..]) => true,
            Hint::Start(start) => {
                let letters = start.iter().map(|letter| u16::from(letter.to_ascii_uppercase()));
                let padded = wanted.start.iter().copied().chain([0; 4]);
                letters.zip(padded).all(|(one, other)| one == other || one > 127 || other > 127)
            }
            Hint::Hash(hash) => hash == wanted.hash,
        }
    }
}

/// All elements of the lists of a key.
pub fn elements(image: &Image, offset: u32, owner: u32, damage: &mut Damage) -> Vec<Element> {
    let mut reader = Reader { image, owner, elements: Vec::new(), seen: HashSet::new() };
    let mut lists = vec![offset];
    while let Some(list) = lists.pop() {
        if damage.is_too_much() || reader.elements.len() >= crate::MOST_ENTRIES {
            damage.note(corrupt("too much in a list, the rest is left", file_offset(list)));
            break;
        }
        match reader.list(list) {
            Ok(below) => lists.extend(below.into_iter().rev()),
            Err(problem) => damage.note(problem),
        }
    }
    let mut elements = reader.elements;
    let mut keys = HashSet::new();
    elements.retain(|element| {
        let is_new = keys.insert(element.key);
        if !is_new {
            damage.note(corrupt("key that is listed twice", file_offset(element.key)));
        }
        is_new
    });
    elements
}

struct Reader<'a> {
    image: &'a Image,
    owner: u32,
    elements: Vec<Element>,
    seen: HashSet<u32>,
}

impl Reader<'_> {
    /// Takes the elements of a leaf, or gives the lists of a root.
    fn list(&mut self, offset: u32) -> Result<Vec<u32>, Error> {
        let at = file_offset(offset);
        if !self.seen.insert(offset) {
            return Err(corrupt("list that comes twice", at));
        }
        let cell = self.image.own_cell(offset, MOST_LIST, self.owner)?;
        let (signature, count) = (cell.get(..2), usize::from(le16(&cell, 2)));
        let width = match signature {
            Some(b"lf" | b"lh") => 8,
            Some(b"li" | b"ri") => 4,
            _ => return Err(corrupt("no list of subkeys", at)),
        };
        let Some(body) = cell.get(4..4 + width * count) else {
            return Err(corrupt("list that is longer than its cell", at));
        };
        let parts = body.chunks_exact(width);
        if signature == Some(b"ri") {
            return Ok(parts.map(|part| le32(part, 0)).collect());
        }
        self.elements.extend(parts.map(|part| Element {
            key: le32(part, 0),
            hint: match (signature, part.get(4..)) {
                (Some(b"lf"), Some(&[a, b, c, d])) => Hint::Start([a, b, c, d]),
                (Some(b"lh"), _) => Hint::Hash(le32(part, 4)),
                _ => Hint::Nothing,
            },
        }));
        Ok(Vec::new())
    }
}
