//! Formats that are told by their signature and not read: each ends as a gap with its name, or as
//! nothing to be read (swap).

use crate::block::{Device, ReadError};
use crate::model::GapReason;

/// What a signature says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised {
    /// Name of the format.
    pub name: &'static str,
    /// Why it is not read; `None` if there is nothing to read in it.
    pub gap: Option<GapReason>,
}

struct Signature {
    name: &'static str,
    gap: Option<GapReason>,
    at: usize,
    magic: &'static [u8],
}

const fn unsupported(name: &'static str, at: usize, magic: &'static [u8]) -> Signature {
    Signature { name, gap: Some(GapReason::Unsupported), at, magic }
}

const fn encrypted(name: &'static str, at: usize, magic: &'static [u8]) -> Signature {
    Signature { name, gap: Some(GapReason::Encrypted), at, magic }
}

const fn nothing(name: &'static str, at: usize, magic: &'static [u8]) -> Signature {
    Signature { name, gap: None, at, magic }
}

/// Bytes looked at in each place of a device that may be blank.
const SAMPLE: usize = 64 << 10;

const SIGNATURES: &[Signature] = &[
    unsupported("btrfs", 0x1_0040, b"_BHRfS_M"),
    unsupported("squashfs", 0, b"hsqs"),
    unsupported("erofs", 1024, &[0xe2, 0xe1, 0xf5, 0xe0]),
    unsupported("f2fs", 1024, &[0x10, 0x20, 0xf5, 0xf2]),
    unsupported("bcache", 4120, &[0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca]),
    encrypted("luks", 0, b"LUKS\xba\xbe"),
    encrypted("bitlocker", 3, b"-FVE-FS-"),
    nothing("swap", 4086, b"SWAPSPACE2"),
    nothing("swap", 4086, b"S1SUSPEND"),
    nothing("swap", 65526, b"SWAPSPACE2"),
    unsupported("vfat", 54, b"FAT1"),
    unsupported("vfat", 82, b"FAT32"),
    unsupported("exfat", 3, b"EXFAT   "),
];

/// Bytes of the start in which all signatures are.
const START: usize = 0x1_0048;

/// The format whose signature the device bears.
pub fn recognise(device: &Device) -> Result<Option<Recognised>, ReadError> {
    let start = device.read_up_to(0, START)?;
    let known = SIGNATURES
        .iter()
        .find(|signature| start[signature.at.min(start.len())..].starts_with(signature.magic))
        .map(|signature| Recognised { name: signature.name, gap: signature.gap });
    Ok(known)
}

/// Whether nothing was ever written to the device, as far as its start, 1 MiB, its middle and its end
/// tell: where formats keep their marks.
pub fn is_blank(device: &Device) -> Result<bool, ReadError> {
    let zeroes = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let size = device.source.size();
    for (at, length) in [
        (0, START),
        (1 << 20, SAMPLE),
        (size / 2, SAMPLE),
        (size.saturating_sub(SAMPLE as u64), SAMPLE),
    ] {
        if at < size && !zeroes(&device.read_up_to(at, length)?) {
            return Ok(false);
        }
    }
    Ok(true)
}
