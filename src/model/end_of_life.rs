//! Until when the vendor of an operating system supports a release of it.

use serde::Serialize;

/// The dates of one release, each as `2026-07-11`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SupportCycle {
    /// `ID` of os-release, or `centos-stream`, `windows-server`.
    pub os: String,
    /// The release.
    pub release: String,
    /// When full support ends and the vendor goes on with fixes alone.
    pub full: Option<String>,
    /// When what everybody gets ends.
    pub end: String,
    /// When that ends which goes beyond, and what it is called.
    pub extended: Option<(String, String)>,
}

/// How long a host's system is supported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndOfLife {
    /// When what everybody gets ends: `2026-07-11`.
    pub date: String,
    /// Days until then from the day of the scan; negative when it is over.
    pub days_left: i64,
    /// What there is on the day of the scan.
    pub support: Support,
    /// When full support ends, where the vendor goes on with fixes alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_support: Option<String>,
    /// What goes beyond for those who have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended: Option<Extended>,
    /// Who says so.
    pub source: String,
    /// Of when that is.
    pub source_date: String,
}

/// Support that not everybody gets, or not for all packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extended {
    /// Its name, such as `ESM`.
    pub name: String,
    /// When it ends.
    pub date: String,
    /// Days until then from the day of the scan; negative when it is over.
    pub days_left: i64,
}

/// What support there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    /// All of it.
    Full,
    /// Fixes alone.
    Maintenance,
    /// Only what goes beyond the end for everybody.
    Extended,
    /// None.
    Ended,
}

impl Support {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Maintenance => "maintenance",
            Self::Extended => "extended",
            Self::Ended => "ended",
        }
    }
}
