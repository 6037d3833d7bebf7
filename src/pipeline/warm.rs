//! Asks for the blocks of well-known paths as soon as a filesystem is found.
//!
//! A path is a chain of blocks, each of which says where the next one is. What joins the host,
//! tells its identity and lists its packages would follow these chains one after the other; here
//! each is followed at once, in a thread of its own, and the cache hands the blocks to whoever
//! asks second. Nothing is decided here, and what fails fails again for its reader.

use crate::host::{self, Found, Tree};
use crate::inventory;

/// On disks with more filesystems the later ones are read without this.
const MOST_FILESYSTEMS: usize = 8;

/// Starts to follow the well-known paths of each filesystem, and does not wait.
pub fn start(found: &[Found]) {
    let filesystems = found.iter().filter_map(|found| found.filesystem.as_ref());
    for filesystem in filesystems.take(MOST_FILESYSTEMS) {
        for path in host::paths().chain(inventory::paths()) {
            let tree = Tree::new(filesystem.clone());
            std::thread::spawn(move || tree.read_ahead(path.as_bytes()));
        }
    }
}
