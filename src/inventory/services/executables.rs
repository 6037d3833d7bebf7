//! Where programs of services are, over `PATH` and links, and which package they belong to.

use super::{Command, Owners, Started};
use crate::host::{Kind, Tree};
use crate::model::Service;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Where systemd and shells look if nothing else is said.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Folders of a `PATH` that are looked through.
const MOST_FOLDERS: usize = 32;
/// Programs that are looked up at the same time.
const AT_ONCE: usize = 16;

/// The services with their programs. Each lookup waits for its own blocks, and each program is looked up once.
pub fn look_up(tree: &Tree, started: Vec<Started>, owners: &Owners) -> Vec<Service> {
    let commands: BTreeSet<&Command> =
        started.iter().filter_map(|it| it.command.as_ref()).collect();
    let places = places(tree, &commands.into_iter().cloned().collect::<Vec<_>>());
    let all = started.into_iter().map(|it| {
        let place = it.command.as_ref().and_then(|command| places.get(command));
        let Some(Place { path, real }) = place else { return it.with(None, None) };
        let owner = real.as_deref().and_then(|real| owners.of(real));
        it.with(Some(path), owner.or_else(|| owners.of(path)))
    });
    all.collect()
}

fn places(tree: &Tree, commands: &[Command]) -> BTreeMap<Command, Place> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(commands.len()) {
            scope.spawn(|| {
                while let Some(command) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let place = place(tree, command);
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.insert(command.clone(), place);
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Where a program is.
#[derive(Debug, Clone)]
struct Place {
    /// As the host names it.
    path: Vec<u8>,
    /// Without links, if it is there.
    real: Option<Vec<u8>>,
}

fn place(tree: &Tree, command: &Command) -> Place {
    let program = command.program.as_bytes();
    if program.contains(&b'/') {
        return Place { path: program.to_vec(), real: real(tree, program) };
    }
    let folders = command.path.as_deref().unwrap_or(PATH).split(':');
    let folders = folders.filter(|folder| folder.starts_with('/')).take(MOST_FOLDERS);
    let mut paths = folders.map(|folder| [folder.as_bytes(), b"/", program].concat());
    let found = paths.find_map(|path| Some((real(tree, &path)?, path)));
    match found {
        Some((real, path)) => Place { path, real: Some(real) },
        None => Place { path: program.to_vec(), real: None },
    }
}

/// The path without links of a file; a gap of it was told by the walk.
fn real(tree: &Tree, path: &[u8]) -> Option<Vec<u8>> {
    let at = tree.find(path).ok()??;
    tree.metadata(at).ok().filter(|it| it.kind == Kind::File)?;
    tree.real_path(path).ok()?
}
