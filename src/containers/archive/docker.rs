//! What `docker save` writes: `manifest.json` since 1.10, and `repositories` with a chain of layers before.

use super::{Contents, Image, Layer, MOST_IMAGES, MOST_LAYERS, config, json, name_layers, of};
use super::{layout, present, who};
use crate::containers::oci;
use crate::containers::store::is_plain;
use crate::host::Tree;
use crate::model::{Conformance, ContainerImage, Gap, GapReason, printable_str};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What `manifest.json` says of an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// What the old format says of a layer.
#[derive(Deserialize)]
struct Old {
    #[serde(default)]
    parent: Option<String>,
}

/// Reads it; whether it is there.
pub fn read(tree: &Tree, contents: &mut Contents) -> bool {
    match json::<Vec<Entry>>(tree, "manifest.json") {
        Ok(None) => return read_old(tree, contents),
        Err(gap) => contents.gaps.push(gap),
        Ok(Some(entries)) => {
            if entries.len() > MOST_IMAGES {
                let text = format!("more than {MOST_IMAGES} images");
                contents.gaps.push(Gap::new("manifest.json", GapReason::Limit, text));
            }
            let manifests = layout::manifests(tree);
            for entry in entries.into_iter().take(MOST_IMAGES) {
                let image = image(tree, entry, &manifests, &mut contents.gaps);
                contents.images.push(image);
            }
        }
    }
    true
}

/// An image; `manifests` are those of a layout beside, by the digests of their configurations.
fn image(
    tree: &Tree,
    entry: Entry,
    manifests: &BTreeMap<String, String>,
    gaps: &mut Vec<Gap>,
) -> Image {
    let names: Vec<String> =
        entry.repo_tags.unwrap_or_default().iter().map(|it| printable_str(it)).collect();
    let said = digest_in(&entry.config);
    let fallback = said.clone().unwrap_or_else(|| entry.config.clone());
    let who = who(names.first().unwrap_or(&fallback));
    let mut oci = Conformance::default();
    let (config, id) = config(tree, &entry.config, said.as_deref(), &mut oci, &who, gaps);
    let id = said.or(id);
    let digest = id.as_ref().and_then(|id| manifests.get(id)).cloned();
    if digest.is_some() {
        oci.note_manifest(Some(&Ok::<_, String>(())));
    }
    let layer = |path: String| Layer { digest: digest_in(&path), path, diff_id: None };
    let mut layers: Vec<_> = entry.layers.unwrap_or_default().into_iter().map(layer).collect();
    name_layers(&mut layers, config.as_ref(), &who, gaps);
    let layers = present(tree, layers, &who);
    let image = ContainerImage {
        reference: None,
        id: id.map(|id| printable_str(&id)),
        digest,
        names,
        oci: Some(oci),
    };
    Image { image, layers }
}

/// The digest that a file is named by: `HEX.json`, or `blobs/sha256/HEX`.
fn digest_in(path: &str) -> Option<String> {
    let hex = path.strip_suffix(".json").or_else(|| path.strip_prefix("blobs/sha256/"))?;
    let digest = format!("sha256:{hex}");
    (hex.len() == 64 && oci::is_digest(&digest)).then_some(digest)
}

/// The format before 1.10: names by repository and tag, and layers that each name the one below.
fn read_old(tree: &Tree, contents: &mut Contents) -> bool {
    type Names = BTreeMap<String, BTreeMap<String, String>>;
    let names = match json::<Names>(tree, "repositories") {
        Ok(None) => return false,
        Ok(Some(names)) => names,
        Err(gap) => {
            contents.gaps.push(gap);
            return true;
        }
    };
    let mut images: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (repository, tags) in names {
        for (tag, id) in tags {
            images.entry(id).or_default().push(printable_str(&format!("{repository}:{tag}")));
        }
    }
    for (id, names) in images.into_iter().take(MOST_IMAGES) {
        let who = who(names.first().unwrap_or(&id));
        let layers = chain(tree, &id).map_err(|gap| of(&who, &gap));
        let layers = layers.and_then(|layers| present(tree, layers, &who));
        let oci = Some(Conformance::default());
        let id = Some(printable_str(&id));
        let image = ContainerImage { reference: None, id, digest: None, names, oci };
        contents.images.push(Image { image, layers });
    }
    true
}

fn chain(tree: &Tree, top: &str) -> Result<Vec<Layer>, Gap> {
    let (mut layers, mut next) = (Vec::new(), Some(top.to_owned()));
    while let Some(id) = next {
        let fail = |reason, text: &str| Gap::new(printable_str(&id), reason, text);
        if !is_plain(&id) {
            return Err(fail(GapReason::Corrupt, "the name of a layer that is none"));
        }
        if layers.len() >= MOST_LAYERS {
            return Err(fail(GapReason::Limit, "too many layers, or a chain that is a circle"));
        }
        let path = format!("{id}/layer.tar");
        layers.push(Layer { path, digest: None, diff_id: None });
        let said = json::<Old>(tree, &format!("{id}/json"))?;
        next = said.and_then(|said| said.parent).filter(|parent| !parent.is_empty());
    }
    layers.reverse();
    Ok(layers)
}
