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

/// Damages places among the first `within` bytes that are not zero, and walks.
fn check(format: &str, image: &Path, within: usize, seal: fn(&mut [u8])) {
    let sound = std::fs::read(image).unwrap();
    let used: Vec<usize> = (0..within.min(sound.len())).filter(|at| sound[*at] != 0).collect();
    let format = FORMATS.iter().find(|it| it.name() == format).unwrap();
    let walked = |bytes: Vec<u8>| {
        let source: Arc<dyn BlockSource> = Arc::new(bytes);
        format.open(&[Device::new("disk", source)]).ok().map(|it| walk(&*it))
    };
    let whole = walked(sound.clone()).expect("it opens while it is sound");
    assert_eq!(whole.errors, 0);
    assert!(whole.nodes > 120, "{}", whole.nodes);
    let (mut errors, mut refused) = (0, 0);
    for seed in 1..=RUNS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut bytes = sound.clone();
        for _ in 0..=random.below(6) {
            let at = used[random.below(used.len())];
            bytes[at] = random.below(256) as u8;
        }
        seal(&mut bytes);
        match walked(bytes) {
            Some(found) => errors += u64::from(found.errors > 0),
            None => refused += 1,
        }
    }
    // Else nothing was hit.
    assert!(errors + refused > RUNS / 20, "{errors} {refused}");
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
    check("squashfs", &image, usize::MAX, unsealed);
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
    let [from, to] = [&source, &image].map(|it| it.to_str().unwrap());
    run("mkfs.erofs", &[&["--quiet"], options, &[to, from]].concat());
    check("erofs", &image, usize::MAX, unsealed);
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
    for (width, size) in [("12", "3M"), ("16", "20M"), ("32", "40M")] {
        let text = r#"
            rm -f "$1"; truncate -s "$3" "$1"; mkfs.vfat -F "$4" -s 1 "$1" > /dev/null
            mcopy -s -Q -i "$1" "$2/folder" ::
        "#;
        script(text, &[&image, &source, Path::new(size), Path::new(width)]);
        check("vfat", &image, usize::MAX, unsealed);
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
    check("btrfs", &image, usize::MAX, unsealed);
    check("btrfs", &image, usize::MAX, seal);
}

/// Gives each tree block and the superblock the checksum of what it now is, as a crafted image has.
fn seal(bytes: &mut [u8]) {
    const NODE: usize = 16_384;
    let filesystem = bytes[0x1_0020..0x1_0030].to_vec();
    let put = |block: &mut [u8]| {
        let sum = crc32c(&block[32..]);
        block[..4].copy_from_slice(&sum.to_le_bytes());
    };
    put(&mut bytes[0x1_0000..0x1_1000]);
    for block in bytes.chunks_exact_mut(NODE).filter(|block| block[32..48] == filesystem[..]) {
        put(block);
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0x82f6_3b78 * (sum & 1)))
    };
    !bytes.iter().fold(u32::MAX, step)
}
