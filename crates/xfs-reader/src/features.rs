//! Features of a filesystem, as the superblock tells them.

use crate::Error;

/// Incompatible features of version 5, by bit.
pub mod incompat {
    /// Directory entries tell the kind of what they name.
    pub const FTYPE: u32 = 0x1;
    /// Chunks of inodes may have gaps.
    pub const SPARSE_INODES: u32 = 0x2;
    /// Metadata carries another UUID than the one that users see.
    pub const META_UUID: u32 = 0x4;
    /// Times are nanoseconds since 1901.
    pub const BIGTIME: u32 = 0x8;
    /// The kernel will not mount before `xfs_repair` has run.
    pub const NEEDS_REPAIR: u32 = 0x10;
    /// Counts of extents have 64 bits.
    pub const NREXT64: u32 = 0x20;
    /// Files may have been exchanged piece by piece.
    pub const EXCHANGE_RANGE: u32 = 0x40;
    /// Inodes name their parents in hidden attributes.
    pub const PARENT: u32 = 0x80;
    /// Inodes of metadata have a folder of their own.
    pub const METADIR: u32 = 0x100;
    /// All that the reader knows.
    pub const KNOWN: u32 = 0x1ff;
    /// Names of what the reader does not know.
    pub(super) const UNKNOWN: &[(u32, &str)] = &[(0x200, "zoned"), (0x400, "gaps between zones")];
}

/// Bits of the version number.
pub mod version {
    pub const QUOTA: u16 = 0x40;
    pub const ATTRIBUTES: u16 = 0x10;
    pub const LOG_2: u16 = 0x400;
    pub const UNWRITTEN: u16 = 0x1000;
    pub const DIRECTORY_2: u16 = 0x2000;
    pub const ASCII_CI: u16 = 0x4000;
    pub const MORE: u16 = 0x8000;
    /// All that have a meaning, with the low four bits that are the number itself.
    pub const KNOWN: u16 = 0xf
        | ATTRIBUTES
        | 0x20
        | QUOTA
        | 0x80
        | 0x100
        | 0x200
        | LOG_2
        | 0x800
        | UNWRITTEN
        | DIRECTORY_2
        | ASCII_CI
        | MORE;
}

/// The second word of features of version 4.
pub mod features2 {
    pub const FTYPE: u32 = 0x200;
    pub const PARENT: u32 = 0x10;
    /// Lazy counters, attributes of version 2, project numbers of 32 bits, checksums, ftype.
    pub const KNOWN: u32 = 0x2 | 0x8 | 0x80 | 0x100 | FTYPE;
}

pub fn check_version_4(number: u16, features2: u32) -> Result<(), Error> {
    let unknown = number & !version::KNOWN;
    if unknown != 0 {
        return Err(Error::unsupported(format!("version bits {unknown:#x}")));
    }
    let unknown = features2 & !features2::KNOWN;
    if number & version::MORE != 0 && unknown != 0 {
        let name = if unknown == features2::PARENT { " (old parent pointers)" } else { "" };
        return Err(Error::unsupported(format!("features2 {unknown:#x}{name}")));
    }
    Ok(())
}

pub fn check_version_5(features: u32) -> Result<(), Error> {
    let unknown = features & !incompat::KNOWN;
    if unknown == 0 {
        return Ok(());
    }
    let mut names: Vec<_> = incompat::UNKNOWN
        .iter()
        .filter(|(bit, _)| unknown & bit != 0)
        .map(|(_, name)| (*name).to_owned())
        .collect();
    let nameless = incompat::UNKNOWN.iter().fold(unknown, |rest, (bit, _)| rest & !bit);
    if nameless != 0 {
        names.push(format!("{nameless:#x}"));
    }
    Err(Error::unsupported(format!("incompatible features: {}", names.join(", "))))
}
