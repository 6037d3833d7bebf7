//! Transactions, put together from operations that may be spread over several records.

use super::host::Order;
use super::record::Record;
use crate::bytes::be32;
use std::collections::HashMap;

/// Flags of an operation.
mod flag {
    pub const START: u8 = 0x01;
    pub const COMMIT: u8 = 0x02;
    pub const CONTINUE: u8 = 0x04;
    pub const WAS_CONTINUED: u8 = 0x08;
    pub const END: u8 = 0x10;
    pub const UNMOUNT: u8 = 0x20;
}
/// Who may write operations: transactions, and the log itself.
const CLIENTS: [u8; 2] = [0x69, 0xaa];
const OPERATION: usize = 12;
const HEADER: usize = 16;
const HEADER_MAGIC: u32 = 0x5452_414e;
/// Every second piece of 128 bytes of the largest buffer, and the description.
const MOST_REGIONS: usize = 65536 / 128 / 2 + 1;

/// A transaction that was committed.
pub struct Transaction {
    /// The record in which it began; its changes bear this number.
    pub lsn: u64,
    pub order: Order,
    pub items: Vec<Item>,
}

/// One changed thing: its description, and the changed parts.
#[derive(Default)]
pub struct Item {
    regions: Vec<Vec<u8>>,
    expected: usize,
}

impl Item {
    /// Type of the item.
    pub fn kind(&self, order: Order) -> u16 {
        order.u16(self.description(), 0)
    }

    pub fn description(&self) -> &[u8] {
        self.part(0)
    }

    /// A region by number; the description is 0. Empty if there is none.
    pub fn part(&self, index: usize) -> &[u8] {
        self.regions.get(index).map_or(&[], Vec::as_slice)
    }

    /// Whether all regions were in the log.
    pub fn is_whole(&self) -> bool {
        self.expected > 0 && self.regions.len() == self.expected
    }
}

/// A transaction whose end was not seen.
struct Open {
    lsn: u64,
    order: Order,
    header: Vec<u8>,
    items: Vec<Item>,
}

/// Takes records in order and gives transactions in the order of their commits.
#[derive(Default)]
pub struct Assembler {
    open: HashMap<u32, Open>,
}

impl Assembler {
    /// The transactions that a record commits, or what is wrong with the record.
    pub fn feed(&mut self, record: &Record) -> Result<Vec<Transaction>, &'static str> {
        let mut committed = Vec::new();
        let mut rest = record.data.as_slice();
        for _ in 0..record.header.operations {
            if rest.is_empty() {
                break;
            }
            let (head, after) = rest.split_at_checked(OPERATION).ok_or("operation cut short")?;
            let length = be32(head, 4) as usize;
            let (data, after) = after.split_at_checked(length).ok_or("operation too long")?;
            if !CLIENTS.contains(&head[8]) {
                return Err("operation of an unknown client");
            }
            committed.extend(self.operation(record, be32(head, 0), head[9], data)?);
            rest = after;
        }
        Ok(committed)
    }

    fn operation(
        &mut self,
        record: &Record,
        id: u32,
        flags: u8,
        data: &[u8],
    ) -> Result<Option<Transaction>, &'static str> {
        let Some(open) = self.open.get_mut(&id) else {
            if flags & flag::START != 0 {
                self.open.insert(id, Open::new(record));
            }
            // Else it belongs to a transaction that began before the tail.
            return Ok(None);
        };
        let flags = match flags & !flag::END {
            flags if flags & flag::WAS_CONTINUED != 0 => flags & !flag::CONTINUE,
            flags => flags,
        };
        match flags {
            0 | flag::CONTINUE => open.add(data)?,
            flag::WAS_CONTINUED => open.go_on(data)?,
            flag::COMMIT => return Ok(self.open.remove(&id).map(Open::commit)),
            flag::UNMOUNT => drop(self.open.remove(&id)),
            _ => return Err("operation with impossible flags"),
        }
        Ok(None)
    }
}

impl Open {
    fn new(record: &Record) -> Self {
        let (lsn, order) = (record.header.lsn, record.order);
        Self { lsn, order, header: Vec::new(), items: Vec::new() }
    }

    fn commit(self) -> Transaction {
        Transaction { lsn: self.lsn, order: self.order, items: self.items }
    }

    /// A new region. The first one is the header of the transaction.
    fn add(&mut self, data: &[u8]) -> Result<(), &'static str> {
        if data.is_empty() {
            return Ok(());
        }
        if self.header.is_empty() {
            if self.order.u32(data, 0) != HEADER_MAGIC {
                return Err("transaction without a header");
            }
            return self.extend_header(data);
        }
        if self.header.len() < HEADER {
            return Err("transaction header cut short");
        }
        if self.items.last().is_none_or(Item::is_whole) {
            self.items.push(Item::default());
        }
        let item = self.items.last_mut().expect("pushed if there was none");
        if item.expected == 0 {
            item.expected = usize::from(self.order.u16(data, 2));
            if !(1..=MOST_REGIONS).contains(&item.expected) {
                return Err("item with an impossible number of regions");
            }
        }
        item.regions.push(data.to_vec());
        Ok(())
    }

    /// The rest of the last region.
    fn go_on(&mut self, data: &[u8]) -> Result<(), &'static str> {
        if self.header.len() < HEADER {
            return self.extend_header(data);
        }
        let region = self.items.last_mut().and_then(|item| item.regions.last_mut());
        region.ok_or("rest of a region without its start")?.extend_from_slice(data);
        Ok(())
    }

    fn extend_header(&mut self, data: &[u8]) -> Result<(), &'static str> {
        if self.header.len() + data.len() > HEADER {
            return Err("transaction header too long");
        }
        self.header.extend_from_slice(data);
        Ok(())
    }
}
