//! The file of `--output`, and what may stand in its place.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Scans an empty disk in `work`; a shell sets umask and redirections.
fn scan(work: &Path, shell: &str) -> Output {
    fs::write(work.join("disk.img"), [0; 4096]).expect("written");
    let script = shell.replace("SCAN", "\"$SIDELIGHT\" scan disk.img --no-match --format json");
    Command::new("bash")
        .args(["-c", &script])
        .env("SIDELIGHT", env!("CARGO_BIN_EXE_sidelight"))
        .current_dir(work)
        .stdin(Stdio::null())
        .output()
        .expect("bash runs")
}

fn work() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn mode(path: PathBuf) -> u32 {
    fs::metadata(path).expect("the file").permissions().mode() & 0o7777
}

fn is_report(text: &[u8]) -> bool {
    serde_json::from_slice(text).is_ok_and(|report: Value| report["schema_version"] == 1)
}

#[test]
fn a_new_file_has_the_mode_that_the_umask_gives() {
    for (umask, expected) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let work = work();
        scan(work.path(), &format!("umask {umask}; SCAN --output report"));
        assert_eq!(mode(work.path().join("report")), expected, "{umask}");
    }
}

#[test]
fn a_file_that_is_there_keeps_its_mode() {
    let work = work();
    let path = work.path().join("report");
    fs::write(&path, "old").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
    scan(work.path(), "umask 022; SCAN --output report");
    assert_eq!(mode(path.clone()), 0o640);
    assert!(is_report(&fs::read(path).expect("read")));
}

#[test]
fn a_link_stays_a_link_and_what_it_names_is_written() {
    for there in [true, false] {
        let work = work();
        fs::create_dir(work.path().join("folder")).expect("made");
        let target = work.path().join("folder/report");
        if there {
            fs::write(&target, "old").expect("written");
        }
        symlink("folder/report", work.path().join("link")).expect("linked");
        scan(work.path(), "SCAN --output link");
        assert!(fs::symlink_metadata(work.path().join("link")).expect("there").is_symlink());
        assert!(is_report(&fs::read(target).expect("read")), "{there}");
    }
}

#[test]
fn standard_output_by_name_is_not_written_over() {
    let work = work();
    scan(work.path(), "echo before >log; SCAN --output /dev/stdout >>log; echo after >>log");
    let log = fs::read_to_string(work.path().join("log")).expect("read");
    let report = log.strip_prefix("before\n").and_then(|rest| rest.strip_suffix("after\n"));
    assert!(report.is_some_and(|report| is_report(report.as_bytes())), "{log}");
}

#[test]
fn pipes_are_written_to() {
    let work = work();
    let output = scan(work.path(), "mkfifo pipe; cat pipe & SCAN --output pipe; wait");
    assert!(is_report(&output.stdout));
    let output = scan(work.path(), "SCAN --output >(cat)");
    assert!(is_report(&output.stdout), "{output:?}");
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let work = work();
    let output = scan(work.path(), "set -o pipefail; SCAN | head -c 1; echo ${PIPESTATUS[0]}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{3\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_full_device_is_an_error_and_nothing_is_left() {
    let work = work();
    let output = scan(work.path(), "SCAN --output /dev/full; echo $?; SCAN >/dev/full; echo $?");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2\n2\n");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr.matches("No space left on device").count(), 2, "{stderr}");
    assert_eq!(fs::read_dir(work.path()).expect("a folder").count(), 1);
}

#[test]
fn a_folder_that_forbids_is_told_before_the_scan() {
    let work = work();
    // Not even root may make a file here.
    let output =
        scan(work.path(), "\"$SIDELIGHT\" scan no-such-disk --output /proc/self/report; echo $?");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot write /proc/self/report"), "{stderr}");
    assert!(stderr.contains("no file can be made in") || stderr.contains("no folder"), "{stderr}");
}

#[test]
fn the_read_set_names_the_blocks_of_each_disk() {
    let Some(folder) = crate::support::disks() else { return };
    let work = work();
    let image = folder.join("debian-12.img");
    let output = Command::new(env!("CARGO_BIN_EXE_sidelight"))
        .arg("scan")
        .arg(&image)
        .args(["--no-match", "--format", "json", "--read-set"])
        .arg(work.path().join("reads.json"))
        .output()
        .expect("the program runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let set = fs::read(work.path().join("reads.json")).expect("written");
    let set: Value = serde_json::from_slice(&set).expect("JSON");
    assert_eq!((&set["schema_version"], &set["block_size"]), (&1.into(), &524_288.into()));
    let device = &set["devices"][0];
    assert_eq!(device["name"], "debian-12.img");
    assert_eq!(device["size"], fs::metadata(&image).expect("there").len());
    let number = |value: &Value| value.as_u64().expect("a number");
    let ranges = device["ranges"].as_array().expect("ranges");
    let lengths = ranges.iter().map(|range| number(&range["last"]) - number(&range["first"]) + 1);
    assert_eq!(lengths.sum::<u64>(), number(&report["receipt"]["blocks_read"]));
    // Nothing outside of these blocks matters: a copy that holds no other gives the same answer.
    let copy = work.path().join("debian-12.img");
    let only = fs::File::create(&copy).expect("made");
    only.set_len(number(&device["size"])).expect("grown");
    let disk = fs::File::open(&image).expect("opened");
    for range in ranges {
        use std::os::unix::fs::FileExt;
        let (first, last) = (number(&range["first"]), number(&range["last"]));
        let mut bytes = vec![0; ((last - first + 1) * 524_288) as usize];
        disk.read_exact_at(&mut bytes, first * 524_288).expect("read");
        only.write_all_at(&bytes, first * 524_288).expect("written");
    }
    let (_, again) = crate::support::scan(&[&copy]);
    assert_eq!((&again["assets"], &again["host"]), (&report["assets"], &report["host"]));
    assert_eq!(again["gaps"], report["gaps"]);
}
