//! The worklist: every device is asked what it holds until nothing new is found.
//!
//! Volumes that stand on several devices (md, LVM) are put together when all devices that are known
//! so far were asked, and are asked in their turn.

mod look;

use super::disks::Disk;
use crate::block::Device;
use crate::filesystem;
use crate::host::Found;
use crate::model::{Gap, GapReason, Part, PartState};
use crate::volume::{self, Volume};
use look::{Content, Outcome, look};
use std::collections::{BTreeMap, BTreeSet};

/// A table can list thousands of partitions, each with a table of its own.
const MOST_VOLUMES: usize = 512;
/// Devices that are looked at at the same time.
const AT_ONCE: usize = 32;

/// What is on the disks.
#[derive(Default)]
pub struct Discovery {
    /// Every filesystem, in the order of disks and volumes.
    pub found: Vec<Found>,
    /// Everything, each part after those that it stands on.
    pub parts: Vec<Part>,
}

/// Finds all volumes and filesystems of the disks.
pub fn discover(disks: &[Disk], gaps: &mut Vec<Gap>) -> Discovery {
    let mut worklist = Worklist::new(disks);
    while worklist.step(gaps) {}
    worklist.join_pieces(gaps);
    gaps.extend(worklist.pools.into_iter().flat_map(|pool| pool.gaps));
    worklist.discovery
}

struct Worklist {
    level: Vec<Item>,
    pools: Vec<Pool>,
    /// The devices of each filesystem over several, and the places of their parts.
    pieces: BTreeMap<[u8; 16], Vec<(Item, usize)>>,
    discovery: Discovery,
    /// How many more volumes are looked at.
    left: usize,
}

/// A device that is to be looked at.
struct Item {
    disk: usize,
    depth: usize,
    volume: Volume,
}

/// The members of one format of volumes over several devices.
#[derive(Default)]
struct Pool {
    members: Vec<Item>,
    /// How many of them were put together already.
    assembled: usize,
    /// Ids of the volumes that were found.
    volumes: BTreeSet<String>,
    /// Those of the last time that all were put together.
    gaps: Vec<Gap>,
}

impl Worklist {
    fn new(disks: &[Disk]) -> Self {
        let whole = disks.iter().enumerate().map(|(index, disk)| Item {
            disk: index,
            depth: 0,
            volume: Volume::whole(disk.device.clone()),
        });
        let level: Vec<Item> = whole.collect();
        let pools = volume::POOLS.iter().map(|_| Pool::default()).collect();
        let left = MOST_VOLUMES.max(level.len());
        Self { level, pools, pieces: BTreeMap::new(), discovery: Discovery::default(), left }
    }

    /// Goes one level deeper; `false` if there is nothing more.
    fn step(&mut self, gaps: &mut Vec<Gap>) -> bool {
        if self.level.is_empty() {
            return (0..self.pools.len()).any(|index| self.assemble(index));
        }
        gaps.extend(too_many(&self.level, self.left));
        self.level.truncate(self.left);
        self.left -= self.level.len();
        let level = std::mem::take(&mut self.level);
        let outcomes: Vec<_> = level.chunks(AT_ONCE).flat_map(look_at_once).collect();
        for (item, outcome) in level.into_iter().zip(outcomes) {
            self.take(item, outcome, gaps);
        }
        true
    }

    fn take(&mut self, item: Item, outcome: Outcome, gaps: &mut Vec<Gap>) {
        let Outcome { content, state, detail, gaps: new } = outcome;
        gaps.extend(new);
        let mut part = part(&item, state, detail);
        match content {
            Content::Nothing(holds) => part.holds = holds,
            Content::FileSystem(mut found) => {
                describe(&mut part, &found);
                found.part = self.discovery.parts.len();
                self.discovery.found.push(*found);
            }
            Content::Table(format, volumes) => {
                part.holds = Some(format.to_owned());
                let depth = item.depth + 1;
                let inside =
                    volumes.into_iter().map(|volume| Item { disk: item.disk, depth, volume });
                self.level.extend(inside);
            }
            Content::Piece(filesystem) => {
                part.holds = Some("btrfs".to_owned());
                let at = self.discovery.parts.len();
                self.pieces.entry(filesystem).or_default().push((item, at));
            }
            Content::Member(index) => {
                part.holds = Some(volume::POOLS[index].name().to_owned());
                self.pools[index].members.push(item);
            }
        }
        self.discovery.parts.push(part);
    }

    /// Opens the filesystems over several devices. Each is the first device's; the others are parts of it.
    fn join_pieces(&mut self, gaps: &mut Vec<Gap>) {
        let formats = filesystem::FORMATS.iter().find(|format| format.name() == "btrfs");
        let Some(format) = formats else { return };
        for (_, pieces) in std::mem::take(&mut self.pieces) {
            let Some((item, at)) = pieces.first() else { continue };
            let devices: Vec<Device> =
                pieces.iter().map(|(item, _)| item.volume.device.clone()).collect();
            let outcome = look::open(item, *format, &devices);
            gaps.extend(outcome.gaps);
            let parts = &mut self.discovery.parts;
            for (_, other) in &pieces {
                parts[*other].state = outcome.state;
                parts[*other].detail.clone_from(&outcome.detail);
                if other != at {
                    parts[*other].on.push(item.volume.device.name.clone());
                }
            }
            if let Content::FileSystem(mut found) = outcome.content {
                describe(&mut parts[*at], &found);
                found.part = *at;
                self.discovery.found.push(*found);
            }
        }
    }

    /// Puts the members of a pool together, if there are new ones.
    fn assemble(&mut self, index: usize) -> bool {
        let pool = &mut self.pools[index];
        if pool.assembled == pool.members.len() {
            return false;
        }
        pool.assembled = pool.members.len();
        let devices: Vec<Device> =
            pool.members.iter().map(|member| member.volume.device.clone()).collect();
        pool.gaps.clear();
        let volumes = volume::POOLS[index].assemble(&devices).into_found(&mut pool.gaps);
        for volume in volumes {
            let id = volume.id.clone().unwrap_or_else(|| volume.device.name.clone());
            if !pool.volumes.insert(id) {
                continue;
            }
            let below = pool.members.iter().filter(|it| volume.on.contains(&it.volume.device.name));
            let depth = below.clone().map(|member| member.depth).max().unwrap_or(0) + 1;
            let disk = below.map(|member| member.disk).next().unwrap_or(0);
            self.level.push(Item { disk, depth, volume });
        }
        true
    }
}

fn look_at_once(items: &[Item]) -> Vec<Outcome> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = items.iter().map(|item| scope.spawn(|| look(item))).collect();
        let ends = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        ends.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn too_many(items: &[Item], left: usize) -> Option<Gap> {
    let first = items.get(left)?;
    let more = items.len() - left;
    let detail = format!("this and {} more volumes, over {MOST_VOLUMES} in all", more - 1);
    Some(Gap::new(&first.volume.device.name, GapReason::Limit, detail))
}

/// Says in a part what its filesystem says of itself.
fn describe(part: &mut Part, found: &Found) {
    part.holds = Some(found.kind.clone());
    if let Some(identity) = found.filesystem.as_ref().map(|it| it.identity()) {
        part.label = identity.label.or(part.label.take());
        part.uuid = identity.uuid;
    }
}

fn part(item: &Item, state: PartState, detail: Option<String>) -> Part {
    Part {
        name: item.volume.device.name.clone(),
        on: item.volume.on.clone(),
        size: item.volume.device.source.size(),
        holds: None,
        label: item.volume.label.clone(),
        uuid: None,
        mounts: Vec::new(),
        state,
        detail,
        subvolumes: Vec::new(),
    }
}
