//! Which devices are an array's members: those that the freshest superblock names, if they kept up
//! with it.

use crate::bytes::u64_at;
use crate::layout::Window;
use crate::superblock::{Role, Superblock};
use crate::{Device, Error};
use block_source::BlockSource;
use std::ops::Range;
use std::sync::Arc;

/// The members of an array by place, and what is to be said of the devices that are none.
pub struct Members {
    pub by_place: Vec<Option<Chosen>>,
    /// Devices that are the same member as another, with that other.
    pub copies: Vec<(usize, usize)>,
    pub problems: Vec<Error>,
    pub notes: Vec<String>,
}

/// The device that serves as a member.
pub struct Chosen {
    pub device: usize,
    pub data: Range<u64>,
    /// How many bytes of its data are filled.
    pub filled: u64,
    bad: Vec<Range<u64>>,
}

impl Chosen {
    /// Its data as a device.
    pub fn source(&self, devices: &[Device]) -> Arc<dyn BlockSource> {
        let length = self.filled.min(self.data.end - self.data.start);
        let window = Window::new(Arc::clone(&devices[self.device].source), self.data.start, length);
        Arc::new(window.without(self.bad.clone()))
    }
}

/// Sorts the devices of one array; `freshest` is one of them.
pub fn choose(devices: &[Device], set: &[(usize, &Superblock)], freshest: &Superblock) -> Members {
    let by_place = (0..freshest.raid_disks).map(|_| None).collect();
    let mut members =
        Members { by_place, copies: Vec::new(), problems: Vec::new(), notes: Vec::new() };
    // Replacements last, so that they fill only what is empty; of two the smaller device first,
    // which is the partition where a disk and its last partition show the same superblock.
    let mut order: Vec<_> = set.to_vec();
    order.sort_by_key(|(index, found)| {
        (found.flags.replacement, devices[*index].source.size(), *index)
    });
    for (index, found) in order {
        members.take(devices, index, found, freshest);
    }
    members
}

impl Members {
    fn take(
        &mut self,
        devices: &[Device],
        index: usize,
        found: &Superblock,
        freshest: &Superblock,
    ) {
        let name = &devices[index].name;
        let place = match place(found, freshest) {
            Ok(place) => place,
            Err(why) => return self.notes.push(format!("{name} {why}")),
        };
        let Some(slot) = self.by_place.get_mut(place as usize) else {
            return self.problems.push(Error::corrupt("place of a member past the last", place));
        };
        if let Some(taken) = slot {
            let other = &devices[taken.device].name;
            self.copies.push((index, taken.device));
            return self.notes.push(format!("{name} is left out: {other} is the same member"));
        }
        let filled = found.recovered.unwrap_or(u64::MAX);
        let bad = bad_blocks(&*devices[index].source, found).unwrap_or_else(|error| {
            self.problems.push(error);
            Vec::new()
        });
        if !bad.is_empty() {
            self.notes.push(format!("{name} has bad blocks"));
        }
        *slot = Some(Chosen { device: index, data: found.data.clone(), filled, bad });
        if filled != u64::MAX {
            self.notes.push(format!("{name} is new and filled up to byte {filled}"));
        }
    }
}

/// The place of a device in its array, or why it has none.
fn place(found: &Superblock, freshest: &Superblock) -> Result<u32, String> {
    let (own, newest) = (found.events, freshest.events);
    // As the kernel does: one event less may be a superblock that was just not written yet.
    let stopped = own.saturating_add(1) < newest;
    if stopped && matches!(found.role(found.number), Role::Active(_)) {
        return Err(format!("is left out: it stopped at event {own} of {newest}"));
    }
    match freshest.role(found.number) {
        Role::Active(_) if found.flags.catching_up => {
            Err("is left out: it is being added again".to_owned())
        }
        Role::Active(place) => Ok(place),
        Role::Spare => Err("is a spare".to_owned()),
        Role::Faulty => Err("has failed and is left out".to_owned()),
        Role::Journal => Err("is the write journal".to_owned()),
    }
}

/// The device's list of bad blocks, as ranges of its data. Entries hold a length in the lower ten
/// bits and above it the start; ones end the list.
fn bad_blocks(device: &dyn BlockSource, found: &Superblock) -> Result<Vec<Range<u64>>, Error> {
    let Some(list) = found.bad.clone() else { return Ok(Vec::new()) };
    let mut raw = vec![0; (list.end - list.start) as usize];
    device.read_exact_at(list.start, &mut raw)?;
    let too_far = || Error::corrupt("list of bad blocks at", list.start);
    let unit = 512u64.checked_shl(u32::from(found.bad_shift)).ok_or_else(too_far)?;
    let entries = raw.chunks(8).map(|entry| u64_at(entry, 0));
    let ranges = entries.take_while(|entry| *entry != u64::MAX).map(|entry| {
        let start = (entry >> 10).checked_mul(unit).ok_or_else(too_far)?;
        let end = start.saturating_add((entry & 0x3ff).saturating_mul(unit));
        let first = found.data.start;
        Ok(start.saturating_sub(first)..end.saturating_sub(first))
    });
    ranges.filter(|range| range.as_ref().map_or(true, |range| !range.is_empty())).collect()
}
