//! `subvol=` and `subvolid=`, as in fstab and in `rootflags=` of the boot command line.

use super::subvolumes::{Subvolumes, TOP};
use crate::filesystem::{Error, FileSystem, NodeId};
use std::io;

/// The subvolume that these options mount; `None` if they name none.
pub fn mounted(
    filesystem: &dyn FileSystem,
    subvolumes: &Subvolumes,
    options: &str,
) -> Result<Option<NodeId>, Error> {
    let (mut path, mut id) = (None, None);
    // Of an option given twice the last counts.
    for option in options.split(',') {
        match option.trim().split_once('=') {
            Some(("subvol", value)) => path = Some(value),
            Some(("subvolid", value)) => id = Some(value),
            _ => {}
        }
    }
    // With both the kernel wants them to agree; the path is what survives a rollback.
    match (path, id) {
        (Some(path), _) => by_path(filesystem, subvolumes, path).map(Some),
        (None, Some(id)) => by_id(subvolumes, id).map(Some),
        (None, None) => Ok(None),
    }
}

fn by_path(
    filesystem: &dyn FileSystem,
    subvolumes: &Subvolumes,
    path: &str,
) -> Result<NodeId, Error> {
    let top = subvolumes.find(TOP).ok_or_else(|| missing(path))?;
    let mut node = subvolumes.root(top);
    for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
        node = filesystem.lookup(node, name.as_bytes())?.ok_or_else(|| missing(path))?;
    }
    if subvolumes.is_root(node) { Ok(node) } else { Err(missing(path)) }
}

fn by_id(subvolumes: &Subvolumes, id: &str) -> Result<NodeId, Error> {
    let digits = id.strip_prefix("0x");
    let number = digits.map_or_else(|| id.parse(), |digits| u64::from_str_radix(digits, 16));
    // Zero is the top.
    let number = number.map(|number| if number == 0 { TOP } else { number });
    let index = number.ok().and_then(|number| subvolumes.find(number));
    index.map(|index| subvolumes.root(index)).ok_or_else(|| missing(id))
}

fn missing(which: &str) -> Error {
    let text = format!("the filesystem has no subvolume {which}");
    Error::Host(io::Error::new(io::ErrorKind::NotFound, text))
}
