//! A store made by hand: databases, folders and documents.

use crate::containers::oci::sha256;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: usize = 4096;
const TIME: &[u8] = b"\x01\x00\x00\x00\x0e\xe2\x96pE2I?\x8d\xff\xff";

/// What a key stands for.
#[derive(Clone)]
pub enum Node {
    Value(Vec<u8>),
    Bucket(BTreeMap<String, Node>),
}

pub fn value(value: impl AsRef<[u8]>) -> Node {
    Node::Value(value.as_ref().to_vec())
}

pub fn bucket<const N: usize>(nodes: [(&str, Node); N]) -> Node {
    Node::Bucket(nodes.into_iter().map(|(key, node)| (key.to_owned(), node)).collect())
}

pub fn texts(texts: &[(&str, &str)]) -> Node {
    Node::Bucket(texts.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect())
}

/// A protobuf `Any` around JSON.
pub fn any(json: &str) -> Node {
    let mut bytes = b"\x0a\x01T\x12".to_vec();
    let mut length = json.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(json.as_bytes());
    Node::Value(bytes)
}

/// A store in a temporary folder.
pub struct Made {
    folder: tempfile::TempDir,
    /// `v1` of `meta.db`.
    pub records: Node,
    /// Of each snapshotter, `v1/snapshots`.
    pub snapshots: BTreeMap<String, Node>,
}

impl Made {
    pub fn new() -> Self {
        let (folder, records) = (tempfile::tempdir().unwrap(), bucket([]));
        Self { folder, records, snapshots: BTreeMap::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a node at a path of `meta.db`.
    pub fn put(&mut self, path: &[&str], node: Node) {
        put(&mut self.records, path, node);
    }

    /// A snapshot, its folder beside it; without a parent if that is empty.
    pub fn snapshot(&mut self, snapshotter: &str, key: &str, id: u8, kind: u8, parent: &str) {
        let name = |key: &str| if key.is_empty() { String::new() } else { format!("n/1/{key}") };
        let record = bucket([("name", value(name(key))), ("parent", value(parent))]);
        self.put(&["n", "snapshots", snapshotter, key], record);
        let mut own = bucket([("id", value([id])), ("kind", value([kind]))]);
        if !parent.is_empty() {
            put(&mut own, &["parent"], value(name(parent)));
        }
        let known = self.snapshots.entry(snapshotter.to_owned()).or_insert_with(|| bucket([]));
        put(known, &[&name(key)], own);
        let folder = format!("io.containerd.snapshotter.v1.{snapshotter}/snapshots/{id}");
        fs::create_dir_all(self.folder.path().join(&folder).join("fs")).unwrap();
        if kind == 2 {
            fs::create_dir_all(self.folder.path().join(&folder).join("work")).unwrap();
        }
    }

    /// A container on a snapshot of its own.
    pub fn container(&mut self, id: &str, snapshotter: &str, fields: &[(&str, Node)]) {
        let record = bucket([
            ("createdat", value(TIME)),
            ("image", value("docker.io/a:1")),
            ("snapshotter", value(snapshotter)),
            ("snapshotKey", value(id)),
            ("spec", any("{}")),
        ]);
        self.put(&["n", "containers", id], record);
        for (key, node) in fields {
            self.put(&["n", "containers", id, key], node.clone());
        }
    }

    /// A document of the content, by its digest.
    pub fn blob(&self, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        let name = &digest["sha256:".len()..];
        self.file(&format!("io.containerd.content.v1.content/blobs/sha256/{name}"), bytes);
        digest
    }

    pub fn file(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes the databases.
    pub fn write(&self) -> &Path {
        let records = bucket([("v1", self.records.clone())]);
        self.file(super::super::DATABASE, &database(&records));
        for (name, known) in &self.snapshots {
            let known = bucket([("v1", bucket([("snapshots", known.clone())]))]);
            let file = format!("io.containerd.snapshotter.v1.{name}/metadata.db");
            self.file(&file, &database(&known));
        }
        self.path()
    }
}

pub fn put(node: &mut Node, path: &[&str], new: Node) {
    let Node::Bucket(nodes) = node else { panic!("{path:?} is below a value") };
    match path {
        [last] => drop(nodes.insert((*last).to_owned(), new)),
        [first, rest @ ..] => {
            put(nodes.entry((*first).to_owned()).or_insert_with(|| bucket([])), rest, new);
        }
        [] => unreachable!(),
    }
}

/// A database of bbolt, each bucket in pages of its own.
pub fn database(root: &Node) -> Vec<u8> {
    let mut bytes = vec![0; 2 * PAGE];
    let root = state(root, &mut bytes);
    metas(bytes, [root, root])
}

/// A database with the state before the newest one.
pub fn with_older(older: &Node, newest: &Node) -> Vec<u8> {
    let mut bytes = vec![0; 2 * PAGE];
    let roots = [state(older, &mut bytes), state(newest, &mut bytes)];
    metas(bytes, roots)
}

fn state(root: &Node, bytes: &mut Vec<u8>) -> u64 {
    let Node::Bucket(nodes) = root else { panic!("a root that is a value") };
    leaf(nodes, bytes)
}

fn metas(mut bytes: Vec<u8>, roots: [u64; 2]) -> Vec<u8> {
    let pages = (bytes.len() / PAGE) as u64;
    for (number, root) in roots.into_iter().enumerate() {
        let meta = &mut bytes[PAGE * number + 16..][..64];
        for (at, word) in [0xed0c_daed_u32, 2, PAGE as u32, 0].into_iter().enumerate() {
            meta[4 * at..][..4].copy_from_slice(&word.to_le_bytes());
        }
        for (at, word) in [(16, root), (32, u64::MAX), (40, pages), (48, number as u64)] {
            meta[at..][..8].copy_from_slice(&word.to_le_bytes());
        }
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        let sum = meta[..56].iter().fold(0xcbf2_9ce4_8422_2325, step);
        meta[56..].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

/// Adds the pages of a bucket and those in it, a branch above leaves where one leaf does not hold all; the
/// number of the first.
fn leaf(nodes: &BTreeMap<String, Node>, bytes: &mut Vec<u8>) -> u64 {
    let (mut leaves, mut items, mut size) = (Vec::new(), Vec::new(), 0);
    for (key, node) in nodes {
        let (kind, stored) = match node {
            Node::Value(value) => (0_u32, value.clone()),
            Node::Bucket(nodes) => (1, [leaf(nodes, bytes).to_le_bytes(), [0; 8]].concat()),
        };
        let own = 16 + key.len() + stored.len();
        if size + own > PAGE - 16 && !items.is_empty() {
            leaves.push(page(2, &std::mem::take(&mut items), bytes));
            size = 0;
        }
        size += own;
        items.push((key.clone(), kind, stored));
    }
    leaves.push(page(2, &items, bytes));
    let [(_, only)] = &*leaves else {
        let below = leaves.into_iter().map(|(key, at)| (key, 0, at.to_le_bytes().to_vec()));
        return page(1, &below.collect::<Vec<_>>(), bytes).1;
    };
    *only
}

/// Adds a page; its first key and its number. What a branch has for a value is a page's number.
fn page(flags: u16, items: &[(String, u32, Vec<u8>)], bytes: &mut Vec<u8>) -> (String, u64) {
    let (mut slots, mut data) = (Vec::new(), Vec::new());
    for (index, (key, kind, stored)) in items.iter().enumerate() {
        let position = (16 * (items.len() - index) + data.len()) as u32;
        let words = [*kind, position, key.len() as u32, stored.len() as u32];
        data.extend_from_slice(key.as_bytes());
        if flags == 1 {
            words[1..3].iter().for_each(|word| slots.extend_from_slice(&word.to_le_bytes()));
            slots.extend_from_slice(stored);
        } else {
            for word in &words {
                slots.extend_from_slice(&word.to_le_bytes());
            }
            data.extend_from_slice(stored);
        }
    }
    let pages = (16 + slots.len() + data.len()).div_ceil(PAGE);
    let number = (bytes.len() / PAGE) as u64;
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&flags.to_le_bytes());
    bytes.extend_from_slice(&(items.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&(pages as u32 - 1).to_le_bytes());
    bytes.extend_from_slice(&slots);
    bytes.extend_from_slice(&data);
    bytes.resize((number as usize + pages) * PAGE, 0);
    (items.first().map(|(key, ..)| key.clone()).unwrap_or_default(), number)
}
