//! Trees that the kernel wrote, read by the reader and by the kernel: all that `lstat`,
//! `readlink`, `read`, `listxattr` and `getxattr` tell must be the same. Needs root.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/fill.rs"]
mod fill;
#[path = "support/mount.rs"]
mod mount;
#[path = "support/rows.rs"]
mod rows;
#[path = "support/second_witness.rs"]
mod second_witness;

use ext4_reader::Ext4;
use fill::Large;
use mount::Mount;
use std::sync::Arc;

/// Features by the test's name; whether large attributes fit; whether `ext4-view` reads it.
const FEATURES: &[(&str, &[&str], Large, bool)] = &[
    ("ext4", &["-t", "ext4"], Large::Nothing, true),
    ("blocks_of_1k", &["-t", "ext4", "-b", "1024"], Large::Nothing, true),
    ("blocks_of_2k", &["-t", "ext4", "-b", "2048"], Large::Nothing, true),
    ("ext3", &["-t", "ext3"], Large::Nothing, true),
    ("ext3_blocks_of_1k", &["-t", "ext3", "-b", "1024"], Large::Nothing, true),
    ("ext2", &["-t", "ext2"], Large::Nothing, true),
    ("ext2_blocks_of_1k", &["-t", "ext2", "-b", "1024"], Large::Nothing, true),
    ("inodes_of_128", &["-t", "ext4", "-I", "128"], Large::Nothing, false),
    ("inline_data", &["-t", "ext4", "-O", "inline_data"], Large::Nothing, false),
    (
        "inline_data_1k",
        &["-t", "ext4", "-O", "inline_data", "-b", "1024", "-I", "512"],
        Large::Nothing,
        false,
    ),
    ("bigalloc", &["-t", "ext4", "-O", "bigalloc"], Large::Nothing, true),
    ("large_dir_ea_inode", &["-t", "ext4", "-O", "large_dir,ea_inode"], Large::Attributes, false),
    ("no_checksums", &["-t", "ext4", "-O", "^metadata_csum"], Large::Nothing, true),
    ("checksum_seed", &["-t", "ext4", "-O", "metadata_csum_seed"], Large::Nothing, true),
    ("meta_bg", &["-t", "ext4", "-O", "meta_bg,^resize_inode"], Large::Nothing, false),
    ("no_index", &["-t", "ext4", "-O", "^dir_index"], Large::Nothing, true),
    ("no_filetype", &["-t", "ext2", "-O", "^filetype"], Large::Nothing, false),
];

#[test]
fn the_reader_says_what_the_kernel_says() {
    if !mount::can_mount() {
        return;
    }
    for (name, options, large, seen_by_view) in FEATURES {
        let work = mount::workplace();
        let (image, place) = (work.path().join("image"), work.path().join("place"));
        mount::make(&image, 512, options);
        let writable = Mount::new(&image, &place, "rw");
        fill::fill(writable.path(), *large);
        drop(writable);
        let mounted = Mount::new(&image, &place, "ro");
        let kernel = rows::by_kernel(mounted.path());
        drop(mounted);
        let device = block_source::FileSource::open(&image).unwrap();
        let ext4 = Ext4::open(Arc::new(device)).unwrap_or_else(|error| panic!("{name}: {error}"));
        rows::compare(name, &kernel, &rows::by_reader(&ext4));
        assert!(kernel.len() > 12_000, "{name}");
        assert_eq!(second_witness::agrees(&image, &ext4), *seen_by_view, "{name}");
    }
}
