//! Which kernels are installed: a modules folder or an image in `/boot` each.

use super::Tree;
use crate::model::{Gap, printable};
use std::collections::BTreeSet;

const IMAGES: [&[u8]; 2] = [b"vmlinuz-", b"vmlinux-"];

/// Versions of the installed kernels, sorted.
pub fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let mut kernels = BTreeSet::new();
    for (path, prefixes) in [("/lib/modules", [b"".as_slice(); 2]), ("/boot", IMAGES)] {
        kernels.extend(tree.list(path.as_bytes(), gaps).iter().filter_map(|entry| {
            let version = prefixes.iter().find_map(|prefix| entry.name.strip_prefix(*prefix))?;
            // A rescue image is named after the machine id, which starts with no version.
            let is_version =
                version.first().is_some_and(u8::is_ascii_digit) && version.contains(&b'.');
            is_version.then(|| printable(version))
        }));
    }
    kernels.into_iter().collect()
}
