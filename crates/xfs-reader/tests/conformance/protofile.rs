//! What `mkfs.xfs` filled from a folder: version 4 and names without regard to case, which not
//! every kernel mounts. The folder says what is right. Owners and devices need root.

use crate::{protofiles, reader::Reader, second_witness};
use conformance::{
    Answer, Content, Metadata, Row, Subject, Tree, Xattrs, compare, mkfs, report, tool, witness,
    workplace,
};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::Arc;
use xfs_reader::log::State;
use xfs_reader::{InodeNumber, Xfs};

/// A reader of which only that is asked which a protofile holds.
struct Told(Reader);

impl Subject for Told {
    type Node = InodeNumber;

    fn root(&self) -> InodeNumber {
        self.0.root()
    }

    fn metadata(&self, node: &InodeNumber) -> Answer<Metadata> {
        let all = self.0.metadata(node)?;
        let size = all.size.filter(|_| all.kind != Some(conformance::Kind::Directory));
        let unknown = Metadata { inode: None, accessed: None, modified: None, ..all };
        Ok(Metadata { size, changed: None, created: None, ..unknown })
    }

    fn list(&self, directory: &InodeNumber) -> Answer<Vec<(Vec<u8>, InodeNumber)>> {
        self.0.list(directory)
    }

    fn lookup(&self, directory: &InodeNumber, name: &[u8]) -> Answer<Option<InodeNumber>> {
        self.0.lookup(directory, name)
    }

    fn read(&self, file: &InodeNumber, offset: u64, out: &mut [u8]) -> Answer<usize> {
        self.0.read(file, offset, out)
    }

    fn read_link(&self, link: &InodeNumber) -> Answer<Vec<u8>> {
        self.0.read_link(link)
    }

    fn xattrs(&self, node: &InodeNumber) -> Answer<Xattrs> {
        self.0.xattrs(node)
    }

    fn looks_up_fast(&self, directory: &InodeNumber) -> bool {
        self.0.looks_up_fast(directory)
    }
}

fn fill(root: &Path, entries: usize, longest_link: usize) {
    for size in [0_usize, 1, 255, 511, 512, 513, 4095, 4096, 4097, 65_535, 65_537, 3_000_001] {
        let bytes: Vec<u8> =
            (0..size).map(|index| (index * 7 + index / 251 + size) as u8).collect();
        fs::write(root.join(format!("file-{size}")), bytes).unwrap();
    }
    let deep = (0..40).fold(root.to_owned(), |path, level| path.join(format!("d{level}")));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("bottom"), "deep").unwrap();
    for (folder, count) in
        [("empty", 0), ("few", 9), ("some", 70), ("more", 700), ("large", entries)]
    {
        fs::create_dir(root.join(folder)).unwrap();
        for index in 0..count {
            let tail: &[u8] = if index % 3 == 0 { b"\xe9\xff\x80" } else { b"plain" };
            let name = [format!("a-name-in-a-folder-{index}-").as_bytes(), tail].concat();
            fs::write(root.join(folder).join(OsStr::from_bytes(&name)), "").unwrap();
        }
    }
    for name in [&[b'n'; 255][..], &[0xe9; 255], b"not-utf8-\xff\xfe", b"odd!\"'\\|<>*?", b"..."] {
        fs::write(root.join(OsStr::from_bytes(name)), name).unwrap();
    }
    let lengths = [1, 60, 100, 156, 157, 200, 300, 500, 512, 513, 1023];
    for length in lengths.into_iter().filter(|length| *length <= longest_link) {
        let target = &"folder/".repeat(200)[..length];
        symlink(target, root.join(format!("link-{length}"))).unwrap();
    }
    special(root);
}

fn special(root: &Path) {
    let mode = Mode::from_raw_mode(0o640);
    for (major, minor) in [(1, 3), (255, 255), (259, 65_535)] {
        for (name, kind) in [("char", FileType::CharacterDevice), ("block", FileType::BlockDevice)]
        {
            let path = root.join(format!("{name}-{major}-{minor}"));
            mknodat(CWD, path, kind, mode, makedev(major, minor)).unwrap();
        }
    }
    mknodat(CWD, root.join("fifo"), FileType::Fifo, mode, 0).unwrap();
    for (mode, owner) in
        [(0o0, 65_535), (0o4755, 65_536), (0o2711, 100_000), (0o6644, 4_000_000_000)]
    {
        let path = root.join(format!("mode-{mode:o}"));
        fs::write(&path, "").unwrap();
        chown(&path, Some(owner), Some(owner)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn check(features: &str, options: &[&str], entries: usize) {
    if !test_material::root() {
        return;
    }
    let work = workplace();
    let (image, source) = (work.path().join("image"), work.path().join("source"));
    // mkfs.xfs writes no headers to links of version 5 that do not fit their inodes.
    let longest_link = if options.contains(&"crc=0") { 1023 } else { 300 };
    let mut tree = source_tree(&source, entries, longest_link);
    if options.contains(&"version=ci") {
        fold_case(&mut tree);
    }
    let described = work.path().join("protofile");
    fs::write(&described, protofiles::describe(&tree, &source)).unwrap();
    let made = ["mkfs.xfs", "-q", "-f", "-p", described.to_str().unwrap()];
    mkfs(&image, 400, &[&made, options].concat());
    let repair = tool("xfs_repair").arg("-n").arg(&image).output().unwrap();
    assert!(repair.status.success(), "{}", String::from_utf8_lossy(&repair.stderr));
    let subject =
        Told(Reader(Xfs::open(Arc::new(block_source::FileSource::open(&image).unwrap())).unwrap()));
    let differences = compare(&tree, &subject);
    let entries = tree.nodes.len();
    report(&Row {
        format: "xfs",
        features,
        witness: "mkfs.xfs",
        entries,
        differences: &differences,
    });
    let text: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{features}\n{}", text.join("\n"));
    assert_eq!(subject.0.0.log(), Some(&State::Clean), "{features}");
    let folds = subject.0.0.superblock().folds_case();
    assert_eq!(second_witness::agrees(&image, &subject.0.0), !folds, "lamxfs on {features}");
}

fn source_tree(source: &Path, entries: usize, longest_link: usize) -> Tree {
    fs::create_dir(source).unwrap();
    fill(source, entries, longest_link);
    witness(source)
}

/// Names that the source's filesystem did not find, for they are of another case.
fn fold_case(tree: &mut Tree) {
    let paths: Vec<_> = tree.nodes.keys().cloned().collect();
    for path in paths {
        let names: Vec<_> = tree.names(&path).into_iter().map(<[u8]>::to_vec).collect();
        let Content::Directory(lookups) = &mut tree.nodes.get_mut(&path).unwrap().content else {
            continue;
        };
        for (name, found) in lookups.iter_mut().filter(|(_, found)| found.is_none()) {
            *found = names.iter().find(|it| it.eq_ignore_ascii_case(name)).cloned();
        }
    }
}

/// A test for each set of features: options of mkfs.xfs, entries of the largest folder.
macro_rules! cases {
    ($($name:ident: [$($option:literal),*], $entries:literal;)*) => {
        $(#[test] fn $name() { check(stringify!($name), &[$($option),*], $entries); })*
    };
}

cases! {
    version_4: ["-m", "crc=0"], 40_000;
    version_4_no_file_types: ["-m", "crc=0", "-n", "ftype=0"], 12_000;
    version_4_blocks_of_512: ["-m", "crc=0", "-b", "size=512"], 40_000;
    version_4_blocks_of_1k: ["-m", "crc=0", "-b", "size=1024"], 12_000;
    version_4_blocks_of_2k: ["-m", "crc=0", "-b", "size=2048", "-n", "size=32768"], 12_000;
    version_4_blocks_of_16k: ["-m", "crc=0", "-b", "size=16384"], 12_000;
    version_4_blocks_of_64k: ["-m", "crc=0", "-b", "size=65536"], 12_000;
    version_4_folder_blocks_of_64k: ["-m", "crc=0", "-n", "size=65536"], 40_000;
    version_4_inodes_of_2k: ["-m", "crc=0", "-i", "size=2048"], 3_000;
    version_4_attr_1: ["-m", "crc=0", "-i", "attr=1,projid32bit=0", "-l", "lazy-count=0,version=1"], 3_000;
    version_4_sectors_of_4k: ["-m", "crc=0", "-s", "size=4096"], 3_000;
    version_4_folds_case: ["-m", "crc=0", "-n", "version=ci"], 3_000;
    version_5_folds_case: ["-n", "version=ci"], 3_000;
    version_5_blocks_of_64k: ["-b", "size=65536"], 12_000;
}
