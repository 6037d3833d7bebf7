//! What a directory holds: <https://flatcap.github.io/linux-ntfs/ntfs/concepts/directory.html>.
//!
//! All nodes that the index's bitmap says are in use are read, in the order in which they are
//! stored, not from parent to child: a damaged node costs the names that it holds, not those of
//! its children. Nodes that only their parents tell of are read too, and are damage.

use crate::error::Damage;
use crate::file::{DOS, FIRST_USER, File, FileName, FileReference, Kind, ROOT};
use crate::index::{Index, NAMES};
use crate::record::kind;
use crate::{Error, Ntfs, name};
use std::collections::BTreeSet;

/// What is done with each name.
type See<'a> = &'a mut dyn FnMut(FileName, FileReference);

/// A name and the file it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name, WTF-8; never empty, without `/` and NUL.
    pub name: Vec<u8>,
    /// The file, which the directory says but nothing has proven to be there still.
    pub file: FileReference,
}

/// What a directory holds, and what of it could not be read.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// All entries that were read, sorted by name; neither `.` and `..`, nor short names of DOS,
    /// nor the system's files.
    pub entries: Vec<Entry>,
    /// What was damaged; empty if the listing is whole.
    pub damage: Damage,
}

/// Only the start of larger directories is listed: more than a million entries.
const MOST_BYTES: u64 = 256 << 20;
/// Nodes are read in pieces of this size.
const PIECE: u64 = 256 << 10;

impl Ntfs {
    /// The entries of a directory. Fails only if the file is not a directory, or the root of its
    /// index is lost; all other damage is told in the listing.
    pub fn read_dir(&self, directory: &File) -> Result<Listing, Error> {
        let mut entries = Vec::new();
        let damage = self.visit(directory, &mut |stored, file| {
            if !is_hidden(directory, &stored, file) {
                entries.push(Entry { name: name::to_wtf8(&stored.name), file });
            }
        })?;
        // What a half-written split of a node shows twice is there once.
        entries.sort();
        entries.dedup();
        Ok(Listing { entries, damage })
    }

    /// Shows all names to `see`, but those that no path can hold.
    pub(crate) fn visit(&self, directory: &File, see: See) -> Result<Damage, Error> {
        check_directory(directory)?;
        let mut damage = directory.damage.clone();
        let index = &self.index(directory, &mut damage)?;
        let bitmap = self.bitmap(directory, index, &mut damage);
        let mut walk = Walk { index, see, damage, seen: BTreeSet::new(), told: BTreeSet::new() };
        walk.show(&index.root);
        let size = index.size.min(MOST_BYTES);
        if index.size > size {
            walk.damage.note(Error::unsupported(format!("a directory of {} bytes", index.size)));
        }
        self.disk.device.will_need(&self.index_ranges(directory, 0, size).unwrap_or_default());
        let (all, piece) = (size / index.node_size, PIECE / index.node_size);
        for first in (0..all).step_by(piece as usize) {
            let used = (first..all.min(first + piece)).filter(|node| is_set(&bitmap, *node));
            self.visit_piece(&mut walk, &used.collect::<Vec<_>>());
        }
        self.visit_denied(&mut walk);
        Ok(walk.damage)
    }

    /// Nodes to which others lead although the bitmap does not tell of them.
    fn visit_denied(&self, walk: &mut Walk) {
        while let Some(offset) = walk.told.pop_first() {
            if walk.seen.contains(&offset) || walk.seen.len() as u64 > MOST_BYTES / 512 {
                continue;
            }
            walk.seen.insert(offset);
            let what = "index node that is not known to be in use in directory";
            walk.damage.note(Error::corrupt(what, walk.index.directory));
            match self.read_node(walk.index, offset) {
                Ok(entries) => walk.show(&entries),
                Err(error) => walk.damage.note(error),
            }
        }
    }

    /// Reads nodes that are near each other at once, or, if some cannot be read, one by one.
    fn visit_piece(&self, walk: &mut Walk, nodes: &[u64]) {
        let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return };
        let (index, size) = (walk.index, walk.index.node_size);
        let start = first * size;
        let mut bytes = vec![0; ((last + 1) * size - start) as usize];
        let whole = self.disk.read(&index.runs, start, &mut bytes).is_ok();
        for node in nodes {
            let offset = node * size;
            walk.seen.insert(offset);
            let at = (offset - start) as usize;
            let bytes = &mut bytes[at..at + size as usize];
            let read = if whole { Ok(()) } else { self.disk.read(&index.runs, offset, bytes) };
            match read.and_then(|()| index.open_node(offset, bytes)) {
                Ok(entries) => walk.show(entries),
                Err(error) => walk.damage.note(error),
            }
        }
    }

    /// Which nodes are in use. If that is lost, all are looked at: those that are not may hold
    /// names of files that are gone.
    fn bitmap(&self, directory: &File, index: &Index, damage: &mut Damage) -> Vec<u8> {
        let all = || vec![0xff; (index.size.min(MOST_BYTES) / index.node_size / 8 + 1) as usize];
        if index.size == 0 {
            return Vec::new();
        }
        let bitmap = match directory.table.find(kind::BITMAP, &NAMES) {
            Ok(Some(bitmap)) => self.value(&directory.table, bitmap, MOST_BYTES / 512 / 8),
            Ok(None) => Err(directory.corrupt("index without bitmap of directory")),
            Err(error) => Err(error),
        };
        bitmap.unwrap_or_else(|error| {
            damage.note(error);
            all()
        })
    }
}

pub fn check_directory(file: &File) -> Result<(), Error> {
    if file.kind != Kind::Directory {
        return Err(file.corrupt("not a directory: file"));
    }
    Ok(())
}

fn is_set(bitmap: &[u8], node: u64) -> bool {
    let byte = usize::try_from(node / 8).ok().and_then(|at| bitmap.get(at));
    byte.is_some_and(|byte| byte >> (node % 8) & 1 != 0)
}

/// Short names, the system's files in the root, and the root itself, which it names too.
fn is_hidden(directory: &File, stored: &FileName, file: FileReference) -> bool {
    let system = directory.reference.number() == ROOT && file.number() < FIRST_USER;
    system || stored.namespace == DOS
}

/// A directory that is being read.
struct Walk<'a> {
    index: &'a Index,
    see: See<'a>,
    damage: Damage,
    /// Where the nodes start that were looked at.
    seen: BTreeSet<u64>,
    /// Where those start to which other nodes lead.
    told: BTreeSet<u64>,
}

impl Walk<'_> {
    /// Shows the names of one node.
    fn show(&mut self, node: &[u8]) {
        for entry in self.index.entries(node) {
            match entry {
                Ok(entry) => {
                    self.told.extend(entry.child);
                    if let Some((name, file)) = entry.named {
                        self.show_name(name, file);
                    }
                }
                Err(flaw) => self.damage.note(flaw),
            }
        }
    }

    fn show_name(&mut self, name: FileName, file: FileReference) {
        if name.name.iter().any(|unit| *unit == 0 || *unit == u16::from(b'/')) {
            let what = "name that no path can hold of file";
            self.damage.note(Error::corrupt(what, file.number()));
        } else {
            (self.see)(name, file);
        }
    }
}
