//! The comparison finds nothing where a reader is right, and each thing that it gets wrong. The
//! reader here asks the kernel itself, and lies once.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

use conformance::{
    Abilities, Answer, Kind, Metadata, Subject, Time, Tree, Xattrs, compare, fill, witness,
};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lie {
    None,
    Size,
    Links,
    Modified,
    NameMissing,
    NameTooMany,
    LookupMissing,
    LookupTooMany,
    Byte,
    LastByte,
    ShortRead,
    Target,
    Attribute,
    Error,
}

struct Liar {
    root: PathBuf,
    lie: Lie,
}

impl Liar {
    fn lies(&self, lie: Lie, path: &Path, about: &str) -> bool {
        self.lie == lie && path.ends_with(about)
    }
}

impl Subject for Liar {
    type Node = PathBuf;

    fn root(&self) -> PathBuf {
        self.root.clone()
    }

    fn metadata(&self, path: &PathBuf) -> Answer<Metadata> {
        if self.lies(Lie::Error, path, "file-61") {
            return Err("damaged".to_owned());
        }
        let found = fs::symlink_metadata(path).unwrap();
        let wrong = |lie, about| u64::from(self.lies(lie, path, about));
        let seconds = found.mtime() + wrong(Lie::Modified, "empty").cast_signed();
        Ok(Metadata {
            kind: Some(Kind::of_mode(found.mode())),
            inode: Some(found.ino()),
            links: Some(found.nlink() + wrong(Lie::Links, "hard")),
            size: Some(found.size() + wrong(Lie::Size, "file-60")),
            modified: Some(Time { seconds, nanoseconds: found.mtime_nsec().try_into().unwrap() }),
            ..Metadata::default()
        })
    }

    fn list(&self, path: &PathBuf) -> Answer<Vec<(Vec<u8>, PathBuf)>> {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        let mut listed: Vec<_> =
            entries.map(|entry| (entry.file_name().into_vec(), entry.path())).collect();
        if self.lies(Lie::NameMissing, path, "large") {
            listed.pop();
        }
        if self.lies(Lie::NameTooMany, path, "large") {
            listed.push((b"more".to_vec(), path.join("more")));
        }
        Ok(listed)
    }

    fn lookup(&self, path: &PathBuf, name: &[u8]) -> Answer<Option<PathBuf>> {
        let found = path.join(std::ffi::OsStr::from_bytes(name));
        let missing = self.lies(Lie::LookupMissing, &found, "few/hard-3");
        let more = self.lies(Lie::LookupTooMany, &found, "no such name");
        Ok((fs::symlink_metadata(&found).is_ok() && !missing || more).then_some(found))
    }

    fn read(&self, path: &PathBuf, offset: u64, out: &mut [u8]) -> Answer<usize> {
        let length = fs::File::open(path).unwrap().read_at(out, offset).unwrap();
        if self.lies(Lie::Byte, path, "file-65537")
            && (offset..offset + length as u64).contains(&40_000)
        {
            out[(40_000 - offset) as usize] ^= 1;
        }
        let last = length > 0 && self.lies(Lie::LastByte, path, "islands");
        if last && offset + length as u64 == 69_000_500 {
            out[length - 1] = 1;
        }
        let short = self.lies(Lie::ShortRead, path, "file-65537") && length > 0;
        Ok(length - usize::from(short))
    }

    fn read_link(&self, path: &PathBuf) -> Answer<Vec<u8>> {
        let mut target = fs::read_link(path).unwrap().into_os_string().into_vec();
        target.truncate(target.len() - usize::from(self.lies(Lie::Target, path, "link-60")));
        Ok(target)
    }

    fn xattrs(&self, path: &PathBuf) -> Answer<Xattrs> {
        let more = self.lies(Lie::Attribute, path, "file-62");
        let more = more || self.lies(Lie::Attribute, path, "file-61");
        Ok(if more { Xattrs::from([(b"user.name".to_vec(), Vec::new())]) } else { Xattrs::new() })
    }
}

fn tree(root: &Path) -> Tree {
    let able = Abilities {
        devices: false,
        owners: false,
        xattrs: None,
        acls: false,
        large_folders: [1500, 600],
        ..Abilities::default()
    };
    fill(root, &able);
    witness(root)
}

#[test]
fn every_lie_is_found_and_the_truth_is_not_one() {
    let work = conformance::workplace();
    let root = work.path().join("root");
    fs::create_dir(&root).unwrap();
    let tree = tree(&root);
    let differences = |lie| compare(&tree, &Liar { root: root.clone(), lie });
    assert!(differences(Lie::None).is_empty(), "{:#?}", differences(Lie::None));
    let lies = [
        (Lie::Size, "/file-60"),
        (Lie::Links, "/hard"),
        (Lie::Modified, "/empty"),
        (Lie::NameMissing, "/large"),
        (Lie::NameTooMany, "/large"),
        (Lie::LookupMissing, "/few"),
        (Lie::LookupTooMany, "/empty"),
        (Lie::Byte, "/file-65537"),
        (Lie::LastByte, "/islands"),
        (Lie::ShortRead, "/file-65537"),
        (Lie::Target, "/link-60"),
        (Lie::Attribute, "/file-61"),
        (Lie::Error, "/file-61"),
    ];
    for (lie, path) in lies {
        let found = differences(lie);
        assert!(found.iter().any(|difference| difference.path == path), "{lie:?}: {found:#?}");
    }
}
