//! Buildah: containers in which images are built, each with a `buildah.json`.

use super::about::About;
use crate::containers::store::Store;
use crate::containers::text;
use crate::model::{Confidence, ContainerState, Engine, Gap};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Builder {
    image: String,
    #[serde(rename = "ociv1")]
    config: Config,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    config: Start,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Start {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

/// What Buildah says of a container; none if it is not Buildah's.
pub fn about(store: &Store, driver: &str, id: &str, gaps: &mut Vec<Gap>) -> Option<About> {
    let path = format!("{driver}-containers/{id}/userdata/buildah.json");
    let builder: Builder = match store.json(&path) {
        Ok(found) => found?,
        Err(gap) => {
            gaps.push(gap);
            Builder::default()
        }
    };
    Some(About {
        engine: Engine::Buildah,
        state: ContainerState::Created,
        evidence: format!("{}: an image is built in it, no process is kept", store.place(&path)),
        confidence: Confidence::Medium,
        labels: text::labels(builder.config.config.labels.iter().flatten()),
        reference: Some(builder.image).filter(|image| !image.is_empty()),
        ..About::default()
    })
}
