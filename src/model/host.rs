//! The identity of a host.

use serde::Serialize;
use std::collections::BTreeMap;

/// What a host says of itself on its disks, and what the cloud says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HostContext {
    /// Operating system.
    pub os: Os,
    /// Host name, when it is written on the disk.
    pub hostname: Option<String>,
    /// Addresses found on the disk, sorted.
    pub ips: Vec<String>,
    /// systemd machine id.
    pub machine_id: Option<String>,
    /// Versions of the kernels whose modules or images are installed, sorted.
    pub kernels: Vec<String>,
    /// Filesystems and where they are mounted, sorted by path.
    pub mounts: Vec<Mount>,
    /// What the cloud account knows.
    pub cloud: CloudContext,
}

/// Operating system identity, from os-release or the older files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Os {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `VERSION_ID`, such as `12`.
    pub version_id: String,
    /// `VERSION_CODENAME`, such as `bookworm`.
    pub codename: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: String,
    /// `ID_LIKE`, split.
    pub id_like: Vec<String>,
}

/// One joined filesystem.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mount {
    /// Path in the joined tree.
    pub path: String,
    /// Device as named in this scan.
    pub device: String,
    /// Filesystem type.
    pub filesystem: String,
}

/// What the cloud says of a host; empty for a local image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CloudContext {
    /// Account id.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Instance id.
    pub instance_id: Option<String>,
    /// Snapshots that were read, in the order given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<String>,
    /// Tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}
