//! An empty folder that is on no disk: what systemd makes to mount something in it.

use super::{Error, FileSystem, Identity, Kind, Listing, Metadata, NodeId};
use std::ops::Range;

/// The filesystem, which is the folder.
pub struct MadeFolder;

impl FileSystem for MadeFolder {
    fn kind(&self) -> &'static str {
        "none"
    }

    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn root(&self) -> NodeId {
        NodeId(0)
    }

    fn metadata(&self, _node: NodeId) -> Result<Metadata, Error> {
        Ok(Metadata { kind: Kind::Directory, size: 0, mode: 0o755, uid: 0, gid: 0, modified: 0 })
    }

    fn read_dir(&self, _node: NodeId) -> Result<Listing, Error> {
        Ok(Listing::default())
    }

    fn lookup(&self, _directory: NodeId, _name: &[u8]) -> Result<Option<NodeId>, Error> {
        Ok(None)
    }

    fn read_link(&self, _node: NodeId) -> Result<Vec<u8>, Error> {
        Err(Error::Corrupt { what: "a folder that was made is no link".to_owned() })
    }

    fn read_at(&self, _node: NodeId, _offset: u64, _out: &mut [u8]) -> Result<usize, Error> {
        Ok(0)
    }

    fn xattr(&self, _node: NodeId, _name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(None)
    }

    fn ranges(&self, _node: NodeId, _offset: u64, _length: u64) -> Result<Vec<Range<u64>>, Error> {
        Ok(Vec::new())
    }
}
