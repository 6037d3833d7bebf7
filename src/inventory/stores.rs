//! Stores of containers: where engines have them by themselves, and where their configuration moved them.
//!
//! What is in them is not the host's, so that the walk does not enter them; what of them is there, and holds
//! something, is a gap, since nothing reads it yet. Each kind is a row in [`KINDS`], of which the folder stays when
//! its cataloger comes and the parts go. Links may lead two rows to one place, which is then told once.

use crate::host::{Host, Located, PathError, Tree};
use crate::model::{Gap, GapReason, printable};
use std::collections::HashSet;

/// Bytes of a configuration.
const MOST: u64 = 1 << 20;

/// A part of a store: its name, where it is below the store's folder, and which entries count.
type Part = (&'static str, &'static str, fn(&[u8]) -> bool);

/// A kind of store.
struct Kind {
    folders: &'static [&'static str],
    /// What holds containers or their images.
    parts: &'static [Part],
    /// Files that may name another folder, and what reads it out of one's text.
    moved_by: &'static [&'static str],
    moved_to: fn(&str) -> Result<Option<String>, String>,
}

const KINDS: &[Kind] = &[
    Kind {
        folders: &["/var/lib/docker", "/var/snap/docker/common/var-lib-docker"],
        parts: &[
            ("docker store of images", "/overlay2", layer),
            ("docker store of containers", "/containers", any),
        ],
        moved_by: &["/etc/docker/daemon.json", "/var/snap/docker/current/config/daemon.json"],
        moved_to: of_docker,
    },
    Kind {
        folders: &[
            "/var/lib/containerd",
            "/var/lib/rancher/k3s/agent/containerd",
            "/var/lib/rancher/rke2/agent/containerd",
        ],
        parts: &[("containerd store", "/io.containerd.metadata.v1.bolt", any)],
        moved_by: &["/etc/containerd/config.toml"],
        moved_to: |text| of_toml(text, &["root"]),
    },
    Kind {
        folders: &["/var/lib/containers/storage"],
        parts: &[("podman or CRI-O store", "/overlay", layer)],
        moved_by: &["/etc/containers/storage.conf"],
        moved_to: |text| of_toml(text, &["storage", "graphroot"]),
    },
    Kind { folders: &["/var/lib/lxc"], parts: &[("LXC store", "", shown)], ..NOWHERE_ELSE },
    Kind {
        folders: &[
            "/var/lib/lxd/storage-pools",
            "/var/snap/lxd/common/lxd/storage-pools",
            "/var/lib/incus/storage-pools",
        ],
        parts: &[("LXD or Incus store", "", shown)],
        ..NOWHERE_ELSE
    },
    Kind {
        folders: &["/var/lib/machines"],
        parts: &[("store of systemd-nspawn", "", shown)],
        ..NOWHERE_ELSE
    },
    Kind {
        folders: &["/var/lib/buildkit"],
        parts: &[("BuildKit store", "", shown)],
        ..NOWHERE_ELSE
    },
    Kind { folders: &["/var/lib/kubelet/pods"], ..NOWHERE_ELSE },
];

const NOWHERE_ELSE: Kind = Kind { folders: &[], parts: &[], moved_by: &[], moved_to: |_| Ok(None) };

fn any(_: &[u8]) -> bool {
    true
}

/// Hidden files are locks and the like.
fn shown(name: &[u8]) -> bool {
    !name.starts_with(b".")
}

/// `l` holds short links to layers; hidden files note what the kernel can do.
fn layer(name: &[u8]) -> bool {
    name != b"l" && shown(name)
}

fn of_docker(text: &str) -> Result<Option<String>, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|it| it.to_string())?;
    // Its name before Docker 17.05 comes last.
    let folder = ["data-root", "graph"].iter().find_map(|key| value.get(key)?.as_str());
    Ok(folder.map(str::to_owned))
}

fn of_toml(text: &str, keys: &[&str]) -> Result<Option<String>, String> {
    let table: toml::Table = text.parse().map_err(|it: toml::de::Error| it.message().to_owned())?;
    let (first, rest) = keys.split_first().ok_or("no key")?;
    let value = rest.iter().try_fold(table.get(*first), |value, key| Some(value?.get(key)));
    Ok(value.flatten().and_then(toml::Value::as_str).map(str::to_owned))
}

/// A store, which may not be there.
pub(super) struct Store {
    kind: &'static Kind,
    folder: String,
}

impl Store {
    /// Its folder.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }
}

/// All places where stores may be. A configuration that cannot be read is a gap.
pub(super) fn all(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<Store> {
    let mut stores = Vec::new();
    for kind in KINDS {
        let own = kind.folders.iter().map(|folder| (*folder).to_owned());
        let moved = kind.moved_by.iter().filter_map(|path| moved_to(tree, kind, path, gaps));
        let folders: Vec<String> = own.chain(moved).collect();
        stores.extend(folders.into_iter().map(|folder| Store { kind, folder }));
    }
    stores
}

/// The folder that a configuration names; all of the host is none.
fn moved_to(tree: &Tree, kind: &Kind, path: &str, gaps: &mut Vec<Gap>) -> Option<String> {
    let bytes = tree.read(path.as_bytes(), MOST).unwrap_or_else(|error| {
        gaps.push(Gap::new(path, error.reason(), error));
        None
    })?;
    let folder = (kind.moved_to)(&String::from_utf8_lossy(&bytes)).unwrap_or_else(|error| {
        let detail = format!("where it has containers is not known: {error}");
        gaps.push(Gap::new(path, GapReason::Corrupt, detail));
        None
    })?;
    let folder = folder.trim_end_matches('/');
    (folder.starts_with('/') && folder.len() <= 4096).then(|| folder.to_owned())
}

/// What of stores is there and not read, and what could not be looked at.
pub(super) fn unread(host: &Host) -> Vec<Gap> {
    let (mut gaps, mut told) = (Vec::new(), HashSet::new());
    for store in all(&host.tree, &mut gaps) {
        for (name, part, counts) in store.kind.parts {
            let path = format!("{}{part}", store.folder);
            match held(host, path.as_bytes(), *counts, &mut gaps) {
                Ok(Some(at)) if told.insert(at) => {
                    let detail = format!("{name} is recognised and not read");
                    let place = printable(path.as_bytes());
                    gaps.push(Gap::new(place, GapReason::Unsupported, detail));
                }
                Ok(_) => {}
                Err(error) => {
                    gaps.push(Gap::new(printable(path.as_bytes()), error.reason(), error));
                }
            }
        }
    }
    gaps
}

/// Where a part is, if it holds something.
fn held(
    host: &Host,
    path: &[u8],
    counts: fn(&[u8]) -> bool,
    gaps: &mut Vec<Gap>,
) -> Result<Option<Located>, PathError> {
    let Some(at) = host.tree.find(path)? else { return Ok(None) };
    let holds = match host.tree.open(path)? {
        Some(file) => file.size() > 0,
        None => host.tree.list(path, gaps).iter().any(|entry| counts(&entry.name)),
    };
    Ok(holds.then_some(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn configurations_name_folders() {
        let folder = |text| of_toml(text, &["storage", "graphroot"]);
        assert_eq!(folder("[storage]\ngraphroot = '/a'\n"), Ok(Some("/a".to_owned())));
        assert_eq!(folder("storage = 1\n"), Ok(None));
        assert_eq!(folder("[storage]\n"), Ok(None));
        assert!(folder("[storage").is_err());
        assert_eq!(of_toml("root = \"/b\"\n", &["root"]), Ok(Some("/b".to_owned())));
        assert_eq!(of_docker(r#"{"data-root":"/c","graph":"/d"}"#), Ok(Some("/c".to_owned())));
        assert_eq!(of_docker(r#"{"graph":"/d"}"#), Ok(Some("/d".to_owned())));
        assert_eq!(of_docker("[]"), Ok(None));
        assert!(of_docker("{").is_err());
    }

    #[test]
    fn a_root_that_is_everything_or_no_path_is_none() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/docker")).unwrap();
        let tree = Tree::of_directory(root.path()).unwrap();
        for (text, moved, problems) in [
            (r#"{"data-root":"/"}"#, None, 0),
            (r#"{"data-root":"x"}"#, None, 0),
            (r#"{"data-root":"/mnt/d/"}"#, Some("/mnt/d"), 0),
            ("{", None, 1),
        ] {
            fs::write(root.path().join("etc/docker/daemon.json"), text).unwrap();
            let mut gaps = Vec::new();
            let stores = all(&tree, &mut gaps);
            let known = |it: &&Store| !it.kind.folders.contains(&it.folder());
            assert_eq!(stores.iter().find(known).map(Store::folder), moved, "{text}");
            assert_eq!(gaps.len(), problems, "{text}");
        }
    }
}
