//! Images of a storage driver: what their records and documents say.

use super::super::store::{Store, is_plain};
use super::super::text::short;
use super::super::{Found, Image, Layers, oci};
use super::graph::Graph;
use super::records;
use crate::model::{Conformance, ContainerImage, Engine, Gap};
use std::cell::RefCell;
use std::collections::HashMap;

/// Images of a store.
const MOST_IMAGES: usize = 10_000;
/// Bytes of all names of an image.
const MOST_NAMES: usize = 8 << 10;
/// What lists the images of a list, which is none itself.
const LIST: &str = "instances.json";

/// The images of a driver, those of the stores behind it too.
pub struct Images<'a> {
    driver: &'a str,
    /// The ids of the store's own, in their order.
    own: Vec<String>,
    known: HashMap<String, (Store<'a>, records::Image)>,
    described: RefCell<HashMap<String, ContainerImage>>,
}

impl<'a> Images<'a> {
    /// Reads the records.
    pub fn read(graph: &'a Graph<'a>, gaps: &mut Vec<Gap>) -> Self {
        let (mut own, mut known) = (Vec::new(), HashMap::new());
        for (index, store) in graph.stores().iter().enumerate() {
            let path = format!("{}-images/images.json", graph.driver);
            for image in records::read::<records::Image>(store, &path, MOST_IMAGES, gaps) {
                if known.contains_key(&image.id) {
                    continue;
                }
                if index == 0 {
                    own.push(image.id.clone());
                }
                known.insert(image.id.clone(), (store.clone(), image));
            }
        }
        Self { driver: &graph.driver, own, known, described: RefCell::default() }
    }

    /// Adds the store's own images.
    pub fn add_to(&self, engine: Engine, graph: &Graph, found: &mut Found) {
        for (store, record) in self.own.iter().filter_map(|id| self.known.get(id)) {
            if record.layer.is_empty() && record.documents.iter().flatten().any(|it| it == LIST) {
                continue;
            }
            let image = self.describe(&record.id, record.names.iter().flatten().min().cloned());
            let place = format!("{} image {}", engine.as_str(), name(&image, &record.id));
            let before = found.gaps.len();
            let layers = if record.layer.is_empty() {
                Ok(Layers { folders: Vec::new(), own: 0 })
            } else {
                graph.of_image(&record.layer, &mut found.gaps)
            };
            let below = |gap: Gap| Gap { place: format!("{place}: {}", gap.place), ..gap };
            for gap in found.gaps.split_off(before) {
                found.gaps.push(below(gap));
            }
            let layers = layers.map_err(below);
            let store = store.name();
            found.images.push(Image { engine, store, namespace: None, image, layers });
        }
    }

    /// What is said of the image of an id. One that is not there has its id only.
    pub fn describe(&self, id: &str, reference: Option<String>) -> ContainerImage {
        let reference = reference.filter(|it| !it.is_empty()).map(|it| short(&it));
        let Some((store, record)) = self.known.get(id) else {
            return ContainerImage { reference, id: digest(id), ..ContainerImage::default() };
        };
        let mut described = self.described.borrow_mut();
        let image = described.entry(id.to_owned()).or_insert_with(|| ContainerImage {
            reference: None,
            id: digest(id),
            digest: oci::is_digest(&record.digest).then(|| record.digest.clone()),
            names: names(record),
            oci: Some(conformance(store, self.driver, record)),
        });
        ContainerImage { reference, ..image.clone() }
    }
}

/// Names as they are kept, in order: each container of the image has them.
fn names(record: &records::Image) -> Vec<String> {
    let mut left = MOST_NAMES;
    let mut names: Vec<_> = record.names.iter().flatten().map(|it| short(it)).collect();
    names.sort();
    names.retain(|name| {
        let rest = left.checked_sub(name.len());
        left = rest.unwrap_or(left);
        rest.is_some()
    });
    names
}

fn name(image: &ContainerImage, id: &str) -> String {
    let short: String = short(id).chars().take(12).collect();
    match &image.reference {
        Some(reference) => format!("{reference} ({short})"),
        None => short,
    }
}

/// An id as the digest that it is.
fn digest(id: &str) -> Option<String> {
    let is_hex = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { Some(format!("sha256:{id}")) } else { Some(short(id)).filter(|id| !id.is_empty()) }
}

fn conformance(store: &Store, driver: &str, image: &records::Image) -> Conformance {
    let mut conformance = Conformance::default();
    if !is_plain(&image.id) {
        return conformance;
    }
    let folder = format!("{driver}-images/{}", image.id);
    let of_manifest = image.digests.as_ref().and_then(|digests| digests.get("manifest"));
    let expected = of_manifest.unwrap_or(&image.digest);
    let document = |name: &str| store.read(&format!("{folder}/{name}")).map_err(|gap| gap.detail);
    let manifest = document("manifest").transpose();
    let manifest = manifest.map(|bytes| bytes.and_then(|it| oci::manifest(&it, expected)));
    conformance.note_manifest(manifest.as_ref());
    let config = match manifest {
        Some(Ok(manifest)) => manifest.config.digest,
        _ => format!("sha256:{}", image.id),
    };
    if oci::is_digest(&config) {
        let bytes = document(&file_name(&config)).transpose();
        let read = bytes.map(|bytes| bytes.and_then(|it| oci::config(&it, &config)));
        conformance.note_config(read.as_ref());
    }
    conformance
}

/// The file of a document: its name where that is of digits, dots and small letters, and else in base64.
fn file_name(document: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let is_simple = |byte: u8| matches!(byte, b'.' | b'0'..=b'9' | b'a'..=b'z');
    if document.bytes().all(is_simple) {
        return document.to_owned();
    }
    let mut name = "=".to_owned();
    for three in document.as_bytes().chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit) & 63) as usize;
            name.push(if digit <= three.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_where_podman_puts_them() {
        assert_eq!(file_name("manifest"), "manifest");
        // As `base64` has it.
        assert_eq!(file_name("sha256:6b"), "=c2hhMjU2OjZi");
        assert_eq!(file_name("sha256:6"), "=c2hhMjU2OjY=");
        assert_eq!(file_name("sha256:"), "=c2hhMjU2Og==");
    }
}
