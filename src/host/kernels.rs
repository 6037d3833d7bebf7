//! Which kernels are installed (an image in `/boot`, or a modules folder that is whole), which of them ran last,
//! and which is started next.

mod in_use;
mod journal;
mod renewed;
mod wtmp;

pub use in_use::InUse;

use super::Tree;
use crate::model::{Gap, GapReason, printable};
use std::collections::BTreeSet;

const IMAGES: [&[u8]; 2] = [b"vmlinuz-", b"vmlinux-"];

const MODULES: &str = "/lib/modules";
/// What a folder of modules has from the build of its kernel, or as its image. What depmod and dkms write stays
/// when the kernel goes.
const PARTS: [&[u8]; 3] = [b"vmlinuz", b"modules.builtin", b"modules.order"];
/// Most folders of modules that are looked into.
const MOST_FOLDERS: usize = 100;

/// Versions of the installed kernels, sorted.
pub fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let boot = tree.list(b"/boot", gaps);
    let images = boot.iter().filter_map(|entry| {
        IMAGES.iter().find_map(|prefix| entry.name.strip_prefix(*prefix)).filter(is_version)
    });
    let mut kernels: BTreeSet<_> = images.map(printable).collect();
    let folders = tree.list(MODULES.as_bytes(), gaps).into_iter().map(|entry| entry.name);
    let is_new =
        |name: &Vec<u8>| is_version(&name.as_slice()) && !kernels.contains(&printable(name));
    let mut folders: Vec<_> = folders.filter(is_new).collect();
    if folders.len() > MOST_FOLDERS {
        let detail = format!("{} kernels; only {MOST_FOLDERS} were looked at", folders.len());
        gaps.push(Gap::new(MODULES, GapReason::Limit, detail));
        folders.truncate(MOST_FOLDERS);
    }
    folders.retain(|name| {
        let path = [MODULES.as_bytes(), b"/", name].concat();
        tree.list(&path, gaps).iter().any(|entry| PARTS.contains(&entry.name.as_slice()))
    });
    kernels.extend(folders.iter().map(|name| printable(name)));
    kernels.into_iter().collect()
}

/// A rescue image is named after the machine id, which starts with no version.
fn is_version(name: &&[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_digit) && name.contains(&b'.')
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
    fn a_folder_of_modules_is_a_kernel_with_parts_of_its_build_only() {
        let root = tempfile::tempdir().unwrap();
        for path in [
            "boot/vmlinuz-6.1.0-18-amd64",
            "boot/vmlinuz-0-rescue-6f1c",
            "lib/modules/6.1.0-18-amd64/modules.dep",
            "lib/modules/6.1.0-17-amd64/modules.dep",
            "lib/modules/6.1.0-16-amd64/updates/dkms/own.ko",
            "lib/modules/6.1.0-15-amd64/build",
            "lib/modules/5.14.0-427.el9.x86_64/vmlinuz",
            "lib/modules/6.6.30-0-lts/modules.builtin",
            "lib/modules/6.6.43-flatcar/modules.order",
        ] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let mut gaps = Vec::new();
        let found = find(&Tree::of_directory(root.path()).unwrap(), &mut gaps);
        let expected =
            ["5.14.0-427.el9.x86_64", "6.1.0-18-amd64", "6.6.30-0-lts", "6.6.43-flatcar"];
        assert_eq!((found, gaps), (expected.map(str::to_owned).to_vec(), Vec::new()));
    }

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
