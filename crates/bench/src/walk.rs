//! Everything in a filesystem, folder by folder, on one thread or several.

use crate::reader::{Kind, Reader};
use anyhow::{Context, Result};
use std::fmt;
use std::io::{BufWriter, Stdout, Write, stdout};
use std::sync::{Condvar, Mutex, PoisonError};

/// What is done with all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Names are shown.
    List,
    /// Content is read.
    Read,
}

/// Bytes that are asked for at once, as a scanner would of large files.
const BUFFER: usize = 1 << 20;
/// Errors that are shown; the rest is only counted.
const MOST_SHOWN: u64 = 5;

/// What was seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    files: u64,
    folders: u64,
    others: u64,
    bytes: u64,
    errors: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self { files, folders, others, bytes, errors } = self;
        write!(out, "{files}\t{folders}\t{others}\t{bytes}\t{errors}")
    }
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.folders += other.folders;
        self.others += other.others;
        self.bytes += other.bytes;
        self.errors += other.errors;
    }

    fn error(&mut self, error: &anyhow::Error) {
        self.errors += 1;
        if self.errors <= MOST_SHOWN {
            eprintln!("{error:#}");
        }
    }
}

/// Walks on one thread, for readers that know only one.
pub fn walk<R: Reader>(reader: &R, operation: Operation) -> Result<Totals> {
    let mut worker = Worker::new(reader, operation);
    let mut todo = vec![Folder { path: Vec::new(), place: reader.root() }];
    while let Some(folder) = todo.pop() {
        worker.folder(&folder, &mut todo);
    }
    worker.end()
}

/// Walks on several threads, each of which takes the next folder that was found.
pub fn walk_on_threads<R: Reader + Sync>(
    reader: &R,
    operation: Operation,
    threads: usize,
) -> Result<Totals> {
    if threads < 2 {
        return walk(reader, operation);
    }
    let queue = Queue::new(Folder { path: Vec::new(), place: reader.root() });
    let work = || {
        let mut worker = Worker::new(reader, operation);
        while let Some(folder) = queue.next() {
            let mut found = Vec::new();
            worker.folder(&folder, &mut found);
            queue.done(found);
        }
        worker.end()
    };
    let each = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        started
            .into_iter()
            .map(|thread| thread.join().expect("a worker panicked"))
            .collect::<Vec<_>>()
    });
    let mut totals = Totals::default();
    for one in each {
        totals.add(one?);
    }
    Ok(totals)
}

struct Folder<Place> {
    path: Vec<u8>,
    place: Place,
}

/// One thread's part of the walk.
struct Worker<'a, R> {
    reader: &'a R,
    operation: Operation,
    totals: Totals,
    buffer: Vec<u8>,
    out: BufWriter<Stdout>,
}

impl<'a, R: Reader> Worker<'a, R> {
    fn new(reader: &'a R, operation: Operation) -> Self {
        let buffer = if operation == Operation::Read { vec![0; BUFFER] } else { Vec::new() };
        let out = BufWriter::with_capacity(1 << 16, stdout());
        Self { reader, operation, totals: Totals::default(), buffer, out }
    }

    /// Looks at all that a folder holds; the folders in it are left for later.
    fn folder(&mut self, folder: &Folder<R::Place>, found: &mut Vec<Folder<R::Place>>) {
        self.totals.folders += 1;
        let entries = self
            .reader
            .open(&folder.place)
            .and_then(|directory| self.reader.list(&folder.place, &directory));
        let entries = entries.unwrap_or_else(|error| {
            self.totals.error(&error.context(shown(&folder.path)));
            Vec::new()
        });
        for entry in entries {
            let path = [&folder.path[..], b"/", &entry.name].concat();
            match self.entry(&path, &entry.place).with_context(|| shown(&path)) {
                Ok(Kind::Directory) => found.push(Folder { path, place: entry.place }),
                Ok(Kind::File) => self.totals.files += 1,
                Ok(Kind::Other) => self.totals.others += 1,
                Err(error) => self.totals.error(&error),
            }
        }
    }

    fn entry(&mut self, path: &[u8], place: &R::Place) -> Result<Kind> {
        let file = self.reader.open(place)?;
        let kind = self.reader.kind(&file);
        match (self.operation, kind) {
            (Operation::List, _) => self.show(path, place, kind)?,
            (Operation::Read, Kind::File) => {
                self.totals.bytes += self.reader.read(place, &file, &mut self.buffer)?;
            }
            (Operation::Read, _) => {}
        }
        Ok(kind)
    }

    /// A line like those of `fls -r -p`.
    fn show(&mut self, path: &[u8], place: &R::Place, kind: Kind) -> Result<()> {
        let letter = match kind {
            Kind::Directory => 'd',
            Kind::File => 'r',
            Kind::Other => 'l',
        };
        write!(self.out, "{letter} {}:\t", self.reader.number(place))?;
        self.out.write_all(path)?;
        Ok(self.out.write_all(b"\n")?)
    }

    fn end(mut self) -> Result<Totals> {
        self.out.flush()?;
        Ok(self.totals)
    }
}

fn shown(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path).trim_start_matches('/'))
}

/// Folders that nobody looked at yet.
struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    todo: Vec<T>,
    /// Threads that look at a folder now, and may find more.
    busy: usize,
}

impl<T> Queue<T> {
    fn new(first: T) -> Self {
        let state = State { todo: vec![first], busy: 0 };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits for a folder; none if all are done.
    fn next(&self) -> Option<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(next) = state.todo.pop() {
                state.busy += 1;
                return Some(next);
            }
            if state.busy == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self, found: Vec<T>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.busy -= 1;
        state.todo.extend(found);
        drop(state);
        self.changed.notify_all();
    }
}
