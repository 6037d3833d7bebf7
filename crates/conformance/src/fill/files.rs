//! Sizes, dates and owners of files.

use super::pattern;
use crate::Abilities;
use rustix::fs::{AtFlags, CWD, Gid, Timespec, Timestamps, Uid, chownat, utimensat};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Sizes around those at which formats change how they keep a file.
pub fn sizes(root: &Path, able: &Abilities) {
    let block = able.block;
    let inline =
        [0, 1, 15, 59, 60, 61, 120, 150, 156, 200, 336, 400, 600, 700, 1023, 1024, 2047, 2048];
    let blocks = [block - 1, block, block + 1, 2 * block, 12 * block, 13 * block + 1];
    let large = [60_000, 65_535, 65_536, 65_537, 131_072, 700_000];
    for size in inline.into_iter().chain(blocks).chain(large) {
        fs::write(root.join(format!("file-{size}")), pattern(size, size)).unwrap();
    }
    let piece = pattern(1 << 20, 40);
    let mut file = File::create(root.join("file-40-megabytes")).unwrap();
    for index in 0..40_u8 {
        file.write_all(&[index; 16]).unwrap();
        file.write_all(&piece[16..]).unwrap();
    }
}

/// Small files that grew and shrank, and may have been kept in the inode for a while.
pub fn resized(root: &Path) {
    for (from, to) in [(10, 100), (100, 10), (50, 5000), (5000, 50), (3000, 0), (100_000, 60_001)] {
        let path = root.join(format!("resized-{from}-{to}"));
        fs::write(&path, pattern(from, to)).unwrap();
        File::options().write(true).open(path).unwrap().set_len(to).unwrap();
    }
    let path = root.join("appended");
    for part in 0..300 {
        let mut file = File::options().create(true).append(true).open(&path).unwrap();
        file.write_all(&pattern(1 + part % 50, part)).unwrap();
    }
}

/// The years 1901, 1938, 1969, 2038 before and after the sign bit, 2100, 2106, 2400 and 2446; the
/// kernel keeps the nearest that the filesystem can.
pub fn dates(root: &Path) {
    let dates = [
        -2_147_483_648,
        -1_009_843_200,
        -1,
        0,
        1_700_000_000,
        2_147_483_647,
        2_147_483_648,
        4_102_444_800,
        4_294_967_296,
        13_569_465_600,
        15_032_385_535,
    ];
    for tv_sec in dates {
        let path = root.join(format!("date{tv_sec:+}"));
        fs::write(&path, "").unwrap();
        let times = Timestamps {
            last_access: Timespec { tv_sec: tv_sec - 1000, tv_nsec: 1 },
            last_modification: Timespec { tv_sec, tv_nsec: 999_999_999 },
        };
        utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}

pub fn owners(root: &Path) {
    for (uid, gid) in [(65_535, 65_536), (100_000, 4_000_000_000), (4_294_967_294, 7)] {
        let path = root.join(format!("owner-{uid}-{gid}"));
        fs::write(&path, "").unwrap();
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        chownat(CWD, path, uid, gid, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
    for mode in [0o0, 0o4755, 0o2711, 0o1777, 0o777] {
        let path = root.join(format!("mode-{mode:o}"));
        fs::write(&path, "").unwrap();
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
}
