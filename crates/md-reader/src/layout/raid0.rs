//! Stripes over members that may differ in size: each zone is striped over those that reach it.
//!
//! Kernels before 3.14 and later ones place the chunks of all zones but the first differently:
//! `raid0_map_submit_bio` in <https://git.kernel.org/linus/c84a1372df929033cb1a0441fb57bd3932f39ac9>.

use super::{Layout, Place, Spot};

/// How the chunks of the later zones go round their members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneOrder {
    /// Counted from the start of the array.
    Original,
    /// Counted from the start of the zone.
    Alternate,
}

/// The layout of a striped array.
pub struct Raid0 {
    chunk: u64,
    order: ZoneOrder,
    zones: Vec<Zone>,
}

struct Zone {
    /// First byte in the array, and the one after the last.
    start: u64,
    end: u64,
    /// First byte on each member.
    on_member: u64,
    members: Vec<usize>,
}

impl Raid0 {
    /// Takes the chunk and the members' sizes in bytes. `None` if the chunk is zero or a number
    /// does not fit.
    pub fn new(chunk: u64, sizes: &[u64], order: ZoneOrder) -> Option<Self> {
        let sizes: Option<Vec<u64>> =
            sizes.iter().map(|size| Some(size.checked_div(chunk)? * chunk)).collect();
        let sizes = sizes?;
        let mut levels: Vec<u64> = sizes.iter().copied().filter(|size| *size > 0).collect();
        levels.sort_unstable();
        levels.dedup();
        let mut zones: Vec<Zone> = Vec::new();
        let mut on_member = 0;
        for level in levels {
            let members: Vec<usize> =
                (0..sizes.len()).filter(|index| sizes[*index] > on_member).collect();
            let start = zones.last().map_or(0, |zone| zone.end);
            let length = (level - on_member).checked_mul(members.len() as u64)?;
            let end = start.checked_add(length)?;
            zones.push(Zone { start, end, on_member, members });
            on_member = level;
        }
        Some(Self { chunk, order, zones })
    }

    /// Whether members differ in size, so that the order of the zones matters.
    pub fn has_zones(&self) -> bool {
        self.zones.len() > 1
    }
}

impl Layout for Raid0 {
    fn size(&self) -> u64 {
        self.zones.last().map_or(0, |zone| zone.end)
    }

    fn place(&self, at: u64) -> Place {
        let index = self.zones.partition_point(|zone| zone.end <= at);
        let Some(zone) = self.zones.get(index) else {
            return Place { copies: Vec::new(), left: 1 };
        };
        let count = zone.members.len() as u64;
        let inside = at - zone.start;
        let (row, within) = (inside / self.chunk / count, inside % self.chunk);
        let turn = match self.order {
            ZoneOrder::Original => at / self.chunk,
            ZoneOrder::Alternate => inside / self.chunk,
        };
        let member = zone.members[(turn % count) as usize];
        let offset = zone.on_member + row * self.chunk + within;
        Place { copies: vec![Spot { member, offset }], left: self.chunk - within }
    }
}
