//! The first page: byte order, page size, and where the buckets are.
//!
//! Layout (numbers in the order of the machine that made the file): 8 page number, 12 magic, 16
//! version, 20 page size, 24 encryption, 25 page type, 26 flags, 32 last page, 48 flags of the
//! access method, 72 last bucket, 88 entries, 96 thirty-two offsets of the buckets' pages.

use crate::bytes::Order;
use crate::error::{Error, corrupt, unsupported};
use block_source::BlockSource;

const SIZE: usize = 512;
const HASH: u32 = 0x0006_1561;
const BTREE: u32 = 0x0005_3162;
const QUEUE: u32 = 0x0004_2253;
const HASH_META_PAGE: u8 = 8;
const CHECKSUMS: u8 = 1;
const DUPLICATES: u32 = 1;
const SUBDATABASES: u32 = 2;
const SORTED_DUPLICATES: u32 = 4;

/// What the first page says.
pub struct Meta {
    pub order: Order,
    pub page_size: u32,
    /// The last page that the file has and the database uses.
    pub last_page: u32,
    pub last_bucket: u32,
    /// The database has no entries; how many it has otherwise is not sure.
    pub empty: bool,
    /// The file ends before the last page of the database.
    pub cut: bool,
    offsets: [u32; 32],
}

/// The byte order, if these first bytes are of a Berkeley DB file.
pub fn byte_order(start: &[u8]) -> Option<Order> {
    let known = |order: &Order| [HASH, BTREE, QUEUE].contains(&order.u32(start, 12));
    [Order::Little, Order::Big].into_iter().find(known)
}

impl Meta {
    pub fn read(source: &dyn BlockSource) -> Result<Self, Error> {
        if source.size() < SIZE as u64 {
            return Err(corrupt("file shorter than its first page", source.size()));
        }
        let mut page = [0; SIZE];
        source.read_exact_at(0, &mut page)?;
        let order = byte_order(&page).ok_or_else(|| corrupt("magic number", 12))?;
        check_kind(&page, order)?;
        let page_size = order.u32(&page, 20);
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(corrupt("page size", 20));
        }
        let has = source.size() / u64::from(page_size);
        let says = order.u32(&page, 32);
        let last_page = u64::from(says).min(has.saturating_sub(1)) as u32;
        let meta = Self {
            order,
            page_size,
            last_page,
            last_bucket: order.u32(&page, 72),
            empty: order.u32(&page, 88) == 0,
            cut: last_page < says,
            offsets: std::array::from_fn(|index| order.u32(&page, 96 + 4 * index)),
        };
        if meta.last_bucket > says {
            return Err(corrupt("number of buckets", 72));
        }
        Ok(meta)
    }

    /// The first page of a bucket. Buckets were added in doublings, each of which took its pages
    /// in one piece.
    pub fn bucket_page(&self, bucket: u32) -> Option<u32> {
        let doubling = (u32::BITS - bucket.leading_zeros()) as usize;
        bucket.checked_add(*self.offsets.get(doubling)?)
    }

    /// Whether a page may be that of a bucket that nothing was ever put into, which is not written:
    /// libdb makes many at once where it is told how many entries there will be, as by a load of a
    /// dump. rpm tells it nothing.
    pub fn may_be_blank(&self, page: u32) -> bool {
        let first = self.offsets[0];
        let Some(bucket) = page.checked_sub(first) else { return false };
        let doubling = (u32::BITS - bucket.leading_zeros()) as usize;
        let at_once = self.offsets[..=doubling.min(31)].iter().all(|offset| *offset == first);
        at_once && bucket <= self.last_bucket && (self.empty || self.offsets[2] == first)
    }
}

/// Refuses everything but a plain hash.
fn check_kind(page: &[u8], order: Order) -> Result<(), Error> {
    match order.u32(page, 12) {
        HASH => {}
        BTREE => return Err(unsupported("Berkeley DB file that is a b-tree")),
        _ => return Err(unsupported("Berkeley DB file that is a queue")),
    }
    let version = order.u32(page, 16);
    if !(8..=10).contains(&version) {
        return Err(unsupported(format!("Berkeley DB hash of version {version}")));
    }
    if page[24] != 0 {
        return Err(unsupported("encrypted Berkeley DB file"));
    }
    if page[26] & CHECKSUMS != 0 {
        return Err(unsupported("Berkeley DB file with checksums"));
    }
    if page[26] != 0 {
        return Err(unsupported("Berkeley DB file in partitions"));
    }
    if page[25] != HASH_META_PAGE || order.u32(page, 8) != 0 {
        return Err(corrupt("kind of the first page", 8));
    }
    let flags = order.u32(page, 48);
    if flags & (DUPLICATES | SUBDATABASES | SORTED_DUPLICATES) != 0 {
        return Err(unsupported(format!("Berkeley DB hash with flags {flags:#x}")));
    }
    Ok(())
}
