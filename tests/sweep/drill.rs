//! One drill: an account with its faults, a command, perhaps a signal, and what must come of it.

use crate::accounts::Account;
use crate::books::Books;
use crate::check;
use crate::standin::Standin;
use serde_json::Value;
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

const SIGKILL: i32 = 9;
/// Between two looks at the books.
const LOOK: Duration = Duration::from_millis(100);
/// Longer than any fault delays a call in a drill that kills.
const QUIET: Duration = Duration::from_secs(2);

/// A drill.
#[derive(Clone)]
pub struct Drill {
    /// What is done, in words.
    pub name: &'static str,
    /// Place in the table, from which the account's id is made.
    pub number: usize,
    /// Whose hosts.
    pub hosts: Hosts,
    /// Faults and limits of the account, as TOML.
    pub faults: &'static str,
    /// The command; `@NAME` is the id of what the account names so.
    pub command: &'static [&'static str],
    /// Variables; an empty one is removed.
    pub env: &'static [(&'static str, &'static str)],
    /// The signal that the command gets, and after how many calls of which action.
    pub signal: Option<(Signal, &'static str, usize)>,
    /// What becomes of each host; `a|b` allows both.
    pub outcomes: &'static [(&'static str, &'static str)],
    /// Exit code, as a shell counts it.
    pub exit: i32,
    /// Snapshots that are left when the command has ended.
    pub left: Left,
    /// Snapshots that go away without being deleted.
    pub vanish: usize,
    /// Volumes that came (or, if negative, went) before snapshots were made.
    pub moved: isize,
    /// Snapshots of earlier sweeps that are deleted.
    pub earlier: usize,
}

/// Whose hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// Those of `accounts::THREE`.
    Three,
    /// Those of `infra/standin/twenty.toml`.
    Twenty,
}

/// A signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Int,
    /// As a scheduler ends a task.
    Term,
    /// Without any chance to tidy up.
    Kill,
}

/// How many snapshots are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// So many.
    Exactly(usize),
    /// At least one: it depends on how far the others were.
    Some,
}

/// What came of a drill, for the table.
pub struct Row {
    name: &'static str,
    hosts: [usize; 3],
    exit: i32,
    made: usize,
    deleted: usize,
    left: usize,
    after_cleanup: usize,
}

impl Drill {
    /// The account in which it happens.
    pub fn account(&self) -> Account {
        match self.hosts {
            Hosts::Twenty => Account::twenty(self.number),
            Hosts::Three => Account::three(self.number, self.faults),
        }
    }

    /// Runs it; panics where it does not go as it must.
    pub fn run(&self, standin: &Standin) -> Row {
        let account = self.account();
        let (status, report, stderr) = self.perform(standin, &account);
        let exit = status.code().or(status.signal().map(|signal| 128 + signal)).expect("it ended");
        let hosts = &report["hosts"];
        assert_eq!(exit, self.exit, "exit code; stderr:\n{stderr}\nhosts: {hosts}");
        if exit == 128 + SIGKILL {
            settled(standin, &account);
        }
        let books = Books::of(standin, &account);
        let hosts = check::outcomes(&report, self.outcomes, &stderr);
        let (made, deleted, left) =
            (books.made(standin, &account), books.deleted(), books.left.len());
        match self.left {
            Left::Exactly(expected) => assert_eq!(left, expected, "snapshots left; {stderr}"),
            Left::Some => assert!(left > 0, "the drill came too late"),
        }
        let made = made.checked_add_signed(self.moved).expect("some are made");
        assert_eq!(made + self.earlier, deleted + left + self.vanish, "snapshots accounted for");
        if report["sweep"].is_string() {
            assert_eq!(report["leftovers"]["deleted"], self.earlier);
            check::receipt(&report, &books);
            check::packages(standin, &report);
        }
        if left > 0 {
            check::cleanup(standin, &account, left);
        }
        let after_cleanup = Books::of(standin, &account).left.len();
        assert_eq!(after_cleanup, 0, "snapshots left after the clean-up");
        Row { name: self.name, hosts, exit, made, deleted, left, after_cleanup }
    }

    fn perform(&self, standin: &Standin, account: &Account) -> (ExitStatus, Value, String) {
        let id = |word: &&str| {
            word.strip_prefix('@')
                .map_or_else(|| (*word).to_owned(), |name| standin.id(account, name))
        };
        let words: Vec<String> = self.command.iter().map(id).collect();
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.extend(["--format", "json", "--no-match"]);
        let mut command = standin.sidelight(account, &words);
        for (name, value) in self.env {
            if value.is_empty() {
                command.env_remove(name);
            } else {
                command.env(name, value);
            }
        }
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        if let Some((signal, action, calls)) = self.signal {
            wait_for(standin, account, &mut child, |books| books.count(action) >= calls);
            signal.send(&child);
        }
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let report = match &output.stdout[..] {
            [] => Value::Null,
            text => serde_json::from_slice(text).expect("the report is JSON"),
        };
        (output.status, report, stderr)
    }
}

impl Signal {
    /// Sends it.
    pub fn send(self, to: &Child) {
        let name = match self {
            Self::Int => "-INT",
            Self::Term => "-TERM",
            Self::Kill => "-KILL",
        };
        let sent = Command::new("kill").arg(name).arg(to.id().to_string()).status();
        assert!(sent.expect("kill runs").success());
    }
}

/// Waits until the books show what is waited for.
pub fn wait_for(
    standin: &Standin,
    account: &Account,
    child: &mut Child,
    reached: impl Fn(&Books) -> bool,
) {
    while !reached(&Books::of(standin, account)) {
        let ended = child.try_wait().expect("it can be asked");
        assert_eq!(ended, None, "the command ended before the moment of the drill");
        std::thread::sleep(LOOK);
    }
}

/// Waits for calls that were on their way when the process was killed.
fn settled(standin: &Standin, account: &Account) {
    let mut before = 0;
    loop {
        std::thread::sleep(QUIET);
        let now = Books::of(standin, account).log.len();
        if now == before {
            return;
        }
        before = now;
    }
}

/// Texts of the table's first row.
pub const HEADER: &str = "drill                                                     scanned skipped failed  exit  made deleted  left  after cleanup";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, hosts: [scanned, skipped, failed], exit, made, deleted, left, .. } = self;
        write!(
            f,
            "{name:<58}{scanned:>6}{skipped:>8}{failed:>7}{exit:>6}{made:>6}{deleted:>8}{left:>6}"
        )?;
        match left {
            0 => Ok(()),
            _ => write!(f, "{:>15}", self.after_cleanup),
        }
    }
}
