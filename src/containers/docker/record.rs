//! What Docker notes of a container: `config.v2.json`.

use crate::containers::text;
use crate::model::{ContainerMount, ContainerState};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The record.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Record {
    pub name: String,
    pub created: String,
    /// Id of its image.
    pub image: String,
    pub driver: String,
    pub state: State,
    pub config: Config,
    pub image_manifest: Option<Manifest>,
    pub mount_points: Option<BTreeMap<String, MountPoint>>,
}

/// What it does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct State {
    running: bool,
    paused: bool,
    started_at: String,
}

/// What it was made with.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    pub image: String,
    labels: Option<BTreeMap<String, String>>,
}

/// The manifest of its image, in an image store of containerd.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Manifest {
    pub digest: String,
}

/// Something mounted in it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MountPoint {
    source: String,
    destination: String,
    name: String,
    #[serde(rename = "RW")]
    is_writable: bool,
    r#type: String,
}

impl State {
    /// As one word.
    pub fn word(&self) -> ContainerState {
        match (self.paused, self.running) {
            (true, _) => ContainerState::Paused,
            (_, true) => ContainerState::Running,
            _ if text::time(&self.started_at).is_none() => ContainerState::Created,
            _ => ContainerState::Exited,
        }
    }
}

impl Record {
    pub fn created(&self) -> Option<String> {
        text::time(&self.created)
    }

    pub fn labels(&self) -> BTreeMap<String, String> {
        text::labels(self.config.labels.iter().flatten())
    }

    pub fn mounts(&self) -> Vec<ContainerMount> {
        let points = self.mount_points.iter().flat_map(BTreeMap::values);
        let mut mounts: Vec<_> = points.take(text::MOST_MOUNTS).map(mount).collect();
        mounts.sort();
        mounts
    }
}

fn mount(point: &MountPoint) -> ContainerMount {
    let is_volume = !point.name.is_empty();
    let kind = match point.r#type.as_str() {
        "" if is_volume => "volume",
        "" => "bind",
        kind => kind,
    };
    ContainerMount {
        destination: text::short(&point.destination),
        kind: text::short(kind),
        source: text::short(if is_volume { &point.name } else { &point.source }),
        read_only: !point.is_writable,
    }
}
