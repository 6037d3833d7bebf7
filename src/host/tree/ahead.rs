//! Has the blocks of many nodes fetched before they are read, in the order of the disk.
//!
//! A cache has room for some dozens of blocks, so that not all are asked for at once: a window goes along
//! with what is read.

use super::{Located, Tree};
use crate::filesystem::{Error, FileSystem, Metadata, NodeId};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Nodes after which the window is moved.
const STEP: usize = 16;
/// Blocks of a slow device in a window; how many of them are on their way at once its cache decides.
const WINDOW: usize = 32;
/// Nodes of a window.
const MOST_IN_WINDOW: usize = 4096;
/// Bytes that a slow device fetches at once.
pub(super) const BLOCK: u64 = 512 << 10;
/// Ranges of one node that are asked for, and held for each of many that wait.
const MOST_RANGES: usize = 8;

/// The part of a file that is read first, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// So many from its start.
    Start(u64),
    /// So many at its end.
    End(u64),
}

/// Nodes in the order in which the disk has their first bytes.
pub struct Plan {
    order: Vec<usize>,
    /// Where each of them is, in that order.
    places: Vec<Place>,
    /// How many were taken.
    taken: AtomicUsize,
}

/// Ranges of a device, by the mount that it is behind.
#[derive(Debug, Clone)]
pub struct Place {
    pub(super) mount: usize,
    pub(super) ranges: Vec<Range<u64>>,
}

impl Plan {
    /// The index of the node to read next, with what follows asked for; any thread may take one.
    pub fn next(&self, tree: &Tree) -> Option<usize> {
        let position = self.taken.fetch_add(1, Ordering::Relaxed);
        let index = self.order.get(position)?;
        if position.is_multiple_of(STEP) {
            tree.tell(self.window(position));
        }
        Some(*index)
    }

    /// The places from here on that begin in a number of blocks.
    fn window(&self, from: usize) -> &[Place] {
        let (mut blocks, mut last) = (0, None);
        let ahead = self.places[from..].iter().take(MOST_IN_WINDOW);
        let inside = ahead.take_while(|place| {
            let (mount, start) = place.start();
            let block = Some((mount, start / BLOCK));
            blocks += usize::from(std::mem::replace(&mut last, block) != block);
            blocks <= WINDOW
        });
        &self.places[from..from + inside.count()]
    }

    /// So many nodes in this order; there may be more places than nodes, which are asked for with the last ones.
    pub(super) fn in_order(nodes: usize, places: Vec<Place>) -> Self {
        Self { order: (0..nodes).collect(), places, taken: AtomicUsize::new(0) }
    }

    /// Where all that is asked for begins.
    #[cfg(test)]
    pub(super) fn starts(&self) -> impl Iterator<Item = (usize, u64)> {
        self.places.iter().map(Place::start)
    }

    /// These nodes, by their places.
    pub fn new(mut all: Vec<(usize, Place)>) -> Self {
        all.sort_by_key(|(index, place)| (place.start(), *index));
        let (order, places) = all.into_iter().unzip();
        Self { order, places, taken: AtomicUsize::new(0) }
    }
}

impl Tree {
    /// A plan to read a part of each of these nodes; their metadata are read for it. What fails here
    /// fails again when it is read.
    pub fn plan(&self, nodes: &[Located], part: Part) -> Plan {
        Plan::new(self.places(nodes, |_, _| Some(part)))
    }

    /// Where the parts of these nodes are that `part` names by their indexes and metadata, where it names any; in
    /// the order in which the disk has their metadata.
    pub fn places(
        &self,
        nodes: &[Located],
        mut part: impl FnMut(usize, &Metadata) -> Option<Part>,
    ) -> Vec<(usize, Place)> {
        let metadata = nodes.iter().map(|at| self.metadata_place(*at)).enumerate();
        let by_metadata = Plan::new(metadata.collect());
        let mut content = Vec::with_capacity(nodes.len());
        while let Some(index) = by_metadata.next(self) {
            let (at, mount) = (nodes[index], self.first_mount(nodes[index].mount));
            let ranges = if let Ok(metadata) = self.metadata(at) {
                let Some(part) = part(index, &metadata) else {
                    self.filesystem(at).forget(at.node);
                    continue;
                };
                self.part_ranges(at, part, metadata.size).unwrap_or_default()
            } else {
                Vec::new()
            };
            content.push((index, Place { mount, ranges }));
        }
        content
    }

    /// Where a part of a node is.
    fn part_ranges(&self, at: Located, part: Part, size: u64) -> Result<Vec<Range<u64>>, Error> {
        let (start, length) = match part {
            Part::Start(length) => (0, length),
            Part::End(length) => (size.saturating_sub(length), length),
        };
        let mut ranges = self.filesystem(at).ranges(at.node, start, length)?;
        ranges.truncate(MOST_RANGES);
        Ok(ranges)
    }

    /// Has the metadata of these nodes fetched in the order of the disk.
    pub fn ask_for_metadata(&self, nodes: impl Iterator<Item = Located>) {
        let mut by_mount: HashMap<usize, Vec<NodeId>> = HashMap::new();
        nodes.for_each(|at| by_mount.entry(at.mount).or_default().push(at.node));
        for (mount, nodes) in by_mount {
            let filesystem = &self.mounts[mount].filesystem;
            filesystem.will_need(&filesystem.metadata_ranges(&nodes).unwrap_or_default());
        }
    }

    /// The first mount of the filesystem that is mounted here: two mounts of one are one.
    pub(super) fn first_mount(&self, mount: usize) -> usize {
        let is = |a: &Arc<dyn FileSystem>, b: &Arc<dyn FileSystem>| Arc::ptr_eq(a, b);
        let wanted = &self.mounts[mount].filesystem;
        self.mounts.iter().position(|it| is(&it.filesystem, wanted)).unwrap_or(mount)
    }

    fn metadata_place(&self, at: Located) -> Place {
        let ranges = self.filesystem(at).metadata_ranges(&[at.node]).unwrap_or_default();
        Place { mount: self.first_mount(at.mount), ranges }
    }

    /// Has places fetched, of each filesystem in the order of its device.
    fn tell(&self, places: &[Place]) {
        for some in places.chunk_by(|a, b| a.mount == b.mount) {
            let ranges: Vec<_> =
                some.iter().flat_map(|place| place.ranges.iter().cloned()).collect();
            self.mounts[some[0].mount].filesystem.will_need(&ranges);
        }
    }
}

impl Place {
    /// Its mount and its first byte.
    pub fn start(&self) -> (usize, u64) {
        (self.mount, self.ranges.first().map_or(0, |range| range.start))
    }
}
