//! Records as the store holds them: without what their key says, with codes of their own for
//! words, so that a change of the model cannot change what an old store means.

use crate::model::{Advisory, AffectedRange, KnownExploited, Severity, Status, SupportCycle};
use serde::{Deserialize, Serialize};

const SEVERITIES: &[(u8, Severity)] = &[
    (0, Severity::Unknown),
    (1, Severity::Negligible),
    (2, Severity::Low),
    (3, Severity::Medium),
    (4, Severity::High),
    (5, Severity::Critical),
];

const STATUSES: &[(u8, Status)] = &[
    (0, Status::Fixed),
    (1, Status::Affected),
    (2, Status::NoAdvisory),
    (3, Status::WillNotFix),
    (4, Status::FixDeferred),
    (5, Status::Unimportant),
    (6, Status::EndOfLife),
];

#[derive(Debug, Serialize, Deserialize)]
enum StoredRange {
    All,
    Before(String),
    None,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredAdvisory {
    id: String,
    aliases: Vec<String>,
    affected: StoredRange,
    severity: u8,
    fix: u8,
}

impl StoredAdvisory {
    /// None if the model has a word without a code, which a test rules out.
    pub fn new(advisory: Advisory) -> Option<Self> {
        Some(Self {
            id: advisory.id,
            aliases: advisory.aliases,
            affected: match advisory.affected {
                AffectedRange::All => StoredRange::All,
                AffectedRange::Before(version) => StoredRange::Before(version),
                AffectedRange::None => StoredRange::None,
            },
            severity: code(SEVERITIES, advisory.severity)?,
            fix: code(STATUSES, advisory.fix)?,
        })
    }

    pub fn restore(self, distro: &str, release: &str, package: &str) -> Option<Advisory> {
        Some(Advisory {
            id: self.id,
            aliases: self.aliases,
            distro: distro.to_owned(),
            release: release.to_owned(),
            package: package.to_owned(),
            affected: match self.affected {
                StoredRange::All => AffectedRange::All,
                StoredRange::Before(version) => AffectedRange::Before(version),
                StoredRange::None => AffectedRange::None,
            },
            severity: word(SEVERITIES, self.severity)?,
            fix: word(STATUSES, self.fix)?,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredExploited {
    date_added: String,
    due_date: String,
    ransomware: bool,
}

impl StoredExploited {
    pub fn new(known: KnownExploited) -> Self {
        let KnownExploited { date_added, due_date, ransomware, .. } = known;
        Self { date_added, due_date, ransomware }
    }

    pub fn restore(self, cve: &str) -> KnownExploited {
        let Self { date_added, due_date, ransomware } = self;
        KnownExploited { id: cve.to_owned(), date_added, due_date, ransomware }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredCycle {
    full: Option<String>,
    end: String,
    extended: Option<(String, String)>,
}

impl StoredCycle {
    pub fn new(cycle: SupportCycle) -> Self {
        let SupportCycle { full, end, extended, .. } = cycle;
        Self { full, end, extended }
    }

    pub fn restore(self, os: &str, release: &str) -> SupportCycle {
        let Self { full, end, extended } = self;
        SupportCycle { os: os.to_owned(), release: release.to_owned(), full, end, extended }
    }
}

fn code<T: Copy + PartialEq>(table: &[(u8, T)], word: T) -> Option<u8> {
    table.iter().find(|(_, known)| *known == word).map(|(code, _)| *code)
}

fn word<T: Copy>(table: &[(u8, T)], code: u8) -> Option<T> {
    table.iter().find(|(known, _)| *known == code).map(|(_, word)| *word)
}

/// None for names that no feed can have.
pub(super) fn advisory_key(distro: &str, release: &str, package: &str) -> Option<Vec<u8>> {
    key(&["a", distro, release, package])
}

/// None for ids that no feed can have.
pub(super) fn exploited_key(cve: &str) -> Option<Vec<u8>> {
    key(&["k", cve])
}

/// None for names that no feed can have.
pub(super) fn support_key(os: &str, release: &str) -> Option<Vec<u8>> {
    key(&["s", os, release])
}

/// Parts are joined by NUL, which therefore none may hold.
fn key(parts: &[&str]) -> Option<Vec<u8>> {
    parts.iter().all(|part| !part.contains('\0')).then(|| parts.join("\0").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_a_code_and_comes_back() {
        for severity in Severity::ALL {
            let code = code(SEVERITIES, severity).unwrap();
            assert_eq!(word(SEVERITIES, code), Some(severity));
        }
        assert_eq!(
            code(STATUSES, Status::EndOfLife).and_then(|code| word(STATUSES, code)),
            Some(Status::EndOfLife)
        );
        assert_eq!(word(STATUSES, 99), None);
    }

    #[test]
    fn a_name_with_a_nul_has_no_key() {
        assert_eq!(advisory_key("debian", "bookworm\0linux", ""), None);
        assert_eq!(exploited_key("CVE\0"), None);
    }
}
