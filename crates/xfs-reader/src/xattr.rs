//! Extended attributes: in the inode, in a block, or in a tree of blocks by hash.
//! "XFS Algorithms & Data Structures", "Extended Attributes".
//!
//! Told as `listxattr` and `getxattr` tell them to root: access lists under their own names and
//! as they are stored. Left out are the names of parents, which the kernel keeps to itself, and
//! attributes that were not completed.

use crate::fork::{Fork, Form};
use crate::xattr_leaf::{Stored, Value};
use crate::{Error, Inode, Xfs, acl};
use std::collections::HashSet;

/// The kernel stores values of at most 64 KiB.
pub const MOST_VALUE: u32 = 1 << 16;
/// Bytes of all names and values of one inode.
const MOST_BYTES: usize = 16 << 20;
/// Blocks of one inode's tree.
const MOST_BLOCKS: usize = 4096;

const ACCESS_LIST: &[u8] = b"system.posix_acl_access";
const DEFAULT_LIST: &[u8] = b"system.posix_acl_default";
/// Lists, as they are stored and as they are told.
const LISTS: [(&[u8], &[u8]); 2] =
    [(b"trusted.SGI_ACL_FILE", ACCESS_LIST), (b"trusted.SGI_ACL_DEFAULT", DEFAULT_LIST)];

/// An extended attribute: whole name and value.
pub type Xattr = (Vec<u8>, Vec<u8>);

impl Xfs {
    /// An attribute by its whole name, such as `security.capability`.
    pub fn xattr(&self, inode: &Inode, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let list = LISTS.iter().find(|(_, given)| *given == name);
        let stored_name = list.map_or(name, |(stored, _)| *stored);
        let stored = self.stored(inode)?;
        let Some(found) = stored.iter().find(|it| it.name == stored_name) else {
            return Ok(None);
        };
        let value = self.value(inode, found)?;
        if list.is_some() { given(inode, &value).map(Some) } else { Ok(Some(value)) }
    }

    /// All attributes, in the order in which they are stored.
    pub fn xattrs(&self, inode: &Inode) -> Result<Vec<Xattr>, Error> {
        let mut attributes = Vec::new();
        let mut bytes = 0_usize;
        for stored in self.stored(inode)? {
            let value = self.value(inode, &stored)?;
            bytes = bytes.saturating_add(value.len());
            if bytes > MOST_BYTES {
                return Err(too_many(MOST_BYTES, "bytes"));
            }
            if let Some((_, name)) = LISTS.iter().find(|(name, _)| *name == stored.name) {
                attributes.push((name.to_vec(), given(inode, &value)?));
            }
            attributes.push((stored.name, value));
        }
        Ok(attributes)
    }

    fn stored(&self, inode: &Inode) -> Result<Vec<Stored>, Error> {
        let Some(fork) = &inode.attributes else { return Ok(Vec::new()) };
        match fork.form {
            Form::Local => crate::xattr_leaf::short_form(&fork.bytes, inode),
            // What is left when the last attribute of a tree was removed.
            Form::Extents if fork.extents == 0 => Ok(Vec::new()),
            Form::Extents | Form::Tree => self.stored_in_blocks(inode, fork),
            _ => Err(corrupt(inode)),
        }
    }

    /// The attributes of all leaves, whose order is that of the hashes of the names.
    fn stored_in_blocks(&self, inode: &Inode, fork: &Fork) -> Result<Vec<Stored>, Error> {
        let (mut stored, mut bytes) = (Vec::new(), 0);
        let mut seen = HashSet::new();
        let mut todo = vec![(0_u32, None)];
        while let Some((number, above)) = todo.pop() {
            if !seen.insert(number) {
                return Err(corrupt(inode));
            }
            let size = self.superblock.block_size;
            let block = self.index_block(inode, fork, u64::from(number), size)?;
            if block.is_node() {
                let node = block.node(self.index_header(), inode)?;
                if above.is_some_and(|level| node.level + 1 != level) {
                    return Err(corrupt(inode));
                }
                let children = node.children.iter().rev();
                todo.extend(children.map(|child| (child.1, Some(node.level))));
            } else if above.is_none_or(|level| level == 1) {
                let found = block.attributes(inode)?;
                bytes += found.iter().map(Stored::bytes).sum::<usize>();
                stored.extend(found);
            } else {
                return Err(corrupt(inode));
            }
            if seen.len() > MOST_BLOCKS || bytes > MOST_BYTES {
                return Err(too_many(MOST_BYTES, "bytes"));
            }
        }
        Ok(stored)
    }

    fn value(&self, inode: &Inode, stored: &Stored) -> Result<Vec<u8>, Error> {
        match stored.value {
            Value::Here(ref bytes) => Ok(bytes.clone()),
            Value::Remote { block, length } => self.remote_value(inode, block, length),
        }
    }
}

fn given(inode: &Inode, stored: &[u8]) -> Result<Vec<u8>, Error> {
    acl::as_given(stored).ok_or_else(|| corrupt(inode))
}

fn too_many(most: usize, what: &str) -> Error {
    Error::unsupported(format!("extended attributes of more than {most} {what}"))
}

fn corrupt(inode: &Inode) -> Error {
    Error::corrupt("extended attributes of inode", inode.number.0)
}
