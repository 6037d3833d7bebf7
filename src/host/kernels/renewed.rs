//! Whether the image of a kernel was replaced under its release since the machine was started, as Debian does where an
//! update keeps the interface of the modules.
//!
//! The time of an image is that of its build. dpkg writes the list of a package's files when it unpacks the package,
//! and its log has the versions, but in local time: only both together are sure. A list that is newer than the start is
//! no sign where the log says nothing of that time (the same version once more, a copy of the files); where the log
//! does not reach back so far, nothing is known. Other systems have each build under a release of its own.

use crate::host::Tree;
use crate::model::{Gap, printable, printable_str};

const INFO: &str = "/var/lib/dpkg/info";
const LOGS: [&str; 2] = ["/var/log/dpkg.log", "/var/log/dpkg.log.1"];
/// Bytes at the end of a log that are read.
const MOST: u64 = 1 << 20;
/// What Debian's packages of images are called, before the release.
const PACKAGES: [&str; 2] = ["linux-image-", "linux-image-unsigned-"];
/// Seconds that clocks may be wrong when a machine starts.
const CLOCK: i64 = 3600;
/// Seconds between local time and that of the world, at most.
const ZONE: i64 = 15 * 3600;

/// Whether it was.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Renewed {
    #[default]
    No,
    /// There is a sign that is not sure.
    Perhaps,
    /// What tells so.
    Yes(String),
}

/// Looks for it, for the kernel that was started at a second.
pub fn find(tree: &Tree, release: &str, started: u64, gaps: &mut Vec<Gap>) -> Renewed {
    let names = PACKAGES.map(|prefix| format!("{prefix}{release}"));
    let Some((name, unpacked)) = names.iter().find_map(|it| Some((it, unpacked(tree, it)?))) else {
        return Renewed::No;
    };
    let started = i64::try_from(started).unwrap_or(i64::MAX);
    if unpacked <= started {
        return Renewed::No;
    }
    let mut logs = LOGS.iter().filter_map(|log| Some((log, end(tree, log, gaps)?))).peekable();
    // Without any log there is nothing that could tell it.
    if logs.peek().is_none() {
        return Renewed::No;
    }
    let mut reaches = false;
    for (log, text) in logs {
        let upgrade = last_upgrade(&text, name).filter(|it| it.is_of(unpacked));
        match upgrade {
            Some(it) if unpacked > started.saturating_add(CLOCK) => {
                let told =
                    format!("{log}: {name} was upgraded from {} to {} since", it.old, it.new);
                return Renewed::Yes(printable_str(&told));
            }
            Some(_) => return Renewed::Perhaps,
            None => reaches |= text.lines().find_map(time).is_some_and(|at| at + ZONE < unpacked),
        }
    }
    if reaches { Renewed::No } else { Renewed::Perhaps }
}

/// When a package was unpacked.
fn unpacked(tree: &Tree, name: &str) -> Option<i64> {
    let at = tree.find(format!("{INFO}/{name}.list").as_bytes()).ok()??;
    tree.metadata(at).ok().map(|metadata| metadata.modified)
}

fn end(tree: &Tree, path: &str, gaps: &mut Vec<Gap>) -> Option<String> {
    let part = tree.open(path.as_bytes()).and_then(|file| {
        let Some(file) = file else { return Ok(None) };
        let size = file.size();
        tree.read_part(path.as_bytes(), size.saturating_sub(MOST), MOST.min(size) as usize)
    });
    match part {
        Ok(bytes) => bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            gaps.push(Gap::new(printable(path.as_bytes()), error.reason(), error));
            None
        }
    }
}

/// A line of the log.
#[derive(Debug, PartialEq, Eq)]
struct Upgrade {
    /// Seconds since 1970 of some place's local time.
    local: i64,
    old: String,
    new: String,
}

impl Upgrade {
    /// Whether it brought another version, and was at this time.
    fn is_of(&self, unpacked: i64) -> bool {
        self.old != self.new && self.local.abs_diff(unpacked) <= ZONE.unsigned_abs()
    }
}

/// The last one of a package: `2024-02-01 08:00:00 upgrade NAME:amd64 OLD NEW`.
fn last_upgrade(log: &str, name: &str) -> Option<Upgrade> {
    log.lines().rev().find_map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let [day, at, "upgrade", package, old, new] = words[..] else { return None };
        if package.split(':').next() != Some(name) {
            return None;
        }
        let local = time(&format!("{day} {at}"))?;
        Some(Upgrade { local, old: old.to_owned(), new: new.to_owned() })
    })
}

/// The time at the start of a line.
fn time(line: &str) -> Option<i64> {
    let (day, time) = line.get(..19)?.split_once(' ')?;
    let time: jiff::civil::DateTime = format!("{day}T{time}").parse().ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(time).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    const RELEASE: &str = "6.1.0-18-amd64";
    /// 2024-02-01 08:00:00.
    const UPGRADED: u64 = 1_706_774_400;

    /// The list of the package written then, and a log.
    #[track_caller]
    fn check(log: &str, started: u64, expected: &Renewed) {
        let root = tempfile::tempdir().unwrap();
        for folder in ["var/lib/dpkg/info", "var/log"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let list = root.path().join("var/lib/dpkg/info/linux-image-6.1.0-18-amd64.list");
        let list = fs::File::create(list).unwrap();
        list.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(UPGRADED)).unwrap();
        fs::write(root.path().join("var/log/dpkg.log"), log).unwrap();
        let mut gaps = Vec::new();
        let tree = Tree::of_directory(root.path()).unwrap();
        assert_eq!(&find(&tree, RELEASE, started, &mut gaps), expected, "{log}");
        assert_eq!(
            (find(&tree, "6.1.0-9-amd64", started, &mut gaps), gaps),
            (Renewed::No, Vec::new())
        );
    }

    #[test]
    fn an_upgrade_after_the_start_by_list_and_log() {
        let line = |at: &str, old: &str, new: &str| {
            format!(
                "{at} startup archives unpack\n{at} upgrade linux-image-6.1.0-18-amd64:amd64 {old} {new}\n{at} status half-configured linux-image-6.1.0-18-amd64:amd64 {old}\n"
            )
        };
        let upgrade = line("2024-02-01 10:00:00", "6.1.76-1", "6.1.90-1");
        let yes = "/var/log/dpkg.log: linux-image-6.1.0-18-amd64 was upgraded from 6.1.76-1 to 6.1.90-1 since";
        let before = UPGRADED - 86400;
        check(&upgrade, before, &Renewed::Yes(yes.to_owned()));
        check(&upgrade, UPGRADED + 1, &Renewed::No);
        check(&upgrade, UPGRADED - 60, &Renewed::Perhaps);
        // The same version once more, or a line of another time: of this one the log says nothing.
        let early = "2024-01-01 08:00:00 startup archives unpack\n";
        let same = line("2024-02-01 10:00:00", "6.1.76-1", "6.1.76-1");
        check(&format!("{early}{same}"), before, &Renewed::No);
        check(&line("2023-02-01 10:00:00", "6.1.70-1", "6.1.76-1"), before, &Renewed::No);
        check(&same, before, &Renewed::Perhaps);
        check("", before, &Renewed::Perhaps);
        check("2024-02-01 upgrade", before, &Renewed::Perhaps);
    }
}
