//! Nodes that `ext4-reader` refuses and `ext4-view` reads: packages are found all the same.

use crate::support::{scan, tool};
use ext4_reader::{Ext4, InodeNumber};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

const STATUS: &str = "Package: good\nStatus: install ok installed\nVersion: 1.0-1\n\n";

/// A root without metadata checksums, so that a wrong field is all that is wrong.
fn root(work: &Path) -> String {
    let folder = work.join("root");
    fs::create_dir_all(folder.join("etc")).expect("made");
    fs::create_dir_all(folder.join("var/lib/dpkg")).expect("made");
    fs::write(folder.join("etc/os-release"), "ID=debian\nVERSION_ID=12\n").expect("written");
    let padding = format!("Description: {}\n", "x".repeat(900_000));
    fs::write(folder.join("var/lib/dpkg/status"), padding + STATUS).expect("written");
    let image = work.join("disk.img");
    File::create(&image).expect("made").set_len(16 << 20).expect("grown");
    let (image, folder) = (image.to_str().expect("UTF-8"), folder.to_str().expect("UTF-8"));
    tool("mke2fs", &["-q", "-F", "-t", "ext4", "-O", "^metadata_csum", "-d", folder, image]);
    image.to_owned()
}

#[test]
fn an_inode_whose_extra_size_is_nonsense_is_read() {
    for path in ["/var/lib/dpkg/status", "/var/lib", "/etc/os-release"] {
        let work = tempfile::tempdir().expect("a folder");
        let image = root(work.path());
        tool("debugfs", &["-w", "-R", &format!("sif {path} extra_isize 60000"), &image]);
        let stat = tool("debugfs", &["-R", &format!("stat {path}"), &image]);
        let number = stat.split_whitespace().nth(1).and_then(|word| word.parse().ok());
        let device = block_source::FileSource::open(Path::new(&image)).expect("opened");
        let ext4 = Ext4::open(Arc::new(device)).expect("opened");
        let number = InodeNumber(number.expect("a number"));
        assert!(ext4.inode(number).is_err(), "the first engine must need help");

        let (code, report) = scan(&[Path::new(&image)]);
        assert_eq!((code, &report["gaps"]), (0, &serde_json::json!([])), "{path}");
        assert_eq!(report["assets"][0]["packages"][0]["name"], "good", "{path}");
        assert_eq!(report["host"]["os"]["id"], "debian", "{path}");
    }
}

#[test]
fn what_both_refuse_is_a_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let image = root(work.path());
    // No kind of file has this mode.
    tool("debugfs", &["-w", "-R", "sif /var/lib/dpkg mode 0xf1ff", &image]);
    let (code, report) = scan(&[Path::new(&image)]);
    assert_eq!(code, 3);
    let gaps = report["gaps"].as_array().expect("gaps");
    assert!(gaps.iter().any(|gap| gap["reason"] == "corrupt"), "{gaps:?}");
}

#[test]
fn a_damaged_directory_keeps_the_names_of_its_other_blocks() {
    let work = tempfile::tempdir().expect("a folder");
    let folder = work.path().join("root/var/lib/dpkg/status.d");
    fs::create_dir_all(&folder).expect("made");
    for index in 0..200 {
        let name = format!("package-{index:0>60}");
        fs::write(folder.join(&name), format!("Package: p{index}\nVersion: 1\n")).expect("written");
    }
    let image = root(work.path());
    let blocks = tool("debugfs", &["-R", "blocks /var/lib/dpkg/status.d", &image]);
    let blocks: Vec<u64> = blocks.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let stats = tool("debugfs", &["-R", "show_super_stats -h", &image]);
    let size = stats.lines().find_map(|line| line.strip_prefix("Block size:")).expect("a size");
    let size: u64 = size.trim().parse().expect("a number");
    // The length of the first record of the third block.
    let disk = File::options().write(true).open(&image).expect("opened");
    disk.write_all_at(&[0xff, 0xff], blocks[2] * size + 4).expect("written");
    let (code, report) = scan(&[Path::new(&image)]);
    let count = report["assets"][0]["packages"].as_array().expect("packages").len();
    assert_eq!(code, 3);
    assert!((150..201).contains(&count), "{count} of 201 packages");
    let gap = &report["gaps"][0];
    assert_eq!(
        (&gap["place"], &gap["reason"]),
        (&"/var/lib/dpkg/status.d".into(), &"corrupt".into())
    );
}
