//! Extended attributes and access lists.

use super::pattern;
use crate::{Abilities, XattrRoom};
use rustix::fs::{XattrFlags, lremovexattr, lsetxattr};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

pub fn xattrs(root: &Path, limit: XattrRoom, able: &Abilities) {
    let file = root.join("attributes");
    fs::write(&file, "content").unwrap();
    set(&file, "user.small", b"value");
    set(&file, "user.empty", b"");
    set(&file, "user.zeroes", &[0; 5]);
    set(&file, &format!("user.{}", "n".repeat(200)), b"of a long name");
    many(root, limit);
    values(root, limit);
    if limit.privileged {
        privileged(root, able);
    }
}

/// As many as there is room for, and half of them removed.
fn many(root: &Path, limit: XattrRoom) {
    let count = limit.count.min(limit.total / 64);
    for (name, removed) in [("attributes-many", count), ("attributes-thinned", 2)] {
        let file = root.join(name);
        fs::write(&file, "").unwrap();
        for index in 0..count {
            set(&file, &format!("user.many-{index}"), format!("value {index}").as_bytes());
        }
        for index in (0..count).step_by(removed) {
            lremovexattr(&file, format!("user.many-{index}")).unwrap();
        }
    }
}

/// Values of sizes around those at which formats change how they keep them.
fn values(root: &Path, limit: XattrRoom) {
    let sizes = [30, 100, 240, 250, 255, 256, 700, 1000, 2000, 3000, 4096, 16_000, 60_001, 65_536];
    for size in sizes.into_iter().filter(|size| *size <= limit.value) {
        // Two alike, which may share what holds the value.
        for twin in ["one", "two"] {
            let file = root.join(format!("attribute-of-{size}-{twin}"));
            fs::write(&file, "").unwrap();
            set(&file, "user.large", &pattern(size as u64, 1));
        }
        if size + 3000 <= limit.total {
            let file = root.join(format!("attributes-of-{size}-and-more"));
            fs::write(&file, "some content that may be kept beside them").unwrap();
            set(&file, "user.large", &pattern(size as u64, 2));
            set(&file, "user.small", b"small");
            set(&file, "user.middle", &pattern(700, 3));
        }
    }
}

fn privileged(root: &Path, able: &Abilities) {
    let file = root.join("attributes");
    set(&file, "trusted.note", b"\x01\x02");
    // Revision 2, effective, CAP_NET_RAW.
    set(&file, "security.capability", b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let folder = root.join("folder-with-attributes");
    fs::create_dir(&folder).unwrap();
    set(&folder, "trusted.overlay.opaque", b"y");
    set(&folder, "user.of-a-folder", &[b'f'; 90]);
    fs::write(folder.join("inside"), "").unwrap();
    if able.longest_link > 0 {
        for (name, target) in [("link-with-attribute", 6), ("long-link-with-attribute", 100)] {
            symlink("t".repeat(target), root.join(name)).unwrap();
            set(&root.join(name), "trusted.of-a-link", b"l");
        }
    }
    if able.devices {
        set(&root.join("fifo"), "trusted.of-a-pipe", b"p");
        set(&root.join("char-0-0"), "trusted.overlay.whiteout", b"w");
    }
}

pub fn access_lists(root: &Path) {
    let file = root.join("access-list");
    fs::write(&file, "content").unwrap();
    set(&file, "system.posix_acl_access", &access_list());
    let folder = root.join("default-list");
    fs::create_dir(&folder).unwrap();
    set(&folder, "system.posix_acl_default", &access_list());
    set(&folder, "system.posix_acl_access", &access_list());
    fs::create_dir(folder.join("inherits")).unwrap();
    fs::write(folder.join("inherits-too"), "").unwrap();
}

/// The access list `u::rw-,u:100000:r--,g::r--,g:7:rwx,m::rwx,o::---`, as the kernel takes it.
fn access_list() -> Vec<u8> {
    let unnamed = u32::MAX;
    let entries = [
        (0x1_u16, 6_u16, unnamed),
        (0x2, 4, 100_000),
        (0x4, 4, unnamed),
        (0x8, 7, 7),
        (0x10, 7, unnamed),
        (0x20, 0, unnamed),
    ];
    let mut bytes = vec![2, 0, 0, 0];
    for (tag, permissions, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

fn set(path: &Path, name: &str, value: &[u8]) {
    lsetxattr(path, name, value, XattrFlags::empty())
        .unwrap_or_else(|error| panic!("{name} of {}: {error}", path.display()));
}
