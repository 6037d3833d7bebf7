//! Links, devices, pipes, sockets.

use crate::Abilities;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

pub fn links(root: &Path, able: &Abilities) {
    let longest = able.longest_link;
    let lengths = [1, 30, 59, 60, 61, 150, 200, 255, 500, 1000, 1023, longest];
    for length in lengths.into_iter().filter(|length| *length <= longest && longest > 0) {
        let target = &"folder/".repeat(600)[..length];
        let _ = fs::remove_file(root.join(format!("link-{length}")));
        symlink(target, root.join(format!("link-{length}"))).unwrap();
    }
    if able.hard_links {
        fs::write(root.join("hard"), "one file of several names").unwrap();
        for index in 0..200 {
            fs::hard_link(root.join("hard"), root.join(format!("few/hard-{index}"))).unwrap();
        }
    }
}

pub fn devices(root: &Path) {
    let mode = Mode::from_raw_mode(0o640);
    let numbers = [(1, 3), (8, 0), (255, 255), (256, 1), (259, 0xa_bcde), (4095, 0xf_ffff), (0, 0)];
    for (major, minor) in numbers {
        for (name, kind) in [("char", FileType::CharacterDevice), ("block", FileType::BlockDevice)]
        {
            let path = root.join(format!("{name}-{major}-{minor}"));
            mknodat(CWD, path, kind, mode, makedev(major, minor)).unwrap();
        }
    }
    mknodat(CWD, root.join("fifo"), FileType::Fifo, mode, 0).unwrap();
    mknodat(CWD, root.join("socket"), FileType::Socket, mode, 0).unwrap();
}
