//! Intents: what the kernel means to do in later transactions. Those that are not marked done in
//! the log, the kernel does when it mounts. Most are about free space and owners of blocks, which
//! a reader does not look at.

use super::host::Order;
use super::shortfall::Shortfall;
use super::transaction::Item;
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

/// Intents that were begun and not done.
#[derive(Default)]
pub struct Intents {
    open: BTreeMap<(u16, u64), [u64; 2]>,
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
        } else {
            self.open.insert((kind, id), [order.u64(raw, 16), order.u64(raw, 24)]);
        }
    }

    /// The number of those that a reader does not see, and what it may see of the others.
    pub fn left(self) -> (u64, Vec<Shortfall>) {
        let all = self.open.len();
        let seen: Vec<_> = self.open.into_iter().filter_map(seen).collect();
        ((all - seen.len()) as u64, seen)
    }
}

fn seen(((kind, _), inodes): ((u16, u64), [u64; 2])) -> Option<Shortfall> {
    match kind {
        kind::MAPPING => Some(Shortfall::Mapping { inode: inodes[0] }),
        kind::ATTRIBUTE => Some(Shortfall::Attribute { inode: inodes[0] }),
        kind::EXCHANGE => Some(Shortfall::Exchange { inodes }),
        _ => None,
    }
}
