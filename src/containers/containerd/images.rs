//! Images: names that lead to an index or a manifest. Names of one target are one image.

use super::content::Variant;
use super::database::Bucket;
use super::values;
use super::{Containerd, MOST_IMAGES};
use crate::containers::{Found, Image, Layers, oci};
use crate::model::{ContainerImage, DocumentState, Engine, Gap, GapReason};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Snapshotters of a namespace.
const MOST_SNAPSHOTTERS: usize = 64;

/// What a name leads to.
#[derive(Debug, Clone)]
pub struct Target {
    pub digest: String,
    media: String,
}

/// The images of a namespace.
#[derive(Default)]
pub struct Names {
    targets: BTreeMap<String, Target>,
    /// Of each digest, the names as they may be shown.
    images: BTreeMap<String, (Target, BTreeSet<String>)>,
    gaps: Vec<Gap>,
    /// Why there may be more.
    lost: Option<Gap>,
}

/// What was read of each namespace and target: many containers are of one image.
#[derive(Default)]
pub struct Known {
    names: Mutex<BTreeMap<String, Arc<Names>>>,
    /// By namespace and digest.
    variants: Mutex<HashMap<(String, String), Variants>>,
}

type Variants = Arc<Vec<Variant>>;

/// What tells which of an image's variants a container is of.
#[derive(Debug, Default, Clone, Copy)]
pub struct Wanted<'w> {
    /// Digest of the configuration.
    pub config: Option<&'w str>,
    /// The layer below the container's own.
    pub chain: Option<&'w str>,
}

impl Wanted<'_> {
    fn is(&self, variant: &Variant) -> bool {
        match (self.config, &variant.config) {
            (Some(wanted), Some(config)) => wanted == config,
            _ => self.stands_on(variant).unwrap_or_default(),
        }
    }

    fn is_not(&self, variant: &Variant) -> bool {
        match (self.config, &variant.config) {
            (Some(wanted), Some(config)) => wanted != config,
            _ => self.stands_on(variant) == Some(false),
        }
    }

    /// Whether a container stands on an image's layers, or on those with other owners: their name is the
    /// image's with the numbers of the owners.
    fn stands_on(&self, variant: &Variant) -> Option<bool> {
        let rest = self.chain?.strip_prefix(variant.chain.as_deref()?);
        Some(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
    }
}

impl Containerd<'_> {
    /// The names of a namespace.
    pub(super) fn names(&self, namespace: &str) -> Arc<Names> {
        let mut known = self.images.names.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.values().map(|names| names.targets.len()).sum();
        let names = known.entry(namespace.to_owned());
        names.or_insert_with(|| Arc::new(self.read_names(namespace, before))).clone()
    }

    fn read_names(&self, namespace: &str, before: usize) -> Names {
        let mut names = Names::default();
        let images = match self.records.nested(&[namespace, "images"]) {
            Ok(Some(images)) => images,
            Ok(None) => return names,
            Err(gap) => {
                names.lost = Some(gap.clone());
                names.gaps.push(gap);
                return names;
            }
        };
        let (images, is_more) = images.buckets(MOST_IMAGES.saturating_sub(before), &mut names.gaps);
        if is_more {
            let detail = format!("more than {MOST_IMAGES} names of images");
            names.gaps.push(Gap::new(self.place(namespace), GapReason::Limit, detail));
        }
        names.lost = names.gaps.first().cloned();
        for (name, image) in images {
            let target = image.record().inner("target");
            let digest = target.raw("digest");
            if oci::is_digest(digest) {
                let media = target.raw("mediatype").to_owned();
                names.add(name, Target { digest: digest.to_owned(), media });
            } else {
                let place = format!("containerd image {}", values::shown(&name));
                let gap = target.problem.clone().unwrap_or_else(|| {
                    Gap::new(&place, GapReason::Corrupt, "its name leads to no digest")
                });
                names.gaps.push(Gap { place, ..gap });
            }
        }
        names
    }

    /// What an image is in a namespace.
    pub(super) fn describe(&self, namespace: &str, target: &Target) -> (ContainerImage, Variant) {
        let variants = self.variants(namespace, target);
        let is_unpacked = |them: &&Variant| {
            let chain = them.chain.as_deref();
            chain.is_some_and(|chain| !self.unpacked(namespace, chain).is_empty())
        };
        let has_config = |it: &&Variant| it.oci.config == DocumentState::Valid;
        let chosen = variants.iter().find(is_unpacked);
        let chosen = chosen.or_else(|| variants.iter().find(has_config)).or(variants.first());
        let variant = chosen.cloned().unwrap_or_default();
        (self.image_of(namespace, target, &variant), variant)
    }

    /// What an image is of which a container was made; none if the container tells that it was another one.
    pub(super) fn made_from(
        &self,
        namespace: &str,
        target: &Target,
        wanted: Wanted,
    ) -> Option<ContainerImage> {
        let variants = self.variants(namespace, target);
        if let Some(variant) = variants.iter().find(|it| wanted.is(it)) {
            return Some(self.image_of(namespace, target, variant));
        }
        let differs = variants.iter().any(|it| wanted.is_not(it));
        (!differs).then(|| self.describe(namespace, target).0)
    }

    fn image_of(&self, namespace: &str, target: &Target, variant: &Variant) -> ContainerImage {
        let id = if is_docker(namespace) { Some(&target.digest) } else { variant.config.as_ref() };
        let names = self.names(namespace).of(&target.digest, id);
        ContainerImage {
            reference: None,
            id: id.cloned(),
            digest: Some(target.digest.clone()),
            names,
            oci: Some(variant.oci.clone()),
        }
    }

    fn variants(&self, namespace: &str, target: &Target) -> Variants {
        let mut known = self.images.variants.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (namespace.to_owned(), target.digest.clone());
        let read = || {
            let blobs = self.records.nested(&[namespace, "content", "blob"]).ok().flatten();
            Arc::new(self.content.variants(&target.digest, &target.media, blobs.as_ref()))
        };
        known.entry(key).or_insert_with(read).clone()
    }

    /// The snapshotters of a namespace that have a layer, first that whose layers containers share.
    fn unpacked(&self, namespace: &str, chain: &str) -> Vec<String> {
        let Ok(Some(snapshots)) = self.records.nested(&[namespace, "snapshots"]) else {
            return Vec::new();
        };
        // Damage of the list is told where the layers are looked for.
        let (all, _) = snapshots.buckets(MOST_SNAPSHOTTERS, &mut Vec::new());
        let has = |bucket: &Bucket| bucket.bucket(chain).map_or(true, |found| found.is_some());
        let having = all.into_iter().filter(|(_, bucket)| has(bucket)).map(|(name, _)| name);
        let mut having: Vec<_> = having.collect();
        having.sort_by_key(|name| name != "overlayfs");
        having
    }

    /// Adds the images of a namespace.
    pub(super) fn add_images(&self, namespace: &str, found: &mut Found) {
        let names = self.names(namespace);
        found.gaps.extend(names.gaps.iter().cloned());
        for (target, _) in names.images.values() {
            let (mut image, variant) = self.describe(namespace, target);
            image.reference = image.names.iter().find(|name| !name.contains('@')).cloned();
            image.reference = image.reference.or_else(|| image.names.first().cloned());
            let called = image.reference.as_ref().or(image.id.as_ref());
            let called = called.unwrap_or(&target.digest).clone();
            let layers = self.image_layers(namespace, &variant).map_err(|gap| {
                let place = format!("containerd image {called}: {}", gap.place);
                Gap { place, ..gap }
            });
            found.images.push(Image {
                engine: engine(namespace),
                store: self.store.name(),
                namespace: Some(values::shown(namespace)),
                image,
                layers,
            });
        }
    }

    fn image_layers(&self, namespace: &str, variant: &Variant) -> Result<Layers, Gap> {
        let missing = |detail| Gap::new(self.store.name(), GapReason::Missing, detail);
        let Some(chain) = &variant.chain else {
            let detail = variant.oci.detail.as_deref();
            let detail = detail.unwrap_or("its manifest and configuration are not in the store");
            return Err(Gap::new(self.store.name(), GapReason::Missing, detail));
        };
        let mut problem = None;
        for snapshotter in self.unpacked(namespace, chain) {
            match self.snapshot(namespace, &snapshotter, chain) {
                Ok(Some(layers)) => return Ok(layers),
                Ok(None) => {}
                Err(gap) => drop(problem.get_or_insert(gap)),
            }
        }
        Err(problem.unwrap_or_else(|| missing("its layers were not unpacked")))
    }
}

impl Names {
    fn add(&mut self, name: String, target: Target) {
        let image = self.images.entry(target.digest.clone());
        let (_, names) = image.or_insert_with(|| (target.clone(), BTreeSet::new()));
        names.insert(values::shown(&name));
        self.targets.insert(name, target);
    }

    /// What a name or a digest leads to.
    pub fn target(&self, name: &str) -> Option<&Target> {
        let by_digest = || self.images.get(name).map(|(target, _)| target);
        self.targets.get(name).or_else(by_digest)
    }

    /// What cannot be read, and may have been a name.
    pub fn lost(&self) -> Option<&Gap> {
        self.lost.as_ref()
    }

    /// The names of a target; the id of an image, by which Kubernetes' plugin names it too, is none.
    fn of(&self, digest: &str, id: Option<&String>) -> Vec<String> {
        let names = self.images.get(digest).map(|(_, names)| names);
        names.into_iter().flatten().filter(|name| Some(*name) != id).cloned().collect()
    }
}

impl Target {
    /// A target that no name leads to.
    pub fn of_digest(digest: &str) -> Option<Self> {
        let media = String::new();
        oci::is_digest(digest).then(|| Self { digest: digest.to_owned(), media })
    }
}

/// Whether a namespace is Docker's.
pub fn is_docker(namespace: &str) -> bool {
    matches!(namespace, "moby" | "plugins.moby")
}

pub fn engine(namespace: &str) -> Engine {
    if is_docker(namespace) { Engine::Docker } else { Engine::Containerd }
}
