//! Superblocks that are damaged, whose copies stand in, and such as are refused by name.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/seal.rs"]
mod seal;
#[path = "support/small.rs"]
#[expect(dead_code, reason = "made here, compared elsewhere")]
mod small;

use seal::seal;
use small::{inode, tool};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use xfs_reader::log::{Applied, Shortfall, State};
use xfs_reader::{Error, Superblock, Xfs};

const SECTOR: usize = 512;

fn open(image: &[u8]) -> Result<Xfs, Error> {
    Xfs::open(Arc::new(image.to_vec()))
}

fn refused(image: &[u8]) -> String {
    match open(image) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_copy_stands_in_for_a_damaged_superblock() {
    for options in [&["-b", "size=1024"][..], &["-m", "crc=0"]] {
        let whole = small::make(options);
        let told = open(&whole).unwrap().superblock().clone();
        assert_eq!(told.backup_used, None);
        for (from, to) in [(0, SECTOR), (4, 8), (84, 88), (0, 4)] {
            let mut image = whole.clone();
            image[from..to].fill(0xaa);
            let xfs = open(&image).unwrap();
            // Copies do not learn that there are attributes.
            let version_number = xfs.superblock().version_number;
            assert_eq!(version_number | 0x10, told.version_number);
            let expected = Superblock { backup_used: Some(1), version_number, ..told.clone() };
            assert_eq!(xfs.superblock(), &expected);
            let many = xfs.read_dir(&inode(&xfs, "many")).unwrap();
            assert_eq!((many.entries.len(), many.damage.count), (1500, 0));
            assert!(Xfs::claims_backup(&image).unwrap());
            assert_eq!(Xfs::claims(&image).unwrap(), from > 0);
        }
    }
}

/// Of sizes and numbers of groups that `mkfs.xfs` chooses itself.
#[test]
fn copies_are_found_where_mkfs_puts_them() {
    let cases: [(u64, &[&str]); 5] = [
        (301, &[]),
        (1000, &["-b", "size=1024"]),
        (8192, &["-m", "crc=0"]),
        (20_001, &[]),
        (40_000, &["-d", "agcount=16"]),
    ];
    for (megabytes, options) in cases {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("image");
        let image = File::options().create_new(true).read(true).write(true).open(&path).unwrap();
        // Not a whole number of blocks.
        image.set_len((megabytes << 20) + 512).unwrap();
        assert!(tool("mkfs.xfs").arg("-q").args(options).arg(&path).status().unwrap().success());
        let open = || Xfs::open(Arc::new(block_source::FileSource::open(&path).unwrap()));
        let told = open().unwrap().superblock().clone();
        image.write_all_at(&[0; SECTOR], 0).unwrap();
        let xfs = open().unwrap_or_else(|error| panic!("{megabytes} {options:?}: {error}"));
        let group = xfs.superblock().backup_used;
        assert!(group.is_some());
        assert_eq!(xfs.superblock(), &Superblock { backup_used: group, ..told });
        assert!(xfs.inode(xfs.root()).is_ok());
    }
}

#[test]
fn without_any_copy_the_first_problem_is_told() {
    let mut image = small::make(&[]);
    image[100] ^= 0x10;
    image[(16 << 20) + 8] ^= 1;
    assert!(refused(&image).starts_with("superblock checksum"));
    assert!(!Xfs::claims_backup(&image).unwrap());
    assert!(refused(&vec![0; 1 << 20]).starts_with("no superblock magic"));
    assert!(open(&[]).is_err());
}

#[test]
fn a_copy_inside_a_file_is_not_taken() {
    let mut image = small::make(&[]);
    let copy = image[16 << 20..(16 << 20) + SECTOR].to_vec();
    image[..SECTOR].fill(0);
    image[16 << 20..(16 << 20) + SECTOR].fill(0);
    // At half of the device, if that were larger.
    image.resize(64 << 20, 0);
    image[32 << 20..(32 << 20) + SECTOR].copy_from_slice(&copy);
    assert!(refused(&image).starts_with("no superblock magic"));
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let image = small::make(&[]);
    let cases = [
        (0x200, "zoned"),
        (0x600, "zoned, gaps between zones"),
        (0x8200, "zoned, 0x8000"),
        (0x4000_0000, "0x40000000"),
    ];
    for (features, names) in cases {
        let mut image = image.clone();
        let told = u32::from_be_bytes(image[216..220].try_into().unwrap());
        image[216..220].copy_from_slice(&(told | features).to_be_bytes());
        seal(&mut image[..SECTOR], 224);
        assert_eq!(refused(&image), format!("not supported: incompatible features: {names}"));
    }
    let old = small::make(&["-m", "crc=0"]);
    let cases: [(usize, u8, &str); 3] = [
        (101, 3, "XFS of version 3"),
        (100, 0x94, "directories of version 1"),
        (201, 0x08, "features2 0x80000"),
    ];
    for (at, byte, name) in cases {
        let mut image = old.clone();
        image[at] = if at == 101 { image[at] & 0xf0 | byte } else { byte };
        assert_eq!(refused(&image), format!("not supported: {name}"));
    }
}

#[test]
fn sizes_that_do_not_fit_each_other_are_refused() {
    let image = small::make(&["-m", "crc=0"]);
    let cases = [
        (6, "block size out of range"),
        (103, "sector size out of range"),
        (105, "inode size out of range"),
        (107, "inodes per block"),
        (87, "logarithm of the allocation group size"),
        (91, "block count does not fit the allocation groups"),
        (120, "logarithm of a size"),
        (123, "logarithm of inodes per block"),
        (124, "logarithm of the allocation group size"),
        (192, "directory block size out of range"),
    ];
    for (at, expected) in cases {
        let mut image = image.clone();
        // No copy may stand in.
        image[16 << 20] = 0;
        image[at] ^= 0x07;
        assert!(refused(&image).starts_with(expected), "{}", refused(&image));
    }
}

/// A device with a log or with realtime files is not needed to read the rest.
#[test]
fn a_filesystem_is_read_without_its_other_devices() {
    let work = tempfile::tempdir().unwrap();
    let beside = work.path().join("beside");
    File::create(&beside).unwrap().set_len(64 << 20).unwrap();
    for (kind, option) in [("-l", "logdev"), ("-r", "rtdev")] {
        let option = format!("{option}={}", beside.display());
        let xfs = open(&small::make_plain(&[kind, &option])).unwrap();
        assert_eq!(xfs.superblock().log_start == 0, kind == "-l");
        assert_eq!(xfs.superblock().realtime_blocks > 0, kind == "-r");
        let expected = match kind {
            "-l" => State::Partly { applied: Applied::default(), why: vec![Shortfall::External] },
            _ => State::Clean,
        };
        assert_eq!(xfs.log(), Some(&expected));
        let many = inode(&xfs, "many");
        assert_eq!(xfs.read_dir(&many).unwrap().entries.len(), 1500);
        assert_eq!(xfs.lookup(&many, b"absent").unwrap(), None);
    }
}
