//! A copy of a filesystem for each check that the reader makes, harmed so that this check and no
//! other must speak; and what stays readable all the same.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/seal.rs"]
mod seal;
#[path = "support/small.rs"]
mod small;

use seal::seal;
use small::{inode, open};
use std::collections::BTreeSet;
use xfs_reader::{Error, Inode, Xfs};

const OLD: &[&str] = &["-m", "crc=0", "-b", "size=1024"];
const NEW: &[&str] = &["-b", "size=1024"];
const BLOCK: usize = 1024;
/// Of the folder `many`, which has a tree for an index.
const MANY: usize = 1500;

fn what(error: &Error) -> &'static str {
    match error {
        Error::Corrupt { what, .. } => what,
        other => panic!("{other}"),
    }
}

/// What the first block of an image is by its number, for all that `wanted` picks.
fn blocks(image: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Vec<usize> {
    let all = image.chunks(BLOCK).enumerate();
    all.filter(|(_, block)| wanted(block)).map(|(index, _)| index * BLOCK).collect()
}

/// Offset of a block of a folder.
fn entry_block(xfs: &Xfs, folder: &Inode, number: u64) -> usize {
    xfs.ranges(folder, number * 4096, 4096).unwrap()[0].start as usize
}

/// Where the record of a name in a folder starts: its inode's number, its length, the name.
fn record_of(image: &[u8], folder: &str, name: &[u8]) -> usize {
    let xfs = open(image);
    let folder = inode(&xfs, folder);
    let record = [&[name.len() as u8], name].concat();
    let blocks = xfs.ranges(&folder, 0, folder.size).unwrap();
    let found = blocks.iter().find_map(|range| {
        let block = &image[range.start as usize..range.end as usize];
        let at = block.windows(record.len()).position(|window| window == record)?;
        Some(range.start as usize + at)
    });
    found.unwrap() - 8
}

fn names(xfs: &Xfs, folder: &Inode) -> BTreeSet<Vec<u8>> {
    xfs.read_dir(folder).unwrap().entries.into_iter().map(|entry| entry.name).collect()
}

fn damage(xfs: &Xfs, folder: &Inode) -> Vec<&'static str> {
    xfs.read_dir(folder).unwrap().damage.reasons.iter().map(what).collect()
}

#[test]
fn a_block_whose_checksum_is_wrong_is_read_and_told() {
    let mut image = small::make(NEW);
    let xfs = open(&image);
    let many = inode(&xfs, "many");
    let at = entry_block(&xfs, &many, 3);
    // In the padding after the header.
    image[at + 61] ^= 1;
    let xfs = open(&image);
    assert_eq!(damage(&xfs, &many), ["checksum of directory inode"]);
    assert_eq!(names(&xfs, &many).len(), MANY);
    for index in 0..MANY {
        assert!(xfs.lookup(&many, &small::name(index)).unwrap().is_some());
    }
}

#[test]
fn a_block_that_is_gone_costs_its_names_and_is_never_a_name_that_is_not_there() {
    for (options, expected) in [(OLD, "header"), (NEW, "header")] {
        let mut image = small::make(options);
        let xfs = open(&image);
        let many = inode(&xfs, "many");
        let at = entry_block(&xfs, &many, 3);
        image[at..at + BLOCK].fill(0);
        let xfs = open(&image);
        let found = damage(&xfs, &many);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?}");
        let left = names(&xfs, &many);
        assert!((MANY - 130..MANY - 20).contains(&left.len()), "{}", left.len());
        for index in 0..MANY {
            let name = small::name(index);
            let found = xfs.lookup(&many, &name);
            if left.contains(&name) {
                assert!(found.unwrap().is_some());
            } else {
                assert!(what(&found.unwrap_err()).starts_with(expected));
            }
        }
    }
}

#[test]
fn a_block_of_another_place_or_folder_is_not_taken() {
    let mut image = small::make(NEW);
    let xfs = open(&image);
    let many = inode(&xfs, "many");
    let (from, to) = (entry_block(&xfs, &many, 2), entry_block(&xfs, &many, 3));
    image.copy_within(from..from + BLOCK, to);
    let xfs = open(&image);
    assert_eq!(damage(&xfs, &many), ["a block that is not its own in inode"]);
    assert!(names(&xfs, &many).len() < MANY);
}

#[test]
fn an_index_that_is_damaged_costs_time_only() {
    for (options, leaf, at) in [(OLD, 0xd2ff_u16, 20), (NEW, 0x3dff, 70)] {
        let mut image = small::make(options);
        let leaves = blocks(&image, |block| block[8..10] == leaf.to_be_bytes());
        assert!(leaves.len() > 4);
        for leaf in leaves {
            image[leaf + at] ^= 0x40;
            image[leaf + at + 8] ^= 0x40;
        }
        let xfs = open(&image);
        let many = inode(&xfs, "many");
        assert_eq!(damage(&xfs, &many), [""; 0]);
        for index in (0..MANY).step_by(7) {
            assert!(xfs.lookup(&many, &small::name(index)).unwrap().is_some(), "{options:?}");
        }
        assert_eq!(xfs.lookup(&many, b"absent").unwrap(), None);
    }
}

#[test]
fn an_index_that_leads_in_circles_is_left() {
    let mut image = small::make(OLD);
    for node in blocks(&image, |block| block[8..10] == [0xfe, 0xbe]) {
        let count = usize::from(u16::from_be_bytes([image[node + 12], image[node + 13]]));
        for entry in 0..count {
            // All children are the root of the index of a folder.
            let root = (32_u64 << 30) / BLOCK as u64;
            image[node + 20 + entry * 8..][..4].copy_from_slice(&(root as u32).to_be_bytes());
        }
    }
    let xfs = open(&image);
    let many = inode(&xfs, "many");
    assert!(xfs.lookup(&many, &small::name(700)).unwrap().is_some());
    assert_eq!(xfs.lookup(&many, b"absent").unwrap(), None);
    let attributes = xfs.xattrs(&inode(&xfs, "attributes-many"));
    assert!(matches!(attributes, Err(Error::Corrupt { .. })));
}

#[test]
fn names_that_cannot_be_names_are_told_and_the_others_stay() {
    let mut image = small::make(OLD);
    for (index, bytes) in [(10, &b"/"[..]), (20, b"\0"), (30, b"a/")] {
        let at = record_of(&image, "more", &small::name(index)) + 9;
        image[at + 3..at + 3 + bytes.len()].copy_from_slice(bytes);
    }
    let xfs = open(&image);
    let more = inode(&xfs, "more");
    let found = damage(&xfs, &more);
    assert_eq!(found, ["name of an entry in directory inode"; 3]);
    assert_eq!(names(&xfs, &more).len(), 147);
}

#[test]
fn a_record_without_its_end_costs_the_rest_of_its_block() {
    let mut image = small::make(OLD);
    let at = record_of(&image, "more", &small::name(40));
    image[at + 8] = 250;
    let xfs = open(&image);
    let more = inode(&xfs, "more");
    assert_eq!(damage(&xfs, &more), ["length of an entry in directory inode"]);
    let left = names(&xfs, &more);
    assert!(left.contains(&small::name(39)) && !left.contains(&small::name(40)));
    assert!(left.len() > 60, "{}", left.len());
}

#[test]
fn an_inode_with_a_wrong_checksum_number_or_owner_is_told() {
    let image = small::make(NEW);
    let xfs = open(&image);
    let file = inode(&xfs, "file");
    let at = xfs.superblock().inode_offset(file.number.0).unwrap() as usize;
    let size = xfs.superblock().inode_size as usize;
    let cases = [
        (56, false, "checksum of inode"),
        (0, true, "no inode magic at inode"),
        (4, true, "version of inode"),
        (152, true, "another number in inode"),
        (160, true, "another filesystem's UUID in inode"),
        (82, true, "place of the attributes of inode"),
        (2, true, "inode of no known kind"),
    ];
    for (byte, sealed, expected) in cases {
        let mut image = image.clone();
        image[at + byte] = image[at + byte].wrapping_add(0x50);
        if sealed {
            seal(&mut image[at..at + size], 100);
        }
        assert_eq!(what(&open(&image).inode(file.number).unwrap_err()), expected);
    }
}

#[test]
fn extents_that_lead_outside_are_refused() {
    let image = small::make(OLD);
    let xfs = open(&image);
    let file = inode(&xfs, "file");
    let at = xfs.superblock().inode_offset(file.number.0).unwrap() as usize + 100;
    let record = u128::from_be_bytes(image[at..at + 16].try_into().unwrap());
    let (length, block) = (record & 0x1f_ffff, record >> 21 & ((1 << 52) - 1));
    let group_end = 1_u128 << xfs.superblock().ag_block_bits;
    // Nothing; past the group; in a group that is not there; not yet allocated.
    let nonsense = [
        record - length,
        record & !0x1f_ffff | 0x1f_ffff,
        record - (block << 21) + ((7 * group_end + 20) << 21),
        record | ((1 << 52) - 1) << 21,
    ];
    for record in nonsense {
        let mut image = image.clone();
        image[at..at + 16].copy_from_slice(&record.to_be_bytes());
        let xfs = open(&image);
        let error = xfs.read_at(&inode(&xfs, "file"), 0, &mut [0; 10]).unwrap_err();
        assert_eq!(what(&error), "extent of inode", "{record:x}");
    }
}

#[test]
fn a_file_on_the_realtime_device_is_refused_and_the_rest_is_read() {
    let mut image = small::make(OLD);
    let xfs = open(&image);
    let file = inode(&xfs, "file");
    let at = xfs.superblock().inode_offset(file.number.0).unwrap() as usize;
    image[at + 91] |= 1;
    let xfs = open(&image);
    let file = inode(&xfs, "file");
    let refused = xfs.read_at(&file, 0, &mut [0; 10]).unwrap_err().to_string();
    assert_eq!(refused, "not supported: a file on the realtime device");
    assert!(xfs.ranges(&file, 0, 10).is_err());
    assert_eq!(file.size as usize, small::content().len());
    assert_eq!(names(&xfs, &inode(&xfs, "many")).len(), MANY);
}

#[test]
fn a_tree_of_extents_keeps_what_is_not_under_the_damage() {
    let mut image = small::make(&["-m", "crc=0", "-b", "size=512", "-n", "size=4096"]);
    let xfs = open(&image);
    let most = inode(&xfs, "most");
    let sound = names(&xfs, &most);
    let tree: Vec<_> = image
        .chunks(512)
        .enumerate()
        .filter(|(_, block)| block[..6] == *b"BMAP\0\0")
        .map(|(index, _)| index * 512)
        .collect();
    assert!(!tree.is_empty());
    // All leaves of all trees but the first.
    for at in &tree[1..] {
        image[*at] = 0;
    }
    let xfs = open(&image);
    let found = damage(&xfs, &most);
    assert!(found.contains(&"tree of extents of inode"), "{found:?}");
    assert_eq!(sound.len(), 3000);
    assert!(names(&xfs, &most).is_subset(&sound));
}

#[test]
fn attributes_and_values_with_wrong_checksums_are_told() {
    let image = small::make(NEW);
    let xfs = open(&image);
    let more = inode(&xfs, "attributes-more");
    for leaf in blocks(&image, |block| block[8..10] == [0x3b, 0xee]) {
        let mut image = image.clone();
        image[leaf + 79] ^= 1;
        let xfs = open(&image);
        let harmed = [&more, &inode(&xfs, "attributes-many"), &inode(&xfs, "attribute-large")]
            .map(|it| xfs.xattrs(it).map_err(|error| what(&error)).err())
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        assert_eq!(harmed, ["checksum of a block of inode"]);
    }
    let mut image = image;
    for value in blocks(&image, |block| block[..4] == *b"XARM") {
        image[value + 900] ^= 1;
    }
    let xfs = open(&image);
    let large = inode(&xfs, "attribute-large");
    assert_eq!(what(&xfs.xattrs(&large).unwrap_err()), "checksum of a block of inode");
    assert_eq!(xfs.xattr(&large, b"trusted.small").unwrap(), Some(vec![b'v'; 10]));
}

#[test]
fn a_long_link_of_another_length_or_without_its_header_is_told() {
    let mut image = small::make(OLD);
    let xfs = open(&image);
    let link = inode(&xfs, "long-link");
    let at = xfs.superblock().inode_offset(link.number.0).unwrap() as usize;
    image[at + 56..at + 64].copy_from_slice(&2000_u64.to_be_bytes());
    let xfs = open(&image);
    let link = inode(&xfs, "long-link");
    assert_eq!(what(&xfs.read_link(&link).unwrap_err()), "length of symbolic link in inode");

    let mut image = small::make(NEW);
    let xfs = open(&image);
    let link = inode(&xfs, "long-link");
    let at = xfs.ranges(&link, 0, 1).unwrap()[0].start as usize;
    image[at..at + BLOCK].fill(b't');
    let xfs = open(&image);
    assert_eq!(what(&xfs.read_link(&link).unwrap_err()), "symbolic link in inode");
}
