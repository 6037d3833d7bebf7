//! Holds a reader against the kernel's word.

use crate::{Answer, Content, Digest, Metadata, Node, Probe, Subject, Tree};
use std::fmt::Debug;

/// After so many differences the rest is not looked at.
const MOST: usize = 50;
/// Names of a directory that are looked up where each lookup reads all of it.
const SAMPLED: usize = 200;

/// Something that the reader says otherwise than the kernel.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The file.
    pub path: String,
    /// What differs.
    pub what: String,
    /// The kernel's word.
    pub kernel: String,
    /// The reader's.
    pub reader: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { path, what, kernel, reader } = self;
        write!(out, "{path}: {what}: the kernel says {kernel}, the reader {reader}")
    }
}

/// All differences, at most about fifty.
pub fn compare<S: Subject>(tree: &Tree, subject: &S) -> Vec<Difference> {
    let mut comparison = Comparison { tree, subject, found: Vec::new() };
    let mut todo = vec![(Vec::new(), subject.root())];
    let mut seen = 0;
    while let Some((path, node)) = todo.pop() {
        if comparison.found.len() >= MOST {
            return comparison.found;
        }
        let Some(expected) = tree.nodes.get(&path) else { continue };
        seen += 1;
        comparison.metadata(&path, &node, expected);
        comparison.xattrs(&path, &node, expected);
        if let Content::Directory(lookups) = &expected.content {
            todo.extend(comparison.directory(&path, &node, lookups));
        } else {
            comparison.content(&path, &node, &expected.content);
        }
    }
    if comparison.found.is_empty() {
        comparison.check(b"", "files", &tree.nodes.len(), Ok(seen));
    }
    comparison.found
}

struct Comparison<'a, S: Subject> {
    tree: &'a Tree,
    subject: &'a S,
    found: Vec<Difference>,
}

impl<S: Subject> Comparison<'_, S> {
    fn check<T: PartialEq + Debug>(
        &mut self,
        path: &[u8],
        what: &str,
        kernel: &T,
        reader: Answer<T>,
    ) {
        if reader.as_ref() == Ok(kernel) {
            return;
        }
        let path = format!("/{}", String::from_utf8_lossy(path));
        let reader = reader.map_or_else(|error| error, |it| short(&it));
        self.found.push(Difference { path, what: what.to_owned(), kernel: short(kernel), reader });
    }

    /// Checks a part that the reader may not tell.
    fn part<T: PartialEq + Debug>(
        &mut self,
        path: &[u8],
        what: &str,
        kernel: &T,
        reader: Option<T>,
    ) {
        if let Some(reader) = reader {
            self.check(path, what, kernel, Ok(reader));
        }
    }

    fn metadata(&mut self, path: &[u8], node: &S::Node, expected: &Node) {
        let Metadata {
            kind,
            inode,
            mode,
            links,
            uid,
            gid,
            size,
            device,
            accessed,
            modified,
            changed,
            created,
        } = match self.subject.metadata(node) {
            Ok(found) => found,
            Err(error) => return self.check(path, "metadata", &(), Err(error)),
        };
        self.part(path, "kind", &expected.kind, kind);
        self.part(path, "inode", &expected.inode, inode);
        self.part(path, "mode", &expected.mode, mode);
        self.part(path, "links", &expected.links, links);
        self.part(path, "owner", &expected.uid, uid);
        self.part(path, "group", &expected.gid, gid);
        self.part(path, "size", &expected.size, size);
        self.part(path, "device", &expected.device, device);
        self.part(path, "access time", &expected.accessed, accessed);
        self.part(path, "modification time", &expected.modified, modified);
        self.part(path, "change time", &expected.changed, changed);
        if let Some(expected) = expected.created {
            self.part(path, "creation time", &expected, created);
        }
    }

    fn xattrs(&mut self, path: &[u8], node: &S::Node, expected: &Node) {
        let found = self.subject.xattrs(node);
        self.check(path, "extended attributes", &expected.xattrs, found);
    }

    /// Checks names; gives the files to go on with.
    fn directory(
        &mut self,
        path: &[u8],
        node: &S::Node,
        lookups: &[(Vec<u8>, Option<Vec<u8>>)],
    ) -> Vec<(Vec<u8>, S::Node)> {
        let mut listed = match self.subject.list(node) {
            Ok(listed) => listed,
            Err(error) => {
                self.check(path, "list", &(), Err(error));
                return Vec::new();
            }
        };
        listed.sort_by(|one, other| one.0.cmp(&other.0));
        self.names(path, &listed);
        let fast = listed.len() <= 1000 || self.subject.looks_up_fast(node);
        let step = if fast { 1 } else { listed.len().div_ceil(SAMPLED) };
        for (name, child) in listed.iter().step_by(step) {
            let found = self.subject.lookup(node, name);
            self.check(path, &lookup_of(name), &Some(child.clone()), found);
        }
        for (name, known_as) in lookups.iter().step_by(step.min(5)) {
            let child = known_as
                .as_ref()
                .and_then(|known| Some(listed.iter().find(|it| it.0 == *known)?.1.clone()));
            let found = self.subject.lookup(node, name);
            self.check(path, &lookup_of(name), &child, found);
        }
        let below =
            |name: Vec<u8>| if path.is_empty() { name } else { [path, b"/", &name].concat() };
        listed.into_iter().map(|(name, child)| (below(name), child)).collect()
    }

    fn names(&mut self, path: &[u8], listed: &[(Vec<u8>, S::Node)]) {
        let expected = self.tree.names(path);
        let found: Vec<&[u8]> = listed.iter().map(|(name, _)| &name[..]).collect();
        // Children of a folder are in the order of whole paths, where `/` sorts among the bytes.
        let mut sorted = expected;
        sorted.sort_unstable();
        if sorted == found {
            return;
        }
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let missing: Vec<_> = sorted
            .iter()
            .filter(|name| found.binary_search(name).is_err())
            .map(|it| text(it))
            .collect();
        let extra: Vec<_> = found
            .iter()
            .filter(|name| sorted.binary_search(name).is_err())
            .map(|it| text(it))
            .collect();
        let what = format!("names, missing {}, too many {}", short(&missing), short(&extra));
        self.check(path, &what, &sorted.len(), Ok(found.len()));
    }

    fn content(&mut self, path: &[u8], node: &S::Node, expected: &Content) {
        match expected {
            Content::Link(target) => {
                let found = self.subject.read_link(node);
                self.check(path, "target", target, found);
            }
            Content::File { whole, probes } => {
                for probe in whole.iter().chain(probes) {
                    self.probe(path, node, probe);
                }
            }
            Content::None | Content::Directory(_) => {}
        }
    }

    fn probe(&mut self, path: &[u8], node: &S::Node, probe: &Probe) {
        // Not zeroes: a hole must be written.
        let mut bytes = vec![0xaa; probe.length];
        let found = self.subject.read(node, probe.offset, &mut bytes);
        let found = found.map(|length| Digest::of(&bytes[..length.min(bytes.len())]));
        let what = format!("{} bytes from {}", probe.length, probe.offset);
        self.check(path, &what, &probe.found, found);
    }
}

fn lookup_of(name: &[u8]) -> String {
    format!("lookup of {:?}", String::from_utf8_lossy(name))
}

fn short(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    if text.chars().count() <= 400 {
        text
    } else {
        text.chars().take(400).chain("...".chars()).collect()
    }
}
