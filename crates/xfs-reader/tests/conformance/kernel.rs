//! What the kernel wrote. Needs root.

use crate::{features, reader::Reader, second_witness};
use conformance::{
    Abilities, Mounted, Row, XattrRoom, can_mount, compare, fill, mkfs, report, tool, witness,
    workplace,
};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, lsetxattr, makedev, mknodat};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use xfs_reader::log::State;
use xfs_reader::{Xfs, incompat};

const MEGABYTES: u64 = 1024;

/// What is done to a new filesystem before it is filled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    /// Features that `mkfs.xfs` of Debian 12 does not know.
    Add(u32),
    /// Another UUID for users than for metadata.
    ChangeUuid,
}

/// What is made, how many entries the large folders have, what is done then.
struct Wanted {
    block: u64,
    entries: [usize; 2],
    then: Then,
}

const LARGE: Wanted = Wanted { block: 4096, entries: [12_000, 40_000], then: Then::Nothing };
const SMALL: Wanted = Wanted { entries: [3_000, 6_000], ..LARGE };
const LARGE_1K: Wanted = Wanted { block: 1024, ..LARGE };
const SMALL_2K: Wanted = Wanted { block: 2048, ..SMALL };
const SMALL_16K: Wanted = Wanted { block: 16_384, ..SMALL };
const SMALL_64K: Wanted = Wanted { block: 65_536, ..SMALL };
const PARENTS: Wanted =
    Wanted { then: Then::Add(incompat::PARENT | incompat::EXCHANGE_RANGE), ..LARGE };
const NEW_UUID: Wanted = Wanted { then: Then::ChangeUuid, ..SMALL };

fn abilities(wanted: &Wanted) -> Abilities {
    Abilities {
        block: wanted.block,
        // Made here, with numbers that XFS takes.
        devices: false,
        longest_link: 1023,
        xattrs: Some(XattrRoom { value: 65_536, total: 1 << 20, count: 1200, privileged: true }),
        large_folders: wanted.entries,
        ..Abilities::default()
    }
}

/// Majors have 9 bits, minors 18.
fn devices(root: &Path) {
    let mode = Mode::from_raw_mode(0o640);
    for (major, minor) in [(1, 3), (255, 255), (256, 1), (259, 0x2_bcde), (511, 0x3_ffff), (0, 0)] {
        for (name, kind) in [("char", FileType::CharacterDevice), ("block", FileType::BlockDevice)]
        {
            let path = root.join(format!("{name}-{major}-{minor}"));
            mknodat(CWD, path, kind, mode, makedev(major, minor)).unwrap();
        }
    }
    mknodat(CWD, root.join("fifo"), FileType::Fifo, mode, 0).unwrap();
    mknodat(CWD, root.join("socket"), FileType::Socket, mode, 0).unwrap();
}

/// Attributes of two files in turn, so that neither's blocks are next to each other and both need
/// a tree of extents.
fn attributes_in_pieces(root: &Path) {
    for round in 0..120 {
        for file in ["in-pieces-one", "in-pieces-two"].map(|name| root.join(name)) {
            File::options().create(true).append(true).open(&file).unwrap();
            let (name, value) = (format!("user.{round}"), vec![round; 2500 + usize::from(round)]);
            lsetxattr(&file, name, &value, XattrFlags::empty()).unwrap();
        }
    }
}

fn make(image: &Path, options: &[&str], then: Then) {
    mkfs(image, MEGABYTES, &[&["mkfs.xfs", "-q", "-f"], options].concat());
    match then {
        Then::Nothing => {}
        Then::Add(incompat) => features::add_incompat(image, incompat),
        Then::ChangeUuid => {
            let done = tool("xfs_admin").args(["-U", "generate"]).arg(image).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
    }
}

/// Whether this kernel mounts it; older ones have no blocks larger than a page of memory.
fn is_mountable(image: &Path, place: &Path, features: &str, wanted: &Wanted) -> bool {
    if wanted.block <= 4096 {
        return true;
    }
    std::fs::create_dir_all(place).unwrap();
    let mounted = tool("mount").args(["-o", "loop"]).args([image, place]).output().unwrap();
    if !mounted.status.success() {
        eprintln!("skipped: {features}: this kernel mounts no blocks larger than a page");
        return false;
    }
    assert!(tool("umount").arg(place).status().unwrap().success());
    true
}

fn check(features: &str, options: &[&str], wanted: &Wanted) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (image, place) = (work.path().join("image"), work.path().join("place"));
    make(&image, options, wanted.then);
    if !is_mountable(&image, &place, features, wanted) {
        return;
    }
    let mounted = Mounted::new(&image, &place, "rw,noatime,loop");
    fill(mounted.path(), &abilities(wanted));
    devices(mounted.path());
    attributes_in_pieces(mounted.path());
    drop(mounted);
    // Mounted again, so that nothing comes from the kernel's memory of the first time.
    let mounted = Mounted::new(&image, &place, "ro,noatime,loop");
    let tree = witness(mounted.path());
    drop(mounted);
    let subject =
        Reader(Xfs::open(Arc::new(block_source::FileSource::open(&image).unwrap())).unwrap());
    let differences = compare(&tree, &subject);
    let entries = tree.nodes.len();
    report(&Row { format: "xfs", features, witness: "kernel", entries, differences: &differences });
    let text: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{features}\n{}", text.join("\n"));
    assert_eq!(subject.0.log(), Some(&State::Clean), "{features}");
    assert!(entries > wanted.entries.iter().sum());
    assert!(second_witness::agrees(&image, &subject.0), "lamxfs refuses {features}");
}

/// A test for each set of features: options of mkfs.xfs, how much is wanted.
macro_rules! cases {
    ($($name:ident: [$($option:literal),*], $wanted:ident;)*) => {
        $(#[test] fn $name() { check(stringify!($name), &[$($option),*], &$wanted); })*
    };
}

cases! {
    as_made_by_default: [], LARGE;
    blocks_of_1k: ["-b", "size=1024"], LARGE_1K;
    blocks_of_2k: ["-b", "size=2048"], SMALL_2K;
    blocks_of_16k: ["-b", "size=16384"], SMALL_16K;
    blocks_of_64k: ["-b", "size=65536"], SMALL_64K;
    folder_blocks_of_16k: ["-n", "size=16384"], LARGE;
    folder_blocks_of_64k_1k: ["-b", "size=1024", "-n", "size=65536"], LARGE_1K;
    inodes_of_1k: ["-i", "size=1024"], SMALL;
    inodes_of_2k: ["-i", "size=2048", "-n", "size=8192"], SMALL;
    large_extent_counts: ["-i", "nrext64=1"], SMALL;
    small_extent_counts: ["-i", "nrext64=0"], SMALL;
    no_sparse_inodes: ["-i", "sparse=0"], SMALL;
    no_bigtime: ["-m", "bigtime=0"], SMALL;
    no_reflink: ["-m", "reflink=0"], SMALL;
    rmapbt: ["-m", "rmapbt=1"], SMALL;
    no_finobt: ["-m", "finobt=0,inobtcount=0"], SMALL;
    oldest_version_5: ["-m", "finobt=0,inobtcount=0,bigtime=0,reflink=0", "-i", "sparse=0,nrext64=0"], SMALL;
    sectors_of_4k: ["-s", "size=4096"], SMALL;
    many_groups: ["-d", "agcount=13"], LARGE;
    parents_and_exchange: [], PARENTS;
    another_uuid: [], NEW_UUID;
}
