//! A volume group as its metadata has it: the text, validated.

use crate::Error;
use crate::error::corrupt;
use crate::segment::{Kind, kind, spare_extents};
use crate::text::{self, Section};
use std::collections::HashMap;

pub const SECTOR: u64 = 512;

/// A volume group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub id: String,
    /// Counts the changes.
    pub seqno: u64,
    /// Bytes of an extent.
    pub extent: u64,
    pub exported: bool,
    /// By the name that segments use.
    pub physical: HashMap<String, Physical>,
    pub logical: HashMap<String, Logical>,
}

/// A physical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Physical {
    /// With dashes.
    pub id: String,
    /// The device's name when the metadata were written.
    pub device: String,
    pub device_size: Option<u64>,
    /// Byte of the device at which extents start.
    pub start: u64,
    /// Extents on it.
    pub extents: u64,
    /// It was away when the metadata were written.
    pub missing: bool,
}

/// A logical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logical {
    pub id: String,
    pub visible: bool,
    /// In order and without gaps, or what is wrong with them.
    pub segments: Result<Vec<Segment>, &'static str>,
}

/// A run of extents of a logical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub extents: u64,
    pub kind: Kind,
}

impl Logical {
    pub fn extents(&self) -> u64 {
        let segments = self.segments.as_deref().unwrap_or_default();
        segments.iter().fold(0, |sum, segment| sum.saturating_add(segment.extents))
    }
}

impl Group {
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let whole = text::parse(bytes)?;
        let (name, group) =
            whole.sections().next().ok_or_else(|| corrupt("LVM metadata without a group", 0u64))?;
        let wrong = || corrupt("LVM metadata lacks what a group needs, of sequence", 0u64);
        let extent = group.number("extent_size").and_then(|extent| extent.checked_mul(SECTOR));
        let empty = Section::default();
        let physical = group.section("physical_volumes").unwrap_or(&empty);
        let physical: Option<HashMap<_, _>> = physical
            .sections()
            .map(|(name, section)| Some((name.to_owned(), physical_volume(section)?)))
            .collect();
        let logical = group.section("logical_volumes").unwrap_or(&empty).sections();
        let logical: Option<HashMap<_, _>> = logical
            .map(|(name, section)| Some((name.to_owned(), logical_volume(section)?)))
            .collect();
        Ok(Self {
            name: name.to_owned(),
            id: group.text("id").ok_or_else(wrong)?.to_owned(),
            seqno: group.number("seqno").ok_or_else(wrong)?,
            extent: extent.filter(|extent| *extent > 0).ok_or_else(wrong)?,
            exported: group.has("status", "EXPORTED"),
            physical: physical.ok_or_else(wrong)?,
            logical: logical.ok_or_else(wrong)?,
        })
    }
}

fn physical_volume(section: &Section) -> Option<Physical> {
    Some(Physical {
        id: section.text("id")?.to_owned(),
        device: section.text("device").unwrap_or_default().to_owned(),
        device_size: section.number("dev_size").and_then(|size| size.checked_mul(SECTOR)),
        start: section.number("pe_start")?.checked_mul(SECTOR)?,
        extents: section.number("pe_count")?,
        missing: section.has("flags", "MISSING") || section.has("status", "MISSING"),
    })
}

fn logical_volume(section: &Section) -> Option<Logical> {
    Some(Logical {
        id: section.text("id")?.to_owned(),
        visible: section.has("status", "VISIBLE"),
        segments: segments(section),
    })
}

fn segments(section: &Section) -> Result<Vec<Segment>, &'static str> {
    let mut found = Vec::new();
    for (_, segment) in section.sections().filter(|(name, _)| is_segment(name)) {
        let start = segment.number("start_extent").ok_or("segment without a start")?;
        let taken = segment.number("extent_count").ok_or("segment without a length")?;
        let kind = kind(segment)?;
        let extents = taken.checked_sub(spare_extents(segment, &kind));
        let extents = extents.ok_or("segment that is all space for a reshape")?;
        found.push((start, taken, Segment { extents, kind }));
    }
    found.sort_by_key(|(start, _, _)| *start);
    let mut end = 0u64;
    for (start, taken, segment) in &found {
        if *start != end || segment.extents == 0 {
            return Err("segments that overlap or leave gaps");
        }
        end = end.checked_add(*taken).ok_or("segments past what can be")?;
    }
    if found.is_empty() {
        return Err("volume without segments");
    }
    Ok(found.into_iter().map(|(_, _, segment)| segment).collect())
}

fn is_segment(name: &str) -> bool {
    name.strip_prefix("segment").is_some_and(|number| number.parse::<u64>().is_ok())
}
