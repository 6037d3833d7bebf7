//! Disks with a table of sfdisk and a superblock of mdadm at their end: whose it is, the disk's or that of
//! its last partition; and members whose disk was something else before. The members are those of the
//! fixtures, which mdadm made.

use crate::support::{sidelight, tool};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What mdadm says that the arrays hold, which is a filesystem.
const ARRAY: u64 = 4_128_768;
/// The same of those with a superblock of version 1.2.
const ARRAY_1_2: u64 = 3_145_728;

/// The two members of a mirror.
fn members(fixture: &str) -> [Vec<u8>; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("disk-fixtures/md").join(fixture);
    ["m1", "m2"].map(|name| {
        let packed = File::open(folder.join(format!("{name}.img.zst"))).expect("the fixture");
        zstd::decode_all(packed).expect("zstd")
    })
}

/// Disks with as many bytes before each member, and then this table.
fn disks(work: &Path, fixture: &str, before: usize, table: &str) -> Vec<PathBuf> {
    let mut images = Vec::new();
    for (number, member) in members(fixture).into_iter().enumerate() {
        let image = work.join(format!("{fixture}-{number}"));
        fs::write(&image, [vec![0; before], member].concat()).expect("written");
        let mut child = Command::new("sfdisk")
            .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()))
            .args(["--quiet", "--no-reread", "--no-tell-kernel", "--wipe=never"])
            .args(["--wipe-partitions=never".as_ref(), image.as_os_str()])
            .stdin(Stdio::piped())
            .spawn()
            .expect("sfdisk is installed");
        let input = format!("label: dos\n{table}");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("taken");
        assert!(child.wait().expect("ended").success());
        images.push(image);
    }
    images
}

/// What each part is on, holds, and how large it is, sorted.
fn parts(images: &[PathBuf]) -> Vec<(Vec<String>, String, u64)> {
    let mut arguments = vec!["disks", "--format", "json"];
    arguments.extend(images.iter().map(|path| path.to_str().expect("UTF-8 path")));
    let output = sidelight(&arguments);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let part = |part: &Value| {
        let on = part["on"].as_array().into_iter().flatten().map(text).collect();
        (on, text(&part["holds"]), part["size"].as_u64().expect("a size"))
    };
    let parts = report["coverage"]["parts"].as_array().expect("parts").iter();
    let mut parts: Vec<_> = parts.map(part).collect();
    parts.sort();
    parts
}

/// Holds the parts of two disks against what the disks, their partitions and the array must hold.
fn check(images: &[PathBuf], disk: &str, partition: Option<&str>) {
    hold(images, disk, partition, ARRAY);
}

fn hold(images: &[PathBuf], disk: &str, partition: Option<&str>, array: u64) {
    let parts = parts(images);
    let holding = |on: usize, what: &str| {
        parts.iter().filter(|part| part.0.len() == on && part.1 == what).count()
    };
    assert_eq!(holding(0, disk), 2, "{parts:?}");
    if let Some(partition) = partition {
        assert_eq!(holding(1, partition), 2, "{parts:?}");
    }
    let arrays: Vec<_> = parts.iter().filter(|part| part.0.len() == 2).collect();
    assert_eq!(arrays.len(), 1, "{parts:?}");
    assert_eq!((arrays[0].2, arrays[0].1.as_str()), (array, "ext4"), "{parts:?}");
}

const MEBIBYTE: usize = 1 << 20;

#[test]
fn a_member_in_the_last_partition_is_no_member_of_the_disk() {
    let work = tempfile::tempdir().expect("a folder");
    for fixture in ["raid1_0_90", "raid1_1_0"] {
        let images = disks(work.path(), fixture, MEBIBYTE, "start=2048, type=fd\n");
        check(&images, "mbr", Some("md"));
    }
}

#[test]
fn a_member_in_the_last_logical_partition_is_no_member_of_the_disk() {
    let work = tempfile::tempdir().expect("a folder");
    let table = "1 : start=2048, type=5\n5 : start=4096, type=fd\n";
    for fixture in ["raid1_0_90", "raid1_1_0"] {
        let images = disks(work.path(), fixture, 2 * MEBIBYTE, table);
        check(&images, "mbr", Some("md"));
    }
}

#[test]
fn a_table_inside_an_array_makes_no_partitions_of_its_members() {
    let work = tempfile::tempdir().expect("a folder");
    for fixture in ["raid1_0_90", "raid1_1_0"] {
        let images = disks(work.path(), fixture, 0, "start=2048, size=2048, type=83\n");
        check(&images, "md", None);
    }
}

/// The table that was there before the array; its partition reaches to the end of the disk.
#[test]
fn a_table_that_was_left_makes_no_partitions_of_members_that_are_larger() {
    let work = tempfile::tempdir().expect("a folder");
    for fixture in ["raid1_0_90", "raid1_1_0"] {
        let images = disks(work.path(), fixture, 0, "start=2048, type=83\n");
        check(&images, "md", None);
    }
}

/// What mdadm leaves, which begins to write behind the first 4 KiB, of what stands in a file of the size of
/// the members; of its end so many bytes.
fn over(work: &Path, fixture: &str, end: usize, make: impl Fn(&str)) -> Vec<PathBuf> {
    let members = members(fixture).into_iter().enumerate();
    let member = |(number, mut member): (usize, Vec<u8>)| {
        let image = work.join(format!("{fixture}-{number}"));
        fs::write(&image, vec![0; member.len()]).expect("written");
        make(image.to_str().expect("UTF-8 path"));
        let before = fs::read(&image).expect("read");
        member[..4096].copy_from_slice(&before[..4096]);
        let end = member.len() - end;
        member[end..].copy_from_slice(&before[end..]);
        fs::write(&image, member).expect("written");
        // The witness; `-p` reads the file alone.
        let image_name = image.to_str().expect("UTF-8 path");
        let said = tool("blkid", &["-p", "-o", "value", "-s", "TYPE", image_name]);
        assert_eq!(said.trim(), "linux_raid_member");
        image
    };
    members.map(member).collect()
}

#[test]
fn a_former_ext4_in_front_of_a_superblock_makes_no_filesystem_of_members() {
    let work = tempfile::tempdir().expect("a folder");
    for size in ["1024", "4096"] {
        let images = over(work.path(), "raid1_1_2", 0, |image| {
            tool("mke2fs", &["-q", "-F", "-t", "ext4", "-b", size, image]);
        });
        hold(&images, "md", None, ARRAY_1_2);
    }
}

/// mdadm's superblock lies among the entries of the table, so that only its backup is whole.
#[test]
fn a_former_gpt_whose_entries_are_overwritten_makes_no_partitions_of_members() {
    let work = tempfile::tempdir().expect("a folder");
    for table in ["start=2048", "start=34, size=1024\nstart=2048, size=2048\n"] {
        let images = over(work.path(), "raid1_1_2", 33 * 512, |image| {
            let command = format!(
                "printf 'label: gpt\n{table}\n' | sfdisk --quiet --no-reread --no-tell-kernel {image}"
            );
            tool("sh", &["-c", &command]);
        });
        hold(&images, "md", None, ARRAY_1_2);
    }
}
