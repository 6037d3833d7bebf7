//! Everything that can be asked of a filesystem, harmed or not; what contradicts itself panics.
//! Shared with the fuzz target.

use xfs_reader::{Inode, InodeNumber, Kind, Xfs};

/// How much of a filesystem is looked at, and whether what it says may be a lie told with
/// checksums that hold.
#[derive(Clone, Copy)]
pub struct Walk {
    pub most_nodes: usize,
    pub most_entries: usize,
    pub may_lie: bool,
}

impl Walk {
    pub fn walk(self, xfs: &Xfs) {
        let _ = (xfs.missing_bytes(), xfs.log());
        let mut todo = vec![xfs.root()];
        let mut seen = 0;
        while let Some(number) = todo.pop() {
            seen += 1;
            if seen > self.most_nodes {
                return;
            }
            let Ok(inode) = xfs.inode(number) else { continue };
            look(xfs, &inode);
            if inode.kind == Kind::Directory {
                todo.extend(self.list(xfs, &inode));
            }
        }
    }

    /// What a listing without damage names, a lookup must find.
    fn list(self, xfs: &Xfs, folder: &Inode) -> Vec<InodeNumber> {
        let Ok(listing) = xfs.read_dir(folder) else { return Vec::new() };
        let absent = xfs.lookup(folder, b"no such name");
        if !listing.entries.iter().any(|entry| entry.name == b"no such name") {
            assert!(!matches!(absent, Ok(Some(_))) || xfs.superblock().folds_case());
            // Damage is never turned into a name that is not there; an index that holds answers
            // for the blocks that do not.
            assert!(absent.is_ok() || !listing.damage.is_empty(), "{absent:?}");
        }
        let step = listing.entries.len().div_ceil(self.most_entries).max(1);
        let some = listing.entries.iter().step_by(step);
        for entry in some.clone() {
            assert!(!entry.name.is_empty() && !entry.name.contains(&b'/'));
            let found = xfs.lookup(folder, &entry.name);
            let sound = matches!(found, Ok(Some(_)));
            assert!(sound || self.may_lie || !listing.damage.is_empty(), "{found:?}");
        }
        some.map(|entry| entry.inode).collect()
    }
}

fn look(xfs: &Xfs, inode: &Inode) {
    let mut bytes = vec![0; 20_000];
    for offset in [0, inode.size / 2, inode.size.saturating_sub(5000)] {
        let read = xfs.read_at(inode, offset, &mut bytes);
        assert!(read.is_err() || read.unwrap() as u64 <= inode.size);
    }
    let _ = (xfs.read_link(inode), inode.device());
    let _ = xfs.ranges(inode, 0, inode.size.min(1 << 30));
    for name in [&b"security.large"[..], b"system.posix_acl_access"] {
        let named = xfs.xattr(inode, name);
        if let (Ok(all), Ok(named)) = (xfs.xattrs(inode), named) {
            let listed = all.into_iter().find(|(it, _)| it == name);
            assert_eq!(listed.map(|(_, value)| value), named);
        }
    }
}
