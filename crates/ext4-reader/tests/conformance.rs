//! Trees that the kernel wrote, read by the reader and by the kernel: all that `statx`,
//! `readlink`, `read`, `listxattr` and `getxattr` tell must be the same. Needs root.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/reader.rs"]
mod reader;
#[path = "support/second_witness.rs"]
mod second_witness;

use conformance::{
    Abilities, Case, Mounted, Row, XattrRoom, can_mount, compare, fill, mkfs, report, run, witness,
    workplace,
};
use ext4_reader::Ext4;
use reader::Reader;
use std::path::Path;
use std::sync::Arc;

/// What the options of mke2fs change in what can be held.
#[derive(Clone, Copy)]
enum Able {
    /// Extents, blocks of 4 KiB.
    All,
    /// Smaller blocks: links and attributes must fit in one.
    Blocks(u64),
    /// Block maps: nothing can be unwritten.
    Maps(u64),
    /// Attributes in inodes of their own.
    LargeXattrs,
}

/// Entries of the largest folder, and whether `ext4-view` reads the filesystem.
#[derive(Clone, Copy)]
struct Wanted {
    entries: usize,
    seen_by_view: bool,
}

const LARGE: Wanted = Wanted { entries: 40_000, seen_by_view: true };
const SMALL: Wanted = Wanted { entries: 6_000, seen_by_view: true };
const LARGE_UNSEEN: Wanted = Wanted { seen_by_view: false, ..LARGE };
const SMALL_UNSEEN: Wanted = Wanted { seen_by_view: false, ..SMALL };

impl Able {
    fn abilities(self, entries: usize) -> Abilities {
        let all = Abilities { large_folders: [12_000, entries], ..Abilities::default() };
        let (Self::Blocks(block) | Self::Maps(block)) = self else {
            let large = XattrRoom { value: 60_001, total: 1 << 17, count: 56, privileged: true };
            let xattrs = if matches!(self, Self::LargeXattrs) { Some(large) } else { all.xattrs };
            return Abilities { xattrs, ..all };
        };
        let (fits, unwritten) = (block as usize - 1, !matches!(self, Self::Maps(_)));
        let (value, total) = (fits * 7 / 10, fits * 8 / 10);
        let xattrs = Some(XattrRoom { value, total, count: 56, privileged: true });
        Abilities { block, longest_link: fits, unwritten, xattrs, ..all }
    }
}

fn check(features: &str, options: &[&str], able: Able, wanted: Wanted) {
    if !can_mount() {
        return;
    }
    let mkfs = [&["mke2fs", "-q", "-F", "-N", "65536"], options].concat();
    // Only with bigalloc a group is so large that fewer could not hold as many inodes.
    let megabytes = if options.contains(&"bigalloc") { 5120 } else { 768 };
    let abilities = able.abilities(wanted.entries);
    // Linux 6.18 may wait for itself forever when it orders data of files that outgrow their inode.
    let inline = options.iter().any(|option| option.contains("inline_data"));
    let mount = if inline { "loop,data=writeback" } else { "loop" };
    let case = Case { format: "ext4", features, mkfs: &mkfs, mount, megabytes, abilities };
    let outcome = run(&case, open);
    assert!(outcome.tree.nodes.len() > 12_000 + wanted.entries);
    assert_eq!(second_witness::agrees(&outcome.image, &outcome.subject.0), wanted.seen_by_view);
}

/// Without `CONFIG_QUOTA` a kernel mounts these read-only: mke2fs fills the filesystem, and the
/// kernel says what is in it.
#[test]
fn quota_project() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (root, image) = (work.path().join("root"), work.path().join("image"));
    std::fs::create_dir(&root).unwrap();
    // mke2fs adds names one after the other, which takes long in large folders.
    fill(&root, &Abilities { large_folders: [3000, 600], ..Abilities::default() });
    let options = ["-q", "-F", "-t", "ext4", "-N", "65536", "-O", "quota,project", "-d"];
    let made = [&["mke2fs"], &options[..], &[root.to_str().unwrap()]].concat();
    mkfs(&image, 768, &made);
    let mounted = Mounted::new(&image, &work.path().join("place"), "loop,ro,noatime");
    let tree = witness(mounted.path());
    drop(mounted);
    let differences = compare(&tree, &open(&image));
    let (features, entries) = ("quota_project", tree.nodes.len());
    report(&Row {
        format: "ext4",
        features,
        witness: "kernel",
        entries,
        differences: &differences,
    });
    assert!(differences.is_empty() && entries > 5_000, "{differences:#?}");
}

fn open(image: &Path) -> Reader {
    let device = block_source::FileSource::open(image).unwrap();
    Reader(Ext4::open(Arc::new(device)).unwrap_or_else(|error| panic!("{error}")))
}

/// A test for each set of features: options of mke2fs, what it can hold, how much is wanted.
macro_rules! cases {
    ($($name:ident: [$($option:literal),*], $able:expr, $wanted:ident;)*) => {
        $(#[test] fn $name() { check(stringify!($name), &[$($option),*], $able, $wanted); })*
    };
}

cases! {
    ext4: ["-t", "ext4"], Able::All, LARGE;
    blocks_of_1k: ["-t", "ext4", "-b", "1024"], Able::Blocks(1024), LARGE;
    blocks_of_2k: ["-t", "ext4", "-b", "2048"], Able::Blocks(2048), SMALL;
    ext3: ["-t", "ext3"], Able::Maps(4096), LARGE;
    ext3_blocks_of_1k: ["-t", "ext3", "-b", "1024"], Able::Maps(1024), SMALL;
    ext2: ["-t", "ext2"], Able::Maps(4096), SMALL;
    ext2_blocks_of_1k: ["-t", "ext2", "-b", "1024"], Able::Maps(1024), SMALL;
    inodes_of_128: ["-t", "ext4", "-I", "128"], Able::All, SMALL_UNSEEN;
    inline_data: ["-t", "ext4", "-O", "inline_data"], Able::All, LARGE_UNSEEN;
    inline_data_1k: ["-t", "ext4", "-O", "inline_data", "-b", "1024", "-I", "512"], Able::Blocks(1024), SMALL_UNSEEN;
    bigalloc: ["-t", "ext4", "-O", "bigalloc"], Able::All, SMALL;
    large_dir_ea_inode: ["-t", "ext4", "-O", "large_dir,ea_inode"], Able::LargeXattrs, LARGE_UNSEEN;
    no_checksums: ["-t", "ext4", "-O", "^metadata_csum"], Able::All, SMALL;
    checksum_seed: ["-t", "ext4", "-O", "metadata_csum_seed"], Able::All, SMALL;
    meta_bg: ["-t", "ext4", "-O", "meta_bg,^resize_inode", "-b", "1024"], Able::Blocks(1024), SMALL_UNSEEN;
    newer: ["-t", "ext4", "-O", "encrypt,verity,stable_inodes,orphan_file,mmp,fast_commit"], Able::All, SMALL_UNSEEN;
    sparse_super2: ["-t", "ext4", "-O", "sparse_super2,^resize_inode"], Able::All, SMALL;
    uninit_bg: ["-t", "ext4", "-O", "^metadata_csum,uninit_bg"], Able::All, SMALL;
    no_64bit_no_flex_bg: ["-t", "ext4", "-O", "^64bit,^flex_bg"], Able::All, SMALL;
    no_extents: ["-t", "ext4", "-O", "^extent,^64bit"], Able::Maps(4096), SMALL;
    no_index: ["-t", "ext4", "-O", "^dir_index"], Able::All, SMALL;
    no_filetype: ["-t", "ext2", "-O", "^filetype"], Able::Maps(4096), SMALL_UNSEEN;
}
