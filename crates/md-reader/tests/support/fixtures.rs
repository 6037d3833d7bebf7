//! The committed fixtures of LVM and md: images, and what the tools and the kernel said of them.

use md_reader::Device;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A row of `volumes.tsv`: a volume or array as the kernel read it.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    pub uuid: String,
    pub size: u64,
    pub sha256: String,
}

pub struct Fixture {
    pub name: String,
    /// Names of the images and what is in them.
    pub images: Vec<(String, Arc<Vec<u8>>)>,
    pub rows: Vec<Row>,
    /// Output of the tools.
    pub tools: String,
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../disk-fixtures").join(kind)
}

/// All fixtures of a kind, `lvm2` or `md`, one after the other.
pub fn all(kind: &str) -> impl Iterator<Item = Fixture> {
    let entries = fs::read_dir(folder(kind)).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names.into_iter().map(move |name| fixture(kind, &name))
}

pub fn fixture(kind: &str, name: &str) -> Fixture {
    let folder = folder(kind).join(name);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let images = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "zst"));
    let images = images.map(|path| {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let bytes = zstd::decode_all(fs::File::open(path).unwrap()).unwrap();
        (stem.trim_end_matches(".img").to_owned(), Arc::new(bytes))
    });
    let rows = fs::read_to_string(folder.join("volumes.tsv")).unwrap_or_default();
    let rows = rows.lines().map(|line| {
        let [name, uuid, size, sha256] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a row of four: {line}")
        };
        let size = size.parse().unwrap();
        Row { name: name.to_owned(), uuid: uuid.to_owned(), size, sha256: sha256.to_owned() }
    });
    Fixture {
        name: name.to_owned(),
        images: images.collect(),
        rows: rows.collect(),
        tools: fs::read_to_string(folder.join("tools.txt")).unwrap(),
    }
}

impl Fixture {
    /// All images but those left out.
    pub fn devices(&self, without: &[&str]) -> Vec<Device> {
        let images = self.images.iter().filter(|(name, _)| !without.contains(&name.as_str()));
        images
            .map(|(name, image)| Device { name: name.clone(), source: Arc::new(Arc::clone(image)) })
            .collect()
    }
}

/// The sum of all bytes, read in pieces of an odd size.
pub fn sha256(source: &dyn block_source::BlockSource) -> String {
    let (mut sum, mut at) = (Sha256::new(), 0);
    let mut bytes = vec![0; 300_001];
    while at < source.size() {
        let length = (source.size() - at).min(bytes.len() as u64) as usize;
        source.will_need(std::slice::from_ref(&(at..at + length as u64)));
        source.read_exact_at(at, &mut bytes[..length]).unwrap();
        sum.update(&bytes[..length]);
        at += length as u64;
    }
    sum.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
