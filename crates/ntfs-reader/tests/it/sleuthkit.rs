//! A second witness, which shares no code with the tools that made the volume: the Sleuth Kit lists
//! it and reads its files by their numbers.

use crate::fragmented::fragmented;
use crate::reader::can_mount;
use crate::volume::Volume;
use crate::{compressed, reader};
use conformance::tool;
use ntfs_reader::{FileReference, Kind, Ntfs};
use std::collections::BTreeSet;
use std::path::Path;

/// Files that are read, of each volume.
const MOST_READ: usize = 60;

/// Paths and numbers of files and folders, as `fls` prints them: `r/r 64-128-1:\ta/b`.
fn listed(image: &Path) -> BTreeSet<(String, u64)> {
    let output = tool("fls").args(["-r", "-p", "-u"]).arg(image).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("r/r ") || line.starts_with("d/d "));
    let rows = rows.map(|line| {
        let (kind, path) = line.split_once(":\t").unwrap();
        let number = kind[4..].split('-').next().unwrap().parse().unwrap();
        (path.to_owned(), number)
    });
    // Files of the system, and streams, which are listed as `file:stream`.
    rows.filter(|(path, _)| !path.starts_with('$') && !path.contains(':')).collect()
}

fn ours(ntfs: &Ntfs, folder: FileReference, path: &str, all: &mut BTreeSet<(String, u64)>) {
    let listing = ntfs.read_dir(&ntfs.file(folder).unwrap()).unwrap();
    assert!(listing.damage.is_empty());
    for entry in listing.entries {
        let path = format!("{path}{}", String::from_utf8(entry.name).unwrap());
        all.insert((path.clone(), entry.file.number()));
        if ntfs.file(entry.file).unwrap().kind == Kind::Directory {
            ours(ntfs, entry.file, &format!("{path}/"), all);
        }
    }
}

fn check(volume: &Volume) {
    let ntfs = reader::open(&volume.image());
    let mut found = BTreeSet::new();
    ours(&ntfs, ntfs.root(), "", &mut found);
    let told = listed(&volume.image());
    assert!(found == told, "{:?}", found.symmetric_difference(&told).take(9).collect::<Vec<_>>());
    let largest = |number: u64| std::cmp::Reverse(ntfs.file(FileReference(number)).unwrap().size);
    let mut numbers: Vec<u64> = found.iter().map(|(_, number)| *number).collect();
    numbers.sort_by_cached_key(|number| largest(*number));
    for number in numbers.into_iter().take(MOST_READ) {
        let file = ntfs.file(FileReference(number)).unwrap();
        if file.kind == Kind::Directory {
            continue;
        }
        let output = tool("icat").arg(volume.image()).arg(number.to_string()).output().unwrap();
        let mut bytes = vec![0xaa; file.size as usize + 1];
        let read = ntfs.read_at(&file, 0, &mut bytes).unwrap();
        assert!(bytes[..read] == output.stdout, "file {number}");
    }
}

#[test]
fn fragmented_volumes() {
    let Some(volume) = fragmented() else { return };
    check(&volume);
}

#[test]
fn compressed_files() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(64, &[]);
    compressed::fill(volume.mount("compression,noatime").path());
    check(&volume);
}
