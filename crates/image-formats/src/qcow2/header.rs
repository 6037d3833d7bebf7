//! The header of a qcow2 image and the names in it.

use super::backing::Backing;
use crate::bytes::{be32, be64};
use crate::error::Error;
use crate::layer::MOST_BYTES;
use block_source::BlockSource;

pub const MAGIC: &[u8] = b"QFI\xfb";
/// Largest first-level table, the bound that qemu itself sets.
const MOST_L1_BYTES: u64 = 32 << 20;
/// Longest name of a file, by the specification.
const MOST_NAME: u32 = 1023;
/// Header extensions that are gone through; there are five kinds.
const MOST_EXTENSIONS: usize = 64;

#[derive(Clone, Copy)]
pub enum Compression {
    Zlib,
    Zstd,
}

/// What the header says, checked.
pub struct Header {
    pub version: u32,
    pub size: u64,
    pub cluster_bits: u32,
    pub l1_at: u64,
    pub compression: Compression,
    pub extended: bool,
    pub external: bool,
    length: u32,
    backing_at: u64,
    backing_length: u32,
}

/// The files that an image names.
#[derive(Default)]
pub struct Names {
    pub backing: Option<Backing>,
    pub data: Option<Vec<u8>>,
}

impl Header {
    pub fn read(file: &dyn BlockSource) -> Result<Self, Error> {
        let mut head = [0; 112];
        let known = file.size().min(head.len() as u64) as usize;
        if known < 72 {
            return Error::corrupt("header cut off", 0);
        }
        file.read_exact_at(0, &mut head[..known])?;
        let features = Features::parse(&head)?;
        let header = Self {
            version: features.version,
            size: be64(&head, 24),
            cluster_bits: be32(&head, 20),
            l1_at: be64(&head, 40),
            compression: features.compression,
            extended: features.extended,
            external: features.external,
            length: if features.version == 2 { 72 } else { be32(&head, 100) },
            backing_at: be64(&head, 8),
            backing_length: be32(&head, 16),
        };
        header.check(u64::from(be32(&head, 36)), file.size())?;
        Ok(header)
    }

    fn check(&self, l1_size: u64, file_size: u64) -> Result<(), Error> {
        let least_bits = if self.extended { 14 } else { 9 };
        if !(least_bits..=21).contains(&self.cluster_bits) {
            return Error::corrupt("cluster size out of range", 20);
        }
        if self.size > MOST_BYTES {
            return Err(Error::unsupported(format!("a disk of {} bytes", self.size)));
        }
        let wanted = self.tables();
        let fits = wanted * 8 <= MOST_L1_BYTES
            && self.l1_at.checked_add(wanted * 8).is_some_and(|end| end <= file_size);
        if l1_size < wanted || !fits {
            return Error::corrupt("first-level table out of range", 36);
        }
        Ok(())
    }

    pub fn cluster(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// The smallest part that is written of its own: a 32nd of a cluster, or all of it.
    pub fn subcluster(&self) -> u64 {
        if self.extended { self.cluster() / 32 } else { self.cluster() }
    }

    pub fn entry_size(&self) -> u64 {
        if self.extended { 16 } else { 8 }
    }

    /// Bytes of the disk that one second-level table tells of.
    pub fn table_span(&self) -> u64 {
        self.cluster() / self.entry_size() * self.cluster()
    }

    /// Second-level tables.
    pub fn tables(&self) -> u64 {
        self.size.div_ceil(self.table_span())
    }

    pub fn names(&self, file: &dyn BlockSource) -> Result<Names, Error> {
        let mut names = Names::default();
        let mut format = None;
        self.extensions(file, |kind, at, length| {
            match kind {
                0xe279_2aca => format = Some(name(file, at, length)?),
                0x4441_5441 => names.data = Some(name(file, at, length)?),
                _ => {}
            }
            Ok(())
        })?;
        if self.backing_at != 0 {
            let name = name(file, self.backing_at, self.backing_length)?;
            names.backing = Some(Backing { name, format });
        }
        Ok(names)
    }

    fn extensions(
        &self,
        file: &dyn BlockSource,
        mut found: impl FnMut(u32, u64, u32) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut at = u64::from(self.length);
        // The name of the backing file stands behind them.
        let end = if self.backing_at == 0 { self.cluster() } else { self.backing_at };
        let end = end.min(self.cluster()).min(file.size());
        for _ in 0..MOST_EXTENSIONS {
            if at + 8 > end {
                return Ok(());
            }
            let mut head = [0; 8];
            file.read_exact_at(at, &mut head)?;
            let (kind, length) = (be32(&head, 0), be32(&head, 4));
            if kind == 0 {
                return Ok(());
            }
            found(kind, at + 8, length)?;
            at += 8 + u64::from(length).next_multiple_of(8);
        }
        Error::corrupt("too many header extensions", at)
    }
}

fn name(file: &dyn BlockSource, at: u64, length: u32) -> Result<Vec<u8>, Error> {
    if length > MOST_NAME {
        return Error::corrupt("name too long", at);
    }
    let mut name = vec![0; length as usize];
    file.read_exact_at(at, &mut name)?;
    Ok(name)
}

/// What the feature bits say.
struct Features {
    version: u32,
    compression: Compression,
    extended: bool,
    external: bool,
}

impl Features {
    fn parse(head: &[u8; 112]) -> Result<Self, Error> {
        let version = be32(head, 4);
        if !matches!(version, 2 | 3) {
            return Err(Error::unsupported(format!("qcow version {version}")));
        }
        if be32(head, 32) != 0 {
            return Err(Error::unsupported("encrypted qcow2"));
        }
        let compression = Compression::Zlib;
        if version == 2 {
            return Ok(Self { version, compression, extended: false, external: false });
        }
        let incompatible = be64(head, 72);
        if incompatible & 2 != 0 {
            return Error::corrupt("image marked as corrupt", 72);
        }
        // Dirty (1) only says that reference counts may be off.
        let unknown = incompatible & !(1 | 4 | 8 | 16);
        if unknown != 0 {
            return Err(Error::unsupported(format!("qcow2 feature bits {unknown:#x}")));
        }
        let compression = match (incompatible & 8, head[104]) {
            (0, _) | (_, 0) => Compression::Zlib,
            (_, 1) => Compression::Zstd,
            (_, other) => return Err(Error::unsupported(format!("qcow2 compression {other}"))),
        };
        let (external, extended) = (incompatible & 4 != 0, incompatible & 16 != 0);
        Ok(Self { version, compression, extended, external })
    }
}
