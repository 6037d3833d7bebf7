//! A tar archive as a filesystem: one pass over its headers makes the tree, and bytes are read where they lie.
//!
//! ustar with pax's attributes, GNU tar's long names and both's sparse files. Of members of one name the last
//! counts, names are taken from the archive's top, and what leads out of it is lost, which
//! [`FileSystem::warnings`] tell.

mod attributes;
mod header;
mod index;
mod nodes;

use super::{Entry, Error, FileSystem, Identity, Listing, Metadata, NodeId};
use crate::block::{BlockSource, ReadError};
use crate::model::GapReason;
use header::{BLOCK, Header};
use index::Index;
use nodes::{Body, Node, Pieces};
use std::ops::Range;
use std::sync::Arc;

/// The filesystem.
pub struct Tar {
    archive: Arc<dyn BlockSource>,
    index: Index,
}

impl Tar {
    /// Most nodes of one archive.
    pub const MOST: usize = 4 << 20;

    /// Whether the bytes begin as an archive does; one without members is told by its zeroes.
    pub fn claims(archive: &dyn BlockSource) -> Result<bool, ReadError> {
        let mut block = [0; BLOCK as usize];
        if archive.size() < BLOCK {
            return Ok(archive.size() == 0);
        }
        archive.read_exact_at(0, &mut block)?;
        Ok(Header::checked(&block).is_some() || block.iter().all(|byte| *byte == 0))
    }

    /// Reads an archive's headers, for at most so many nodes.
    pub fn open(archive: Arc<dyn BlockSource>, most: usize) -> Self {
        let index = Index::of(&*archive, most.min(Self::MOST));
        Self { archive, index }
    }

    /// How many nodes there are.
    pub fn count(&self) -> usize {
        self.index.nodes.all.len()
    }

    fn node(&self, node: NodeId) -> Result<&Node, Error> {
        let found = self.index.nodes.get(node.0);
        found.ok_or_else(|| Error::Corrupt { what: format!("no node {}", node.0) })
    }

    fn read_pieces(&self, pieces: &Pieces, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        out.fill(0);
        let end = offset + out.len() as u64;
        let first = pieces.all.partition_point(|(start, length, _)| start + length <= offset);
        for (start, length, at) in &pieces.all[first..] {
            if *start >= end {
                break;
            }
            let (from, to) = (offset.max(*start), end.min(start + length));
            let target = &mut out[(from - offset) as usize..(to - offset) as usize];
            self.archive.read_exact_at(at + (from - start), target)?;
        }
        Ok(())
    }
}

impl FileSystem for Tar {
    fn kind(&self) -> &'static str {
        "tar"
    }

    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn warnings(&self) -> Vec<(GapReason, String)> {
        self.index.warnings.clone()
    }

    fn root(&self) -> NodeId {
        NodeId(0)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let Node { body, mode, uid, gid, modified } = self.node(node)?;
        let size = match body {
            Body::File { length, .. } => *length,
            Body::Sparse(pieces) => pieces.size,
            Body::Link(target) => target.len() as u64,
            _ => 0,
        };
        let (mode, uid, gid, modified) = (*mode, *uid, *gid, *modified);
        Ok(Metadata { kind: body.kind(), size, mode, uid, gid, modified })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let Body::Folder(names) = &self.node(node)?.body else {
            return Err(Error::Corrupt { what: "not a folder".to_owned() });
        };
        let entry = |name: &[u8], child: u32| Entry {
            name: name.to_vec(),
            node: NodeId(u64::from(child)),
            kind: self.index.nodes.get(u64::from(child)).map(|it| it.body.kind()),
        };
        let entries = names.iter().map(|(name, child)| entry(name, *child)).collect();
        Ok(Listing { entries, damage: Vec::new() })
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let Body::Folder(names) = &self.node(directory)?.body else { return Ok(None) };
        Ok(names.get(name).map(|child| NodeId(u64::from(*child))))
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        match &self.node(node)?.body {
            Body::Link(target) => Ok(target.to_vec()),
            _ => Err(Error::Corrupt { what: "not a link".to_owned() }),
        }
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        let node = self.node(node)?;
        let size = match &node.body {
            Body::File { length, .. } => *length,
            Body::Sparse(pieces) => pieces.size,
            _ => return Err(Error::Unsupported { feature: "reading what is no file".to_owned() }),
        };
        let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = out.len().min(left);
        let out = &mut out[..length];
        match &node.body {
            _ if out.is_empty() => {}
            Body::File { at, .. } => {
                let at = at.checked_add(offset);
                let at = at.ok_or_else(|| Error::Corrupt { what: "no such place".to_owned() })?;
                self.archive.read_exact_at(at, out)?;
            }
            Body::Sparse(pieces) => self.read_pieces(pieces, offset, out)?,
            _ => {}
        }
        Ok(length)
    }

    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let of_node = u32::try_from(node.0).ok().and_then(|node| self.index.xattrs.get(&node));
        let found = of_node.into_iter().flatten().find(|(it, _)| it == name);
        Ok(found.map(|(_, value)| value.clone()))
    }

    fn device_number(&self, node: NodeId) -> Result<Option<(u32, u32)>, Error> {
        Ok(match self.node(node)?.body {
            Body::Device(major, minor) => Some((major, minor)),
            _ => None,
        })
    }

    /// Where a file's bytes lie, so that many are read in the order of the archive.
    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        let found = self.node(node)?;
        let Body::File { at, length: whole } = found.body else { return Ok(Vec::new()) };
        let end = at.saturating_add(whole.min(offset.saturating_add(length)));
        let start = at.saturating_add(offset);
        Ok(if start < end { std::iter::once(start..end).collect() } else { Vec::new() })
    }
}

#[cfg(test)]
mod tests;
