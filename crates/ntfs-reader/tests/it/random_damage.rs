//! Thousands of volumes with random damage to what describes them. Nothing may panic, read without
//! end, or contradict itself.

use crate::reader::can_mount;
use crate::volume::{Volume, reparse, set};
use ntfs_reader::{FileReference, Kind, Ntfs};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use test_material::Counting;

const ROUNDS: u64 = 4000;
const MOST_FILES: usize = 400;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// Something of each kind of thing.
fn fill(root: &Path) {
    let text: Vec<u8> = (0..6000).flat_map(|line| format!("line {line}\n").into_bytes()).collect();
    let packed = root.join("packed");
    fs::create_dir(&packed).unwrap();
    set(&packed, "system.ntfs_attrib_be", &0x810_u32.to_be_bytes());
    fs::write(packed.join("text"), &text).unwrap();
    fs::create_dir_all(root.join("folder/below/deep")).unwrap();
    for index in 0..120 {
        fs::write(root.join(format!("folder/name-of-a-file-{index}")), "small").unwrap();
    }
    fs::write(root.join("folder/below/deep/file"), &text).unwrap();
    let pieces = File::create(root.join("pieces")).unwrap();
    for index in 0..600 {
        pieces.write_all_at(b"piece", index * 8192).unwrap();
    }
    for index in 0..40 {
        set(&root.join("pieces"), &format!("user.stream-{index}"), &text[..500]);
        fs::hard_link(root.join("pieces"), root.join(format!("folder/link-{index}"))).unwrap();
    }
    fs::write(root.join("link"), "").unwrap();
    let target = [[0_u8, 0, 8, 0, 8, 0, 0, 0, 1, 0, 0, 0], *b"f\0o\0l\0d\0\0\0\0\0"].concat();
    set(&root.join("link"), "system.ntfs_reparse_data", &reparse(0xa000_000c, &target));
    for (name, algorithm) in [("xpress", 0), ("lzx", 1)] {
        let path = root.join(name);
        fs::write(&path, vec![0; 50_000]).unwrap();
        let mut stored: Vec<u8> = (0..20_000_u32).map(|at| ((at * at) >> 7) as u8).collect();
        let width = if algorithm == 0 { 4096 } else { 32_768 };
        for chunk in 1..50_000_usize.div_ceil(width) {
            let end = u32::try_from(chunk * 1400).unwrap();
            stored[chunk * 4 - 4..chunk * 4].copy_from_slice(&end.to_le_bytes());
        }
        set(&path, "user.WofCompressedData", &stored);
        let fields = [1, 2, 1, algorithm].map(u32::to_le_bytes).concat();
        set(&path, "system.ntfs_reparse_data", &reparse(0x8000_0017, &fields));
    }
    assert!(fs::metadata(root.join("pieces")).unwrap().nlink() > 40);
}

/// Where damage hurts: boot sector, records in use, nodes of indexes, compressed data.
fn places(ntfs: &Ntfs, image: &[u8]) -> Vec<usize> {
    let mut ranges: Vec<_> = std::iter::once(0..96).collect();
    for number in (0..400).filter(|number| !(12..24).contains(number)) {
        let Ok(found) = ntfs.locate(FileReference(number)) else { continue };
        ranges.extend(
            found.into_iter().map(|range| range.start as usize..range.start as usize + 480),
        );
        let Ok(file) = ntfs.file(FileReference(number)) else { continue };
        if file.kind == Kind::Directory || file.names().iter().any(|name| name.name == b"text") {
            let found = ntfs.ranges(&file, 0, 40_000).unwrap();
            ranges.extend(found.into_iter().map(|range| range.start as usize..range.end as usize));
        }
    }
    // Most bytes are zeroes that nothing reads.
    ranges
        .into_iter()
        .flatten()
        .filter(|at| image[at / 16 * 16..][..16].iter().any(|byte| *byte != 0))
        .collect()
}

#[test]
fn nothing_panics_or_reads_without_end() {
    if !can_mount() {
        return;
    }
    for cluster in ["512", "4096"] {
        let volume = Volume::new(6, &["-c", cluster]);
        fill(volume.mount("compression,noatime").path());
        let image = volume.bytes();
        let ntfs = Ntfs::open(Arc::new(image.clone())).unwrap();
        let places = places(&ntfs, &image);
        assert!(places.len() > 20_000);
        let whole = walk(&ntfs);
        assert!(whole.files > 120 && whole.errors < 5, "{whole:?}");
        let mut damaged = 0;
        for seed in 0..ROUNDS / 2 {
            let mut random = Random(seed);
            let mut image = image.clone();
            for _ in 0..=random.below(4) {
                damage(&mut image, &places, &mut random);
            }
            let size = image.len() as u64;
            let device = Counting::new(image);
            let Ok(ntfs) = Ntfs::open(Arc::new(device.clone())) else {
                damaged += 1;
                continue;
            };
            let found = walk(&ntfs);
            damaged += u64::from(found.errors > whole.errors || found.files != whole.files);
            let bytes = device.take().bytes;
            assert!(bytes < 60 * size, "seed {seed}: {bytes} bytes read");
        }
        // Damage to times and the like is none to the reader.
        assert!(damaged > ROUNDS / 6, "{damaged}");
    }
}

fn damage(image: &mut [u8], places: &[usize], random: &mut Random) {
    let at = places[random.below(places.len())];
    match random.below(6) {
        0 => image[at] = 0,
        1 => image[at] = 0xff,
        2 => image[at] ^= 1 << random.below(8),
        3 => image[at] = image[at].wrapping_add(1),
        4 => image[at] = random.below(256) as u8,
        _ => {
            let from = places[random.below(places.len())];
            let length = 1 + random.below(40);
            if from.max(at) + length <= image.len() {
                image.copy_within(from..from + length, at);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Walked {
    files: usize,
    errors: usize,
}

fn walk(ntfs: &Ntfs) -> Walked {
    let mut walked = Walked::default();
    let _ = (ntfs.health(), ntfs.volume(), ntfs.log(), ntfs.is_hibernated(), ntfs.missing_bytes());
    let mut seen = BTreeSet::new();
    let mut todo = vec![ntfs.root()];
    while let Some(reference) = todo.pop() {
        if !seen.insert(reference) || seen.len() > MOST_FILES {
            continue;
        }
        walked.files += 1;
        if look(ntfs, reference, &mut todo).is_err() {
            walked.errors += 1;
        }
    }
    walked
}

fn look(
    ntfs: &Ntfs,
    reference: FileReference,
    todo: &mut Vec<FileReference>,
) -> Result<(), ntfs_reader::Error> {
    let file = ntfs.file(reference)?;
    let _ = (file.names(), file.links(), file.reparse());
    for stream in file.streams().iter().take(3) {
        let mut bytes = vec![0; 2000];
        let _ = ntfs.read_stream_at(&file, &stream.name, 0, &mut bytes);
    }
    if file.kind == Kind::Directory {
        let listing = ntfs.read_dir(&file)?;
        for entry in &listing.entries {
            assert!(!entry.name.is_empty() && !entry.name.contains(&b'/'));
            todo.push(entry.file);
        }
        for entry in listing.entries.iter().take(5) {
            let found = ntfs.lookup_exact(&file, &entry.name);
            // What is listed is found, unless damage sent the search elsewhere.
            let _ = found.is_ok_and(|found| found.is_some());
        }
        let _ = ntfs.lookup(&file, b"no such name");
        return listing.damage.reasons.into_iter().next().map_or(Ok(()), Err);
    }
    let _ = (ntfs.read_link(&file), ntfs.ranges(&file, 0, u64::MAX));
    let mut bytes = vec![0; 70_000];
    for offset in [file.size / 2 + 1, file.size.saturating_sub(100), 0] {
        let read = ntfs.read_at(&file, offset, &mut bytes)?;
        assert!(read as u64 <= file.size.saturating_sub(offset));
    }
    file.damage.reasons.into_iter().next().map_or(Ok(()), Err)
}
