//! All that our reader says of a replayed tree, in the shape of what the kernel says.

use crate::tree::{Content, Row, Rows};
use xfs_reader::{Inode, InodeNumber, Kind, Time, Xfs};

pub fn by_reader(xfs: &Xfs) -> Rows {
    let mut rows = Rows::new();
    rows.insert(Vec::new(), row(xfs, &xfs.inode(xfs.root()).unwrap()));
    folder(xfs, xfs.root(), b"", &mut rows);
    rows
}

fn folder(xfs: &Xfs, at: InodeNumber, path: &[u8], rows: &mut Rows) {
    let inode = xfs.inode(at).unwrap();
    let listing = xfs.read_dir(&inode).unwrap();
    assert!(listing.damage.is_empty(), "{:?}", listing.damage);
    for entry in listing.entries {
        let inode = xfs.inode(entry.inode).unwrap();
        let name = if path.is_empty() { entry.name } else { [path, b"/", &entry.name].concat() };
        rows.insert(name.clone(), row(xfs, &inode));
        if inode.kind == Kind::Directory {
            folder(xfs, entry.inode, &name, rows);
        }
    }
}

fn row(xfs: &Xfs, inode: &Inode) -> Row {
    let kind = match inode.kind {
        Kind::Fifo => 0o1,
        Kind::CharDevice => 0o2,
        Kind::Directory => 0o4,
        Kind::BlockDevice => 0o6,
        Kind::File => 0o10,
        Kind::Symlink => 0o12,
        Kind::Socket => 0o14,
    };
    let content = match inode.kind {
        Kind::File => content(xfs, inode),
        Kind::Symlink => xfs.read_link(inode).unwrap(),
        _ => Vec::new(),
    };
    let time = |time: Time| (time.seconds, i64::from(time.nanoseconds));
    let attributes = xfs.xattrs(inode).unwrap().into_iter();
    Row {
        inode: inode.number.0,
        mode: kind << 12 | u32::from(inode.mode),
        links: u64::from(inode.links),
        owner: (inode.uid, inode.gid),
        size: inode.size,
        times: [time(inode.accessed), time(inode.modified), time(inode.changed)],
        content: Content(content),
        attributes: attributes.map(|(name, value)| (Content(name), Content(value))).collect(),
    }
}

fn content(xfs: &Xfs, inode: &Inode) -> Vec<u8> {
    let mut bytes = vec![0xaa; inode.size as usize];
    let length = xfs.read_at(inode, 0, &mut bytes).unwrap();
    assert_eq!(length, bytes.len());
    bytes
}
