//! Documents of OCI images: index, manifest and configuration
//! (<https://github.com/opencontainers/image-spec>), and Docker's, which differ in the names of types.

use crate::model::{Conformance, DocumentState};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A configuration, as far as it tells of layers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Config {
    /// When the image was made.
    pub created: Option<String>,
    /// Architecture, as Go names it.
    #[serde(default)]
    pub architecture: String,
    /// The layers.
    pub rootfs: RootFs,
    /// What containers of it start with.
    #[serde(default, rename = "config")]
    pub start: Option<Start>,
}

/// The layers of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RootFs {
    /// Digests of the layers when unpacked, the lowest first.
    #[serde(default)]
    pub diff_ids: Vec<String>,
}

/// What containers start with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Start {
    /// Labels.
    #[serde(default, rename = "Labels")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// A reference to a document or a layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its media type.
    #[serde(default)]
    pub media_type: String,
    /// Its digest, `sha256:…`.
    pub digest: String,
    /// Its size in bytes.
    #[serde(default)]
    pub size: u64,
    /// For what machine it is.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// Further words about it.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// A kind of machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Platform {
    /// As Go names it.
    #[serde(default)]
    pub architecture: String,
    /// As Go names it.
    #[serde(default)]
    pub os: String,
    /// Which of several of one architecture.
    #[serde(default)]
    pub variant: Option<String>,
}

/// A manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
}

/// An index: one image for several kinds of machines, or several images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Index {
    /// The manifests.
    pub manifests: Vec<Descriptor>,
}

/// Chain ids of layers, the lowest first: what engines call a layer together with all below it.
pub fn chain_ids(diff_ids: &[String]) -> Vec<String> {
    let mut chain: Vec<String> = Vec::with_capacity(diff_ids.len());
    for diff in diff_ids {
        let id = match chain.last() {
            None => diff.clone(),
            Some(below) => sha256(format!("{below} {diff}").as_bytes()),
        };
        chain.push(id);
    }
    chain
}

/// `sha256:` and the digest of bytes.
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether a text is a digest that may be the name of a file: `ALGORITHM:HEX`.
pub fn is_digest(text: &str) -> bool {
    let is_hex = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_once(':')
        .is_some_and(|(kind, hex)| matches!(kind, "sha256" | "sha512") && is_hex(hex))
}

/// A configuration read from its bytes, which must be those of its digest.
pub fn config(bytes: &[u8], digest: &str) -> Result<Config, String> {
    document(bytes, digest, "configuration")
}

/// A manifest read from its bytes, which must be those of its digest.
pub fn manifest(bytes: &[u8], digest: &str) -> Result<Manifest, String> {
    document(bytes, digest, "manifest")
}

/// An index read from its bytes, which must be those of its digest.
pub fn index(bytes: &[u8], digest: &str) -> Result<Index, String> {
    document(bytes, digest, "index")
}

fn document<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    digest: &str,
    what: &str,
) -> Result<T, String> {
    if digest.starts_with("sha256:") && sha256(bytes) != digest {
        return Err(format!("the image's {what} does not have the digest that it is named by"));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| format!("the image's {what} is not what it should be: {error}"))
}

impl Conformance {
    /// Notes what became of the configuration.
    pub fn note_config<T>(&mut self, read: Option<&Result<T, String>>) {
        self.config = self.state(read);
    }

    /// Notes what became of the manifest.
    pub fn note_manifest<T>(&mut self, read: Option<&Result<T, String>>) {
        self.manifest = self.state(read);
    }

    fn state<T>(&mut self, read: Option<&Result<T, String>>) -> DocumentState {
        match read {
            None => DocumentState::Absent,
            Some(Ok(_)) => DocumentState::Valid,
            Some(Err(error)) => {
                self.detail.get_or_insert_with(|| error.clone());
                DocumentState::Invalid
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_ids_are_the_engines() {
        // Those of the store docker-overlay2-small, whose layerdb names them.
        assert_eq!(chain_ids(&["sha256:aa".to_owned()]), ["sha256:aa"]);
        let two = chain_ids(&["sha256:aa".to_owned(), "sha256:bb".to_owned()]);
        assert_eq!(two[1], sha256(b"sha256:aa sha256:bb"));
    }

    #[test]
    fn a_digest_is_no_path() {
        assert!(is_digest("sha256:0aF"));
        for bad in ["sha256:", "sha256:../x", "md5:00", "00", "sha256:0/0"] {
            assert!(!is_digest(bad), "{bad}");
        }
    }
}
