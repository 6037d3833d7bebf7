//! The superblock: which of its three copies counts, and what of it the crate would refuse without
//! need.

use crate::block::{BlockSource, ReadError};
use crate::filesystem::foreign;
use fs_btrfs::superblock::{ChecksumType, Superblock};

/// Places of the superblock and its copies.
const COPIES: [u64; 3] = [64 << 10, 64 << 20, 256 << 30];
const SIZE: usize = 4096;
const MAGIC: &[u8] = b"_BHRfS_M";
const MAGIC_AT: usize = 0x40;
const SECTOR_SIZE_AT: usize = 0x90;
const STRIPE_SIZE_AT: usize = 0x9c;
const INCOMPATIBLE_AT: usize = 0xbc;
const CHECKSUM_KIND_AT: usize = 0xc4;

/// Features that the crate refuses although they change nothing for this reader: parity (other
/// chunks can be read) and simple quotas (which are in the extent tree, that is not read).
const HARMLESS: u64 = 1 << 7 | 1 << 16;

/// A sound superblock.
pub struct Found {
    /// The superblock.
    pub superblock: Superblock,
    /// The copy that it is from; zero is the superblock proper.
    pub copy: usize,
}

/// Whether the device bears the mark of btrfs in its usual place.
pub fn is_marked(source: &dyn BlockSource) -> Result<bool, ReadError> {
    Ok(bytes(source, 0)?.is_some_and(|it| it[MAGIC_AT..].starts_with(MAGIC)))
}

/// The superblock, or of its sound copies the newest.
pub fn read(source: &dyn BlockSource) -> Result<Option<Found>, ReadError> {
    Ok(try_read(source)?.ok())
}

/// As [`read`], with the reason why there is none.
pub fn try_read(source: &dyn BlockSource) -> Result<fs_btrfs::Result<Found>, ReadError> {
    let none = || fs_btrfs::Error::BadSuperblock("the device is too small".to_owned());
    let first = match bytes(source, 0)? {
        None => return Ok(Err(none())),
        Some(bytes) => parse(bytes, 0),
    };
    let Err(error) = first else { return Ok(first) };
    let mut best: Option<Found> = None;
    for copy in 1..COPIES.len() {
        let Some(bytes) = bytes(source, copy)? else { break };
        let Ok(found) = parse(bytes, copy) else { continue };
        if best.as_ref().is_none_or(|it| it.superblock.generation < found.superblock.generation) {
            best = Some(found);
        }
    }
    Ok(best.ok_or(error))
}

fn bytes(source: &dyn BlockSource, copy: usize) -> Result<Option<Vec<u8>>, ReadError> {
    let at = COPIES[copy];
    if source.size() < at + SIZE as u64 {
        return Ok(None);
    }
    let mut bytes = vec![0; SIZE];
    source.read_exact_at(at, &mut bytes)?;
    Ok(Some(bytes))
}

fn parse(bytes: Vec<u8>, copy: usize) -> fs_btrfs::Result<Found> {
    let gave_up = || fs_btrfs::Error::BadSuperblock("rust-fs-btrfs gave up on it".to_owned());
    foreign::caught(|| sound(bytes, copy)).unwrap_or_else(|| Err(gave_up()))
}

fn sound(mut bytes: Vec<u8>, copy: usize) -> fs_btrfs::Result<Found> {
    if !bytes[MAGIC_AT..].starts_with(MAGIC) {
        let magic = bytes[MAGIC_AT..MAGIC_AT + 8].try_into().expect("eight bytes");
        return Err(fs_btrfs::Error::NotBtrfs { magic });
    }
    let kind = u16::from_le_bytes([bytes[CHECKSUM_KIND_AT], bytes[CHECKSUM_KIND_AT + 1]]);
    let kind = ChecksumType::from_raw(kind)?;
    if !kind.verify(&bytes[32..], &bytes[..32]) {
        return Err(fs_btrfs::Error::ChecksumMismatch { what: "superblock", offset: COPIES[copy] });
    }
    mend(&mut bytes);
    let sum = kind.digest(&bytes[32..]);
    bytes[..32].copy_from_slice(&sum);
    Ok(Found { superblock: Superblock::parse_at(&bytes, COPIES[copy])?, copy })
}

/// Takes out what the crate refuses and the kernel does not look at.
fn mend(bytes: &mut [u8]) {
    bytes.copy_within(SECTOR_SIZE_AT..SECTOR_SIZE_AT + 4, STRIPE_SIZE_AT);
    let features = &mut bytes[INCOMPATIBLE_AT..INCOMPATIBLE_AT + 8];
    let bits = u64::from_le_bytes(features.try_into().expect("eight bytes")) & !HARMLESS;
    features.copy_from_slice(&bits.to_le_bytes());
}
