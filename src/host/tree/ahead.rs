//! Asks for the blocks of many nodes at once.

use super::{Located, Tree};
use crate::filesystem::{FileSystem, NodeId};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Ranges by the first mount of their filesystem.
type Ranges = HashMap<usize, Vec<Range<u64>>>;

impl Tree {
    /// Has the metadata of these nodes, then their first `length` bytes, fetched in the order of the disk,
    /// and gives that order. What fails here fails again when it is read.
    pub fn ask_for(&self, nodes: &[Located], length: u64) -> Vec<usize> {
        let (order, ranges) = self.places(nodes, length);
        for (mount, mut ranges) in ranges {
            ranges.sort_unstable_by_key(|range| range.start);
            self.mounts[mount].filesystem.will_need(&ranges);
        }
        order
    }

    /// The order in which the disk has the first bytes of these nodes; their metadata are fetched for it.
    pub fn order(&self, nodes: &[Located]) -> Vec<usize> {
        self.places(nodes, 1).0
    }

    /// The order of the disk, and the ranges of each filesystem.
    fn places(&self, nodes: &[Located], length: u64) -> (Vec<usize>, Ranges) {
        self.ask_for_metadata(nodes.iter().copied());
        let mut ranges = Ranges::new();
        let mut order: Vec<_> = (0..nodes.len()).map(|index| (usize::MAX, 0, index)).collect();
        for (at, key) in nodes.iter().zip(&mut order) {
            let found = self.filesystem(*at).ranges(at.node, 0, length).unwrap_or_default();
            let mount = self.first_mount(at.mount);
            *key = (mount, found.first().map_or(0, |range| range.start), key.2);
            ranges.entry(mount).or_default().extend(found);
        }
        order.sort_unstable();
        (order.into_iter().map(|(_, _, index)| index).collect(), ranges)
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
}
