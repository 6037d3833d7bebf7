//! Files that ntfs-3g compresses as NTFS does (LZNT1).

use crate::hold::hold;
use crate::reader::can_mount;
use crate::volume::{Volume, set};
use ntfs_reader::Ntfs;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Attributes of a folder whose new files are compressed.
const COMPRESSED: u32 = 0x810;

fn text(lines: u32) -> Vec<u8> {
    (0..lines)
        .flat_map(|line| format!("a line that is like others, number {line}\n").into_bytes())
        .collect()
}

fn noise(size: u64) -> Vec<u8> {
    (0..size).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

pub fn fill(root: &Path) {
    let folder = root.join("compressed");
    fs::create_dir(&folder).unwrap();
    set(&folder, "system.ntfs_attrib_be", &COMPRESSED.to_be_bytes());
    fs::write(folder.join("text"), text(100_000)).unwrap();
    fs::write(folder.join("noise"), noise(500_001)).unwrap();
    fs::write(folder.join("zeroes"), vec![0; 1 << 20]).unwrap();
    fs::write(folder.join("program"), fs::read("/bin/bash").unwrap()).unwrap();
    let mixed = [text(3000), noise(70_000), vec![0; 200_000], text(10)].concat();
    fs::write(folder.join("mixed"), mixed).unwrap();
    for size in [1, 700, 4095, 4096, 4097, 65_535, 65_536, 65_537, 131_071] {
        fs::write(folder.join(format!("text-{size}")), &text(5000)[..size]).unwrap();
    }
    let islands = File::create(folder.join("islands")).unwrap();
    for at in [100, 70_000, 300_000, 1_000_003] {
        islands.write_all_at(&text(300), at).unwrap();
    }
    let appended = File::create(folder.join("appended")).unwrap();
    for (index, piece) in text(4000).chunks(777).enumerate() {
        appended.write_all_at(piece, index as u64 * 777).unwrap();
    }
    let rewritten = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(folder.join("rewritten"))
        .unwrap();
    rewritten.write_all_at(&text(20_000), 0).unwrap();
    rewritten.write_all_at(&noise(100_000), 50_000).unwrap();
    rewritten.set_len(300_333).unwrap();
    fs::write(root.join("plain"), text(20_000)).unwrap();
}

/// Bytes of the device that hold a file.
fn stored(ntfs: &Ntfs, path: &[&str]) -> (u64, u64) {
    let mut file = ntfs.file(ntfs.root()).unwrap();
    for name in path {
        file = ntfs.file(ntfs.lookup(&file, name.as_bytes()).unwrap().unwrap()).unwrap();
    }
    let ranges = ntfs.ranges(&file, 0, u64::MAX).unwrap();
    (ranges.iter().map(|range| range.end - range.start).sum(), file.size)
}

#[test]
fn compressed_files() {
    // Larger clusters cannot be compressed.
    for cluster in ["512", "1024", "4096"] {
        if !can_mount() {
            return;
        }
        let volume = Volume::new(64, &["-c", cluster]);
        fill(volume.mount("compression,noatime").path());
        let mounted = volume.mount("ro");
        let reader = hold(&format!("lznt1_{cluster}"), mounted, &volume.image(), false);
        for name in ["text", "program", "mixed", "zeroes"] {
            let (stored, size) = stored(&reader.ntfs, &["compressed", name]);
            assert!(stored * 10 < size * 9, "{name} is not compressed: {stored} of {size}");
        }
        let (stored, size) = stored(&reader.ntfs, &["plain"]);
        assert_eq!(stored, size);
    }
}
