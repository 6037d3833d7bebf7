//! A flipped bit in metadata that has a checksum is told, whatever the bit means; without checksums
//! the same image reads. What mke2fs wrote, debugfs and the reader read first.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

use ext4_reader::{Error, Ext4, Inode};
use std::fs;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::Arc;

const BLOCK: usize = 1024;

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command
}

/// A filesystem with a file whose extents and attributes need blocks of their own.
fn image(options: &[&str]) -> Vec<u8> {
    let work = tempfile::tempdir().unwrap();
    let (root, image) = (work.path().join("root"), work.path().join("image"));
    fs::create_dir(&root).unwrap();
    let file = fs::File::create(root.join("file")).unwrap();
    for island in 0..20 {
        file.write_all_at(b"island", island * 10_000).unwrap();
    }
    fs::write(work.path().join("value"), [b'v'; 600]).unwrap();
    fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
    let mut make = tool("mke2fs");
    make.args(["-q", "-F", "-t", "ext4", "-b", "1024", "-d"]).arg(&root).args(options).arg(&image);
    assert!(make.status().expect("e2fsprogs is installed").success());
    let request = format!("ea_set -f {} /file user.large", work.path().join("value").display());
    tool("debugfs").args(["-w", "-R", &request]).arg(&image).output().unwrap();
    fs::read(image).unwrap()
}

fn open(image: &[u8]) -> (Ext4, Result<Inode, Error>) {
    let ext4 = Ext4::open(Arc::new(image.to_vec())).unwrap();
    let root = ext4.inode(ext4.root()).unwrap();
    let file = ext4.lookup(&root, b"file").unwrap().unwrap();
    let file = ext4.inode(file);
    (ext4, file)
}

fn block_with(image: &[u8], start: &[u8]) -> usize {
    (0..image.len()).step_by(BLOCK).find(|at| image[*at..].starts_with(start)).unwrap()
}

const KINDS: &[(&[&str], bool)] = &[
    (&[], true),
    (&["-O", "metadata_csum_seed"], true),
    (&["-I", "128"], true),
    (&["-O", "^metadata_csum"], false),
];

#[test]
fn a_flipped_bit_in_an_inode_is_told() {
    for (options, checked) in KINDS {
        let sound = image(options);
        let (ext4, file) = open(&sound);
        let record = ext4.inode_range(file.unwrap().number).unwrap();
        // Owner, low modification time, generation.
        for field in [0x2, 0x10, 0x64] {
            let mut image = sound.clone();
            image[record.start as usize + field] ^= 0x10;
            let (_, file) = open(&image);
            assert_eq!(
                matches!(file, Err(Error::Corrupt { .. })),
                *checked,
                "{options:?} {field:#x}"
            );
        }
    }
}

#[test]
fn a_flipped_bit_in_an_extent_block_is_told() {
    for (options, checked) in KINDS {
        let mut image = image(options);
        let (ext4, file) = open(&image);
        let file = file.unwrap();
        ext4.read_at(&file, 0, &mut [0; 100]).unwrap();
        // The low half of where the second extent is.
        let block = block_with(&image, &[0x0a, 0xf3]);
        image[block + 12 + 12 + 8] ^= 0x1;
        let (ext4, file) = open(&image);
        let read = ext4.read_at(&file.unwrap(), 0, &mut [0; 100]);
        assert_eq!(matches!(read, Err(Error::Corrupt { .. })), *checked, "{options:?} {read:?}");
    }
}

#[test]
fn a_flipped_bit_in_a_block_of_attributes_is_told() {
    for (options, checked) in KINDS {
        let mut image = image(options);
        let (ext4, file) = open(&image);
        assert_eq!(
            ext4.xattrs(&file.unwrap()).unwrap(),
            [(b"user.large".to_vec(), vec![b'v'; 600])]
        );
        let block = block_with(&image, &[0, 0, 2, 0xea]);
        image[block + BLOCK - 1] ^= 1;
        let (ext4, file) = open(&image);
        let found = ext4.xattrs(&file.unwrap());
        assert_eq!(matches!(found, Err(Error::Corrupt { .. })), *checked, "{options:?} {found:?}");
    }
}
