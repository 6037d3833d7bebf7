//! An adapter, as the conformance suite sees it.

use conformance::{Answer, Metadata, Row, Subject, Time, Tree, Xattrs, compare, report};
use sidelight::block::{BlockSource, Device, FileSource};
use sidelight::filesystem::{Claim, FORMATS, FileSystem, Kind, NodeId, claimed};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// An open filesystem, seen from one of its directories.
pub struct Reader {
    pub filesystem: Box<dyn FileSystem>,
    pub root: NodeId,
    /// Whether the format keeps times that the witness knows.
    pub times: bool,
    /// Whether it keeps owners and permissions.
    pub owners: bool,
    /// Names of attributes that are asked for: the trait has no list of them.
    names: BTreeSet<Vec<u8>>,
}

/// Opens images that are one filesystem by the format that claims them, which must be one alone.
pub fn open(format: &str, images: &[&Path]) -> Reader {
    let source = |image: &&Path| -> Arc<dyn BlockSource> {
        Arc::new(
            FileSource::open(image).unwrap_or_else(|error| panic!("{}: {error}", image.display())),
        )
    };
    open_source(format, &images.iter().map(source).collect::<Vec<_>>())
}

/// As [`open`], of any sources.
pub fn open_source(format: &str, sources: &[Arc<dyn BlockSource>]) -> Reader {
    let device = |source: &Arc<dyn BlockSource>| Device::new("disk", source.clone());
    let devices: Vec<_> = sources.iter().map(device).collect();
    let claims = FORMATS.iter().filter(|it| it.claims(&devices[0]).unwrap());
    assert!(claims.map(|it| it.name()).all(|name| name == format));
    let Some(Claim::Format(claimant)) = claimed(&devices[0]).unwrap() else {
        panic!("no format claims the image of {format}")
    };
    assert_eq!(claimant.name(), format);
    let filesystem = claimant.open(&devices).unwrap_or_else(|error| panic!("{error}"));
    let root = filesystem.root();
    Reader { filesystem, root, times: true, owners: true, names: BTreeSet::new() }
}

/// Holds an open filesystem against a tree, and reports the row.
pub fn same(features: &str, witness: &str, mut tree: Tree, mut reader: Reader) -> Reader {
    for node in tree.nodes.values_mut() {
        // The trait has seconds.
        node.modified.nanoseconds = 0;
        reader.names.extend(node.xattrs.keys().cloned());
    }
    let differences = compare(&tree, &reader);
    let format = reader.filesystem.kind();
    let entries = tree.nodes.len();
    report(&Row { format, features, witness, entries, differences: &differences });
    let text: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{format} {features}\n{}", text.join("\n"));
    reader
}

impl Reader {
    /// The node of a path from the root, by lookups.
    pub fn find(&self, path: &str) -> Option<NodeId> {
        let names = path.split('/').filter(|name| !name.is_empty());
        names.into_iter().try_fold(self.root, |node, name| {
            self.filesystem.lookup(node, name.as_bytes()).unwrap()
        })
    }

    /// The whole content of a file.
    pub fn content(&self, path: &str) -> Vec<u8> {
        let node = self.find(path).unwrap_or_else(|| panic!("no {path}"));
        let size = self.filesystem.metadata(node).unwrap().size;
        let mut bytes = vec![0xaa; size as usize];
        assert_eq!(self.filesystem.read_at(node, 0, &mut bytes).unwrap(), bytes.len());
        bytes
    }

    /// Names in a directory, sorted.
    pub fn names(&self, path: &str) -> Vec<String> {
        let listing = self.filesystem.read_dir(self.find(path).unwrap()).unwrap();
        assert!(listing.damage.is_empty(), "{:?}", listing.damage);
        let text = |entry: &sidelight::filesystem::Entry| {
            String::from_utf8_lossy(&entry.name).into_owned()
        };
        let mut names: Vec<_> = listing.entries.iter().map(text).collect();
        names.sort();
        names
    }
}

impl Subject for Reader {
    type Node = NodeId;

    fn root(&self) -> NodeId {
        self.root
    }

    fn metadata(&self, node: &NodeId) -> Answer<Metadata> {
        let found = self.filesystem.metadata(*node).map_err(|error| error.to_string())?;
        let kind = match found.kind {
            Kind::File => Some(conformance::Kind::File),
            Kind::Directory => Some(conformance::Kind::Directory),
            Kind::Symlink => Some(conformance::Kind::Symlink),
            Kind::Other => None,
        };
        let is_sized = self.owners || kind != Some(conformance::Kind::Directory);
        Ok(Metadata {
            kind,
            mode: self.owners.then_some(u32::from(found.mode)),
            uid: self.owners.then_some(found.uid),
            gid: self.owners.then_some(found.gid),
            size: is_sized.then_some(found.size),
            modified: self.times.then_some(Time { seconds: found.modified, nanoseconds: 0 }),
            ..Metadata::default()
        })
    }

    fn list(&self, directory: &NodeId) -> Answer<Vec<(Vec<u8>, NodeId)>> {
        let listing = self.filesystem.read_dir(*directory).map_err(|error| error.to_string())?;
        if let Some(damage) = listing.damage.first() {
            return Err(damage.to_string());
        }
        Ok(listing.entries.into_iter().map(|entry| (entry.name, entry.node)).collect())
    }

    fn lookup(&self, directory: &NodeId, name: &[u8]) -> Answer<Option<NodeId>> {
        self.filesystem.lookup(*directory, name).map_err(|error| error.to_string())
    }

    fn read(&self, file: &NodeId, offset: u64, out: &mut [u8]) -> Answer<usize> {
        self.filesystem.read_at(*file, offset, out).map_err(|error| error.to_string())
    }

    fn read_link(&self, link: &NodeId) -> Answer<Vec<u8>> {
        self.filesystem.read_link(*link).map_err(|error| error.to_string())
    }

    fn xattrs(&self, node: &NodeId) -> Answer<Xattrs> {
        // Of the many alike names one tells whether the others may be there.
        let is_rare = |name: &[u8]| name.starts_with(b"user.many-") && name != b"user.many-1";
        let mut found = Xattrs::new();
        let few = self.names.iter().filter(|name| !is_rare(name));
        let mut take = |name: &Vec<u8>| -> Answer<()> {
            let value = self.filesystem.xattr(*node, name).map_err(|error| error.to_string())?;
            found.extend(value.map(|value| (name.clone(), value)));
            Ok(())
        };
        few.into_iter().try_for_each(&mut take)?;
        if found.contains_key(&b"user.many-1"[..]) {
            let rest = self.names.iter().filter(|name| is_rare(name));
            for name in rest {
                let value = self.filesystem.xattr(*node, name).map_err(|it| it.to_string())?;
                found.extend(value.map(|value| (name.clone(), value)));
            }
        }
        Ok(found)
    }

    fn looks_up_fast(&self, _directory: &NodeId) -> bool {
        self.owners
    }
}
