//! MBR (DOS) partition tables, with the chain of extended partitions.
//!
//! Layout: four 16-byte entries at byte 446 and 0x55AA at 510; an extended partition starts a
//! chain of such sectors, each with one logical partition and a link to the next, all relative to
//! the extended partition. Refused: chains that go backwards, repeat, or exceed 128 links.

use super::{Purpose, Volume, VolumeFormat};
use crate::block::{Device, ReadError};
use crate::model::{Gap, GapReason, Partial};

/// The format.
pub struct Mbr;

const SECTOR: u64 = 512;
const MOST_LOGICAL: u32 = 128;

impl VolumeFormat for Mbr {
    fn name(&self) -> &'static str {
        "mbr"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        let sector = device.read_up_to(0, SECTOR as usize)?;
        Ok(Table::parse(&sector).is_some_and(|table| table.is_plausible(device.source.size())))
    }

    fn assemble(&self, devices: &[Device]) -> Partial<Vec<Volume>> {
        let mut all = Partial::default();
        for device in devices {
            if let Err(error) = read_table(device, &mut all) {
                all.gaps.push(Gap::new(&device.name, GapReason::Unreadable, error));
            }
        }
        all
    }
}

/// Whether what looks like md's superblock at the end of a disk is that of a partition: it is in its place
/// there too, and speaks of no more than the partition holds. The partitions of a table inside an array
/// end before its superblock.
pub fn ends_in_member(device: &Device) -> Result<bool, ReadError> {
    if !md_reader::claims_at_end(&*device.source)? || !Mbr.claims(device)? {
        return Ok(false);
    }
    let partitions = Mbr.assemble(std::slice::from_ref(device)).found;
    for partition in partitions.iter().filter(|partition| partition.missing_bytes == 0) {
        if md_reader::claims_at_end(&*partition.device.source)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_table(device: &Device, all: &mut Partial<Vec<Volume>>) -> Result<(), ReadError> {
    let Some(table) = Table::parse(&device.read_up_to(0, SECTOR as usize)?) else {
        all.gaps.push(Gap::new(&device.name, GapReason::Corrupt, "no partition table"));
        return Ok(());
    };
    for (number, entry) in (1..).zip(table.entries) {
        if entry.is_extended() {
            read_logical(device, table.signature, entry, all)?;
        } else if entry.sectors > 0 && entry.kind != 0 {
            push(device, table.signature, number, entry.kind, entry.start(), entry.length(), all);
        }
    }
    Ok(())
}

/// Follows the chain of logical partitions; a break ends it with a gap.
fn read_logical(
    device: &Device,
    signature: u32,
    extended: Entry,
    all: &mut Partial<Vec<Volume>>,
) -> Result<(), ReadError> {
    let base = extended.start();
    let mut at = base;
    for number in 5..5 + MOST_LOGICAL {
        let sector = device.read_up_to(at, SECTOR as usize)?;
        let Some(table) = Table::parse(&sector) else {
            let detail = format!("logical partition chain broken at byte {at}");
            all.gaps.push(Gap::new(&device.name, GapReason::Corrupt, detail));
            return Ok(());
        };
        let [logical, next, ..] = table.entries;
        if logical.sectors > 0 && logical.kind != 0 {
            let start = at + logical.start();
            push(device, signature, number, logical.kind, start, logical.length(), all);
        }
        if !next.is_extended() {
            return Ok(());
        }
        let following = base + next.start();
        if following <= at {
            let detail = format!("logical partition chain goes back at byte {at}");
            all.gaps.push(Gap::new(&device.name, GapReason::Corrupt, detail));
            return Ok(());
        }
        at = following;
    }
    let detail = format!("more than {MOST_LOGICAL} logical partitions");
    all.gaps.push(Gap::new(&device.name, GapReason::Limit, detail));
    Ok(())
}

fn push(
    device: &Device,
    signature: u32,
    number: u32,
    kind: u8,
    start: u64,
    length: u64,
    all: &mut Partial<Vec<Volume>>,
) {
    let name = format!("{}:p{number}", device.name);
    let size = device.source.size();
    if start >= size {
        let detail = format!("partition starts at byte {start} on a device of {size} bytes");
        all.gaps.push(Gap::new(name, GapReason::Corrupt, detail));
        return;
    }
    all.found.push(Volume {
        device: device.window(name, start, length),
        on: vec![device.name.clone()],
        id: None,
        names: Vec::new(),
        unread: None,
        number: Some(number),
        label: None,
        kind: None,
        attributes: 0,
        missing_bytes: (start + length).saturating_sub(size),
        uuid: Some(format!("{signature:08x}-{number:02x}")),
        purpose: match kind {
            0xef => Purpose::Firmware,
            0x41 => Purpose::BootLoader,
            0x82 => Purpose::Swap,
            _ => Purpose::Data,
        },
    });
}

struct Table {
    signature: u32,
    entries: [Entry; 4],
}

#[derive(Clone, Copy)]
struct Entry {
    status: u8,
    kind: u8,
    first: u32,
    sectors: u32,
}

impl Table {
    fn parse(sector: &[u8]) -> Option<Self> {
        if sector.get(510..512)? != [0x55, 0xaa] {
            return None;
        }
        let word = |at: usize| {
            u32::from_le_bytes([sector[at], sector[at + 1], sector[at + 2], sector[at + 3]])
        };
        let entries = std::array::from_fn(|index| {
            let at = 446 + 16 * index;
            Entry {
                status: sector[at],
                kind: sector[at + 4],
                first: word(at + 8),
                sectors: word(at + 12),
            }
        });
        Some(Self { signature: word(440), entries })
    }

    /// The boot sector of a bare FAT or NTFS filesystem ends in 0x55AA too, with code or text
    /// where the entries would be: all entries must make sense, and one must be in use.
    fn is_plausible(&self, size: u64) -> bool {
        let used = |entry: &&Entry| entry.kind != 0 && entry.sectors > 0;
        self.entries.iter().all(|entry| matches!(entry.status, 0 | 0x80))
            && self.entries.iter().any(|entry| used(&entry))
            && self.entries.iter().filter(used).all(|entry| entry.first > 0)
            && self.entries.iter().filter(used).any(|entry| entry.start() < size)
    }
}

impl Entry {
    fn is_extended(self) -> bool {
        matches!(self.kind, 0x05 | 0x0f | 0x85) && self.sectors > 0
    }

    fn start(self) -> u64 {
        u64::from(self.first) * SECTOR
    }

    fn length(self) -> u64 {
        u64::from(self.sectors) * SECTOR
    }
}
