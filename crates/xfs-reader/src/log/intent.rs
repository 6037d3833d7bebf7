//! Intents: what the kernel means to do in later transactions. Those that are not marked done in
//! the log, the kernel does when it mounts. Most are about free space and owners of blocks, which
//! a reader does not look at.

use super::host::Order;
use super::mapping::Mapping;
use super::overlay::Overlay;
use super::shortfall::Shortfall;
use super::transaction::Item;
use crate::{Error, Superblock};
use std::collections::BTreeMap;

/// Types of intents; that of the mark that one is done is one higher.
mod kind {
    pub const FREE: u16 = 0x1236;
    pub const OWNER: u16 = 0x1240;
    pub const REFERENCES: u16 = 0x1242;
    pub const MAPPING: u16 = 0x1244;
    pub const ATTRIBUTE: u16 = 0x1246;
    pub const EXCHANGE: u16 = 0x1248;
    /// The first three again, for the realtime device.
    pub const REALTIME: [u16; 3] = [0x124a, 0x124c, 0x124e];
}

/// Operations on attributes that users see; others are about the hidden names of parents.
const SEEN_ATTRIBUTES: std::ops::RangeInclusive<u32> = 1..=3;

/// Intents that were begun and not done.
#[derive(Default)]
pub struct Intents {
    open: BTreeMap<(u16, u64), Intent>,
    noted: u64,
}

struct Intent {
    /// Of the intents in the log, the how manieth: they are carried out in this order.
    number: u64,
    kind: u16,
    order: Order,
    description: Vec<u8>,
}

/// Whether a type of item is an intent, or marks one as done.
pub fn is_intent(kind: u16) -> bool {
    let begun = kind & !1;
    let known =
        [kind::FREE, kind::OWNER, kind::REFERENCES, kind::MAPPING, kind::ATTRIBUTE, kind::EXCHANGE];
    known.contains(&begun) || kind::REALTIME.contains(&begun)
}

impl Intents {
    /// Takes an intent, or the mark that it is done.
    pub fn note(&mut self, item: &Item, order: Order) {
        let raw = item.description();
        let (kind, id) = (item.kind(order), order.u64(raw, 8));
        if kind & 1 == 1 {
            self.open.remove(&(kind & !1, id));
            return;
        }
        self.noted += 1;
        let (number, description) = (self.noted, raw.to_vec());
        self.open.insert((kind, id), Intent { number, kind, order, description });
    }

    /// Carries out what can be carried out of those that are not done.
    pub fn finish(self, overlay: &mut Overlay, superblock: &Superblock) -> Result<Left, Error> {
        let mut intents: Vec<_> = self.open.into_values().collect();
        intents.sort_by_key(|intent| intent.number);
        let mut left = Left::default();
        for intent in intents {
            match intent.finish(overlay, superblock)? {
                Done::Now => left.finished += 1,
                Done::Unseen => left.unseen += 1,
                Done::No(shortfall) => left.seen.push(shortfall),
            }
        }
        Ok(left)
    }
}

/// What became of all intents.
#[derive(Default)]
pub struct Left {
    pub finished: u64,
    /// Not done, and not seen by a reader.
    pub unseen: u64,
    pub seen: Vec<Shortfall>,
}

/// What became of an intent.
enum Done {
    Now,
    Unseen,
    No(Shortfall),
}

impl Intent {
    fn finish(&self, overlay: &mut Overlay, superblock: &Superblock) -> Result<Done, Error> {
        let (raw, order) = (self.description.as_slice(), self.order);
        let inode = order.u64(raw, 16);
        Ok(match self.kind {
            kind::MAPPING => {
                let mapping = Mapping::parse(raw, order);
                if mapping.apply(overlay, superblock)? {
                    Done::Now
                } else {
                    Done::No(Shortfall::Mapping { inode })
                }
            }
            kind::ATTRIBUTE if SEEN_ATTRIBUTES.contains(&order.u32(raw, 24)) => {
                Done::No(Shortfall::Attribute { inode })
            }
            kind::EXCHANGE => Done::No(Shortfall::Exchange { inodes: [inode, order.u64(raw, 24)] }),
            _ => Done::Unseen,
        })
    }
}
