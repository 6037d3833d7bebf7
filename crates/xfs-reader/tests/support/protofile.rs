//! Filesystems that `mkfs.xfs` fills from a folder, by a protofile: also such that the kernel
//! does not mount. Names hold no spaces there, and files have no times, attributes and second
//! names.

use conformance::{Content, Kind, Tree};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The protofile for a tree that is at `root`.
pub fn describe(tree: &Tree, root: &Path) -> Vec<u8> {
    let mut text = b"-\n0 0\n".to_vec();
    text.extend(head(tree, b""));
    text.push(b'\n');
    folder(tree, root, b"", &mut text);
    text
}

fn folder(tree: &Tree, root: &Path, path: &[u8], text: &mut Vec<u8>) {
    for name in tree.names(path) {
        let below = if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() };
        let node = &tree.nodes[&below];
        text.extend([name, b" ", &head(tree, &below)].concat());
        match (&node.content, node.kind) {
            (Content::Link(target), _) => text.extend([b" ", &target[..]].concat()),
            (Content::File { .. }, _) => {
                let file = root.join(std::ffi::OsStr::from_bytes(&below));
                text.extend([b" ", file.as_os_str().as_bytes()].concat());
            }
            (_, Kind::BlockDevice | Kind::CharDevice) => {
                text.extend(format!(" {} {}", node.device.0, node.device.1).bytes());
            }
            _ => {}
        }
        text.push(b'\n');
        if node.kind == Kind::Directory {
            folder(tree, root, &below, text);
        }
    }
    text.extend(b"$\n");
}

/// Kind, set-id bits, permissions, owner and group.
fn head(tree: &Tree, path: &[u8]) -> Vec<u8> {
    let node = &tree.nodes[path];
    let kind = match node.kind {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
        Kind::BlockDevice => 'b',
        Kind::CharDevice => 'c',
        Kind::Fifo => 'p',
        Kind::Socket => panic!("protofiles hold no sockets"),
    };
    let bit = |bit, letter| if node.mode & bit != 0 { letter } else { '-' };
    let mut text = String::from(kind);
    write!(text, "{}{}", bit(0o4000, 'u'), bit(0o2000, 'g')).unwrap();
    write!(text, "{:03o} {} {}", node.mode & 0o777, node.uid, node.gid).unwrap();
    text.into_bytes()
}
