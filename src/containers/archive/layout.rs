//! A layout of OCI (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>): `index.json` leads to
//! manifests, over further indexes too.

use super::{Contents, Image, Layer, MOST_IMAGES, blob, bytes, config, json, name_layers, of};
use super::{present, who};
use crate::containers::oci::{self, Descriptor, Index, Manifest};
use crate::host::Tree;
use crate::model::{Conformance, ContainerImage, Gap, GapReason, printable_str};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, BTreeSet};

/// Indexes in indexes.
const DEEPEST: usize = 8;
/// What descriptors have for a name: containerd's is whole, the other may be a tag alone.
const NAMES: &[&str] = &["io.containerd.image.name", "org.opencontainers.image.ref.name"];
/// What builders put beside an image, about it.
const ABOUT: &str = "vnd.docker.reference.type";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

/// Tells an index by what it has, whatever its media type is.
#[derive(Deserialize)]
struct Shape {
    manifests: Option<IgnoredAny>,
}

/// A manifest that an index leads to.
struct Named {
    names: BTreeSet<String>,
    manifest: Result<Manifest, String>,
}

/// A document that an index names.
enum Document {
    Index(Index),
    Manifest(Result<Manifest, String>),
}

/// Reads it; whether it is there.
pub fn read(tree: &Tree, contents: &mut Contents) -> bool {
    let index = match json::<Index>(tree, "index.json") {
        Ok(None) => return false,
        Ok(Some(index)) => index,
        Err(gap) => {
            contents.gaps.push(gap);
            return true;
        }
    };
    check_version(tree, &mut contents.gaps);
    let mut reader = Reader { tree, contents, found: BTreeMap::new(), met: BTreeSet::new() };
    reader.index(&index, "", DEEPEST);
    let found = std::mem::take(&mut reader.found);
    for (digest, named) in found {
        image(tree, digest, named, contents);
    }
    true
}

/// Digests of manifests by those of their configurations; what is wrong with them is not told.
pub fn manifests(tree: &Tree) -> BTreeMap<String, String> {
    let Ok(Some(index)) = json::<Index>(tree, "index.json") else { return BTreeMap::new() };
    let mut contents = Contents::default();
    let (found, met) = (BTreeMap::new(), BTreeSet::new());
    let mut reader = Reader { tree, contents: &mut contents, found, met };
    reader.index(&index, "", DEEPEST);
    let valid =
        |(digest, named): (String, Named)| Some((named.manifest.ok()?.config.digest, digest));
    reader.found.into_iter().filter_map(valid).collect()
}

fn check_version(tree: &Tree, gaps: &mut Vec<Gap>) {
    match json::<Marker>(tree, "oci-layout") {
        Ok(Some(marker)) if !marker.image_layout_version.starts_with("1.") => {
            let text =
                format!("a layout of version {}", printable_str(&marker.image_layout_version));
            gaps.push(Gap::new("oci-layout", GapReason::Unsupported, text));
        }
        Ok(_) => {}
        Err(gap) => gaps.push(gap),
    }
}

struct Reader<'a> {
    tree: &'a Tree,
    contents: &'a mut Contents,
    found: BTreeMap<String, Named>,
    /// Indexes that were read, by digest and the name that they were read for.
    met: BTreeSet<(String, String)>,
}

impl Reader<'_> {
    /// Takes what an index names; `name` is that of the index, which those of several platforms share.
    fn index(&mut self, index: &Index, name: &str, depth: usize) {
        let is_image = |it: &&Descriptor| !is_about(it);
        let are_many = index.manifests.iter().filter(is_image).count() > 1;
        let mut absent = Vec::new();
        let before = self.found.len();
        for descriptor in index.manifests.iter().filter(is_image) {
            if self.found.len() >= MOST_IMAGES {
                let text = format!("more than {MOST_IMAGES} images");
                return self.contents.gaps.push(Gap::new("index.json", GapReason::Limit, text));
            }
            let own = own_name(descriptor);
            let full = match (own, platform(descriptor)) {
                (Some(own), _) => own,
                (None, Some(platform)) if depth < DEEPEST && are_many && name.is_empty() => {
                    platform
                }
                (None, Some(platform)) if depth < DEEPEST && are_many => {
                    format!("{name} ({platform})")
                }
                _ => name.to_owned(),
            };
            let shown = if full.is_empty() { &descriptor.digest } else { &full };
            match self.document(&descriptor.digest) {
                Ok(Some(document)) => self.take(descriptor, document, full, depth),
                Ok(None) => absent.push(printable_str(shown)),
                Err(gap) => self.contents.gaps.push(of(&who(shown), &gap)),
            }
        }
        if depth < DEEPEST && self.found.len() > before {
            let told = |it: String| format!("{it} is named by the archive and not in it");
            return self.contents.absent.extend(absent.into_iter().map(told));
        }
        let missing = |it: String| Gap::new(who(&it), GapReason::Missing, "not in the archive");
        self.contents.gaps.extend(absent.into_iter().map(missing));
    }

    fn take(&mut self, descriptor: &Descriptor, document: Document, name: String, depth: usize) {
        match document {
            Document::Manifest(manifest) => {
                let digest = descriptor.digest.clone();
                let named = self.found.entry(digest);
                let named = named.or_insert_with(|| Named { names: BTreeSet::new(), manifest });
                named.names.extend(Some(name).filter(|it| !it.is_empty()));
            }
            Document::Index(inner) => {
                let key = (descriptor.digest.clone(), name.clone());
                if depth == 0 || self.met.len() >= MOST_IMAGES || !self.met.insert(key) {
                    let text = "an index that names itself, or too many in one another";
                    let shown = if name.is_empty() { &descriptor.digest } else { &name };
                    self.contents.gaps.push(Gap::new(who(shown), GapReason::Corrupt, text));
                } else {
                    self.index(&inner, &name, depth - 1);
                }
            }
        }
    }

    /// A document by its digest; none if it is not there.
    fn document(&self, digest: &str) -> Result<Option<Document>, Gap> {
        let corrupt = |text: String| Gap::new(printable_str(digest), GapReason::Corrupt, text);
        let path = blob(digest).ok_or_else(|| corrupt("a digest that is none".to_owned()))?;
        let Some(bytes) = bytes(self.tree, &path)? else { return Ok(None) };
        let is_index =
            serde_json::from_slice::<Shape>(&bytes).is_ok_and(|it| it.manifests.is_some());
        if is_index {
            return oci::index(&bytes, digest).map(Document::Index).map(Some).map_err(corrupt);
        }
        Ok(Some(Document::Manifest(oci::manifest(&bytes, digest))))
    }
}

/// Whether it is about an image, and none.
fn is_about(descriptor: &Descriptor) -> bool {
    descriptor.annotations.as_ref().is_some_and(|it| it.contains_key(ABOUT))
}

fn own_name(descriptor: &Descriptor) -> Option<String> {
    let annotations = descriptor.annotations.as_ref()?;
    let name = NAMES.iter().find_map(|key| annotations.get(*key));
    name.filter(|name| !name.is_empty()).map(|name| printable_str(name))
}

fn platform(descriptor: &Descriptor) -> Option<String> {
    let platform = descriptor.platform.as_ref()?;
    let mut text = format!("{}/{}", platform.os, platform.architecture);
    if let Some(variant) = platform.variant.as_ref().filter(|it| !it.is_empty()) {
        text.push('/');
        text.push_str(variant);
    }
    Some(printable_str(&text))
}

fn image(tree: &Tree, digest: String, leaf: Named, contents: &mut Contents) {
    let names: Vec<String> = leaf.names.into_iter().collect();
    let who = who(names.first().unwrap_or(&digest));
    let mut conformance = Conformance::default();
    conformance.note_manifest(Some(&leaf.manifest));
    let manifest = match leaf.manifest {
        Ok(manifest) => manifest,
        Err(error) => return contents.gaps.push(Gap::new(who, GapReason::Corrupt, error)),
    };
    let kind = &manifest.config.media_type;
    if !kind.is_empty() && !kind.contains("image.config") && !kind.contains("container.image") {
        let kind = printable_str(kind);
        let shown = names.first().unwrap_or(&digest);
        return contents.absent.push(format!("{shown} is no image of containers: {kind}"));
    }
    let said = &manifest.config.digest;
    let Some(path) = blob(said) else {
        let text = "the digest of a configuration that is none";
        return contents.gaps.push(Gap::new(who, GapReason::Corrupt, text));
    };
    let (config, _) = config(tree, &path, Some(said), &mut conformance, &who, &mut contents.gaps);
    let layers = manifest.layers.iter().map(|it| {
        let text = "the digest of a layer that is none";
        let path = blob(&it.digest).ok_or_else(|| Gap::new(&who, GapReason::Corrupt, text))?;
        Ok(Layer { path, digest: Some(it.digest.clone()), diff_id: None })
    });
    let layers = layers.collect::<Result<Vec<_>, Gap>>().and_then(|mut layers| {
        name_layers(&mut layers, config.as_ref(), &who, &mut contents.gaps);
        present(tree, layers, &who)
    });
    let image = ContainerImage {
        reference: None,
        id: Some(said.clone()),
        digest: Some(digest),
        names,
        oci: Some(conformance),
    };
    contents.images.push(Image { image, layers });
}
