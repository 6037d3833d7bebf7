//! A second engine for nodes that `ext4-reader` cannot read: the crate `ext4-view`.
//!
//! It knows paths only, so the way to each node is kept as it is looked up. It is opened anew for
//! each call, since it cannot leave its thread, and reads within a budget, since a crafted
//! filesystem could keep it busy for hours. What it cannot do ends as the first engine's error.

use crate::block::BlockSource;
use crate::filesystem::{Entry, Error, Kind, Metadata, NodeId};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Numbers above those of inodes: nodes that only this engine knows.
const FIRST_OWN: u64 = 1 << 32;
/// The ways to so many nodes are kept.
const MOST_NODES: usize = 1 << 20;
/// Reads of up to 32 KiB that one call may make.
const MOST_READS: u32 = 20_000;
/// It finds its place in a file by counting blocks from the start.
const MOST_OFFSET: u64 = 256 << 20;
const MOST_DEPTH: usize = 256;

/// The engine, and the way to each node that was looked up.
pub struct Second {
    device: Arc<dyn BlockSource>,
    ways: Mutex<Ways>,
}

#[derive(Default)]
struct Ways {
    parents: HashMap<NodeId, (NodeId, Vec<u8>)>,
    own: HashMap<(NodeId, Vec<u8>), NodeId>,
}

impl Second {
    /// An engine over the device of the filesystem.
    pub fn new(device: Arc<dyn BlockSource>) -> Self {
        Self { device, ways: Mutex::default() }
    }

    /// Notes that `parent` gives `node` this name.
    pub fn note(&self, parent: NodeId, name: &[u8], node: NodeId) {
        let mut ways = self.lock();
        if ways.parents.len() < MOST_NODES {
            ways.parents.entry(node).or_insert_with(|| (parent, name.to_vec()));
        }
    }

    /// Whether only this engine knows the node.
    pub fn owns(node: NodeId) -> bool {
        node.0 >= FIRST_OWN
    }

    pub fn metadata(&self, node: NodeId) -> Option<Metadata> {
        self.with(node, |view, path| {
            let found = view.symlink_metadata(path)?;
            let kind = match found.file_type() {
                kind if kind.is_regular_file() => Kind::File,
                kind if kind.is_dir() => Kind::Directory,
                kind if kind.is_symlink() => Kind::Symlink,
                _ => Kind::Other,
            };
            Ok(Metadata {
                kind,
                size: found.len(),
                mode: found.mode() & 0o7777,
                uid: found.uid(),
                gid: found.gid(),
                modified: found.modified().seconds(),
            })
        })
    }

    pub fn read_link(&self, node: NodeId) -> Option<Vec<u8>> {
        self.with(node, |view, path| Ok(view.read_link(path)?.as_ref().to_vec()))
    }

    /// Names of a directory, each with a node that only this engine knows.
    pub fn read_dir(&self, node: NodeId) -> Option<Vec<Entry>> {
        let names = self.with(node, |view, path| {
            let mut names: Vec<Vec<u8>> = Vec::new();
            for entry in view.read_dir(path)? {
                names.push(entry?.file_name().as_ref().to_vec());
            }
            names.retain(|name| name != b"." && name != b"..");
            Ok(names)
        })?;
        let entry = |name: Vec<u8>| Entry { node: self.own(node, &name), name, kind: None };
        Some(names.into_iter().map(entry).collect())
    }

    #[expect(clippy::option_option, reason = "no answer, no such name, or its node")]
    pub fn lookup(&self, directory: NodeId, name: &[u8]) -> Option<Option<NodeId>> {
        let there = self.with(directory, |view, path| {
            match view.symlink_metadata(path.join(name).as_path()) {
                Err(ext4_view::Ext4Error::NotFound) => Ok(false),
                other => other.map(|_| true),
            }
        })?;
        Some(there.then(|| self.own(directory, name)))
    }

    pub fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Option<usize> {
        if offset > MOST_OFFSET {
            return None;
        }
        self.with(node, |view, path| {
            let mut file = view.open(path)?;
            file.seek_to(offset)?;
            let mut done = 0;
            while done < out.len() {
                match file.read_bytes(&mut out[done..])? {
                    0 => break,
                    more => done += more,
                }
            }
            Ok(done)
        })
    }

    /// A node of this engine's own, the same each time.
    fn own(&self, parent: NodeId, name: &[u8]) -> NodeId {
        let mut ways = self.lock();
        let next = NodeId(FIRST_OWN + ways.own.len() as u64);
        let node = *ways.own.entry((parent, name.to_vec())).or_insert(next);
        ways.parents.entry(node).or_insert_with(|| (parent, name.to_vec()));
        node
    }

    /// Runs `work` on the node's path; `None` if the way to it is not known or the work fails.
    fn with<T>(
        &self,
        node: NodeId,
        work: impl FnOnce(&ext4_view::Ext4, ext4_view::Path) -> Result<T, ext4_view::Ext4Error>,
    ) -> Option<T> {
        let path = self.path(node)?;
        let path = ext4_view::Path::try_from(path.as_slice()).ok()?;
        let reader = Budget { device: self.device.clone(), reads: MOST_READS };
        // A panic of a crate that is not ours must not end the scan of the other files.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let view = ext4_view::Ext4::load(Box::new(reader))?;
            work(&view, path)
        }));
        outcome.ok()?.ok()
    }

    fn path(&self, node: NodeId) -> Option<Vec<u8>> {
        let ways = self.lock();
        let (mut names, mut at) = (Vec::new(), node);
        while at != super::ROOT {
            let (parent, name) = ways.parents.get(&at)?;
            names.push(name.as_slice());
            at = *parent;
            if names.len() > MOST_DEPTH {
                return None;
            }
        }
        let mut path = b"/".to_vec();
        path.extend(names.into_iter().rev().collect::<Vec<_>>().join(&b'/'));
        Some(path)
    }

    fn lock(&self) -> MutexGuard<'_, Ways> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another engine may do better: the bytes came, and the first could not make sense of them.
pub fn may_help(error: &Error) -> bool {
    matches!(error, Error::Corrupt { .. } | Error::Unsupported { .. })
}

/// Reads of the device until the budget is used up.
struct Budget {
    device: Arc<dyn BlockSource>,
    reads: u32,
}

impl ext4_view::Ext4Read for Budget {
    fn read(
        &mut self,
        start: u64,
        out: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.reads = self.reads.checked_sub(1).ok_or("too many reads")?;
        Ok(self.device.read_exact_at(start, out)?)
    }
}
