//! Which kernel runs, by records that systemd and util-linux wrote.

use crate::directory::root;
use crate::support::{scan, tool};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const REMOTE: &str = "/lib/systemd/systemd-journal-remote";
const MACHINE: &str = "0123456789abcdef0123456789abcdef";
const SECOND: u64 = 1_000_000;
/// 2024-01-01.
const START: u64 = 1_704_067_200;

/// What a tool gives for some input.
fn piped(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut tool = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = tool.stdin.take().expect("piped");
    stdin.write_all(input).expect("taken");
    drop(stdin);
    let output = tool.wait_with_output().expect("ends");
    assert!(output.status.success(), "{program}");
    output.stdout
}

/// A host with these records of `utmpdump`.
fn with_wtmp(work: &Path, records: &str) {
    fs::create_dir_all(work.join("var/log")).expect("made");
    let wtmp = piped("utmpdump", &["-r"], records.as_bytes());
    fs::write(work.join("var/log/wtmp"), wtmp).expect("written");
}

fn booted(kernel: &str, at: &str) -> String {
    format!(
        "[2] [00000] [~~  ] [reboot  ] [~           ] [{kernel:<20}] [0.0.0.0        ] [{at},000000+00:00]\n"
    )
}

fn logged_in(at: &str) -> String {
    format!(
        "[7] [00812] [tty1] [admin   ] [tty1        ] [10.0.0.9            ] [10.0.0.9       ] [{at},000000+00:00]\n"
    )
}

/// A boot in the export format, from this many seconds after its start: its log has so many entries,
/// the second of which is the kernel's first words, if the start is in it.
fn boot(number: u64, kernel: &str, second: u64, since: u64) -> String {
    let entry = |index: u64| {
        let since_boot = (2 + since) * SECOND + index;
        let message = match index {
            1 if since == 0 => format!("Linux version {kernel} (builder@host) #1 SMP"),
            _ => format!("message {index}"),
        };
        format!(
            "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={since_boot}\n_BOOT_ID={number:032x}\n\
             _TRANSPORT=kernel\nMESSAGE={message}\n\n",
            second * SECOND + since_boot
        )
    };
    (0..50).map(entry).collect()
}

/// Puts a journal file into the host; `false` skips the test.
fn with_journal(work: &Path, name: &str, export: &str) -> bool {
    if !Path::new(REMOTE).exists() {
        test_material::skip("no systemd-journal-remote; run scripts/setup, which installs it");
        return false;
    }
    let folder = work.join("var/log/journal").join(MACHINE);
    fs::create_dir_all(&folder).expect("made");
    fs::write(work.join("etc/machine-id"), format!("{MACHINE}\n")).expect("written");
    // It takes no other ending than the usual one.
    let made = folder.join("made.journal");
    piped(REMOTE, &[&format!("--output={}", made.display()), "-"], export.as_bytes());
    fs::rename(made, folder.join(name)).expect("renamed");
    true
}

/// The name of an archive whose first entry is of this second.
fn archive(second: u64) -> String {
    format!("system@{MACHINE}-0000000000000001-{:016x}.journal", second * SECOND)
}

#[track_caller]
fn check(work: &TempDir, kernel: &str, confidence: &str, evidence: &str) {
    let (code, report) = scan(&[&root(work.path())]);
    assert_eq!(code, 0, "{}", report["gaps"]);
    let running = &report["host"]["running_kernel"];
    assert_eq!((&running["version"], &running["confidence"]), (&kernel.into(), &confidence.into()));
    assert_eq!(
        running["evidence"],
        evidence.replace("JOURNAL", &format!("/var/log/journal/{MACHINE}"))
    );
}

#[test]
fn the_last_start_as_utmpdump_shows_it() {
    let work = TempDir::new().expect("a folder");
    root(work.path());
    let records = [
        booted("5.10.0-28-amd64", "2023-12-01T08:00:00"),
        logged_in("2023-12-01T08:05:00"),
        booted("6.1.0-18-amd64", "2024-01-01T00:00:00"),
        logged_in("2024-01-02T09:00:00"),
    ];
    with_wtmp(work.path(), &records.concat());
    let wtmp = work.path().join("var/log/wtmp");
    let shown = tool("utmpdump", &[wtmp.to_str().expect("UTF-8")]);
    let last = shown.lines().rfind(|line| line.contains("[reboot")).expect("a boot");
    let fields: Vec<_> = last.split(['[', ']']).skip(1).step_by(2).map(str::trim).collect();
    let at = fields[7].split(',').next().expect("a time");
    check(&work, fields[5], "medium", &format!("/var/log/wtmp: started at {at}Z"));
    assert_eq!((fields[5], at), ("6.1.0-18-amd64", "2024-01-01T00:00:00"));
}

#[test]
fn the_journal_alone_tells_the_kernel() {
    let work = TempDir::new().expect("a folder");
    root(work.path());
    let export =
        boot(1, "5.10.0-28-amd64", START - 900_000, 0) + &boot(2, "6.1.0-18-amd64", START, 0);
    if with_journal(work.path(), "system.journal", &export) {
        check(
            &work,
            "6.1.0-18-amd64",
            "medium",
            "JOURNAL/system.journal: started at 2024-01-01T00:00:00Z",
        );
    }
}

#[test]
fn records_that_agree_are_sure_and_of_others_the_later_counts() {
    let work = TempDir::new().expect("a folder");
    root(work.path());
    if !with_journal(work.path(), "system.journal", &boot(1, "6.1.0-18-amd64", START, 0)) {
        return;
    }
    let journal = "JOURNAL/system.journal: started at 2024-01-01T00:00:00Z";
    with_wtmp(work.path(), &booted("6.1.0-18-amd64", "2024-01-01T00:00:03"));
    let wtmp = "/var/log/wtmp: started at 2024-01-01T00:00:03Z";
    check(&work, "6.1.0-18-amd64", "high", &format!("{wtmp}; {journal}"));
    with_wtmp(work.path(), &booted("6.6.1-cloud", "2024-02-01T00:00:00"));
    let wtmp = "/var/log/wtmp: started at 2024-02-01T00:00:00Z";
    check(&work, "6.6.1-cloud", "medium", &format!("{wtmp}; but {journal} with 6.1.0-18-amd64"));
    with_wtmp(work.path(), &booted("5.10.0-28-amd64", "2023-02-01T00:00:00"));
    let wtmp = "/var/log/wtmp: started at 2023-02-01T00:00:00Z";
    check(
        &work,
        "6.1.0-18-amd64",
        "medium",
        &format!("{journal}; but {wtmp} with 5.10.0-28-amd64"),
    );
}

#[test]
fn the_beginning_of_a_long_boot_is_in_an_archive() {
    let work = TempDir::new().expect("a folder");
    root(work.path());
    let day = 86_400;
    let files = [
        (archive(START - 900_000), boot(1, "5.10.0-28-amd64", START - 900_000, 0)),
        (archive(START), boot(2, "6.1.0-18-amd64", START, 0)),
        (archive(START + day), boot(2, "", START, day)),
        ("system.journal".to_owned(), boot(2, "", START, 9 * day)),
    ];
    for (name, export) in &files {
        if !with_journal(work.path(), name, export) {
            return;
        }
    }
    let place = format!("JOURNAL/{}", files[1].0);
    check(&work, "6.1.0-18-amd64", "medium", &format!("{place}: started at 2024-01-01T00:00:00Z"));
    // Without it nothing is known of that boot, and wtmp is of an older one.
    fs::remove_file(work.path().join("var/log/journal").join(MACHINE).join(&files[1].0))
        .expect("removed");
    with_wtmp(work.path(), &booted("5.10.0-28-amd64", "2023-12-01T00:00:00"));
    let later =
        "JOURNAL/system.journal: started at 2024-01-01T00:00:00Z with a kernel that is not told";
    let evidence = format!("/var/log/wtmp: started at 2023-12-01T00:00:00Z; but {later}");
    check(&work, "5.10.0-28-amd64", "low", &evidence);
}

#[test]
fn a_damaged_journal_is_a_gap_and_the_archive_is_read() {
    let work = TempDir::new().expect("a folder");
    let target = root(work.path());
    if !with_journal(work.path(), &archive(START), &boot(1, "6.1.0-18-amd64", START, 0)) {
        return;
    }
    let folder = work.path().join("var/log/journal").join(MACHINE);
    fs::write(folder.join("system.journal"), vec![0x55; 8192]).expect("written");
    let (code, report) = scan(&[&target]);
    assert_eq!((code, &report["host"]["running_kernel"]["version"]), (3, &"6.1.0-18-amd64".into()));
    let gap = &report["gaps"][0];
    assert_eq!(gap["place"], format!("/var/log/journal/{MACHINE}/system.journal"));
    assert_eq!(gap["reason"], "corrupt");
}

#[test]
fn what_a_boot_menu_lacks_is_told_of_directories_too() {
    let work = TempDir::new().expect("a folder");
    let target = root(work.path());
    fs::create_dir_all(work.path().join("boot/grub")).expect("made");
    std::os::unix::fs::symlink("grub.cfg", work.path().join("boot/grub/grub.cfg")).expect("linked");
    let (code, report) = scan(&[&target]);
    assert_eq!((code, &report["gaps"][0]["place"]), (3, &"/boot/grub/grub.cfg".into()));
    assert_eq!(report["gaps"].as_array().map(Vec::len), Some(1));
}

/// Blocks of a scan of a disk with this journal, beside those without.
#[test]
fn a_large_journal_costs_few_blocks() {
    let work = TempDir::new().expect("a folder");
    let host = work.path().join("host");
    root(&host);
    let boots = (0..8).map(|number| boot(number, "6.1.0-18-amd64", START + number * 100_000, 0));
    let long = |number: u64| (1..160).map(move |it| boot(number, "", START + number * 100_000, it));
    let export: String = boots
        .zip(0..8)
        .flat_map(|(first, number)| std::iter::once(first).chain(long(number)))
        .collect();
    if !with_journal(&host, "system.journal", &export) {
        return;
    }
    let size = fs::metadata(host.join("var/log/journal").join(MACHINE).join("system.journal"))
        .expect("made")
        .len();
    let with = blocks(work.path(), &host);
    fs::remove_dir_all(host.join("var/log/journal")).expect("removed");
    let without = blocks(work.path(), &host);
    eprintln!("{size} bytes of journal: {with} blocks, {without} without it");
    assert!(with - without <= 6, "{with} blocks with the journal, {without} without");
}

fn blocks(work: &Path, host: &Path) -> u64 {
    let disk = work.join("disk.img");
    fs::File::create(&disk).and_then(|file| file.set_len(256 << 20)).expect("made");
    tool(
        "mke2fs",
        &[
            "-q",
            "-F",
            "-t",
            "ext4",
            "-d",
            host.to_str().expect("UTF-8"),
            disk.to_str().expect("UTF-8"),
        ],
    );
    let (_, report): (i32, Value) = scan(&[&disk]);
    report["receipt"]["blocks_read"].as_u64().expect("a number")
}

/// A host of Debian with two kernels, their packages and one that holds none.
fn with_kernels(work: &Path) {
    root(work);
    let mut status = String::new();
    let info = work.join("var/lib/dpkg/info");
    fs::create_dir_all(&info).expect("made");
    for (release, version) in [("5.10.0-28-amd64", "5.10.209-2"), ("6.1.0-18-amd64", "6.1.76-1")] {
        let modules = format!("lib/modules/{release}/kernel");
        fs::create_dir_all(work.join(&modules)).expect("made");
        fs::create_dir_all(work.join("boot")).expect("made");
        fs::write(work.join(format!("boot/vmlinuz-{release}")), "").expect("written");
        let name = format!("linux-image-{release}");
        let list = format!("/.\n/boot/vmlinuz-{release}\n/{modules}\n/{modules}/a.ko\n");
        fs::write(info.join(format!("{name}.list")), list).expect("written");
        status += &stanza(&name, version);
    }
    status += &stanza("linux-image-amd64", "6.1.76-1");
    fs::write(work.join("var/lib/dpkg/status"), status).expect("written");
}

fn stanza(name: &str, version: &str) -> String {
    format!(
        "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
    )
}

#[test]
fn packages_of_kernels_that_do_not_run_are_marked_and_kept() {
    let work = TempDir::new().expect("a folder");
    with_kernels(work.path());
    let target = root_of(work.path());
    let states = |report: &Value| -> Vec<(String, Value)> {
        let packages = report["assets"][0]["packages"].as_array().expect("packages");
        let state = |it: &Value| {
            (it["name"].as_str().expect("text").to_owned(), it["kernel"]["state"].clone())
        };
        packages.iter().map(state).collect()
    };
    let expected = |old: &str, new: &str| {
        [
            ("linux-image-5.10.0-28-amd64".to_owned(), old.into()),
            ("linux-image-6.1.0-18-amd64".to_owned(), new.into()),
            ("linux-image-amd64".to_owned(), Value::Null),
        ]
    };
    let (_, report) = scan(&[&target]);
    assert_eq!(states(&report), expected("unknown", "unknown"));
    with_wtmp(work.path(), &booted("5.10.0-28-amd64", "2024-01-01T00:00:00"));
    let (_, report) = scan(&[&target]);
    assert_eq!(states(&report), expected("running", "not_running"));
}

fn root_of(work: &Path) -> std::path::PathBuf {
    format!("dir:{}", work.display()).into()
}

const SPEC: &str = "Name: kernel-core\nVersion: 5.14.0\nRelease: %{rel}\nSummary: A kernel\nLicense: GPL\nBuildArch: noarch\n\
%description\nA kernel.\n%install\nmkdir -p %{buildroot}/lib/modules/5.14.0-%{rel}.x86_64\n\
echo > %{buildroot}/lib/modules/5.14.0-%{rel}.x86_64/vmlinuz\n%files\n/lib/modules/5.14.0-%{rel}.x86_64\n";

/// The witness for which package holds which kernel is `rpm -qf`.
#[test]
fn two_versions_of_a_kernel_of_rpm_each_have_their_own() {
    if !test_material::root() {
        return;
    }
    let (work, packages) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let spec = packages.path().join("kernel.spec");
    fs::write(&spec, SPEC).expect("written");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let top = format!("_topdir {}", text(packages.path()));
    let in_root = |arguments: &[&str]| {
        let root = text(work.path());
        tool("rpm", &[&["--root", &root, "--dbpath", "/var/lib/rpm"], arguments].concat())
    };
    for release in ["362.el9", "427.el9"] {
        let defined = format!("rel {release}");
        tool("rpmbuild", &["-bb", "--quiet", "-D", &top, "-D", &defined, &text(&spec)]);
        let file = format!(
            "{}/RPMS/noarch/kernel-core-5.14.0-{release}.noarch.rpm",
            text(packages.path())
        );
        in_root(&["-i", "--nodeps", &file]);
    }
    let target = root(work.path());
    fs::remove_dir_all(work.path().join("var/lib/dpkg")).expect("removed");
    with_wtmp(work.path(), &booted("5.14.0-362.el9.x86_64", "2024-01-01T00:00:00"));
    let (_, report) = scan(&[&target]);
    let packages = report["assets"][0]["packages"].as_array().expect("packages");
    assert_eq!(packages.len(), 2);
    for package in packages {
        let release = package["kernel"]["release"].as_str().expect("a kernel");
        let image = format!("/lib/modules/{release}/vmlinuz");
        let owner = in_root(&["-qf", "--qf", "%{VERSION}-%{RELEASE}", &image]);
        assert_eq!(package["version"], owner.as_str());
        let runs = release == "5.14.0-362.el9.x86_64";
        assert_eq!(package["kernel"]["state"], if runs { "running" } else { "not_running" });
    }
    assert_ne!(packages[0]["kernel"]["state"], packages[1]["kernel"]["state"]);
}
