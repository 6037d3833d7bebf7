//! Damaged superblocks and group descriptors: the copies that mke2fs wrote must do.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

use ext4_reader::{Ext4, Kind};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// All have several groups in 64 MiB, for blocks are of 1 KiB.
const FEATURES: &[(&str, &[&str])] = &[
    ("metadata_csum", &["-t", "ext4"]),
    ("gdt_csum", &["-t", "ext4", "-O", "^metadata_csum,uninit_bg"]),
    ("gdt_csum_no_64bit", &["-t", "ext4", "-O", "^metadata_csum,uninit_bg,^64bit"]),
    ("no_checksums", &["-t", "ext3"]),
    ("no_journal", &["-t", "ext2"]),
    ("meta_bg", &["-t", "ext4", "-O", "meta_bg,^resize_inode"]),
    ("sparse_super2", &["-t", "ext4", "-O", "sparse_super2,^resize_inode"]),
    ("no_sparse_super", &["-t", "ext2", "-O", "^sparse_super,^resize_inode"]),
];

fn make(image: &Path, megabytes: u64, options: &[&str]) {
    let work = tempfile::tempdir().unwrap();
    for folder in 0..20 {
        fs::create_dir(work.path().join(format!("d{folder}"))).unwrap();
        for file in 0..20 {
            let content = format!("content of {folder}/{file}");
            fs::write(work.path().join(format!("d{folder}/f{file}")), content).unwrap();
        }
    }
    fs::File::create(image).unwrap().set_len(megabytes << 20).unwrap();
    let mut command = Command::new("mke2fs");
    command.args(["-q", "-F", "-d"]).arg(work.path()).args(options).arg(image);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    assert!(command.status().expect("e2fsprogs is installed").success(), "{options:?}");
}

fn image(options: &[&str]) -> Vec<u8> {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("image");
    make(&path, 64, &[options, &["-b", "1024"]].concat());
    fs::read(path).unwrap()
}

/// Whether each of the 400 files is there with what was put in.
fn is_whole(what: &str, ext4: &Ext4) {
    let root = ext4.inode(ext4.root()).unwrap_or_else(|error| panic!("{what}: {error}"));
    for folder in 0..20 {
        let number = ext4.lookup(&root, format!("d{folder}").as_bytes()).unwrap().unwrap();
        let inode = ext4.inode(number).unwrap();
        assert_eq!(inode.kind, Kind::Directory, "{what}");
        for file in 0..20 {
            let number = ext4.lookup(&inode, format!("f{file}").as_bytes()).unwrap().unwrap();
            let mut bytes = [0; 40];
            let length = ext4.read_at(&ext4.inode(number).unwrap(), 0, &mut bytes).unwrap();
            assert_eq!(
                bytes[..length],
                *format!("content of {folder}/{file}").as_bytes(),
                "{what}"
            );
        }
    }
}

/// Descriptors stand in the block after the superblock's.
const DESCRIPTORS: std::ops::Range<usize> = 2048..3072;

#[test]
fn damaged_descriptors_are_replaced_by_their_copies() {
    for (name, options) in FEATURES {
        let sound = image(options);
        let ext4 = Ext4::open(Arc::new(sound.clone())).unwrap();
        let health = ext4.check_descriptors();
        assert!(health.checked > 4 && health.from_backup + health.lost == 0, "{name}: {health:?}");
        for filler in [0, 0xff, 0x5a] {
            let mut image = sound.clone();
            image[DESCRIPTORS].fill(filler);
            let ext4 = Ext4::open(Arc::new(image)).unwrap();
            is_whole(name, &ext4);
            assert!(!ext4.superblock().needs_recovery(), "{name}");
            let expected = (health.checked, health.checked, 0);
            let health = ext4.check_descriptors();
            assert_eq!((health.checked, health.from_backup, health.lost), expected, "{name}");
        }
    }
}

#[test]
fn a_flipped_bit_in_a_descriptor_is_seen_by_its_checksum() {
    for (name, options) in &FEATURES[..3] {
        let mut image = image(options);
        // The inode table of the first group would start one block late.
        image[DESCRIPTORS.start + 8] ^= 1;
        let ext4 = Ext4::open(Arc::new(image)).unwrap();
        is_whole(name, &ext4);
        assert_eq!(ext4.check_descriptors().from_backup, 1, "{name}");
    }
}

#[test]
fn a_wiped_start_of_the_disk_is_survived() {
    for (name, options) in FEATURES {
        let mut image = image(options);
        image[..DESCRIPTORS.end].fill(0);
        assert!(!Ext4::claims(&image).unwrap(), "{name}");
        assert!(Ext4::claims_backup(&image).unwrap(), "{name}");
        let ext4 = Ext4::open(Arc::new(image)).unwrap();
        is_whole(name, &ext4);
        let superblock = ext4.superblock();
        assert_eq!(superblock.backup_used, Some(8193), "{name}");
        // A backup does not know whether the journal holds changes.
        let has_journal = !matches!(*name, "no_journal" | "no_sparse_super");
        assert_eq!(superblock.needs_recovery(), has_journal, "{name}");
        assert_eq!(superblock.recovery_is_unknown(), has_journal, "{name}");
    }
}

#[test]
fn descriptors_without_a_sound_copy_are_errors() {
    let mut image = image(&["-t", "ext4"]);
    let descriptor: Vec<u8> = image[DESCRIPTORS.start..DESCRIPTORS.start + 16].to_vec();
    for at in (0..image.len()).step_by(1024) {
        if image[at..].starts_with(&descriptor) {
            image[at + 8] ^= 1;
        }
    }
    let ext4 = Ext4::open(Arc::new(image)).unwrap();
    assert!(ext4.inode(ext4.root()).is_err());
    assert_eq!(ext4.check_descriptors().lost, 1);
}

/// Groups of clusters are sixteen times as large, so the first backup is two gigabytes in.
#[test]
fn a_backup_with_bigalloc_is_found() {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("image");
    make(&path, 3072, &["-t", "ext4", "-O", "bigalloc,^has_journal", "-b", "4096"]);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[0; 8192], 0).unwrap();
    let device = block_source::FileSource::open(&path).unwrap();
    let ext4 = Ext4::open(Arc::new(device)).unwrap();
    assert_eq!(ext4.superblock().backup_used, Some(524_288));
    is_whole("bigalloc", &ext4);
}
