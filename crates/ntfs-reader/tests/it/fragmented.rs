//! Files, a directory and the file table itself in so many pieces that their runs need many
//! records. ntfs-3g writes them and says what is in them. Needs root and FUSE.

use crate::hold::hold;
use crate::reader::can_mount;
use crate::volume::Volume;
use conformance::tool;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Fills the volume with small files, and removes every second one. They must be too large to stand
/// in their records.
fn crumble(root: &Path) {
    let folder = root.join("crumbs");
    fs::create_dir(&folder).unwrap();
    let content = vec![b'c'; 4096];
    let mut count = 0;
    while fs::write(folder.join(format!("{count}")), &content).is_ok() {
        count += 1;
    }
    assert!(count > 5000, "{count}");
    for index in (0..count).step_by(2) {
        fs::remove_file(folder.join(format!("{index}"))).unwrap();
    }
}

/// Writes until nothing fits, or `size` bytes; what fits is kept.
fn write_large(path: &Path, size: usize) {
    let mut file = File::create(path).unwrap();
    for index in 0..size / 4096 {
        let block: Vec<u8> = (0..4096).map(|at| (at ^ index) as u8).collect();
        if file.write_all(&block).is_err() {
            return;
        }
    }
}

/// A volume whose free clusters all lie apart, filled once more.
pub fn fragmented() -> Option<Volume> {
    if !can_mount() {
        return None;
    }
    let volume = Volume::new(48, &["-c", "4096"]);
    let mounted = volume.mount("noatime");
    crumble(mounted.path());
    write_large(&mounted.path().join("large"), 12 << 20);
    fs::create_dir(mounted.path().join("folder")).unwrap();
    for index in 0..6000 {
        let name = format!("folder/a-rather-long-name-of-an-empty-file-in-a-folder-{index:06}");
        if File::create(mounted.path().join(name)).is_err() {
            break;
        }
    }
    write_large(&mounted.path().join("larger"), 3 << 20);
    drop(mounted);
    Some(volume)
}

/// What `ntfsinfo` says of the attribute list of a file; empty if it has none.
fn list_of(image: &Path, number: u64) -> String {
    let number = number.to_string();
    let output = tool("ntfsinfo").args(["-f", "-v", "-i", &number]).arg(image).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let Some(start) = text.find("Dumping attribute $ATTRIBUTE_LIST") else { return String::new() };
    let list = text[start..].lines().skip(1).take_while(|line| !line.starts_with("Dumping"));
    list.collect::<Vec<_>>().join("\n")
}

/// Whether the attribute list of a file stands in its record, as `ntfsinfo` says.
pub fn is_resident(image: &Path, number: u64) -> bool {
    let list = list_of(image, number);
    let told = list.lines().find(|line| line.contains("Resident:"));
    told.unwrap_or_else(|| panic!("file {number} has no list")).ends_with("Yes")
}

#[test]
fn runs_in_many_records() {
    let Some(volume) = fragmented() else { return };
    let mounted = volume.mount("ro");
    let number = |name| fs::metadata(mounted.path().join(name)).unwrap().ino();
    for number in [0, number("folder"), number("large")] {
        assert!(!is_resident(&volume.image(), number));
    }
    let reader = hold("runs_in_many_records", mounted, &volume.image(), false);
    assert!(reader.ntfs.health().lost_records.is_empty());
}
