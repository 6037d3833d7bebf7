//! How much is read to find and to read something.

use crate::reader::can_mount;
use crate::volume::Volume;
use ntfs_reader::Ntfs;
use std::fs;
use std::sync::Arc;
use test_material::{Counting, Taken};

#[test]
fn a_name_in_a_large_folder_costs_a_few_nodes() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(64, &[]);
    let mounted = volume.mount("noatime");
    fs::create_dir(mounted.path().join("large")).unwrap();
    for index in 0..12_000 {
        fs::write(mounted.path().join(format!("large/name-{index}")), "").unwrap();
    }
    fs::write(mounted.path().join("file"), vec![1; 5 << 20]).unwrap();
    drop(mounted);
    let device = Counting::new(block_source::FileSource::open(volume.image()).unwrap());
    let ntfs = Ntfs::open(Arc::new(device.clone())).unwrap();
    let Taken { bytes, reads, .. } = device.take();
    assert!(bytes < 200_000 && reads < 16, "open: {bytes} bytes, {reads} reads");
    let root = ntfs.file(ntfs.root()).unwrap();
    let large = ntfs.file(ntfs.lookup(&root, b"large").unwrap().unwrap()).unwrap();
    device.take();
    let listing = ntfs.read_dir(&large).unwrap();
    assert_eq!(listing.entries.len(), 12_000);
    let Taken { bytes, reads, .. } = device.take();
    assert!(bytes < 3 << 20 && reads < 200, "list: {bytes} bytes, {reads} reads");
    for name in ["name-0", "name-5999", "NAME-11999", "no such name"] {
        let found = ntfs.lookup(&large, name.as_bytes()).unwrap();
        assert_eq!(found.is_some(), name != "no such name");
        let Taken { bytes, reads, .. } = device.take();
        // Twice down three levels, if the name itself is not there.
        assert!(bytes <= 6 * 4096 && reads <= 6, "{name}: {bytes} bytes, {reads} reads");
    }
    let file = ntfs.file(ntfs.lookup(&root, b"file").unwrap().unwrap()).unwrap();
    device.take();
    ntfs.read_at(&file, 1 << 20, &mut vec![0; 1 << 20]).unwrap();
    let Taken { bytes, reads, .. } = device.take();
    assert!(bytes == 1 << 20 && reads < 10, "read: {bytes} bytes, {reads} reads");
}
