//! A store: a folder of the host below which no link is followed, so that what an engine's files name stays in it.

use super::Found;
use crate::filesystem::Marks;
use crate::host::{Entry, Kind, Located, PathError, PositionedFile, Tree};
use crate::model::{Gap, GapReason, printable};
use serde::de::DeserializeOwned;

/// Bytes of a file of JSON.
const MOST: u64 = 64 << 20;

/// A folder of a container's filesystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its path on the host.
    pub path: Vec<u8>,
    /// Where it is.
    pub at: Located,
}

/// A store.
#[derive(Clone)]
pub struct Store<'a> {
    tree: &'a Tree,
    /// Its folder, without links.
    root: Vec<u8>,
}

impl<'a> Store<'a> {
    /// The store in a folder, to which links may lead; none if there is no such folder.
    pub fn open(tree: &'a Tree, folder: &[u8]) -> Result<Option<Self>, PathError> {
        let Some(root) = tree.real_path(folder)? else { return Ok(None) };
        Ok(tree.is_folder(&root)?.then_some(Self { tree, root }))
    }

    /// Its folder, without links.
    pub fn root(&self) -> &[u8] {
        &self.root
    }

    /// The store's folder as reports name it.
    pub fn name(&self) -> String {
        printable(&self.root)
    }

    /// Which marks its overlays have: root's own, unless an engine that a user runs made it. Where Docker maps
    /// users, the store has their numbers for a name, and is mounted by root all the same.
    pub fn marks(&self) -> Marks {
        let at = self.tree.find(&self.root).ok().flatten();
        let owner = at.and_then(|at| self.tree.metadata(at).ok()).map_or(0, |it| it.uid);
        let name = self.root.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let is_mapped =
            name.contains(&b'.') && name.iter().all(|it| it.is_ascii_digit() || *it == b'.');
        if owner == 0 || is_mapped { Marks::Root } else { Marks::User }
    }

    /// The tree that it is in.
    pub fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// Path on the host of what is at `path` below the store's folder.
    pub fn path(&self, path: &str) -> Vec<u8> {
        match path.trim_matches('/') {
            "" => self.root.clone(),
            path => [&self.root, b"/".as_slice(), path.as_bytes()].concat(),
        }
    }

    /// The same, printable.
    pub fn place(&self, path: &str) -> String {
        printable(&self.path(path))
    }

    /// What is at a path below the store, without following a link: one on the way is an error.
    pub fn find(&self, path: &str) -> Result<Option<Located>, Gap> {
        let whole = self.path(path);
        let fail = |error: PathError| Gap::new(printable(&whole), error.reason(), error);
        if path.split('/').any(|name| name == "..") {
            let detail = "a path that leads out of the store";
            return Err(Gap::new(printable(&whole), GapReason::Corrupt, detail));
        }
        match self.tree.real_path(&whole).map_err(fail)? {
            None => Ok(None),
            Some(real) if real == whole => self.tree.find(&whole).map_err(fail),
            Some(_) => {
                let detail = "a link in a store, which is not followed";
                Err(Gap::new(printable(&whole), GapReason::Corrupt, detail))
            }
        }
    }

    /// A file's bytes; none if there is no such file.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Gap> {
        if self.find(path)?.is_none() {
            return Ok(None);
        }
        let whole = self.path(path);
        let read = self.tree.read(&whole, MOST);
        read.map_err(|error| Gap::new(printable(&whole), error.reason(), error))
    }

    /// A file's text without the white space around it; none if there is no such file, or nothing in it.
    pub fn text(&self, path: &str) -> Result<Option<String>, Gap> {
        let bytes = self.read(path)?;
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A file of JSON; none if there is no such file.
    pub fn json<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Gap> {
        let Some(bytes) = self.read(path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Gap::new(
                self.place(path),
                GapReason::Corrupt,
                format!("not the JSON that it should be: {error}"),
            )
        })
    }

    /// A file for positioned reads; none if there is no such file.
    pub fn positioned(&self, path: &str) -> Result<Option<PositionedFile>, Gap> {
        if self.find(path)?.is_none() {
            return Ok(None);
        }
        let whole = self.path(path);
        let opened = self.tree.open_positioned(&whole);
        opened.map_err(|error| Gap::new(printable(&whole), error.reason(), error))
    }

    /// The names in a folder, sorted; those that are no plain text are gaps.
    pub fn names(&self, path: &str, gaps: &mut Vec<Gap>) -> Vec<String> {
        match self.find(path) {
            Ok(Some(_)) => {}
            Ok(None) => return Vec::new(),
            Err(gap) => {
                gaps.push(gap);
                return Vec::new();
            }
        }
        let entries: Vec<Entry> = self.tree.list(&self.path(path), gaps);
        let mut names = Vec::new();
        for entry in entries {
            match String::from_utf8(entry.name) {
                Ok(name) => names.push(name),
                Err(error) => {
                    let place = format!("{}/{}", self.place(path), printable(error.as_bytes()));
                    let detail = "a name in a store that is no text";
                    gaps.push(Gap::new(place, GapReason::Corrupt, detail));
                }
            }
        }
        names
    }

    /// A folder of a container's files, which must be there.
    pub fn layer(&self, path: &str) -> Result<Layer, Gap> {
        let whole = self.path(path);
        let found = self.find(path)?;
        let at = found.ok_or_else(|| {
            Gap::new(printable(&whole), GapReason::Missing, "a layer of a container is not there")
        })?;
        let metadata = self.tree.metadata(at).map_err(|source| {
            let error = Tree::error(&whole, source);
            Gap::new(printable(&whole), error.reason(), error)
        })?;
        if metadata.kind != Kind::Directory {
            return Err(Gap::new(
                printable(&whole),
                GapReason::Corrupt,
                "a layer that is no folder",
            ));
        }
        Ok(Layer { path: whole, at })
    }

    /// Where a link in the store leads, as text; none if there is nothing or no link.
    pub fn link(&self, path: &str) -> Result<Option<String>, Gap> {
        let whole = self.path(path);
        let target = self.tree.link_target(&whole);
        let target = target.map_err(|error| Gap::new(printable(&whole), error.reason(), error))?;
        Ok(target.and_then(|target| String::from_utf8(target).ok()))
    }
}

/// Where engines have files of containers in their stores.
const FILES: &[&str] = &[
    "overlay2",
    "fuse-overlayfs",
    "vfs/dir",
    "btrfs/subvolumes",
    "overlay",
    "io.containerd.snapshotter.v1.overlayfs/snapshots",
    "io.containerd.snapshotter.v1.native/snapshots",
];

/// Tells of a store that has layers and of which nothing was found: its records are lost.
pub fn unrecorded(store: &Store, found: &mut Found) {
    let name = store.name();
    let is_known = found.containers.iter().any(|it| it.context.store == name)
        || found.images.iter().any(|it| it.store == name);
    if is_known {
        return;
    }
    for folder in FILES {
        // `l` holds short links to layers; hidden files note what the kernel can do.
        let is_layer = |name: &String| name != "l" && !name.starts_with('.');
        if store.names(folder, &mut found.gaps).iter().any(is_layer) {
            let detail = "layers of containers of which no record was read, so that they were not read either";
            found.gaps.push(Gap::new(store.place(folder), GapReason::Missing, detail));
        }
    }
}

/// Whether a text may be the name of a file in a store: an id or a digest, never a path.
pub fn is_plain(name: &str) -> bool {
    let takes = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-+".contains(&byte);
    !name.is_empty() && name.len() <= 255 && !name.starts_with('.') && name.bytes().all(takes)
}
