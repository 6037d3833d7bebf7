//! OVA appliances, made by tar as the tools of VMware and VirtualBox make them.

use crate::support::{Work, check, disk, fill, open, refusal};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

const OVF: &str = "<?xml version=\"1.0\"?><Envelope/>";

/// An OVF and two disks of different kinds and sizes, in a folder.
fn parts() -> Work {
    let work = Work::new();
    fs::write(work.path("host.ovf"), OVF).expect("written");
    fs::write(work.path("host.mf"), "SHA256(host.ovf)= 0").expect("written");
    for (raw, size, image, options) in [
        ("raw1", 5 << 20, "disk1.vmdk", "subformat=streamOptimized"),
        ("raw2", 3 << 20, "disk2.vmdk", "subformat=monolithicSparse"),
    ] {
        fill(&work.path(raw), size);
        work.tool("qemu-img", &["convert", "-f", "raw", "-O", "vmdk", "-o", options, raw, image]);
    }
    work
}

fn pack(work: &Work, options: &[&str], members: &[&str]) {
    work.tool("tar", &[&["-cf", "host.ova"][..], options, members].concat());
}

#[test]
fn all_disks_of_an_appliance_are_opened_in_place() {
    let work = parts();
    for options in [&["--format=ustar"][..], &["--format=gnu"], &["--format=pax"]] {
        pack(&work, options, &["host.ovf", "host.mf", "disk1.vmdk", "disk2.vmdk"]);
        let opened = open(&work.path("host.ova"));
        assert!(opened.unread.is_empty());
        let names: Vec<_> = opened.disks.iter().map(|disk| disk.name.as_deref()).collect();
        assert_eq!(names, [Some("disk1.vmdk"), Some("disk2.vmdk")], "{options:?}");
        for (disk, raw) in opened.disks.iter().zip(["raw1", "raw2"]) {
            check(disk, &fs::read(work.path(raw)).expect("read"), raw);
        }
    }
}

#[test]
fn long_names_and_other_images_and_packed_ones() {
    let work = parts();
    let long = format!("{}.vmdk", "x".repeat(180));
    fs::rename(work.path("disk1.vmdk"), work.path(&long)).expect("renamed");
    work.tool("qemu-img", &["convert", "-f", "raw", "-O", "qcow2", "raw2", "disk3.qcow2"]);
    work.tool("gzip", &["disk2.vmdk"]);
    for format in ["--format=gnu", "--format=pax"] {
        pack(&work, &[format], &["host.ovf", &long, "disk2.vmdk.gz", "disk3.qcow2"]);
        let opened = open(&work.path("host.ova"));
        assert_eq!(opened.disks[0].name.as_deref(), Some(&*long), "{format}");
        for (disk, raw) in opened.disks.iter().zip(["raw1", "raw2", "raw2"]) {
            check(disk, &fs::read(work.path(raw)).expect("read"), format);
        }
    }
}

#[test]
fn what_is_no_disk_is_named_and_the_others_are_opened() {
    let work = parts();
    fs::write(work.path("cd.iso"), "nothing").expect("written");
    let damaged = File::options().write(true).open(work.path("disk1.vmdk")).expect("opened");
    damaged.write_all_at(&[9], 4).expect("written");
    // A link is no member that is opened.
    std::os::unix::fs::symlink("/etc/passwd", work.path("link.vmdk")).expect("made");
    pack(&work, &[], &["host.ovf", "link.vmdk", "disk1.vmdk", "cd.iso", "disk2.vmdk"]);
    let opened = open(&work.path("host.ova"));
    assert_eq!(opened.disks.len(), 1);
    let unread: Vec<_> = opened.unread.iter().map(|u| (&*u.name, u.error.to_string())).collect();
    let version = "not supported: vmdk version 9".to_owned();
    let other = "not supported: a member that is no image of a disk".to_owned();
    assert_eq!(unread, [("disk1.vmdk", version), ("cd.iso", other)]);
}

#[test]
fn an_appliance_that_was_cut_off() {
    let work = parts();
    pack(&work, &[], &["host.ovf", "disk2.vmdk", "disk1.vmdk"]);
    let whole = fs::read(work.path("host.ova")).expect("read");
    fs::write(work.path("host.ova"), &whole[..whole.len() - 100_000]).expect("written");
    let opened = open(&work.path("host.ova"));
    assert_eq!((opened.disks.len(), opened.unread.len()), (2, 0));
    check(&opened.disks[0], &fs::read(work.path("raw2")).expect("read"), "whole");
    let (mut right, mut failed) = (0, 0);
    for (index, page) in fs::read(work.path("raw1")).expect("read").chunks(4096).enumerate() {
        let mut read = vec![0xee; page.len()];
        match opened.disks[1].source.read_exact_at(index as u64 * 4096, &mut read) {
            Ok(()) => right += u32::from(read == page),
            Err(_) => failed += 1,
        }
    }
    assert_eq!((right + failed, failed > 10), (5 * 256, true), "{failed} failed");
}

#[test]
fn names_in_the_disks_of_an_appliance_are_not_opened() {
    let work = parts();
    let create = ["create", "-q", "-f", "qcow2", "-b", "raw1", "-F", "raw", "overlay"];
    work.tool("qemu-img", &create);
    pack(&work, &[], &["host.ovf", "overlay"]);
    assert!(refusal(&work.path("host.ova")).contains("an image in another file has no folder"));
}

/// Writes the size field of the second member, and the checksum with it.
fn with_size(work: &Work, field: &[u8]) {
    pack(work, &["--format=ustar"], &["host.ovf", "disk1.vmdk"]);
    let mut bytes = fs::read(work.path("host.ova")).expect("read");
    let header = &mut bytes[1024..1536];
    header[124..136].copy_from_slice(field);
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    fs::write(work.path("host.ova"), &bytes).expect("written");
}

#[test]
fn huge_and_negative_sizes_are_told() {
    let work = parts();
    for (field, word) in [
        (&b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"[..], "size out of range"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "size at byte"),
        (b"-0000000001\0", "size at byte"),
        (b"99999999999\0", "size at byte"),
    ] {
        with_size(&work, field);
        let message = refusal(&work.path("host.ova"));
        assert!(message.contains(word), "{field:?}: {message}");
    }
    // A size past the end of the archive is that of a member that was cut off: what is there is read.
    for field in [&b"\x80\0\0\0\0\x7f\xff\xff\xff\xff\xff\xff"[..], b"77777777777\0"] {
        with_size(&work, field);
        let disk = disk(&work.path("host.ova"));
        check(&disk, &fs::read(work.path("raw1")).expect("read"), "cut off behind its end");
    }
}

#[test]
fn a_tar_archive_that_is_no_appliance_is_named() {
    let work = parts();
    work.tool("tar", &["-cf", "other.tar", "raw1"]);
    assert!(refusal(&work.path("other.tar")).contains("a tar archive without an OVF"));
    // A disk with the mark of an archive, but no sound header of one, is a disk.
    let file = File::options().write(true).open(work.path("raw2")).expect("opened");
    file.write_all_at(b"ustar", 257).expect("written");
    assert_eq!(disk(&work.path("raw2")).source.size(), 3 << 20);
}
