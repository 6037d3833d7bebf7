//! The boot sector, which says how large the volume's parts are and where its file table is:
//! <https://flatcap.github.io/linux-ntfs/ntfs/files/boot.html>. A copy of it is in the sector after
//! the volume, at the end of the partition (Windows NT 3.51 kept it in the middle).

use crate::Error;
use crate::bytes::{u16_at, u64_at};
use block_source::{BlockSource, ReadError};

const SIGNATURE: &[u8] = b"NTFS    ";
/// As much of the sector as means anything here; sectors may be larger.
const LENGTH: usize = 512;
const LARGEST_CLUSTER: u64 = 2 << 20;

/// What the boot sector says.
#[derive(Debug, Clone)]
pub struct BootSector {
    /// Bytes of a sector: 256 to 4096.
    pub sector_size: u64,
    /// Bytes of a cluster: up to 2 MiB.
    pub cluster_size: u64,
    /// Sectors of the volume, without the copy of the boot sector.
    pub sectors: u64,
    /// Clusters of the volume.
    pub clusters: u64,
    /// Bytes of a file record: 512 to 4096.
    pub record_size: u64,
    /// Serial number of the volume, which `blkid` prints as its UUID.
    pub serial: u64,
    /// Whether the primary boot sector was damaged and its copy was used.
    pub backup_used: bool,
    pub(crate) mft: u64,
    pub(crate) mirror: u64,
}

/// Whether a boot sector of NTFS is at this offset.
pub fn is_signed(device: &dyn BlockSource, offset: u64) -> Result<bool, ReadError> {
    let mut bytes = [0; 11];
    if device.size().saturating_sub(offset) < LENGTH as u64 {
        return Ok(false);
    }
    device.read_exact_at(offset, &mut bytes)?;
    Ok(&bytes[3..] == SIGNATURE)
}

impl BootSector {
    /// Reads the boot sector, or a sound copy of it if it is damaged.
    pub(crate) fn read(device: &dyn BlockSource) -> Result<Self, Error> {
        let primary = read_at(device, 0);
        match primary {
            Ok(boot) => Ok(boot),
            Err(error) => find_backup(device)?.ok_or(error),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.get(3..11) != Some(SIGNATURE) {
            return Err(Error::corrupt("no boot sector of NTFS: magic", u64_at(bytes, 3)));
        }
        let sector_size = u64::from(u16_at(bytes, 0xb));
        if !sector_size.is_power_of_two() || !(256..=4096).contains(&sector_size) {
            return Err(Error::corrupt("bytes of a sector out of range", sector_size));
        }
        let cluster_size = cluster_size(bytes[0xd], sector_size)?;
        let sectors = u64_at(bytes, 0x28);
        if sectors == 0 || sectors.checked_mul(sector_size).is_none_or(|size| size >> 63 != 0) {
            return Err(Error::corrupt("sectors of the volume out of range", sectors));
        }
        let clusters = sectors / (cluster_size / sector_size);
        let mft = u64_at(bytes, 0x30);
        if mft == 0 || mft >= clusters {
            return Err(Error::corrupt("file table past the end of the volume: cluster", mft));
        }
        Ok(Self {
            sector_size,
            cluster_size,
            sectors,
            clusters,
            record_size: record_size(bytes[0x40].cast_signed(), cluster_size)?,
            serial: u64_at(bytes, 0x48),
            backup_used: false,
            mft,
            mirror: u64_at(bytes, 0x38),
        })
    }
}

/// Sectors of a cluster; from 0xf4 on a negative power of two.
fn cluster_size(stored: u8, sector_size: u64) -> Result<u64, Error> {
    let sectors = if stored >= 0xf4 { 1 << (256 - u64::from(stored)) } else { u64::from(stored) };
    let size = sectors * sector_size;
    if !sectors.is_power_of_two() || size > LARGEST_CLUSTER {
        return Err(Error::corrupt("sectors of a cluster out of range", stored));
    }
    Ok(size)
}

/// Clusters of a file record, or, if negative, a power of two in bytes.
fn record_size(stored: i8, cluster_size: u64) -> Result<u64, Error> {
    let size = match stored {
        1.. => u64::from(stored.unsigned_abs()) * cluster_size,
        -31..=-1 => 1 << stored.unsigned_abs(),
        _ => 0,
    };
    if !size.is_power_of_two() || !(512..=4096).contains(&size) {
        return Err(Error::corrupt("bytes of a file record out of range", size));
    }
    Ok(size)
}

fn read_at(device: &dyn BlockSource, offset: u64) -> Result<BootSector, Error> {
    let mut bytes = [0; LENGTH];
    device.read_exact_at(offset, &mut bytes)?;
    BootSector::parse(&bytes)
}

/// The copy in the last sector of the device, after the volume if the damaged primary tells its
/// size, or in the middle.
pub fn find_backup(device: &dyn BlockSource) -> Result<Option<BootSector>, ReadError> {
    let size = device.size();
    let last = [512, 1024, 2048, 4096].map(|sector| (size / sector).saturating_sub(1) * sector);
    let mut places = last.to_vec();
    places.push(size / 2 / 512 * 512);
    let mut primary = [0; LENGTH];
    if device.read_exact_at(0, &mut primary).is_ok() {
        let sector = u64::from(u16_at(&primary, 0xb));
        places.extend(u64_at(&primary, 0x28).checked_mul(sector));
    }
    places.retain(|place| *place > 0);
    for place in places {
        if is_signed(device, place)?
            && let Ok(boot) = read_at(device, place)
        {
            return Ok(Some(BootSector { backup_used: true, ..boot }));
        }
    }
    Ok(None)
}
