//! Package databases and container stores that are known and not read yet.
//!
//! What of them is there, and holds something, is a gap: a report without gaps must not pass over
//! them. Each is a row in [`UNREAD`]; a row goes when its cataloger comes. Links may lead two rows
//! to one place, which is then told once.

use crate::host::{Host, Located, PathError};
use crate::model::{Gap, GapReason};
use std::collections::HashSet;

/// What a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// The packages that a system is made of.
    System,
    /// Applications beside them.
    Applications,
    /// Containers and their images.
    Containers,
}

struct Unread {
    name: &'static str,
    group: Group,
    path: &'static str,
    /// Which entries count, if the path is a folder; in a folder that a tool makes before it is
    /// first used, not all do.
    counts: fn(&[u8]) -> bool,
}

const fn row(
    name: &'static str,
    group: Group,
    path: &'static str,
    counts: fn(&[u8]) -> bool,
) -> Unread {
    Unread { name, group, path, counts }
}

const UNREAD: &[Unread] = &[
    row("apk database", Group::System, "/lib/apk/db/installed", any),
    row("pacman database", Group::System, "/var/lib/pacman/local", package_folder),
    row("snap store", Group::Applications, "/var/lib/snapd/snaps", snap),
    row("flatpak store", Group::Applications, "/var/lib/flatpak/app", any),
    row("docker store of images", Group::Containers, "/var/lib/docker/overlay2", layer),
    row("docker store of containers", Group::Containers, "/var/lib/docker/containers", any),
    row(
        "containerd store",
        Group::Containers,
        "/var/lib/containerd/io.containerd.metadata.v1.bolt",
        any,
    ),
    row("podman or CRI-O store", Group::Containers, "/var/lib/containers/storage/overlay", layer),
];

fn any(_: &[u8]) -> bool {
    true
}

/// `ALPM_DB_VERSION` stands beside the folders of packages.
fn package_folder(name: &[u8]) -> bool {
    name != b"ALPM_DB_VERSION"
}

fn snap(name: &[u8]) -> bool {
    name.ends_with(b".snap")
}

/// `l` holds short links to layers; hidden files note what the kernel can do.
fn layer(name: &[u8]) -> bool {
    name != b"l" && !name.starts_with(b".")
}

/// What was looked for.
#[derive(Debug, Default)]
pub(super) struct Recognised {
    /// What is there, and what could not be looked at.
    pub(super) gaps: Vec<Gap>,
    /// Whether a system's package database is among it.
    pub(super) system: bool,
}

/// Looks for everything in the table.
pub(super) fn find(host: &Host) -> Recognised {
    let mut recognised = Recognised::default();
    let mut told = HashSet::new();
    for unread in UNREAD {
        match held(host, unread, &mut recognised.gaps) {
            Ok(Some(at)) if told.insert(at) => {
                let detail = format!("{} is recognised and not read", unread.name);
                recognised.gaps.push(Gap::new(unread.path, GapReason::Unsupported, detail));
                recognised.system |= unread.group == Group::System;
            }
            Ok(_) => {}
            Err(error) => recognised.gaps.push(Gap::new(unread.path, error.reason(), error)),
        }
    }
    recognised
}

/// The names of the package databases of systems, each once.
pub(super) fn systems() -> Vec<&'static str> {
    let rows = UNREAD.iter().filter(|unread| unread.group == Group::System);
    let mut names: Vec<_> = rows.filter_map(|unread| unread.name.split(' ').next()).collect();
    names.dedup();
    names
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
