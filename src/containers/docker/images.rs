//! Docker's images: `image/DRIVER/imagedb` and `repositories.json`.

use super::layers;
use crate::containers::oci::{self, Config};
use crate::containers::store::Store;
use crate::containers::{Found, Image};
use crate::model::{Conformance, ContainerImage, Engine, Gap, GapReason, printable_str};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most images of a store.
const MOST: usize = 10_000;

/// The images of a store.
#[derive(Default)]
pub struct Images {
    known: BTreeMap<String, Known>,
    /// Names of each id.
    names: BTreeMap<String, Vec<String>>,
    /// Ids of images that others were built upon.
    parents: BTreeSet<String>,
}

struct Known {
    driver: &'static str,
    config: Result<Config, String>,
}

#[derive(Default, Deserialize)]
struct Repositories {
    /// Ids by name, by the part of the name before the tag.
    #[serde(rename = "Repositories", default)]
    all: BTreeMap<String, BTreeMap<String, String>>,
}

impl Images {
    /// Reads them.
    pub fn read(store: &Store, gaps: &mut Vec<Gap>) -> Self {
        let mut images = Self::default();
        for driver in layers::drivers() {
            images.read_names(store, driver, gaps);
            images.read_configs(store, driver, gaps);
            images.read_parents(store, driver, gaps);
        }
        images
    }

    fn read_names(&mut self, store: &Store, driver: &str, gaps: &mut Vec<Gap>) {
        let read = store.json::<Repositories>(&format!("image/{driver}/repositories.json"));
        let repositories = read.unwrap_or_else(|gap| {
            gaps.push(gap);
            None
        });
        for (name, id) in repositories.unwrap_or_default().all.into_values().flatten() {
            let names = self.names.entry(id).or_default();
            if names.len() < MOST {
                names.push(printable_str(&name));
            }
        }
        self.names.values_mut().for_each(|names| {
            names.sort();
            names.dedup();
        });
    }

    fn read_configs(&mut self, store: &Store, driver: &'static str, gaps: &mut Vec<Gap>) {
        let folder = format!("image/{driver}/imagedb/content/sha256");
        for name in store.names(&folder, gaps) {
            let id = format!("sha256:{name}");
            let path = format!("{folder}/{name}");
            if !oci::is_digest(&id) || self.known.len() >= MOST {
                let detail = "not read: no digest, or too many images";
                gaps.push(Gap::new(store.place(&path), GapReason::Limit, detail));
                continue;
            }
            match store.read(&path) {
                Ok(Some(bytes)) => {
                    let config = oci::config(&bytes, &id);
                    self.known.insert(id, Known { driver, config });
                }
                Ok(None) => {}
                Err(gap) => gaps.push(gap),
            }
        }
    }

    /// Notes which images are but steps of a build, as `docker images` leaves them out: without a name, and the
    /// parent of another.
    fn read_parents(&mut self, store: &Store, driver: &str, gaps: &mut Vec<Gap>) {
        let folder = format!("image/{driver}/imagedb/metadata/sha256");
        for name in store.names(&folder, gaps).into_iter().take(MOST) {
            match store.text(&format!("{folder}/{name}/parent")) {
                Ok(parent) => self.parents.extend(parent),
                Err(gap) => gaps.push(gap),
            }
        }
    }

    /// Whether there is an image of this id.
    pub fn holds(&self, id: &str) -> bool {
        self.known.contains_key(id)
    }

    /// What is known of the image of an id that a container was made from by this name.
    pub fn image(&self, id: &str, reference: Option<&String>) -> ContainerImage {
        let known = self.known.get(id);
        let names = self.names.get(id).cloned().unwrap_or_default();
        let mut oci = Conformance::default();
        oci.note_config(known.map(|it| &it.config));
        ContainerImage {
            reference: reference.map(|name| printable_str(name)),
            id: Some(printable_str(id)),
            digest: digest(&names, reference),
            names,
            oci: known.is_some().then_some(oci),
        }
    }

    /// Adds all of them.
    pub fn add_to(&self, store: &Store, found: &mut Found) {
        let is_step = |id: &String| self.parents.contains(id) && !self.names.contains_key(id);
        for (id, known) in self.known.iter().filter(|(id, _)| !is_step(id)) {
            let image = self.image(id, None);
            let name = image.names.first().unwrap_or(id);
            let place = format!("docker image {}", printable_str(name));
            let layers = match &known.config {
                Ok(config) => layers::of_image(store, known.driver, &config.rootfs.diff_ids),
                Err(error) => Err(Gap::new(store.name(), GapReason::Corrupt, error)),
            };
            let layers = layers.map_err(|gap| {
                Gap::new(place, gap.reason, format!("{}: {}", gap.place, gap.detail))
            });
            found.images.push(Image {
                engine: Engine::Docker,
                store: store.name(),
                namespace: None,
                image,
                layers,
            });
        }
    }
}

/// The digest by which a registry knows an image: that of the same repository, else the only one.
fn digest(names: &[String], reference: Option<&String>) -> Option<String> {
    let digests: Vec<_> = names.iter().filter_map(|name| name.split_once('@')).collect();
    let repository = reference.map(|name| {
        let name = name.split_once('@').map_or(name.as_str(), |(name, _)| name);
        match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name.to_owned(),
            _ => name.to_owned(),
        }
    });
    let same = digests.iter().find(|(name, _)| repository.as_deref() == Some(name));
    let mut distinct: Vec<_> = digests.iter().map(|(_, digest)| digest).collect();
    distinct.sort();
    distinct.dedup();
    let only = || (distinct.len() == 1).then(|| (*distinct[0]).to_owned());
    same.map(|(_, digest)| (*digest).to_owned()).or_else(only)
}
