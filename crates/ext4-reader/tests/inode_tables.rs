//! Where inodes are, against debugfs: by their own descriptors and by copies of them, when a group is met
//! for the first time and later, from several threads; and that a group's descriptor is read once.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

use ext4_reader::{Ext4, InodeNumber};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use test_material::Counting;

const BLOCK: usize = 1024;
const INODE: u64 = 256;
const INODES: u32 = 2048;
/// Inodes all over the groups, neighbours among them.
const ASKED: [u32; 9] = [1, 2, 255, 256, 257, 900, 901, 1500, INODES];

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command
}

/// Eight groups of 256 inodes.
fn image(path: &Path) -> Vec<u8> {
    std::fs::File::create(path).unwrap().set_len(64 << 20).unwrap();
    let options = ["-q", "-F", "-t", "ext4", "-b", "1024", "-I", "256", "-N", "2048"];
    assert!(tool("mke2fs").args(options).arg(path).status().expect("e2fsprogs").success());
    std::fs::read(path).unwrap()
}

/// Where debugfs says that the inodes are.
fn witnessed(path: &Path) -> Vec<u64> {
    let asked = ASKED.map(|number| format!("imap <{number}>\n")).concat();
    let commands = path.with_extension("commands");
    std::fs::write(&commands, asked).unwrap();
    let output = tool("debugfs").arg("-f").arg(commands).arg(path).output().expect("debugfs");
    let text = String::from_utf8(output.stdout).unwrap();
    let places = text.lines().filter_map(|line| line.trim().strip_prefix("located at block "));
    let place = |text: &str| {
        let (block, offset) = text.split_once(", offset 0x").unwrap();
        block.parse::<u64>().unwrap() * BLOCK as u64 + u64::from_str_radix(offset, 16).unwrap()
    };
    let places: Vec<u64> = places.map(place).collect();
    assert_eq!(places.len(), ASKED.len(), "{text}");
    places
}

fn starts(ext4: &Ext4) -> Vec<u64> {
    ASKED.iter().map(|number| ext4.inode_range(InodeNumber(*number)).unwrap().start).collect()
}

/// The image, and the image without the descriptors of its odd groups.
fn images(work: &Path) -> [(Vec<u8>, u64); 2] {
    let whole = image(&work.join("image"));
    let mut damaged = whole.clone();
    for group in [1, 3, 5, 7] {
        damaged[2 * BLOCK + group * 64..][..64].fill(0xff);
    }
    [(whole, 0), (damaged, 4)]
}

#[test]
fn inodes_are_where_debugfs_says_each_time_and_from_all_threads() {
    let work = tempfile::tempdir().unwrap();
    for (bytes, from_backup) in images(work.path()) {
        let expected = witnessed(&work.path().join("image"));
        let ext4 = Ext4::open(Arc::new(bytes)).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|_| assert_eq!(starts(&ext4), expected)));
            }
        });
        // What is remembered hides no damage.
        assert_eq!(ext4.check_descriptors().from_backup, from_backup);
    }
}

#[test]
fn the_descriptor_of_a_group_is_read_for_its_first_inode_only() {
    let work = tempfile::tempdir().unwrap();
    for (bytes, _) in images(work.path()) {
        let device = Counting::new(bytes);
        let ext4 = Ext4::open(Arc::new(device.clone())).unwrap();
        starts(&ext4);
        device.take();
        assert_eq!(starts(&ext4).len(), ASKED.len());
        assert_eq!(device.take().bytes, 0);
        ext4.inode(ext4.root()).unwrap();
        assert_eq!(device.take().bytes, INODE);
    }
}

#[test]
fn a_group_that_no_descriptor_tells_of_is_asked_again_and_stays_lost() {
    let work = tempfile::tempdir().unwrap();
    let mut bytes = image(&work.path().join("image"));
    // Its own, and the copies after each superblock.
    for group in [0, 1, 3, 5, 7] {
        bytes[(group * 8192 + 2) * BLOCK + 2 * 64..][..64].fill(0xff);
    }
    let ext4 = Ext4::open(Arc::new(bytes)).unwrap();
    for _ in 0..2 {
        assert!(ext4.inode_range(InodeNumber(2 * 256 + 1)).is_err());
        assert!(ext4.inode_range(InodeNumber(3 * 256 + 1)).is_ok());
    }
}
