//! What a host starts by itself: enabled units as `systemctl --root` lists them, and the packages of their programs as
//! `dpkg-query --search` names them.

use crate::directory::root as small_root;
use crate::support::{disks, root, scan, tool};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Where the root filesystem of the disk starts.
const ROOT: u64 = 262_144 * 512;
/// The kinds of units that start a program.
const KINDS: [&str; 4] = [".service", ".socket", ".timer", ".path"];
const SYSTEM: &str = "/etc/systemd/system/";

/// Where something is mounted, until it is dropped.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn of(image: &Path) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let options = format!("loop,ro,noload,offset={ROOT}");
        let (image, path) = (image.to_str().expect("UTF-8"), text(place.path()));
        tool("mount", &["-o", &options, image, path]);
        Self(place)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        tool("umount", &[text(self.0.path())]);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Units that systemctl calls enabled.
fn enabled(root: &Path) -> BTreeSet<String> {
    let place = format!("--root={}", root.display());
    let arguments = ["list-unit-files", "--state=enabled", "--no-legend", "--no-pager"];
    let lines = tool("systemctl", &[&[place.as_str()], arguments.as_slice()].concat());
    let names = lines.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| KINDS.iter().any(|kind| name.ends_with(kind))).map(str::to_owned).collect()
}

fn services(report: &Value) -> &[Value] {
    report["host"]["services"].as_array().map_or(&[], Vec::as_slice)
}

fn field<'a>(service: &'a Value, name: &str) -> &'a str {
    service[name].as_str().unwrap_or_default()
}

/// Units that the host's own folder enables.
fn found(report: &Value) -> BTreeSet<String> {
    let own = services(report).iter().filter(|it| field(it, "enabled_by").starts_with(SYSTEM));
    own.map(|it| field(it, "name").to_owned()).collect()
}

/// The units are those that systemctl calls enabled; of instances it lists the template, if at all, and says it
/// of each when asked.
#[track_caller]
fn equal_to_systemctl(report: &Value, root: &Path) {
    let (instances, plain): (BTreeSet<_>, _) =
        found(report).into_iter().partition(|name| name.contains('@'));
    let listed: BTreeSet<_> =
        enabled(root).into_iter().filter(|name| !name.contains('@')).collect();
    assert_eq!(plain, listed);
    let place = format!("--root={}", root.display());
    for name in &instances {
        assert_eq!(tool("systemctl", &[&place, "is-enabled", name]).trim(), "enabled", "{name}");
    }
}

/// The package of a program, by dpkg; packages list paths from before folders were merged.
fn owner(root: &Path, executable: &str) -> Option<String> {
    let place = format!("--admindir={}/var/lib/dpkg", root.display());
    let merged = executable.strip_prefix("/usr").unwrap_or(executable);
    for path in [executable, merged, &format!("/usr{merged}")] {
        let output =
            std::process::Command::new("dpkg-query").args([&place, "--search", path]).output();
        let output = output.expect("dpkg-query runs");
        if output.status.success() {
            let line = String::from_utf8_lossy(&output.stdout).into_owned();
            return line.split(':').next().map(str::to_owned);
        }
    }
    None
}

#[test]
fn enabled_units_and_owners_of_a_real_disk_equal_systemctl_and_dpkg() {
    let Some(disks) = disks().filter(|_| root()) else { return };
    let image = disks.join("debian-12.img");
    let (_, report) = scan(&[&image]);
    let mounted = Mounted::of(&image);
    let place = mounted.0.path();
    equal_to_systemctl(&report, place);
    let mut owned = 0;
    for it in services(&report) {
        let Some(executable) = it["executable"].as_str() else { continue };
        let inside = place.join(executable.trim_start_matches('/'));
        if !inside.exists() {
            // A link that starts at the host's root, or a program that is not installed.
            assert!(it["package"].is_null() || inside.is_symlink(), "{it}");
            continue;
        }
        assert_eq!(it["package"].as_str().map(str::to_owned), owner(place, executable), "{it}");
        owned += 1;
    }
    assert!(owned >= 25, "{owned} programs with an owner");
    let listed: BTreeMap<_, _> =
        services(&report).iter().map(|it| (field(it, "name"), field(it, "executable"))).collect();
    assert_eq!(listed.get("ssh.service"), Some(&"/usr/sbin/sshd"));
    assert_eq!(listed.get("logrotate.timer"), Some(&"/usr/sbin/logrotate"));
}

/// Writes a file; `-> target` is a link.
fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("below the root")).expect("made");
    match content.strip_prefix("-> ") {
        Some(target) => symlink(target, &path).expect("linked"),
        None => fs::write(&path, content).expect("written"),
    }
}

const UNIT: &str = "[Service]\nExecStart=/usr/bin/run %i\n[Install]\nWantedBy=multi-user.target\n";

/// Units of all the ways there are to enable and to mask one.
fn crafted(root: &Path) {
    let vendor = |name: &str| format!("usr/lib/systemd/system/{name}");
    let own = |name: &str| format!("etc/systemd/system/{name}");
    let wants = |name: &str| format!("etc/systemd/system/multi-user.target.wants/{name}");
    let unit = |name: &str| write(root, &vendor(name), UNIT);
    for name in [
        "plain.service",
        "masked.service",
        "empty.service",
        "idle.service",
        "tpl@.service",
        "static.service",
    ] {
        unit(name);
    }
    write(root, "usr/bin/run", "#!/bin/sh\n");
    write(root, "opt/away/linked.service", UNIT);
    write(root, &vendor("named.service"), &format!("{UNIT}Alias=other.service\n"));
    write(root, &vendor("unnamed.service"), UNIT);
    write(
        root,
        &vendor("door.socket"),
        "[Socket]\nListenStream=80\nListenDatagram=[::]:53\nAccept=yes\n[Install]\nWantedBy=sockets.target\n",
    );
    write(root, &vendor("door@.service"), UNIT);
    write(
        root,
        &vendor("clock.timer"),
        "[Timer]\nOnCalendar=daily\nUnit=idle.service\n[Install]\nWantedBy=timers.target\n",
    );
    let linked = |name: &str| format!("-> /usr/lib/systemd/system/{name}");
    for name in ["plain.service", "masked.service", "empty.service"] {
        write(root, &wants(name), &linked(name));
    }
    write(root, &wants("tpl@one.service"), &linked("tpl@.service"));
    write(root, &wants("gone.service"), &linked("gone.service"));
    write(root, &wants("linked.service"), "-> /opt/away/linked.service");
    write(root, &own("linked.service"), "-> /opt/away/linked.service");
    write(root, &own("masked.service"), "-> /dev/null");
    write(root, &own("empty.service"), "");
    write(root, &own("other.service"), &linked("named.service"));
    write(root, &own("another.service"), &linked("unnamed.service"));
    write(root, &own("sockets.target.wants/door.socket"), &linked("door.socket"));
    write(root, &own("timers.target.wants/clock.timer"), &linked("clock.timer"));
    write(
        root,
        &own("plain.service.d/10-other.conf"),
        "[Service]\nExecStart=\nExecStart=-\"/usr/bin/run\" a\nUser=web\n",
    );
    write(root, &vendor("multi-user.target.wants/static.service"), "-> ../static.service");
}

#[test]
fn units_enabled_in_all_ways_equal_systemctl() {
    let work = tempfile::tempdir().expect("a folder");
    let target = small_root(work.path());
    crafted(work.path());
    let (code, report) = scan(&[&target]);
    assert_eq!(code, 0, "{}", report["gaps"]);
    equal_to_systemctl(&report, work.path());
    assert!(found(&report).contains("tpl@one.service"));
    let named = |name: &str| {
        let mut all = services(&report).iter();
        let last = all.rfind(|it| it["name"] == name);
        last.unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let plain = named("plain.service");
    assert_eq!((field(&plain, "executable"), field(&plain, "user")), ("/usr/bin/run", "web"));
    let door = named("door.socket");
    assert_eq!(door["listens"], serde_json::json!(["stream 80", "datagram [::]:53"]));
    assert_eq!((field(&door, "kind"), field(&door, "executable")), ("socket", "/usr/bin/run"));
    assert_eq!(field(&named("clock.timer"), "executable"), "/usr/bin/run");
    assert_eq!(
        field(&named("static.service"), "enabled_by"),
        "/usr/lib/systemd/system/multi-user.target.wants/static.service"
    );
}

#[test]
fn cron_and_scripts_of_runlevels() {
    let work = tempfile::tempdir().expect("a folder");
    let target = small_root(work.path());
    let root = work.path();
    crafted(root);
    write(
        root,
        "var/lib/dpkg/info/good.list",
        "/.\n/usr\n/usr/bin\n/usr/bin/run\n/etc/init.d/old\n",
    );
    write(
        root,
        "etc/crontab",
        "# c\nSHELL=/bin/sh\nPATH=/opt:/usr/bin\n17 * * * * root cd / && run --report x\n@reboot web test -x /x || /usr/bin/run -a % in\n* * * *\n",
    );
    write(root, "etc/cron.d/job", "*/5 * * * *   www   /usr/bin/run\n");
    write(root, "etc/cron.d/job.dpkg-old", "* * * * * root /usr/bin/old\n");
    write(root, "etc/cron.daily/script", "#!/bin/sh\n");
    write(root, "etc/cron.daily/.placeholder", "");
    write(root, "etc/cron.daily/plain-text", "#!/bin/sh\n");
    write(root, "etc/cron.daily/folder/file", "");
    write(root, "etc/cron.daily/dotted.sh", "#!/bin/sh\n");
    for script in ["script", "dotted.sh"] {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(root.join("etc/cron.daily").join(script), mode).expect("may be run");
    }
    write(root, "var/spool/cron/crontabs/alice", "1 2 3 4 5 /home/alice/x\n");
    write(root, "etc/init.d/old", "#!/bin/sh\n");
    write(root, "etc/init.d/plain", "#!/bin/sh\n");
    for level in ["rc2.d", "rc3.d"] {
        write(root, &format!("etc/{level}/S01old"), "-> ../init.d/old");
        write(root, &format!("etc/{level}/S02plain"), "-> ../init.d/plain");
        write(root, &format!("etc/{level}/K01off"), "-> ../init.d/off");
    }
    let rows = || -> Vec<String> {
        let (code, report) = scan(&[&target]);
        assert_eq!(code, 0, "{}", report["gaps"]);
        let all = services(&report);
        let of_cron = all.iter().filter(|it| ["cron", "rc"].contains(&field(it, "kind")));
        let fields = ["name", "enabled_by", "executable", "package", "user"];
        of_cron.map(|it| fields.map(|name| field(it, name)).join(" ")).collect()
    };
    assert_eq!(
        rows(),
        [
            "alice /var/spool/cron/crontabs/alice:1 /home/alice/x  alice",
            "crontab /etc/crontab:4 /usr/bin/run good root",
            "crontab /etc/crontab:5 /usr/bin/run good web",
            "job /etc/cron.d/job:1 /usr/bin/run good www",
            "old /etc/rc2.d/S01old /etc/rc2.d/S01old good ",
            "script /etc/cron.daily/script /etc/cron.daily/script  root",
        ]
    );
    // The cron of rpm's systems takes names with dots, but no copies.
    write(root, "etc/os-release", "ID=centos\nVERSION_ID=7\n");
    write(root, "etc/cron.d/job.rpmsave", "* * * * * root /usr/bin/old\n");
    let rows = rows();
    let has = |name: &str| rows.iter().any(|row| row.split(' ').next() == Some(name));
    assert!(has("script") && has("dotted.sh") && !has("plain-text"), "{rows:?}");
    assert!(!has("job.rpmsave") && !has(".placeholder"), "{rows:?}");
}

#[test]
fn hostile_units_are_bounded() {
    let work = tempfile::tempdir().expect("a folder");
    let target = small_root(work.path());
    let root = work.path();
    let system = root.join("etc/systemd/system");
    let wants = system.join("multi-user.target.wants");
    fs::create_dir_all(&wants).expect("made");
    for number in 0..5000 {
        symlink("../many@.service", wants.join(format!("many@{number}.service"))).expect("linked");
    }
    write(root, "etc/systemd/system/many@.service", UNIT);
    for (name, target) in
        [("a.service", "b.service"), ("b.service", "a.service"), ("self.service", "self.service")]
    {
        symlink(target, system.join(name)).expect("linked");
        symlink(format!("../{name}"), wants.join(name)).expect("linked");
    }
    let odd = OsString::from_vec(b"\xff\x1b[2J.service".to_vec());
    fs::write(system.join(&odd), "[Service]\nExecStart=/\x1b[2J\n").expect("written");
    symlink("x", wants.join(&odd)).expect("linked");
    fs::write(system.join("0huge.service"), vec![b'#'; 1 << 20]).expect("written");
    symlink("x", wants.join("0huge.service")).expect("linked");
    fs::create_dir_all(system.join("0folder.service")).expect("made");
    symlink("x", wants.join("0folder.service")).expect("linked");
    let outside = format!("{}etc/passwd", "../".repeat(30));
    symlink(&outside, system.join("0out.service")).expect("linked");
    symlink("x", wants.join("0out.service")).expect("linked");
    write(
        root,
        "etc/systemd/system/0wild.service",
        "[Service]\nExecStart=/usr/../../bin/%i%%%q\nUser=a\u{1b}\n",
    );
    symlink("x", wants.join("0wild.service")).expect("linked");
    let (code, report) = scan(&[&target]);
    assert_eq!(code, 3);
    assert!(services(&report).len() <= 4096);
    let gaps = report["gaps"].to_string();
    assert!(gaps.contains("enabled units; only 4096 were read"), "{gaps}");
    assert!(gaps.contains("0huge.service"), "{gaps}");
    assert!(!report["host"].to_string().contains('\u{1b}'));
}
