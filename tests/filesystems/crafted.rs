//! Images that no tool makes: small ones that would have a reader keep or read far more than they are.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use sidelight::block::Device;
use sidelight::filesystem::{FORMATS, FileSystem};
use std::io::Write;
use std::sync::Arc;

fn open(format: &str, bytes: Vec<u8>) -> Box<dyn FileSystem> {
    let format = FORMATS.iter().find(|it| it.name() == format).unwrap();
    let device = Device::new("disk", Arc::new(bytes));
    assert!(format.claims(&device).unwrap());
    format.open(&[device]).unwrap_or_else(|error| panic!("{error}"))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// The boot sector claims 250 million clusters, of which a file of 4 GiB has two in turn.
#[test]
fn a_circle_of_fat_clusters_ends_though_the_disk_claims_to_be_large() {
    const TABLE: usize = 32 * 512;
    const DATA: usize = TABLE + 100 * 512;
    let mut bytes = vec![0; DATA + 10 * 512];
    put(&mut bytes, 0, &[0xeb, 0x58, 0x90]);
    put(&mut bytes, 11, &512_u16.to_le_bytes());
    // Sectors of a cluster, reserved ones, tables.
    put(&mut bytes, 13, &[1, 32, 0, 1]);
    bytes[21] = 0xf8;
    put(&mut bytes, 32, &0x0f00_0000_u32.to_le_bytes());
    put(&mut bytes, 36, &100_u32.to_le_bytes());
    put(&mut bytes, 44, &2_u32.to_le_bytes());
    for (cluster, next) in [(2, 0x0fff_ffff_u32), (3, 5), (5, 3)] {
        put(&mut bytes, TABLE + 4 * cluster, &next.to_le_bytes());
    }
    put(&mut bytes, DATA, b"FILE    TXT ");
    put(&mut bytes, DATA + 26, &3_u16.to_le_bytes());
    put(&mut bytes, DATA + 28, &u32::MAX.to_le_bytes());
    let filesystem = open("vfat", bytes);
    let file = filesystem.lookup(filesystem.root(), b"file.txt").unwrap().unwrap();
    let mut out = [0; 4096];
    let error = filesystem.read_at(file, 1 << 30, &mut out).unwrap_err().to_string();
    assert!(error.contains("circle of clusters"), "{error}");
    assert!(filesystem.ranges(file, 0, u64::MAX).unwrap().len() < 10);
}

/// Packed, a directory of a million entries is some kilobytes; one of all that its size can say
/// would be half a billion.
#[test]
fn entries_of_a_squashfs_directory_are_bounded() {
    const MOST: usize = 1 << 20;
    let mut run = [255_u32, 0, 0].map(u32::to_le_bytes).concat();
    // Offset of the inode, number, kind, length of the name less one, name.
    run.extend([0, 0, 0, 0, 2, 0, 0, 0, b'a'].repeat(256));
    let directory = run.repeat(MOST / 256 + 9);
    let inode = [
        // Kind, mode, owner, group.
        [8_u16, 0o755, 0, 0].map(u16::to_le_bytes).concat(),
        // Time, number, links, size, block, parent; indexes and offset; attributes.
        [0, 1, 2, directory.len() as u32 + 3, 0, 0, 0, u32::MAX].map(u32::to_le_bytes).concat(),
    ]
    .concat();
    let plain = |bytes: &[u8]| [&(bytes.len() as u16 | 0x8000).to_le_bytes(), bytes].concat();
    let mut bytes = vec![0; 96];
    let inodes = bytes.len();
    bytes.extend(plain(&inode));
    let directories = bytes.len();
    for block in directory.chunks(8192) {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(block).unwrap();
        let packed = packed.finish().unwrap();
        bytes.extend((packed.len() as u16).to_le_bytes());
        bytes.extend(packed);
    }
    let owners = bytes.len() as u64;
    bytes.extend(plain(&[0; 4]));
    let list = bytes.len() as u64;
    bytes.extend(owners.to_le_bytes());
    let size = bytes.len() as u64;
    put(&mut bytes, 0, b"hsqs");
    put(&mut bytes, 12, &(128_u32 << 10).to_le_bytes());
    // Packed by gzip, log of the block size, flags, owners, version.
    put(&mut bytes, 20, &[1_u16, 17, 0, 1, 4, 0].map(u16::to_le_bytes).concat());
    let none = u64::MAX;
    let places = [0, size, list, none, inodes as u64, directories as u64, none, none];
    put(&mut bytes, 32, &places.map(u64::to_le_bytes).concat());
    assert!(bytes.len() < 200 << 10, "{}", bytes.len());
    let filesystem = open("squashfs", bytes);
    let listing = filesystem.read_dir(filesystem.root()).unwrap();
    assert_eq!(listing.entries.len(), MOST);
    let damage: Vec<_> = listing.damage.iter().map(ToString::to_string).collect();
    let expected = "not supported: squashfs directories of more than 1048576 entries";
    assert_eq!(damage, [expected]);
}
