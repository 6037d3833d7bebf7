//! A reader, as the comparison sees it.

use crate::{Kind, Time};
use std::collections::BTreeMap;

/// What a reader answers; a text if it could not. Damage that a reader tells beside an answer
/// belongs here as an error: nothing in the tree is damaged.
pub type Answer<T> = Result<T, String>;

/// Extended attributes by their whole names, such as `security.capability`.
pub type Xattrs = BTreeMap<Vec<u8>, Vec<u8>>;

/// A filesystem that a reader opened.
pub trait Subject {
    /// How the reader names a file; equal for the same file.
    type Node: Clone + PartialEq + std::fmt::Debug;

    /// The root directory.
    fn root(&self) -> Self::Node;

    /// What is known of a file without its content.
    fn metadata(&self, node: &Self::Node) -> Answer<Metadata>;

    /// Names and files of a directory, without `.` and `..`.
    fn list(&self, directory: &Self::Node) -> Answer<Vec<(Vec<u8>, Self::Node)>>;

    /// The file that a directory gives a name to.
    fn lookup(&self, directory: &Self::Node, name: &[u8]) -> Answer<Option<Self::Node>>;

    /// Fills `out` from `offset`; fewer bytes only where the file ends.
    fn read(&self, file: &Self::Node, offset: u64, out: &mut [u8]) -> Answer<usize>;

    /// Target of a symbolic link.
    fn read_link(&self, link: &Self::Node) -> Answer<Vec<u8>>;

    /// All extended attributes.
    fn xattrs(&self, node: &Self::Node) -> Answer<Xattrs>;

    /// Whether a lookup in this directory reads little of it. If not, only some of the names of a
    /// large directory are looked up.
    fn looks_up_fast(&self, _directory: &Self::Node) -> bool {
        true
    }
}

/// Metadata of a file. What is `None` is not compared: only for what the format does not keep or
/// the reader does not tell.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// Kind.
    pub kind: Option<Kind>,
    /// Inode number.
    pub inode: Option<u64>,
    /// Permission bits with set-id and sticky.
    pub mode: Option<u32>,
    /// Hard links.
    pub links: Option<u64>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Major and minor number of a device node; zeroes for other kinds.
    pub device: Option<(u32, u32)>,
    /// Last access.
    pub accessed: Option<Time>,
    /// Last change of the data.
    pub modified: Option<Time>,
    /// Last change of the inode.
    pub changed: Option<Time>,
    /// Creation.
    pub created: Option<Time>,
}
