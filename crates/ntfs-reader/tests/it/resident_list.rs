//! Attribute lists in records. ntfs-3g keeps them in clusters, Windows in the record while they fit.
//! One is put there by hand; then ntfs-3g says again what is in the file.

use crate::fragmented::is_resident;
use crate::hold::hold;
use crate::reader::{self, can_mount};
use crate::volume::{Volume, set};
use ntfs_reader::FileReference;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;

const LIST: u8 = 0x20;
const HEAD: usize = 0x18;

#[test]
fn lists_in_the_record() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(16, &[]);
    let mounted = volume.mount("noatime");
    let file = mounted.path().join("file");
    fs::write(&file, "content").unwrap();
    let name =
        |index| mounted.path().join(format!("another-name-of-the-file-that-is-long-{index}"));
    for index in 0..9 {
        fs::hard_link(&file, name(index)).unwrap();
        set(&file, &format!("user.stream-{index}"), &[index; 100]);
    }
    // The list stays when most of it is gone.
    for index in 0..7 {
        fs::remove_file(name(index)).unwrap();
        rustix::fs::lremovexattr(&file, format!("user.stream-{index}")).unwrap();
    }
    let number = fs::metadata(&file).unwrap().ino();
    drop(mounted);
    assert!(!is_resident(&volume.image(), number));
    put_list_in_record(&volume, FileReference(number));
    assert!(is_resident(&volume.image(), number));
    let reader = hold("lists_in_the_record", volume.mount("ro"), &volume.image(), false);
    let file = reader.ntfs.file(FileReference(number)).unwrap();
    assert_eq!((file.links(), file.streams().len()), (3, 2));
}

fn put_list_in_record(volume: &Volume, file: FileReference) {
    let mut image = volume.bytes();
    let place = reader::open(&volume.image()).locate(file).unwrap()[0].clone();
    let place = place.start as usize..place.end as usize;
    let mut record = image[place.clone()].to_vec();
    undo_fixups(&mut record);
    let old = list_in(&record);
    let list = image[value_of(&record[old.clone()])].to_vec();
    let used = u16_at(&record, 0x18);
    let new =
        [&record[..old.start], &resident(&record[old.clone()], &list), &record[old.end..used]];
    let mut new = new.concat();
    assert!(new.len() <= 1024, "no room: {}", new.len());
    let used = u32::try_from(new.len()).unwrap();
    new[0x18..0x1c].copy_from_slice(&used.to_le_bytes());
    new.resize(1024, 0);
    redo_fixups(&mut new);
    image[place].copy_from_slice(&new);
    fs::write(volume.image(), image).unwrap();
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn undo_fixups(record: &mut [u8]) {
    let fixups = u16_at(record, 4);
    for sector in [1, 2] {
        record.copy_within(fixups + 2 * sector..fixups + 2 * sector + 2, sector * 512 - 2);
    }
}

fn redo_fixups(record: &mut [u8]) {
    let fixups = u16_at(record, 4);
    for sector in [1, 2] {
        record.copy_within(sector * 512 - 2..sector * 512, fixups + 2 * sector);
        record.copy_within(fixups..fixups + 2, sector * 512 - 2);
    }
}

fn list_in(record: &[u8]) -> Range<usize> {
    let mut at = u16_at(record, 0x14);
    while record[at] != LIST {
        at += u16_at(record, at + 4);
    }
    at..at + u16_at(record, at + 4)
}

/// Where the image holds the value of an attribute of one run, in clusters of 4 KiB.
fn value_of(attribute: &[u8]) -> Range<usize> {
    // A head, a length of one byte, a cluster of a few.
    let run = &attribute[u16_at(attribute, 0x20)..];
    let bytes = 0..usize::from(run[0] >> 4);
    let cluster = bytes.fold(0, |all, byte| all | usize::from(run[2 + byte]) << (8 * byte));
    cluster * 4096..cluster * 4096 + u16_at(attribute, 0x30)
}

/// The attribute that holds the value itself.
fn resident(old: &[u8], value: &[u8]) -> Vec<u8> {
    let length = (HEAD + value.len()).next_multiple_of(8);
    let mut new = vec![0; length];
    new[0] = LIST;
    new[4..8].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
    new[0xe..0x10].copy_from_slice(&old[0xe..0x10]);
    new[0x10..0x14].copy_from_slice(&u32::try_from(value.len()).unwrap().to_le_bytes());
    new[0x14] = HEAD as u8;
    new[HEAD..HEAD + value.len()].copy_from_slice(value);
    new
}
