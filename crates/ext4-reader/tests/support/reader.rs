//! The reader, as the conformance suite sees it.

use conformance::{Answer, Metadata, Subject, Xattrs};
use ext4_reader::{Ext4, Inode, InodeNumber, Kind, Time};

/// An open filesystem.
pub struct Reader(pub Ext4);

/// Flag of a directory with an index of hashed names.
const INDEXED: u32 = 0x1000;

impl Reader {
    fn inode(&self, node: InodeNumber) -> Answer<Inode> {
        self.0.inode(node).map_err(|error| error.to_string())
    }
}

impl Subject for Reader {
    type Node = InodeNumber;

    fn root(&self) -> InodeNumber {
        self.0.root()
    }

    fn metadata(&self, node: &InodeNumber) -> Answer<Metadata> {
        let inode = self.inode(*node)?;
        Ok(Metadata {
            kind: Some(kind(inode.kind)),
            inode: Some(u64::from(inode.number.0)),
            mode: Some(u32::from(inode.mode)),
            links: Some(u64::from(inode.links)),
            uid: Some(inode.uid),
            gid: Some(inode.gid),
            size: Some(inode.size),
            device: Some(inode.device().unwrap_or_default()),
            accessed: Some(time(inode.accessed)),
            modified: Some(time(inode.modified)),
            changed: Some(time(inode.changed)),
            created: inode.created.map(time),
        })
    }

    fn list(&self, directory: &InodeNumber) -> Answer<Vec<(Vec<u8>, InodeNumber)>> {
        let listing =
            self.0.read_dir(&self.inode(*directory)?).map_err(|error| error.to_string())?;
        if let Some(reason) = listing.damage.reasons.first() {
            return Err(reason.to_string());
        }
        Ok(listing.entries.into_iter().map(|entry| (entry.name, entry.inode)).collect())
    }

    fn lookup(&self, directory: &InodeNumber, name: &[u8]) -> Answer<Option<InodeNumber>> {
        self.0.lookup(&self.inode(*directory)?, name).map_err(|error| error.to_string())
    }

    fn read(&self, file: &InodeNumber, offset: u64, out: &mut [u8]) -> Answer<usize> {
        self.0.read_at(&self.inode(*file)?, offset, out).map_err(|error| error.to_string())
    }

    fn read_link(&self, link: &InodeNumber) -> Answer<Vec<u8>> {
        self.0.read_link(&self.inode(*link)?).map_err(|error| error.to_string())
    }

    fn xattrs(&self, node: &InodeNumber) -> Answer<Xattrs> {
        let xattrs = self.0.xattrs(&self.inode(*node)?).map_err(|error| error.to_string())?;
        Ok(xattrs.into_iter().collect())
    }

    fn looks_up_fast(&self, directory: &InodeNumber) -> bool {
        self.inode(*directory).is_ok_and(|inode| inode.flags & INDEXED != 0)
    }
}

fn kind(kind: Kind) -> conformance::Kind {
    match kind {
        Kind::Fifo => conformance::Kind::Fifo,
        Kind::CharDevice => conformance::Kind::CharDevice,
        Kind::Directory => conformance::Kind::Directory,
        Kind::BlockDevice => conformance::Kind::BlockDevice,
        Kind::File => conformance::Kind::File,
        Kind::Symlink => conformance::Kind::Symlink,
        Kind::Socket => conformance::Kind::Socket,
    }
}

fn time(time: Time) -> conformance::Time {
    conformance::Time { seconds: time.seconds, nanoseconds: time.nanoseconds }
}
