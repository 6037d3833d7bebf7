//! The formats that are read, told by the first and last bytes of a file, never by its name.

use crate::error::Error;
use crate::folder::Surroundings;
use crate::layer::{Bytes, read_up_to};
use crate::{qcow2, vdi, vhd, vhdx, vmdk};
use block_source::BlockSource;

/// Bytes at either end of a file that tell its format.
const EDGE: u64 = 512;

/// One format.
pub struct Format {
    /// As qemu calls it, and with it the images that name the format of another.
    pub name: &'static str,
    claims: fn(&Edges) -> bool,
    open: fn(Bytes, &Surroundings) -> Result<Bytes, Error>,
}

/// All formats. A raw disk is what none of them claims.
pub const FORMATS: &[Format] = &[
    Format { name: "qcow2", claims: qcow2::claims, open: qcow2::open },
    Format { name: "vmdk", claims: vmdk::claims, open: vmdk::open },
    Format { name: "vpc", claims: vhd::claims, open: vhd::open },
    Format { name: "vhdx", claims: vhdx::claims, open: vhdx::open },
    Format { name: "vdi", claims: vdi::claims, open: vdi::open },
];

impl Format {
    /// Opens a file that is said to be of this format.
    pub fn open(&self, file: Bytes, around: &Surroundings) -> Result<Bytes, Error> {
        if !(self.claims)(&Edges::of(&*file)?) {
            return Error::corrupt("not of the format that it is said to be", 0);
        }
        (self.open)(file, around)
    }
}

/// The first and last bytes of a file.
pub struct Edges {
    /// From its beginning.
    pub head: Vec<u8>,
    /// To its end; empty if they cannot be read, as in a file that was cut off.
    pub tail: Vec<u8>,
    /// Its whole size.
    pub size: u64,
}

impl Edges {
    /// Reads them.
    pub fn of(file: &dyn BlockSource) -> Result<Self, Error> {
        let size = file.size();
        let head = read_up_to(file, 0, EDGE)?;
        let tail = read_up_to(file, size.saturating_sub(EDGE), EDGE).unwrap_or_default();
        Ok(Self { head, tail, size })
    }

    /// Whether these bytes are there.
    pub fn has(&self, at: usize, magic: &[u8]) -> bool {
        self.head.get(at..).is_some_and(|bytes| bytes.starts_with(magic))
    }
}

/// Opens a file as the format that it claims to be, if it claims one.
pub fn open(file: &Bytes, around: &Surroundings) -> Result<Option<Bytes>, Error> {
    let edges = Edges::of(&**file)?;
    let format = FORMATS.iter().find(|format| (format.claims)(&edges));
    format.map(|format| (format.open)(file.clone(), around)).transpose()
}
