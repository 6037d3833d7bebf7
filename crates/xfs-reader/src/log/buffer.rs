//! Buffers: blocks of metadata of which those pieces of 128 bytes are in the log that were
//! changed. A buffer that was freed is "cancelled": earlier changes to it must not be replayed,
//! for its blocks may belong to a file by now.

use super::host::Order;
use super::transaction::{Item, Transaction};
use std::collections::BTreeMap;

const PIECE: usize = 128;
/// The largest buffer, in sectors.
const MOST_SECTORS: u16 = 128;
const BITMAP: usize = 20;

/// Flags of a buffer.
mod flag {
    /// Only pointers of the list of unlinked inodes are to be taken from it.
    pub const INODES: u16 = 0x1;
    pub const CANCEL: u16 = 0x2;
    pub const QUOTA: u16 = 0x4 | 0x8 | 0x10;
}

/// The description of a changed buffer.
pub struct Buffer {
    flags: u16,
    /// Its first sector of 512 bytes on the device.
    pub sector: u64,
    pub sectors: u16,
    /// Changed pieces.
    bitmap: Vec<u32>,
}

impl Buffer {
    pub fn parse(item: &Item, order: Order) -> Result<Self, &'static str> {
        let raw = item.description();
        let words = order.u32(raw, 16) as usize;
        let room = raw.len().checked_sub(BITMAP).ok_or("buffer description too short")? / 4;
        if words > room {
            return Err("bitmap of a buffer longer than its description");
        }
        let sectors = order.u16(raw, 6);
        if !(1..=MOST_SECTORS).contains(&sectors) {
            return Err("size of a buffer");
        }
        let sector = order.u64(raw, 8);
        if sector > u64::MAX >> 10 {
            return Err("place of a buffer");
        }
        let bitmap = (0..words).map(|word| order.u32(raw, BITMAP + word * 4)).collect();
        Ok(Self { flags: order.u16(raw, 4), sector, sectors, bitmap })
    }

    pub fn is_cancelled(&self) -> bool {
        self.flags & flag::CANCEL != 0
    }

    /// Whether nothing in it matters for reading: quotas, and lists of unlinked inodes.
    pub fn is_unneeded(&self) -> bool {
        self.flags & (flag::INODES | flag::QUOTA) != 0
    }

    /// What it holds.
    pub fn kind(&self) -> u16 {
        self.flags >> 11
    }

    pub fn offset(&self) -> u64 {
        self.sector * 512
    }

    pub fn length(&self) -> u64 {
        u64::from(self.sectors) * 512
    }

    /// Copies the changed pieces to their places.
    pub fn apply(&self, item: &Item, block: &mut [u8]) -> Result<(), &'static str> {
        let mut bit = 0;
        let mut part = 1;
        while let Some((start, run)) = self.next_run(bit) {
            let region = item.part(part);
            // A run goes on in the next region where the buffer's memory pages are not adjacent.
            let pieces = run.min(region.len() / PIECE);
            let (from, length) = (start * PIECE, pieces * PIECE);
            let place = block.get_mut(from..from + length);
            let place = place.ok_or("changed piece past the end of its buffer")?;
            if pieces == 0 {
                return Err("changed piece that is not in the log");
            }
            place.copy_from_slice(&region[..length]);
            bit = start + pieces;
            part += 1;
        }
        Ok(())
    }

    /// The next changed pieces in a row.
    fn next_run(&self, from: usize) -> Option<(usize, usize)> {
        let most = self.bitmap.len() * 32;
        let set = |bit: &usize| self.bitmap[bit / 32] >> (bit % 32) & 1 == 1;
        let start = (from..most).find(set)?;
        Some((start, (start..most).take_while(set).count()))
    }
}

/// Cancelled buffers, with how often they are cancelled from here on.
#[derive(Default)]
pub struct Cancelled {
    counts: BTreeMap<(u64, u16), u64>,
}

impl Cancelled {
    /// Notes the buffers that a transaction cancels.
    pub fn note(&mut self, transaction: &Transaction) {
        let buffers = transaction.items.iter().filter(|item| is_buffer(item, transaction.order));
        for buffer in buffers.filter_map(|item| Buffer::parse(item, transaction.order).ok()) {
            if buffer.is_cancelled() {
                *self.counts.entry((buffer.sector, buffer.sectors)).or_default() += 1;
            }
        }
    }

    /// Whether a buffer is cancelled now or later.
    pub fn contains(&self, sector: u64, sectors: u16) -> bool {
        self.counts.contains_key(&(sector, sectors))
    }

    /// Whether any buffer that starts in a range is cancelled now or later.
    pub fn touches(&self, sectors: std::ops::Range<u64>) -> bool {
        self.counts.range((sectors.start, 0)..(sectors.end, 0)).next().is_some()
    }

    /// Passes one cancellation: what comes after the last one is to be replayed.
    pub fn pass(&mut self, buffer: &Buffer) {
        let key = (buffer.sector, buffer.sectors);
        if let Some(count) = self.counts.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&key);
            }
        }
    }
}

/// Type of an item that changes a buffer.
pub const BUFFER: u16 = 0x123c;

fn is_buffer(item: &Item, order: Order) -> bool {
    item.kind(order) == BUFFER
}
