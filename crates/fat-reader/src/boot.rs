//! The boot sector. It has no checksum, and other formats begin alike, so all of its numbers must fit
//! together. How wide the table's entries are follows from the number of clusters, and from
//! nothing else.

use block_source::{BlockSource, ReadError};

const SECTOR: usize = 512;
/// What Linux and Windows set in the byte behind the number of the drive for as long as they write.
const DIRTY: u8 = 1;
/// Fewer clusters are FAT12, and fewer than the second FAT16.
const LEAST_FAT16: u64 = 4085;
const LEAST_FAT32: u64 = 65525;
/// Numbers of clusters end before the marks of bad ones and of ends.
const MOST_CLUSTERS: u64 = 0x0fff_fff5;

/// Bits of an entry in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say it")]
pub enum Width {
    Fat12,
    Fat16,
    Fat32,
}

/// What the boot sector tells, in bytes from the start of the filesystem.
#[derive(Debug, Clone)]
pub struct Boot {
    /// Bits of an entry in the table.
    pub width: Width,
    /// Serial number.
    pub serial: u32,
    /// Bytes that the filesystem takes.
    pub size: u64,
    /// Whether it says that it is in use, or was not unmounted.
    pub dirty: bool,
    /// Label as it is in the boot sector.
    pub label: [u8; 11],
    pub(crate) cluster_size: u64,
    /// Highest number of a cluster.
    pub(crate) last_cluster: u32,
    pub(crate) table: u64,
    pub(crate) table_size: u64,
    /// Root directory of FAT12 and FAT16.
    pub(crate) root: (u64, u64),
    /// First cluster of the root directory of FAT32.
    pub(crate) root_cluster: u32,
    /// Where cluster 2 begins.
    pub(crate) data: u64,
}

impl Boot {
    /// The boot sector; `None` if it is none of FAT.
    pub(crate) fn read(source: &dyn BlockSource) -> Result<Option<Self>, ReadError> {
        if source.size() < SECTOR as u64 {
            return Ok(None);
        }
        let mut bytes = [0; SECTOR];
        source.read_exact_at(0, &mut bytes)?;
        Ok(Self::parse(&bytes))
    }

    fn parse(bytes: &[u8; SECTOR]) -> Option<Self> {
        let (sector, per_cluster) = (u64::from(short(bytes, 11)), u64::from(bytes[13]));
        let (reserved, tables) = (u64::from(short(bytes, 14)), u64::from(bytes[16]));
        let sound = matches!(bytes[0], 0xeb | 0xe9 | 0x49)
            && (512..=4096).contains(&sector)
            && sector.is_power_of_two()
            && per_cluster.is_power_of_two()
            && reserved > 0
            && (1..=2).contains(&tables)
            && (bytes[21] == 0xf0 || bytes[21] >= 0xf8);
        if !sound {
            return None;
        }
        let either = |small: usize, large: usize| match u64::from(short(bytes, small)) {
            0 => u64::from(word(bytes, large)),
            small => small,
        };
        let (sectors, table_sectors) = (either(19, 32), either(22, 36));
        let root_sectors = (u64::from(short(bytes, 17)) * 32).div_ceil(sector);
        let before_root = reserved + tables * table_sectors;
        let clusters = sectors.checked_sub(before_root + root_sectors)? / per_cluster;
        let width = match clusters {
            0 => return None,
            _ if clusters < LEAST_FAT16 => Width::Fat12,
            _ if clusters < LEAST_FAT32 => Width::Fat16,
            _ if clusters < MOST_CLUSTERS => Width::Fat32,
            _ => return None,
        };
        let is_wide = width == Width::Fat32;
        // FAT32 has no root directory of a fixed size, and no small number of table sectors.
        if table_sectors == 0 || is_wide != (root_sectors == 0) || is_wide && short(bytes, 22) != 0
        {
            return None;
        }
        let extended = if is_wide { 64 } else { 36 };
        Some(Self {
            width,
            serial: word(bytes, extended + 3),
            size: sectors * sector,
            dirty: bytes[extended + 1] & DIRTY != 0,
            label: bytes[extended + 7..extended + 18].try_into().expect("eleven bytes"),
            cluster_size: per_cluster * sector,
            last_cluster: (clusters + 1) as u32,
            table: reserved * sector,
            table_size: table_sectors * sector,
            root: (before_root * sector, u64::from(short(bytes, 17)) * 32),
            root_cluster: if is_wide { word(bytes, 44) } else { 0 },
            data: (before_root + root_sectors) * sector,
        })
    }

    /// Where a cluster begins.
    pub(crate) fn cluster(&self, number: u32) -> Option<u64> {
        let inside = (2..=self.last_cluster).contains(&number);
        inside.then(|| self.data + u64::from(number - 2) * self.cluster_size)
    }
}

pub fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
