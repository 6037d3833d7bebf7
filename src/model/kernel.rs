//! The kernel that a package holds.

use serde::Serialize;

/// A kernel of a package, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PackagedKernel {
    /// Its release, as `uname -r` prints it.
    pub release: String,
    /// Whether it runs.
    pub state: KernelState,
}

/// Whether a kernel runs, as far as the disks tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelState {
    /// It was started last.
    Running,
    /// It is installed, and another one was started last.
    NotRunning,
    /// It is in a container, which runs on the kernel of its host.
    InContainer,
    /// Nothing sure enough tells which one was started last.
    Unknown,
}

impl KernelState {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::NotRunning => "not_running",
            Self::InContainer => "in_container",
            Self::Unknown => "unknown",
        }
    }

    /// The same in words.
    pub fn told(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::NotRunning => "installed, not running",
            Self::InContainer => "in a container, which runs on its host's",
            Self::Unknown => "not known whether it runs",
        }
    }
}
