//! How much is read to open a filesystem and to find and read one small file in it.

use crate::support::{Reader, open_source, run, script};
use conformance::{can_mount, workplace};
use sidelight::block::{BlockSource, FileSource};
use std::path::Path;
use std::sync::Arc;
use test_material::{Counting, Taken};

/// Sixty thousand files beside the one that is wanted.
fn source(work: &Path) -> std::path::PathBuf {
    let source = work.join("source");
    for folder in 0..60 {
        let folder = source.join(format!("usr/share/folder-{folder}"));
        std::fs::create_dir_all(&folder).unwrap();
        for file in 0..1000 {
            std::fs::write(folder.join(format!("file-{file}")), format!("{file}\n")).unwrap();
        }
    }
    std::fs::create_dir_all(source.join("etc")).unwrap();
    std::fs::write(source.join("etc/os-release"), "ID=debian\n").unwrap();
    source
}

/// Opens, looks up, reads; reads, bytes and blocks of 512 KiB that this took.
fn measured(format: &str, image: &Path) -> (Reader, Counting, Taken) {
    let counting = Counting::new(FileSource::open(image).unwrap());
    let source: Arc<dyn BlockSource> = Arc::new(counting.clone());
    let reader = open_source(format, &[source]);
    assert_eq!(reader.content("etc/os-release"), b"ID=debian\n");
    let taken = counting.take();
    let Taken { reads, bytes, .. } = taken;
    eprintln!("{format}: {reads} reads, {bytes} bytes, {} blocks", taken.blocks());
    (reader, counting, taken)
}

#[test]
fn a_squashfs_of_sixty_thousand_files_is_opened_by_a_few_blocks() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    let source = source(work.path());
    let [from, to] = [&source, &image].map(|it| it.to_str().unwrap());
    run(
        "mksquashfs",
        &[from, to, "-quiet", "-no-progress", "-comp", "zstd", "-Xcompression-level", "1"],
    );
    let (reader, counting, Taken { bytes, .. }) = measured("squashfs", &image);
    let inodes_alone = 60_000 * 20;
    assert!(bytes < 400_000 && bytes < inodes_alone, "{bytes}");
    // A lookup in one folder reads neither the other folders nor their inodes.
    assert_eq!(reader.content("usr/share/folder-30/file-777"), b"777\n");
    let more = counting.take().bytes;
    assert!(more < 400_000, "{more}");
}

#[test]
fn an_erofs_of_sixty_thousand_files_is_opened_by_a_few_blocks() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    let source = source(work.path());
    let [from, to] = [&source, &image].map(|it| it.to_str().unwrap());
    run("mkfs.erofs", &["--quiet", "-zlz4", to, from]);
    let (reader, counting, Taken { bytes, .. }) = measured("erofs", &image);
    assert!(bytes < 300_000, "{bytes}");
    assert_eq!(reader.content("usr/share/folder-30/file-777"), b"777\n");
    let more = counting.take().bytes;
    assert!(more < 300_000, "{more}");
}

#[test]
fn a_btrfs_of_sixty_thousand_files_is_opened_by_a_few_blocks() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    let source = source(work.path());
    let text = r#"truncate -s 1G "$1"; mkfs.btrfs -q -r "$2" "$1""#;
    script(text, &[&image, &source]);
    let (reader, counting, Taken { bytes, .. }) = measured("btrfs", &image);
    assert!(bytes < 1_000_000, "{bytes}");
    assert_eq!(reader.content("usr/share/folder-30/file-777"), b"777\n");
    let more = counting.take().bytes;
    assert!(more < 300_000, "{more}");
}

#[test]
fn a_vfat_reads_only_what_leads_to_the_file() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    let text = r#"
        truncate -s 512M "$1"; mkfs.vfat -F 32 "$1" > /dev/null
        mmd -i "$1" ::etc ::other; echo ID=debian > "$2/os-release"
        head -c 20M /dev/urandom > "$2/large"
        mcopy -i "$1" "$2/large" ::other; mcopy -i "$1" "$2/os-release" ::etc
    "#;
    script(text, &[&image, work.path()]);
    let (_, _, taken) = measured("vfat", &image);
    let (bytes, blocks) = (taken.bytes, taken.blocks());
    assert!(bytes < 300_000, "{bytes}");
    assert!(blocks <= 8, "{blocks}");
}
