//! containers-storage, in which Podman, CRI-O and Buildah keep containers and images
//! (<https://github.com/containers/storage>).
//!
//! A graph root holds folders of one storage driver or more (`overlay`, `overlay-layers`, `overlay-images`,
//! `overlay-containers`), and Podman's own state. Not read: layers of composefs, zfs, devicemapper and aufs,
//! and of additional layer stores.

mod about;
mod buildah;
mod crio;
mod graph;
mod images;
mod libpod;
mod lost;
mod records;
mod spec;

#[cfg(test)]
mod tests;

use super::store::{Store, is_plain};
use super::text::{self, short};
use super::{Container, Found, Layers};
use crate::filesystem::Marks;
use crate::model::{ContainerContext, ContainerImage, Engine, Gap, GapReason};
use about::About;
use crio::{Metadata, Pods};
use graph::Graph;
use images::Images;
use libpod::{Known, Libpod};
use std::collections::{BTreeSet, HashSet};

/// Containers of a store.
const MOST_CONTAINERS: usize = 10_000;
/// Storage drivers in one store.
const MOST_DRIVERS: usize = 16;

/// What is in a graph root. Layers and images that it does not have may be in one of the `additional` stores,
/// whose own images are not added.
pub fn find(store: &Store, additional: &[Store], found: &mut Found) {
    let gaps = &mut found.gaps;
    if is_fuse(store, gaps) {
        found.marks.insert(store.name(), Marks::User);
    }
    let libpod = libpod::read(store, gaps);
    let drivers = drivers(store, gaps).into_iter();
    let graphs: Vec<_> = drivers.map(|it| Graph::read(&it, store, additional, gaps)).collect();
    let drivers: Vec<_> = graphs.iter().map(|it| (it, Images::read(it, gaps))).collect();
    let mut reading =
        Reading { store, libpod: &libpod, known: HashSet::new(), pods: Pods::new(), found };
    for (graph, images) in &drivers {
        reading.containers(graph, images);
        let engine = reading.engine();
        images.add_to(engine, graph, reading.found);
    }
    reading.unstored(&drivers);
}

/// Whether fuse-overlayfs mounts the layers, which the driver notes once. It has removed files as `.wh.` files,
/// also where root runs it.
fn is_fuse(store: &Store, gaps: &mut Vec<Gap>) -> bool {
    let noted = store.text("overlay/.has-mount-program").unwrap_or_else(|gap| {
        gaps.push(gap);
        None
    });
    noted.as_deref() == Some("true")
}

/// The storage drivers that have a folder of records, in order.
fn drivers(store: &Store, gaps: &mut Vec<Gap>) -> Vec<String> {
    let of = |name: &String| {
        let mut kinds = ["-layers", "-images", "-containers"].into_iter();
        kinds.find_map(|kind| name.strip_suffix(kind)).map(str::to_owned)
    };
    let names = store.names("", gaps);
    let drivers: BTreeSet<_> = names.iter().filter_map(of).filter(|it| is_plain(it)).collect();
    if drivers.len() > MOST_DRIVERS {
        let detail = format!("more than the {MOST_DRIVERS} storage drivers that are looked at");
        gaps.push(Gap::new(store.name(), GapReason::Limit, detail));
    }
    drivers.into_iter().take(MOST_DRIVERS).collect()
}

/// What is being read of a store.
struct Reading<'r, 'a> {
    store: &'r Store<'a>,
    libpod: &'r Libpod,
    /// Ids of the containers that were met.
    known: HashSet<String>,
    pods: Pods,
    found: &'r mut Found,
}

impl Reading<'_, '_> {
    /// Adds the containers of a driver.
    fn containers(&mut self, graph: &Graph, images: &Images) {
        let before = self.found.gaps.len();
        let mut records = Vec::new();
        for file in ["containers.json", "volatile-containers.json"] {
            let path = format!("{}-containers/{file}", graph.driver);
            let most = self.left() - records.len();
            records.extend(records::read(self.store, &path, most, &mut self.found.gaps));
        }
        let is_damaged = self.found.gaps.len() > before;
        self.records(records, graph, images);
        if is_damaged {
            let (most, gaps) = (self.left(), &mut self.found.gaps);
            let lost = lost::records(self.store, &graph.driver, &self.known, most, gaps);
            self.records(lost, graph, images);
        }
    }

    /// How many more containers are taken.
    fn left(&self) -> usize {
        MOST_CONTAINERS.saturating_sub(self.known.len())
    }

    fn records(&mut self, records: Vec<records::Container>, graph: &Graph, images: &Images) {
        for record in records {
            // Of two records of one id the engine takes the first.
            if self.known.insert(record.id.clone()) {
                self.container(&record, graph, images);
            }
        }
    }

    fn container(&mut self, record: &records::Container, graph: &Graph, images: &Images) {
        let mut gaps = Vec::new();
        let metadata = Metadata::of(record).unwrap_or_else(|error| {
            let place = self.store.place(&format!("{}-containers", graph.driver));
            let detail = format!("its metadata is not the JSON that it should be: {error}");
            gaps.push(Gap::new(place, GapReason::Corrupt, detail));
            Metadata::default()
        });
        let mut about = self.about(record, &metadata, &graph.driver, &mut gaps);
        let named = || record.names.iter().flatten().next().map(|name| short(name));
        about.name = about.name.or_else(named);
        about.reference = about.reference.or(Some(metadata.image));
        about.created = about.created.or_else(|| text::time(record.created.as_deref()?));
        let image = match record.image.as_str() {
            "" => self.libpod.image(&record.id),
            image => image,
        };
        let image = images.describe(image, about.reference.take());
        let layers = if let Some(gap) = self.libpod.outside(&record.id) {
            Err(gap)
        } else if is_plain(&record.id) {
            graph.of_container(&record.layer, &mut gaps)
        } else {
            let detail = format!("\"{}\" is no id of a container", short(&record.id));
            Err(Gap::new(self.store.name(), GapReason::Corrupt, detail))
        };
        self.add(&record.id, about, image, layers, gaps);
    }

    /// What the container's engine says of it.
    fn about(
        &mut self,
        record: &records::Container,
        metadata: &Metadata,
        driver: &str,
        gaps: &mut Vec<Gap>,
    ) -> About {
        if let Some(about) = self.libpod.about(&record.id) {
            return about;
        }
        let engine = if metadata.is_crio() { Engine::CriO } else { Engine::Podman };
        let evidence = "no record tells".to_owned();
        let unknown = || About { engine, evidence, ..About::default() };
        if !is_plain(&record.id) {
            unknown()
        } else if engine == Engine::CriO {
            crio::about(self.store, driver, record, metadata, &mut self.pods, gaps)
        } else {
            buildah::about(self.store, driver, &record.id, gaps).unwrap_or_else(unknown)
        }
    }

    /// Adds a container; what is wrong with it is told with its name.
    fn add(
        &mut self,
        id: &str,
        about: About,
        image: ContainerImage,
        layers: Result<Layers, Gap>,
        gaps: Vec<Gap>,
    ) {
        let id = short(id);
        let name = about.name.as_deref().map_or_else(|| id.clone(), short);
        let short: String = id.chars().take(12).collect();
        let whose = format!("{} container {name} ({short})", about.engine.as_str());
        let of_it = |gap: Gap| Gap { place: format!("{whose}: {}", gap.place), ..gap };
        self.found.gaps.extend(gaps.into_iter().map(of_it));
        let layers = layers.map_err(of_it);
        let context = ContainerContext {
            engine: about.engine,
            store: self.store.name(),
            image,
            created: about.created,
            state: about.state,
            state_evidence: about.evidence,
            state_confidence: about.confidence,
            kubernetes: about.kubernetes,
            labels: about.labels,
            mounts: about.mounts,
            ..ContainerContext::default()
        };
        self.found.containers.push(Container { id, name, context, layers });
    }

    /// Whose the images are, which no record tells: Podman's, unless all that is known of the store is CRI-O's.
    fn engine(&self) -> Engine {
        let store = self.store.name();
        let is_crio =
            |it: &Container| it.context.engine == Engine::CriO && it.context.store == store;
        let of_crio = !self.libpod.is_there && self.found.containers.iter().any(is_crio);
        if of_crio { Engine::CriO } else { Engine::Podman }
    }

    /// Adds the containers of Podman that the storage has no record of: those that run in a folder of the host,
    /// and those whose record is lost, whose layers may be told by their names.
    fn unstored(&mut self, drivers: &[(&Graph, Images)]) {
        let libpod = self.libpod;
        let most = self.left();
        let lost: Vec<_> =
            libpod.containers.iter().filter(|(id, _)| !self.known.contains(*id)).collect();
        for (id, known) in lost.into_iter().filter(|(_, it)| !it.is_old).take(most) {
            let Some(mut about) = libpod.about(id) else { continue };
            let mut gaps = Vec::new();
            let layers = unstored_layers(id, &about, known, drivers, &mut gaps);
            let image = known.config.as_ref().map_or("", |config| &config.image);
            let reference = about.reference.take();
            let described = drivers.iter().map(|(_, it)| it.describe(image, reference.clone()));
            let described =
                described.reduce(|one, other| if one.oci.is_some() { one } else { other });
            self.add(id, about, described.unwrap_or_default(), layers, gaps);
        }
    }
}

fn unstored_layers(
    id: &str,
    about: &About,
    known: &Known,
    drivers: &[(&Graph, Images)],
    gaps: &mut Vec<Gap>,
) -> Result<Layers, Gap> {
    if let Some(gap) = known.outside() {
        return Err(gap);
    }
    let layer = about.name.as_ref().filter(|_| is_plain(id)).map(|name| format!("{name}-layer"));
    let named = |layer: String| drivers.iter().find_map(|(it, _)| Some((it, it.named(&layer)?)));
    let Some((graph, layer)) = layer.and_then(named) else {
        let detail = "the storage has no record of it";
        return Err(Gap::new(known.place.clone(), GapReason::Missing, detail));
    };
    graph.of_container(layer, gaps)
}
