//! OVA appliances: a tar archive of an OVF and the images of its disks, which are read in place.

use crate::error::{Error, shown};
use crate::folder::Surroundings;
use crate::format;
use crate::layer::{Bytes, Part};
use crate::tar::{self, Member};
use crate::{Disk, Limits, Opened, Unread, Watch, packed};
use std::sync::Arc;

/// What an appliance has besides disks: the OVF, checksums, their signature, firmware variables.
const TEXTS: &[&[u8]] = &[b".ovf", b".mf", b".cert", b".nvram"];

/// Whether a tar archive is an appliance.
pub fn claims(file: &Bytes) -> Result<bool, Error> {
    Ok(tar::members(&**file)?.iter().any(|member| has_ending(member, b".ovf")))
}

/// Opens all disks of an appliance. What is no disk, or a damaged one, is named.
pub fn open(file: &Bytes, limits: &Limits, watch: Watch) -> Result<Opened, Error> {
    let mut opened = Opened { disks: Vec::new(), unread: Vec::new() };
    for member in tar::members(&**file)? {
        if TEXTS.iter().any(|ending| has_ending(&member, ending)) {
            continue;
        }
        let name = shown(&member.name);
        match open_member(file, &member, limits, watch) {
            Ok(disk) => opened.disks.push(Disk::new(Some(name), disk)),
            Err(error) => opened.unread.push(Unread { name, error }),
        }
    }
    if !opened.disks.is_empty() {
        return Ok(opened);
    }
    // With nothing to go on with, the first reason is the answer.
    match opened.unread.into_iter().next() {
        Some(Unread { error, .. }) => Err(error),
        None => Err(Error::unsupported("an appliance without disks")),
    }
}

fn open_member(
    file: &Bytes,
    member: &Member,
    limits: &Limits,
    watch: Watch,
) -> Result<Bytes, Error> {
    if member.sparse {
        return Err(Error::unsupported("a sparse member of a tar archive; unpack it first"));
    }
    let part: Bytes = Arc::new(Part::new(file.clone(), member.at, member.length));
    if let Some(packing) = packed::recognise(&format::Edges::of(&*part)?) {
        return crate::open_unpacked(packed::unpack(part, packing, limits, watch)?);
    }
    let disk = format::open(&part, &Surroundings::none())?;
    disk.ok_or_else(|| Error::unsupported("a member that is no image of a disk"))
}

fn has_ending(member: &Member, ending: &[u8]) -> bool {
    let start = member.name.len().saturating_sub(ending.len());
    member.name[start..].eq_ignore_ascii_case(ending)
}
