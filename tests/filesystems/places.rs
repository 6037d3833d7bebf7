//! What the adapters say of where things are on the device, held against what reading them fetches: with
//! those places fetched, nothing more is read but what leads to them.

use crate::support::{open_source, script};
use conformance::{Mounted, can_mount, mkfs, workplace};
use sidelight::block::{BlockSource, FileSource};
use sidelight::filesystem::{FileSystem, Kind, NodeId};
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use test_material::Counting;

/// Files in the largest folder, which takes more than one block in all formats. mtools needs minutes for
/// more than [`FEWER`].
const MANY: usize = 3000;
const FEWER: usize = 300;
/// Pieces of each of two files that are written by turns.
const PIECES: usize = 60;
/// Bytes in all files together, but for the small ones.
const LARGE: u64 = 3 << 20;

/// What a format can tell.
#[derive(Clone, Copy)]
struct Tells {
    files: bool,
    folders: bool,
    nodes: bool,
    /// Bytes of a node of the trees that are asked for the checksums of data.
    tree: u64,
}

const ALL: Tells = Tells { files: true, folders: true, nodes: true, tree: 0 };
const DATA: Tells = Tells { nodes: false, ..ALL };

fn fill(place: &Path, count: usize) {
    let many = place.join("many");
    fs::create_dir_all(place.join("deep/er")).unwrap();
    fs::create_dir(&many).unwrap();
    for number in 0..count {
        fs::write(many.join(format!("a-longer-name-of-a-file-{number}")), number.to_string())
            .unwrap();
    }
    let large: Vec<u8> = (0..LARGE / 8)
        .flat_map(|it| it.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
        .collect();
    fs::write(place.join("deep/er/large"), large).unwrap();
    fs::write(place.join("empty"), "").unwrap();
    for piece in 0..PIECES {
        for name in ["one", "other"] {
            let mut file =
                fs::File::options().append(true).create(true).open(place.join(name)).unwrap();
            file.write_all(&[piece as u8; 4096]).unwrap();
            file.sync_all().unwrap();
        }
    }
}

/// Made by the kernel or ntfs-3g, and copied: at the end, or while it is in use.
fn filled(work: &Path, mkfs_by: &[&str], mount: &[&str], in_use: bool) -> PathBuf {
    let (image, copy) = (work.join("image"), work.join("copy"));
    mkfs(&image, 320, mkfs_by);
    let mounted = Mounted::by(mount, &image, &work.join("place"));
    fill(mounted.path(), MANY);
    if in_use {
        script("sync -f \"$2\"; cp \"$1\" \"$3\"", &[&image, mounted.path(), &copy]);
        return copy;
    }
    drop(mounted);
    image
}

fn is_within(read: &[Range<u64>], places: &[Range<u64>]) -> bool {
    read.iter().all(|read| {
        let mut at = read.start;
        while let Some(place) = places.iter().find(|it| it.contains(&at)) {
            at = place.end;
        }
        at >= read.end
    })
}

/// An image that is walked through, and what was counted.
struct Walk<'a> {
    filesystem: &'a dyn FileSystem,
    counting: &'a Counting,
    tells: Tells,
    files: usize,
    /// Bytes in the ranges of files.
    bytes: u64,
}

impl Walk<'_> {
    /// Reads one node; the nodes in it, if it is a directory.
    fn node(&mut self, node: NodeId) -> Vec<NodeId> {
        self.counting.take();
        let mut places = self.filesystem.metadata_ranges(&[node]).unwrap();
        places.extend(self.counting.take().ranges);
        let metadata = self.filesystem.metadata(node).unwrap();
        let read = self.counting.take().ranges;
        assert!(!self.tells.nodes || is_within(&read, &places), "{node:?}: {read:?} {places:?}");
        places.extend(read);
        let told =
            if metadata.kind == Kind::Directory { self.tells.folders } else { self.tells.files };
        let length = if metadata.kind == Kind::Directory { u64::MAX } else { metadata.size };
        let ranges = self.filesystem.ranges(node, 0, length).unwrap();
        places.extend(self.counting.take().ranges);
        places.extend(ranges.iter().cloned());
        let inside = self.read(node, metadata.kind, metadata.size);
        let mut read = self.counting.take().ranges;
        read.retain(|range| range.end - range.start != self.tells.tree);
        assert!(!told || is_within(&read, &places), "{node:?}: {read:?} {places:?}");
        if metadata.kind == Kind::File {
            self.files += 1;
            self.bytes += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        }
        self.children(&inside);
        inside
    }

    fn read(&self, node: NodeId, kind: Kind, size: u64) -> Vec<NodeId> {
        if kind == Kind::Directory {
            let listing = self.filesystem.read_dir(node).unwrap();
            assert!(listing.damage.is_empty(), "{:?}", listing.damage);
            return listing.entries.iter().map(|entry| entry.node).collect();
        }
        if kind == Kind::File {
            let mut bytes = vec![0; size as usize];
            assert_eq!(self.filesystem.read_at(node, 0, &mut bytes).unwrap(), bytes.len());
        }
        Vec::new()
    }

    /// The places of many are those of each, in order and joined.
    fn children(&self, nodes: &[NodeId]) {
        let all = self.filesystem.metadata_ranges(nodes).unwrap();
        assert!(all.windows(2).all(|pair| pair[0].end < pair[1].start), "{all:?}");
        for node in nodes {
            assert!(is_within(&self.filesystem.metadata_ranges(&[*node]).unwrap(), &all));
        }
        assert_eq!(self.tells.nodes && !nodes.is_empty(), !all.is_empty());
    }
}

fn check(format: &str, image: &Path, tells: Tells, count: usize) {
    let counting = Counting::new(FileSource::open(image).unwrap());
    let source: Arc<dyn BlockSource> = Arc::new(counting.clone());
    let reader = open_source(format, &[source]);
    let filesystem = &*reader.filesystem;
    let mut walk = Walk { filesystem, counting: &counting, tells, files: 0, bytes: 0 };
    let mut todo = vec![reader.root];
    while let Some(node) = todo.pop() {
        todo.extend(walk.node(node));
    }
    assert!(walk.files == count + 4, "{} files", walk.files);
    assert!(!tells.files || walk.bytes >= LARGE, "{} bytes", walk.bytes);
    eprintln!("{format}: {} files, {} bytes in their ranges", walk.files, walk.bytes);
}

fn mounted(format: &str, mkfs_by: &[&str], mount: &[&str], in_use: bool) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = filled(work.path(), mkfs_by, mount, in_use);
    check(format, &image, ALL, MANY);
}

const LOOP: [&str; 3] = ["mount", "-o", "loop,noatime"];

#[test]
fn ext4() {
    mounted("ext4", &["mke2fs", "-q", "-F", "-t", "ext4"], &LOOP, false);
}

/// Old block maps instead of extents.
#[test]
fn ext3() {
    mounted("ext4", &["mke2fs", "-q", "-F", "-t", "ext3"], &LOOP, false);
}

/// Copies of blocks in the journal count in place of the blocks.
#[test]
fn ext4_in_use() {
    mounted("ext4", &["mke2fs", "-q", "-F", "-t", "ext4"], &LOOP, true);
}

#[test]
fn xfs() {
    mounted("xfs", &["mkfs.xfs", "-q", "-f"], &LOOP, false);
}

#[test]
fn xfs_in_use() {
    mounted("xfs", &["mkfs.xfs", "-q", "-f"], &LOOP, true);
}

#[test]
fn ntfs() {
    mounted("ntfs", &["mkntfs", "-q", "-F", "-Q"], &["ntfs-3g"], false);
}

/// Packed from a folder that no filesystem of the kind was mounted for.
fn packed(format: &str, text: &str, tells: Tells, count: usize) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (source, image) = (work.path().join("source"), work.path().join("image"));
    fs::create_dir(&source).unwrap();
    fill(&source, count);
    script(text, &[&source, &image]);
    check(format, &image, tells, count);
}

#[test]
fn squashfs() {
    let text = "mksquashfs \"$1\" \"$2\" -quiet -no-progress -comp zstd";
    packed("squashfs", text, DATA, MANY);
}

#[test]
fn squashfs_that_packs_nothing() {
    let text = "mksquashfs \"$1\" \"$2\" -quiet -no-progress -noI -noD -noF";
    packed("squashfs", text, DATA, MANY);
}

#[test]
fn vfat() {
    let text = r#"truncate -s 320M "$2"; mkfs.vfat -F 32 "$2" > /dev/null
        mcopy -s -i "$2" "$1"/* ::"#;
    packed("vfat", text, DATA, FEWER);
}

/// Entries are in the tree that leads to them, so that folders have no places of their own.
#[test]
fn btrfs() {
    let text = r#"truncate -s 320M "$2"; mkfs.btrfs -q -r "$1" "$2""#;
    packed("btrfs", text, Tells { folders: false, tree: 16 << 10, ..DATA }, MANY);
}
