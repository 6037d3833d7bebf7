//! Damage at random places: whatever is read of it ends, as an answer or an error, and no panic.

use crate::support::{run, script};
use conformance::{can_mount, workplace};
use sidelight::block::{BlockSource, Device};
use sidelight::filesystem::{FORMATS, FileSystem, Kind, NodeId};
use std::path::Path;
use std::sync::Arc;

/// Nodes that a walk looks at; a damaged directory can lead in circles.
const MOST: usize = 400;
const RUNS: u64 = 250;
/// Runs that must have met an error where most bytes are checked by something.
const LEAST: u64 = 12;
/// A part that is put right again after a run; of btrfs, a tree block.
const PART: usize = 16_384;

/// A generator of numbers that is the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}

/// A folder with a bit of everything.
fn source(work: &Path) -> std::path::PathBuf {
    let source = work.join("source");
    std::fs::create_dir_all(source.join("folder/inner")).unwrap();
    for index in 0..120 {
        let name = format!("folder/a-name-that-is-longer-than-eight-{index}");
        std::fs::write(source.join(name), vec![index; usize::from(index) * 90]).unwrap();
    }
    let text: Vec<u8> = (0..300_000_u32).map(|it| (it / 7 % 251) as u8).collect();
    std::fs::write(source.join("folder/inner/large"), text).unwrap();
    source
}

/// What is done to a part of an image after it was damaged.
type Seal = fn(&mut [u8]);

/// Damages places among the first `within` bytes that are not zero, and walks; at least so many of
/// the runs must have met an error.
fn check(format: &str, image: &Path, within: usize, seal: Seal, least: u64) {
    let mut bytes = std::fs::read(image).unwrap();
    let used: Vec<usize> = (0..within.min(bytes.len())).filter(|at| bytes[*at] != 0).collect();
    let format = FORMATS.iter().find(|it| it.name() == format).unwrap();
    let walked = |bytes: &mut Vec<u8>| {
        let whole = Arc::new(std::mem::take(bytes));
        let source: Arc<dyn BlockSource> = whole.clone();
        let found = format.open(&[Device::new("disk", source)]).ok().map(|it| walk(&*it));
        *bytes = Arc::into_inner(whole).expect("the filesystem is gone");
        found
    };
    let whole = walked(&mut bytes).expect("it opens while it is sound");
    assert_eq!(whole.errors, 0);
    assert!(whole.nodes > 120, "{}", whole.nodes);
    let (mut errors, mut refused) = (0, 0);
    for seed in 1..=RUNS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut parts = Vec::new();
        for _ in 0..=random.below(6) {
            let at = used[random.below(used.len())];
            let start = at / PART * PART;
            let part = start..bytes.len().min(start + PART);
            parts.push((start, bytes[part.clone()].to_vec()));
            bytes[at] = random.below(256) as u8;
            seal(&mut bytes[part]);
        }
        match walked(&mut bytes) {
            Some(found) => errors += u64::from(found.errors > 0),
            None => refused += 1,
        }
        // Last first, for a part may have been damaged twice.
        for (start, part) in parts.into_iter().rev() {
            bytes[start..start + part.len()].copy_from_slice(&part);
        }
    }
    assert!(errors + refused >= least, "{errors} {refused}");
}

#[derive(Default)]
struct Walked {
    nodes: usize,
    errors: usize,
}

fn walk(filesystem: &dyn FileSystem) -> Walked {
    let mut walked = Walked::default();
    let mut todo = vec![filesystem.root()];
    filesystem.subvolumes();
    filesystem.warnings();
    while let Some(node) = todo.pop() {
        walked.nodes += 1;
        if walked.nodes > MOST {
            break;
        }
        match visit(filesystem, node) {
            Ok((below, errors)) => {
                walked.errors += errors;
                todo.extend(below);
            }
            Err(_) => walked.errors += 1,
        }
    }
    walked
}

fn visit(
    filesystem: &dyn FileSystem,
    node: NodeId,
) -> Result<(Vec<NodeId>, usize), sidelight::filesystem::Error> {
    let found = filesystem.metadata(node)?;
    filesystem.xattr(node, b"security.capability")?;
    match found.kind {
        Kind::Directory => {
            let listing = filesystem.read_dir(node)?;
            filesystem.lookup(node, b"a-name-that-is-longer-than-eight-7")?;
            Ok((listing.entries.into_iter().map(|it| it.node).collect(), listing.damage.len()))
        }
        Kind::File => {
            let mut bytes = vec![0; 1 << 16];
            filesystem.read_at(node, 0, &mut bytes)?;
            filesystem.read_at(node, found.size / 2, &mut bytes)?;
            filesystem.read_at(node, found.size.saturating_sub(10), &mut bytes)?;
            filesystem.ranges(node, 0, found.size)?;
            Ok((Vec::new(), 0))
        }
        Kind::Symlink => filesystem.read_link(node).map(|_| (Vec::new(), 0)),
        Kind::Other => Ok((Vec::new(), 0)),
    }
}

fn unsealed(_: &mut [u8]) {}

fn squashfs(options: &[&str]) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    let source = source(work.path());
    let [from, to] = [&source, &image].map(|it| it.to_str().unwrap());
    run("mksquashfs", &[&[from, to, "-quiet", "-no-progress"], options].concat());
    check("squashfs", &image, usize::MAX, unsealed, LEAST);
}

#[test]
fn squashfs_packed_by_each() {
    for kind in ["gzip", "xz", "zstd", "lz4", "lzo", "lzma"] {
        squashfs(&["-comp", kind]);
    }
}

#[test]
fn squashfs_with_open_tables() {
    squashfs(&["-noI", "-noF", "-noX", "-noId", "-b", "4K"]);
}

fn erofs(options: &[&str]) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    let source = source(work.path());
    crate::erofs::make(&source, &image, options);
    // Inodes and directories come first; there is nothing to check plain data by.
    check("erofs", &image, 24_000, unsealed, LEAST);
}

#[test]
fn erofs_plain_and_packed() {
    erofs(&[]);
    erofs(&["-zlz4"]);
    erofs(&["-zlz4hc", "-C65536", "-Eall-fragments,dedupe"]);
    erofs(&["--chunksize=4096"]);
}

#[test]
fn vfat() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    let source = source(work.path());
    // The last is where the first table of clusters ends, or what of it is used.
    for (width, size, table) in [("12", "2000K", 6656), ("16", "20M", 9000), ("32", "40M", 24_000)]
    {
        let text = r#"
            rm -f "$1"; truncate -s "$3" "$1"; mkfs.vfat -F "$4" -s 1 "$1" > /dev/null
            mcopy -s -Q -i "$1" "$2/folder" ::
        "#;
        script(text, &[&image, &source, Path::new(size), Path::new(width)]);
        check("vfat", &image, table, unsealed, LEAST);
        // Directories and data have nothing to be checked by.
        check("vfat", &image, usize::MAX, unsealed, 0);
    }
}

#[test]
fn btrfs_with_sums_that_hold_again() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    let source = source(work.path());
    script(r#"truncate -s 114M "$1"; mkfs.btrfs -q -m single -r "$2" "$1""#, &[&image, &source]);
    check("btrfs", &image, usize::MAX, unsealed, LEAST);
    check("btrfs", &image, usize::MAX, seal, LEAST);
}

#[test]
fn names_of_a_crafted_btrfs_with_slashes_or_nul_are_damage() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    let source = source(work.path());
    script(r#"truncate -s 114M "$1"; mkfs.btrfs -q -m single -r "$2" "$1""#, &[&image, &source]);
    let sound = std::fs::read(&image).unwrap();
    let name = b"a-name-that-is-longer-than-eight-77";
    let places: Vec<_> = sound.windows(name.len()).enumerate().filter(|it| it.1 == name).collect();
    assert!(places.len() >= 3, "an index, a hash and a reference: {}", places.len());
    for odd in [b'/', 0] {
        let mut bytes = sound.clone();
        for (at, _) in &places {
            bytes[at + 1] = odd;
            let start = at / PART * PART;
            seal(&mut bytes[start..start + PART]);
        }
        let format = FORMATS.iter().find(|it| it.name() == "btrfs").unwrap();
        let filesystem = format.open(&[Device::new("disk", Arc::new(bytes))]).unwrap();
        let folder = filesystem.lookup(filesystem.root(), b"folder").unwrap().unwrap();
        let listing = filesystem.read_dir(folder).unwrap();
        // 120 files and a folder, but one.
        assert_eq!(listing.entries.len(), 120, "{odd}");
        assert_eq!(listing.damage.len(), 1, "{odd}");
        assert!(listing.damage[0].to_string().starts_with("damaged: name of inode "), "{odd}");
    }
}

/// Gives a tree block or the superblock the checksum of what it now is, as a crafted image has.
fn seal(part: &mut [u8]) {
    let is_superblock = part[0x40..].starts_with(b"_BHRfS_M");
    // A tree block bears its own address, of whole blocks and no more than some gigabytes.
    let is_aligned = part[0x30] == 0 && part[0x31].trailing_zeros() >= PART.trailing_zeros() - 8;
    let is_tree = is_aligned && part[0x35..0x38] == [0; 3] && part[0x20] != 0;
    if is_superblock || is_tree {
        let end = if is_superblock { 4096 } else { part.len() };
        let sum = crc32c(&part[32..end]);
        part[..4].copy_from_slice(&sum.to_le_bytes());
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0x82f6_3b78 * (sum & 1)))
    };
    !bytes.iter().fold(u32::MAX, step)
}
