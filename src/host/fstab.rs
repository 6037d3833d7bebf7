//! `/etc/fstab`: which filesystem belongs where.

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What is mounted.
    pub spec: Spec,
    /// The first field as written.
    pub device: String,
    /// Where.
    pub path: String,
    /// Type, or `auto`.
    pub kind: String,
    /// Not mounted at boot.
    pub noauto: bool,
    /// Shows another part of the tree, which `device` names.
    pub bind: bool,
}

/// The ways in which fstab names a device.
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
    /// Another name below `/dev`, such as `mapper/vg-root` or `md0`.
    Name(String),
    /// Something that is on no disk of ours, or named in a way we do not know.
    Other,
}

/// Types without content of their own, or with content that is gone when the host is.
const VIRTUAL: &[&str] = &[
    "tmpfs",
    "proc",
    "sysfs",
    "devpts",
    "devtmpfs",
    "cgroup",
    "cgroup2",
    "debugfs",
    "securityfs",
    "hugetlbfs",
    "mqueue",
    "efivarfs",
    "swap",
    "none",
    "binfmt_misc",
    "ramfs",
    "configfs",
];
/// Types whose content is on other machines, or put together by a program.
const ELSEWHERE: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "efs",
    "lustre",
    "ceph",
    "glusterfs",
    "9p",
    "virtiofs",
    "overlay",
];
/// Where packages are installed; what is mounted elsewhere holds data.
const SYSTEM: &[&str] = &["etc", "usr", "var", "opt", "lib", "lib64", "bin", "sbin", "boot"];

impl Line {
    /// Whether this line mounts a filesystem from a disk.
    pub fn is_on_disk(&self) -> bool {
        self.names().next().is_some()
            && self.path.starts_with('/')
            && !self.bind
            && !VIRTUAL.contains(&self.kind.as_str())
            && !self.is_elsewhere()
    }

    /// Whether this line hides a part of the system behind what is on no disk of this host.
    pub fn hides_system(&self) -> bool {
        let first = self.names().next();
        self.is_elsewhere() && !self.noauto && first.is_some_and(|name| SYSTEM.contains(&name))
    }

    /// How deep it is mounted: outer ones come first.
    pub fn depth(&self) -> usize {
        self.names().count()
    }

    fn is_elsewhere(&self) -> bool {
        let kind = self.kind.as_str();
        ELSEWHERE.contains(&kind) || kind.starts_with("fuse.") || kind == "fuse"
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter(|name| !name.is_empty() && *name != ".")
    }
}

/// All lines that parse; comments and broken lines are left out, as `mount` does.
pub fn parse(text: &str) -> Vec<Line> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Line> {
    let line = line.trim_start();
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split_whitespace();
    let device = unescape(fields.next()?);
    let path = unescape(fields.next()?);
    let kind = fields.next().unwrap_or("auto").to_owned();
    let options = fields.next().unwrap_or("");
    let has = |wanted: &[&str]| options.split(',').any(|option| wanted.contains(&option));
    let (noauto, bind) = (has(&["noauto"]), has(&["bind", "rbind"]));
    Some(Line { spec: spec(&device), device, path, kind, noauto, bind })
}

fn spec(device: &str) -> Spec {
    let (tag, value) = match device.split_once('=') {
        Some((tag, value)) => (tag, value.trim_matches('"')),
        None => match device.strip_prefix("/dev/disk/").and_then(|rest| rest.split_once('/')) {
            Some(("by-uuid", value)) => ("UUID", value),
            Some(("by-label", value)) => ("LABEL", value),
            Some(("by-partuuid", value)) => ("PARTUUID", value),
            Some(("by-partlabel", value)) => ("PARTLABEL", value),
            Some(("by-id", id)) => return by_id(id),
            _ => {
                let Some(name) = device.strip_prefix("/dev/") else { return Spec::Other };
                return disk(name).unwrap_or_else(|| Spec::Name(name.to_owned()));
            }
        },
    };
    match tag {
        "UUID" => Spec::Uuid(value.to_ascii_lowercase()),
        "LABEL" => Spec::Label(value.to_owned()),
        "PARTUUID" => Spec::PartUuid(value.to_ascii_lowercase()),
        "PARTLABEL" => Spec::PartLabel(value.to_owned()),
        _ => Spec::Other,
    }
}

/// udev's names of volumes: `dm-name-vg-root`, `md-name-host:0`.
fn by_id(id: &str) -> Spec {
    let mapper = id.strip_prefix("dm-name-").map(|name| format!("mapper/{name}"));
    let array = id
        .strip_prefix("md-name-")
        .map(|name| format!("md/{}", name.split_once(':').map_or(name, |(_, own)| own)));
    mapper.or(array).map_or(Spec::Other, Spec::Name)
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

/// fstab writes blanks in names as octal.
fn unescape(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_naming_a_device() {
        let disk = |disk: &str, partition| Spec::Disk { disk: disk.to_owned(), partition };
        for (device, expected) in [
            ("UUID=ABCD-12", Spec::Uuid("abcd-12".into())),
            ("LABEL=\"data disk\"", Spec::Label("data disk".into())),
            ("/dev/disk/by-partuuid/AA", Spec::PartUuid("aa".into())),
            ("PARTLABEL=root", Spec::PartLabel("root".into())),
            ("/dev/xvda1", disk("xvda", Some(1))),
            ("/dev/sdf", disk("sdf", None)),
            ("/dev/nvme1n1p15", disk("nvme1n1", Some(15))),
            ("/dev/nvme0n1", disk("nvme0n1", None)),
            ("/dev/mapper/vg-root", Spec::Name("mapper/vg-root".into())),
            ("/dev/disk/by-id/dm-name-vg-root", Spec::Name("mapper/vg-root".into())),
            ("/dev/md0", Spec::Name("md0".into())),
            ("10.0.0.1:/export", Spec::Other),
        ] {
            assert_eq!(spec(device), expected, "{device}");
        }
    }

    #[test]
    fn blanks_comments_and_short_lines() {
        let lines =
            parse("# c\nUUID=1 /mnt/my\\040disk ext4 noauto,ro 0 2\n/dev/sdb\nproc /proc proc\n");
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].path.as_str(), lines[0].noauto), ("/mnt/my disk", true));
        assert!(lines[0].is_on_disk() && !lines[1].is_on_disk());
    }
}
