//! Segments that lie on runs of extents: linear, striped, mirrored, and the legs of RAID.

use crate::Error;
use crate::build::{Builder, missing_physical};
use crate::error::corrupt;
use crate::part::{Part, Zeroes};
use crate::raid::FoundLeg;
use crate::raid_superblock::RaidSuperblock;
use crate::segment::{Area, Leg};
use md_reader::layout::{Copies, Member, Mirror, Raid0, Window, ZoneOrder};
use std::sync::Arc;

impl Builder<'_> {
    pub fn striped(&mut self, areas: &[Area], chunk: u64, extents: u64) -> Result<Part, Error> {
        let count = areas.len() as u64;
        if !extents.is_multiple_of(count) {
            return Err(corrupt("extents that are no multiple of the stripes", extents));
        }
        let length = self.bytes(extents / count)?;
        if let [area] = areas {
            return self.area(area, length);
        }
        let layout = Raid0::new(chunk, &vec![length; areas.len()], ZoneOrder::Alternate);
        let layout = layout.ok_or_else(|| corrupt("stripe size of a volume", chunk))?;
        let parts = areas.iter().map(|area| self.area(area, length)).collect();
        let (members, mut part) = gather(parts)?;
        let cost = part.cost;
        part.source = Arc::new(Copies::new(layout, members));
        part.cut(0, self.bytes(extents)?)?.checked(cost)
    }

    /// All legs hold the same; its log, which says where they might not, is not asked: the first
    /// leg is the one that counts.
    pub fn mirror(&mut self, areas: &[Area], extents: u64) -> Result<Part, Error> {
        let size = self.bytes(extents)?;
        let parts: Vec<_> = areas.iter().map(|area| self.area(area, size)).collect();
        let good =
            |part: &Result<Part, Error>| part.as_ref().is_ok_and(|part| part.problems.is_empty());
        let whole = parts.iter().any(good);
        let (members, mut part) = gather(parts)?;
        if whole {
            let lost = std::mem::take(&mut part.problems);
            let made_up =
                lost.iter().map(|error| format!("{error}; the other legs make up for it"));
            part.notes.extend(made_up);
        }
        let cost = part.cost.saturating_mul(members.len() as u64);
        let order = (0..members.len()).collect();
        part.source = Arc::new(Copies::new(Mirror { size, order }, members));
        part.checked(cost)
    }

    pub fn leg(&mut self, leg: &Leg) -> FoundLeg {
        let image = self.plain(&leg.image);
        let metadata = leg.metadata.as_ref().and_then(|name| self.plain(name).ok());
        let superblock = metadata.and_then(|part| RaidSuperblock::read(&*part.source));
        FoundLeg { name: leg.image.clone(), image, superblock }
    }

    /// A run of extents on a physical volume or in a volume.
    fn area(&mut self, area: &Area, length: u64) -> Result<Part, Error> {
        let first = self.bytes(area.first)?;
        let Some(physical) = self.group.physical.get(&area.on) else {
            if !self.group.logical.contains_key(&area.on) {
                return Err(missing_physical(self.group, &area.on));
            }
            return self.plain(&area.on)?.cut(first, length);
        };
        let Some(device) = self.physical.get(&area.on) else {
            return Err(missing_physical(self.group, &area.on));
        };
        let outside = || corrupt("extents past the end of a physical volume, from", area.first);
        let end = self.bytes(physical.extents)?;
        let start = physical.start.checked_add(first).ok_or_else(outside)?;
        if first.checked_add(length).is_none_or(|last| last > end) {
            return Err(outside());
        }
        let source = Arc::clone(&self.devices[*device].source);
        let available = source.size().saturating_sub(start).min(length);
        let mut part = Part::new(Arc::new(Window::new(source, start, length)));
        if available < length {
            let short = corrupt("bytes of a physical volume, less than it should have", available);
            part.problems.push(short);
        }
        if physical.missing {
            let name = &self.devices[*device].name;
            part.notes.push(format!("{name} was away when the group was last changed"));
        }
        Ok(part)
    }
}

/// Parts side by side: their sources, and what is to be said of all of them. None of them there is
/// an error.
fn gather(parts: Vec<Result<Part, Error>>) -> Result<(Vec<Member>, Part), Error> {
    let mut about = Part::new(Arc::new(Zeroes { size: 0 }));
    let (mut members, mut first_error) = (Vec::new(), None);
    for part in parts {
        match part {
            Ok(part) => {
                about.cost = about.cost.max(part.cost);
                about.tell(&part.problems, &part.notes);
                members.push(Some(part.source));
            }
            Err(error) => {
                about.tell(std::slice::from_ref(&error), &[]);
                first_error = first_error.or(Some(error));
                members.push(None);
            }
        }
    }
    match first_error {
        Some(error) if members.iter().all(Option::is_none) => Err(error),
        _ => Ok((members, about)),
    }
}
