//! Applies transactions to the overlay, in the order and under the conditions of the kernel's own
//! recovery.

use super::Applied;
use super::buffer::{BUFFER, Buffer, Cancelled};
use super::create::{CREATE, Creation};
use super::host::Order;
use super::inode::InodeItem;
use super::intent::{Intents, is_intent};
use super::overlay::Overlay;
use super::owner;
use super::shortfall::{Shortfall, Shortfalls};
use super::stamp;
use super::transaction::{Item, Transaction};
use crate::{Error, Superblock};
use block_source::BlockSource;
use std::collections::BTreeMap;
use std::ops::Range;

const INODE: u16 = 0x123b;
/// Quotas, and that they were turned off: nothing of them is read.
const QUOTA: [u16; 2] = [0x123d, 0x123e];
/// What a buffer with the superblock is called.
const SUPERBLOCK: u16 = 18;

/// A replay under way.
pub struct Replayer {
    superblock: Superblock,
    overlay: Overlay,
    cancelled: Cancelled,
    /// Blocks that are not stamped yet, by offset: length and kind.
    ///
    /// They are stamped when the number of the transactions' first record changes: before, a
    /// stamp would make later changes with the same number look as if they were there already.
    unstamped: BTreeMap<u64, (u64, u16)>,
    lsn: u64,
    intents: Intents,
    shortfalls: Shortfalls,
    transactions: u64,
    /// Blocks that may still get an owner.
    owned_blocks: usize,
}

impl Replayer {
    pub fn new(superblock: &Superblock, overlay: Overlay, cancelled: Cancelled) -> Self {
        Self {
            superblock: superblock.clone(),
            overlay,
            cancelled,
            unstamped: BTreeMap::new(),
            lsn: 0,
            intents: Intents::default(),
            shortfalls: Shortfalls::default(),
            transactions: 0,
            owned_blocks: owner::MOST_BLOCKS,
        }
    }

    /// Ends the replay: the overlay, what was done, and what was not.
    pub fn finish(mut self) -> Result<(Overlay, Applied, Shortfalls), Error> {
        self.stamp_all()?;
        let left = self.intents.finish(&mut self.overlay, &self.superblock)?;
        for shortfall in left.seen {
            self.shortfalls.add(shortfall);
        }
        let applied = Applied {
            transactions: self.transactions,
            changed_bytes: self.overlay.changed_bytes(),
            finished: left.finished,
            unfinished: left.unseen,
        };
        Ok((self.overlay, applied, self.shortfalls))
    }

    /// Applies a transaction.
    pub fn apply(&mut self, transaction: &Transaction) -> Result<(), Error> {
        if transaction.lsn != self.lsn {
            self.stamp_all()?;
            self.lsn = transaction.lsn;
        }
        self.transactions += 1;
        self.announce(transaction);
        // Buffers first, for inodes are in them; cancellations last, for they end themselves.
        for stage in [Stage::Buffer, Stage::Other, Stage::Cancel] {
            for item in &transaction.items {
                if Stage::of(item, transaction.order) == stage {
                    self.item(item, transaction.order)?;
                }
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &Item, order: Order) -> Result<(), Error> {
        let kind = item.kind(order);
        let done = match kind {
            _ if !item.is_whole() => Err(("parts of it are missing", u64::from(kind))),
            BUFFER => self.buffer(item, order)?,
            INODE => self.inode(item, order)?,
            CREATE => self.create(item),
            kind if is_intent(kind) => {
                self.intents.note(item, order);
                Ok(())
            }
            kind if QUOTA.contains(&kind) => Ok(()),
            kind => {
                self.shortfalls.add(Shortfall::UnknownItem(kind));
                Ok(())
            }
        };
        if let Err((what, at)) = done {
            self.shortfalls.add(Shortfall::Item { what, at });
        }
        Ok(())
    }

    fn buffer(&mut self, item: &Item, order: Order) -> Result<Done, Error> {
        let buffer = match Buffer::parse(item, order) {
            Ok(buffer) => buffer,
            Err(what) => return Ok(Err((what, 0))),
        };
        if buffer.is_cancelled() {
            self.cancelled.pass(&buffer);
            return Ok(Ok(()));
        }
        if buffer.is_unneeded() || self.cancelled.contains(buffer.sector, buffer.sectors) {
            return Ok(Ok(()));
        }
        let (offset, length) = (buffer.offset(), buffer.length());
        if !self.overlay.contains(offset, length) {
            return Ok(Err(("buffer outside the device", buffer.sector)));
        }
        let mut block = self.overlay.bytes(offset, length)?;
        if self.is_newer(&block) {
            return Ok(Ok(()));
        }
        if let Err(what) = buffer.apply(item, &mut block) {
            return Ok(Err((what, buffer.sector)));
        }
        self.overlay.put(offset, &block)?;
        if self.superblock.has_checksums() {
            self.unstamped.insert(offset, (length, buffer.kind()));
        }
        if offset == 0 && buffer.kind() == SUPERBLOCK {
            self.grow(block);
        }
        Ok(Ok(()))
    }

    /// Whether a block on the device was written out after this change, or with it.
    fn is_newer(&self, block: &[u8]) -> bool {
        let checks = self.superblock.has_checksums();
        let last = stamp::last_change(block, &self.superblock.meta_uuid).filter(|_| checks);
        last.is_some_and(|last| last >= self.lsn)
    }

    /// Takes the size from a new superblock: what comes after may be in what was added.
    fn grow(&mut self, mut block: Vec<u8>) {
        if self.superblock.has_checksums() {
            stamp::stamp(&mut block, SUPERBLOCK, self.lsn);
        }
        if let Ok(grown) = Superblock::parse(&block) {
            self.superblock.blocks = grown.blocks;
            self.superblock.ag_count = grown.ag_count;
        }
    }

    fn inode(&mut self, item: &Item, order: Order) -> Result<Done, Error> {
        let inode = match InodeItem::parse(item, order) {
            Ok(inode) => inode,
            Err(what) => return Ok(Err((what, 0))),
        };
        if self.cancelled.contains(inode.buffer.0, inode.buffer.1) {
            return Ok(Ok(()));
        }
        let size = self.superblock.inode_size;
        let offset = match inode.offset(&self.superblock) {
            Ok(offset) if self.overlay.contains(offset, size) => offset,
            Ok(_) => return Ok(Err(("inode outside the device", inode.number))),
            Err(what) => return Ok(Err((what, inode.number))),
        };
        // Inodes of 256 bytes share a sector.
        let start = offset / 512 * 512;
        let mut sectors = self.overlay.bytes(start, size.max(512))?;
        let at = (offset - start) as usize;
        match inode.apply(item, order, self.lsn, &mut sectors[at..at + size as usize]) {
            Ok(true) => self.overlay.put(start, &sectors)?,
            Ok(false) => {}
            Err(what) => return Ok(Err((what, inode.number))),
        }
        self.change_owner(&inode, &sectors[at..at + size as usize])
    }

    /// Blocks of a tree may be older on the device than their inode: they get their owner anyway.
    fn change_owner(&mut self, item: &InodeItem, inode: &[u8]) -> Result<Done, Error> {
        let in_use = inode[2..4] != [0, 0];
        for side in item.owned().filter(|_| in_use) {
            let (overlay, superblock) = (&mut self.overlay, &self.superblock);
            let (inode, left) = ((item.number, inode), &mut self.owned_blocks);
            if let Err(what) = owner::change(overlay, superblock, inode, side, left)? {
                return Ok(Err((what, item.number)));
            }
        }
        Ok(Ok(()))
    }

    fn create(&mut self, item: &Item) -> Done {
        let creation = Creation::parse(item, &self.superblock).map_err(|what| (what, 0))?;
        let sectors = creation.sectors(&self.superblock);
        if !self.overlay.contains(sectors.start * 512, (sectors.end - sectors.start) * 512) {
            return Err(("chunk of inodes outside the device", sectors.start));
        }
        if self.cancelled.touches(sectors) {
            return Ok(());
        }
        for (offset, first) in creation.blocks(&self.superblock) {
            self.overlay.make_inodes(offset, first, creation.generation);
        }
        Ok(())
    }

    fn stamp_all(&mut self) -> Result<(), Error> {
        for (offset, (length, kind)) in std::mem::take(&mut self.unstamped) {
            let mut block = self.overlay.bytes(offset, length)?;
            stamp::stamp(&mut block, kind, self.lsn);
            self.overlay.put(offset, &block)?;
        }
        Ok(())
    }

    /// Says which places of the device a transaction needs, so that they are read at once.
    fn announce(&self, transaction: &Transaction) {
        let order = transaction.order;
        let place = |item: &Item| match item.kind(order) {
            BUFFER => {
                let buffer = Buffer::parse(item, order).ok()?;
                let needed = !buffer.is_cancelled() && !buffer.is_unneeded();
                needed.then(|| buffer.offset()..buffer.offset() + buffer.length())
            }
            INODE => {
                let offset = InodeItem::parse(item, order).ok()?.offset(&self.superblock).ok()?;
                Some(offset..offset + self.superblock.inode_size)
            }
            _ => None,
        };
        let mut ranges: Vec<_> = transaction.items.iter().filter_map(place).collect();
        ranges.sort_by_key(|range| range.start);
        ranges.dedup_by(join);
        self.overlay.will_need(&ranges);
    }
}

/// What was wrong with an item, and the inode or sector that it was about.
type Done = Result<(), (&'static str, u64)>;

/// Joins a range to the one before it if they touch.
fn join(next: &mut Range<u64>, before: &mut Range<u64>) -> bool {
    let touches = next.start <= before.end;
    if touches {
        before.end = before.end.max(next.end);
    }
    touches
}

/// When in a transaction an item is applied.
#[derive(PartialEq, Eq)]
enum Stage {
    Buffer,
    Other,
    Cancel,
}

impl Stage {
    fn of(item: &Item, order: Order) -> Self {
        match item.kind(order) {
            CREATE => Self::Buffer,
            BUFFER => match Buffer::parse(item, order) {
                Ok(buffer) if buffer.is_cancelled() => Self::Cancel,
                _ => Self::Buffer,
            },
            _ => Self::Other,
        }
    }
}
