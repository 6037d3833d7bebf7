//! Archives of images and layers in them: plain ones are read where they lie, packed ones are unpacked once, to a
//! file without a name.

use crate::block::{BlockSource, FileSource, ReadError};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

pub use image_formats::{Error, Limits, Watch};

/// Bytes that are read at once for a digest.
const STRIDE: usize = 256 << 10;

/// Something that may have been packed.
pub struct Plain {
    /// It, unpacked.
    pub source: Arc<dyn BlockSource>,
    /// Why there is no more, if what was packed was cut off.
    pub cut: Option<Error>,
}

/// Opens an archive that the user named.
pub fn open(path: &Path, limits: &Limits, watch: Watch) -> Result<Plain, Error> {
    let kind = std::fs::metadata(path)?.file_type();
    // A pipe would be waited for until someone writes into it.
    if !kind.is_file() {
        return Err(Error::Unsupported { feature: "what is no file as an archive".to_owned() });
    }
    plain(Arc::new(FileSource::open(path)?), limits, watch)
}

/// Unpacks what is packed.
pub fn plain(source: Arc<dyn BlockSource>, limits: &Limits, watch: Watch) -> Result<Plain, Error> {
    Ok(match image_formats::unpack(&source, limits, watch)? {
        Some(stream) => Plain { source: Arc::new(FileSource::new(stream.file)?), cut: stream.cut },
        None => Plain { source, cut: None },
    })
}

/// Whether bytes have the digest that they are named by; one of another kind than `sha256` is not checked.
pub fn has_digest(source: &dyn BlockSource, digest: &str) -> Result<bool, ReadError> {
    let Some(said) = digest.strip_prefix("sha256:") else { return Ok(true) };
    let (mut hash, mut at, mut buffer) = (Sha256::new(), 0, vec![0; STRIDE]);
    while at < source.size() {
        let left = usize::try_from(source.size() - at).unwrap_or(usize::MAX);
        let bytes = &mut buffer[..left.min(STRIDE)];
        source.read_exact_at(at, bytes)?;
        hash.update(&*bytes);
        at += bytes.len() as u64;
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text == said)
}
