//! Keys: nodes with subkeys and values.
//!
//! On-disk format: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md#key-node>.

use crate::bytes::{le16, le32, le32s, le64, part};
use crate::error::{Damage, Error, corrupt, unsupported};
use crate::image::{Image, NOWHERE, file_offset};
use crate::list::{self, Element, Wanted};
use crate::text::{Name, Text, same};
use crate::value::Value;
use std::collections::HashSet;
use std::sync::Arc;

/// Bytes of a node before its name.
const HEADER: usize = 76;
/// Bytes of the largest node: a name has 16 bits of length.
const MOST: u32 = HEADER as u32 + 0xffff;

const LINK: u16 = 0x10;
const LATIN1: u16 = 0x20;
/// The number of values is a handle.
const HANDLE: u16 = 0x40;

/// A moment: hundreds of nanoseconds since 1601 (FILETIME).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub u64);

impl Time {
    /// Seconds and nanoseconds since 1970.
    pub fn unix(self) -> (i64, u32) {
        let ticks = i128::from(self.0) - 116_444_736_000_000_000;
        let nanoseconds = ticks.rem_euclid(10_000_000) * 100;
        (ticks.div_euclid(10_000_000) as i64, u32::try_from(nanoseconds).unwrap_or(0))
    }
}

/// A key. Cloning it is cheap but for its name.
#[derive(Clone)]
pub struct Key {
    image: Arc<Image>,
    offset: u32,
    name: Name,
    node: Node,
}

/// The numbers of a node.
#[derive(Debug, Clone, Copy)]
struct Node {
    flags: u16,
    modified: u64,
    layer: u8,
    parent: u32,
    subkeys: u32,
    subkey_list: u32,
    values: u32,
    value_list: u32,
    class: u32,
    class_length: u16,
}

/// The subkeys of a key, as far as they could be read.
#[derive(Default)]
pub struct Subkeys {
    /// In the order of the list, which is that of their names.
    pub keys: Vec<Key>,
    /// What could not be read.
    pub damage: Damage,
}

/// The values of a key, as far as they could be read.
#[derive(Default)]
pub struct Values {
    /// In the order of the list, which is that of their making.
    pub values: Vec<Value>,
    /// What could not be read.
    pub damage: Damage,
}

impl Key {
    pub(crate) fn read(image: &Arc<Image>, offset: u32) -> Result<Self, Error> {
        let cell = image.cell(offset, MOST)?;
        let wrong = |what| corrupt(what, file_offset(offset));
        if cell.len() < HEADER || !cell.starts_with(b"nk") {
            return Err(wrong("no key"));
        }
        let node = Node::parse(&cell);
        let name = part(&cell, HEADER, usize::from(le16(&cell, 72)));
        let name = name.ok_or_else(|| wrong("name that is longer than its cell"))?;
        let name = match node.flags & LATIN1 {
            0 => Name::from_utf16(name),
            _ => Name::from_latin1(name),
        };
        Ok(Self { image: Arc::clone(image), offset, name, node })
    }

    /// Its name, with U+FFFD for what is no character.
    pub fn name(&self) -> &str {
        &self.name.text
    }

    /// Whether the name is all that is stored.
    pub fn name_is_exact(&self) -> bool {
        self.name.is_exact
    }

    /// When it, one of its values or its list of subkeys was last written.
    pub fn modified(&self) -> Time {
        Time(self.node.modified)
    }

    /// Byte of the file at which it stands.
    pub fn at(&self) -> u64 {
        file_offset(self.offset)
    }

    /// Whether it stands for another key, which its value `SymbolicLinkValue` names.
    pub fn is_link(&self) -> bool {
        self.node.flags & LINK != 0
    }

    /// The name of its class, if it has one.
    pub fn class_name(&self) -> Result<Option<Text>, Error> {
        let length = u32::from(self.node.class_length);
        if length == 0 || self.node.class == NOWHERE {
            return Ok(None);
        }
        let name = self.image.cell(self.node.class, length)?;
        if name.len() < length as usize {
            return Err(corrupt("class name that is longer than its cell", self.at()));
        }
        Ok(Some(Text::from_utf16(&name)))
    }

    /// All subkeys.
    pub fn subkeys(&self) -> Subkeys {
        let mut damage = Damage::default();
        let elements = self.elements(&mut damage);
        self.image.will_need(elements.iter().map(|element| element.key));
        let mut keys = Vec::new();
        for element in elements {
            if damage.is_too_much() {
                damage.note(corrupt("too many errors, the rest is left", self.at()));
                break;
            }
            match self.child(element) {
                Ok(key) => {
                    damage.note_key(&key);
                    keys.push(key);
                }
                Err(problem) => damage.note(problem),
            }
        }
        Subkeys { keys, damage }
    }

    /// The subkey of a name, whose case does not matter. Fails if it was not found, and some of the
    /// subkeys could not be read.
    pub fn subkey(&self, name: &str) -> Result<Option<Self>, Error> {
        let mut damage = Damage::default();
        let wanted = Wanted::new(name);
        // A wrong hint hides no key: those that it excludes are looked at too, but last.
        let (likely, rest): (Vec<_>, Vec<_>) =
            self.elements(&mut damage).into_iter().partition(|element| element.may_be(&wanted));
        for elements in [likely, rest] {
            self.image.will_need(elements.iter().map(|element| element.key));
            for element in elements {
                match self.child(element) {
                    Ok(key) if same(key.name(), name) => return Ok(Some(key)),
                    Ok(_) => {}
                    Err(problem) => damage.note(problem),
                }
                if damage.is_too_much() {
                    break;
                }
            }
        }
        damage.into_result().map(|()| None)
    }

    /// The key at a path below this one, with `\` between the names. Links are not followed.
    pub fn path(&self, path: &str) -> Result<Option<Self>, Error> {
        let mut key = self.clone();
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            match key.subkey(name)? {
                Some(below) => key = below,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// All values.
    pub fn values(&self) -> Values {
        let mut damage = Damage::default();
        let mut values = Vec::new();
        let offsets = self.value_offsets().unwrap_or_else(|problem| {
            damage.note(problem);
            Vec::new()
        });
        self.image.will_need(offsets.iter().copied());
        let mut seen = HashSet::new();
        for offset in offsets {
            let value = if seen.insert(offset) {
                Value::read(&self.image, offset)
            } else {
                Err(corrupt("value that is listed twice", file_offset(offset)))
            };
            match value {
                Ok(value) => values.push(value),
                Err(problem) => damage.note(problem),
            }
            if damage.is_too_much() {
                damage.note(corrupt("too many errors, the rest is left", self.at()));
                break;
            }
        }
        Values { values, damage }
    }

    /// The value of a name, whose case does not matter; the empty name is the default value's. Fails
    /// if it was not found, and some of the values could not be read.
    pub fn value(&self, name: &str) -> Result<Option<Value>, Error> {
        let Values { values, damage } = self.values();
        match values.into_iter().find(|value| same(value.name(), name)) {
            Some(value) => Ok(Some(value)),
            None => damage.into_result().map(|()| None),
        }
    }

    fn elements(&self, damage: &mut Damage) -> Vec<Element> {
        let (count, list) = (self.node.subkeys, self.node.subkey_list);
        if count == 0 && list == NOWHERE {
            return Vec::new();
        }
        let elements = list::elements(&self.image, list, self.offset, damage);
        if damage.is_empty() && elements.len() != count as usize {
            damage.note(corrupt("wrong number of subkeys", self.at()));
        }
        elements
    }

    /// A key that its list and itself hold for a subkey of this one.
    fn child(&self, element: Element) -> Result<Self, Error> {
        let key = Self::read(&self.image, element.key)?;
        if key.node.parent != self.offset || key.offset == self.image.root {
            return Err(corrupt("key that belongs to another", key.at()));
        }
        Ok(key)
    }

    fn value_offsets(&self) -> Result<Vec<u32>, Error> {
        let (count, list) = (self.node.values, self.node.value_list);
        if self.node.flags & HANDLE != 0 || count == 0 && list == NOWHERE {
            return Ok(Vec::new());
        }
        if count as usize > crate::MOST_ENTRIES {
            return Err(corrupt("wrong number of values", self.at()));
        }
        let list = self.image.own_cell(list, 4 * count, self.offset)?;
        if list.len() < 4 * count as usize {
            return Err(corrupt("list of values that is longer than its cell", self.at()));
        }
        Ok(le32s(&list).collect())
    }
}

impl Node {
    fn parse(cell: &[u8]) -> Self {
        Self {
            flags: le16(cell, 2),
            modified: le64(cell, 4),
            layer: cell.get(13).copied().unwrap_or(0) & 3,
            parent: le32(cell, 16),
            subkeys: le32(cell, 20),
            subkey_list: le32(cell, 28),
            values: le32(cell, 36),
            value_list: le32(cell, 40),
            class: le32(cell, 48),
            class_length: le16(cell, 74),
        }
    }
}

impl Damage {
    /// Tells of what is given all the same.
    fn note_key(&mut self, key: &Key) {
        if key.image.minor >= 6 && key.node.layer != 0 {
            self.note(unsupported(format!("layered key at {:#x}", key.at())));
        }
    }
}
