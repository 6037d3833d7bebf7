//! Archives of images as targets: their images are the assets, and there is no host.

use super::progress::{Progress, Reading, Stage};
use super::{Request, Scan, TargetError, TargetProblem, containers, images, peak_memory};
use crate::block::BlockSource;
use crate::containers::archive::{self, Contents, Format, Layer};
use crate::containers::{Found, Image, Layers};
use crate::filesystem::{Directory, FileSystem, MadeFolder, Marks, Tar};
use crate::host::{Located, Tree};
use crate::inventory::{Containers, Options};
use crate::model::{
    Coverage, Engine, Gap, GapReason, HostContext, Part, PartState, Receipt, SCHEMA_VERSION,
    ScanReport, printable,
};
use crate::source::image_archive::{self, Limits, Plain};
use crate::source::image_file::Unpacking;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// A kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// A file that `docker save` writes.
    Docker,
    /// A layout of OCI in a file.
    Oci,
    /// A layout of OCI in a folder.
    OciFolder,
}

/// What stands before the path of each kind on the command line.
pub const PREFIXES: &[(&str, Archive)] = &[
    ("docker-archive:", Archive::Docker),
    ("oci-archive:", Archive::Oci),
    ("oci-dir:", Archive::OciFolder),
];

/// Lists the packages of an archive's images.
pub fn scan(
    (kind, path): (Archive, &Path),
    request: &Request,
    progress: &dyn Progress,
) -> Result<Scan, TargetError> {
    let started = Instant::now();
    let Opened { layers, images, absent, mut gaps } = open((kind, path), request, progress)?;
    let name = printable(path.as_os_str().as_encoded_bytes());
    let marks = std::iter::once((name.clone(), Marks::Files)).collect();
    let found = Found { images, marks, ..Found::default() };
    progress.stage(Stage::Containers);
    let options = Options { containers: Containers::WithImages, ..request.inventory.clone() };
    let (assets, images) = containers::scan(&layers, found, &options, &mut gaps);
    gaps.sort();
    gaps.dedup();
    let report = ScanReport {
        schema_version: SCHEMA_VERSION,
        host: HostContext::default(),
        assets,
        coverage: coverage(kind, path, name, &absent),
        walk: None,
        images,
        gaps,
        feeds: Vec::new(),
        receipt: Receipt {
            peak_memory_bytes: peak_memory(),
            seconds: started.elapsed().as_secs_f64(),
            ..Receipt::default()
        },
    };
    Ok(Scan { report, read: Vec::new() })
}

/// An archive's images, of which no packages were looked for.
pub struct Opened {
    /// Holds the layers.
    pub layers: Tree,
    /// The images, whose layers are in it.
    pub images: Vec<Image>,
    /// What the archive names and does not hold, in words.
    pub absent: Vec<String>,
    /// What of it could not be read.
    pub gaps: Vec<Gap>,
}

/// Opens an archive and the layers of its images.
pub fn open(
    (kind, path): (Archive, &Path),
    request: &Request,
    progress: &dyn Progress,
) -> Result<Opened, TargetError> {
    progress.stage(Stage::Opening);
    let name = printable(path.as_os_str().as_encoded_bytes());
    let limits = Limits { unpacked: request.unpack_bytes, temporary: None };
    let mut opener = Opener { name, limits, progress, gaps: Vec::new(), left: Tar::MOST };
    let tree = Tree::new(opener.archive(kind, path)?);
    let format = if kind == Archive::Docker { Format::Docker } else { Format::Oci };
    let contents = archive::read(&tree, format).ok_or_else(|| {
        let text = "no archive of images: it has none of manifest.json and index.json";
        failed(path, GapReason::Missing, text)
    })?;
    let Contents { images, absent, gaps } = contents;
    opener.gaps.extend(gaps);
    let (layers, images) = opener.images(&tree, images);
    Ok(Opened { layers, images, absent, gaps: opener.gaps })
}

/// The archive as the one part; what it names and does not hold is said with it.
fn coverage(kind: Archive, path: &Path, name: String, absent: &[String]) -> Coverage {
    let holds = match kind {
        Archive::Docker => "docker archive",
        Archive::Oci => "oci archive",
        Archive::OciFolder => "oci layout",
    };
    let size = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file);
    Coverage::new(vec![Part {
        name,
        on: Vec::new(),
        size: size.map_or(0, |it| it.len()),
        holds: Some(holds.to_owned()),
        label: None,
        uuid: None,
        mounts: Vec::new(),
        state: PartState::Scanned,
        detail: (!absent.is_empty()).then(|| absent.join("; ")),
        subvolumes: Vec::new(),
    }])
}

fn failed(path: &Path, reason: GapReason, text: impl std::fmt::Display) -> TargetError {
    let mut error = TargetError::new(path.display(), text);
    error.kind = TargetProblem::Image(reason);
    error
}

/// Opens an archive and its layers, each once.
struct Opener<'a> {
    name: String,
    limits: Limits,
    progress: &'a dyn Progress,
    gaps: Vec<Gap>,
    /// Files that all layers may still have.
    left: usize,
}

impl Opener<'_> {
    fn archive(&mut self, kind: Archive, path: &Path) -> Result<Arc<dyn FileSystem>, TargetError> {
        if kind == Archive::OciFolder {
            let opened = Directory::open(path);
            return Ok(Arc::new(opened.map_err(|error| TargetError::new(path.display(), error))?));
        }
        let opened = image_archive::open(path, &self.limits, &|it| self.watch(&it));
        let Plain { source, cut } =
            opened.map_err(|error| failed(path, images::reason(&error), images::told(&error)))?;
        if !Tar::claims(&*source).map_err(|error| TargetError::new(path.display(), error))? {
            return Err(failed(path, GapReason::Unsupported, "no archive of images: no tar"));
        }
        let cut = cut.map(|error| Gap::new(&self.name, GapReason::Corrupt, error));
        self.gaps.extend(cut);
        let tar = Tar::open(source, Tar::MOST);
        let name = self.name.clone();
        self.warn(&name, &tar);
        Ok(Arc::new(tar))
    }

    /// The images, of which each layer is a filesystem in a tree that holds them all.
    fn images(&mut self, tree: &Tree, images: Vec<archive::Image>) -> (Tree, Vec<Image>) {
        let mut known: HashMap<(Located, Option<String>), Result<usize, Gap>> = HashMap::new();
        // What stands for the layers of an image without any.
        let mut filesystems: Vec<Arc<dyn FileSystem>> = vec![Arc::new(MadeFolder)];
        let mut opened = Vec::new();
        for image in images {
            let layers = image.layers.and_then(|layers| {
                let indices = layers.into_iter().map(|layer| {
                    let key = (self.place(tree, &layer)?, layer.diff_id.clone());
                    let index = known.entry(key).or_insert_with(|| {
                        filesystems.push(self.layer(tree, &layer)?);
                        Ok(filesystems.len() - 1)
                    });
                    index.clone().map(|index| (layer.path, index))
                });
                indices.collect::<Result<Vec<_>, Gap>>()
            });
            opened.push((image.image, layers));
        }
        let (merged, roots) = Tree::of_layers(filesystems);
        let folder = |(path, index): (String, usize)| crate::containers::Layer {
            path: path.into_bytes(),
            at: roots[index],
        };
        let images = opened.into_iter().map(|(image, layers)| Image {
            engine: Engine::Archive,
            store: self.name.clone(),
            namespace: None,
            image,
            layers: layers.map(|mut layers| {
                if layers.is_empty() {
                    layers.push((String::new(), 0));
                }
                let folders = layers.into_iter().rev().map(folder).collect();
                Layers { folders, own: 0 }
            }),
        });
        let images = images.collect();
        (merged, images)
    }

    fn place(&self, tree: &Tree, layer: &Layer) -> Result<Located, Gap> {
        let who = self.who(layer);
        let found = tree.find(format!("/{}", layer.path).as_bytes());
        let found = found.map_err(|error| Gap::new(&who, error.reason(), error))?;
        found.ok_or_else(|| Gap::new(&who, GapReason::Missing, "not in the archive"))
    }

    /// A layer's files, with its digests checked. One that is not what it should be is used all the same.
    fn layer(&mut self, tree: &Tree, layer: &Layer) -> Result<Arc<dyn FileSystem>, Gap> {
        let who = self.who(layer);
        let file = tree.open_positioned(format!("/{}", layer.path).as_bytes());
        let file = file.map_err(|error| Gap::new(&who, error.reason(), error))?;
        let missing = || Gap::new(&who, GapReason::Missing, "no file of the archive");
        let file: Arc<dyn BlockSource> = Arc::new(file.ok_or_else(missing)?);
        self.check(&who, &*file, layer.digest.as_deref(), "it is named by");
        let plain = image_archive::plain(file, &self.limits, &|it| self.watch(&it));
        let Plain { source, cut } =
            plain.map_err(|error| Gap::new(&who, images::reason(&error), images::told(&error)))?;
        if let Some(error) = cut {
            self.gaps.push(Gap::new(&who, GapReason::Corrupt, error));
        }
        self.check(&who, &*source, layer.diff_id.as_deref(), "its image's configuration says");
        let claims = Tar::claims(&*source);
        if !claims.map_err(|error| Gap::new(&who, GapReason::Unreadable, error))? {
            return Err(Gap::new(&who, GapReason::Unsupported, "a layer that is no tar"));
        }
        let tar = Tar::open(source, self.left);
        self.left = self.left.saturating_sub(tar.count());
        self.warn(&who, &tar);
        Ok(Arc::new(tar))
    }

    fn check(&mut self, who: &str, source: &dyn BlockSource, digest: Option<&str>, what: &str) {
        let Some(digest) = digest else { return };
        match image_archive::has_digest(source, digest) {
            Ok(true) => {}
            Ok(false) => {
                let text = format!("its bytes do not have the digest that {what}");
                self.gaps.push(Gap::new(who, GapReason::Corrupt, text));
            }
            Err(error) => self.gaps.push(Gap::new(who, GapReason::Unreadable, error)),
        }
    }

    fn warn(&mut self, who: &str, tar: &Tar) {
        let warnings = tar.warnings().into_iter();
        self.gaps.extend(warnings.map(|(reason, text)| Gap::new(who, reason, text)));
    }

    /// What a layer is called in gaps.
    fn who(&self, layer: &Layer) -> String {
        format!("{}: layer {}", self.name, printable(layer.path.as_bytes()))
    }

    /// Shows how much was unpacked.
    fn watch(&self, unpacking: &Unpacking) {
        let (read, total) = (unpacking.read.clone(), Some(unpacking.total));
        let reading = move || Reading { blocks: None, bytes: read.load(Ordering::Relaxed), total };
        self.progress.stage(Stage::Unpacking);
        self.progress.count(Box::new(reading));
    }
}
