//! btrfs on one device, filled and read back by the kernel.

use crate::support::{open, same};
use conformance::{Abilities, Mounted, can_mount, fill, mkfs, witness, workplace};
use sidelight::block::{Device, FileSource};
use sidelight::filesystem::FORMATS;
use std::sync::Arc;

fn check(features: &str, options: &[&str], mount: &str, longest_link: usize) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (image, place) = (work.path().join("image"), work.path().join("place"));
    mkfs(&image, 640, &[&["mkfs.btrfs", "-q"], options].concat());
    let able = Abilities { longest_link, large_folders: [1000, 5000], ..Abilities::default() };
    let mounted = Mounted::new(&image, &place, &format!("rw,noatime,loop{mount}"));
    fill(mounted.path(), &able);
    drop(mounted);
    let mounted = Mounted::new(&image, &place, "ro,noatime,loop");
    let tree = witness(mounted.path());
    drop(mounted);
    assert!(tree.nodes.len() > 7000);
    let reader = same(features, "kernel", tree, open("btrfs", &[&image]));
    assert_eq!(reader.filesystem.warnings(), []);
}

macro_rules! cases {
    ($($name:ident: [$($option:literal),*], $mount:literal, $link:literal;)*) => {
        $(#[test] fn $name() { check(stringify!($name), &[$($option),*], $mount, $link); })*
    };
}

cases! {
    plain: [], "", 4095;
    zstd: [], ",compress-force=zstd", 4095;
    zlib_xxhash: ["--csum", "xxhash"], ",compress-force=zlib", 4095;
    lzo_without_no_holes: ["-O", "^no-holes"], ",compress-force=lzo", 4095;
    sha256_nodes_of_4k: ["--csum", "sha256", "-n", "4096"], "", 3900;
    blake2_nodes_of_64k: ["--csum", "blake2", "-n", "65536"], "", 4095;
    mixed_groups: ["-M", "-n", "4096"], ",compress=zstd", 3900;
    without_sums: [], ",nodatacow", 4095;
    without_skinny_metadata: ["-O", "^skinny-metadata,^extref", "-R", "^free-space-tree"], "", 4095;
}

/// Its superblocks are in a log of their own; nothing else of it is read.
#[test]
fn zoned_is_refused_by_name() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    mkfs(&image, 8192, &["mkfs.btrfs", "-q", "-O", "zoned"]);
    let device = Device::new("disk", Arc::new(FileSource::open(&image).unwrap()));
    let format = FORMATS.iter().find(|it| it.name() == "btrfs").unwrap();
    assert!(format.claims(&device).unwrap());
    let Err(error) = format.open(&[device]) else { panic!("opened") };
    assert!(error.to_string().starts_with("not supported: btrfs: "), "{error}");
}
