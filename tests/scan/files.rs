//! `sidelight ls` and `cat`: every name of a real disk as the kernel's mount shows it, over mounts,
//! binds, loops and hostile names.

use crate::support::{disks, sidelight, tool};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the root starts on the disks of `scripts/fixtures/debian-disk`.
const ROOT: u64 = 262_144 * 512;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The entries of a raw listing, sorted.
fn entries(output: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<_> = output.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    assert_eq!(all.pop().as_deref(), Some(&b""[..]), "each entry is ended");
    all.sort();
    all
}

/// A disk with a filesystem made from a folder.
fn image(work: &Path, root: &Path) -> PathBuf {
    let image = work.join("disk.img");
    File::create(&image).expect("made").set_len(16 << 20).expect("grown");
    tool("mke2fs", &["-q", "-F", "-t", "ext4", "-d", text(root), text(&image)]);
    image
}

/// A folder that looks like a root.
fn root(work: &Path, fstab: &str) -> PathBuf {
    let root = work.join("root");
    fs::create_dir_all(root.join("etc")).expect("made");
    fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=12\n").expect("written");
    fs::write(root.join("etc/fstab"), fstab).expect("written");
    root
}

/// What the kernel's mount shows, in our form.
fn by_kernel(image: &Path) -> Vec<Vec<u8>> {
    let place = tempfile::tempdir().expect("a folder");
    let options = format!("loop,ro,noload,offset={ROOT}");
    tool("mount", &["-o", &options, text(image), text(place.path())]);
    let shape = "%y %m %U %G %s %T@ /%P\\0";
    let found = Command::new("find")
        .args([text(place.path()), "-mindepth", "1", "-printf", shape])
        .output()
        .expect("find runs");
    tool("umount", &[text(place.path())]);
    assert!(found.status.success(), "{}", stderr(&found));
    entries(&found.stdout)
}

/// A line of `ls -l` as the `find` above prints it; links without their target.
fn as_find(line: &[u8]) -> Vec<u8> {
    let name = line.iter().position(|byte| *byte == b'/').expect("a path");
    let (head, path) = line.split_at(name);
    let head = std::str::from_utf8(head).expect("numbers");
    let fields: Vec<_> = head.split_whitespace().collect();
    let [kind, mode, uid, gid, size, time] = fields[..] else { panic!("{head}") };
    let kind = match kind {
        "-" => "f",
        "?" => "?",
        other => other,
    };
    let mode = mode.trim_start_matches('0');
    let mode = if mode.is_empty() { "0" } else { mode };
    let path = match kind {
        "l" => path.windows(4).position(|it| it == b" -> ").map_or(path, |end| &path[..end]),
        _ => path,
    };
    [format!("{kind} {mode} {uid} {gid} {size} {time} ").as_bytes(), path].concat()
}

/// Times in UTC to the second, and one word for all that is neither file nor folder nor link.
fn normal(line: &[u8]) -> Vec<u8> {
    let name = line.iter().position(|byte| *byte == b'/').expect("a path");
    let (head, path) = line.split_at(name);
    let head = std::str::from_utf8(head).expect("numbers");
    let fields: Vec<_> = head.split_whitespace().collect();
    let [kind, mode, uid, gid, size, time] = fields[..] else { panic!("{head}") };
    let kind = if matches!(kind, "f" | "d" | "l") { kind } else { "?" };
    let seconds: i64 = time.split('.').next().expect("a part").parse().expect("a number");
    let time = jiff::Timestamp::from_second(seconds).expect("a time").to_string();
    [format!("{kind} {mode} {uid} {gid} {size} {time} ").as_bytes(), path].concat()
}

#[test]
fn a_whole_disk_is_listed_as_the_kernel_shows_it() {
    let Some(folder) = disks() else { return };
    let disk = folder.join("debian-12.img");
    let ours = sidelight(&["ls", "-lR0", "--filesystem", "debian-12.img:p1", text(&disk), "/"]);
    assert_eq!(ours.status.code(), Some(0), "{}", stderr(&ours));
    let mut ours: Vec<_> = entries(&ours.stdout).iter().map(|line| as_find(line)).collect();
    let mut kernel: Vec<_> = by_kernel(&disk).iter().map(|line| normal(line)).collect();
    ours.sort();
    kernel.sort();
    assert!(kernel.len() > 10_000, "{} names", kernel.len());
    let differing = ours.iter().zip(&kernel).find(|(ours, kernel)| ours != kernel);
    let shown = differing.map(|(a, b)| (String::from_utf8_lossy(a), String::from_utf8_lossy(b)));
    assert_eq!((ours.len(), shown), (kernel.len(), None));
}

#[test]
fn names_alone_are_the_same_and_a_file_comes_out_whole() {
    let Some(folder) = disks() else { return };
    let disk = folder.join("debian-12.img");
    let long = sidelight(&["ls", "-lR0", text(&disk), "/usr"]);
    let names = sidelight(&["ls", "-R0", text(&disk), "/usr"]);
    let long: Vec<_> = entries(&long.stdout).iter().map(|line| as_find(line)).collect();
    let mut long: Vec<_> = long
        .iter()
        .map(|line| line[line.iter().position(|byte| *byte == b'/').expect("a path")..].to_vec())
        .collect();
    long.sort();
    assert_eq!(entries(&names.stdout), long);
    let packages = fs::read_to_string(folder.join("debian-12.img.packages")).expect("there");
    let status = sidelight(&["cat", text(&disk), "/var/lib/dpkg/status"]).stdout;
    let installed =
        String::from_utf8_lossy(&status).matches("Status: install ok installed").count();
    assert_eq!(installed, packages.lines().count());
}

#[test]
fn a_host_over_three_disks_is_one_tree() {
    let Some(folder) = disks() else { return };
    let disks = ["one", "two", "three"].map(|it| folder.join(format!("lvm-host/{it}.img")));
    let mut arguments = vec!["ls", "-R0"];
    arguments.extend(disks.iter().map(|disk| text(disk)));
    arguments.push("/");
    let output = sidelight(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let names = entries(&output.stdout);
    let mut once = names.clone();
    once.dedup();
    assert_eq!(names.len(), once.len());
    for path in ["/var/lib/dpkg/status", "/etc/os-release"] {
        assert!(names.iter().any(|name| name == path.as_bytes()), "{path}");
    }
}

#[test]
fn what_is_bound_is_listed_once_and_a_loop_is_a_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let root = root(work.path(), "/srv/data /mnt none bind 0 0\n");
    fs::create_dir_all(root.join("srv/data/deep")).expect("made");
    fs::create_dir_all(root.join("mnt")).expect("made");
    fs::write(root.join("srv/data/deep/file"), "x").expect("written");
    let disk = image(work.path(), &root);
    let output = sidelight(&["ls", "-R", text(&disk), "/"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(shown.matches("/file\n").count(), 1, "{shown}");
    assert!(shown.contains("/srv/data/deep/file\n"), "{shown}");
    assert!(shown.contains("\n/mnt\n"), "{shown}");
    assert_eq!(stderr(&output), "sidelight: /mnt: listed where it is mounted too\n");
    tool("debugfs", &["-w", "-R", "link /srv /srv/data/deep/again", text(&disk)]);
    let output = sidelight(&["ls", "-R", text(&disk), "/"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("/srv/data/deep/again: a folder that is in two places"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("/srv/data/deep/file\n"));
}

#[test]
fn names_and_bytes_that_move_a_terminal_are_shown_harmless_and_given_whole() {
    let work = tempfile::tempdir().expect("a folder");
    let root = root(work.path(), "");
    let name = std::ffi::OsStr::from_bytes(b"\x1b[2J\xff\n");
    fs::create_dir(root.join("odd")).expect("made");
    fs::write(root.join("odd").join(name), b"\x1b[31m\0").expect("written");
    let disk = image(work.path(), &root);
    let shown = sidelight(&["ls", text(&disk), "/odd"]).stdout;
    assert_eq!(String::from_utf8_lossy(&shown), "\\x1b[2J\\xff\\x0a\n");
    assert_eq!(sidelight(&["ls", "-0", text(&disk), "/odd"]).stdout, b"\x1b[2J\xff\n\0");
    let path = root.join("odd").join(name);
    let path = Path::new("/").join(path.strip_prefix(&root).expect("inside"));
    let output = Command::new(env!("CARGO_BIN_EXE_sidelight"))
        .args([std::ffi::OsStr::new("cat"), disk.as_os_str(), path.as_os_str()])
        .output()
        .expect("the program runs");
    assert_eq!(output.stdout, b"\x1b[31m\0");
}

#[test]
fn what_is_not_there_or_no_root_is_said() {
    let work = tempfile::tempdir().expect("a folder");
    let root = root(work.path(), "");
    let disk = image(work.path(), &root);
    for (arguments, message) in [
        (vec!["cat", text(&disk), "/etc/none"], "/etc/none: not there"),
        (vec!["cat", text(&disk), "/etc"], "/etc: not a regular file"),
        (vec!["ls", text(&disk), "/none"], "/none: not there"),
        (vec!["ls", text(&disk), "/etc/fstab/"], "/etc/fstab/: not a folder"),
        (vec!["cat", text(&disk), "/etc/fstab/"], "/etc/fstab/: not a folder"),
        (vec!["ls", "--filesystem", "p9", text(&disk), "/"], "there are: disk.img"),
    ] {
        let output = sidelight(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(message), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(sidelight(&["ls", text(&disk), "/etc/fstab"]).stdout, b"/etc/fstab\n");
    fs::remove_dir_all(root.join("etc")).expect("gone");
    fs::write(root.join("data"), "x").expect("written");
    let disk = image(work.path(), &root);
    let output = sidelight(&["ls", text(&disk), "/"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("choose one with --filesystem (disk.img)"),
        "{}",
        stderr(&output)
    );
    let output = sidelight(&["ls", "--filesystem", "disk.img", text(&disk), "/"]);
    assert_eq!(output.stdout, b"data\nlost+found\n");
}

/// Whatever cannot be read is told as that, in words that stand once.
#[test]
fn a_link_or_file_that_cannot_be_read_is_told() {
    let work = tempfile::tempdir().expect("a folder");
    let root = root(work.path(), "");
    std::os::unix::fs::symlink("x".repeat(200), root.join("etc/link")).expect("made");
    fs::write(root.join("etc/file"), vec![b'x'; 9000]).expect("written");
    let disk = image(work.path(), &root);
    for name in ["link", "file"] {
        let set = format!("sif /etc/{name} block[5] 0x7fffffff");
        tool("debugfs", &["-w", "-R", &set, text(&disk)]);
    }
    let output = sidelight(&["ls", "-l", text(&disk), "/etc"]);
    assert_eq!(output.status.code(), Some(3));
    let told = stderr(&output);
    assert!(told.starts_with("sidelight: gap: /etc/link: damaged: extent tree"), "{told}");
    assert_eq!(sidelight(&["ls", text(&disk), "/etc"]).status.code(), Some(0));
    for (path, told) in
        [("/etc/link", "/etc/link: damaged"), ("/etc/file", "cannot read /etc/file")]
    {
        let output = sidelight(&["cat", text(&disk), path]);
        assert_eq!(output.status.code(), Some(2));
        let message = stderr(&output);
        assert!(message.contains(told) && !message.contains("cannot write"), "{message}");
        assert_eq!(message.matches("extent tree").count(), 1, "{message}");
    }
}

#[test]
fn what_a_filesystem_lacks_is_told_when_it_is_looked_into_alone() {
    let work = tempfile::tempdir().expect("a folder");
    let root = root(work.path(), "");
    let disk = image(work.path(), &root);
    let cut = fs::OpenOptions::new().write(true).open(&disk).expect("there");
    cut.set_len(12 << 20).expect("cut");
    let output = sidelight(&["ls", "--filesystem", "disk.img", text(&disk), "/"]);
    assert_eq!(output.status.code(), Some(3));
    let told = "sidelight: gap: disk.img: the last 4194304 bytes are missing";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
}
