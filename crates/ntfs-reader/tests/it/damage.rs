//! Volumes on which one thing is damaged: what is good is read, and the damage is told.

use crate::reader::{self, can_mount};
use crate::volume::Volume;
use ntfs_reader::{Error, File, FileReference, Ntfs};
use std::fs;
use std::ops::Range;
use std::sync::Arc;

const FILES: usize = 2000;

/// A volume with a large folder and some files beside it.
fn filled() -> Option<Vec<u8>> {
    if !can_mount() {
        return None;
    }
    let volume = Volume::new(16, &[]);
    let mounted = volume.mount("noatime");
    let folder = mounted.path().join("folder");
    fs::create_dir(&folder).unwrap();
    for index in 0..FILES {
        fs::write(folder.join(name(index)), format!("content {index}")).unwrap();
    }
    fs::write(mounted.path().join("large"), content()).unwrap();
    drop(mounted);
    Some(volume.bytes())
}

fn name(index: usize) -> String {
    format!("a-name-in-a-folder-{index:05}")
}

fn content() -> Vec<u8> {
    (0..300_000_u32).map(|at| (at ^ at >> 8) as u8).collect()
}

fn open(image: &[u8]) -> Ntfs {
    Ntfs::open(Arc::new(image.to_vec())).unwrap_or_else(|error| panic!("{error}"))
}

fn find(ntfs: &Ntfs, name: &str) -> FileReference {
    let root = ntfs.file(ntfs.root()).unwrap();
    ntfs.lookup(&root, name.as_bytes()).unwrap().unwrap()
}

fn folder(ntfs: &Ntfs) -> File {
    ntfs.file(find(ntfs, "folder")).unwrap()
}

/// Where the record of a file is.
fn record(ntfs: &Ntfs, file: FileReference) -> Range<usize> {
    let place = &ntfs.locate(file).unwrap()[0];
    place.start as usize..place.end as usize
}

/// Holds that all of the volume is read.
fn is_whole(ntfs: &Ntfs) {
    let listing = ntfs.read_dir(&folder(ntfs)).unwrap();
    assert!(listing.damage.is_empty(), "{:?}", listing.damage);
    assert_eq!(listing.entries.len(), FILES);
    let mut out = vec![0; 400_000];
    let file = ntfs.file(find(ntfs, "large")).unwrap();
    let read = ntfs.read_at(&file, 0, &mut out).unwrap();
    assert!(out[..read] == content());
}

#[test]
fn the_copy_of_the_boot_sector_is_used() {
    let Some(mut image) = filled() else { return };
    assert!(!open(&image).health().backup_boot_used);
    assert!(Ntfs::claims(&image).unwrap());
    // The last ones are not seen to be damage: other sizes, other places of the table and its copy.
    let cases: [&[(usize, u8)]; 5] =
        [&[(3, 0)], &[(0xb, 1)], &[(0xd, 1)], &[(0x40, 1)], &[(0x31, 1), (0x39, 1)]];
    for case in cases {
        let mut image = image.clone();
        for (at, value) in case {
            image[*at] = *value;
        }
        let ntfs = open(&image);
        assert!(ntfs.health().backup_boot_used);
        is_whole(&ntfs);
    }
    image[..512].fill(0);
    assert!(!Ntfs::claims(&image).unwrap() && Ntfs::claims_backup(&image).unwrap());
    let end = image.len();
    image[end - 512..].fill(0);
    assert!(!Ntfs::claims_backup(&image).unwrap());
    assert!(Ntfs::open(Arc::new(image)).is_err());
}

#[test]
fn a_device_that_is_too_short_says_so() {
    let Some(mut image) = filled() else { return };
    assert_eq!(open(&image).missing_bytes(), 0);
    // The copy of the boot sector is not of the volume.
    image.truncate(image.len() - 512 - 4096);
    let ntfs = open(&image);
    assert!((1..=4096).contains(&ntfs.missing_bytes()), "{}", ntfs.missing_bytes());
}

#[test]
fn the_copy_of_the_first_records_is_used() {
    let Some(image) = filled() else { return };
    let whole = open(&image);
    for number in 0..4 {
        let mut image = image.clone();
        image[record(&whole, FileReference(number))][..4].fill(0);
        let ntfs = open(&image);
        assert_eq!(ntfs.health().mirror_used.is_some(), number == 0);
        assert!(ntfs.volume().is_ok());
        is_whole(&ntfs);
    }
}

#[test]
fn a_record_that_was_written_in_part_is_told() {
    let Some(mut image) = filled() else { return };
    let whole = open(&image);
    let file = find(&whole, "large");
    let place = record(&whole, file);
    for end in [place.start + 510, place.start + 1022] {
        let mut image = image.clone();
        image[end] ^= 1;
        let found = open(&image).file(file);
        assert!(matches!(found, Err(Error::Corrupt { .. })), "{found:?}");
    }
    image[place.start] = b'X';
    let ntfs = open(&image);
    assert!(matches!(ntfs.file(file), Err(Error::Corrupt { .. })));
    assert_eq!(ntfs.read_dir(&folder(&ntfs)).unwrap().entries.len(), FILES);
}

#[test]
fn a_reference_to_what_was_deleted_leads_nowhere() {
    let Some(image) = filled() else { return };
    let ntfs = open(&image);
    let file = find(&ntfs, "large");
    assert!(ntfs.file(file).is_ok());
    assert!(ntfs.file(FileReference(file.number())).is_ok());
    assert!(ntfs.file(FileReference(file.0 + (1 << 48))).is_err());
    assert!(ntfs.file(FileReference(1 << 40)).is_err());
    // A record that was never used.
    assert!(ntfs.file(FileReference(17)).is_err());
}

#[test]
fn a_damaged_node_of_an_index_costs_its_names_only() {
    let Some(image) = filled() else { return };
    let whole = open(&image);
    let nodes: Vec<_> = whole
        .ranges(&folder(&whole), 0, u64::MAX)
        .unwrap()
        .into_iter()
        .flat_map(|range| (range.start as usize..range.end as usize).step_by(4096))
        .collect();
    assert!(nodes.len() > 20, "{}", nodes.len());
    for (index, node) in nodes.iter().step_by(4).enumerate() {
        let mut image = image.clone();
        match index % 3 {
            0 => image[*node] = 0,
            1 => image[node + 1022] ^= 0xff,
            _ => image[node + 0x10] ^= 0xff,
        }
        let ntfs = open(&image);
        let folder = folder(&ntfs);
        let listing = ntfs.read_dir(&folder).unwrap();
        assert!(!listing.damage.is_empty());
        let lost = FILES - listing.entries.len();
        assert!((1..100).contains(&lost), "{lost}");
        // A name that is lost is an error; one that is not is found, the tree damaged or not.
        let (mut found, mut failed) = (0, 0);
        for name in (0..FILES).map(name) {
            match ntfs.lookup(&folder, name.as_bytes()) {
                Ok(Some(_)) => found += 1,
                Ok(None) => panic!("{name} is denied"),
                Err(_) => failed += 1,
            }
            if index > 0 && found > 40 {
                break;
            }
        }
        assert!(index > 0 || failed == lost, "{failed} of {lost}");
    }
}

#[test]
fn names_are_found_without_the_table_of_upper_case() {
    let Some(mut image) = filled() else { return };
    let whole = open(&image);
    let table = whole.file(FileReference(10)).unwrap();
    for range in whole.ranges(&table, 0, u64::MAX).unwrap() {
        image[range.start as usize..range.end as usize].fill(0);
    }
    let ntfs = open(&image);
    let folder = folder(&ntfs);
    for name in [name(7), name(1999), name(1000).to_uppercase()] {
        assert!(ntfs.lookup(&folder, name.as_bytes()).unwrap().is_some(), "{name}");
    }
    assert_eq!(ntfs.lookup(&folder, b"no such name").unwrap(), None);
}

/// Where an attribute of a type starts in a record.
fn attribute(record: &[u8], kind: u8) -> usize {
    let mut at = usize::from(u16::from_le_bytes([record[0x14], record[0x15]]));
    while record[at] != kind {
        at += usize::from(u16::from_le_bytes([record[at + 4], record[at + 5]]));
    }
    at
}

#[test]
fn nodes_that_the_bitmap_denies_are_read() {
    let Some(mut image) = filled() else { return };
    let whole = open(&image);
    let place = record(&whole, folder(&whole).reference);
    let record = &mut image[place];
    let bitmap = attribute(record, 0xb0);
    let value = bitmap + usize::from(record[bitmap + 0x14]);
    assert!(record[value] == 0xff);
    record[value] = 0b0111_0110;
    let ntfs = open(&image);
    let listing = ntfs.read_dir(&folder(&ntfs)).unwrap();
    assert_eq!(listing.entries.len(), FILES);
    assert_eq!(listing.damage.count, 3);
}

#[test]
fn an_index_without_its_nodes_is_damaged() {
    let Some(mut image) = filled() else { return };
    let whole = open(&image);
    let place = record(&whole, folder(&whole).reference);
    let record = &mut image[place];
    let nodes = attribute(record, 0xa0);
    // An attribute of a type that means nothing here.
    record[nodes + 1] = 1;
    let ntfs = open(&image);
    let folder = folder(&ntfs);
    assert!(!ntfs.read_dir(&folder).unwrap().damage.is_empty());
    assert!(ntfs.lookup(&folder, name(1000).as_bytes()).is_err());
}

#[test]
fn an_encrypted_file_is_refused() {
    let Some(mut image) = filled() else { return };
    let whole = open(&image);
    let file = find(&whole, "large");
    let place = record(&whole, file);
    let record = &mut image[place];
    let at = attribute(record, 0x80);
    record[at + 0xd] |= 0x40;
    let ntfs = open(&image);
    let found = ntfs.read_at(&ntfs.file(file).unwrap(), 0, &mut [0; 10]);
    assert!(matches!(found, Err(Error::Unsupported { .. })), "{found:?}");
}

#[test]
fn runs_that_were_lost_cost_what_they_lead_to() {
    let Some(volume) = crate::fragmented::fragmented() else { return };
    let mut image = volume.bytes();
    let whole = reader::open(&volume.image());
    let file = whole.file(find(&whole, "large")).unwrap();
    // Records of the file that come after its first one: they name it as their base.
    let base = file.reference.0.to_le_bytes();
    let mut others: Vec<_> = (0..image.len() / 1024)
        .map(|index| index * 1024)
        .filter(|at| image[*at..].starts_with(b"FILE") && image[at + 0x20..at + 0x28] == base)
        .collect();
    assert!(others.len() > 3, "{}", others.len());
    let mut expected = vec![0; file.size as usize];
    whole.read_at(&file, 0, &mut expected).unwrap();
    image[others.pop().unwrap()] = 0;
    let ntfs = open(&image);
    let file = ntfs.file(find(&ntfs, "large")).unwrap();
    let mut pieces = [0, 0];
    for at in (0..expected.len()).step_by(4096) {
        let mut piece = vec![0; 4096.min(expected.len() - at)];
        match ntfs.read_at(&file, at as u64, &mut piece) {
            Ok(length) => {
                assert!(piece[..length] == expected[at..at + length]);
                pieces[0] += 1;
            }
            Err(_) => pieces[1] += 1,
        }
    }
    assert!(pieces.iter().all(|count| *count > 50), "{pieces:?}");
}
