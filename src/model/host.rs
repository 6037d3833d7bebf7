//! The identity of a host.

use super::{Archive, CloudInit, EndOfLife, MandatoryAccess, Service, UbuntuPro, UpdateStream};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a host says of itself on its disks, and what the cloud says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HostContext {
    /// Operating system.
    pub os: Os,
    /// Until when the vendor supports it, where that is known and has an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_of_life: Option<EndOfLife>,
    /// Host name, when it is written on the disk.
    pub hostname: Option<String>,
    /// Addresses found on the disk, sorted.
    pub ips: Vec<String>,
    /// systemd machine id, or Windows' `MachineGuid`.
    pub machine_id: Option<String>,
    /// Time zone, as the system calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What cloud-init left on the disks; no proof of who the host is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_init: Option<CloudInit>,
    /// What confines the host's programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mandatory_access: Option<MandatoryAccess>,
    /// Versions of the kernels whose modules or images are installed, sorted.
    pub kernels: Vec<String>,
    /// The kernel that was started last, as far as the disks tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_kernel: Option<KernelSign>,
    /// The kernel that is started next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_kernel: Option<KernelSign>,
    /// Whether the next start brings another kernel than the last, where both are known by more than a low sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reboot_needed: Option<bool>,
    /// Ids of the enabled package repositories, sorted, where the system's package manager has ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
    /// Enabled streams of modules as `name:stream`, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// Numbers of the products of Red Hat that are installed, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<u32>,
    /// What of Red Hat's updates the host gets, where its disks say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_stream: Option<UpdateStream>,
    /// What Ubuntu Pro does, where its client left a sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ubuntu_pro: Option<UbuntuPro>,
    /// Archives of Debian packages that apt knows, the system's own first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<Archive>,
    /// What the host starts by itself, sorted, where all files were looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
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

/// A kernel, and what tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelSign {
    /// Its release, as `uname -r` prints it.
    pub version: String,
    /// What tells of it.
    pub evidence: String,
    /// How sure that is.
    pub confidence: Confidence,
}

/// How sure something is that is told by signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A record says it.
    High,
    /// It is likely.
    Medium,
    #[default]
    /// It may be: nothing speaks against it, or what does is in the evidence.
    Low,
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
    /// The folder of it that is mounted, where that is not its root: a deployment, a subvolume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

/// What the cloud says of a host; empty for a local image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CloudContext {
    /// Account id.
    pub account: Option<String>,
    /// Alias of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_alias: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Availability zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// Instance id.
    pub instance_id: Option<String>,
    /// The tag `Name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// Instance type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Architecture, as EC2 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The AMI that the instance was launched from, or that was scanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// When the instance was launched, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_time: Option<String>,
    /// Private addresses, IPv4 before IPv6.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub private_ips: Vec<String>,
    /// Public addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub public_ips: Vec<String>,
    /// VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<String>,
    /// Subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<String>,
    /// Security groups, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<SecurityGroup>,
    /// Volumes, the root's first, then by device name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<CloudVolume>,
    /// Snapshots that were read, in the order given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<String>,
    /// Tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A security group.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A volume of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CloudVolume {
    /// Volume id.
    pub id: String,
    /// Device name, as the instance's block device mapping writes it.
    pub device: String,
    /// Encrypted by EBS.
    pub encrypted: bool,
    /// The key that encrypts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// The snapshot that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
}
