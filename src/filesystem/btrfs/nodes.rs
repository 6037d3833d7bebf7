//! Nodes: inodes and directories of one subvolume's tree.

use super::pool::Pool;
use super::subvolumes::Subvolumes;
use crate::filesystem::{Entry, Error, Kind, Listing, Metadata, NodeId};
use fs_btrfs::chunk::DiskKey;
use fs_btrfs::dir::{
    DIR_INDEX_KEY, DIR_ITEM_KEY, DirEntry, XATTR_ITEM_KEY, name_hash, parse_dir_items,
};
use fs_btrfs::inode::{FileType, INODE_ITEM_KEY, INODE_REF_KEY, Inode};
use fs_btrfs::xattr::parse_xattr_items;

/// Longest target of a link.
pub const LONGEST_LINK: usize = 4096;
const LONGEST_NAME: usize = 255;
/// Bits of a node that are the inode number; the rest are the subvolume.
const INODE_BITS: u32 = 44;
/// The inode number of the empty folder where a subvolume would be.
const STUB: u64 = 2;
/// Entries of one directory that are kept.
const MOST_ENTRIES: usize = 4_000_000;

/// A node: an inode of a subvolume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Index of the subvolume.
    pub tree: usize,
    /// Inode number.
    pub inode: u64,
}

impl Place {
    /// The place that a node names.
    pub fn of(node: NodeId) -> Self {
        let tree = usize::try_from(node.0 >> INODE_BITS).unwrap_or(usize::MAX);
        Self { tree, inode: node.0 & ((1 << INODE_BITS) - 1) }
    }

    /// The empty folder in place of a subvolume.
    pub fn stub(tree: usize) -> Self {
        Self { tree, inode: STUB }
    }

    /// Whether this is the empty folder in place of a subvolume.
    pub fn is_stub(self) -> bool {
        self.inode == STUB
    }

    /// Its node. Numbers from entries are checked by [`checked`] before.
    pub fn node(self) -> NodeId {
        NodeId((self.tree as u64) << INODE_BITS | self.inode & ((1 << INODE_BITS) - 1))
    }
}

fn checked(tree: usize, inode: u64) -> Result<NodeId, Error> {
    if inode >> INODE_BITS != 0 || inode == STUB {
        return Err(Error::Corrupt { what: format!("inode number {inode}") });
    }
    Ok(Place { tree, inode }.node())
}

/// The inode of a number.
pub fn inode(pool: &Pool, root: u64, number: u64) -> Result<Inode, Error> {
    let key = DiskKey { objectid: number, key_type: INODE_ITEM_KEY, offset: 0 };
    let item = pool.with_tree(|tree| tree.search(root, &key))?;
    let item = item.ok_or_else(|| Error::Corrupt { what: format!("no inode {number}") })?;
    Ok(Inode::parse(&item.data, number)?)
}

/// Major and minor number of a device node, as the kernel has them in one number.
pub fn device_number(inode: &Inode) -> Option<(u32, u32)> {
    let kind = FileType::from_mode(inode.mode)?;
    let is_device = matches!(kind, FileType::CharDevice | FileType::BlockDevice);
    is_device.then_some(((inode.rdev >> 20) as u32 & 0xfff, inode.rdev as u32 & 0xf_ffff))
}

/// What is known of an inode.
pub fn metadata(inode: &Inode) -> Metadata {
    Metadata {
        kind: FileType::from_mode(inode.mode).map_or(Kind::Other, kind),
        size: inode.size,
        mode: (inode.mode & 0o7777) as u16,
        uid: inode.uid,
        gid: inode.gid,
        modified: inode.mtime.sec,
    }
}

fn kind(kind: FileType) -> Kind {
    match kind {
        FileType::Regular => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink,
        _ => Kind::Other,
    }
}

/// The empty folder in place of a subvolume.
pub fn stub() -> Metadata {
    Metadata { kind: Kind::Directory, size: 0, mode: 0o755, uid: 0, gid: 0, modified: 0 }
}

/// An error unless the inode is a directory.
pub fn must_be_directory(inode: &Inode) -> Result<(), Error> {
    if inode.is_dir() {
        return Ok(());
    }
    Err(Error::Corrupt { what: format!("inode {} is no directory", inode.ino) })
}

/// Entries by their index, which has each of them once.
pub fn read_dir(pool: &Pool, subvolumes: &Subvolumes, place: Place) -> Listing {
    let mut listing = Listing::default();
    let start = DiskKey { objectid: place.inode, key_type: DIR_INDEX_KEY, offset: 0 };
    let walked = pool.with_tree(|tree| {
        tree.for_each_from(subvolumes.trees[place.tree].root, &start, &mut |key, data| {
            let inside = key.objectid == place.inode && key.key_type == DIR_INDEX_KEY;
            if !inside || listing.entries.len() >= MOST_ENTRIES {
                return Ok(false);
            }
            match parse_dir_items(data) {
                Ok(entries) => {
                    for entry in entries {
                        let node = named(&entry).and_then(|()| target(subvolumes, place, &entry));
                        match node {
                            Ok(node) => {
                                let kind = entry.ftype.map(kind).filter(|_| entry.is_inode());
                                listing.entries.push(Entry { name: entry.name, node, kind });
                            }
                            Err(error) => listing.damage.push(error),
                        }
                    }
                }
                Err(error) => listing.damage.push(error.into()),
            }
            Ok(true)
        })
    });
    listing.damage.extend(walked.err());
    if listing.entries.len() >= MOST_ENTRIES {
        let what = format!("more than {MOST_ENTRIES} entries in inode {}", place.inode);
        listing.damage.push(Error::Corrupt { what });
    }
    listing
}

/// An error for a name that no path can have in it.
fn named(entry: &DirEntry) -> Result<(), Error> {
    let name = entry.name.as_slice();
    let is_odd = matches!(name, b"" | b"." | b"..") || name.len() > LONGEST_NAME;
    if is_odd || name.contains(&b'/') || name.contains(&0) {
        return Err(Error::Corrupt { what: format!("name of inode {}", entry.ino) });
    }
    Ok(())
}

/// What an entry leads to: an inode of the same tree, or a subvolume.
fn target(subvolumes: &Subvolumes, place: Place, entry: &DirEntry) -> Result<NodeId, Error> {
    if entry.is_inode() {
        return checked(place.tree, entry.ino);
    }
    Ok(subvolumes.behind(place, &entry.name, entry.ino))
}

/// The entry of a name, by the hash of the name.
pub fn lookup(
    pool: &Pool,
    subvolumes: &Subvolumes,
    place: Place,
    name: &[u8],
) -> Result<Option<NodeId>, Error> {
    let key = DiskKey { objectid: place.inode, key_type: DIR_ITEM_KEY, offset: name_hash(name) };
    let item = pool.with_tree(|tree| tree.search(subvolumes.trees[place.tree].root, &key))?;
    let Some(item) = item else { return Ok(None) };
    let entries = parse_dir_items(&item.data)?;
    let entry = entries.iter().find(|entry| entry.name == name);
    entry.map(|entry| target(subvolumes, place, entry)).transpose()
}

/// An extended attribute, by the hash of its name.
pub fn xattr(pool: &Pool, root: u64, inode: u64, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let key = DiskKey { objectid: inode, key_type: XATTR_ITEM_KEY, offset: name_hash(name) };
    let Some(item) = pool.with_tree(|tree| tree.search(root, &key))? else { return Ok(None) };
    let mut attributes = parse_xattr_items(&item.data)?.into_iter();
    Ok(attributes.find(|it| it.name == name).map(|it| it.value))
}

/// Names from a folder up to, without it, the root of its tree; as far as they can be read.
pub fn names_above(pool: &Pool, root: u64, mut folder: u64, top: u64) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    while folder != top && names.len() < 128 {
        let start = DiskKey { objectid: folder, key_type: INODE_REF_KEY, offset: 0 };
        let mut found = None;
        let _ = pool.with_tree(|tree| {
            tree.for_each_from(root, &start, &mut |key, data| {
                if key.objectid == folder && key.key_type == INODE_REF_KEY {
                    found = reference_name(data).map(|name| (key.offset, name));
                }
                Ok(false)
            })
        });
        let Some((above, name)) = found else { break };
        names.push(name);
        folder = above;
    }
    names
}

/// The name in a back reference: index, length, name.
fn reference_name(data: &[u8]) -> Option<Vec<u8>> {
    let length = u16::from_le_bytes(data.get(8..10)?.try_into().expect("two bytes"));
    Some(data.get(10..10 + usize::from(length))?.to_vec())
}
