//! Asks the kernel all there is to know of a mounted tree.

use crate::{Content, Digest, Kind, Node, Probe, Time, Tree, Xattrs};
use rustix::fs::{
    AtFlags, CWD, SeekFrom, StatxFlags, StatxTimestamp, lgetxattr, llistxattr, statx,
};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Files are read in pieces of this size.
const PIECE: u64 = 1 << 20;
/// Of larger files, holes are only read in places.
const LARGE: u64 = 64 << 20;

/// What the kernel says of all files under `root`, which must stand still.
pub fn witness(root: &Path) -> Tree {
    let mut tree = Tree::default();
    let mut todo = vec![Vec::new()];
    tree.nodes.insert(Vec::new(), node(root));
    while let Some(path) = todo.pop() {
        let folder = if path.is_empty() { root.to_owned() } else { root.join(os(&path)) };
        let mut listed = BTreeMap::new();
        for entry in fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().as_bytes().to_vec();
            let found = node(&folder.join(os(&name)));
            let below =
                if path.is_empty() { name.clone() } else { [&path[..], b"/", &name].concat() };
            if found.kind == Kind::Directory {
                todo.push(below.clone());
            }
            listed.insert(name, found.inode);
            tree.nodes.insert(below, found);
        }
        let lookups = lookups(&folder, &listed);
        tree.nodes.get_mut(&path).unwrap().content = Content::Directory(lookups);
    }
    tree
}

fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

fn node(path: &Path) -> Node {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, wanted)
        .unwrap_or_else(|error| panic!("statx of {}: {error}", path.display()));
    let mode = u32::from(found.stx_mode);
    let kind = Kind::of_mode(mode);
    let created = found.stx_mask & StatxFlags::BTIME.bits() != 0;
    Node {
        inode: found.stx_ino,
        kind,
        mode: mode & 0o7777,
        links: u64::from(found.stx_nlink),
        uid: found.stx_uid,
        gid: found.stx_gid,
        size: found.stx_size,
        device: (found.stx_rdev_major, found.stx_rdev_minor),
        accessed: time(&found.stx_atime),
        modified: time(&found.stx_mtime),
        changed: time(&found.stx_ctime),
        created: created.then(|| time(&found.stx_btime)),
        xattrs: xattrs(path),
        content: match kind {
            Kind::File => file(path, found.stx_size),
            Kind::Symlink => {
                Content::Link(fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec())
            }
            _ => Content::None,
        },
    }
}

fn time(found: &StatxTimestamp) -> Time {
    Time { seconds: found.tv_sec, nanoseconds: found.tv_nsec }
}

fn xattrs(path: &Path) -> Xattrs {
    let mut names = vec![0_u8; 65_536];
    let length = match llistxattr(path, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::OPNOTSUPP) => return Xattrs::new(),
        Err(error) => panic!("listxattr of {}: {error}", path.display()),
    };
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let attribute = |name: &[u8]| {
        let mut value = vec![0_u8; 65_536];
        let length = lgetxattr(path, name, &mut value[..]).unwrap();
        value.truncate(length);
        (name.to_vec(), value)
    };
    names.map(attribute).collect()
}

/// Names that are asked for in a directory: some that are there, changed a little.
fn lookups(folder: &Path, listed: &BTreeMap<Vec<u8>, u64>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let step = (listed.len() / 40).max(1);
    let mut asked = vec![b"no such name".to_vec(), b"~".to_vec(), vec![b'q'; 255]];
    for name in listed.keys().step_by(step) {
        asked.extend([name.to_ascii_uppercase(), name.to_ascii_lowercase()]);
        asked.push([&name[..name.len() - 1], b"~"].concat());
        asked.push(name[..name.len() - 1].to_vec());
        asked.push([name, &b"x"[..]].concat());
    }
    // Text only: a filesystem whose names are text may refuse other bytes, or take them as others.
    asked.retain(|name| (1..=255).contains(&name.len()) && str::from_utf8(name).is_ok());
    asked.retain(|name| name != b"." && name != b"..");
    let answer = |name: Vec<u8>| {
        let found = fs::symlink_metadata(folder.join(os(&name))).ok();
        let inode = found.map(|found| std::os::unix::fs::MetadataExt::ino(&found));
        let same = |it: &(&Vec<u8>, &u64)| Some(*it.1) == inode && it.0.eq_ignore_ascii_case(&name);
        let is_listed = listed.contains_key(&name);
        let listed_as = if is_listed {
            Some(name.clone())
        } else {
            listed.iter().find(same).map(|it| it.0.clone())
        };
        assert_eq!(inode.is_some(), listed_as.is_some(), "{name:?} in {}", folder.display());
        (name, listed_as)
    };
    asked.into_iter().map(answer).collect()
}

fn file(path: &Path, size: u64) -> Content {
    if size == 0 {
        return Content::File { whole: Vec::new(), probes: Vec::new() };
    }
    let file = File::open(path).unwrap();
    let read = |(offset, length): (u64, usize)| Probe {
        offset,
        length,
        found: read(&file, offset, length),
    };
    let whole = if size > LARGE {
        written(&file, size)
    } else {
        (0..size).step_by(PIECE as usize).collect()
    };
    Content::File {
        whole: whole.into_iter().map(|offset| read((offset, PIECE as usize))).collect(),
        probes: odd_places(size).into_iter().map(read).collect(),
    }
}

/// Pieces of a large file with data, as the kernel tells, and some others.
fn written(file: &File, size: u64) -> Vec<u64> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Ok(data) = rustix::fs::seek(file, SeekFrom::Data(at)) {
        let hole = rustix::fs::seek(file, SeekFrom::Hole(data)).unwrap();
        pieces.extend((data / PIECE * PIECE..hole).step_by(PIECE as usize));
        at = hole;
    }
    let last = (size - 1) / PIECE;
    pieces.extend((0..=8).map(|eighth| last * eighth / 8 * PIECE));
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

/// Offsets and lengths that are no multiples of anything, over ends of blocks and of the file.
fn odd_places(size: u64) -> Vec<(u64, usize)> {
    let mut places = vec![(1, 3), (size / 3, 4097), (size - 1, 1), (size.saturating_sub(5), 10)];
    places.extend([(size, 7), (size + 4096, 9), (size / 2 + 1, 70_001)]);
    places.extend([511, 1023, 4095, 65_535].map(|at| (at, 2)));
    places.retain(|(at, _)| *at < size + 8192);
    places
}

fn read(file: &File, offset: u64, length: usize) -> Digest {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], offset + filled as u64).unwrap() {
            0 => break,
            more => filled += more,
        }
    }
    Digest::of(&bytes[..filled])
}
