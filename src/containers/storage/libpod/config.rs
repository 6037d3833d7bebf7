//! What Podman was told when a container was made.

use crate::model::ContainerMount;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

/// What a container was made with
/// (<https://github.com/containers/podman/blob/main/libpod/container_config.go>).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// Folder on the host that it runs in, instead of layers.
    pub rootfs: String,
    /// Id of its image.
    #[serde(rename = "rootfsImageID")]
    pub image: String,
    /// Name of its image.
    #[serde(rename = "rootfsImageName")]
    pub reference: String,
    /// Id of its pod.
    pub pod: String,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// When it was made.
    #[serde(rename = "createdTime")]
    pub created: String,
    /// Where something is mounted that its user asked for.
    #[serde(rename = "userVolumes")]
    user_volumes: Option<Vec<String>>,
    #[serde(rename = "namedVolumes")]
    named_volumes: Option<Vec<Volume>>,
    #[serde(rename = "overlayVolumes")]
    overlay_volumes: Option<Vec<Volume>>,
    #[serde(rename = "ctrImageVolumes")]
    image_volumes: Option<Vec<Volume>>,
    spec: Option<Spec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Volume {
    #[serde(rename = "volumeName")]
    name: String,
    source: String,
    dest: String,
    options: Option<Vec<String>>,
    #[serde(rename = "rw")]
    is_writable: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    mounts: Option<Vec<Mount>>,
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

impl Config {
    /// What its user wanted to be mounted; what Podman itself adds is left out, as in `podman inspect`.
    pub fn mounts(&self) -> Vec<ContainerMount> {
        let wanted: HashSet<_> = self.user_volumes.iter().flatten().collect();
        let volume = |kind: &str, volume: &Volume, read_only| ContainerMount {
            destination: volume.dest.clone(),
            kind: kind.to_owned(),
            source: if kind == "volume" { &volume.name } else { &volume.source }.clone(),
            read_only,
        };
        let named = self.named_volumes.iter().flatten();
        let named = named.map(|it| volume("volume", it, is_read_only(it.options.as_ref())));
        let overlays = self.overlay_volumes.iter().flatten();
        let overlays = overlays.map(|it| volume("overlay", it, is_read_only(it.options.as_ref())));
        let images = self.image_volumes.iter().flatten();
        let images = images.map(|it| volume("image", it, !it.is_writable));
        let binds = self.spec.iter().flat_map(|spec| spec.mounts.iter().flatten());
        let binds = binds.map(|mount| ContainerMount {
            destination: mount.destination.clone(),
            kind: if mount.kind == "tmpfs" { "tmpfs" } else { "bind" }.to_owned(),
            source: if mount.kind == "tmpfs" { String::new() } else { mount.source.clone() },
            read_only: is_read_only(mount.options.as_ref()),
        });
        let all = named.chain(overlays).chain(images).chain(binds);
        all.filter(|mount| wanted.contains(&mount.destination)).collect()
    }
}

fn is_read_only(options: Option<&Vec<String>>) -> bool {
    options.is_some_and(|options| options.iter().any(|option| option == "ro"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of what Podman 5.4 kept of `-v data1:/data -v /srv/bind:/bind:ro --tmpfs /tmpf -v /srv/bind:/o:O
    /// --mount type=image,source=6b78104fc439,destination=/img`. `podman inspect` lists the first two and the
    /// image; it leaves out the others.
    #[test]
    fn mounts_are_those_that_were_asked_for() {
        let config: Config = serde_json::from_str(
            r#"{"userVolumes": ["/bind", "/tmpf", "/data", "/img", "/o", "/gone"],
                "namedVolumes": [{"volumeName": "data1", "dest": "/data",
                    "options": ["rw", "rprivate", "nosuid", "nodev", "rbind"]}],
                "overlayVolumes": [{"dest": "/o", "source": "/srv/bind", "options": ["O"]}],
                "ctrImageVolumes": [{"source": "6b78104fc439", "dest": "/img", "rw": false}],
                "spec": {"mounts": [
                    {"destination": "/bind", "type": "bind", "source": "/srv/bind",
                     "options": ["ro", "rprivate", "rbind"]},
                    {"destination": "/tmpf", "type": "tmpfs", "source": "tmpfs", "options": ["rw"]},
                    {"destination": "/proc", "type": "proc", "source": "proc"}]}}"#,
        )
        .unwrap();
        let mut mounts = config.mounts();
        mounts.sort();
        let line = |it: &ContainerMount| {
            format!("{} {} {} {}", it.destination, it.kind, it.source, it.read_only)
        };
        let expected = [
            "/bind bind /srv/bind true",
            "/data volume data1 false",
            "/img image 6b78104fc439 true",
            "/o overlay /srv/bind false",
            "/tmpf tmpfs  false",
        ];
        assert_eq!(mounts.iter().map(line).collect::<Vec<_>>(), expected);
    }
}
