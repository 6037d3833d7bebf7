//! A package to which an advisory applies.

use super::KernelState;
use serde::{Deserialize, Serialize};

/// One advisory that applies to one installed package.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Advisory id, a CVE where there is one.
    pub id: String,
    /// Other ids of the same advisory.
    pub aliases: Vec<String>,
    /// Binary package name.
    pub package: String,
    /// purl of the package, which tells it from its namesake of another architecture.
    pub purl: String,
    /// Installed version.
    pub installed: String,
    /// Whether the kernel runs that the package holds, if it holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<KernelState>,
    /// First version without the fault, when there is one.
    pub fixed: Option<String>,
    /// Severity by the OS vendor.
    pub severity: Severity,
    /// CVSS score and vector; no feed gives one yet.
    pub cvss: Option<String>,
    /// In CISA's list of known exploited vulnerabilities.
    pub kev: bool,
    /// What the vendor says will be done.
    pub status: Status,
    /// Feed that the advisory came from.
    pub feed: String,
}

impl Finding {
    /// Whether it is at least this severe. What is known to be exploited always is: no rating
    /// makes it wait.
    pub fn reaches(&self, threshold: Severity) -> bool {
        self.kev || self.severity >= threshold
    }
}

/// How bad, in the vendor's words. Ordered from nothing known to worst.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The vendor calls it harmless.
    Negligible,
    /// The vendor has not rated it.
    #[default]
    Unknown,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// All, from the least to the worst.
    pub const ALL: [Self; 6] =
        [Self::Negligible, Self::Unknown, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word used in reports and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Negligible => "negligible",
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What the vendor says of a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A fixed version is published.
    Fixed,
    /// No fix yet.
    Affected,
    /// The vendor will not issue a security update of its own; a point release may carry a fix.
    NoAdvisory,
    /// The vendor will not fix it in this release.
    WillNotFix,
    /// The vendor put the fix off.
    FixDeferred,
    /// The vendor holds it to be of no security concern.
    Unimportant,
    /// The package is out of support in this release.
    EndOfLife,
}

impl Status {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::NoAdvisory => "no_advisory",
            Self::WillNotFix => "will_not_fix",
            Self::FixDeferred => "fix_deferred",
            Self::Unimportant => "unimportant",
            Self::EndOfLife => "end_of_life",
        }
    }
}
