//! Looks at all that a filesystem shows through Sidelight's own adapter.

use sidelight::block::{BlockSource, Device};
use sidelight::filesystem::{Error, FORMATS, FileSystem, Kind, NodeId, recognise};
use std::collections::BTreeSet;
use std::sync::Arc;

const MOST_NODES: usize = 120;
const MOST_ENTRIES: usize = 40;

/// Opens a device as `format` and looks at everything.
pub fn look(format: &str, source: Arc<dyn BlockSource>) {
    let device = Device::new("disk", source);
    let _ = recognise(&device);
    let format = FORMATS.iter().find(|it| it.name() == format).expect("a format that is read");
    let _ = format.claims(&device);
    let Ok(filesystem) = format.open(std::slice::from_ref(&device)) else { return };
    let _ = (filesystem.kind(), filesystem.identity(), filesystem.warnings());
    for options in ["subvolid=256", "rw,subvol=/@"] {
        let _ = filesystem.subtree(options);
    }
    let mut todo: Vec<_> = filesystem.subvolumes().iter().map(|it| it.root).take(20).collect();
    todo.push(filesystem.root());
    let mut seen = BTreeSet::new();
    while let Some(node) = todo.pop() {
        if seen.len() > MOST_NODES || !seen.insert(node) {
            continue;
        }
        if let Ok(below) = visit(&*filesystem, node) {
            todo.extend(below);
        }
    }
}

fn visit(filesystem: &dyn FileSystem, node: NodeId) -> Result<Vec<NodeId>, Error> {
    let found = filesystem.metadata(node)?;
    let _ = (filesystem.xattr(node, b"security.capability"), filesystem.xattr(node, b"user.name"));
    match found.kind {
        Kind::Directory => list(filesystem, node),
        Kind::File => {
            read(filesystem, node, found.size);
            Ok(Vec::new())
        }
        Kind::Symlink => {
            let target = filesystem.read_link(node)?;
            assert!(target.len() <= 1 << 16);
            Ok(Vec::new())
        }
        Kind::Other => Ok(Vec::new()),
    }
}

fn read(filesystem: &dyn FileSystem, node: NodeId, size: u64) {
    let mut bytes = vec![0; 70_000];
    for offset in [0, size / 2 + 1, size.saturating_sub(5000), u64::MAX - 7] {
        let read = filesystem.read_at(node, offset, &mut bytes);
        assert!(read.is_err() || read.unwrap() as u64 <= size.saturating_sub(offset));
    }
    let _ = filesystem.read_ahead(node, size);
    let _ = filesystem.ranges(node, 0, size.min(1 << 30));
}

/// The nodes that a folder names.
fn list(filesystem: &dyn FileSystem, node: NodeId) -> Result<Vec<NodeId>, Error> {
    let _ = filesystem.lookup(node, b"no such name");
    let listing = filesystem.read_dir(node)?;
    for entry in &listing.entries {
        let name = entry.name.as_slice();
        assert!(!matches!(name, b"" | b"." | b".."), "{name:?}");
        assert!(!name.contains(&b'/') && !name.contains(&0), "{name:?}");
    }
    for entry in listing.entries.iter().take(MOST_ENTRIES) {
        let _ = filesystem.lookup(node, &entry.name);
    }
    Ok(listing.entries.iter().take(MOST_ENTRIES).map(|entry| entry.node).collect())
}
