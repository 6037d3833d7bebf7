//! Read-only disk images: what they hold, as devices that many threads read at once.
//!
//! qcow2 with its chain of backing files, vmdk in one or many files, vhd, vhdx, vdi, OVA with
//! several disks, raw files and block devices, and raw disks packed by gzip, xz or zstd. The
//! format is told by the bytes, never by the name. A name inside an image never leads out of the
//! folder of the image that was opened ([`folder`]); a damaged part is a failed read at its place.

mod bytes;
mod error;
mod file;
mod folder;
mod foreign;
mod format;
mod layer;
mod ova;
mod packed;
mod pieces;
mod qcow2;
mod raw;
mod tar;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;

use block_source::BlockSource;
use folder::Surroundings;
use format::Edges;
use layer::{Bytes, Torn, Written};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use error::Error;
pub use layer::Contents;

/// What a file holds.
pub struct Opened {
    /// The disks, in the order of the file: one, or all those of an appliance.
    pub disks: Vec<Disk>,
    /// Members of an appliance that were not opened as disks.
    pub unread: Vec<Unread>,
}

/// One disk.
pub struct Disk {
    /// Its name in an appliance.
    pub name: Option<String>,
    /// Its bytes.
    pub source: Arc<dyn BlockSource>,
    layer: Bytes,
}

/// A part of an appliance that may be a disk and was not opened.
pub struct Unread {
    /// Its name.
    pub name: String,
    /// Why not.
    pub error: Error,
}

/// How far packed disks are unpacked.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Largest disk in bytes, holes counted too; without it, 64 GiB or 4,096 times what is packed.
    pub unpacked: Option<u64>,
    /// Folder of the temporary file, which has no name in it and ends with the process.
    pub temporary: Option<PathBuf>,
}

/// A packed disk that is about to be unpacked, which may take long.
#[derive(Debug, Clone)]
pub struct Unpacking {
    /// How it is packed: `gzip`, `xz`, `zstd`.
    pub packing: &'static str,
    /// Bytes of the packed disk that were read so far.
    pub read: Arc<AtomicU64>,
    /// Bytes of the packed disk.
    pub total: u64,
}

/// Is told of each disk before it is unpacked.
pub type Watch<'a> = &'a dyn Fn(Unpacking);

/// Opens the image or block device at `path`.
pub fn open(path: &Path, limits: &Limits) -> Result<Opened, Error> {
    open_watched(path, limits, &|_| {})
}

/// As [`open`], telling of what takes long.
pub fn open_watched(path: &Path, limits: &Limits, watch: Watch) -> Result<Opened, Error> {
    let (file, id) = file::open(path)?;
    let around = Surroundings::of(path, id)?;
    let file: Bytes = Arc::new(raw::Raw::new(file)?);
    let edges = Edges::of(&*file)?;
    if let Some(packing) = packed::recognise(&edges) {
        let unpacked = packed::unpack(file, packing, limits, watch)?;
        return Ok(one(open_unpacked(unpacked)?));
    }
    if tar::claims(&edges) && ova::claims(&file)? {
        return ova::open(&file, limits, watch);
    }
    open_disk(file, &around).map(one)
}

/// Something that was unpacked to a file without a name.
pub struct Stream {
    /// The file.
    pub file: File,
    /// Why there is no more, if what was packed was cut off.
    pub cut: Option<Error>,
}

/// Unpacks what is packed by gzip, xz or zstd, as packed disks are; none if it is not packed.
pub fn unpack(
    source: &Arc<dyn BlockSource>,
    limits: &Limits,
    watch: Watch,
) -> Result<Option<Stream>, Error> {
    let Some(packing) = packed::recognise(&Edges::of(&**source)?) else { return Ok(None) };
    let packed::Unpacked { file, cut } = packed::unpack(source.clone(), packing, limits, watch)?;
    Ok(Some(Stream { file, cut }))
}

/// Opens what was unpacked, so far as it was.
fn open_unpacked(unpacked: packed::Unpacked) -> Result<Bytes, Error> {
    let Some(cut) = unpacked.cut else { return open_plain(unpacked.file) };
    match open_plain(unpacked.file) {
        Ok(beginning) => Ok(Arc::new(Torn::new(beginning, &cut))),
        Err(_) => Err(cut),
    }
}

/// A packed file in a packed file is not unpacked: nobody makes them but to fill disks.
fn open_plain(file: File) -> Result<Bytes, Error> {
    let file: Bytes = Arc::new(raw::Raw::new(file)?);
    match packed::recognise(&Edges::of(&*file)?) {
        Some(packing) => Err(Error::unsupported(format!("{} in a packed file", packing.name()))),
        None => open_disk(file, &Surroundings::none()),
    }
}

fn open_disk(file: Bytes, around: &Surroundings) -> Result<Bytes, Error> {
    if let Some(disk) = format::open(&file, around)? {
        return Ok(disk);
    }
    match foreign::recognise(&Edges::of(&*file)?) {
        Some(feature) => Err(Error::Unsupported { feature }),
        None => Ok(file),
    }
}

fn one(layer: Bytes) -> Opened {
    Opened { disks: vec![Disk::new(None, layer)], unread: Vec::new() }
}

impl Disk {
    fn new(name: Option<String>, layer: Bytes) -> Self {
        Self { name, source: layer.clone(), layer }
    }

    /// How many blocks of `block` bytes have something written in them, if the image tells, and what of
    /// them is not there. Reads the tables of the image, up to a bound.
    pub fn contents(&self, block: u64) -> Contents {
        Written::count(&*self.layer, block)
    }
}
