//! Windows hosts: hives that hivex makes, on NTFS that ntfs-3g writes, and what hivex says is in them.

use crate::support::{scan, tool};
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PYTHON: &str = "/usr/bin/python3";
const UNINSTALL: &str = "Microsoft\\Windows\\CurrentVersion\\Uninstall";
const CONFIG: &str = "Windows/System32/config";

/// Whether hivex is there; `false` skips the test.
fn has_hivex() -> bool {
    let run = Command::new(PYTHON).args(["-c", "import hivex"]).output();
    let is_there = run.is_ok_and(|run| run.status.success());
    if !is_there {
        test_material::skip("no hivex; run scripts/setup, which installs it");
    }
    is_there
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// `hives.py` with these words.
fn hives(arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scan/windows/hives.py");
    tool("env", &[&["PYTHONIOENCODING=utf-8", PYTHON, text(&script)], arguments].concat())
}

/// The files of a Windows, in folders of these names.
struct Files {
    root: PathBuf,
    software: PathBuf,
}

/// Makes them below a folder.
fn files(work: &Path, config: &str) -> Files {
    let (made, root) = (work.join("made"), work.join("root"));
    fs::create_dir_all(&made).expect("made");
    hives(&["make", text(&made)]);
    for folder in [config, "Users/Administrator", "Users/Default", "Users/Public"] {
        fs::create_dir_all(root.join(folder)).expect("made");
    }
    let software = root.join(config).join("SOFTWARE");
    fs::copy(made.join("SOFTWARE"), &software).expect("copied");
    fs::copy(made.join("SYSTEM"), root.join(config).join("SYSTEM")).expect("copied");
    for user in ["Administrator", "Default"] {
        let user = root.join("Users").join(user).join("NTUSER.DAT");
        fs::copy(made.join("NTUSER.DAT"), user).expect("copied");
    }
    Files { root, software }
}

/// An NTFS filesystem of a folder.
fn ntfs(work: &Path, from: &Path) -> PathBuf {
    let (image, folder) = (work.join("disk.img"), work.join("mounted"));
    File::create(&image).expect("made").set_len(16 << 20).expect("grown");
    fs::create_dir(&folder).expect("made");
    tool("mkntfs", &["-q", "-Q", "-F", text(&image)]);
    // It ends when it has let go of the image.
    let mut mounted = Command::new("ntfs-3g")
        .args(["-o", "no_detach", text(&image), text(&folder)])
        .stderr(Stdio::null())
        .spawn()
        .expect("ntfs-3g runs");
    let is_there =
        || fs::read_to_string("/proc/self/mounts").expect("read").contains(text(&folder));
    while !is_there() {
        assert!(mounted.try_wait().expect("asked").is_none(), "ntfs-3g did not mount");
        std::thread::yield_now();
    }
    tool("cp", &["-r", &format!("{}/.", text(from)), text(&folder)]);
    tool("umount", &[text(&folder)]);
    assert!(mounted.wait().expect("ended").success());
    image
}

fn directory(root: &Path) -> PathBuf {
    PathBuf::from(format!("dir:{}", text(root)))
}

fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    gaps.map(|gap| [&gap["place"], &gap["reason"], &gap["detail"]].map(text).join(" | ")).collect()
}

fn packages(report: &Value) -> &[Value] {
    report["assets"][0]["packages"].as_array().expect("packages")
}

/// Name, version and publisher.
fn found(report: &Value) -> Vec<String> {
    let of = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let row = |it: &Value| [&it["name"], &it["version"], &it["vendor"]].map(of).join("\t");
    let mut rows: Vec<_> = packages(report).iter().map(row).collect();
    rows.sort();
    rows
}

/// What hivex finds in a SOFTWARE and in the hive of one user.
fn expected(software: &Path, user: &Path) -> Vec<String> {
    let lists = [
        hives(&["programs", text(software), UNINSTALL]),
        hives(&["programs", text(software), &format!("WOW6432Node\\{UNINSTALL}")]),
        hives(&["programs", text(user), &format!("Software\\{UNINSTALL}")]),
        hives(&["updates", text(software)]),
    ];
    let lines = lists.iter().flat_map(|list| list.lines());
    let mut rows: Vec<_> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
    rows.sort();
    rows
}

fn package<'a>(report: &'a Value, name: &str) -> &'a Value {
    packages(report).iter().find(|it| it["name"] == name).expect("the package")
}

#[test]
fn a_windows_on_ntfs_has_the_programs_and_updates_that_hivex_finds() {
    if !test_material::root() || !has_hivex() {
        return;
    }
    // Names of folders as older systems write them.
    for config in [CONFIG, "WINDOWS/system32/CONFIG"] {
        let work = tempfile::tempdir().expect("a folder");
        let files = files(work.path(), config);
        let user = files.root.join("Users/Administrator/NTUSER.DAT");
        let (code, report) = scan(&[&ntfs(work.path(), &files.root)]);
        assert_eq!((code, gaps(&report)), (0, Vec::new()), "{config}");
        let expected = expected(&files.software, &user);
        assert_eq!((found(&report), expected.len()), (expected, 10), "{config}");
    }
}

#[test]
fn a_windows_says_who_it_is() {
    if !has_hivex() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let files = files(work.path(), CONFIG);
    let (code, report) = scan(&[&directory(&files.root)]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
    let host = &report["host"];
    let get = |path: &str, name: &str| {
        hives(&["get", text(&files.software), path, name]).trim().to_owned()
    };
    let version = "Microsoft\\Windows NT\\CurrentVersion";
    let build = format!("{}.{}", get(version, "CurrentBuild"), get(version, "UBR"));
    assert_eq!(host["os"]["id"], "windows");
    assert_eq!(host["os"]["version_id"], build);
    assert_eq!(host["os"]["codename"], get(version, "DisplayVersion"));
    assert_eq!(host["os"]["pretty_name"], "Windows 11 Pro 23H2");
    assert_eq!(host["machine_id"], get("Microsoft\\Cryptography", "MachineGuid"));
    assert_eq!(host["hostname"], "ec2amaz-longname01");
    assert_eq!(host["ips"], serde_json::json!(["10.0.3.7", "172.16.0.4", "172.16.0.5"]));
    assert_eq!(host["timezone"], "W. Europe Standard Time");
    assert_eq!(report["assets"][0]["name"], "ec2amaz-longname01");
}

#[test]
fn what_is_known_of_a_program_and_of_an_update() {
    if !has_hivex() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let files = files(work.path(), CONFIG);
    let (_, report) = scan(&[&directory(&files.root)]);
    let java = package(&report, "Java 8 Update 391 (64-bit)");
    let purl = "pkg:generic/windows/Java%208%20Update%20391%20%2864-bit%29@8.0.3910.13?arch=amd64";
    assert_eq!((&java["purl"], &java["arch"]), (&purl.into(), &"amd64".into()));
    assert_eq!(java["installed_at"], "2024-01-17T00:00:00Z");
    let key = format!("{UNINSTALL}\\{{26A24AE4-039D-4CA4-87B4-2F64180391F0}}");
    let evidence = format!("/Windows/System32/config/SOFTWARE!{key}");
    assert_eq!(java["evidence"], serde_json::json!([evidence]));
    assert_eq!(package(&report, "Mozilla Firefox (x86 en-US)")["arch"], "x86");
    let unversioned = package(&report, "Stra\u{df}e \u{2013} B\u{fc}ro");
    let purl = "pkg:generic/windows/Stra%C3%9Fe%20%E2%80%93%20B%C3%BCro?arch=amd64";
    assert_eq!(unversioned["purl"], purl);
    let update = package(&report, "KB5033920");
    // 31083141 << 32 | 2463412121 hundreds of nanoseconds since 1601, by `date`.
    let seconds = ((31_083_141u64 << 32) + 2_463_412_121) / 10_000_000 - 11_644_473_600;
    let time = tool("date", &["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"]);
    assert_eq!(update["installed_at"], time.trim());
    assert!(update["evidence"][0].as_str().expect("it").contains("\\Package_for_KB5033920~"));
}

#[test]
fn what_stands_in_the_log_of_a_hive_counts() {
    if !test_material::root() || !has_hivex() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let files = files(work.path(), CONFIG);
    let after = work.path().join("after");
    fs::copy(&files.software, &after).expect("copied");
    hives(&["update", text(&after)]);
    hives(&["log", text(&files.software), text(&after)]);
    let user = files.root.join("Users/Administrator/NTUSER.DAT");
    let (code, report) = scan(&[&ntfs(work.path(), &files.root)]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
    let expected = expected(&after, &user);
    assert_eq!((found(&report), expected.len()), (expected, 11));
    assert_eq!(report["host"]["os"]["version_id"], "22631.3007");
}

#[test]
fn a_hive_without_its_log_is_read_as_it_is_and_told() {
    if !has_hivex() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let files = files(work.path(), CONFIG);
    let before = expected(&files.software, &files.root.join("Users/Administrator/NTUSER.DAT"));
    let after = work.path().join("after");
    fs::copy(&files.software, &after).expect("copied");
    hives(&["update", text(&after)]);
    hives(&["log", text(&files.software), text(&after)]);
    fs::remove_file(files.root.join(CONFIG).join("SOFTWARE.LOG1")).expect("removed");
    let (code, report) = scan(&[&directory(&files.root)]);
    assert_eq!((code, found(&report)), (3, before));
    let gaps = gaps(&report);
    assert!(gaps.iter().all(|gap| gap.starts_with("/Windows/System32/config/SOFTWARE | ")));
    assert_eq!(gaps.len(), 1, "{gaps:?}");
}

#[test]
fn hives_that_are_none_are_gaps_and_the_rest_is_read() {
    if !has_hivex() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let files = files(work.path(), CONFIG);
    fs::create_dir_all(files.root.join("Users/other")).expect("made");
    fs::write(files.root.join("Users/other/NTUSER.DAT"), "regf").expect("written");
    fs::write(files.root.join(CONFIG).join("SYSTEM"), vec![0; 9000]).expect("written");
    let (code, report) = scan(&[&directory(&files.root)]);
    assert_eq!((code, found(&report).len()), (3, 10));
    assert_eq!(
        gaps(&report),
        [
            "/Users/other/NTUSER.DAT | corrupt | damaged registry hive: shorter than a base block at 0x0",
            "/Windows/System32/config/SYSTEM | corrupt | damaged registry hive: no registry hive at 0x0",
        ]
    );
    fs::write(&files.software, "no hive").expect("written");
    let (code, report) = scan(&[&directory(&files.root)]);
    let host = &report["host"]["os"];
    assert_eq!(
        (code, &host["id"], &host["pretty_name"]),
        (3, &"windows".into(), &"Windows".into())
    );
    assert_eq!(found(&report).len(), 1, "that of the user");
}

/// Nothing panics, and the other hives are read.
#[test]
fn a_hive_that_is_hurt_anywhere_costs_no_more_than_what_it_hits() {
    if !has_hivex() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let files = files(work.path(), CONFIG);
    let whole = fs::read(&files.software).expect("read");
    for at in (4096..whole.len()).step_by(97) {
        let mut hurt = whole.clone();
        hurt[at..at + 4].copy_from_slice(&[0xff, 0x7f, 0xfe, 0xff][..]);
        fs::write(&files.software, hurt).expect("written");
        let (code, report) = scan(&[&directory(&files.root)]);
        assert!(matches!(code, 0 | 3), "{at:#x}");
        assert!(found(&report).iter().any(|row| row.starts_with("Microsoft Visual")), "{at:#x}");
    }
}
