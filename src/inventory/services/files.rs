//! Small files that are read together: their blocks are asked for at once, in the order of the disk.

use crate::host::{Kind, Located, Part, Tree};
use crate::model::{Gap, GapReason, printable};
use std::collections::{BTreeMap, HashMap};

/// Bytes that a unit or crontab may have.
const LARGEST: u64 = 256 << 10;
/// Bytes that all of them may have.
const MOST_BYTES: usize = 16 << 20;
/// Folders whose blocks are asked for at once.
const MOST_WARM: usize = 64;
/// Entries of all folders that are looked at.
const MOST_ENTRIES: usize = 1 << 16;

/// Files by their paths.
#[derive(Default)]
pub struct Files {
    wanted: BTreeMap<Vec<u8>, Located>,
    texts: HashMap<Vec<u8>, String>,
    bytes: usize,
}

/// A name in a folder.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name.
    pub name: Vec<u8>,
    /// Its path.
    pub path: Vec<u8>,
    /// What it names, a link itself and not what it leads to.
    pub at: Located,
    /// What the folder says that it is, if it says anything.
    pub kind: Option<Kind>,
}

/// Has the blocks of folders fetched, of all at the same time: each path is a chain of blocks of its own.
pub fn warm<'a>(tree: &Tree, folders: impl Iterator<Item = &'a [u8]>) {
    std::thread::scope(|scope| {
        for folder in folders.take(MOST_WARM) {
            scope.spawn(move || tree.read_ahead(folder));
        }
    });
}

/// Lists folders, of which links may show a large one many times.
pub struct Lists {
    /// Entries that may still be met.
    left: usize,
}

impl Default for Lists {
    fn default() -> Self {
        Self { left: MOST_ENTRIES }
    }
}

impl Lists {
    /// What is in a folder, by name.
    pub fn list(&mut self, tree: &Tree, folder: &[u8], gaps: &mut Vec<Gap>) -> Vec<Named> {
        if self.left == 0 {
            return Vec::new();
        }
        // What cannot be found is told by the listing.
        let Ok(Some(at)) = tree.find(folder) else {
            tree.list(folder, gaps);
            return Vec::new();
        };
        let entries = tree.list(folder, gaps);
        let taken = entries.len().min(self.left);
        if taken < entries.len() {
            let detail = format!("more than {MOST_ENTRIES} entries of units and of cron");
            gaps.push(Gap::new(printable(folder), GapReason::Limit, detail));
        }
        self.left -= taken;
        let named = entries.into_iter().take(taken).map(|entry| Named {
            path: [folder, b"/", &entry.name].concat(),
            at: at.beside(entry.node),
            kind: entry.kind,
            name: entry.name,
        });
        named.collect()
    }
}

impl Files {
    /// Has a file read with the next ones.
    pub fn want(&mut self, path: &[u8], at: Located) {
        if !self.texts.contains_key(path) {
            self.wanted.insert(path.to_vec(), at);
        }
    }

    /// Has the file of a path read with the next ones, if there is one.
    pub fn want_path(&mut self, tree: &Tree, path: &[u8], gaps: &mut Vec<Gap>) {
        match tree.find(path) {
            Ok(Some(at)) => self.want(path, at),
            Ok(None) => {}
            Err(error) => gaps.push(Gap::new(printable(path), error.reason(), error)),
        }
    }

    /// Reads what is wanted.
    pub fn read(&mut self, tree: &Tree, gaps: &mut Vec<Gap>) {
        let wanted: Vec<_> = std::mem::take(&mut self.wanted).into_iter().collect();
        let nodes: Vec<Located> = wanted.iter().map(|(_, at)| *at).collect();
        tree.ask_for_metadata(nodes.iter().copied());
        // A link is followed by its path.
        for (path, at) in &wanted {
            if tree.metadata(*at).is_ok_and(|it| it.kind == Kind::File) {
                tree.remember(path, *at);
            }
        }
        let plan = tree.plan(&nodes, Part::Start(LARGEST));
        while let Some(index) = plan.next(tree) {
            self.take(tree, &wanted[index].0, gaps);
        }
        tree.forget();
    }

    fn take(&mut self, tree: &Tree, path: &[u8], gaps: &mut Vec<Gap>) {
        if self.bytes > MOST_BYTES {
            let detail = format!("units and crontabs of more than {} MiB", MOST_BYTES >> 20);
            return gaps.push(Gap::new(printable(path), GapReason::Limit, detail));
        }
        match tree.read(path, LARGEST) {
            Ok(Some(bytes)) => {
                self.bytes += bytes.len();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.texts.insert(path.to_vec(), text);
            }
            Ok(None) => {}
            Err(error) => gaps.push(Gap::new(printable(path), error.reason(), error)),
        }
    }

    /// What a file says, if it was read.
    pub fn text(&self, path: &[u8]) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }
}
