//! What the volume tells of itself: label, serial number, whether it was unmounted. The witness is
//! `ntfs-3g.probe`, whose exit code says why a volume cannot be mounted for writing.

use crate::reader::{self, can_mount};
use crate::volume::Volume;
use conformance::tool;
use ntfs_reader::{Error, FileReference, Log};
use std::fs;
use std::os::unix::fs::FileExt;

const HIBERNATED: i32 = 14;
const UNCLEAN: i32 = 15;
/// No client of the log is in use.
const CLOSED: u16 = 0xffff;

fn probe(volume: &Volume) -> i32 {
    let output = tool("ntfs-3g.probe").arg("--readwrite").arg(volume.image()).output().unwrap();
    output.status.code().unwrap()
}

#[test]
fn label_serial_number_and_dirty_flag() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(8, &["-L", "Größe of 😀"]);
    let arguments = ["-p", "-s", "UUID", "-s", "LABEL", "-o", "value"];
    let output = output_of(tool("blkid").args(arguments).arg(volume.image()));
    let ntfs = reader::open(&volume.image());
    let told = ntfs.volume().unwrap();
    let label = String::from_utf8(told.label.clone().unwrap()).unwrap();
    let own = format!("{label}\n{:016X}\n", ntfs.boot().serial);
    assert_eq!(own, output);
    assert_eq!((told.version, told.is_dirty()), ((3, 1), false));
    output_of(tool("ntfsfix").arg(volume.image()));
    assert!(reader::open(&volume.image()).volume().unwrap().is_dirty());
    output_of(tool("ntfsfix").arg("-d").arg(volume.image()));
    assert!(!reader::open(&volume.image()).volume().unwrap().is_dirty());
}

fn output_of(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn hibernation() {
    if !can_mount() {
        return;
    }
    for (magic, code) in
        [(b"hibr", HIBERNATED), (b"HIBR", HIBERNATED), (b"wake", 0), (b"\0\0\0\0", 0)]
    {
        let volume = Volume::new(8, &[]);
        let mounted = volume.mount("noatime");
        let image = [&magic[..], &vec![1; 20_000]].concat();
        fs::write(mounted.path().join("hiberfil.sys"), image).unwrap();
        drop(mounted);
        let ntfs = reader::open(&volume.image());
        let told = probe(&volume);
        // The tool takes only lower case; Windows 8 and later write upper case.
        assert!(told == code || magic == b"HIBR", "{magic:?}: {told}");
        assert_eq!(ntfs.is_hibernated().unwrap(), code == HIBERNATED, "{magic:?}");
    }
    let volume = Volume::new(8, &[]);
    assert!(!reader::open(&volume.image()).is_hibernated().unwrap());
}

/// A restart page as Windows writes it: header, fixups, restart area with one client.
fn restart_page(number: u64, in_use: u16, flags: u16) -> Vec<u8> {
    let mut page = vec![0; 4096];
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"RSTR");
    put(4, &0x1e_u16.to_le_bytes());
    put(6, &9_u16.to_le_bytes());
    put(0x10, &4096_u32.to_le_bytes());
    put(0x14, &4096_u32.to_le_bytes());
    put(0x18, &0x30_u16.to_le_bytes());
    put(0x1a, &1_u16.to_le_bytes());
    put(0x1c, &1_u16.to_le_bytes());
    put(0x1e, &1_u16.to_le_bytes());
    put(0x30, &number.to_le_bytes());
    put(0x38, &1_u16.to_le_bytes());
    put(0x3a, &if in_use == 0 { 0xffff_u16 } else { 0 }.to_le_bytes());
    put(0x3c, &in_use.to_le_bytes());
    put(0x3e, &flags.to_le_bytes());
    put(0x40, &(67_u32 - 22).to_le_bytes());
    put(0x44, &(0x40_u16 + 0xa0).to_le_bytes());
    put(0x46, &0x40_u16.to_le_bytes());
    put(0x48, &(2_u64 << 20).to_le_bytes());
    put(0x50, &0x20_u32.to_le_bytes());
    put(0x54, &0x30_u16.to_le_bytes());
    put(0x56, &0x40_u16.to_le_bytes());
    put(0x70 + 0x10, &0xffff_u16.to_le_bytes());
    put(0x70 + 0x12, &0xffff_u16.to_le_bytes());
    put(0x70 + 0x1c, &8_u32.to_le_bytes());
    put(0x70 + 0x20, &"NTFS".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    for sector in 1..=8 {
        put(sector * 512 - 2, &1_u16.to_le_bytes());
    }
    page
}

#[test]
fn a_log_that_was_not_closed() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(8, &[]);
    assert!(matches!(reader::open(&volume.image()).log(), Log::Clean));
    let log = reader::open(&volume.image());
    let place = log.ranges(&log.file(FileReference(2)).unwrap(), 0, 8192).unwrap();
    let image = fs::File::options().write(true).open(volume.image()).unwrap();
    // The clients in use and the flags of both pages, the second one newer.
    let cases = [
        ([(CLOSED, 0), (CLOSED, 0)], true),
        ([(0, 2), (0, 2)], true),
        ([(0, 0), (0, 0)], false),
        ([(0, 2), (0, 0)], false),
        ([(0, 0), (0, 2)], true),
    ];
    for ([first, second], clean) in cases {
        let pages = [restart_page(100, first.0, first.1), restart_page(200, second.0, second.1)];
        image.write_all_at(&pages.concat(), place[0].start).unwrap();
        assert_eq!(probe(&volume), if clean { 0 } else { UNCLEAN }, "{first:?} {second:?}");
        let found = reader::open(&volume.image());
        let found = found.log();
        assert!(if clean { matches!(found, Log::Clean) } else { matches!(found, Log::NotClean) });
    }
    image.write_all_at(&[7; 8192], place[0].start).unwrap();
    let found = reader::open(&volume.image());
    assert!(matches!(found.log(), Log::Unreadable(Error::Corrupt { .. })), "{:?}", found.log());
}
