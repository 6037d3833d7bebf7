//! A tree with all that a filesystem can hold, made through the kernel.

mod attributes;
mod files;
mod folders;
mod holes;
mod special;

use crate::Abilities;
use std::path::Path;

/// Fills the filesystem that is mounted at `root` with all that it is able to hold.
pub fn fill(root: &Path, able: &Abilities) {
    files::sizes(root, able);
    files::resized(root);
    files::dates(root);
    if able.owners {
        files::owners(root);
    }
    holes::holes(root, able);
    folders::names(root, able);
    folders::folders(root, able);
    special::links(root, able);
    if able.devices {
        special::devices(root);
    }
    if let Some(limit) = able.xattrs {
        attributes::xattrs(root, limit, able);
    }
    if able.acls {
        attributes::access_lists(root);
    }
}

/// Bytes that tell where they stand, and of which file they are.
fn pattern(size: u64, of: u64) -> Vec<u8> {
    (0..size).map(|at| (at.wrapping_mul(7) ^ at >> 8 ^ of.wrapping_mul(31)) as u8).collect()
}
