//! Which subvolumes of a filesystem are worth a look for a system.
//!
//! A host keeps hundreds of snapshots, and each look costs blocks. So of all states of one subvolume
//! the likeliest is looked at, then those that can be written to, as what is started is. What a boot
//! configuration names is looked at anyhow.

use crate::filesystem::{FileSystem, NodeId, Subvolume};
use crate::model::{Gap, GapReason};
use std::collections::BTreeSet;

/// Most that are looked at on one filesystem.
const MOST: usize = 32;
/// The top of all subvolumes.
const TOP: &str = "subvolid=5";
/// Folders in which container engines keep a subvolume for each layer; containers are no hosts.
const LAYERS: [&[&str]; 2] = [&["btrfs", "subvolumes"], &["io.containerd.snapshotter.v1.btrfs"]];

/// The roots of those beside the one that is mounted by default. That some are left out is a gap if
/// no other state of them is looked at.
pub fn worth_a_look(
    filesystem: &dyn FileSystem,
    subvolumes: &[Subvolume],
    gaps: &mut Vec<Gap>,
) -> Vec<NodeId> {
    if subvolumes.is_empty() {
        return Vec::new();
    }
    let default = filesystem.root();
    let top = filesystem.subtree(TOP).ok().flatten();
    let likely = likely(subvolumes, default, gaps);
    top.into_iter().chain(likely).filter(|root| *root != default).collect()
}

fn likely(subvolumes: &[Subvolume], default: NodeId, gaps: &mut Vec<Gap>) -> Vec<NodeId> {
    let mut sorted: Vec<_> = subvolumes.iter().filter(|it| !is_layer(&it.path)).collect();
    sorted.sort_by_cached_key(|it| rank(it, default));
    let mut families = BTreeSet::new();
    let (first, others): (Vec<_>, Vec<_>) =
        sorted.into_iter().partition(|it| families.insert(it.family));
    if let Some(left) = first.get(MOST) {
        let detail = format!(
            "this and {} more subvolumes, over {MOST} of their own kind, were not looked at for a system",
            first.len() - MOST - 1
        );
        gaps.push(Gap::new(format!("/{}", left.path), GapReason::Limit, detail));
    }
    let others = others.into_iter().filter(|it| !it.read_only);
    first.into_iter().chain(others).take(MOST).map(|it| it.root).collect()
}

/// The least is the likeliest root of its family.
fn rank(subvolume: &Subvolume, default: NodeId) -> (u8, usize, u64) {
    let kind = match subvolume {
        it if it.root == default => 0,
        it if it.snapshot_of.is_none() => 1,
        it if !it.read_only => 2,
        _ => 3,
    };
    (kind, subvolume.path.split('/').count(), subvolume.id)
}

fn is_layer(path: &str) -> bool {
    let names: Vec<_> = path.split('/').collect();
    let below = |at: usize, layers: &[&str]| {
        // The folder that they are in may be a subvolume itself.
        names[at..].starts_with(layers) && names.len() > at + layers.len()
    };
    (0..names.len()).any(|at| LAYERS.iter().any(|layers| below(at, layers)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subvolume(id: u64, path: &str, family: u64, read_only: bool) -> Subvolume {
        Subvolume {
            id,
            path: path.to_owned(),
            root: NodeId(id),
            read_only,
            uuid: None,
            snapshot_of: (id != family).then(String::new),
            source: None,
            family,
        }
    }

    #[test]
    fn the_likeliest_of_a_family_comes_first() {
        let all = [
            subvolume(256, "@", 256, false),
            subvolume(257, "@old", 256, false),
            subvolume(300, ".snapshots/1/snapshot", 256, true),
        ];
        let ranks: Vec<_> = all.iter().map(|it| rank(it, NodeId(257))).collect();
        assert_eq!(ranks, [(1, 1, 256), (0, 1, 257), (3, 3, 300)]);
    }

    /// Of a hundred states none but the likeliest and some that can be written to; others are told.
    #[test]
    fn a_hundred_snapshots_cost_no_hundred_looks() {
        let snapshots = |read_only, family| {
            (1..=100)
                .map(move |n| subvolume(300 + n, &format!(".snapshots/{n}"), family, read_only))
        };
        let mut gaps = Vec::new();
        let mut look = |all: Vec<Subvolume>| likely(&all, NodeId(5), &mut gaps);
        let root = || [subvolume(256, "@", 256, false)].into_iter();
        assert_eq!(look(root().chain(snapshots(true, 256)).collect()), [NodeId(256)]);
        let writable = look(root().chain(snapshots(false, 256)).collect());
        assert_eq!((writable.len(), writable[0]), (MOST, NodeId(256)));
        assert_eq!(gaps, []);
        let own = (1..=100).map(|n| subvolume(300 + n, &format!("@{n}"), 300 + n, false));
        assert_eq!(likely(&own.collect::<Vec<_>>(), NodeId(5), &mut gaps).len(), MOST);
        assert!(gaps[0].detail.starts_with("this and 67 more"), "{gaps:?}");
    }

    #[test]
    fn layers_of_containers() {
        for (path, expected) in [
            ("@/var/lib/docker/btrfs/subvolumes/abcd", true),
            ("btrfs/subvolumes/abcd-init", true),
            ("var/lib/containerd/io.containerd.snapshotter.v1.btrfs/snapshots/7", true),
            ("@/var/lib/machines/debian", false),
            ("btrfs/subvolumes", false),
        ] {
            assert_eq!(is_layer(path), expected, "{path}");
        }
    }
}
