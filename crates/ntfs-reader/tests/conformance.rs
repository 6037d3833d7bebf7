//! Trees that ntfs-3g wrote, read by the reader and by ntfs-3g: all that `statx`, `readlink`,
//! `read`, `listxattr` and `getxattr` tell must be the same. Needs root and FUSE.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "it/reader.rs"]
mod reader;

use conformance::{Abilities, Case, XattrRoom, run};
use reader::{Reader, can_mount};

/// What ntfs-3g can hold: names are text, and streams are attributes. It keeps no unwritten
/// clusters, and owners only by a map that the machine has to have.
fn abilities(block: u64, entries: usize) -> Abilities {
    // Holes are read through FUSE byte by byte: six gigabytes of them once, and compressed ones.
    let holes = entries > 10_000;
    Abilities {
        block,
        holes,
        owners: false,
        xattrs: Some(XattrRoom { value: 65_536, total: 1 << 20, count: 500, privileged: false }),
        acls: false,
        raw_names: false,
        unwritten: false,
        large_folders: [if entries > 10_000 { 12_000 } else { 1_000 }, entries],
        ..Abilities::default()
    }
}

fn check(features: &str, options: &[&str], mount: &str, abilities: Abilities) {
    if !can_mount() {
        return;
    }
    let mkfs = [&["mkntfs", "-q", "-F", "-f"], options].concat();
    let entries = abilities.large_folders.iter().sum::<usize>();
    let mount = &format!("loop,{mount}");
    let case = Case { format: "ntfs", features, mkfs: &mkfs, mount, megabytes: 768, abilities };
    let open = |image: &std::path::Path| Reader { ntfs: reader::open(image), folds_case: false };
    let outcome = run(&case, open);
    assert!(outcome.tree.nodes.len() > entries);
}

/// A test for each kind of volume: options of mkntfs, of ntfs-3g, what it can hold.
macro_rules! cases {
    ($($name:ident: [$($option:literal),*], $mount:literal, $abilities:expr;)*) => {
        $(#[test] fn $name() { check(stringify!($name), &[$($option),*], $mount, $abilities); })*
    };
}

/// Interix keeps pipes and sockets as empty files, which they are to Windows, and this reader.
fn of_interix() -> Abilities {
    Abilities { devices: false, longest_link: 255, ..abilities(4096, 3_000) }
}

fn of_compression() -> Abilities {
    Abilities { holes: true, ..abilities(65_536, 3_000) }
}

cases! {
    clusters_of_4k: [], "special_files=wsl", abilities(4096, 40_000);
    clusters_of_512: ["-c", "512"], "special_files=wsl", abilities(512, 3_000);
    clusters_of_64k: ["-c", "65536"], "special_files=wsl", abilities(65_536, 3_000);
    clusters_of_2m: ["-c", "2097152"], "special_files=wsl", abilities(4096, 3_000);
    sectors_of_4k: ["-s", "4096", "-c", "4096"], "special_files=wsl", abilities(4096, 6_000);
    compressed: ["-C"], "special_files=wsl,compression", of_compression();
    interix: [], "special_files=interix", of_interix();
}
