//! Reparse points: files that lead elsewhere, or whose data some driver keeps in its own way:
//! <https://learn.microsoft.com/openspecs/windows_protocols/ms-fscc/c8e77b37-3909-4fe6-a4ea-2b9d423b1ee4>.

use crate::bytes::{part, u16_at, u32_at, units};
use crate::file::{File, Kind};
use crate::{Error, FileReference, Ntfs, name};

/// Windows allows no more, and a header.
pub const MOST_BYTES: u64 = (16 << 10) + 24;

const MOUNT_POINT: u32 = 0xa000_0003;
const SYMLINK: u32 = 0xa000_000c;
const WOF: u32 = 0x8000_0017;
const LX_SYMLINK: u32 = 0xa000_001d;
const AF_UNIX: u32 = 0x8000_0023;
const LX_FIFO: u32 = 0x8000_0024;
const LX_CHR: u32 = 0x8000_0025;
const LX_BLK: u32 = 0x8000_0026;

/// Tags of files whose data is not where NTFS says, and what keeps it.
const ELSEWHERE: &[(u32, &str)] = &[
    (0xc000_0004, "a remote storage (HSM)"),
    (0x8000_0006, "a remote storage (HSM2)"),
    (0x8000_0007, "the single instance store"),
    (0x8000_0008, "a WIM image"),
    (0x8000_0013, "the deduplication store"),
    (WOF, "a WIM image"),
];
/// The same, if the file has one of the attributes `NOT_FETCHED`. The cloud's and the container
/// layers' tags have sixteen variants.
const MAYBE_ELSEWHERE: &[(u32, &str)] = &[
    (0x9000_001a, "a cloud"),
    (0x9000_0018, "a lower layer of a Windows container"),
    (0x8000_0018, "a lower layer of a Windows container"),
    (0xa000_0027, "a lower layer of a Windows container"),
    (0x9000_001c, "a projected filesystem"),
    (0x8000_001e, "storage sync"),
];
const VARIANT: u32 = 0xf000;
/// Attributes of sparse, offline and recalled files.
const NOT_FETCHED: u32 = 0x200 | 0x1000 | 0x40_0000;

/// A reparse point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reparse {
    /// Symbolic link. Names are WTF-8, with backslashes.
    Symlink {
        /// What the link leads to, such as `\??\C:\Users` or `..\file`.
        target: Vec<u8>,
        /// What is shown to people; may be empty.
        shown: Vec<u8>,
        /// Whether the target starts at the link's directory, or, if it begins with a backslash,
        /// at the volume's root.
        relative: bool,
    },
    /// Junction, or mounted volume.
    MountPoint {
        /// What it leads to, such as `\??\Volume{…}\`.
        target: Vec<u8>,
        /// What is shown to people; may be empty.
        shown: Vec<u8>,
    },
    /// Symbolic link of the Windows subsystem for Linux.
    LinuxSymlink {
        /// What it leads to.
        target: Vec<u8>,
    },
    /// File that Windows compressed as a whole ("CompactOS").
    Compressed(Compression),
    /// Any other.
    Other {
        /// Tag.
        tag: u32,
        /// Data after the head.
        data: Vec<u8>,
    },
}

/// How Windows compressed a file as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// XPRESS with Huffman codes, 4 KiB at a time.
    Xpress4K,
    /// LZX, 32 KiB at a time.
    Lzx,
    /// XPRESS with Huffman codes, 8 KiB at a time.
    Xpress8K,
    /// XPRESS with Huffman codes, 16 KiB at a time.
    Xpress16K,
}

impl Reparse {
    pub(crate) fn parse(bytes: &[u8], file: FileReference) -> Result<Self, Error> {
        let flaw = Error::corrupt("damaged reparse point of file", file.number());
        let tag = u32_at(bytes, 0);
        // Tags that are not Microsoft's are followed by an identifier.
        let head = if tag & 0x8000_0000 == 0 { 24 } else { 8 };
        let data = part(bytes, head, usize::from(u16_at(bytes, 4))).ok_or(flaw.clone())?;
        match tag {
            SYMLINK => {
                let [target, shown] = names(data, 12).ok_or(flaw)?;
                Ok(Self::Symlink { target, shown, relative: u32_at(data, 8) & 1 != 0 })
            }
            MOUNT_POINT => {
                let [target, shown] = names(data, 8).ok_or(flaw)?;
                Ok(Self::MountPoint { target, shown })
            }
            LX_SYMLINK => {
                let target = data.get(4..).ok_or(flaw)?.to_vec();
                Ok(Self::LinuxSymlink { target })
            }
            WOF if u32_at(data, 4) == 2 => compression(data).map(Self::Compressed),
            _ => Ok(Self::Other { tag, data: data.to_vec() }),
        }
    }

    /// The kind of file that it makes, if another.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Symlink { .. } | Self::MountPoint { .. } | Self::LinuxSymlink { .. } => {
                Some(Kind::Symlink)
            }
            Self::Other { tag: LX_FIFO, .. } => Some(Kind::Fifo),
            Self::Other { tag: AF_UNIX, .. } => Some(Kind::Socket),
            Self::Other { tag: LX_CHR, .. } => Some(Kind::CharDevice),
            Self::Other { tag: LX_BLK, .. } => Some(Kind::BlockDevice),
            Self::Compressed(_) | Self::Other { .. } => None,
        }
    }

    /// What keeps the data of a file of these attributes, if not NTFS.
    fn kept_by(&self, attributes: u32) -> Option<&'static str> {
        let Self::Other { tag, .. } = self else { return None };
        let keeper = |list: &[(u32, &'static str)], tag| {
            list.iter().find(|(kept, _)| *kept == tag).map(|(_, keeper)| *keeper)
        };
        let maybe = keeper(MAYBE_ELSEWHERE, tag & !VARIANT);
        keeper(ELSEWHERE, *tag).or(maybe.filter(|_| attributes & NOT_FETCHED != 0))
    }
}

/// The target and the name for people, from a buffer of names.
fn names(data: &[u8], buffer: usize) -> Option<[Vec<u8>; 2]> {
    let one = |at| {
        let start = buffer + usize::from(u16_at(data, at));
        let bytes = part(data, start, usize::from(u16_at(data, at + 2)))?;
        Some(name::to_wtf8(&units(bytes)))
    };
    Some([one(0)?, one(4)?])
}

fn compression(data: &[u8]) -> Result<Compression, Error> {
    match (u32_at(data, 0), u32_at(data, 8), u32_at(data, 12)) {
        (1, 1, 0) => Ok(Compression::Xpress4K),
        (1, 1, 1) => Ok(Compression::Lzx),
        (1, 1, 2) => Ok(Compression::Xpress8K),
        (1, 1, 3) => Ok(Compression::Xpress16K),
        (outer, inner, algorithm) => Err(Error::unsupported(format!(
            "compression {algorithm} of Windows, version {outer}.{inner}"
        ))),
    }
}

const INTERIX_LINK: &[u8] = b"IntxLNK\x01";
const INTERIX_CHAR: &[u8] = b"IntxCHR\0";
const INTERIX_BLOCK: &[u8] = b"IntxBLK\0";
const MOST_INTERIX: u64 = 8 + 2 * 4096;

impl Ntfs {
    /// Target of a symbolic link or junction. Backslashes of Windows become slashes, so that a
    /// relative target is a path; an absolute one starts with `/??/`.
    pub fn read_link(&self, file: &File) -> Result<Vec<u8>, Error> {
        if file.kind != Kind::Symlink {
            return Err(file.corrupt("not a symbolic link: file"));
        }
        match file.reparse()? {
            Some(Reparse::Symlink { target, .. } | Reparse::MountPoint { target, .. }) => {
                Ok(target.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect())
            }
            Some(Reparse::LinuxSymlink { target }) => Ok(target.clone()),
            _ => {
                let mut stored = vec![0; file.size.min(MOST_INTERIX) as usize];
                let length = self.read_at(file, 0, &mut stored)?;
                stored.truncate(length);
                Ok(name::to_wtf8(&units(stored.get(INTERIX_LINK.len()..).unwrap_or(&[]))))
            }
        }
    }

    /// Files of the system whose first bytes make them something else to Interix.
    pub(crate) fn interix_kind(&self, file: &File) -> Option<Kind> {
        if file.size <= 8 || file.size > MOST_INTERIX {
            return None;
        }
        let mut magic = [0; 8];
        self.read_at(file, 0, &mut magic).ok()?;
        match &magic[..] {
            INTERIX_LINK => Some(Kind::Symlink),
            INTERIX_CHAR => Some(Kind::CharDevice),
            INTERIX_BLOCK => Some(Kind::BlockDevice),
            _ => None,
        }
    }
}

impl File {
    /// Fails if what NTFS holds as the file's data is not its data.
    pub(crate) fn check_is_here(&self) -> Result<(), Error> {
        match self.reparse()?.and_then(|point| point.kept_by(self.attributes)) {
            Some(keeper) => Err(Error::unsupported(format!("data that is kept by {keeper}"))),
            None => Ok(()),
        }
    }
}
