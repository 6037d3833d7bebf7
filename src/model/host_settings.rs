//! How a host was set up, by its files.

use serde::Serialize;

/// What cloud-init left on the disks. The disk of a host may be a copy of another's: no proof of who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CloudInit {
    /// The instance that it ran on last.
    pub instance_id: Option<String>,
    /// The instance before, if that was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_instance_id: Option<String>,
    /// Where its data came from, as it calls it.
    pub datasource: Option<String>,
    /// The name that it gave the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Private addresses that it was told, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub local_ips: Vec<String>,
    /// The files that say so, sorted.
    pub evidence: Vec<String>,
}

/// A security module of the kernel that confines programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MandatoryAccess {
    /// `selinux` or `apparmor`.
    pub system: String,
    /// What it does after the next start.
    pub mode: AccessMode,
    /// SELinux's policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What tells of it.
    pub evidence: Vec<String>,
}

/// What a security module does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessMode {
    /// It refuses what its policy, or the profile of a program, does not allow.
    Enforcing,
    /// It only writes it down.
    Permissive,
    /// It is off.
    Disabled,
}

impl AccessMode {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforcing => "enforcing",
            Self::Permissive => "permissive",
            Self::Disabled => "disabled",
        }
    }
}
