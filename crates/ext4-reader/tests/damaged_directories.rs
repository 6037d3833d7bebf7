//! Damage inside a directory costs the names that stood there and is told; it never turns into
//! "no such name". Which names stood where is known from the bytes that mke2fs wrote.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

use ext4_reader::{Damage, Error, Ext4, Inode, Listing};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::Arc;

const BLOCK: usize = 1024;
const WITH_CHECKSUMS: &[&str] = &["-t", "ext4", "-b", "1024"];
const WITHOUT: &[&str] = &["-t", "ext2", "-b", "1024"];

const PREFIX: &str = "some-name-of-a-file-";

fn name(index: usize) -> String {
    format!("{PREFIX}{index:05}")
}

/// A filesystem whose folder `many` has 1500 files.
fn image(options: &[&str]) -> Vec<u8> {
    let work = tempfile::tempdir().unwrap();
    let (root, image) = (work.path().join("root"), work.path().join("image"));
    fs::create_dir_all(root.join("many")).unwrap();
    for index in 0..1500 {
        fs::write(root.join("many").join(name(index)), "").unwrap();
    }
    fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
    let status = Command::new("mke2fs")
        .args(["-q", "-F", "-N", "2000", "-d"])
        .args([&root, &image])
        .args(options)
        .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()))
        .status();
    assert!(status.expect("e2fsprogs is installed").success());
    fs::read(image).unwrap()
}

/// Where each name stands in the image; names start at multiples of four.
fn places(image: &[u8]) -> Vec<usize> {
    let mut places = vec![0; 1500];
    for at in (0..image.len()).step_by(4) {
        if image[at] == b's' && image[at..].starts_with(PREFIX.as_bytes()) {
            let digits = &image[at + PREFIX.len()..][..5];
            places[str::from_utf8(digits).unwrap().parse::<usize>().unwrap()] = at;
        }
    }
    assert!(places.iter().all(|place| *place != 0));
    places
}

fn open(image: Vec<u8>) -> (Ext4, Inode) {
    let ext4 = Ext4::open(Arc::new(image)).unwrap();
    let root = ext4.inode(ext4.root()).unwrap();
    let many = ext4.lookup(&root, b"many").unwrap().unwrap();
    let many = ext4.inode(many).unwrap();
    (ext4, many)
}

fn names(listing: &Listing) -> BTreeSet<String> {
    let names = listing.entries.iter().map(|entry| entry.name.clone());
    names.map(|name| String::from_utf8(name).unwrap()).collect()
}

/// Changes the record of one name, and expects exactly the names in `lost` to be gone.
fn check(image: &[u8], damage: impl Fn(&mut [u8], usize), lost: &BTreeSet<usize>) {
    let victim = places(image)[700];
    let mut damaged = image.to_vec();
    damage(&mut damaged, victim);
    let (ext4, many) = open(damaged);
    let listing = ext4.read_dir(&many).unwrap();
    assert!(!listing.damage.is_empty());
    let all: BTreeSet<usize> = (0..1500).collect();
    let expected = all.difference(lost).map(|index| name(*index)).collect();
    assert!(names(&listing) == expected, "{} names", listing.entries.len());
    for index in [0, 699, 700, 701, 702, 1499] {
        let found = ext4.lookup(&many, name(index).as_bytes());
        if lost.contains(&index) {
            assert!(matches!(found, Err(Error::Corrupt { .. })), "{index}: {found:?}");
        } else {
            assert!(found.unwrap().is_some(), "{index}");
        }
    }
    assert!(matches!(ext4.lookup(&many, b"absent"), Err(Error::Corrupt { .. })));
}

/// Names that stand in the same block, from `from` on.
fn behind(image: &[u8], from: usize) -> BTreeSet<usize> {
    let end = (from + 1).next_multiple_of(BLOCK);
    let places = places(image);
    (0..1500).filter(|index| (from..end).contains(&places[*index])).collect()
}

#[test]
fn a_wrong_length_costs_the_rest_of_its_block() {
    for options in [WITH_CHECKSUMS, WITHOUT] {
        let image = image(options);
        let victim = places(&image)[700];
        for wrong in [0, 3, 8, 27, 1025, 0xffff_u16] {
            let cut = |image: &mut [u8], at: usize| {
                image[at - 4..at - 2].copy_from_slice(&wrong.to_le_bytes());
            };
            check(&image, cut, &behind(&image, victim));
        }
    }
}

#[test]
fn a_wiped_block_is_not_an_empty_one() {
    for options in [WITH_CHECKSUMS, WITHOUT] {
        let image = image(options);
        let start = places(&image)[700] / BLOCK * BLOCK;
        check(&image, |image, _| image[start..start + BLOCK].fill(0), &behind(&image, start));
    }
}

#[test]
fn a_name_that_cannot_be_one_is_told() {
    for options in [WITH_CHECKSUMS, WITHOUT] {
        let image = image(options);
        for byte in [0, b'/'] {
            check(&image, |image, at| image[at + 3] = byte, &BTreeSet::from([700]));
        }
        check(&image, |image, at| image[at - 2] = 0, &BTreeSet::from([700]));
    }
}

/// Without its checksum the changed name would look like any other.
#[test]
fn a_name_with_a_flipped_bit_is_told() {
    let mut image = image(WITH_CHECKSUMS);
    let victim = places(&image)[700];
    image[victim] ^= 1;
    let (ext4, many) = open(image);
    let listing = ext4.read_dir(&many).unwrap();
    assert_eq!((listing.entries.len(), listing.damage.count), (1500, 1));
    assert!(ext4.lookup(&many, name(700).as_bytes()).is_err());
    assert!(ext4.lookup(&many, name(701).as_bytes()).unwrap().is_some());
}

/// The thirteenth pointer of a block map leads to a table of pointers; the first twelve blocks
/// must survive it.
#[test]
fn a_broken_map_costs_the_blocks_below_it() {
    let mut image = image(WITHOUT);
    let (ext4, many) = open(image.clone());
    let pointer = ext4.inode_range(many.number).unwrap().start as usize + 40 + 4 * 12;
    let blocks: Vec<usize> = (0..12)
        .map(|index| {
            let at = pointer - 48 + 4 * index;
            u32::from_le_bytes(image[at..at + 4].try_into().unwrap()) as usize
        })
        .collect();
    let places = places(&image);
    let direct = (0..1500).filter(|index| blocks.contains(&(places[*index] / BLOCK)));
    let expected: BTreeSet<String> = direct.map(name).collect();
    assert!(expected.len() > 100);
    image[pointer..pointer + 4].fill(0xff);
    let (ext4, many) = open(image.clone());
    let listing = ext4.read_dir(&many).unwrap();
    assert!(names(&listing) == expected, "{} names", listing.entries.len());
    assert!(!listing.damage.is_empty());
    // A hole is as bad as a pointer to nowhere.
    image[pointer..pointer + 4].fill(0);
    let (ext4, many) = open(image);
    let listing = ext4.read_dir(&many).unwrap();
    assert!(names(&listing) == expected, "{} names", listing.entries.len());
    assert!(matches!(ext4.lookup(&many, b"absent"), Err(Error::Corrupt { .. })));
}

#[test]
fn reasons_are_counted_past_those_that_are_kept() {
    let mut image = image(WITHOUT);
    for at in places(&image) {
        image[at] = b'/';
    }
    let (ext4, many) = open(image);
    let listing = ext4.read_dir(&many).unwrap();
    assert_eq!(listing.damage.count, 1500);
    assert_eq!(listing.damage.reasons.len(), Damage::MOST_KEPT);
    assert!(listing.entries.is_empty());
}
