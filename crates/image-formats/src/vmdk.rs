//! vmdk images: one sparse file with or without compression (monolithicSparse, streamOptimized),
//! or a descriptor and its extents, sparse or flat (monolithicFlat, twoGbMaxExtent, VMFS flat).
//!
//! Layout: VMware's "Virtual Disk Format 5.0". Extents have plain names and stand beside their
//! descriptor. Refused: a disk that stands on a parent, and the sparse formats of ESX (COWD,
//! SESPARSE), whose files never leave a datastore as they are.

mod descriptor;
mod joined;
mod sparse;

use crate::error::{Error, shown};
use crate::folder::{Names, Surroundings};
use crate::format::Edges;
use crate::layer::{Bytes, Missing, Part, read_up_to};
use crate::raw::Raw;
use descriptor::{Descriptor, Extent, Kind};
use joined::Joined;
use sparse::Sparse;
use std::sync::Arc;

const DESCRIPTOR: &[u8] = b"# Disk DescriptorFile";
/// What ESX writes for snapshots.
const ESX: &[&[u8]] = &[b"COWD", b"\xbe\xba\xfe\xca\0\0\0\0"];
/// Longest descriptor, the bound that qemu sets.
const MOST_DESCRIPTOR: u64 = 1 << 20;
const ROLE: &str = "extent";

/// Whether the file starts as a vmdk image or its descriptor.
pub fn claims(edges: &Edges) -> bool {
    let esx = ESX.iter().any(|magic| edges.has(0, magic));
    esx || edges.has(0, sparse::MAGIC) || edges.has(0, DESCRIPTOR)
}

/// Opens a vmdk image and all its extents. One that cannot be opened fails when it is read, if another can.
pub fn open(file: Bytes, around: &Surroundings) -> Result<Bytes, Error> {
    let edges = Edges::of(&*file)?;
    if ESX.iter().any(|magic| edges.has(0, magic)) {
        return Err(Error::unsupported("a sparse vmdk of ESX; export the disk first"));
    }
    if edges.has(0, DESCRIPTOR) {
        let text = read_up_to(&*file, 0, MOST_DESCRIPTOR)?;
        return join(&Descriptor::parse(&text)?, around);
    }
    let sparse = Sparse::open(file)?;
    // Of its own descriptor nothing else matters: the tables tell the rest.
    if let Some(text) = sparse.descriptor(MOST_DESCRIPTOR)? {
        descriptor::check_parent(&text)?;
    }
    Ok(Arc::new(sparse))
}

fn join(descriptor: &Descriptor, around: &Surroundings) -> Result<Bytes, Error> {
    let mut joined = Joined::default();
    let (mut is_one_open, mut failed) = (false, None);
    for extent in &descriptor.extents {
        let source = match open_extent(extent, around) {
            Ok(source) => {
                is_one_open |= source.is_some();
                source
            }
            Err(error) => {
                let missing = Missing::new(extent.sectors * 512, &error);
                failed.get_or_insert(error);
                Some(Arc::new(missing) as Bytes)
            }
        };
        joined.add(extent.sectors, source)?;
    }
    match failed {
        Some(error) if !is_one_open => Err(error),
        _ => Ok(Arc::new(joined)),
    }
}

/// Opens one extent; `None` reads as zeroes.
fn open_extent(extent: &Extent, around: &Surroundings) -> Result<Option<Bytes>, Error> {
    if extent.kind == Kind::Zero {
        return Ok(None);
    }
    let (file, _) = around.open(ROLE, &extent.name, Names::Plain)?;
    let file: Bytes = Arc::new(Raw::new(file)?);
    let length = extent.sectors * 512;
    if extent.kind == Kind::Flat {
        return Ok(Some(Arc::new(Part::new(file, extent.offset * 512, length))));
    }
    let named =
        |source| Error::Named { role: ROLE, name: shown(&extent.name), source: Box::new(source) };
    let sparse: Bytes = Arc::new(Sparse::open(file).map_err(named)?);
    if sparse.size() < length {
        return Error::corrupt("extent shorter than its descriptor says", 0).map_err(named);
    }
    Ok(Some(sparse))
}
