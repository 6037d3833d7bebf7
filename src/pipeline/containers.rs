//! The containers of a host: each an asset of its own. What many share is catalogued once.
//!
//! Images are chains of layers. A point is a chain that something stands on: the image of a container, or what several
//! images have in common from the bottom. Points are catalogued in the order in which one grows out of another, so that
//! each takes what the one below it proves, and each container adds its own layers.

use crate::containers::{Container, Found, Image, Layers};
use crate::filesystem::Marks;
use crate::host::{self, Host, Indexes, Located, Tree};
use crate::inventory::{Catalogued, Containers, Extent, Options, drift};
use crate::model::{Asset, AssetKind, ContainerContext, Engine, Gap, Os, Package, StoredImage};
use std::collections::BTreeMap;

/// A chain of layers, the lowest first, and the marks that count in it.
type Chain = (Marks, Vec<Located>);

/// What is to be catalogued.
enum Job {
    Container(Box<Container>, Layers),
    Image(Box<Image>),
}

/// A chain, catalogued.
struct Level {
    chain: Chain,
    host: Host,
    catalogued: Catalogued,
    packages: Vec<Package>,
    gaps: Vec<Gap>,
}

/// Lists the packages of containers and, where that is wished, of images that none was made from.
pub fn scan(
    tree: &Tree,
    found: Found,
    options: &Options,
    gaps: &mut Vec<Gap>,
) -> (Vec<Asset>, Vec<StoredImage>) {
    let options = Options { excluded: Vec::new(), stores: Vec::new(), ..options.clone() };
    let images = stored(&found, options.containers == Containers::WithImages);
    let mut scanner = Scanner { tree, options: &options, gaps, assets: Vec::new() };
    let jobs = scanner.jobs(found, &images);
    scanner.run(jobs);
    let mut assets = scanner.assets;
    assets.sort_by(|a, b| (key(a), &a.id).cmp(&(key(b), &b.id)));
    (assets, images)
}

/// Assets are in the order of their kinds and engines, then of their names.
fn key(asset: &Asset) -> impl Ord + '_ {
    let context = asset.container.as_deref();
    let of = context.map(|it| (it.engine, it.store.as_str(), it.namespace.as_deref()));
    (asset.kind == AssetKind::Image, of, asset.name.as_str())
}

/// The images of the stores, and how many containers are of each.
fn stored(found: &Found, are_wished: bool) -> Vec<StoredImage> {
    let of = |image: &Image| {
        let is_of = |it: &&Container| {
            let context = &it.context;
            let is_same = (context.engine.store(), &context.store, &context.namespace)
                == (image.engine.store(), &image.store, &image.namespace);
            // Docker keeps its containers in its own store, and their images in that of containerd.
            let is_split = image.engine == Engine::Docker && context.engine == Engine::Docker;
            (is_same || is_split) && context.image.id == image.image.id
        };
        let containers = found.containers.iter().filter(is_of).count();
        StoredImage {
            engine: image.engine,
            store: image.store.clone(),
            namespace: image.namespace.clone(),
            image: image.image.clone(),
            containers,
            scanned: are_wished && containers == 0,
        }
    };
    found.images.iter().map(of).collect()
}

struct Scanner<'a> {
    tree: &'a Tree,
    options: &'a Options,
    gaps: &'a mut Vec<Gap>,
    assets: Vec<Asset>,
}

impl Scanner<'_> {
    /// What stands on which chain. What has no files is told, and is an asset without packages.
    fn jobs(&mut self, found: Found, images: &[StoredImage]) -> BTreeMap<Chain, Vec<Job>> {
        let mut jobs: BTreeMap<Chain, Vec<Job>> = BTreeMap::new();
        let marks = |store: &str| found.marks.get(store).copied().unwrap_or_default();
        for container in found.containers {
            let marks = marks(&container.context.store);
            match &container.layers {
                Ok(layers) => {
                    let mut layers = layers.clone();
                    if layers.own >= layers.folders.len() {
                        // Its image has no layers: all is its own, and there is nothing to differ from.
                        layers.own = 0;
                    }
                    let chain = chain(&layers, marks);
                    let job = Job::Container(Box::new(container), layers);
                    jobs.entry(chain).or_default().push(job);
                }
                Err(gap) => {
                    self.gaps.push(gap.clone());
                    self.add(container, Vec::new());
                }
            }
        }
        for (image, stored) in found.images.into_iter().zip(images) {
            match &image.layers {
                _ if !stored.scanned => {}
                Ok(layers) if layers.folders.is_empty() => self.empty_image(image),
                Ok(layers) => {
                    let chain = chain(layers, marks(&image.store));
                    jobs.entry(chain).or_default().push(Job::Image(Box::new(image)));
                }
                Err(gap) => self.gaps.push(gap.clone()),
            }
        }
        jobs
    }

    fn run(&mut self, jobs: BTreeMap<Chain, Vec<Job>>) {
        let mut points: BTreeMap<Chain, Vec<Job>> = BTreeMap::new();
        for common in branches(&jobs) {
            points.entry(common).or_default();
        }
        for (chain, jobs) in jobs {
            points.entry(chain).or_default().extend(jobs);
        }
        let mut levels: Vec<Level> = Vec::new();
        for (chain, jobs) in points {
            while levels.last().is_some_and(|level| !stands_on(&chain, &level.chain)) {
                levels.pop();
            }
            match self.level(chain, levels.last()) {
                Ok(level) => {
                    self.finish(jobs, &level);
                    levels.push(level);
                }
                Err(gap) => self.fail(jobs, &gap),
            }
        }
    }

    fn level(&self, chain: Chain, below: Option<&Level>) -> Result<Level, Gap> {
        let mut gaps = Vec::new();
        let folders: Vec<Located> = chain.1.iter().rev().copied().collect();
        let host = self.host(&folders, chain.0, &mut gaps)?;
        let catalogued = match below {
            Some(below) => {
                let upper = chain.1.len() - below.chain.1.len();
                below.catalogued.over(&host, upper, self.options)
            }
            None => Catalogued::whole(&host, self.options),
        };
        let (packages, more) = catalogued.packages();
        gaps.extend(more);
        Ok(Level { chain, host, catalogued, packages, gaps })
    }

    /// A merged filesystem, and what it says of its system.
    fn host(&self, folders: &[Located], marks: Marks, gaps: &mut Vec<Gap>) -> Result<Host, Gap> {
        let tree = self.tree.merged(folders, marks).map_err(|source| {
            let error = Tree::error(b"/", source);
            Gap::new("/", error.reason(), error)
        })?;
        let mut context = host::identify_container(&tree, gaps);
        if self.options.extent == Extent::All || self.options.all_indexes {
            let indexes = if self.options.all_indexes { Indexes::All } else { Indexes::Some };
            host::Archives::find(&tree).add_to(&mut context, indexes, gaps);
        }
        Ok(Host { tree, context })
    }

    fn finish(&mut self, jobs: Vec<Job>, level: &Level) {
        let Some(first) = jobs.first() else { return };
        let who = first.image_name();
        self.gaps.extend(level.gaps.iter().map(|gap| of(&who, gap)));
        for job in jobs {
            match job {
                Job::Image(image) => self.image(*image, level),
                Job::Container(container, layers) => self.container(*container, &layers, level),
            }
        }
    }

    fn image(&mut self, image: Image, level: &Level) {
        self.add_image(image, level.host.context.os.clone(), level.packages.clone());
    }

    /// One of no layers, in which nothing can be.
    fn empty_image(&mut self, image: Image) {
        self.add_image(image, Os::default(), Vec::new());
    }

    fn add_image(&mut self, image: Image, os: Os, packages: Vec<Package>) {
        let Image { engine, store, namespace, image, .. } = image;
        let id = image.id.clone().unwrap_or_default();
        let name = image.names.first().unwrap_or(&id).clone();
        let state_evidence = "an image, of which nothing runs".to_owned();
        let context = ContainerContext {
            engine,
            store,
            namespace,
            image,
            state_evidence,
            os,
            ..ContainerContext::default()
        };
        self.assets.push(Asset {
            kind: AssetKind::Image,
            id,
            name,
            container: Some(Box::new(context)),
            packages,
            findings: Vec::new(),
        });
    }

    fn container(&mut self, mut container: Container, layers: &Layers, level: &Level) {
        if layers.own == 0 {
            container.context.os = level.host.context.os.clone();
            return self.add(container, level.packages.clone());
        }
        let who = who(&container);
        let mut gaps = Vec::new();
        let folders: Vec<Located> = layers.folders.iter().map(|layer| layer.at).collect();
        let host = match self.host(&folders, level.chain.0, &mut gaps) {
            Ok(host) => host,
            Err(gap) => {
                self.gaps.push(of(&who, &gap));
                return self.add(container, Vec::new());
            }
        };
        let catalogued = level.catalogued.over(&host, layers.own, self.options);
        let (packages, more) = catalogued.packages();
        gaps.extend(more);
        let trees = (&level.host.tree, &host.tree, layers.own);
        let files = (self.options.extent == Extent::All).then_some(trees);
        container.context.drift = Some(drift(&level.packages, &packages, files, &mut gaps));
        container.context.os = host.context.os;
        let own = gaps.iter().filter(|gap| !level.gaps.contains(gap));
        self.gaps.extend(own.map(|gap| of(&who, gap)));
        self.add(container, packages);
    }

    fn add(&mut self, container: Container, packages: Vec<Package>) {
        let Container { id, name, context, .. } = container;
        self.assets.push(Asset {
            kind: AssetKind::Container,
            id,
            name,
            container: Some(Box::new(context)),
            packages,
            findings: Vec::new(),
        });
    }

    fn fail(&mut self, jobs: Vec<Job>, gap: &Gap) {
        for job in jobs {
            match job {
                Job::Image(image) => {
                    let who = Job::Image(image).image_name();
                    self.gaps.push(of(&who, gap));
                }
                Job::Container(container, _) => {
                    self.gaps.push(of(&who(&container), gap));
                    self.add(*container, Vec::new());
                }
            }
        }
    }
}

impl Job {
    /// What its image is called in gaps.
    fn image_name(&self) -> String {
        let (engine, image) = match self {
            Self::Container(container, layers) if layers.own == 0 => return who(container),
            Self::Container(container, _) => (container.context.engine, &container.context.image),
            Self::Image(image) => (image.engine, &image.image),
        };
        let name = image.names.first().or(image.reference.as_ref()).or(image.id.as_ref());
        format!("{} image {}", engine.as_str(), name.map_or("without a name", String::as_str))
    }
}

/// What a container is called in gaps.
fn who(container: &Container) -> String {
    let short: String = container.id.chars().take(12).collect();
    format!("{} container {} ({short})", container.context.engine.as_str(), container.name)
}

/// A gap in somebody's filesystem.
fn of(who: &str, gap: &Gap) -> Gap {
    Gap::new(format!("{who}: {}", gap.place), gap.reason, &gap.detail)
}

/// The image's part of layers, the lowest first.
fn chain(layers: &Layers, marks: Marks) -> Chain {
    let image = &layers.folders[layers.own.min(layers.folders.len())..];
    (marks, image.iter().rev().map(|layer| layer.at).collect())
}

/// Where chains part: what neighbours in their order have in common.
fn branches(jobs: &BTreeMap<Chain, Vec<Job>>) -> Vec<Chain> {
    let chains: Vec<&Chain> = jobs.keys().collect();
    let common = chains.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| {
        let same = pair[0].1.iter().zip(&pair[1].1).take_while(|(a, b)| a == b);
        (pair[0].0, same.map(|(a, _)| *a).collect::<Vec<_>>())
    });
    common.filter(|(_, chain)| !chain.is_empty()).collect()
}

fn stands_on(chain: &Chain, below: &Chain) -> bool {
    chain.0 == below.0 && chain.1.starts_with(&below.1)
}
