//! Small filesystems, made without root by `mkfs.xfs` and `xfs_db`, with folders and attributes of
//! every form.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use xfs_reader::{Inode, Xfs};

/// Folders with as many empty files: in the inode, in one block, with one leaf, with a tree.
pub const FOLDERS: [(&str, usize); 5] =
    [("few", 5), ("some", 20), ("more", 150), ("many", 1500), ("most", 3000)];
/// Files with as many attributes of so many bytes: in the inode, in a leaf, in a tree.
pub const ATTRIBUTES: [(&str, usize, usize); 3] =
    [("attributes-few", 2, 20), ("attributes-more", 12, 30), ("attributes-many", 300, 40)];
/// A value in blocks of its own.
pub const LARGE_VALUE: usize = 20_000;
const MEGABYTES: u64 = 32;

/// A name in one of the folders.
pub fn name(index: usize) -> Vec<u8> {
    format!("a-name-in-a-folder-{index}").into_bytes()
}

/// The content of the file `file`.
pub fn content() -> Vec<u8> {
    (0..9000_u32).flat_map(u32::to_le_bytes).collect()
}

/// An image of 32 MiB, made with these options.
pub fn make(options: &[&str]) -> Vec<u8> {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("image");
    std::fs::write(&path, make_plain(options)).unwrap();
    set_attributes(&path);
    std::fs::read(&path).unwrap()
}

/// The same without attributes.
pub fn make_plain(options: &[&str]) -> Vec<u8> {
    let work = tempfile::tempdir().unwrap();
    let (image, protofile) = (work.path().join("image"), work.path().join("protofile"));
    let file = work.path().join("file");
    std::fs::write(&file, content()).unwrap();
    std::fs::write(&protofile, describe(&file)).unwrap();
    std::fs::File::create(&image).unwrap().set_len(MEGABYTES << 20).unwrap();
    let mut mkfs = tool("mkfs.xfs");
    // The tests of XFS itself ask so for less than 300 MB.
    mkfs.envs([("TEST_DIR", "/"), ("TEST_DEV", "/"), ("QA_CHECK_FS", "/")]);
    mkfs.args(["-q", "-f", "-d", "agcount=2", "-p"]).arg(&protofile).args(options).arg(&image);
    let output = mkfs.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(&image).unwrap()
}

/// Long links are whole in version 4 only: `mkfs.xfs` 6.1 forgets their headers in version 5.
fn describe(file: &Path) -> String {
    let mut text = "-\n0 0\nd--755 0 0\n".to_owned();
    for (folder, count) in FOLDERS {
        writeln!(text, "{folder} d--755 1 2").unwrap();
        for index in 0..count {
            let name = String::from_utf8(name(index)).unwrap();
            writeln!(text, "{name} ---644 {index} 7 /dev/null").unwrap();
        }
        text.push_str("$\n");
    }
    for (name, _, _) in ATTRIBUTES {
        writeln!(text, "{name} ---644 0 0 /dev/null").unwrap();
    }
    writeln!(text, "attribute-large ---644 0 0 /dev/null").unwrap();
    writeln!(text, "file ---600 0 0 {}", file.display()).unwrap();
    writeln!(text, "link l--777 0 0 target").unwrap();
    writeln!(text, "long-link l--777 0 0 {}", "t".repeat(700)).unwrap();
    text.push_str("$\n");
    text
}

fn set_attributes(image: &Path) {
    let mut script = String::new();
    for (file, count, size) in ATTRIBUTES {
        writeln!(script, "path /{file}").unwrap();
        for index in 0..count {
            writeln!(script, "attr_set -u -v {size} attribute-{index}").unwrap();
        }
    }
    writeln!(script, "path /attribute-large\nattr_set -s -v {LARGE_VALUE} large").unwrap();
    writeln!(script, "attr_set -r -v 10 small\nquit").unwrap();
    let mut db = tool("xfs_db");
    db.arg("-x").arg(image).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut db = db.spawn().unwrap();
    db.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(db.wait().unwrap().success());
}

/// A tool, also one that only root's path leads to.
pub fn tool(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command.stdout(Stdio::null());
    command
}

/// The filesystem of an image.
pub fn open(image: &[u8]) -> Xfs {
    Xfs::open(Arc::new(image.to_vec())).unwrap()
}

/// A file in the root directory.
pub fn inode(xfs: &Xfs, name: &str) -> Inode {
    let root = xfs.inode(xfs.root()).unwrap();
    let number = xfs.lookup(&root, name.as_bytes()).unwrap();
    xfs.inode(number.unwrap_or_else(|| panic!("no {name}"))).unwrap()
}
