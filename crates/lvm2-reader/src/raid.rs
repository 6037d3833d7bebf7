//! RAID volumes: which legs are up to date, and the layout over them.

use crate::Error;
use crate::error::{corrupt, missing, unsupported};
use crate::part::Part;
use crate::raid_superblock::RaidSuperblock;
use crate::segment::Raid;
use block_source::BlockSource;
use md_reader::layout::{
    Algorithm, Copies, Member, Mirror, Parity, Raid0, Raid10, Window, ZoneOrder,
};
use std::sync::Arc;

/// One leg as it was found.
pub struct FoundLeg {
    /// The name of its image.
    pub name: String,
    pub image: Result<Part, Error>,
    pub superblock: Option<RaidSuperblock>,
}

/// Builds a volume of `size` bytes of its legs.
pub fn build(raid: Raid, chunk: u64, size: u64, legs: Vec<FoundLeg>) -> Result<Part, Error> {
    let newest = legs.iter().filter_map(|leg| leg.superblock.as_ref()).max_by_key(|sb| sb.events);
    let newest = newest.cloned();
    if newest.as_ref().is_some_and(|newest| newest.reshaping) {
        return Err(unsupported("a RAID volume in the middle of a reshape"));
    }
    let raid = newest.as_ref().map_or(Some(raid), |newest| recorded(raid, newest));
    let raid = raid.ok_or_else(|| corrupt("level in a RAID volume's superblock", 0u64))?;
    let mut sorted = Sorted::default();
    for (number, leg) in legs.into_iter().enumerate() {
        sorted.add(number, leg, newest.as_ref());
    }
    sorted.build(raid, chunk, size)
}

/// What the superblock says of the layout counts: the parity of what LVM calls raid4 has stood in
/// two places. `None` if it says something else altogether.
fn recorded(raid: Raid, newest: &RaidSuperblock) -> Option<Raid> {
    match (raid, newest.level) {
        (Raid::Parity(_), 4..=6) => Algorithm::new(newest.level, newest.layout).map(Raid::Parity),
        (Raid::MirroredStripes(_), 10) => Some(Raid::MirroredStripes(newest.layout)),
        (Raid::Mirrored, 1) | (Raid::Striped, 0) => Some(raid),
        _ => None,
    }
}

/// Legs by number, with what is wrong with some.
#[derive(Default)]
struct Sorted {
    members: Vec<Member>,
    /// Bytes of the shortest leg that is there.
    shortest: Option<u64>,
    /// Legs that are not whole, each with why.
    broken: Vec<(usize, Vec<Error>)>,
    /// Legs that are there and not filled yet.
    partial: Vec<usize>,
    notes: Vec<String>,
    cost: u64,
}

impl Sorted {
    fn add(&mut self, number: usize, leg: FoundLeg, newest: Option<&RaidSuperblock>) {
        let behind = newest.and_then(|newest| behind(number, leg.superblock.as_ref(), newest));
        let part = match (leg.image, behind) {
            (Ok(part), None) => part,
            (Ok(_), Some(why)) => {
                self.notes.push(format!("{} is left out: {why}", leg.name));
                let what = format!("an up-to-date leg {}", leg.name);
                return self.leave_out(number, missing(what));
            }
            (Err(error), _) => return self.leave_out(number, error),
        };
        let (offset, recovered) = match &leg.superblock {
            Some(superblock) => (superblock.data_offset, superblock.recovered),
            None => (0, None),
        };
        let length = part.source.size().saturating_sub(offset);
        let filled = recovered.unwrap_or(u64::MAX).min(length);
        if filled < length {
            self.partial.push(number);
            self.notes.push(format!("{} is new and filled up to byte {filled}", leg.name));
        }
        self.shortest = Some(self.shortest.map_or(length, |shortest| shortest.min(length)));
        self.cost = self.cost.saturating_add(part.cost);
        if !part.problems.is_empty() {
            self.broken.push((number, part.problems));
        }
        self.notes.extend(part.notes);
        self.members.push(Some(Arc::new(Window::new(part.source, offset, filled))));
    }

    fn leave_out(&mut self, number: usize, why: Error) {
        self.broken.push((number, vec![why]));
        self.members.push(None);
    }

    fn build(self, raid: Raid, chunk: u64, size: u64) -> Result<Part, Error> {
        let Some(leg_size) = self.shortest else {
            let first = self.broken.into_iter().flat_map(|(_, errors)| errors).next();
            return Err(first.unwrap_or_else(|| missing("every leg")));
        };
        let (count, whole) = (self.members.len(), self.whole(raid, chunk, leg_size));
        let source: Option<Arc<dyn BlockSource>> = match raid {
            Raid::Striped => Raid0::new(chunk, &vec![leg_size; count], ZoneOrder::Alternate)
                .map(|layout| Arc::new(Copies::new(layout, self.members)) as _),
            Raid::Mirrored => {
                let mut order: Vec<usize> = (0..count).collect();
                order.sort_by_key(|leg| self.partial.contains(leg));
                Some(Arc::new(Copies::new(Mirror { size: leg_size, order }, self.members)))
            }
            Raid::MirroredStripes(layout) => Raid10::new(chunk, layout, count as u32, leg_size)
                .map(|layout| Arc::new(Copies::new(layout, self.members)) as _),
            Raid::Parity(algorithm) => Parity::new(algorithm, chunk, self.members, leg_size)
                .map(|parity| Arc::new(parity) as _),
        };
        let source =
            source.ok_or_else(|| corrupt("layout of a RAID volume, legs", count as u64))?;
        let mut part = Part::new(source).cut(0, size)?;
        let broken: Vec<Error> = self.broken.into_iter().flat_map(|(_, errors)| errors).collect();
        if whole {
            let made_up =
                broken.iter().map(|error| format!("{error}; the other legs make up for it"));
            part.tell(&[], &made_up.collect::<Vec<_>>());
        } else {
            part.tell(&broken, &[]);
        }
        part.tell(&[], &self.notes);
        part.checked(self.cost)
    }

    /// Whether all can be read with the legs that are whole.
    fn whole(&self, raid: Raid, chunk: u64, leg_size: u64) -> bool {
        let count = self.members.len();
        let mut lost = vec![false; count];
        for leg in self.broken.iter().map(|(leg, _)| leg).chain(&self.partial) {
            lost[*leg] = true;
        }
        let missing = lost.iter().filter(|lost| **lost).count();
        match raid {
            Raid::Striped => missing == 0,
            Raid::Mirrored => missing < count,
            Raid::Parity(algorithm) => missing <= algorithm.parities(),
            Raid::MirroredStripes(layout) => Raid10::new(chunk, layout, count as u32, leg_size)
                .is_some_and(|layout| layout.survives(&lost)),
        }
    }
}

/// Why a leg is not up to date. As in md, one event less may be a superblock not written yet.
fn behind(number: usize, own: Option<&RaidSuperblock>, newest: &RaidSuperblock) -> Option<String> {
    let Some(own) = own else {
        return Some("it has no superblock, though others have".to_owned());
    };
    if newest.failed(number) {
        return Some("it has failed".to_owned());
    }
    let stopped = own.events.saturating_add(1) < newest.events;
    stopped.then(|| format!("it stopped at event {} of {}", own.events, newest.events))
}
