//! The write-ahead log: pages that were changed and are not in the file yet.
//!
//! A head of 32 bytes: magic, version, page size, number, two salts, checksum. Then frames: 24
//! bytes (page, pages of the database if a transaction ends here, salts, checksum) and the page.
//! The checksum goes on from frame to frame. The first frame with other salts is from before, and one whose
//! checksum does not fit is of a transaction that was not finished: SQLite writes some of its frames anew before
//! it ends it. As SQLite does, both end the log, for nothing tells damage from them.

use crate::bytes::{Order, be32};
use crate::error::{Error, corrupt, unsupported};
use crate::window::Window;
use block_source::BlockSource;
use std::collections::HashMap;
use std::sync::Arc;

const HEAD: usize = 32;
const FRAME: usize = 24;
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;

/// What the transactions that were finished changed.
pub struct Wal {
    pub source: Arc<dyn BlockSource>,
    pub page_size: u32,
    /// Where in the log the newest content of a page is.
    pub pages: HashMap<u32, u64>,
    /// Pages of the database after the last transaction.
    pub size: u32,
}

impl Wal {
    /// Reads all frames; nothing if no transaction is in them.
    pub fn read(source: Arc<dyn BlockSource>) -> Result<Option<Self>, Error> {
        if source.size() < HEAD as u64 {
            return Ok(None);
        }
        let mut window = Window::new(source.clone());
        let head = window.read(0, HEAD)?;
        // A log that was made and not written yet.
        if head.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let mut log = Log::parse(head)?;
        let size = source.size();
        let mut wal = Self { page_size: log.page_size, source, pages: HashMap::new(), size: 0 };
        // Of the transaction that is being read.
        let mut open = HashMap::new();
        let mut at = HEAD as u64;
        let step = (FRAME + log.page_size as usize) as u64;
        while at + step <= size {
            let bytes = window.read(at, step as usize)?;
            let Some(frame) = log.frame(bytes) else { break };
            open.insert(frame.page, at + FRAME as u64);
            if frame.commit > 0 {
                wal.size = frame.commit;
                wal.pages.extend(open.drain());
            }
            at += step;
        }
        Ok((wal.size > 0).then_some(wal))
    }
}

/// What the head of the log says, and the checksum so far.
struct Log {
    order: Order,
    page_size: u32,
    salts: [u8; 8],
    sums: (u32, u32),
}

struct Frame {
    page: u32,
    commit: u32,
}

impl Log {
    fn parse(head: &[u8]) -> Result<Self, Error> {
        let order = match be32(head, 0) ^ MAGIC {
            0 => Order::Little,
            1 => Order::Big,
            _ => return Err(corrupt("magic number of the write-ahead log", 0)),
        };
        let version = be32(head, 4);
        if version != VERSION {
            return Err(unsupported(format!("write-ahead log of version {version}")));
        }
        let page_size = be32(head, 8);
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(corrupt("page size of the write-ahead log", 8));
        }
        let mut salts = [0; 8];
        salts.copy_from_slice(&head[16..24]);
        let sums = checksum(order, (0, 0), &head[..24]);
        if sums != (be32(head, 24), be32(head, 28)) {
            return Err(corrupt("checksum of the write-ahead log", 24));
        }
        Ok(Self { order, page_size, salts, sums })
    }

    /// A frame, if it is one of this log and was written whole.
    fn frame(&mut self, bytes: &[u8]) -> Option<Frame> {
        let frame = Frame { page: be32(bytes, 0), commit: be32(bytes, 4) };
        if bytes[8..16] != self.salts {
            return None;
        }
        let sums = checksum(self.order, self.sums, &bytes[..8]);
        let sums = checksum(self.order, sums, &bytes[FRAME..]);
        if sums != (be32(bytes, 16), be32(bytes, 20)) || frame.page == 0 {
            return None;
        }
        self.sums = sums;
        Some(frame)
    }
}

fn checksum(order: Order, (mut first, mut second): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        first = first.wrapping_add(order.u32(pair, 0)).wrapping_add(second);
        second = second.wrapping_add(order.u32(pair, 4)).wrapping_add(first);
    }
    (first, second)
}
