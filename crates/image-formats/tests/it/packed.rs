//! Packed disks, whole, damaged and made to fill what they are unpacked to.

use crate::support::{BLOCK, Work, check, disk, fill, refusal};
use image_formats::{Limits, Unpacking};
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;

const SIZE: u64 = 9 * 1024 * 1024 + 512;

/// Ways to pack a file `raw` to `packed`.
const PACKERS: &[&str] = &[
    "gzip -c raw > packed",
    "(head -c 5000000 raw | gzip; tail -c +5000001 raw | gzip) > packed",
    "xz -c raw > packed",
    "xz -T2 --block-size=1MiB -c raw > packed",
    "xz -9 --check=sha256 -c raw > packed",
    "(head -c 5000000 raw | xz; tail -c +5000001 raw | xz) > packed",
    "zstd -q -c raw > packed",
    "zstd -q --ultra -22 -c raw > packed",
    "(head -c 5000000 raw | zstd -q; tail -c +5000001 raw | zstd -q) > packed",
];

fn pack(work: &Work, how: &str) {
    work.tool("bash", &["-c", &format!("set -o pipefail; {how}")]);
}

#[test]
fn packed_disks_read_as_the_disk() {
    for how in PACKERS {
        let work = Work::new();
        fill(&work.path("raw"), SIZE);
        pack(&work, how);
        let disk = disk(&work.path("packed"));
        check(&disk, &fs::read(work.path("raw")).expect("read"), how);
        // Zeroes became holes again.
        let written = disk.contents(BLOCK).written.expect("counted");
        assert!(written < SIZE / BLOCK, "{how}: {written}");
    }
}

#[test]
fn a_packed_disk_tells_how_far_it_is_unpacked() {
    for (how, name) in [
        ("gzip -c raw > packed", "gzip"),
        ("xz -c raw > packed", "xz"),
        ("zstd -q -c raw > packed", "zstd"),
    ] {
        let work = Work::new();
        fill(&work.path("raw"), SIZE);
        pack(&work, how);
        let told = RefCell::new(Vec::new());
        let watch = |it: Unpacking| {
            assert_eq!(it.read.load(Ordering::Relaxed), 0, "{how}");
            told.borrow_mut().push(it);
        };
        let opened = image_formats::open_watched(&work.path("packed"), &Limits::default(), &watch);
        assert!(opened.is_ok(), "{how}");
        let told = told.into_inner();
        let [told] = told.as_slice() else { panic!("{how}: told {} times", told.len()) };
        let packed = fs::metadata(work.path("packed")).expect("there").len();
        assert_eq!((told.packing, told.total), (name, packed), "{how}");
        assert_eq!(told.read.load(Ordering::Relaxed), packed, "{how}");
    }
}

#[test]
fn a_packed_image_is_opened_and_a_packed_file_in_it_is_not() {
    let work = Work::new();
    fill(&work.path("raw"), SIZE);
    let expected = fs::read(work.path("raw")).expect("read");
    work.tool("qemu-img", &["convert", "-f", "raw", "-O", "qcow2", "raw", "image"]);
    pack(&work, "xz -c image > packed");
    check(&disk(&work.path("packed")), &expected, "qcow2 in xz");
    // It has no folder: what it names is not opened.
    let create = ["create", "-q", "-f", "qcow2", "-b", "raw", "-F", "raw", "overlay"];
    work.tool("qemu-img", &create);
    pack(&work, "gzip -c overlay > packed");
    assert!(refusal(&work.path("packed")).contains("an image in another file has no folder"));
    pack(&work, "gzip -c raw | zstd -q > packed");
    assert!(refusal(&work.path("packed")).contains("gzip in a packed file"));
    pack(&work, "tar -c raw | gzip > packed");
    assert!(refusal(&work.path("packed")).contains("a tar archive without an OVF"));
}

#[test]
fn what_unpacks_to_too_much_is_refused() {
    let work = Work::new();
    fill(&work.path("raw"), SIZE);
    for how in ["gzip -c raw > packed", "xz -c raw > packed", "zstd -q -c raw > packed"] {
        pack(&work, how);
        for (most, fits) in [(SIZE - 1, false), (SIZE, true)] {
            let limits = Limits { unpacked: Some(most), temporary: None };
            let opened = image_formats::open(&work.path("packed"), &limits);
            assert_eq!(opened.is_ok(), fits, "{how}: {most}");
        }
    }
    // Zeroes without an end: a frame of them, again and again. Unpacked it would be 128 TiB.
    let frame = zstd::encode_all(&vec![0; 1 << 20][..], 19).expect("packed");
    let mut file = File::create(work.path("bomb")).expect("made");
    for _ in 0..100 {
        file.write_all(&frame.repeat(1000)).expect("written");
    }
    let limits = Limits { unpacked: Some(1 << 30), temporary: None };
    let error = image_formats::open(&work.path("bomb"), &limits).err().expect("refused");
    assert!(error.to_string().contains("unpacks to more than 1073741824 bytes"), "{error}");
}

#[test]
fn there_must_be_room_for_what_is_unpacked() {
    if !test_material::root() {
        return;
    }
    let work = Work::new();
    fill(&work.path("raw"), SIZE);
    pack(&work, "gzip -c raw > packed");
    fs::create_dir(work.path("small")).expect("made");
    work.tool("mount", &["-t", "tmpfs", "-o", "size=2M", "tmpfs", "small"]);
    let limits = Limits { unpacked: None, temporary: Some(work.path("small")) };
    let error = image_formats::open(&work.path("packed"), &limits).err().map(|e| e.to_string());
    let left = fs::read_dir(work.path("small")).expect("read").count();
    work.tool("umount", &["small"]);
    assert!(error.as_deref().is_some_and(|e| e.contains("there is room for")), "{error:?}");
    assert_eq!(left, 0, "files left");
}

#[test]
fn the_temporary_file_has_no_name() {
    let work = Work::new();
    fill(&work.path("raw"), SIZE);
    pack(&work, "gzip -c raw > packed");
    fs::create_dir(work.path("temporary")).expect("made");
    let limits = Limits { unpacked: None, temporary: Some(work.path("temporary")) };
    let opened = image_formats::open(&work.path("packed"), &limits).expect("opened");
    assert_eq!(fs::read_dir(work.path("temporary")).expect("read").count(), 0);
    check(&opened.disks[0], &fs::read(work.path("raw")).expect("read"), "without a name");
}

#[test]
fn damaged_streams_are_refused_and_of_cut_off_ones_the_beginning_is_read() {
    let work = Work::new();
    fill(&work.path("raw"), SIZE);
    let raw = fs::read(work.path("raw")).expect("read");
    for how in ["gzip -c raw > packed", "xz -c raw > packed", "zstd -q -c raw > packed"] {
        pack(&work, how);
        let whole = fs::read(work.path("packed")).expect("read");
        for length in [whole.len() / 2, whole.len() - 3] {
            fs::write(work.path("cut"), &whole[..length]).expect("written");
            let disk = disk(&work.path("cut"));
            assert!(disk.source.size() >= SIZE / 4, "{how}, {length}: {}", disk.source.size());
            check(&disk, &raw[..disk.source.size() as usize], how);
            let told = disk.contents(BLOCK).missing.join(", ");
            assert!(told.starts_with("only the first"), "{how}, {length}: {told}");
            assert!(told.contains("stream, at byte"), "{how}, {length}: {told}");
        }
        fs::write(work.path("cut"), &whole[..7]).expect("written");
        let message = refusal(&work.path("cut"));
        assert!(message.contains("stream, at byte"), "{how}: {message}");
        fs::copy(work.path("packed"), work.path("damaged")).expect("copied");
        let file = File::options().write(true).open(work.path("damaged")).expect("opened");
        file.write_all_at(&[0x55; 64], whole.len() as u64 / 2).expect("written");
        let message = refusal(&work.path("damaged"));
        assert!(message.contains("unpacking the"), "{how}: {message}");
    }
}
