//! Formats that are told by their signature and not read: each ends as a gap with its name, or as
//! nothing to be read (swap). The places are those of `blkid`, where it knows the format.

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

const RAID: Recognised = Recognised { name: "md raid member", gap: Some(GapReason::Unsupported) };
const RAID_MAGIC: [u8; 4] = [0xfc, 0x4e, 0x2b, 0xa9];

/// Signatures in the first [`START`] bytes. Of two that a device bears, the first counts: what
/// encloses something goes before what it may enclose.
const SIGNATURES: &[Signature] = &[
    encrypted("luks", 0, b"LUKS\xba\xbe"),
    encrypted("bitlocker", 3, b"-FVE-FS-"),
    // "To go": what looks like FAT32 around it only holds a program to unlock it.
    encrypted(
        "bitlocker",
        0x1a8,
        b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01",
    ),
    unsupported("md raid member", 4096, &RAID_MAGIC),
    unsupported("md raid member", 0, &RAID_MAGIC),
    unsupported("lvm2 physical volume", 512, b"LABELONE"),
    unsupported("lvm2 physical volume", 0, b"LABELONE"),
    unsupported("lvm2 physical volume", 1024, b"LABELONE"),
    unsupported("lvm2 physical volume", 1536, b"LABELONE"),
    unsupported(
        "bcache",
        4120,
        b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81",
    ),
    unsupported(
        "bcachefs",
        4120,
        b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef",
    ),
    unsupported("vdo", 0, b"dmvdo001"),
    unsupported("stratis", 516, b"!Stra0tis\x86\xff\x02^\x41rh"),
    unsupported("stratis", 4612, b"!Stra0tis\x86\xff\x02^\x41rh"),
    unsupported("ceph bluestore", 0, b"bluestore block device\n"),
    unsupported("oracle asm disk", 32, b"ORCLDISK"),
    unsupported("xfs", 0, b"XFSB"),
    unsupported("btrfs", 0x1_0040, b"_BHRfS_M"),
    unsupported("ntfs", 3, b"NTFS    "),
    unsupported("refs", 0, b"\0\0\0ReFS\0"),
    unsupported("exfat", 3, b"EXFAT   "),
    unsupported("apfs", 32, b"NXSB"),
    unsupported("squashfs", 0, b"hsqs"),
    unsupported("erofs", 1024, &[0xe2, 0xe1, 0xf5, 0xe0]),
    unsupported("f2fs", 1024, &[0x10, 0x20, 0xf5, 0xf2]),
    unsupported("hfsplus", 1024, b"H+\0\x04"),
    unsupported("hfsplus", 1024, b"HX\0\x05"),
    unsupported("hfs", 1024, b"BD"),
    // Revision 2.0 before the two bytes of its magic, which are few.
    unsupported("nilfs2", 1024, &[2, 0, 0, 0, 0, 0, 0x34, 0x34]),
    // In the third block, of 512 to 4096 bytes.
    unsupported("ocfs2", 1024, b"OCFSV2"),
    unsupported("ocfs2", 2048, b"OCFSV2"),
    unsupported("ocfs2", 4096, b"OCFSV2"),
    unsupported("ocfs2", 8192, b"OCFSV2"),
    unsupported("gfs2", 0x1_0000, &[1, 0x16, 0x19, 0x70, 0, 0, 0, 1]),
    unsupported("jfs", 0x8000, b"JFS1"),
    unsupported("reiserfs", 0x1_0034, b"ReIsEr2Fs"),
    unsupported("reiserfs", 0x1_0034, b"ReIsEr3Fs"),
    unsupported("reiserfs", 0x1_0034, b"ReIsErFs"),
    unsupported("reiserfs", 0x2034, b"ReIsErFs"),
    unsupported("reiser4", 0x1_0000, b"ReIsEr4"),
    unsupported("udf", 0x8001, b"BEA01"),
    unsupported("iso9660", 0x8001, b"CD001"),
    unsupported("cramfs", 0, &[0x45, 0x3d, 0xcd, 0x28]),
    unsupported("romfs", 0, b"-rom1fs-"),
    // In the last ten bytes of the first page; a hibernated system leaves another mark there.
    nothing("swap", 0x1000 - 10, b"SWAPSPACE2"),
    nothing("swap", 0x2000 - 10, b"SWAPSPACE2"),
    nothing("swap", 0x4000 - 10, b"SWAPSPACE2"),
    nothing("swap", 0x8000 - 10, b"SWAPSPACE2"),
    nothing("swap", 0x1_0000 - 10, b"SWAPSPACE2"),
    nothing("swap", 0x1000 - 10, b"SWAP-SPACE"),
    nothing("swap", 0x1000 - 10, b"S1SUSPEND"),
    nothing("swap", 0x4000 - 10, b"S1SUSPEND"),
    nothing("swap", 0x1_0000 - 10, b"S1SUSPEND"),
    nothing("swap", 0x1000 - 10, b"S2SUSPEND"),
    nothing("swap", 0x1000 - 10, b"ULSUSPEND"),
    nothing("swap", 0x1000 - 10, b"LINHIB0001"),
    unsupported("vfat", 54, b"FAT1"),
    unsupported("vfat", 82, b"FAT32"),
];

/// Bytes of the start in which all these signatures are.
const START: usize = 0x1_0048;

/// Signatures further in; each costs a read, of devices only that bear none of the others.
const FAR: &[Signature] = &[
    unsupported("vmfs member", 1 << 20, &[0x0d, 0xd0, 0x01, 0xc0]),
    unsupported("vmfs", 2 << 20, &[0x5e, 0xf1, 0xab, 0x2f]),
];

/// The format whose signature the device bears. A member of a mirror is told before the filesystem
/// that begins where it begins.
pub fn recognise(device: &Device) -> Result<Option<Recognised>, ReadError> {
    if md_reader::claims_at_end(&*device.source)? {
        return Ok(Some(RAID));
    }
    let start = device.read_up_to(0, START)?;
    let bears = |signature: &&Signature| {
        start[signature.at.min(start.len())..].starts_with(signature.magic)
    };
    if let Some(signature) = SIGNATURES.iter().find(bears) {
        return Ok(Some(signature.recognised()));
    }
    for signature in FAR {
        if device.read_up_to(signature.at as u64, signature.magic.len())? == signature.magic {
            return Ok(Some(signature.recognised()));
        }
    }
    let zfs = Recognised { name: "zfs", gap: Some(GapReason::Unsupported) };
    Ok(is_zfs(device)?.then_some(zfs))
}

impl Signature {
    fn recognised(&self) -> Recognised {
        Recognised { name: self.name, gap: self.gap }
    }
}

/// ZFS has four labels of 256 KiB, two at each end. Each has a checksum with a mark after its list of
/// names, and then a ring of places of 1 KiB each for what is newest.
fn is_zfs(device: &Device) -> Result<bool, ReadError> {
    const LABEL: u64 = 256 << 10;
    const RING: u64 = 128 << 10;
    const MARK: u64 = 0x0210_da7a_b10c_7a11;
    const NEWEST: u64 = 0x00ba_b10c;
    let end = device.source.size() / LABEL * LABEL;
    let bears = |bytes: &[u8], magic: u64| {
        bytes.starts_with(&magic.to_le_bytes()) || bytes.starts_with(&magic.to_be_bytes())
    };
    for label in [Some(0), Some(LABEL), end.checked_sub(2 * LABEL), end.checked_sub(LABEL)] {
        let Some(label) = label else { continue };
        if bears(&device.read_up_to(label + RING - 40, 8)?, MARK) {
            return Ok(true);
        }
    }
    let ring = device.read_up_to(RING, RING as usize)?;
    Ok(ring.chunks(1024).any(|place| bears(place, NEWEST)))
}

/// Whether nothing was ever written to the device, as far as its start, 1 MiB, its middle and its end
/// tell: where formats keep their marks.
pub fn is_blank(device: &Device) -> Result<bool, ReadError> {
    let zeroes = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let size = device.source.size();
    if size == 0 {
        return Ok(false);
    }
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
