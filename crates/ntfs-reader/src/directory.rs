//! What a directory holds: <https://flatcap.github.io/linux-ntfs/ntfs/concepts/directory.html>.
//!
//! All nodes that the index's bitmap says are in use are read, in the order in which they are
//! stored, not from parent to child: a damaged node costs the names that it holds, not those of
//! its children.

use crate::error::Damage;
use crate::file::{DOS, FIRST_USER, File, FileName, FileReference, Kind, ROOT};
use crate::index::{Index, NAMES};
use crate::record::kind;
use crate::{Error, Ntfs, name};

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
    pub(crate) fn visit(
        &self,
        directory: &File,
        see: &mut dyn FnMut(FileName, FileReference),
    ) -> Result<Damage, Error> {
        check_directory(directory)?;
        let mut damage = directory.damage.clone();
        let index = self.index(directory, &mut damage)?;
        show(&index, &index.root, &mut damage, see);
        let bitmap = self.bitmap(directory, &index, &mut damage);
        let size = index.size.min(MOST_BYTES);
        if index.size > size {
            damage.note(Error::unsupported(format!("a directory of {} bytes", index.size)));
        }
        self.disk.device.will_need(&self.index_ranges(directory, 0, size).unwrap_or_default());
        let piece = PIECE / index.node_size;
        for first in (0..size / index.node_size).step_by(piece as usize) {
            let end = (size / index.node_size).min(first + piece);
            let used = (first..end).filter(|node| is_set(&bitmap, *node));
            self.visit_piece(&index, &used.collect::<Vec<_>>(), &mut damage, see);
        }
        Ok(damage)
    }

    /// Reads nodes that are near each other at once, or, if some cannot be read, one by one.
    fn visit_piece(
        &self,
        index: &Index,
        nodes: &[u64],
        damage: &mut Damage,
        see: &mut dyn FnMut(FileName, FileReference),
    ) {
        let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return };
        let size = index.node_size;
        let start = first * size;
        let mut bytes = vec![0; ((last + 1) * size - start) as usize];
        let whole = self.disk.read(&index.runs, start, &mut bytes).is_ok();
        for node in nodes {
            let offset = node * size;
            let at = (offset - start) as usize;
            let bytes = &mut bytes[at..at + size as usize];
            let read = if whole { Ok(()) } else { self.disk.read(&index.runs, offset, bytes) };
            match read.and_then(|()| index.open_node(offset, bytes)) {
                Ok(entries) => show(index, entries, damage, see),
                Err(error) => damage.note(error),
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

/// Shows the names of one node.
fn show(
    index: &Index,
    node: &[u8],
    damage: &mut Damage,
    see: &mut dyn FnMut(FileName, FileReference),
) {
    for entry in index.entries(node) {
        match entry {
            Ok(entry) => {
                let Some((name, file)) = entry.named else { continue };
                if name.name.iter().any(|unit| *unit == 0 || *unit == u16::from(b'/')) {
                    damage
                        .note(Error::corrupt("name that no path can hold of file", file.number()));
                } else {
                    see(name, file);
                }
            }
            Err(flaw) => damage.note(flaw),
        }
    }
}
