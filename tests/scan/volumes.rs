//! Partition tables made by sfdisk: the same partitions as `sfdisk --json` says, and what is in
//! them is looked at whatever its number, type or name.

use serde_json::Value;
use sidelight::block::{Device, FileSource};
use sidelight::volume::{TABLES, Volume, VolumeFormat};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

const MBR: &str = "label: dos
label-id: 0x5eed1234
start=2048, size=4096, type=83
start=8192, size=2048, type=ef
start=12288, size=2048, type=82
start=16384, size=100000, type=5
start=18432, size=4096, type=83
start=24576, size=8192, type=8e
start=40960, size=2048, type=c
start=45056, size=2048, type=fd
";
/// The extended partition in the first entry, a gap in the numbers, and the chain not in order.
const MBR_ODD: &str = "label: dos
1 : start=2048, size=60000, type=f
3 : start=70000, size=3000, type=83
5 : start=4096, size=2000, type=83
6 : start=8192, size=2000, type=83
7 : start=12288, size=49760, type=83
";
const GPT: &str = "label: gpt
1 : start=4096, size=8192, type=linux, name=\"root \u{e9}\"
14 : start=2048, size=1024, type=21686148-6449-6E6F-744E-656564454649
15 : start=20480, size=8192, type=uefi
128 : start=40960, size=2048, type=swap, name=\"last\"
";
const SECTOR: u64 = 512;

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

fn sfdisk(image: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = tool("sfdisk")
        .args(arguments)
        .arg(image)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sfdisk is installed");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("taken");
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn disk(work: &Path, script: &str) -> (std::path::PathBuf, Value) {
    let image = work.join("disk.img");
    File::create(&image).expect("made").set_len(64 << 20).expect("grown");
    sfdisk(&image, &["--quiet", "--no-reread", "--no-tell-kernel"], script);
    let json = sfdisk(&image, &["--json"], "").stdout;
    let table: Value = serde_json::from_slice(&json).expect("JSON");
    (image, table["partitiontable"].clone())
}

/// What we read: volumes of the first format that claims the disk.
fn volumes(image: &Path) -> Vec<Volume> {
    let device = Device::new("disk.img", Arc::new(FileSource::open(image).expect("opened")));
    let format = TABLES.iter().find(|format| format.claims(&device).expect("read"));
    let found = format.expect("a table").assemble(&[device]);
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    found.found
}

/// Writes each partition's number into its first sector, reads it through the volume, and compares
/// number, start, size, id and name with the tool's.
fn check(script: &str) {
    let work = tempfile::tempdir().expect("a folder");
    let (image, table) = disk(work.path(), script);
    let expected: Vec<&Value> = table["partitions"]
        .as_array()
        .expect("partitions")
        .iter()
        // The extended partition is where the others are, not a volume.
        .filter(|partition| !matches!(partition["type"].as_str(), Some("5" | "f")))
        .collect();
    let file = File::options().write(true).open(&image).expect("opened");
    for partition in &expected {
        let start = partition["start"].as_u64().expect("a number");
        file.write_all_at(&start.to_le_bytes(), start * SECTOR).expect("written");
    }
    let found = volumes(&image);
    assert_eq!(found.len(), expected.len(), "{script}");
    for volume in found {
        let node = format!("{}{}", image.display(), volume.number.expect("a partition"));
        let said = expected.iter().find(|partition| partition["node"] == node).expect("its number");
        let mut start = [0; 8];
        volume.device.source.read_exact_at(0, &mut start).expect("read");
        assert_eq!(Some(u64::from_le_bytes(start)), said["start"].as_u64(), "{node}");
        let size = said["size"].as_u64().map(|sectors| sectors * SECTOR);
        assert_eq!(Some(volume.device.source.size()), size, "{node}");
        if let Some(uuid) = said["uuid"].as_str() {
            assert_eq!(volume.uuid, Some(uuid.to_lowercase()), "{node}");
        } else {
            let id = table["id"].as_str().expect("an id").trim_start_matches("0x");
            assert_eq!(
                volume.uuid,
                Some(format!("{id}-{:02x}", volume.number.expect("a partition"))),
                "{node}"
            );
        }
        assert_eq!(volume.label.as_deref(), said["name"].as_str(), "{node}");
    }
}

#[test]
fn the_partitions_are_those_of_sfdisk() {
    for script in [MBR, MBR_ODD, GPT] {
        check(script);
    }
}

/// Found by fuzzing: the header's fields were read past the end of the device.
#[test]
fn a_device_that_ends_inside_the_header_is_an_error() {
    for length in 513..700 {
        let mut bytes = vec![0; length];
        let mark = b"EFI PART";
        let kept = mark.len().min(length - 512);
        bytes[512..512 + kept].copy_from_slice(&mark[..kept]);
        let device = Device::new("disk.img", Arc::new(bytes));
        let found = sidelight::volume::gpt::Gpt.assemble(&[device]);
        assert_eq!((found.found.len(), found.gaps.len()), (0, 1), "{length} bytes");
    }
}

#[test]
fn a_chain_that_bites_its_tail_ends_with_a_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let (image, _) = disk(work.path(), MBR);
    let file = File::options().read(true).write(true).open(&image).expect("opened");
    // The second link of the chain is made to point at the first again.
    let first = 16384 * SECTOR;
    let mut link = [0; 4];
    file.read_exact_at(&mut link, first + 446 + 16 + 8).expect("read");
    let second = first + u64::from(u32::from_le_bytes(link)) * SECTOR;
    file.write_all_at(&[0; 4], second + 446 + 16 + 8).expect("written");
    let device = Device::new("disk.img", Arc::new(FileSource::open(&image).expect("opened")));
    let format = TABLES.iter().find(|format| format.claims(&device).expect("read"));
    let found = format.expect("a table").assemble(&[device]);
    let numbers: Vec<u32> = found.found.iter().filter_map(|volume| volume.number).collect();
    assert_eq!(numbers, [1, 2, 3, 5, 6]);
    assert!(found.gaps[0].detail.contains("goes back"), "{:?}", found.gaps);
}

/// A table in which each of `count` partitions is the whole disk, table included.
fn table_of_itself(count: u32) -> Vec<u8> {
    const SECTORS: u64 = 16384;
    let entry = |number: u32| {
        let mut entry = [0; 128];
        entry[0] = 1;
        entry[16..20].copy_from_slice(&(number + 1).to_le_bytes());
        entry[40..48].copy_from_slice(&(SECTORS - 1).to_le_bytes());
        entry
    };
    let entries: Vec<u8> = (0..count).flat_map(entry).collect();
    let mut header = [0; 92];
    header[..8].copy_from_slice(b"EFI PART");
    header[12..16].copy_from_slice(&92_u32.to_le_bytes());
    header[24..32].copy_from_slice(&1_u64.to_le_bytes());
    header[72..80].copy_from_slice(&2_u64.to_le_bytes());
    header[80..84].copy_from_slice(&count.to_le_bytes());
    header[84..88].copy_from_slice(&128_u32.to_le_bytes());
    header[88..92].copy_from_slice(&crc32fast::hash(&entries).to_le_bytes());
    let sum = crc32fast::hash(&header);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
    let mut disk = vec![0; (SECTORS * SECTOR) as usize];
    disk[512..604].copy_from_slice(&header);
    disk[1024..1024 + entries.len()].copy_from_slice(&entries);
    disk
}

/// Each level would have had 128 times the partitions of the one before.
#[test]
fn partitions_within_themselves_end_at_a_limit() {
    let work = tempfile::tempdir().expect("a folder");
    let image = work.path().join("disk.img");
    std::fs::write(&image, table_of_itself(128)).expect("written");
    let (code, report) = crate::support::scan(&[&image]);
    let gaps = report["gaps"].as_array().expect("gaps");
    assert_eq!(code, 3);
    assert!(gaps.iter().any(|gap| gap["reason"] == "limit"), "{gaps:?}");
    assert!(gaps.len() < 600, "{} gaps", gaps.len());
}
