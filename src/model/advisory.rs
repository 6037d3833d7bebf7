//! What a publisher says of one vulnerability in one package of one release.

use super::{Severity, Status};
use serde::{Deserialize, Serialize};

/// One publisher's record, freed of the publisher's quirks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// CVE id where there is one, else the publisher's.
    pub id: String,
    /// Other ids.
    pub aliases: Vec<String>,
    /// Distribution, as in os-release's `ID`.
    pub distro: String,
    /// Release, as the publisher names it (for Debian the codename).
    pub release: String,
    /// Source package.
    pub package: String,
    /// Which versions are affected.
    pub affected: AffectedRange,
    /// Severity by the publisher.
    pub severity: Severity,
    /// State of the fix by the publisher.
    pub fix: FixState,
}

/// Versions that an advisory applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AffectedRange {
    /// Every version.
    All,
    /// Versions before this one.
    Before(String),
    /// No version: the release never was affected.
    None,
}

/// State of the fix.
pub type FixState = Status;

/// One entry of CISA's list of known exploited vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownExploited {
    /// CVE id.
    pub id: String,
    /// Day it was added.
    pub date_added: String,
    /// Day by which US agencies have to act.
    pub due_date: String,
    /// Used in ransomware campaigns.
    pub ransomware: bool,
}
