//! The runtime's configuration of a container, `userdata/config.json`
//! (<https://github.com/opencontainers/runtime-spec/blob/main/config.md>): its annotations are CRI-O's record of
//! the container.

use crate::containers::store::{Store, is_plain};
use crate::model::{Gap, GapReason};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Spec {
    annotations: Option<BTreeMap<String, String>>,
    root: Option<Root>,
    #[serde(skip)]
    place: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Root {
    path: String,
}

impl Spec {
    /// The configuration of a container; none if it has none.
    pub fn read(store: &Store, driver: &str, id: &str) -> Result<Option<Self>, Gap> {
        let path = format!("{driver}-containers/{id}/userdata/config.json");
        let spec: Option<Self> = store.json(&path)?;
        Ok(spec.map(|spec| Self { place: store.place(&path), ..spec }))
    }

    /// One of CRI-O's annotations; none if it is empty.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        let value = self.annotations.as_ref()?.get(&format!("io.kubernetes.cri-o.{name}"))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// One of CRI-O's annotations that is JSON itself; its default if it is empty or, which is a gap, something else.
    pub fn json<T: DeserializeOwned + Default>(&self, name: &str, gaps: &mut Vec<Gap>) -> T {
        let Some(json) = self.annotation(name) else { return T::default() };
        serde_json::from_str(json).unwrap_or_else(|error| {
            let detail = format!("annotation {name} is not the JSON that it should be: {error}");
            gaps.push(Gap::new(self.place.clone(), GapReason::Corrupt, detail));
            T::default()
        })
    }

    /// The layer whose files the container runs in: that of `DRIVER/ID/merged` or `vfs/dir/ID`.
    pub fn layer(&self) -> Option<&str> {
        let path = &self.root.as_ref()?.path;
        let folder = path.strip_suffix("/merged").unwrap_or(path);
        folder.rsplit('/').next().filter(|id| is_plain(id))
    }
}
