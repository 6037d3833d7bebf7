//! Images in files, as `docker save`, `podman save` and registry tools write them: which there are, and which of the
//! archive's files are their layers.

mod docker;
mod layout;

use super::oci::{self, Config};
use crate::host::Tree;
use crate::model::{Conformance, ContainerImage, Gap, GapReason, printable, printable_str};
use serde::de::DeserializeOwned;

/// Bytes of a document.
const MOST: u64 = 16 << 20;
/// Most images of an archive, and layers of one.
const MOST_IMAGES: usize = 1000;
const MOST_LAYERS: usize = 512;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// What `docker save` writes, which may hold a layout of OCI too.
    Docker,
    /// A layout of OCI.
    Oci,
}

/// An image.
#[derive(Debug)]
pub struct Image {
    /// What is said of it.
    pub image: ContainerImage,
    /// Its layers, the lowest first, or why they are not known.
    pub layers: Result<Vec<Layer>, Gap>,
}

/// A layer, which is a file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its path.
    pub path: String,
    /// Digest of the file.
    pub digest: Option<String>,
    /// Digest of what the file is when unpacked.
    pub diff_id: Option<String>,
}

/// What an archive holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The images.
    pub images: Vec<Image>,
    /// What it names and does not hold, or holds beside images, in words; nothing is lost with it.
    pub absent: Vec<String>,
    /// What of it could not be read.
    pub gaps: Vec<Gap>,
}

/// Reads an archive's documents; none if it has none.
pub fn read(tree: &Tree, format: Format) -> Option<Contents> {
    let mut contents = Contents::default();
    let read = (format == Format::Docker && docker::read(tree, &mut contents))
        || layout::read(tree, &mut contents);
    read.then_some(contents)
}

/// A document's bytes; none if it is not there.
fn bytes(tree: &Tree, path: &str) -> Result<Option<Vec<u8>>, Gap> {
    let read = tree.read(format!("/{path}").as_bytes(), MOST);
    read.map_err(|error| Gap::new(printable_str(path), error.reason(), error))
}

/// A document of JSON without a digest; none if it is not there.
fn json<T: DeserializeOwned>(tree: &Tree, path: &str) -> Result<Option<T>, Gap> {
    let Some(bytes) = bytes(tree, path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let text = format!("not the JSON that it should be: {error}");
        Gap::new(printable_str(path), GapReason::Corrupt, text)
    })
}

/// The path of what a digest names; none if that is none.
fn blob(digest: &str) -> Option<String> {
    oci::is_digest(digest).then(|| format!("blobs/{}", digest.replacen(':', "/", 1)))
}

/// A configuration, which is noted; what is wrong with it is a gap of the image.
fn config(
    tree: &Tree,
    path: &str,
    digest: Option<&str>,
    conformance: &mut Conformance,
    who: &str,
    gaps: &mut Vec<Gap>,
) -> (Option<Config>, Option<String>) {
    let found = bytes(tree, path).and_then(|found| {
        let missing = || Gap::new(printable_str(path), GapReason::Missing, "not in the archive");
        found.ok_or_else(missing)
    });
    let found = match found {
        Ok(found) => found,
        Err(gap) => {
            conformance.note_config::<Config>(None);
            gaps.push(of(who, &gap));
            return (None, None);
        }
    };
    let id = oci::sha256(&found);
    let read = oci::config(&found, digest.unwrap_or(&id));
    conformance.note_config(Some(&read));
    match read {
        Ok(config) => (Some(config), Some(id)),
        Err(error) => {
            gaps.push(Gap::new(who, GapReason::Corrupt, error));
            (None, Some(id))
        }
    }
}

/// Gives layers the digests of what they are when unpacked, where there is one for each.
fn name_layers(layers: &mut [Layer], config: Option<&Config>, who: &str, gaps: &mut Vec<Gap>) {
    let Some(config) = config else { return };
    let ids = &config.rootfs.diff_ids;
    if ids.len() != layers.len() {
        let (said, there) = (ids.len(), layers.len());
        let text = format!("{there} layers, where its configuration says that there are {said}");
        return gaps.push(Gap::new(who, GapReason::Corrupt, text));
    }
    for (layer, id) in layers.iter_mut().zip(ids) {
        layer.diff_id = Some(id.clone());
    }
}

/// The layers if all are in the archive.
fn present(tree: &Tree, layers: Vec<Layer>, who: &str) -> Result<Vec<Layer>, Gap> {
    if layers.len() > MOST_LAYERS {
        return Err(Gap::new(who, GapReason::Limit, format!("more than {MOST_LAYERS} layers")));
    }
    for layer in &layers {
        let found = tree.find(format!("/{}", layer.path).as_bytes());
        let found = found.map_err(|error| Gap::new(who, error.reason(), error))?;
        if found.is_none() {
            let text = format!("the layer {} is not in the archive", printable_str(&layer.path));
            return Err(Gap::new(who, GapReason::Missing, text));
        }
    }
    Ok(layers)
}

/// What an image is called in gaps.
fn who(name: &str) -> String {
    format!("archive image {}", printable(name.as_bytes()))
}

fn of(who: &str, gap: &Gap) -> Gap {
    Gap::new(who, gap.reason, format!("{}: {}", gap.place, gap.detail))
}
