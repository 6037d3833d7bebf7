//! Which kernels are installed (a modules folder or an image in `/boot` each), which of them ran last, and
//! which is started next.

mod in_use;
mod journal;
mod wtmp;

pub use in_use::InUse;

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

/// A start of the machine that a record tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Start {
    /// Release of the kernel, if the record tells it.
    kernel: Option<String>,
    /// When, in seconds since 1970.
    second: u64,
    /// Id of the boot, where the record has one.
    boot: [u8; 16],
    /// The file that tells.
    place: String,
}

impl Start {
    /// What is told, for people.
    fn told(&self) -> String {
        let second = i64::try_from(self.second).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_second(second) {
            Ok(at) => format!("{}: started at {at}", self.place),
            Err(_) => format!("{}: started at a time that no calendar has", self.place),
        }
    }
}

/// The version in the name of a kernel's file.
fn version(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let version = match IMAGES.iter().find_map(|prefix| name.as_bytes().strip_prefix(*prefix)) {
        Some(version) => printable(version),
        // The Boot Loader Specification has them in a folder of that name.
        None => path.rsplit('/').nth(1).filter(|_| name == "linux").map(str::to_owned)?,
    };
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_files_of_kernels() {
        for (path, expected) in [
            ("/boot/vmlinuz-6.1.0-18-amd64", Some("6.1.0-18-amd64")),
            ("/vmlinuz-5.14.0-427.el9.x86_64", Some("5.14.0-427.el9.x86_64")),
            ("/6f1c/6.8.4-arch1-1/linux", Some("6.8.4-arch1-1")),
            ("/vmlinuz", None),
            ("/boot/vmlinuz-linux", None),
            ("", None),
        ] {
            assert_eq!(version(path).as_deref(), expected, "{path}");
        }
    }
}
