//! Docker's own store: `containers`, and images and layers of its storage drivers.

mod images;
mod layers;
mod record;

use super::containerd::Containerd;
use super::store::{Store, is_plain};
use super::{Container, Found, Layers};
use crate::model::{
    Confidence, ContainerContext, ContainerImage, ContainerState, Engine, Gap, GapReason,
    printable_str,
};
use images::Images;
use record::Record;
use std::collections::HashMap;

/// Most containers of a store.
const MOST: usize = 10_000;
/// containerd's namespaces in which Docker keeps snapshots and images.
pub const NAMESPACE: &str = "moby";

/// Where Docker maps users, each mapping has a data-root of its own in the data-root: `100000.100000`.
pub fn mapped(store: &Store, gaps: &mut Vec<Gap>) -> Vec<String> {
    let is_one = |name: &String| {
        name.split_once('.').is_some_and(|(user, group)| {
            [user, group]
                .iter()
                .all(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
        })
    };
    let names = store.names("", gaps).into_iter().filter(is_one);
    names.map(|name| format!("{}/{name}", store.name())).collect()
}

/// What is in Docker's data-root. The files of containers of an image store of containerd are in one of `containerds`.
pub fn find(store: &Store, containerds: &[Containerd], found: &mut Found) {
    let images = Images::read(store, &mut found.gaps);
    let mut ids = store.names("containers", &mut found.gaps);
    if ids.len() > MOST {
        let detail = format!("{} containers; only the first {MOST} were read", ids.len());
        found.gaps.push(Gap::new(store.place("containers"), GapReason::Limit, detail));
        ids.truncate(MOST);
    }
    let mut of_containerd = OfContainerd::default();
    for id in ids {
        let known = &mut of_containerd;
        let container = container(store, &id, &images, (containerds, known), &mut found.gaps);
        found.containers.push(container);
    }
    images.add_to(store, found);
}

fn container(
    store: &Store,
    id: &str,
    images: &Images,
    (containerds, of_containerd): (&[Containerd], &mut OfContainerd),
    gaps: &mut Vec<Gap>,
) -> Container {
    let path = format!("containers/{id}/config.v2.json");
    let record = if is_plain(id) {
        store.json::<Record>(&path).and_then(|record| {
            record.ok_or_else(|| {
                Gap::new(store.place(&path), GapReason::Missing, "no record of the container")
            })
        })
    } else {
        let detail = "a container whose id is none";
        Err(Gap::new(store.place("containers"), GapReason::Corrupt, detail))
    };
    let is_known = record.as_ref().is_ok_and(|record| !record.created.is_empty());
    if record.is_ok() && !is_known {
        let detail = "a record of a container that does not say when it was created: not Docker's";
        gaps.push(Gap::new(store.place(&path), GapReason::Corrupt, detail));
    }
    let record = record.unwrap_or_else(|gap| {
        gaps.push(gap);
        Record::default()
    });
    let name = record.name.trim_start_matches('/');
    let short: String = id.chars().take(12).collect();
    let name = printable_str(if name.is_empty() { &short } else { name });
    let place = format!("docker container {name} ({})", printable_str(&short));
    let is_elsewhere = !record.image.is_empty() && !images.holds(&record.image);
    let stored = is_elsewhere.then(|| of_containerd.image(&record.image, containerds, gaps));
    let context = context(store, &record, is_known, images, stored.flatten());
    let layers = files(store, id, &record, containerds)
        .map_err(|gap| Gap::new(place, gap.reason, format!("{}: {}", gap.place, gap.detail)));
    Container { id: printable_str(id), name, context, layers }
}

/// The images of containers, where a store of containerd has them.
#[derive(Default)]
struct OfContainerd(HashMap<String, Option<ContainerImage>>);

impl OfContainerd {
    fn image(
        &mut self,
        id: &str,
        containerds: &[Containerd],
        gaps: &mut Vec<Gap>,
    ) -> Option<ContainerImage> {
        let find = || {
            containerds.iter().find_map(|containerd| {
                containerd.image(NAMESPACE, id).unwrap_or_else(|gap| {
                    gaps.push(gap);
                    None
                })
            })
        };
        self.0.entry(id.to_owned()).or_insert_with(find).clone()
    }
}

fn context(
    store: &Store,
    record: &Record,
    is_known: bool,
    images: &Images,
    stored: Option<ContainerImage>,
) -> ContainerContext {
    let (state, evidence) = if is_known {
        (record.state.word(), "State in config.v2.json, which Docker writes at each change")
    } else {
        (ContainerState::Unknown, "the container's record cannot be read")
    };
    let reference = Some(&record.config.image).filter(|name| !name.is_empty());
    let id = Some(&record.image).filter(|id| !id.is_empty());
    let known = stored.or_else(|| Some(images.image(id?, reference))).unwrap_or_default();
    let manifest = record.image_manifest.as_ref().map(|it| printable_str(&it.digest));
    ContainerContext {
        engine: Engine::Docker,
        store: store.name(),
        image: ContainerImage {
            reference: reference.map(|name| printable_str(name)),
            id: id.map(|id| printable_str(id)),
            digest: manifest.or(known.digest),
            ..known
        },
        created: record.created(),
        state,
        state_evidence: evidence.to_owned(),
        state_confidence: if is_known { Confidence::High } else { Confidence::Low },
        labels: record.labels(),
        mounts: record.mounts(),
        ..ContainerContext::default()
    }
}

/// What a container's filesystem is made of: of a storage driver of Docker's own, or of a snapshotter of containerd.
fn files(
    store: &Store,
    id: &str,
    record: &Record,
    containerds: &[Containerd],
) -> Result<Layers, Gap> {
    if !is_plain(id) {
        return Err(Gap::new(store.place("containers"), GapReason::Corrupt, "no id"));
    }
    if let Some(layers) = layers::of_container(store, id, &record.driver)? {
        return Ok(layers);
    }
    for containerd in containerds {
        if let Some(layers) = containerd.snapshot(NAMESPACE, &record.driver, id)? {
            // Docker prepares a layer of its own below that of the container.
            let init = containerd.snapshot(NAMESPACE, &record.driver, &format!("{id}-init"));
            let image = init.ok().flatten().and_then(|init| init.folders.len().checked_sub(1));
            let own = image.and_then(|image| layers.folders.len().checked_sub(image));
            return Ok(Layers {
                own: own.filter(|_| layers.own > 0).unwrap_or(layers.own),
                ..layers
            });
        }
    }
    let driver = printable_str(&record.driver);
    let detail = format!("no layers of it were found for the storage driver {driver:?}");
    Err(Gap::new(store.name(), GapReason::Missing, detail))
}
