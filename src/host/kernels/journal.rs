//! The newest boot in systemd's journal, and what its kernel said of itself (`Linux version …`).
//!
//! `system.journal` is looked at first. What began before that file was made is looked for in the
//! archives, whose names tell when they were begun or put away (`journald`'s `system@….journal`, and
//! `….journal~` for one that was not closed). A file is read in some pages.

use super::Start;
use crate::filesystem::caught;
use crate::host::{PositionedFile, Tree, identity, read_reason};
use crate::model::{Gap, GapReason, printable};
use journal_reader::{Beginning, Error, Journal};
use std::sync::Arc;

const FOLDER: &str = "/var/log/journal";
const ACTIVE: &str = "system.journal";
/// Bytes that are read of one file, where real ones take some dozens of KiB.
const MOST_BYTES: u64 = 4 << 20;
/// Machines whose journals are looked at where the host's own id is not known.
const MOST_MACHINES: usize = 4;
/// Files of one machine that are opened.
const MOST_FILES: usize = 4;
/// Microseconds by which a clock may be set after the start of a machine.
const CLOCK: u64 = 15 * 60 * 1_000_000;
const MICROSECONDS: u64 = 1_000_000;

/// The newest boot of the machine's journal. Its kernel is not told where no file has its beginning.
pub fn newest(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<Start> {
    let starts: Vec<_> = machines(tree, gaps)
        .into_iter()
        .filter_map(|folder| Files::of(tree, folder, gaps).newest(gaps))
        .collect();
    starts.into_iter().max_by_key(|start| start.second)
}

/// The folders of the host's machine id, or of all where it has none.
fn machines(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let ids = identity::machine_id(tree, gaps).map_or_else(|| all_ids(tree, gaps), |id| vec![id]);
    ids.into_iter().map(|id| format!("{FOLDER}/{id}")).collect()
}

fn all_ids(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let names = tree.list(FOLDER.as_bytes(), gaps).into_iter();
    let ids = names.filter_map(|entry| String::from_utf8(entry.name).ok());
    let mut ids: Vec<_> = ids.filter(|name| is_hex(name, 32)).collect();
    if ids.len() > MOST_MACHINES {
        let detail = format!("journals of {} machines; {MOST_MACHINES} were read", ids.len());
        gaps.push(Gap::new(FOLDER, GapReason::Limit, detail));
        ids.truncate(MOST_MACHINES);
    }
    ids
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The files of a machine, those that were written last first.
struct Files<'a> {
    tree: &'a Tree,
    folder: String,
    names: Vec<Name>,
}

/// A file by what its name tells.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    text: String,
    /// In microseconds since 1970.
    time: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    /// It is the one that is written to.
    Active,
    /// Its first entry was written then.
    Begun(u64),
    /// It was found unclosed then, and put away.
    PutAway(u64),
}

impl Name {
    fn parse(name: &[u8]) -> Option<Self> {
        let text = String::from_utf8(name.to_vec()).ok()?;
        let time = if text == ACTIVE { Time::Active } else { archived(&text)? };
        Some(Self { text, time })
    }

    /// For the order of files.
    fn newness(&self) -> u64 {
        match self.time {
            Time::Active => u64::MAX,
            Time::Begun(time) | Time::PutAway(time) => time,
        }
    }

    /// Whether entries of this time may be in it.
    fn may_hold(&self, time: u64) -> bool {
        match self.time {
            Time::Active => true,
            Time::Begun(begun) => begun <= time.saturating_add(CLOCK),
            Time::PutAway(away) => time <= away.saturating_add(CLOCK),
        }
    }
}

fn archived(name: &str) -> Option<Time> {
    let rest = name.strip_prefix("system@")?;
    let number = |part: &str| u64::from_str_radix(part, 16).ok();
    if let Some(rest) = rest.strip_suffix(".journal~") {
        return number(rest.split('-').next()?).map(Time::PutAway);
    }
    let rest = rest.strip_suffix(".journal")?;
    number(rest.rsplit('-').next()?).map(Time::Begun)
}

impl<'a> Files<'a> {
    fn of(tree: &'a Tree, folder: String, gaps: &mut Vec<Gap>) -> Self {
        let entries = tree.list(folder.as_bytes(), gaps);
        let mut names: Vec<_> = entries.iter().filter_map(|it| Name::parse(&it.name)).collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.newness()));
        Self { tree, folder, names }
    }

    fn newest(&self, gaps: &mut Vec<Gap>) -> Option<Start> {
        let mut opened = 0;
        let mut newest: Option<Start> = None;
        for name in &self.names {
            let boot = newest.as_ref().map(|start| (start.boot, start.second * MICROSECONDS));
            let may_hold = boot.is_none_or(|(_, started)| name.may_hold(started));
            if !may_hold {
                continue;
            }
            if opened == MOST_FILES {
                let detail = format!("more than {MOST_FILES} files may tell of the last start");
                gaps.push(Gap::new(printable(self.folder.as_bytes()), GapReason::Limit, detail));
                break;
            }
            opened += 1;
            let Some(found) = self.look(name, boot.map(|(boot, _)| boot), gaps) else { continue };
            if found.kernel.is_some() {
                return Some(found);
            }
            newest = newest.or(Some(found));
        }
        newest
    }

    /// How the newest boot, or this one, begins in a file.
    fn look(&self, name: &Name, boot: Option<[u8; 16]>, gaps: &mut Vec<Gap>) -> Option<Start> {
        let path = format!("{}/{}", self.folder, name.text);
        let place = printable(path.as_bytes());
        let file = match self.tree.open_positioned(path.as_bytes()) {
            Ok(file) => file?.in_parts(),
            Err(error) => {
                gaps.push(Gap::new(place, error.reason(), error));
                return None;
            }
        };
        match caught(|| beginning(file, boot)) {
            Some(Ok(found)) => {
                let found = found?;
                gaps.extend(found.problem.as_ref().map(|problem| gap(&place, problem)));
                Some(start(place, &found))
            }
            Some(Err(error)) => {
                gaps.push(gap(&place, &error));
                None
            }
            None => {
                let detail = "a crate that unpacks its values gave up on these bytes";
                gaps.push(Gap::new(place, GapReason::Corrupt, detail));
                None
            }
        }
    }
}

/// How the newest boot, or this one, begins in a file, if any entry is of it.
fn beginning(file: PositionedFile, boot: Option<[u8; 16]>) -> Result<Option<Beginning>, Error> {
    let mut journal = Journal::open(Arc::new(file), MOST_BYTES)?;
    match boot {
        Some(boot) => journal.beginning(boot),
        None => journal.newest_beginning(),
    }
}

fn start(place: String, found: &Beginning) -> Start {
    let kernel = found.kernel.as_deref().and_then(release);
    Start { kernel, second: found.started / MICROSECONDS, boot: found.boot, place }
}

/// The third word.
fn release(message: &str) -> Option<String> {
    let release = message.split(' ').nth(2)?;
    release.starts_with(|first: char| first.is_ascii_digit()).then(|| printable(release.as_bytes()))
}

fn gap(place: &str, error: &Error) -> Gap {
    let reason = match error {
        Error::Read(error) => read_reason(error),
        Error::Unsupported { .. } => GapReason::Unsupported,
        Error::Corrupt { .. } => GapReason::Corrupt,
        Error::TooLarge { .. } | Error::Budget { .. } => GapReason::Limit,
    };
    Gap::new(place, reason, format!("the kernel that was started last: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_tell_their_times() {
        let begun =
            "system@33112c8ecc144c3dbfed13f6ba8c7f6c-0000000000000001-0005b7b1c57ad4ac.journal";
        for (name, expected) in [
            ("system.journal", Some(Time::Active)),
            (begun, Some(Time::Begun(0x0005_b7b1_c57a_d4ac))),
            (
                "system@0005b7b1c57ad4ac-74a9cd1bc0c2dc22.journal~",
                Some(Time::PutAway(0x0005_b7b1_c57a_d4ac)),
            ),
            ("user-1000.journal", None),
            ("system@.journal", None),
            ("system@zz.journal", None),
            ("system@1-2.tmp", None),
        ] {
            assert_eq!(Name::parse(name.as_bytes()).map(|name| name.time), expected, "{name}");
        }
    }

    #[test]
    fn the_release_in_the_words_of_the_kernel() {
        for (message, expected) in [
            ("Linux version 6.1.0-18-amd64 (debian) #1", Some("6.1.0-18-amd64")),
            ("Linux version 6.1", Some("6.1")),
            ("Linux version ", None),
            ("Linux version \u{1b}[2J", None),
        ] {
            assert_eq!(release(message).as_deref(), expected, "{message}");
        }
    }
}
