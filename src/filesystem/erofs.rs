//! EROFS, through the crate `erofs-rs`: plain and inline data, chunks, lz4, lzma, deflate and zstd
//! with all of their indexes, fragments, shared attributes and long prefixes.
//!
//! The crate's asynchronous half takes positioned reads; ours never wait, so its futures end at the
//! first poll. It opens directories by their path only, so their bytes are read as a file's through
//! [`image::Image`] and taken apart in `directory.rs`. What it could loop or panic on is bounded or
//! caught here. Refused: images over several devices, and directories in a metabox.

mod directory;
mod image;
mod runs;

use super::{
    Entry, Error, FileSystem, FileSystemFormat, Identity, Kind, Listing, Metadata, NodeId, adapted,
};
use crate::block::{BlockSource, Device, ReadError};
use crate::model::GapReason;
use erofs_rs::r#async::EroFS;
use erofs_rs::types::Inode;
use image::{Image, now};
use runs::Runs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

const SUPERBLOCK: u64 = 1024;
const MAGIC: [u8; 4] = [0xe2, 0xe1, 0xf5, 0xe0];
/// Longest target of a link.
const LONGEST_LINK: u64 = 4096;

/// The format.
pub struct Erofs;

impl FileSystemFormat for Erofs {
    fn name(&self) -> &'static str {
        "erofs"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        Ok(device.source.size() >= SUPERBLOCK + 128
            && device.read_up_to(SUPERBLOCK, MAGIC.len())? == MAGIC)
    }

    fn open(&self, devices: &[Device]) -> Result<Box<dyn FileSystem>, Error> {
        let device = adapted::only(devices, "erofs")?;
        let source = device.source.clone();
        refuse_more_devices(device)?;
        let image = now(|| EroFS::new(Image::new(source.clone())))?;
        Ok(Box::new(Adapter { image, source, runs: Runs::default() }))
    }
}

/// Says which further devices are wanted: their data are not in this image.
fn refuse_more_devices(device: &Device) -> Result<(), Error> {
    let bytes = device.read_up_to(SUPERBLOCK, 128)?;
    let number = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let (features, extra) = (number(80), number(86));
    // Without the feature the field is not a number of devices.
    if bytes.len() == 128 && features & 0x8 != 0 && extra > 0 {
        let feature = format!("erofs with data on {extra} more devices or in blobs");
        return Err(Error::Unsupported { feature });
    }
    Ok(())
}

struct Adapter {
    image: EroFS<Image>,
    source: Arc<dyn BlockSource>,
    runs: Runs,
}

impl Adapter {
    fn inode(&self, node: NodeId) -> Result<Inode, Error> {
        now(|| self.image.get_inode(node.0))
    }
}

impl FileSystem for Adapter {
    fn kind(&self) -> &'static str {
        "erofs"
    }

    fn identity(&self) -> Identity {
        let superblock = self.image.super_block();
        let label = superblock.volume_name.split(|byte| *byte == 0).next().unwrap_or_default();
        adapted::identity(label, &superblock.uuid)
    }

    fn warnings(&self) -> Vec<(GapReason, String)> {
        let superblock = self.image.super_block();
        let size = superblock.block_count().saturating_mul(1 << superblock.blk_size_bits.min(16));
        adapted::missing(size.saturating_sub(self.source.size())).into_iter().collect()
    }

    fn root(&self) -> NodeId {
        NodeId(self.image.super_block().root_inode_id())
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let inode = self.inode(node)?;
        Ok(Metadata {
            kind: match () {
                () if inode.is_file() => Kind::File,
                () if inode.is_dir() => Kind::Directory,
                () if inode.is_symlink() => Kind::Symlink,
                () => Kind::Other,
            },
            size: if inode.device().is_some() { 0 } else { inode.data_size() },
            mode: (inode.permissions().mode() & 0o7777) as u16,
            uid: inode.uid(),
            gid: inode.gid(),
            modified: inode.modified_unix().0,
        })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let inode = self.inode(node)?;
        Ok(directory::Directory::open(&self.image, &self.source, inode)?.list())
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let inode = self.inode(directory)?;
        directory::Directory::open(&self.image, &self.source, inode)?.lookup(name)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        let inode = self.inode(node)?;
        if inode.data_size() > LONGEST_LINK {
            let what = format!("link of {} bytes, inode {}", inode.data_size(), node.0);
            return Err(Error::Corrupt { what });
        }
        Ok(now(|| self.image.read_link_inode(inode))?.into_vec())
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        self.runs.read_at(&self.image, self.inode(node)?, offset, out)
    }

    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let inode = self.inode(node)?;
        if inode.xattr_size() == 0 {
            return Ok(None);
        }
        let all = now(|| self.image.xattrs_inode(inode))?;
        Ok(all.get(name).cloned())
    }

    fn device_number(&self, node: NodeId) -> Result<Option<(u32, u32)>, Error> {
        Ok(self.inode(node)?.device())
    }

    /// The crate does not tell where data are; what is read comes through the block cache anyway.
    fn ranges(&self, _node: NodeId, _offset: u64, _length: u64) -> Result<Vec<Range<u64>>, Error> {
        Ok(Vec::new())
    }
}
