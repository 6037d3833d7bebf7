//! What cron runs: `crontab(5)` of the system and of users, the scripts of `/etc/cron.daily` and its like, and
//! `anacrontab(5)`.

use super::files::{Files, Lists, Named};
use super::{Command, MOST, Started};
use crate::host::{Kind, Tree};
use crate::model::{Gap, GapReason, Os, ServiceKind, printable};
use std::collections::BTreeSet;

/// Crontabs whose lines name a user.
const OF_SYSTEM: &str = "/etc/crontab";
const ANACRON: &str = "/etc/anacrontab";
const DROPPED: &str = "/etc/cron.d";
/// Folders of the crontabs of users, each named after its user.
const OF_USERS: [&str; 4] =
    ["/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron", "/etc/crontabs"];
/// Folders of scripts.
const SCRIPTS: [&str; 9] = [
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/etc/cron.yearly",
    "/etc/periodic/15min",
    "/etc/periodic/hourly",
    "/etc/periodic/daily",
    "/etc/periodic/weekly",
];

/// Systems whose cron and `run-parts` take any names but those of copies; others take letters, digits, `_`
/// and `-` only.
const OF_RPM: [&str; 8] = ["fedora", "rhel", "centos", "amzn", "ol", "suse", "sles", "opensuse"];
const COPIES: [&str; 7] = ["~", ",", ".rpmsave", ".rpmorig", ".rpmnew", ".swp", ".cfsaved"];

/// Which names of files count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Names of plain letters.
    Plain,
    /// All but those of copies.
    Copies,
}

/// The folders that cron reads.
pub fn folders() -> impl Iterator<Item = &'static &'static str> {
    OF_USERS.iter().chain(&SCRIPTS)
}

/// What cron reads.
pub struct Crontabs {
    tables: Vec<Table>,
    scripts: Vec<(Vec<u8>, Vec<u8>)>,
}

struct Table {
    path: Vec<u8>,
    name: Vec<u8>,
    columns: Columns,
}

/// What stands before the command.
enum Columns {
    /// The time, then a user.
    TimeAndUser,
    /// The time; the user is the file's name.
    Time(String),
    /// Days, minutes and an id, as anacron has them.
    Anacron,
}

impl Crontabs {
    /// Lists the folders and asks for the crontabs.
    pub fn list(
        tree: &Tree,
        rule: Rule,
        lists: &mut Lists,
        wanted: &mut Files,
        gaps: &mut Vec<Gap>,
    ) -> Self {
        let (mut tables, mut seen) = (Vec::new(), BTreeSet::new());
        for (path, columns) in [(OF_SYSTEM, Columns::TimeAndUser), (ANACRON, Columns::Anacron)] {
            wanted.want_path(tree, path.as_bytes(), gaps);
            let name = path.rsplit('/').next().unwrap_or_default().into();
            tables.push(Table { path: path.into(), name, columns });
        }
        let dropped = [DROPPED].into_iter().map(|folder| (folder, false));
        for (folder, is_of_users) in dropped.chain(OF_USERS.map(|folder| (folder, true))) {
            // Where systems have one folder under two names, its files are read once.
            let real = tree.real_path(folder.as_bytes()).ok().flatten();
            if real.is_none_or(|real| !seen.insert(real)) {
                continue;
            }
            for it in lists.list(tree, folder.as_bytes(), gaps) {
                if tables.len() >= MOST || !rule.takes(&it.name, is_of_users) {
                    continue;
                }
                // A folder of `/var/spool/cron` is no user.
                if it.kind == Some(Kind::Directory) {
                    continue;
                }
                wanted.want(&it.path, it.at);
                let user = Columns::Time(printable(&it.name));
                let columns = if is_of_users { user } else { Columns::TimeAndUser };
                tables.push(Table { path: it.path, name: it.name, columns });
            }
        }
        if tables.len() >= MOST {
            let detail = format!("{MOST} crontabs were read; there may be more");
            gaps.push(Gap::new(DROPPED, GapReason::Limit, detail));
        }
        Self { tables, scripts: scripts(tree, rule, lists, gaps) }
    }

    /// What the crontabs run.
    pub fn started(self, files: &Files, gaps: &mut Vec<Gap>) -> Vec<Started> {
        let scripts = self.scripts.into_iter().map(|(name, path)| {
            let enabled_by = printable(&path);
            let command =
                String::from_utf8(path).ok().map(|program| Command { program, path: None });
            started(name, enabled_by, command, Some("root".to_owned()))
        });
        let mut found: Vec<Started> = scripts.collect();
        for table in &self.tables {
            let Some(text) = files.text(&table.path) else { continue };
            table.read(text, &mut found);
            if found.len() > MOST {
                found.truncate(MOST);
                let detail = format!("more than {MOST} commands of cron; the rest was not read");
                gaps.push(Gap::new(printable(&table.path), GapReason::Limit, detail));
                break;
            }
        }
        found
    }
}

impl Table {
    fn read(&self, text: &str, found: &mut Vec<Started>) {
        let mut path = None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some((name, value)) = assignment(line) {
                if name == "PATH" {
                    path = Some(value.trim_matches(['"', '\'']).to_owned());
                }
                continue;
            }
            let Some((user, command)) = self.columns.split(line) else { continue };
            let command = Command::of_shell(&before_percent(command), path.as_deref());
            let enabled_by = format!("{}:{number}", printable(&self.path));
            found.push(started(self.name.clone(), enabled_by, command, user));
            if found.len() > MOST {
                return;
            }
        }
    }
}

impl Columns {
    /// The user and the command of a line.
    fn split<'a>(&self, line: &'a str) -> Option<(Option<String>, &'a str)> {
        let time = if line.starts_with('@') { 1 } else { 5 };
        match self {
            Self::Anacron => Some((Some("root".to_owned()), after(line, 3)?)),
            Self::Time(user) => Some((Some(user.clone()), after(line, time)?)),
            Self::TimeAndUser => {
                let rest = after(line, time)?;
                let (user, command) = rest.split_once(char::is_whitespace)?;
                Some((Some(user.to_owned()), command))
            }
        }
    }
}

/// What comes after some words.
fn after(line: &str, words: usize) -> Option<&str> {
    let mut rest = line;
    for _ in 0..words {
        rest = rest.split_once(char::is_whitespace)?.1.trim_start();
    }
    (!rest.is_empty()).then_some(rest)
}

/// `NAME = value`, of which a line of times has nothing.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim().trim_matches(['"', '\'']);
    let is_name = |name: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        name.bytes().all(known) && name.starts_with(|it: char| !it.is_ascii_digit())
    };
    is_name(name).then(|| (name, value.trim()))
}

/// The command; what follows a percent sign is its input.
fn before_percent(command: &str) -> String {
    let mut text = String::new();
    let mut letters = command.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&'%') => text.extend(letters.next()),
            '%' => break,
            _ => text.push(letter),
        }
    }
    text
}

/// The scripts of the folders.
fn scripts(
    tree: &Tree,
    rule: Rule,
    lists: &mut Lists,
    gaps: &mut Vec<Gap>,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in SCRIPTS {
        let names = lists.list(tree, folder.as_bytes(), gaps).into_iter();
        let names =
            names.filter(|it| rule.takes(&it.name, false)).filter(|it| runs(tree, it, gaps));
        let room = MOST.saturating_sub(found.len());
        found.extend(names.take(room).map(|it| (it.name, it.path)));
    }
    if found.len() >= MOST {
        let detail = format!("{MOST} scripts of cron were listed; there may be more");
        gaps.push(Gap::new(SCRIPTS[1], GapReason::Limit, detail));
    }
    found
}

/// Whether cron would run a file: a folder or one that may not be run is passed over.
fn runs(tree: &Tree, it: &Named, gaps: &mut Vec<Gap>) -> bool {
    let outcome = tree.find(&it.path).and_then(|at| {
        let Some(at) = at else { return Ok(false) };
        let metadata = tree.metadata(at).map_err(|error| Tree::error(&it.path, error))?;
        Ok(metadata.kind == Kind::File && metadata.mode & 0o111 != 0)
    });
    outcome.unwrap_or_else(|error| {
        gaps.push(Gap::new(printable(&it.path), error.reason(), error));
        false
    })
}

impl Rule {
    /// That of a system.
    pub fn of(os: &Os) -> Self {
        let mut ids = [&os.id].into_iter().chain(&os.id_like);
        if ids.any(|id| OF_RPM.contains(&id.as_str())) { Self::Copies } else { Self::Plain }
    }

    /// Whether a file of this name is read: others are copies that editors and package managers leave.
    fn takes(self, name: &[u8], is_of_user: bool) -> bool {
        let known = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || b"_-".contains(&byte)
                || (is_of_user && b".@".contains(&byte))
        };
        let named = match self {
            Self::Plain => name.iter().all(|byte| known(*byte)),
            Self::Copies => !COPIES.iter().any(|end| name.ends_with(end.as_bytes())),
        };
        named && !name.starts_with(b".") && !name.starts_with(b"#")
    }
}

fn started(
    name: Vec<u8>,
    enabled_by: String,
    command: Option<Command>,
    user: Option<String>,
) -> Started {
    Started { name, kind: ServiceKind::Cron, enabled_by, command, user, listens: Vec::new() }
}
