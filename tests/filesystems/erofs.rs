//! EROFS images of `mkfs.erofs`, mounted by the kernel.

use crate::support::{filled, open, run, same, script};
use conformance::{Abilities, Mounted, can_mount, witness, workplace};
use sidelight::block::{Device, FileSource};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

fn abilities() -> Abilities {
    // `mkfs.erofs` 1.5 would write holes out.
    Abilities { large_folders: [1500, 4000], holes: false, ..Abilities::default() }
}

/// Makes an image, in the folder where `mkfs.erofs` keeps chunks before it copies them: between two
/// filesystems it cannot.
pub fn make(source: &Path, image: &Path, options: &[&str]) {
    let work = tempfile::tempdir().unwrap();
    let made = work.path().join("image");
    let [source, made] = [source, &made].map(|it| it.to_str().unwrap());
    run("mkfs.erofs", &[&["--quiet"], options, &[made, source]].concat());
    std::fs::copy(made, image).unwrap();
}

fn check(features: &str, options: &[&str]) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (image, place) = (work.path().join("image"), work.path().join("place"));
    let source = filled(work.path(), &abilities());
    shorten(source.path());
    make(source.path(), &image, options);
    drop(source);
    let mounted = Mounted::new(&image, &place, "ro,loop");
    let tree = witness(mounted.path());
    drop(mounted);
    assert!(tree.nodes.len() > 6000);
    let reader = same(features, "kernel", tree, open("erofs", &[&image]));
    assert_eq!(reader.filesystem.warnings(), []);
    let uuid = script("blkid -p -o value -s UUID \"$1\"", &[&image]);
    assert_eq!(reader.filesystem.identity().uuid.as_deref(), Some(uuid.trim()));
}

/// `mkfs.erofs` 1.5 gives up on names of 255 bytes.
fn shorten(source: &Path) {
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().as_bytes();
        if name.len() == 255 {
            std::fs::rename(&path, source.join(OsStr::from_bytes(&name[1..]))).unwrap();
        }
    }
}

macro_rules! cases {
    ($($name:ident: [$($option:literal),*];)*) => {
        $(#[test] fn $name() { check(stringify!($name), &[$($option),*]); })*
    };
}

cases! {
    plain: [];
    lz4: ["-zlz4"];
    lz4hc_clusters_of_64k: ["-zlz4hc,9", "-C65536"];
    ztailpacking: ["-zlz4", "-Eztailpacking"];
    fragments: ["-zlz4", "-Efragments"];
    all_fragments_dedupe: ["-zlz4hc", "-C65536", "-Eall-fragments,dedupe"];
    full_indexes: ["-zlz4", "-Elegacy-compress"];
    extended_inodes: ["-zlz4", "-Eforce-inode-extended"];
    compact_inodes: ["-Eforce-inode-compact", "-T1700000000", "--all-root"];
    chunks: ["--chunksize=4096"];
    chunks_of_1m: ["--chunksize=1048576"];
    shared_attributes: ["-x1"];
}

/// Data in a blob beside the image cannot be read from it.
#[test]
fn data_on_another_device_is_refused_by_name() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let [source, image, blob] = ["source", "image", "blob"].map(|name| work.path().join(name));
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("file"), vec![7; 100_000]).unwrap();
    std::fs::File::create(&blob).unwrap();
    make(&source, &image, &["--chunksize=4096", &format!("--blobdev={}", blob.display())]);
    let device = Device::new("disk", Arc::new(FileSource::open(&image).unwrap()));
    let format = sidelight::filesystem::FORMATS.iter().find(|it| it.name() == "erofs").unwrap();
    let Err(error) = format.open(&[device]) else { panic!("opened") };
    assert_eq!(error.to_string(), "not supported: erofs with data on 1 more devices or in blobs");
}
