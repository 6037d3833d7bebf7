//! Stores of containers that no engine's reader knows: where they are by themselves.
//!
//! What is in them is not the host's, so that the walk does not enter them; what of them is there, and holds
//! something, is a gap, since nothing reads it yet. Each kind is a row in [`KINDS`]. Links may lead two rows to one place,
//! which is then told once.

use crate::host::{Host, Located, PathError, Tree};
use crate::model::{Gap, GapReason};
use std::collections::HashSet;

/// A kind of store.
struct Kind {
    folders: &'static [&'static str],
    /// What it is called; none for what may not be entered and is no store.
    name: Option<&'static str>,
}

const KINDS: &[Kind] = &[
    Kind { folders: &["/var/lib/lxc"], name: Some("LXC store") },
    Kind {
        folders: &[
            "/var/lib/lxd/storage-pools",
            "/var/snap/lxd/common/lxd/storage-pools",
            "/var/lib/incus/storage-pools",
        ],
        name: Some("LXD or Incus store"),
    },
    Kind { folders: &["/var/lib/machines"], name: Some("store of systemd-nspawn") },
    Kind { folders: &["/var/lib/buildkit"], name: Some("BuildKit store") },
    Kind { folders: &["/var/lib/kubelet/pods"], name: None },
];

/// All places where such stores may be.
pub(super) fn folders() -> impl Iterator<Item = &'static str> {
    KINDS.iter().flat_map(|kind| kind.folders.iter().copied())
}

/// What of stores is there and not read, and what could not be looked at.
pub(super) fn unread(host: &Host) -> Vec<Gap> {
    let (mut gaps, mut told) = (Vec::new(), HashSet::new());
    for kind in KINDS {
        let Some(name) = kind.name else { continue };
        for folder in kind.folders {
            match held(&host.tree, folder, &mut gaps) {
                Ok(Some(at)) if told.insert(at) => {
                    let detail = format!("{name} is recognised and not read");
                    gaps.push(Gap::new(*folder, GapReason::Unsupported, detail));
                }
                Ok(_) => {}
                Err(error) => gaps.push(Gap::new(*folder, error.reason(), error)),
            }
        }
    }
    gaps
}

/// Where a store is, if it holds something. Hidden files are locks and the like.
fn held(tree: &Tree, folder: &str, gaps: &mut Vec<Gap>) -> Result<Option<Located>, PathError> {
    let Some(at) = tree.find(folder.as_bytes())? else { return Ok(None) };
    let entries = tree.list(folder.as_bytes(), gaps);
    Ok(entries.iter().any(|entry| !entry.name.starts_with(b".")).then_some(at))
}
