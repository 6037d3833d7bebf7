//! Filesystems made and filled by mke2fs, with every feature it can fill: each file, link and
//! folder must come back as it went in. Needs e2fsprogs, no root.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/second_witness.rs"]
mod second_witness;

use ext4_reader::{Ext4, Inode, InodeNumber, Kind};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

const FEATURES: &[(&str, &[&str])] = &[
    ("ext2", &["-t", "ext2"]),
    ("ext3", &["-t", "ext3"]),
    ("ext4", &["-t", "ext4"]),
    ("blocks_of_1k", &["-t", "ext4", "-b", "1024"]),
    ("blocks_of_1k_ext2", &["-t", "ext2", "-b", "1024"]),
    ("inodes_of_128", &["-t", "ext4", "-I", "128"]),
    ("inodes_of_1024", &["-t", "ext4", "-I", "1024"]),
    ("inline_data", &["-t", "ext4", "-O", "inline_data", "-I", "512"]),
    ("bigalloc", &["-t", "ext4", "-O", "bigalloc"]),
    ("meta_bg", &["-t", "ext4", "-O", "meta_bg,^resize_inode"]),
    ("no_extents", &["-t", "ext4", "-O", "^extents,^64bit"]),
    ("no_64bit", &["-t", "ext4", "-O", "^64bit"]),
    ("no_checksums", &["-t", "ext4", "-O", "^metadata_csum"]),
    ("large_dir_ea_inode", &["-t", "ext4", "-O", "large_dir,ea_inode"]),
    ("sparse_super2_mmp", &["-t", "ext4", "-O", "sparse_super2,mmp,^resize_inode"]),
    ("no_filetype", &["-t", "ext4", "-O", "^filetype"]),
    ("casefold", &["-t", "ext4", "-O", "casefold"]),
    ("no_flex_bg", &["-t", "ext4", "-O", "^flex_bg"]),
];

/// Those of them that `ext4-view` refuses.
const REFUSED_BY_VIEW: &[&str] = &[
    "inodes_of_128",
    "inline_data",
    "meta_bg",
    "large_dir_ea_inode",
    "sparse_super2_mmp",
    "no_filetype",
    "casefold",
];

/// Path to mode, size, modification time and content.
type Listing = BTreeMap<Vec<u8>, (u32, u64, i64, Vec<u8>)>;

fn fill(root: &Path) {
    for size in [0, 1, 59, 60, 61, 150, 400, 1023, 1024, 4096, 5000, 60_000, 700_000_usize] {
        let bytes: Vec<u8> = (0..size).map(|index| (index * 7 + size) as u8).collect();
        fs::write(root.join(format!("file-{size}")), bytes).unwrap();
    }
    let sparse = fs::File::create(root.join("sparse")).unwrap();
    for at in [0, 300_000, 5_000_000, 9_000_001] {
        sparse.write_all_at(b"island", at).unwrap();
    }
    for length in [1, 59, 60, 61, 200, 1000] {
        symlink(&"folder/".repeat(200)[..length], root.join(format!("link-{length}"))).unwrap();
    }
    fs::write(root.join(std::ffi::OsStr::from_bytes(b"not-utf8-\xff\xfe")), "x").unwrap();
    fs::write(root.join("n".repeat(255)), "long name").unwrap();
    let deep = (0..40).fold(root.to_owned(), |path, level| path.join(format!("d{level}")));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("bottom"), "deep").unwrap();
    fs::create_dir(root.join("many")).unwrap();
    for index in 0..2500 {
        fs::write(root.join(format!("many/entry-with-a-longer-name-{index}")), b"").unwrap();
    }
    let old = fs::File::open(root.join("file-1")).unwrap();
    old.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
}

fn witness(root: &Path, folder: &Path, listing: &mut Listing) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        let content = if found.is_file() {
            fs::read(&path).unwrap()
        } else if found.is_symlink() {
            fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()
        } else {
            witness(root, &path, listing);
            Vec::new()
        };
        let size = if found.is_dir() { 0 } else { found.size() };
        let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
        listing.insert(name, (found.mode(), size, found.mtime(), content));
    }
}

fn content(ext4: &Ext4, inode: &Inode) -> Vec<u8> {
    if inode.kind == Kind::Symlink {
        return ext4.read_link(inode).unwrap();
    }
    let mut bytes = vec![0xaa; inode.size as usize + 10];
    let length = ext4.read_at(inode, 0, &mut bytes).unwrap();
    bytes.truncate(length);
    // A read from the middle must give the same bytes.
    let mut middle = vec![0; length / 2];
    let got = ext4.read_at(inode, length as u64 / 3, &mut middle).unwrap();
    assert_eq!(middle[..got], bytes[length / 3..length / 3 + got]);
    bytes
}

fn listing_of(ext4: &Ext4, folder: &Inode) -> Vec<ext4_reader::Entry> {
    let listing = ext4.read_dir(folder).unwrap();
    assert!(listing.damage.is_empty(), "{:?}", listing.damage);
    listing.entries
}

fn ours(ext4: &Ext4, at: InodeNumber, path: &[u8], listing: &mut Listing) {
    let folder = ext4.inode(at).unwrap();
    for entry in listing_of(ext4, &folder) {
        let name =
            if path.is_empty() { entry.name.clone() } else { [path, b"/", &entry.name].concat() };
        if name == b"lost+found" {
            continue;
        }
        if !name.starts_with(b"many/") || name.ends_with(b"77") {
            assert_eq!(ext4.lookup(&folder, &entry.name).unwrap(), Some(entry.inode));
        }
        let inode = ext4.inode(entry.inode).unwrap();
        let is_folder = inode.kind == Kind::Directory;
        let kind = match inode.kind {
            Kind::Directory => 0o040_000,
            Kind::Symlink => 0o120_000,
            _ => 0o100_000,
        };
        let data = if is_folder { Vec::new() } else { content(ext4, &inode) };
        let size = if is_folder { 0 } else { inode.size };
        listing.insert(
            name.clone(),
            (kind | u32::from(inode.mode), size, inode.modified.seconds, data),
        );
        if is_folder {
            ours(ext4, entry.inode, &name, listing);
        }
    }
    assert_eq!(ext4.lookup(&folder, b"no such name").unwrap(), None);
}

fn make(root: &Path, image: &Path, options: &[&str]) {
    let file = fs::File::create(image).unwrap();
    file.set_len(64 << 20).unwrap();
    let status = tool("mke2fs")
        .args(["-q", "-F", "-N", "8192", "-L", "label", "-d"])
        .arg(root)
        .args(options)
        .arg(image)
        .status();
    assert!(status.expect("e2fsprogs is installed").success(), "{options:?}");
}

#[test]
fn every_feature_gives_back_what_went_in() {
    let work = tempfile::tempdir().unwrap();
    let (root, image) = (work.path().join("root"), work.path().join("image"));
    fs::create_dir(&root).unwrap();
    fill(&root);
    let mut expected = Listing::new();
    witness(&root, &root, &mut expected);
    for (name, options) in FEATURES {
        make(&root, &image, options);
        let device = block_source::FileSource::open(&image).unwrap();
        let ext4 = Ext4::open(Arc::new(device)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut found = Listing::new();
        ours(&ext4, ext4.root(), b"", &mut found);
        assert_eq!(found.len(), expected.len(), "{name}");
        for (path, row) in &expected {
            assert!(found.get(path) == Some(row), "{name}: {}", String::from_utf8_lossy(path));
        }
        assert_eq!(ext4.superblock().label, b"label", "{name}");
        let seen = second_witness::agrees(&image, &ext4);
        assert_eq!(seen, !REFUSED_BY_VIEW.contains(name), "{name}");
    }
}

/// e2fsck indexes the folder, by hashes of folded names if the folder folds case.
#[test]
fn folders_that_e2fsck_has_indexed_are_searched_by_exact_names() {
    const INDEXED: u32 = 0x1000;
    let work = tempfile::tempdir().unwrap();
    let (root, image) = (work.path().join("root"), work.path().join("image"));
    fs::create_dir_all(root.join("many")).unwrap();
    for index in 0..500 {
        fs::write(root.join(format!("many/A-Name-With-Capitals-{index}")), b"").unwrap();
    }
    for (flags, folds) in [("0x80000", false), ("0x40080000", true)] {
        make(&root, &image, &["-t", "ext4", "-b", "1024", "-O", "casefold"]);
        let request = format!("set_inode_field /many flags {flags}");
        tool("debugfs").args(["-w", "-R", &request]).arg(&image).output().unwrap();
        let checked = tool("e2fsck").arg("-fyD").arg(&image).output().unwrap();
        assert!(matches!(checked.status.code(), Some(0 | 1)), "{checked:?}");
        let ext4 = Ext4::open(Arc::new(fs::read(&image).unwrap())).unwrap();
        let top = ext4.inode(ext4.root()).unwrap();
        let many = ext4.inode(ext4.lookup(&top, b"many").unwrap().unwrap()).unwrap();
        assert_eq!(many.flags & INDEXED, INDEXED);
        assert_eq!(many.flags & 0x4000_0000 != 0, folds);
        for index in 0..500 {
            let name = format!("A-Name-With-Capitals-{index}");
            assert!(ext4.lookup(&many, name.as_bytes()).unwrap().is_some());
            assert_eq!(ext4.lookup(&many, name.to_lowercase().as_bytes()).unwrap(), None);
        }
    }
}

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command
}

#[test]
fn a_damaged_superblock_is_replaced_by_a_backup() {
    let work = tempfile::tempdir().unwrap();
    let (root, image) = (work.path().join("root"), work.path().join("image"));
    fs::create_dir(&root).unwrap();
    fs::write(root.join("file"), "content").unwrap();
    make(&root, &image, &["-t", "ext4", "-b", "1024"]);
    let mut bytes = fs::read(&image).unwrap();
    bytes[1024 + 0x20] ^= 0xff;
    let ext4 = Ext4::open(Arc::new(bytes.clone())).unwrap();
    assert_eq!(ext4.superblock().backup_used, Some(8193));
    let root = ext4.inode(ext4.root()).unwrap();
    assert!(ext4.lookup(&root, b"file").unwrap().is_some());
    bytes[1024..2048].fill(0);
    assert!(!Ext4::claims(&bytes).unwrap());
    assert!(Ext4::claims_backup(&bytes).unwrap());
}

/// Random damage to the metadata: whatever comes back, nothing panics and nothing runs away.
#[test]
fn damage_ends_in_errors() {
    let work = tempfile::tempdir().unwrap();
    let (root, image) = (work.path().join("root"), work.path().join("image"));
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(root.join("a/b/file"), vec![7; 100_000]).unwrap();
    symlink("x".repeat(100), root.join("a/link")).unwrap();
    for options in [["-t", "ext4", "-O", "inline_data"], ["-t", "ext2", "-b", "1024"]] {
        make(&root, &image, &options);
        let mut sound = fs::read(&image).unwrap();
        sound.truncate(24 << 20);
        let chunks = sound.as_chunks::<64>().0;
        let used: Vec<usize> = (0..chunks.len()).filter(|at| chunks[*at] != [0; 64]).collect();
        let mut seed = 42_u64;
        let mut next = move || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize
        };
        for _ in 0..400 {
            let mut changed = Vec::new();
            for _ in 0..8 {
                let at = used[next() % used.len()] * 64 + next() % 64;
                changed.push((at, sound[at]));
                sound[at] = [0, 0xff, next() as u8][next() % 3];
            }
            let device = Arc::new(std::mem::take(&mut sound));
            if let Ok(ext4) = Ext4::open(device.clone()) {
                walk(&ext4, ext4.root(), 0);
            }
            sound = Arc::try_unwrap(device).expect("the reader is gone");
            for (at, byte) in changed.into_iter().rev() {
                sound[at] = byte;
            }
        }
    }
}

fn walk(ext4: &Ext4, at: InodeNumber, depth: usize) {
    let Ok(inode) = ext4.inode(at) else { return };
    let _ = ext4.xattrs(&inode);
    let _ = ext4.read_link(&inode);
    let _ = ext4.read_at(&inode, 0, &mut vec![0; 200_000]);
    let _ = ext4.lookup(&inode, b"file");
    if depth < 4 {
        for entry in ext4.read_dir(&inode).unwrap_or_default().entries.into_iter().take(50) {
            walk(ext4, entry.inode, depth + 1);
        }
    }
}
