//! The content store, `io.containerd.content.v1.content/blobs/ALGORITHM/HEX`: from what an image's name leads
//! to, an index or a manifest, to the configurations.

use super::database::{Bucket, Record};
use crate::containers::oci::{self, Config, Descriptor, Manifest};
use crate::containers::store::Store;
use crate::model::{Conformance, Gap, GapReason};
use block_source::BlockSource;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

const FOLDER: &str = "io.containerd.content.v1.content/blobs";
/// Bytes of a document, as in containerd.
const MOST_DOCUMENT: u64 = 8 << 20;
/// Bytes of all documents, of which each counts as this many at least.
const MOST_READ: u64 = 1 << 30;
const LEAST: u64 = 4096;
/// Documents that one name leads to.
const MOST_DOCUMENTS: usize = 128;

/// What an image is for one kind of machine.
#[derive(Debug, Clone, Default)]
pub struct Variant {
    /// Digest of the configuration.
    pub config: Option<String>,
    /// The uppermost layer together with all below it.
    pub chain: Option<String>,
    pub oci: Conformance,
}

/// The documents of a store.
pub struct Content<'a> {
    store: Store<'a>,
    left: AtomicU64,
}

enum Document {
    Index(Vec<Descriptor>),
    Manifest(Manifest),
}

impl<'a> Content<'a> {
    pub fn new(store: Store<'a>) -> Self {
        Self { store, left: AtomicU64::new(MOST_READ) }
    }

    /// What a target is for each kind of machine that it is on the disk for; at least one, which may be
    /// of nothing. `blobs` are the records of the content, if there are any.
    pub fn variants(&self, digest: &str, media: &str, blobs: Option<&Bucket>) -> Vec<Variant> {
        let mut todo = VecDeque::from([(digest.to_owned(), media.to_owned())]);
        let (mut found, mut absent) = (Vec::new(), None);
        for _ in 0..MOST_DOCUMENTS {
            let Some((digest, media)) = todo.pop_front() else { break };
            match self.document(&digest, &media) {
                Some(Ok(Document::Index(manifests))) => {
                    let wanted = manifests.into_iter().filter(is_image).take(MOST_DOCUMENTS);
                    todo.extend(wanted.map(|it| (it.digest, it.media_type)));
                }
                Some(Ok(Document::Manifest(it))) => {
                    found.push(self.variant(Some(&Ok(it)), None, blobs));
                }
                other => {
                    let read = other.map(|read| read.and(Err("no manifest".to_owned())));
                    let config = labelled(blobs, &digest, "containerd.io/gc.ref.content.config");
                    let variant = self.variant(read.as_ref(), config, blobs);
                    let is_known = read.is_some() || variant.config.is_some();
                    if is_known {
                        found.push(variant);
                    } else {
                        absent.get_or_insert(variant);
                    }
                }
            }
        }
        if found.is_empty() {
            found.push(absent.unwrap_or_default());
        }
        found
    }

    fn variant(
        &self,
        manifest: Option<&Result<Manifest, String>>,
        config: Option<String>,
        blobs: Option<&Bucket>,
    ) -> Variant {
        let mut oci = Conformance::default();
        oci.note_manifest(manifest);
        let named = manifest.and_then(|read| read.as_ref().ok()).map(|it| it.config.digest.clone());
        let named = named.or(config).filter(|digest| oci::is_digest(digest));
        let read = named.as_deref().and_then(|digest| self.config(digest));
        oci.note_config(read.as_ref());
        let chain = read.and_then(Result::ok).and_then(|config| top(&config));
        let labelled = || labelled(blobs, named.as_deref()?, "containerd.io/gc.ref.snapshot.");
        Variant { chain: chain.or_else(labelled), config: named, oci }
    }

    fn config(&self, digest: &str) -> Option<Result<Config, String>> {
        let read = self.blob(digest).map_err(told).transpose()?;
        Some(read.and_then(|bytes| oci::config(&bytes, digest)))
    }

    /// An index or a manifest; none if there is no such document.
    fn document(&self, digest: &str, media: &str) -> Option<Result<Document, String>> {
        let bytes = match self.blob(digest).map_err(told).transpose()? {
            Ok(bytes) => bytes,
            Err(error) => return Some(Err(error)),
        };
        let index = || oci::index(&bytes, digest).map(|it| Document::Index(it.manifests));
        let manifest = || oci::manifest(&bytes, digest).map(Document::Manifest);
        // The media type that an image is recorded with may be missing.
        Some(if media.ends_with(".index.v1+json") || media.ends_with(".manifest.list.v2+json") {
            index()
        } else {
            manifest().or_else(|error| index().map_err(|_| error))
        })
    }

    fn blob(&self, digest: &str) -> Result<Option<Vec<u8>>, Gap> {
        if !oci::is_digest(digest) {
            let detail = "an image's document is named by what is no digest";
            return Err(Gap::new(self.store.place(FOLDER), GapReason::Corrupt, detail));
        }
        let path = format!("{FOLDER}/{}", digest.replacen(':', "/", 1));
        let Some(file) = self.store.positioned(&path)? else { return Ok(None) };
        let limit = |detail| Gap::new(self.store.place(&path), GapReason::Limit, detail);
        if file.size() > MOST_DOCUMENT {
            return Err(limit("a document of an image that is too large"));
        }
        let take = |left: u64| left.checked_sub(file.size().max(LEAST));
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return Err(limit("more documents of images than are read"));
        }
        self.store.read(&path)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "maps an error")]
fn told(gap: Gap) -> String {
    format!("{}: {}", gap.place, gap.detail)
}

/// Whether a manifest of an index is that of an image, and no statement about one.
fn is_image(it: &Descriptor) -> bool {
    let kind = it.annotations.as_ref().and_then(|them| them.get("vnd.docker.reference.type"));
    kind.is_none_or(|kind| kind != "attestation-manifest")
}

/// The uppermost layer of a configuration, with all below it.
fn top(config: &Config) -> Option<String> {
    let layers = &config.rootfs.diff_ids;
    let is_sound = layers.len() <= 512 && layers.iter().all(|layer| oci::is_digest(layer));
    is_sound.then(|| oci::chain_ids(layers).pop()).flatten()
}

/// The value of the first label of a blob whose name begins so.
fn labelled(blobs: Option<&Bucket>, digest: &str, prefix: &str) -> Option<String> {
    let labels: Record = blobs?.nested(&[digest, "labels"]).ok()??.record();
    let found = labels.values.iter().find(|(key, _)| key.starts_with(prefix))?;
    String::from_utf8(found.1.clone()).ok().filter(|value| oci::is_digest(value))
}
