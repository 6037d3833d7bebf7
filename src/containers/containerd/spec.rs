//! What a container was to be started with: the runtime's specification
//! (<https://github.com/opencontainers/runtime-spec/blob/main/config.md>), as far as it tells of files.

use super::database::Record;
use super::values;
use crate::model::ContainerMount;
use serde::Deserialize;

/// Mounts of one container.
const MOST_MOUNTS: usize = 1024;
/// Where every container has a filesystem in memory.
const EVERYWHERE: [&str; 3] = ["/dev", "/dev/shm", "/run"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Spec {
    root: Option<Root>,
    mounts: Option<Vec<Mount>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Root {
    path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mount {
    destination: String,
    #[serde(rename = "type")]
    kind: String,
    source: String,
    options: Option<Vec<String>>,
}

/// A mount as nerdctl notes it in a label, which knows the names of volumes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Volume {
    #[serde(rename = "Type")]
    kind: String,
    name: String,
    destination: String,
}

/// The specification of a container's record, a protobuf `Any` around JSON; none if it has none.
pub fn of(record: &Record) -> Option<Result<Spec, String>> {
    let bytes = record.values.get("spec")?;
    Some(match values::any(bytes) {
        None => Err("its specification is no message".to_owned()),
        Some(json) => serde_json::from_slice(json)
            .map_err(|error| format!("its specification is not what it should be: {error}")),
    })
}

impl Spec {
    /// The folder that is the container's root, where it is none that containerd makes of snapshots.
    pub fn root(&self) -> Option<&str> {
        let root = self.root.as_ref()?;
        root.path.starts_with('/').then_some(&*root.path)
    }

    /// What of the host or of memory is mounted, beside what every container has, and whether there is more.
    pub fn mounts(&self, volumes: Option<&str>) -> (Vec<ContainerMount>, bool) {
        let volumes: Vec<Volume> =
            volumes.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        let all = self.mounts.iter().flatten();
        let mut told = all.filter_map(|mount| mount.tell(&volumes));
        let mounts = told.by_ref().take(MOST_MOUNTS).collect();
        (mounts, told.next().is_some())
    }
}

impl Mount {
    fn tell(&self, volumes: &[Volume]) -> Option<ContainerMount> {
        let options = || self.options.iter().flatten().map(String::as_str);
        let is_bind = self.kind == "bind" || options().any(|it| matches!(it, "bind" | "rbind"));
        let is_memory = self.kind == "tmpfs" && !EVERYWHERE.contains(&&*self.destination);
        let volume = volumes.iter().find(|volume| volume.destination == self.destination);
        let volume = volume.filter(|volume| volume.kind == "volume" && !volume.name.is_empty());
        let (kind, source) = match volume {
            Some(volume) if is_bind => ("volume", &*volume.name),
            _ if is_bind => ("bind", &*self.source),
            _ if is_memory => ("tmpfs", ""),
            _ => return None,
        };
        Some(ContainerMount {
            destination: values::shown(&self.destination),
            kind: kind.to_owned(),
            source: values::shown(source),
            read_only: options().any(|it| it == "ro"),
        })
    }
}
