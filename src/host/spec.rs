//! The ways in which fstab, mount units and kernel command lines name a device.

/// What names a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spec {
    /// Filesystem UUID, lower case.
    Uuid(String),
    /// Filesystem label.
    Label(String),
    /// Partition UUID, lower case.
    PartUuid(String),
    /// Partition label.
    PartLabel(String),
    /// A disk's kernel name, such as `nvme1n1`, and the partition on it.
    Disk {
        /// Name of the whole disk.
        disk: String,
        /// Partition number; none for the disk itself.
        partition: Option<u32>,
    },
    /// A volume of EBS, such as `vol-0123456789abcdef0`, and the partition on it.
    Ebs {
        /// Id of the volume.
        volume: String,
        /// Partition number; none for the volume itself.
        partition: Option<u32>,
    },
    /// Another name below `/dev`, such as `mapper/vg-root` or `md0`.
    Name(String),
    /// This one of the filesystems that were found.
    Found(usize),
    /// Something that is on no disk of ours, or named in a way we do not know.
    Other,
}

impl Spec {
    /// Reads one name of a device.
    pub fn parse(device: &str) -> Self {
        let (tag, value) = match device.split_once('=') {
            Some((tag, value)) => (tag, value.trim_matches('"')),
            None => match device.strip_prefix("/dev/disk/").and_then(|rest| rest.split_once('/')) {
                Some(("by-uuid", value)) => ("UUID", value),
                Some(("by-label", value)) => ("LABEL", value),
                Some(("by-partuuid", value)) => ("PARTUUID", value),
                Some(("by-partlabel", value)) => ("PARTLABEL", value),
                Some(("by-id", id)) => return by_id(id),
                _ => {
                    let Some(name) = device.strip_prefix("/dev/") else { return Self::Other };
                    return disk(name).unwrap_or_else(|| Self::Name(name.to_owned()));
                }
            },
        };
        let value = &unescape(value);
        match tag {
            "UUID" => Self::Uuid(value.to_ascii_lowercase()),
            "LABEL" => Self::Label(value.clone()),
            "PARTUUID" => Self::PartUuid(value.to_ascii_lowercase()),
            "PARTLABEL" => Self::PartLabel(value.clone()),
            _ => Self::Other,
        }
    }

    /// The disk that a kernel name is of.
    pub fn disk(&self) -> Option<&str> {
        match self {
            Self::Disk { disk, .. } => Some(disk),
            _ => None,
        }
    }

    /// Whether this name stays with what it names, whatever machine the disk is in.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Uuid(_)
            | Self::Label(_)
            | Self::PartUuid(_)
            | Self::PartLabel(_)
            | Self::Ebs { .. } => true,
            Self::Name(name) => name.starts_with("mapper/"),
            Self::Disk { .. } | Self::Found(_) | Self::Other => false,
        }
    }
}

/// udev's names of volumes: `dm-name-vg-root`, `md-name-host:0`, and those of EBS.
fn by_id(id: &str) -> Spec {
    if let Some(rest) = id.strip_prefix("nvme-Amazon_Elastic_Block_Store_vol") {
        return ebs(rest).unwrap_or(Spec::Other);
    }
    let mapper = id.strip_prefix("dm-name-").map(|name| format!("mapper/{name}"));
    let array = id
        .strip_prefix("md-name-")
        .map(|name| format!("md/{}", name.split_once(':').map_or(name, |(_, own)| own)));
    mapper.or(array).map_or(Spec::Other, Spec::Name)
}

/// `0123456789abcdef0`, `0123456789abcdef0_1-part1`: the number of the volume, and perhaps those of its
/// namespace, which is the first, and of a partition.
fn ebs(rest: &str) -> Option<Spec> {
    let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    let (volume, rest) = rest.split_at_checked(digits).filter(|_| matches!(digits, 8 | 17))?;
    let rest = ["_1", "-ns-1"].iter().find_map(|space| rest.strip_prefix(space)).unwrap_or(rest);
    let partition = match rest.strip_prefix("-part") {
        Some(number) => Some(number.parse().ok()?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Spec::Ebs { volume: format!("vol-{}", volume.to_ascii_lowercase()), partition })
}

/// `xvda1`, `sdf`, `vdb2`, `nvme1n1p2`.
fn disk(name: &str) -> Option<Spec> {
    if name.starts_with("nvme") {
        let (disk, partition) = match name.rsplit_once('p') {
            Some((disk, number)) => (disk, Some(number.parse().ok()?)),
            None => (name, None),
        };
        return Some(Spec::Disk { disk: disk.to_owned(), partition });
    }
    let letters = ["xvd", "sd", "vd", "hd"].iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let digits = letters.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let partition = if digits.is_empty() { None } else { Some(digits.parse().ok()?) };
    Some(Spec::Disk { disk: name[..name.len() - digits.len()].to_owned(), partition })
}

/// Labels below `/dev/disk` and in units have blanks as `\x20`.
fn unescape(text: &str) -> String {
    text.replace("\\x20", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_naming_a_device() {
        let disk = |disk: &str, partition| Spec::Disk { disk: disk.to_owned(), partition };
        let ebs = |partition| Spec::Ebs { volume: "vol-0123456789abcdef0".to_owned(), partition };
        for (device, expected) in [
            ("UUID=ABCD-12", Spec::Uuid("abcd-12".into())),
            ("LABEL=\"data disk\"", Spec::Label("data disk".into())),
            ("/dev/disk/by-label/data\\x20disk", Spec::Label("data disk".into())),
            ("/dev/disk/by-partuuid/AA", Spec::PartUuid("aa".into())),
            ("PARTLABEL=root", Spec::PartLabel("root".into())),
            ("/dev/xvda1", disk("xvda", Some(1))),
            ("/dev/sdf", disk("sdf", None)),
            ("/dev/nvme1n1p15", disk("nvme1n1", Some(15))),
            ("/dev/nvme0n1", disk("nvme0n1", None)),
            ("/dev/mapper/vg-root", Spec::Name("mapper/vg-root".into())),
            ("/dev/disk/by-id/dm-name-vg-root", Spec::Name("mapper/vg-root".into())),
            ("/dev/md0", Spec::Name("md0".into())),
            ("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0", ebs(None)),
            (
                "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0_1-part2",
                ebs(Some(2)),
            ),
            (
                "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0-part2",
                ebs(Some(2)),
            ),
            ("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123", Spec::Other),
            ("10.0.0.1:/export", Spec::Other),
        ] {
            assert_eq!(Spec::parse(device), expected, "{device}");
        }
    }
}
