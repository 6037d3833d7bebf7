//! Each format that is told by its name: made by its own tool where Debian has it, else by its marks,
//! which `blkid` must know too.

use crate::support::script;
use conformance::{can_mount, workplace};
use sidelight::block::{BlockSource, Device, FileSource};
use sidelight::filesystem::{Claim, FORMATS, Recognised, claimed, recognise};
use sidelight::model::GapReason::{self, Encrypted, Unsupported};
use std::path::Path;
use std::sync::Arc;

fn device(image: &Path) -> Device {
    let source: Arc<dyn BlockSource> = Arc::new(FileSource::open(image).unwrap());
    Device::new("disk", source)
}

/// A device made by a script, what it is recognised as, and what `blkid` calls it.
fn check(text: &str, name: &'static str, gap: Option<GapReason>, blkid: &str) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    script(text, &[&image]);
    let said = script("blkid -p -o value -s TYPE \"$1\"", &[&image]);
    assert_eq!(said.trim(), blkid, "{name}");
    let device = device(&image);
    assert_eq!(recognise(&device).unwrap(), Some(Recognised { name, gap }));
    let claims = FORMATS.iter().filter(|it| it.claims(&device).unwrap());
    assert_eq!(claims.map(|it| it.name()).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(matches!(claimed(&device).unwrap(), Some(Claim::Known(known)) if known.name == name));
}

macro_rules! cases {
    ($($test:ident: $text:literal, $name:literal, $gap:expr, $blkid:literal;)*) => {
        $(#[test] fn $test() { check($text, $name, $gap, $blkid); })*
    };
}

cases! {
    swap_of_4k: "truncate -s 10M $1; mkswap -p 4096 $1 2>&1", "swap", None, "swap";
    swap_of_8k: "truncate -s 10M $1; mkswap -p 8192 $1 2>&1", "swap", None, "swap";
    swap_of_16k: "truncate -s 10M $1; mkswap -p 16384 $1 2>&1", "swap", None, "swap";
    swap_of_64k: "truncate -s 10M $1; mkswap -p 65536 $1 2>&1", "swap", None, "swap";
    luks1: "truncate -s 20M $1; echo -n secret | cryptsetup -q luksFormat --type luks1 --iter-time 1 $1 -", "luks", Some(Encrypted), "crypto_LUKS";
    luks2: "truncate -s 20M $1; echo -n secret | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --iter-time 1 $1 -", "luks", Some(Encrypted), "crypto_LUKS";
    bcache: "truncate -s 20M $1; make-bcache -B $1 > /dev/null", "bcache", Some(Unsupported), "bcache";
    f2fs: "truncate -s 100M $1; mkfs.f2fs -q $1", "f2fs", Some(Unsupported), "f2fs";
    exfat: "truncate -s 20M $1; mkfs.exfat $1 > /dev/null", "exfat", Some(Unsupported), "exfat";
    jfs: "truncate -s 20M $1; mkfs.jfs -q $1", "jfs", Some(Unsupported), "jfs";
    // `mkfs.reiserfs` waits for all disks of the machine.
    reiserfs: r"truncate -s 50M $1; printf '\x00\x32\x00\x00\x00\x31\x00\x00\xd3\x20\x00\x00\x12\x00\x00\x00' | dd of=$1 bs=64K seek=1 conv=notrunc status=none; printf '\x00\x10\x00\x00\x00\x00\x01\x00ReIsEr2Fs' | dd of=$1 bs=1 seek=$((65536 + 44)) conv=notrunc status=none", "reiserfs", Some(Unsupported), "reiserfs";
    nilfs2: "truncate -s 200M $1; mkfs.nilfs2 -q $1", "nilfs2", Some(Unsupported), "nilfs2";
    iso9660: "mkdir $1.d; echo x > $1.d/f; genisoimage -quiet -o $1 $1.d", "iso9660", Some(Unsupported), "iso9660";
    udf: "truncate -s 20M $1; mkudffs $1 > /dev/null", "udf", Some(Unsupported), "udf";
    ocfs2: "truncate -s 200M $1; echo y | mkfs.ocfs2 -q -M local --fs-features=local $1 2>&1", "ocfs2", Some(Unsupported), "ocfs2";
    gfs2: "truncate -s 200M $1; mkfs.gfs2 -q -O -p lock_nolock -j 1 $1", "gfs2", Some(Unsupported), "gfs2";
    bitlocker: r"truncate -s 20M $1; printf '\xeb\x58\x90-FVE-FS-\x00\x02\x08\x00' | dd of=$1 conv=notrunc status=none; printf '\x00\x00\x01\x00' | dd of=$1 bs=1 seek=176 conv=notrunc status=none; printf -- '-FVE-FS-\x80\x00\x02\x00' | dd of=$1 bs=64K seek=1 conv=notrunc status=none", "bitlocker", Some(Encrypted), "BitLocker";
    zfs: r"truncate -s 100M $1; for s in 0 1 2 3 4 5; do printf '\x0c\xb1\xba\x00\x00\x00\x00\x00' | dd of=$1 bs=1 seek=$((131072 + s * 1024)) conv=notrunc status=none; done", "zfs", Some(Unsupported), "zfs_member";
    vdo: r"truncate -s 20M $1; printf dmvdo001 | dd of=$1 conv=notrunc status=none", "vdo", Some(Unsupported), "vdo";
    vmfs: r"truncate -s 20M $1; printf '\x5e\xf1\xab\x2f' | dd of=$1 bs=1M seek=2 conv=notrunc status=none", "vmfs", Some(Unsupported), "VMFS";
    vmfs_member: r"truncate -s 20M $1; printf '\x0d\xd0\x01\xc0' | dd of=$1 bs=1M seek=1 conv=notrunc status=none", "vmfs member", Some(Unsupported), "VMFS_volume_member";
    refs: r"truncate -s 20M $1; printf '\x00\x00\x00ReFS\x00' | dd of=$1 conv=notrunc status=none", "refs", Some(Unsupported), "ReFS";
}

/// What `blkid` of Debian 12 wants more of than the marks.
#[test]
fn marks_alone() {
    let cases: [(&[u8], u64, &str); 5] = [
        (b"NXSB", 32, "apfs"),
        (b"!Stra0tis\x86\xff\x02^\x41rh", 516, "stratis"),
        (b"H+\0\x04", 1024, "hfsplus"),
        (b"bluestore block device\n", 0, "ceph bluestore"),
        (&0x0210_da7a_b10c_7a11_u64.to_le_bytes(), (10 << 20) - (256 << 10) + 131_072 - 40, "zfs"),
    ];
    for (magic, at, name) in cases {
        let mut bytes = vec![0; 10 << 20];
        bytes[at as usize..at as usize + magic.len()].copy_from_slice(magic);
        let device = Device::new("disk", Arc::new(bytes));
        assert_eq!(recognise(&device).unwrap().map(|it| it.name), Some(name));
    }
    let blank = Device::new("disk", Arc::new(vec![0; 10 << 20]));
    assert_eq!(recognise(&blank).unwrap(), None);
}

/// A mirror's half with a filesystem at its start, and md's superblock at its end, as mdadm lays
/// it out; `blkid` is the witness that it is one.
fn mirror(version: &str, lines: &str) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    // Not a multiple of 64 KiB in all.
    let text =
        format!("truncate -s $((20 * 1024 * 1024 + 13 * 4096)) $1; mke2fs -q -F $1 16M\n{lines}");
    script(&text, &[&image]);
    let said = script("blkid -p -o export \"$1\" | grep -E '^(TYPE|VERSION)='", &[&image]);
    assert_eq!(said, format!("VERSION={version}\nTYPE=linux_raid_member\n"));
    assert!(md_reader::claims_at_end(&*device(&image).source).unwrap());
    let recognised = recognise(&device(&image)).unwrap().unwrap();
    assert_eq!((recognised.name, recognised.gap), ("md raid member", Some(Unsupported)));
    // The window of a partition that ends with the disk, and is smaller than the array.
    let whole = device(&image);
    let size = whole.source.size();
    let last = whole.window("last partition", 4 << 20, size - (4 << 20));
    assert!(!md_reader::claims_at_end(&*last.source).unwrap());
}

#[test]
fn a_mirror_with_a_superblock_0_90_is_told_before_the_filesystem_in_it() {
    // Words: magic, 0, 90, 0, 0, set, time, level 1, size in KiB, disks.
    mirror(
        "0.90.0",
        r"at=$(( ($(stat -c %s $1) / 65536 - 1) * 65536 ))
          python3 - $1 $at <<'PY'
import struct, sys
with open(sys.argv[1], 'r+b') as f:
    at = int(sys.argv[2]); f.seek(at)
    f.write(struct.pack('<10I', 0xa92b4efc, 0, 90, 0, 0, 7, 0, 1, at // 1024, 2))
PY",
    );
}

#[test]
fn a_mirror_with_a_superblock_1_0_is_told_before_the_filesystem_in_it() {
    mirror(
        "1.0",
        r"python3 - $1 <<'PY'
import os, struct, sys
sector = (os.path.getsize(sys.argv[1]) // 512 - 16) // 8 * 8
head = struct.pack('<4I16s32sQII', 0xa92b4efc, 1, 0, 0, b'u' * 16, b'host:0', 0, 1, 0)
head = head.ljust(144, b'\0') + struct.pack('<Q', sector)
head = bytearray(head.ljust(256, b'\0'))
words = struct.unpack('<64I', bytes(head))
total = sum(w for i, w in enumerate(words) if i != 54)
total = (total & 0xffffffff) + (total >> 32)
head[216:220] = struct.pack('<I', total & 0xffffffff)
with open(sys.argv[1], 'r+b') as f:
    f.seek(sector * 512); f.write(head)
PY",
    );
}

#[test]
fn a_device_that_ends_before_the_places_of_signatures_is_none_of_them() {
    for size in [0, 1, 512, 72_704, 1 << 20] {
        let device = Device::new("disk", Arc::new(vec![0; size]));
        assert_eq!(recognise(&device).unwrap(), None, "{size}");
    }
}
