//! Container stores that are known and not read yet.
//!
//! What of them is there, and holds something, is a gap: a report without gaps must not pass over
//! them. Each is a row in [`UNREAD`]; a row goes when its cataloger comes. Links may lead two rows
//! to one place, which is then told once.

use crate::host::{Host, Located, PathError};
use crate::model::{Gap, GapReason};
use std::collections::HashSet;

struct Unread {
    name: &'static str,
    path: &'static str,
    /// Which entries count, if the path is a folder; in a folder that a tool makes before it is
    /// first used, not all do.
    counts: fn(&[u8]) -> bool,
}

const fn row(name: &'static str, path: &'static str, counts: fn(&[u8]) -> bool) -> Unread {
    Unread { name, path, counts }
}

const UNREAD: &[Unread] = &[
    row("docker store of images", "/var/lib/docker/overlay2", layer),
    row("docker store of containers", "/var/lib/docker/containers", any),
    row("containerd store", "/var/lib/containerd/io.containerd.metadata.v1.bolt", any),
    row("podman or CRI-O store", "/var/lib/containers/storage/overlay", layer),
];

fn any(_: &[u8]) -> bool {
    true
}

/// `l` holds short links to layers; hidden files note what the kernel can do.
fn layer(name: &[u8]) -> bool {
    name != b"l" && !name.starts_with(b".")
}

/// Looks for everything in the table: what is there, and what could not be looked at.
pub(super) fn find(host: &Host) -> Vec<Gap> {
    let (mut gaps, mut told) = (Vec::new(), HashSet::new());
    for unread in UNREAD {
        match held(host, unread, &mut gaps) {
            Ok(Some(at)) if told.insert(at) => {
                let detail = format!("{} is recognised and not read", unread.name);
                gaps.push(Gap::new(unread.path, GapReason::Unsupported, detail));
            }
            Ok(_) => {}
            Err(error) => gaps.push(Gap::new(unread.path, error.reason(), error)),
        }
    }
    gaps
}

/// Where it is, if it holds something.
fn held(host: &Host, unread: &Unread, gaps: &mut Vec<Gap>) -> Result<Option<Located>, PathError> {
    let path = unread.path.as_bytes();
    let Some(at) = host.tree.find(path)? else { return Ok(None) };
    let holds = match host.tree.open(path)? {
        Some(file) => file.size() > 0,
        None => host.tree.list(path, gaps).iter().any(|entry| (unread.counts)(&entry.name)),
    };
    Ok(holds.then_some(at))
}
