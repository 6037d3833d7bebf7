//! A filesystem of a few files in memory.

use sidelight::filesystem::{
    Entry, Error, FileSystem, Identity, Kind, Listing, Metadata, NodeId,
};
use std::collections::BTreeMap;
use std::ops::Range;

/// The filesystem; its folders are those that its files need.
pub struct Memory {
    identity: Identity,
    nodes: Vec<Node>,
}

enum Node {
    Folder(BTreeMap<Vec<u8>, usize>),
    File(Vec<u8>),
}

impl Memory {
    /// A filesystem without a file.
    pub fn new(label: &str, uuid: &str) -> Self {
        let identity = Identity { label: Some(label.to_owned()), uuid: Some(uuid.to_owned()) };
        Self { identity, nodes: vec![Node::Folder(BTreeMap::new())] }
    }

    /// Puts a file where nothing else stands in its way.
    pub fn put(&mut self, path: &[u8], bytes: &[u8]) {
        let mut names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).peekable();
        let mut at = 0;
        while let Some(name) = names.next() {
            let next = self.nodes.len();
            let Node::Folder(entries) = &mut self.nodes[at] else { return };
            let known = entries.get(name).copied();
            at = *entries.entry(name.to_vec()).or_insert(next);
            let is_last = names.peek().is_none();
            match known {
                Some(known) if is_last => self.nodes[known] = Node::File(bytes.to_vec()),
                Some(_) => {}
                None if is_last => self.nodes.push(Node::File(bytes.to_vec())),
                None => self.nodes.push(Node::Folder(BTreeMap::new())),
            }
        }
    }

    fn folder(&self, node: NodeId) -> Result<&BTreeMap<Vec<u8>, usize>, Error> {
        match &self.nodes[node.0 as usize] {
            Node::Folder(entries) => Ok(entries),
            Node::File(_) => Err(Error::Corrupt { what: "no folder".to_owned() }),
        }
    }
}

impl FileSystem for Memory {
    fn kind(&self) -> &str {
        "ext4"
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn root(&self) -> NodeId {
        NodeId(0)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let (kind, size) = match &self.nodes[node.0 as usize] {
            Node::Folder(_) => (Kind::Directory, 0),
            Node::File(bytes) => (Kind::File, bytes.len() as u64),
        };
        Ok(Metadata { kind, size, mode: 0o755, uid: 0, gid: 0, modified: 0 })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let entries = self.folder(node)?.iter();
        let entries = entries.map(|(name, at)| Entry { name: name.clone(), node: NodeId(*at as u64) });
        Ok(Listing { entries: entries.collect(), damage: Vec::new() })
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        Ok(self.folder(directory)?.get(name).map(|at| NodeId(*at as u64)))
    }

    fn read_link(&self, _node: NodeId) -> Result<Vec<u8>, Error> {
        Err(Error::Corrupt { what: "no link".to_owned() })
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        let Node::File(bytes) = &self.nodes[node.0 as usize] else {
            return Err(Error::Corrupt { what: "no file".to_owned() });
        };
        let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
        let rest = rest.unwrap_or_default();
        let length = rest.len().min(out.len());
        out[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn xattr(&self, _node: NodeId, _name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(None)
    }

    fn ranges(&self, _node: NodeId, _offset: u64, _length: u64) -> Result<Vec<Range<u64>>, Error> {
        Ok(Vec::new())
    }
}
