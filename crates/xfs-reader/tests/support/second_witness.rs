//! The crate `lamxfs` reads the same image by other code: both must tell the same.
//!
//! Left out, for `lamxfs` 0.1.3 does not tell them: times, owners, links, attributes, devices.
//! Of large folders only a part is looked at, for it finds each path from the root.

use lamxfs::{BlockRead, EntryKind, Path, Xfs as Lam};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use xfs_reader::{Inode, InodeNumber, Kind, Xfs};

/// Files of a large folder that are looked at.
const SAMPLED: usize = 60;
/// Bytes of a file that are compared.
const MOST: u64 = 3 << 20;

struct Image(File);

impl BlockRead for Image {
    type Error = std::io::Error;

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read_exact_at(out, offset)
    }
}

/// Compares all that both can read; false if `lamxfs` refuses a feature of the filesystem.
pub fn agrees(image: &std::path::Path, xfs: &Xfs) -> bool {
    let file = File::open(image).unwrap();
    let size = file.metadata().unwrap().len();
    let mut lam = match Lam::open(Image(file), size) {
        Ok(lam) => lam,
        Err(lamxfs::Error::UnsupportedFeature(_)) => return false,
        Err(error) => panic!("lamxfs: {error:?}"),
    };
    assert_eq!(lam.uuid(), xfs.superblock().uuid);
    folder(&mut lam, xfs, xfs.root(), b"");
    true
}

fn folder(lam: &mut Lam<Image>, xfs: &Xfs, at: InodeNumber, path: &[u8]) {
    let listing = xfs.read_dir(&xfs.inode(at).unwrap()).unwrap();
    let ours: BTreeMap<_, _> =
        listing.entries.iter().map(|entry| (entry.name.clone(), entry.inode.0)).collect();
    let whole = if path.is_empty() { b"/" } else { path };
    let theirs = lam.read_dir(Path::new(whole)).unwrap();
    let theirs = theirs.into_iter().filter(|it| it.name != b"." && it.name != b"..");
    let theirs: BTreeMap<_, _> = theirs.map(|it| (it.name, (it.inode_number, it.kind))).collect();
    let numbers: BTreeMap<_, _> = theirs.iter().map(|(name, it)| (name.clone(), it.0)).collect();
    assert!(numbers == ours, "names in {}", String::from_utf8_lossy(path));
    let step = if ours.len() > 1000 { ours.len() / SAMPLED } else { 1 };
    for (name, number) in ours.iter().step_by(step) {
        let inode = xfs.inode(InodeNumber(*number)).unwrap();
        let below = [path, b"/", name].concat();
        compare(lam, xfs, &inode, &below, theirs[name].1);
        if inode.kind == Kind::Directory {
            folder(lam, xfs, inode.number, &below);
        }
    }
}

fn compare(lam: &mut Lam<Image>, xfs: &Xfs, inode: &Inode, path: &[u8], kind: EntryKind) {
    let expected = match inode.kind {
        Kind::Directory => EntryKind::Directory,
        Kind::File => EntryKind::Regular,
        Kind::Symlink => EntryKind::Symlink,
        _ => EntryKind::Other,
    };
    let text = String::from_utf8_lossy(path);
    assert_eq!(kind, expected, "{text}");
    if inode.kind == Kind::Symlink {
        assert_eq!(
            lam.read_link(Path::new(path)).unwrap(),
            xfs.read_link(inode).unwrap(),
            "{text}"
        );
    }
    if inode.kind == Kind::File {
        let theirs = lamxfs::Inode { ino: inode.number.0 };
        let found = lam.metadata(&theirs).unwrap();
        assert_eq!((found.size(), found.mode() & 0o7777), (inode.size, u32::from(inode.mode)));
        for offset in [0, inode.size / 2 + 1, inode.size.saturating_sub(MOST)] {
            content(lam, xfs, inode, offset);
        }
    }
}

fn content(lam: &mut Lam<Image>, xfs: &Xfs, inode: &Inode, offset: u64) {
    let length = inode.size.saturating_sub(offset).min(MOST) as usize;
    let (mut theirs, mut ours) = (vec![1; length], vec![2; length]);
    let read = lam.read_file_at(&lamxfs::Inode { ino: inode.number.0 }, offset, &mut theirs);
    assert_eq!(read.unwrap(), length);
    assert_eq!(xfs.read_at(inode, offset, &mut ours).unwrap(), length);
    assert!(theirs == ours, "inode {} from {offset}", inode.number.0);
}
