//! GUID partition tables.
//!
//! Layout: UEFI specification 2.10, chapter 5.3. Both sector sizes (512, 4096) are tried. When the
//! primary header or its entries are damaged the backup at the end of the device is used, and a
//! gap says so. Refused: headers and entry arrays whose CRC is wrong, entries over 4 KiB, more
//! than 4 MiB of entries.

use super::{Purpose, Volume, VolumeFormat};
use crate::block::{Device, ReadError};
use crate::model::{Gap, GapReason, Partial, printable_str, uuid};

/// The format.
pub struct Gpt;

const SECTOR_SIZES: [u64; 2] = [512, 4096];
const SIGNATURE: &[u8; 8] = b"EFI PART";
const HEADER_SIZE: usize = 92;
const MOST_ENTRY_BYTES: u64 = 4 << 20;

const EFI_SYSTEM: &str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const BIOS_BOOT: &str = "21686148-6449-6e6f-744e-656564454649";
const PREP_BOOT: &str = "9e1a2d38-c612-4316-aa26-8b49521e5a8b";
const CHROMEOS_KERNEL: &str = "fe3a2a5d-4f32-41a7-b725-accc3285a309";
const CHROMEOS_FIRMWARE: &str = "cab6e88e-abf3-4102-a07a-d4bb9be3c1d3";
const MICROSOFT_RESERVED: &str = "e3c9e316-0b5c-4db8-817d-f92df00215ae";
const LINUX_SWAP: &str = "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f";

/// Hash trees and their signatures: of Bottlerocket, then those of the Discoverable Partitions
/// Specification (root and `/usr`, x86-64 and arm64).
const VERITY: &[&str] = &[
    "598f10af-c955-4456-6a99-7720068a6cea",
    "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
    "df3300ce-d69f-4c92-978c-9bfb0f38d820",
    "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
    "6e11a4e7-fbca-4ded-b9e9-e1a512bb664e",
    "41092b05-9fc8-4523-994f-2def0408b176",
    "6db69de6-29f4-4758-a7a5-962190f00ce3",
    "e7bb33fb-06cf-4e81-8273-e543b413e2e2",
    "c23ce4ff-44bd-4b00-b2d4-b41b3419e02a",
];

impl VolumeFormat for Gpt {
    fn name(&self) -> &'static str {
        "gpt"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        let start = device.read_up_to(0, 4096 + HEADER_SIZE)?;
        let signed = |at: usize| start.get(at..at + 8) == Some(SIGNATURE.as_slice());
        if signed(512) || signed(4096) {
            return Ok(true);
        }
        // A protective MBR without the header behind it: the backup may still be there.
        Ok(start.get(510..512) == Some(&[0x55, 0xaa]) && start.get(450) == Some(&0xee))
    }

    fn assemble(&self, devices: &[Device]) -> Partial<Vec<Volume>> {
        let mut all = Partial::<Vec<Volume>>::default();
        for device in devices {
            match read_table(device) {
                Ok(table) => all.found.extend(table.into_found(&mut all.gaps)),
                Err(problem) => all.gaps.push(problem.gap(device)),
            }
        }
        all
    }
}

/// Whether the device bears a header whose copy is in its very last sector: then it was the device that
/// was partitioned, and not an array of which it is a member. Only its start is read.
pub fn spans(device: &Device) -> Result<bool, ReadError> {
    let start = device.read_up_to(0, 4096 + HEADER_SIZE)?;
    let spans = |sector: u64| {
        let header = start.get(sector as usize..).filter(|it| it.starts_with(SIGNATURE))?;
        let copy = u64::from_le_bytes(header.get(32..40)?.try_into().ok()?);
        Some(copy.checked_add(1)?.checked_mul(sector)? == device.source.size())
    };
    Ok(SECTOR_SIZES.into_iter().any(|sector| spans(sector) == Some(true)))
}

/// Whether the table at the start is whole, with the MBR that protects it, so that the backup is not needed.
pub fn is_whole(device: &Device) -> Result<bool, ReadError> {
    if device.read_up_to(510, 2)? != [0x55, 0xaa] {
        return Ok(false);
    }
    for sector in SECTOR_SIZES {
        let table = Header::read(device, sector, sector).and_then(|it| it.volumes(device, sector));
        match table {
            Ok(_) => return Ok(true),
            Err(Error::Read(error)) => return Err(error),
            Err(Error::Corrupt { .. }) => {}
        }
    }
    Ok(false)
}

/// Why a table could not be used.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("damaged GUID partition table: {what} at byte {at}")]
    Corrupt { what: &'static str, at: u64 },
}

impl Error {
    fn gap(&self, device: &Device) -> Gap {
        let reason = match self {
            Self::Read(_) => GapReason::Unreadable,
            Self::Corrupt { .. } => GapReason::Corrupt,
        };
        Gap::new(&device.name, reason, self)
    }
}

/// The primary table if it is whole, else the backup.
fn read_table(device: &Device) -> Result<Partial<Vec<Volume>>, Error> {
    let size = device.source.size();
    let mut first_problem = None;
    for sector in SECTOR_SIZES {
        match Header::read(device, sector, sector) {
            Ok(header) => match header.volumes(device, sector) {
                Ok(volumes) => return Ok(volumes),
                // This is the right sector size: a later complaint about another is noise.
                Err(problem) => first_problem = Some(problem),
            },
            Err(problem) => {
                first_problem.get_or_insert(problem);
            }
        }
    }
    let problem = first_problem.unwrap_or(Error::Corrupt { what: "no header", at: 512 });
    for sector in SECTOR_SIZES {
        let Some(at) = (size / sector).checked_sub(1).map(|last| last * sector) else { continue };
        let backup = Header::read(device, at, sector).and_then(|h| h.volumes(device, sector));
        if let Ok(mut volumes) = backup {
            volumes.gaps.push(Gap::new(
                &device.name,
                GapReason::Corrupt,
                format!("{problem}; the backup table at byte {at} was used"),
            ));
            return Ok(volumes);
        }
    }
    Err(problem)
}

/// A header whose checksum holds.
struct Header {
    entries_at: u64,
    entry_count: u64,
    entry_size: u64,
    entries_crc: u32,
}

impl Header {
    fn read(device: &Device, at: u64, sector: u64) -> Result<Self, Error> {
        let corrupt = |what| Error::Corrupt { what, at };
        let mut bytes = device.read_up_to(at, sector as usize)?;
        if bytes.get(..8) != Some(SIGNATURE.as_slice()) {
            return Err(corrupt("no header signature"));
        }
        if bytes.len() < HEADER_SIZE {
            return Err(corrupt("header cut off"));
        }
        let length = u32_at(&bytes, 12) as usize;
        if !(HEADER_SIZE..=bytes.len()).contains(&length) {
            return Err(corrupt("header size out of range"));
        }
        let stored = u32_at(&bytes, 16);
        bytes[16..20].fill(0);
        if crc32fast::hash(&bytes[..length]) != stored {
            return Err(corrupt("header checksum"));
        }
        if u64_at(&bytes, 24).checked_mul(sector) != Some(at) {
            return Err(corrupt("header names another place as its own"));
        }
        let header = Self {
            entries_at: u64_at(&bytes, 72).checked_mul(sector).ok_or(corrupt("entries' place"))?,
            entry_count: u64::from(u32_at(&bytes, 80)),
            entry_size: u64::from(u32_at(&bytes, 84)),
            entries_crc: u32_at(&bytes, 88),
        };
        let sane = (128..=4096).contains(&header.entry_size)
            && header.entry_count * header.entry_size <= MOST_ENTRY_BYTES;
        if sane { Ok(header) } else { Err(corrupt("entry size or count out of range")) }
    }

    fn volumes(&self, device: &Device, sector: u64) -> Result<Partial<Vec<Volume>>, Error> {
        let mut bytes = vec![0; (self.entry_count * self.entry_size) as usize];
        device.source.read_exact_at(self.entries_at, &mut bytes)?;
        if crc32fast::hash(&bytes) != self.entries_crc {
            return Err(Error::Corrupt { what: "entries' checksum", at: self.entries_at });
        }
        let mut volumes = Partial::<Vec<Volume>>::default();
        for (number, entry) in (1..).zip(bytes.chunks_exact(self.entry_size as usize)) {
            match volume(device, number, entry, sector) {
                Ok(volume) => volumes.found.extend(volume),
                Err(gap) => volumes.gaps.push(gap),
            }
        }
        Ok(volumes)
    }
}

/// One entry; an unused one is `None`, one that reaches out of the device is a gap.
fn volume(device: &Device, number: u32, entry: &[u8], sector: u64) -> Result<Option<Volume>, Gap> {
    let kind = guid(&entry[..16]);
    if entry[..16] == [0; 16] {
        return Ok(None);
    }
    let name = format!("{}:p{number}", device.name);
    let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
    let start = first.checked_mul(sector);
    let end = last.checked_add(1).and_then(|end| end.checked_mul(sector));
    let (Some(start), Some(end)) = (start, end) else {
        return Err(Gap::new(name, GapReason::Corrupt, "partition bounds overflow"));
    };
    let size = device.source.size();
    if start >= end || start >= size {
        let detail = format!("partition from byte {start} to {end} on a device of {size} bytes");
        return Err(Gap::new(name, GapReason::Corrupt, detail));
    }
    // One that runs past the end of a truncated image is kept: what is there can be read, and
    // what is not fails with its offset.
    Ok(Some(Volume {
        device: device.window(name, start, end - start),
        on: vec![device.name.clone()],
        id: None,
        names: Vec::new(),
        unread: None,
        number: Some(number),
        label: label(&entry[56..128]),
        uuid: Some(guid(&entry[16..32])),
        attributes: u64_at(entry, 48),
        missing_bytes: end.saturating_sub(size),
        purpose: purpose(&kind),
        kind: Some(kind),
    }))
}

fn purpose(kind: &str) -> Purpose {
    match kind {
        EFI_SYSTEM => Purpose::Firmware,
        BIOS_BOOT | PREP_BOOT => Purpose::BootLoader,
        LINUX_SWAP => Purpose::Swap,
        CHROMEOS_KERNEL => Purpose::Raw("kernel"),
        CHROMEOS_FIRMWARE => Purpose::Raw("firmware"),
        MICROSOFT_RESERVED => Purpose::Raw("reserved"),
        kind if VERITY.contains(&kind) => Purpose::Raw("dm-verity"),
        _ => Purpose::Data,
    }
}

fn label(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    (!text.is_empty()).then(|| printable_str(&text))
}

/// A GUID in its usual writing; the first three groups are little-endian on disk.
fn guid(bytes: &[u8]) -> String {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    uuid(&ORDER.map(|index| bytes[index]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
