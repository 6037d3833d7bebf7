//! Every format and every way that qemu-img writes it.

use crate::support::{BLOCK, Work, blocks_by_qemu, check, disk, fill, page};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// No whole number of blocks, clusters or 4 KiB.
const SIZE: u64 = 21 * 1024 * 1024 + 3 * 512;

/// Converts a disk as the options say, and holds what is read against what qemu reads.
#[track_caller]
fn converted(format: &str, options: &[&str]) {
    let work = Work::new();
    fill(&work.path("raw"), SIZE);
    let image = format!("image.{format}");
    let head = ["convert", "-q", "-f", "raw", "-O", format];
    work.tool("qemu-img", &[&head[..], options, &["raw", &image]].concat());
    let (case, image) = (format!("{format} {options:?}"), image.as_str());
    let expected = work.witness(format, image);
    let source = fs::read(work.path("raw")).expect("read");
    assert!(expected.starts_with(&source), "{case}: qemu reads something else");
    let disk = disk(&work.path(image));
    check(&disk, &expected, &case);
    let written = disk.contents(BLOCK).written.expect("counted");
    // Of these qemu says that all is data; the holes of flat extents are those of their files.
    let told = match format {
        "vhdx" => return,
        "vmdk" if case.contains("Flat") => "raw",
        _ => image,
    };
    assert_eq!(written, blocks_by_qemu(&work, told), "{case}: written");
}

#[test]
fn raw() {
    converted("raw", &[]);
}

#[test]
fn qcow2_of_every_cluster_size() {
    for size in ["512", "4096", "65536", "2M"] {
        converted("qcow2", &["-o", &format!("cluster_size={size}")]);
    }
    converted("qcow2", &["-o", "compat=0.10"]);
}

#[test]
fn qcow2_compressed() {
    for kind in ["zlib", "zstd"] {
        for size in ["4096", "65536", "2M"] {
            let options = format!("compression_type={kind},cluster_size={size}");
            converted("qcow2", &["-c", "-o", &options]);
        }
    }
}

#[test]
fn qcow2_with_subclusters() {
    converted("qcow2", &["-o", "extended_l2=on,cluster_size=16k"]);
    converted("qcow2", &["-o", "extended_l2=on,cluster_size=2M"]);
    converted("qcow2", &["-c", "-o", "extended_l2=on,cluster_size=128k,compression_type=zstd"]);
}

#[test]
fn qcow2_preallocated() {
    for kind in ["metadata", "falloc", "full"] {
        converted("qcow2", &["-o", &format!("preallocation={kind}")]);
    }
    converted("qcow2", &["-o", "preallocation=metadata,extended_l2=on"]);
}

#[test]
fn vmdk_in_one_file() {
    converted("vmdk", &["-o", "subformat=monolithicSparse"]);
    converted("vmdk", &["-o", "subformat=monolithicSparse,zeroed_grain=on"]);
    converted("vmdk", &["-o", "subformat=monolithicSparse,compat6=on,adapter_type=lsilogic"]);
    converted("vmdk", &["-o", "subformat=streamOptimized"]);
}

#[test]
fn vmdk_with_extents() {
    for kind in ["monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"] {
        converted("vmdk", &["-o", &format!("subformat={kind}")]);
    }
}

#[test]
fn vhd() {
    for options in ["subformat=dynamic", "subformat=dynamic,force_size=on"] {
        converted("vpc", &["-o", options]);
    }
    for options in ["subformat=fixed", "subformat=fixed,force_size=on"] {
        converted("vpc", &["-o", options]);
    }
}

#[test]
fn vhdx() {
    converted("vhdx", &["-o", "subformat=dynamic"]);
    converted("vhdx", &["-o", "subformat=fixed"]);
    for size in ["1M", "16M", "256M"] {
        converted("vhdx", &["-o", &format!("block_size={size}")]);
    }
    // Of five blocks of 512 KiB three are in use: of five of 1 MiB four, and so all of 9 MiB but
    // what is between.
    let work = Work::new();
    fill(&work.path("raw"), 10 << 20);
    let options = ["-o", "block_size=1M", "raw", "image"];
    work.tool("qemu-img", &[&["convert", "-f", "raw", "-O", "vhdx"][..], &options].concat());
    assert_eq!(disk(&work.path("image")).contents(BLOCK).written, Some(16));
    converted("vhdx", &["-o", "block_state_zero=off,log_size=2M"]);
}

#[test]
fn vdi() {
    converted("vdi", &["-o", "static=off"]);
    converted("vdi", &["-o", "static=on"]);
}

/// Writes, zeroes and discards parts of clusters through qemu itself.
#[track_caller]
fn changed(format: &str, options: &str) {
    let work = Work::new();
    let image = work.text("image");
    let create = ["create", "-q", "-f", format, "-o", options, &image, "9M"];
    work.tool("qemu-img", &create[..]);
    let mut io = vec!["-f".to_owned(), format.to_owned()];
    let mut random = fastrand::Rng::with_seed(7);
    for value in 1..60 {
        let (at, length) = (random.u32(..18_000) * 512, random.u32(1..200) * 512);
        let zeroes = if format == "vpc" { "write -P 0" } else { "write -z" };
        let what = match value % 6 {
            0 => format!("{zeroes} {at} {length}"),
            1 => format!("discard {at} {length}"),
            _ => format!("write -P {value} {at} {length}"),
        };
        io.extend(["-c".to_owned(), what]);
    }
    io.push(image.clone());
    work.tool("qemu-io", &io.iter().map(String::as_str).collect::<Vec<_>>());
    let case = format!("{format} {options}");
    check(&disk(&work.path("image")), &work.witness(format, &image), &case);
}

#[test]
fn parts_that_were_written_zeroed_and_discarded() {
    for options in [
        "cluster_size=512",
        "cluster_size=65536",
        "cluster_size=2M",
        "extended_l2=on,cluster_size=16k",
        "extended_l2=on,cluster_size=128k",
    ] {
        changed("qcow2", options);
    }
    changed("vmdk", "subformat=monolithicSparse,zeroed_grain=on");
    changed("vmdk", "subformat=twoGbMaxExtentSparse");
    changed("vhdx", "subformat=dynamic");
    changed("vpc", "force_size=on");
    changed("vdi", "static=off");
}

#[test]
fn a_vmdk_of_many_extents_is_joined_at_their_borders() {
    const GIB: u64 = 1 << 30;
    for kind in ["twoGbMaxExtentSparse", "twoGbMaxExtentFlat"] {
        let work = Work::new();
        let mut raw = File::options();
        let raw = raw.read(true).write(true).create(true).truncate(true);
        let raw = raw.open(work.path("raw")).expect("made");
        raw.set_len(5 * GIB).expect("grown");
        // qemu's extents end at 2 GiB less 64 KiB or at 2 GiB, by their kind.
        let places = [0, 2 * GIB - 65_536, 2 * GIB, 4 * GIB - 131_072, 4 * GIB, 5 * GIB - 65_536];
        for place in places {
            for at in (place.saturating_sub(65_536)..(place + 65_536).min(5 * GIB)).step_by(4096) {
                raw.write_all_at(&page(at / 4096), at).expect("written");
            }
        }
        let options = format!("subformat={kind}");
        work.tool("qemu-img", &["convert", "-f", "raw", "-O", "vmdk", "-o", &options, "raw", "i"]);
        let disk = disk(&work.path("i"));
        assert_eq!(disk.source.size(), 5 * GIB);
        for place in places {
            let at = place.saturating_sub(100_001);
            let length = (5 * GIB - at).min(200_003) as usize;
            let (mut read, mut expected) = (vec![0xee; length], vec![0; length]);
            disk.source.read_exact_at(at, &mut read).expect("read");
            raw.read_exact_at(&mut expected, at).expect("read");
            assert!(read == expected, "{kind} around {place}");
        }
        let blocks = disk.contents(BLOCK).written.expect("counted");
        assert_eq!(blocks, blocks_by_qemu(&work, "raw"), "{kind}");
    }
}

#[test]
fn the_footer_of_a_fixed_vhd_is_no_part_of_the_disk() {
    let work = Work::new();
    fill(&work.path("raw"), SIZE);
    let options = ["-o", "subformat=fixed,force_size=on", "raw", "image"];
    work.tool("qemu-img", &[&["convert", "-f", "raw", "-O", "vpc"][..], &options].concat());
    assert_eq!(fs::metadata(work.path("image")).expect("there").len(), SIZE + 512);
    assert_eq!(disk(&work.path("image")).source.size(), SIZE);
    // With a footer that is not sound, it is a raw disk as it stands.
    let file = File::options().write(true).open(work.path("image")).expect("opened");
    file.write_all_at(b"x", SIZE + 20).expect("written");
    assert_eq!(disk(&work.path("image")).source.size(), SIZE + 512);
}

/// VMware and VirtualBox write streams with the place of the tables at the end; qemu-img reads
/// such images but writes none.
#[test]
fn a_vmdk_stream_with_its_header_at_the_end() {
    let work = Work::new();
    fill(&work.path("raw"), SIZE);
    let options = ["-o", "subformat=streamOptimized", "raw", "image"];
    work.tool("qemu-img", &[&["convert", "-f", "raw", "-O", "vmdk"][..], &options].concat());
    let mut image = fs::read(work.path("image")).expect("read");
    image.resize(image.len().next_multiple_of(512), 0);
    let header = image[..512].to_vec();
    image[56..64].fill(0xff);
    let mut marker = [0; 512];
    // One sector, of the kind of a footer.
    (marker[0], marker[12]) = (1, 3);
    let image = [&image[..], &marker, &header, &[0; 512]].concat();
    fs::write(work.path("image"), image).expect("written");
    let expected = work.witness("vmdk", "image");
    assert!(expected.starts_with(&fs::read(work.path("raw")).expect("read")));
    check(&disk(&work.path("image")), &expected, "with a footer");
}
