//! squashfs images of `mksquashfs`, mounted by the kernel; what the kernel does not unpack is held
//! against `unsquashfs`.

use crate::support::{filled, open, run, same, script};
use conformance::{Abilities, Mounted, can_mount, witness, workplace};
use std::path::Path;

fn abilities() -> Abilities {
    // The source is ext4; its access lists are not kept by the format.
    Abilities { large_folders: [1500, 4000], holes: false, ..Abilities::default() }
}

fn make(source: &Path, image: &Path, options: &[&str]) {
    let [source, image] = [source, image].map(|it| it.to_str().unwrap());
    run(
        "mksquashfs",
        &[&[source, image, "-quiet", "-no-progress", "-processors", "2"], options].concat(),
    );
}

fn check(features: &str, options: &[&str], able: &Abilities) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (image, place) = (work.path().join("image"), work.path().join("place"));
    let source = filled(work.path(), able);
    make(source.path(), &image, options);
    drop(source);
    let mounted = Mounted::new(&image, &place, "ro,loop");
    let tree = witness(mounted.path());
    drop(mounted);
    assert!(tree.nodes.len() > 6000);
    let reader = same(features, "kernel", tree, open("squashfs", &[&image]));
    assert_eq!(reader.filesystem.warnings(), []);
}

macro_rules! cases {
    ($($name:ident: [$($option:literal),*];)*) => {
        $(#[test] fn $name() { check(stringify!($name), &[$($option),*], &abilities()); })*
    };
}

cases! {
    gzip: [];
    xz_with_filter: ["-comp", "xz", "-Xbcj", "x86"];
    zstd_blocks_of_1m: ["-comp", "zstd", "-Xcompression-level", "3", "-b", "1M"];
    lz4_blocks_of_4k: ["-comp", "lz4", "-b", "4K"];
    lzo: ["-comp", "lzo"];
    nothing_packed: ["-noI", "-noD", "-noF", "-noX"];
    no_fragments: ["-no-fragments", "-comp", "lz4"];
    always_fragments: ["-always-use-fragments", "-comp", "lz4"];
    no_duplicates_no_tailends: ["-no-duplicates", "-no-tailends", "-no-exports", "-comp", "lz4"];
}

#[test]
fn holes() {
    check("holes", &["-comp", "lz4"], &Abilities { holes: true, ..abilities() });
}

/// The kernel does not know this one; `unsquashfs` does.
#[test]
fn lzma() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (image, out) = (work.path().join("image"), work.path().join("out"));
    let able = Abilities { xattrs: None, acls: false, ..abilities() };
    let source = filled(work.path(), &able);
    make(source.path(), &image, &["-comp", "lzma"]);
    drop(source);
    script("unsquashfs -quiet -no-progress -d \"$2\" \"$1\" > /dev/null", &[&image, &out]);
    let mut tree = witness(&out);
    // Sizes of directories are those of the filesystem that was unpacked to.
    let mut reader = open("squashfs", &[&image]);
    for (path, node) in &mut tree.nodes {
        if node.kind == conformance::Kind::Directory {
            let found = reader.find(str::from_utf8(path).unwrap()).unwrap();
            node.size = reader.filesystem.metadata(found).unwrap().size;
        }
    }
    reader.times = true;
    same("lzma", "unsquashfs", tree, reader);
}

/// The crate `backhand` gives up on an image with such a link.
#[test]
fn links_of_256_bytes_and_more_do_not_hide_the_rest() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (source, image) = (work.path().join("source"), work.path().join("image"));
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("file"), "content").unwrap();
    for length in [255, 256, 257, 4095] {
        std::os::unix::fs::symlink("t".repeat(length), source.join(format!("link-{length}")))
            .unwrap();
    }
    make(&source, &image, &[]);
    let reader = open("squashfs", &[&image]);
    assert_eq!(reader.content("file"), b"content");
    for length in [255, 256, 257, 4095] {
        let link = reader.find(&format!("link-{length}")).unwrap();
        assert_eq!(reader.filesystem.read_link(link).unwrap(), "t".repeat(length).into_bytes());
    }
}
