//! Names in images that lead elsewhere, and images made to be never done with.

use crate::support::{BLOCK, Work, check, disk, fill, page, refusal};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, symlink};

/// A qcow2 whose backing file has this name, which qemu does not ask for.
fn backed(work: &Work, image: &str, name: &str, format: &str) {
    work.tool("qemu-img", &["create", "-q", "-f", "qcow2", image, "1M"]);
    work.tool("qemu-img", &["rebase", "-u", "-b", name, "-F", format, image]);
}

#[test]
fn backing_files_outside_the_folder_are_not_opened() {
    let outside = Work::new();
    fill(&outside.path("secret"), 1 << 20);
    let work = Work::new();
    symlink(outside.path("secret"), work.path("link")).expect("made");
    symlink(outside.path("."), work.path("folder")).expect("made");
    symlink("link", work.path("link-to-link")).expect("made");
    let up = format!(
        "../{}/secret",
        outside.path(".").parent().map_or("x".into(), |p| {
            p.file_name().expect("a name").to_string_lossy().into_owned()
        })
    );
    let absolute = outside.text("secret");
    let names = ["/etc/passwd", "../x", &up, &absolute, "link", "folder/secret", "link-to-link"];
    for name in names {
        for format in ["raw", "qcow2"] {
            backed(&work, "image", name, format);
            let message = refusal(&work.path("image"));
            let outside = message.contains("is not opened: it is outside the folder of the image");
            assert!(outside, "{name}: {message}");
        }
    }
}

/// Writes a name into an image as it is: qemu-img itself would look into it.
fn named(work: &Work, image: &str, name: &str) {
    work.tool("qemu-img", &["create", "-q", "-f", "qcow2", image, "1M"]);
    let file = File::options().write(true).open(work.path(image)).expect("opened");
    file.write_all_at(&1024_u64.to_be_bytes(), 8).expect("written");
    file.write_all_at(&(name.len() as u32).to_be_bytes(), 16).expect("written");
    file.write_all_at(name.as_bytes(), 1024).expect("written");
}

#[test]
fn addresses_and_options_are_no_names() {
    let work = Work::new();
    for name in [
        "json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}",
        "nbd://127.0.0.1:1/x",
        "nbd:unix:/tmp/s",
        "http://127.0.0.1/x",
        "file:/etc/passwd",
        "fat:/etc",
        "blkdebug::/etc/passwd",
    ] {
        named(&work, "image", name);
        let message = refusal(&work.path("image"));
        assert!(message.contains("no path but an address or an option"), "{name}: {message}");
    }
    for name in ["", "a\0b"] {
        named(&work, "image", name);
        assert!(refusal(&work.path("image")).contains("no name of a file"), "{name:?}");
    }
    named(&work, "image", &"x".repeat(2000));
    assert!(refusal(&work.path("image")).contains("name too long"));
    named(&work, "image", "not-there\x1b[2J");
    let message = refusal(&work.path("image"));
    assert!(message.contains("No such file") && !message.contains('\x1b'), "{message:?}");
}

#[test]
fn external_data_files_outside_the_folder_are_not_opened() {
    let work = Work::new();
    let options = ["-o", "data_file=data", "image", "1M"];
    work.tool("qemu-img", &[&["create", "-q", "-f", "qcow2"][..], &options].concat());
    let image = File::options().read(true).write(true).open(work.path("image")).expect("opened");
    let mut head = vec![0; 4096];
    image.read_exact_at(&mut head, 0).expect("read");
    let at = head.windows(4).position(|bytes| bytes == b"data").expect("the name");
    image.write_all_at(b"/etc", at as u64).expect("written");
    let message = refusal(&work.path("image"));
    assert!(message.contains("external data file \"/etc\" is not opened"), "{message}");
    image.write_all_at(b"../x", at as u64).expect("written");
    assert!(refusal(&work.path("image")).contains("is outside the folder"));
}

#[test]
fn circles_and_endless_chains_end() {
    let work = Work::new();
    backed(&work, "self", "self", "qcow2");
    assert!(refusal(&work.path("self")).contains("in a circle"));
    for (image, base) in [("a", "b"), ("b", "c"), ("c", "a")] {
        backed(&work, image, base, "qcow2");
    }
    assert!(refusal(&work.path("a")).contains("in a circle"));
    // The same file by another name.
    fs::hard_link(work.path("self"), work.path("other")).expect("linked");
    assert!(refusal(&work.path("other")).contains("in a circle"));
    fill(&work.path("0"), 1 << 20);
    for index in 1..100 {
        let format = if index == 1 { "raw" } else { "qcow2" };
        backed(&work, &index.to_string(), &(index - 1).to_string(), format);
    }
    assert!(refusal(&work.path("99")).contains("too many images below one another"));
    let expected = fs::read(work.path("0")).expect("read");
    check(&disk(&work.path("20")), &expected, "a chain of twenty");
}

#[test]
fn only_regular_files_are_opened_beside_an_image() {
    let work = Work::new();
    work.tool("mkfifo", &["pipe"]);
    fs::create_dir(work.path("folder")).expect("made");
    for name in ["pipe", "folder"] {
        named(&work, "image", name);
        let message = refusal(&work.path("image"));
        assert!(message.contains("what is no regular file"), "{name}: {message}");
    }
}

fn descriptor(work: &Work, extents: &str) -> std::path::PathBuf {
    let text = "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n";
    let path = work.path("image.vmdk");
    fs::write(&path, format!("{text}createType=\"monolithicFlat\"\n{extents}\n")).expect("written");
    path
}

#[test]
fn extents_have_plain_names_in_the_folder_of_their_descriptor() {
    let work = Work::new();
    symlink("/etc/passwd", work.path("link")).expect("made");
    for name in ["/etc/passwd", "../x", "sub/x", "..", ".", "", "C:\\x"] {
        let path = descriptor(&work, &format!("RW 8 FLAT \"{name}\" 0"));
        let message = refusal(&path);
        let refused = message.contains("no plain name") || message.contains("no name of a file");
        assert!(refused, "{name:?}: {message}");
    }
    let path = descriptor(&work, "RW 8 FLAT \"link\" 0");
    assert!(refusal(&path).contains("outside the folder"));
    let path = descriptor(&work, "RW 8 SPARSE \"image.vmdk\"");
    assert!(refusal(&path).contains("in a circle"));
    let path = descriptor(&work, "RW 8 FLAT \"absent\" 0");
    assert!(refusal(&path).contains("the extent \"absent\": No such file"));
}

#[test]
fn an_extent_that_cannot_be_opened_fails_alone() {
    let work = Work::new();
    fs::write(work.path("flat"), [page(0), page(1)].concat()).expect("written");
    let absent = "RW 8 FLAT \"absent\" 0\nRW 8 SPARSE \"flat\" 0";
    let extents = format!("RW 8 FLAT \"flat\" 8\n{absent}\nRW 16 FLAT \"flat\" 8");
    let disk = disk(&descriptor(&work, &extents));
    let mut read = [0xee; 4096];
    for (index, expected) in [Some(1), None, None, Some(1), None].into_iter().enumerate() {
        let outcome = disk.source.read_exact_at(index as u64 * 4096, &mut read);
        assert_eq!(outcome.is_ok(), expected.is_some(), "{index}");
        assert!(expected.is_none_or(|it| read[..] == page(it)), "{index}");
    }
    let told = disk.contents(BLOCK).missing;
    let [absent, foreign, cut] = told.as_slice() else { panic!("{told:?}") };
    assert!(absent.contains("the extent \"absent\": No such file"), "{absent}");
    assert!(foreign.contains("no header of a sparse vmdk"), "{foreign}");
    assert_eq!(cut, "4096 bytes of the disk are past the end of the image");
    assert!(refusal(&descriptor(&work, "RW 8 FLAT \"absent\" 0\nRW 8 ZERO")).contains("absent"));
}

#[test]
fn descriptors_that_make_no_sense_are_refused() {
    let work = Work::new();
    fs::write(work.path("flat"), page(0)).expect("written");
    let most = u64::MAX;
    let many = "RW 8 FLAT \"flat\" 0\n".repeat(1500);
    for (extents, word) in [
        ("", "descriptor without extents"),
        ("RW x FLAT \"flat\" 0", "extent without a size"),
        (&format!("RW {most} FLAT \"flat\" 0"), "extent without a size"),
        (&format!("RW 8 FLAT \"flat\" {most}"), "extent without a place"),
        ("RW 8 VMFSRDM \"flat\"", "extents of the kind \"VMFSRDM\""),
        ("NOACCESS 8 FLAT \"flat\" 0", "extents without access"),
        ("RW 100000000000 ZERO\nRW 100000000000 ZERO", "more than 64 TiB"),
        (&many, "more than 1024 extents"),
        ("RW 8 FLAT \"flat\" 0\nparentCID=12345678", "stands on a parent"),
    ] {
        let message = refusal(&descriptor(&work, extents));
        assert!(message.contains(word), "{extents:.60}: {message}");
    }
    // A flat extent that was cut off fails where it ends, and not before.
    let disk = disk(&descriptor(&work, "RW 16 FLAT \"flat\" 0\nRW 8 ZERO"));
    let mut read = [0xee; 4096];
    disk.source.read_exact_at(0, &mut read).expect("there");
    assert_eq!(read[..], page(0));
    disk.source.read_exact_at(4096, &mut read).expect_err("cut off");
    disk.source.read_exact_at(8192, &mut read).expect("zeroes");
    assert_eq!(read, [0; 4096]);
}

#[test]
fn images_that_stand_on_a_parent_or_are_encrypted_say_so() {
    let work = Work::new();
    let secret = ["--object", "secret,id=s,data=x", "-f", "qcow2"];
    let options =
        ["-o", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10", "image", "1M"];
    work.tool("qemu-img", &[&["create", "-q"][..], &secret, &options].concat());
    assert!(refusal(&work.path("image")).contains("encrypted qcow2"));
    fill(&work.path("raw"), 1 << 20);
    work.tool("qemu-img", &["convert", "-f", "raw", "-O", "vmdk", "raw", "base"]);
    work.tool("qemu-img", &["create", "-q", "-f", "vmdk", "-b", "base", "-F", "vmdk", "image"]);
    assert!(refusal(&work.path("image")).contains("a vmdk that stands on a parent"));
    // qemu-img makes no such images of these formats: their fields are set by hand.
    for (format, at, bytes, word) in [
        ("vdi", 0x4c, &[4][..], "a vdi that stands on a parent"),
        ("vdi", 0x1a8, &[1], "a vdi that stands on a parent"),
        ("vpc", 0, b"conectiX", ""),
    ] {
        work.tool("qemu-img", &["convert", "-f", "raw", "-O", format, "raw", "image"]);
        let file = File::options().write(true).open(work.path("image")).expect("opened");
        file.write_all_at(bytes, at).expect("written");
        if !word.is_empty() {
            assert!(refusal(&work.path("image")).contains(word), "{format}");
        }
    }
    for (magic, word) in
        [(&b"COWD"[..], "a sparse vmdk of ESX"), (b"\xbe\xba\xfe\xca\0\0\0\0", "ESX")]
    {
        fs::write(work.path("image"), [magic, &[0; 4096]].concat()).expect("written");
        assert!(refusal(&work.path("image")).contains(word));
    }
}
