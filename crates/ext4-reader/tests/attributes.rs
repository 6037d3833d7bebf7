//! Extended attributes that are unusual or crafted. That sound ones are told as the kernel tells
//! them is tested in `against_the_kernel.rs`.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

use ext4_reader::{Error, Ext4, Inode};
use std::fs;
use std::process::Command;
use std::sync::Arc;

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command
}

/// A filesystem with one file, which debugfs gives attributes.
fn image(options: &[&str], attributes: &[(&str, &str)]) -> Vec<u8> {
    let work = tempfile::tempdir().unwrap();
    let (root, image) = (work.path().join("root"), work.path().join("image"));
    fs::create_dir(&root).unwrap();
    fs::write(root.join("file"), "content").unwrap();
    fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
    let mut make = tool("mke2fs");
    make.args(["-q", "-F", "-t", "ext4", "-O", "^has_journal,^metadata_csum", "-d"])
        .arg(&root)
        .args(options);
    assert!(make.arg(&image).status().expect("e2fsprogs is installed").success());
    for (name, value) in attributes {
        let request = format!("ea_set /file {name} {value}");
        tool("debugfs").args(["-w", "-R", &request]).arg(&image).output().unwrap();
    }
    fs::read(image).unwrap()
}

fn open(image: Vec<u8>) -> (Ext4, Inode) {
    let ext4 = Ext4::open(Arc::new(image)).unwrap();
    let root = ext4.inode(ext4.root()).unwrap();
    let file = ext4.lookup(&root, b"file").unwrap().unwrap();
    let file = ext4.inode(file).unwrap();
    (ext4, file)
}

fn place(image: &[u8], text: &[u8]) -> usize {
    image.windows(text.len()).position(|part| part == text).unwrap()
}

/// The kernel lists attributes of known namespaces only: 9 is encryption, 10 the Hurd.
#[test]
fn attributes_of_unknown_namespaces_hide_no_others() {
    let mut image = image(&[], &[("user.first", "1"), ("user.second", "2"), ("user.third", "3")]);
    let namespace = place(&image, b"second") - 15;
    for number in [0, 5, 9, 10, 255] {
        assert_eq!((image[namespace - 1], image[namespace]), (6, 1));
        image[namespace] = number;
        let (ext4, file) = open(image.clone());
        let told = [(&b"user.first"[..], &b"1"[..]), (b"user.third", b"3")];
        let told = told.map(|(name, value)| (name.to_vec(), value.to_vec()));
        assert_eq!(ext4.xattrs(&file).unwrap(), told);
        assert_eq!(ext4.xattr(&file, b"user.third").unwrap().unwrap(), b"3");
        assert!(ext4.xattr(&file, b"user.second").unwrap().is_none());
        image[namespace] = 1;
    }
}

/// Thousands of entries that all claim the same large value would fill the memory.
#[test]
fn values_that_share_their_bytes_end_at_the_limit() {
    const BLOCK: usize = 65_536;
    const FREE: usize = 200;
    let mut image = image(&["-b", "65536"], &[]);
    let block = &mut image[FREE * BLOCK..(FREE + 1) * BLOCK];
    assert!(block.iter().all(|byte| *byte == 0));
    block[..4].copy_from_slice(&0xea02_0000_u32.to_le_bytes());
    for at in (32..40_000).step_by(20) {
        block[at..at + 2].copy_from_slice(&[1, 1]);
        block[at + 8..at + 12].copy_from_slice(&60_000_u32.to_le_bytes());
        block[at + 16] = b'a';
    }
    let (ext4, file) = open(image.clone());
    let pointer = ext4.inode_range(file.number).unwrap().start as usize + 0x68;
    image[pointer..pointer + 4].copy_from_slice(&(FREE as u32).to_le_bytes());
    let (ext4, file) = open(image);
    assert!(matches!(ext4.xattrs(&file), Err(Error::Unsupported { .. })));
    assert_eq!(ext4.xattr(&file, b"user.a").unwrap().unwrap().len(), 60_000);
}

#[test]
fn a_value_outside_its_block_is_damage() {
    let mut image = image(&[], &[("user.first", "1")]);
    let entry = place(&image, b"first") - 16;
    image[entry + 8..entry + 12].fill(0x7f);
    let (ext4, file) = open(image);
    assert!(matches!(ext4.xattrs(&file), Err(Error::Corrupt { .. })));
    assert!(matches!(ext4.xattr(&file, b"user.first"), Err(Error::Corrupt { .. })));
}
