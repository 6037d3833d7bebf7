//! Makes journal files with systemd-journal-remote, which writes them with systemd's own code, and
//! asks journalctl what they hold.

use journal_reader::Journal;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// Where Debian has it; no package puts it on the path.
const REMOTE: &str = "/lib/systemd/systemd-journal-remote";
/// Bytes that tests allow to be read.
pub const MOST: u64 = 1 << 30;

/// Which kind of file.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub compact: bool,
    pub keyed: bool,
}

pub const SHAPES: [Shape; 4] = [
    Shape { compact: false, keyed: false },
    Shape { compact: false, keyed: true },
    Shape { compact: true, keyed: false },
    Shape { compact: true, keyed: true },
];

/// A file in a folder of its own.
pub struct Made {
    pub folder: TempDir,
}

impl Made {
    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("system.journal")
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    pub fn open(&self) -> Journal {
        Journal::open(Arc::new(self.bytes()), MOST).unwrap()
    }
}

/// A file of entries in the export format; `None` skips the test.
pub fn made(export: &str, shape: Shape) -> Option<Made> {
    if !Path::new(REMOTE).exists() {
        test_material::skip("no systemd-journal-remote; run scripts/setup, which installs it");
        return None;
    }
    let made = Made { folder: TempDir::new().unwrap() };
    let output = format!("--output={}", made.path().display());
    let mut remote = Command::new(REMOTE)
        .args([&output, "-"])
        .env("SYSTEMD_JOURNAL_COMPACT", if shape.compact { "1" } else { "0" })
        .env("SYSTEMD_JOURNAL_KEYED_HASH", if shape.keyed { "1" } else { "0" })
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    remote.stdin.take().unwrap().write_all(export.as_bytes()).unwrap();
    assert!(remote.wait().unwrap().success());
    Some(made)
}

/// Boots of a machine.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    pub boots: u64,
    /// Entries of each boot.
    pub entries: u64,
}

pub fn boot_id(boot: u64) -> String {
    format!("{:032x}", 0x5eed_0000 + boot)
}

impl Log {
    /// As the export format has it. The kernel speaks first; every 20th message is long enough to be
    /// packed, and another nearly.
    pub fn export(self) -> String {
        let mut text = String::new();
        for boot in 0..self.boots {
            let start = 1_700_000_000_000_000 + boot * 864_000_000_000;
            for entry in 0..self.entries {
                let since_boot = 2_000_000 + entry * 1000;
                let transport =
                    if entry < self.entries.min(200) / 2 { "kernel" } else { "journal" };
                let message = message(boot, entry);
                let _ = writeln!(
                    text,
                    "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={since_boot}\n_BOOT_ID={}\n\
                     _MACHINE_ID={:032x}\n_TRANSPORT={transport}\nPRIORITY={}\nMESSAGE={message}\n",
                    start + since_boot,
                    boot_id(boot),
                    1,
                    entry % 8
                );
            }
        }
        text
    }
}

fn message(boot: u64, entry: u64) -> String {
    match entry {
        2 => format!("Linux version 6.1.{boot}-18-amd64 (debian-kernel@lists.debian.org) #1 SMP"),
        // What others log is not the kernel's word.
        150 => "Linux version 9.9.9-none (nobody)".to_owned(),
        _ if entry % 20 == 9 => format!("{entry} of {boot} {}", "is a story. ".repeat(35)),
        _ if entry % 20 == 7 => format!("{entry} of {boot} {}", "is a long story. ".repeat(200)),
        _ => format!("message {entry} of {boot}"),
    }
}

/// An entry as both tell it: time, time since boot, boot, fields.
pub type Told = (u64, u64, String, BTreeSet<Vec<u8>>);

/// What journalctl lists of a file.
pub fn journalctl(path: &Path, matches: &[&str]) -> Vec<Told> {
    let file = format!("--file={}", path.display());
    let output = Command::new("journalctl")
        .args([&file, "--output=json", "--all", "--quiet"])
        .args(matches)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.split(|byte| *byte == b'\n').filter(|it| !it.is_empty()).map(told).collect()
}

fn told(line: &[u8]) -> Told {
    let entry: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).unwrap();
    let number = |key: &str| entry[key].as_str().unwrap().parse().unwrap();
    let fields = entry.iter().filter(|(key, _)| !key.starts_with("__"));
    let fields = fields.flat_map(|(key, value)| {
        values(value).into_iter().map(move |value| [key.as_bytes(), b"=", &value].concat())
    });
    let boot = entry["_BOOT_ID"].as_str().unwrap().to_owned();
    (number("__REALTIME_TIMESTAMP"), number("__MONOTONIC_TIMESTAMP"), boot, fields.collect())
}

/// Text, bytes as numbers, or several of them.
fn values(value: &serde_json::Value) -> Vec<Vec<u8>> {
    match value {
        serde_json::Value::String(text) => vec![text.clone().into_bytes()],
        serde_json::Value::Array(many) if many.iter().all(serde_json::Value::is_u64) => {
            vec![many.iter().map(|byte| byte.as_u64().unwrap() as u8).collect()]
        }
        serde_json::Value::Array(many) => many.iter().flat_map(values).collect(),
        other => panic!("a field that is {other}"),
    }
}

/// What we read of entries.
pub fn read(journal: &mut Journal, places: &[u64]) -> Vec<Told> {
    let mut read = |place: &u64| {
        let entry = journal.entry(*place).unwrap();
        let fields = journal.fields(&entry).unwrap().into_iter().collect();
        let boot = format!("{:032x}", u128::from_be_bytes(entry.boot));
        (entry.time, entry.since_boot, boot, fields)
    };
    places.iter().map(&mut read).collect()
}
