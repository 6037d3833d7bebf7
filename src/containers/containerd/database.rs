//! A database of containerd, read with its damage: where a page of the newest state cannot be read, the state
//! before it is asked, which is told as a gap.

use super::values;
use crate::containers::store::Store;
use crate::host::read_reason;
use crate::model::{Gap, GapReason};
use bbolt_reader::{Database as Bolt, Entry, Error, Limits};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a value: a container's specification is the largest, and a message of containerd has 16 MiB.
const MOST_VALUE: u64 = 16 << 20;
/// Bytes that are read of a file, whatever its size, and as many as it has so many times.
const LEAST_READ: u64 = 256 << 20;
const TIMES_READ: u64 = 32;
const MOST_READ: u64 = 4 << 30;
/// Keys of one record.
const MOST_FIELDS: usize = 256;
/// Pages whose damage is told.
const MOST_PROBLEMS: usize = 100;

/// A file.
struct File {
    place: String,
    older: Option<Bolt>,
    problems: Mutex<BTreeSet<Gap>>,
}

/// A bucket of it.
#[derive(Clone)]
pub struct Bucket {
    file: Arc<File>,
    path: Arc<[Vec<u8>]>,
    /// None if the newest state of it is lost.
    newest: Option<bbolt_reader::Bucket>,
}

/// All that stands in a small bucket.
#[derive(Default)]
pub struct Record {
    pub values: BTreeMap<String, Vec<u8>>,
    pub buckets: BTreeMap<String, Bucket>,
    /// What of it could not be read.
    pub problem: Option<Gap>,
}

/// Opens a database; none if there is no such file.
pub fn open(store: &Store, path: &str) -> Result<Option<Bucket>, Gap> {
    use block_source::BlockSource;
    let Some(source) = store.positioned(path)? else { return Ok(None) };
    let read = source.size().saturating_mul(TIMES_READ).clamp(LEAST_READ, MOST_READ);
    let place = store.place(path);
    let opened = Bolt::open(Arc::new(source), Limits { value: MOST_VALUE, read });
    let newest = opened.map_err(|error| gap(&place, &error))?;
    let lost = newest.problem().map(|error| {
        let detail = format!("a state of it is lost, which may have been the newest: {error}");
        Gap::new(&place, reason(error), detail)
    });
    let (older, root) = (newest.older(), newest.root());
    let problems = Mutex::new(lost.into_iter().collect());
    let file = Arc::new(File { place, older, problems });
    Ok(Some(Bucket { file, path: Arc::default(), newest: Some(root) }))
}

impl Bucket {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Gap> {
        self.look(|bucket| bucket.get(key.as_bytes()))
    }

    /// The bucket of a name.
    pub fn bucket(&self, name: &str) -> Result<Option<Self>, Gap> {
        let newest = self.newest.as_ref().map(|bucket| bucket.bucket(name.as_bytes()));
        Ok(match newest {
            Some(Ok(newest)) => newest.map(|newest| self.inner(name, Some(newest))),
            Some(Err(error)) => {
                let older = self.older().and_then(|it| it.bucket(name.as_bytes()).ok().flatten());
                let gap = self.file.gap(&error);
                older.ok_or_else(|| gap.clone())?;
                self.file.note(gap);
                Some(self.inner(name, None))
            }
            None => {
                let older = self.older().map(|bucket| bucket.bucket(name.as_bytes()));
                let older = older.transpose().map_err(|error| self.file.gap(&error))?.flatten();
                older.map(|_| self.inner(name, None))
            }
        })
    }

    /// The bucket that is found by going through those of these names.
    pub fn nested(&self, names: &[&str]) -> Result<Option<Self>, Gap> {
        let mut bucket = self.clone();
        for name in names {
            let Some(inner) = bucket.bucket(name)? else { return Ok(None) };
            bucket = inner;
        }
        Ok(Some(bucket))
    }

    /// The buckets in it, at most so many, and whether there are more. Damage is a gap.
    pub fn buckets(&self, most: usize, gaps: &mut Vec<Gap>) -> (Vec<(String, Self)>, bool) {
        let (mut found, mut is_more) = (BTreeMap::new(), false);
        let mut damaged = self.newest.is_none();
        for (is_newest, bucket) in self.states() {
            if !is_newest && !damaged {
                break;
            }
            for entry in bucket.entries() {
                match entry {
                    Ok(Entry::Bucket { key, .. }) if found.contains_key(&key) => {}
                    Ok(Entry::Bucket { .. }) if found.len() >= most => {
                        is_more = true;
                        break;
                    }
                    Ok(Entry::Bucket { key, bucket }) => {
                        found.insert(key, is_newest.then_some(bucket));
                    }
                    Err(error) if is_newest => {
                        damaged = true;
                        push(gaps, self.file.gap(&error));
                    }
                    Ok(Entry::Value { .. }) | Err(_) => {}
                }
            }
        }
        let named = found.into_iter().filter_map(|(key, bucket)| {
            let name = String::from_utf8(key).ok()?;
            Some((name.clone(), self.inner(&name, bucket)))
        });
        (named.collect(), is_more)
    }

    /// All that stands in it, if it is no larger than records are.
    pub fn record(&self) -> Record {
        let mut record = Record::default();
        for (is_newest, bucket) in self.states() {
            if !is_newest && record.problem.is_none() && self.newest.is_some() {
                break;
            }
            for (index, entry) in bucket.entries().enumerate() {
                match entry {
                    _ if index >= MOST_FIELDS => {
                        record.problem.get_or_insert_with(|| self.file.too_many());
                        break;
                    }
                    Ok(entry) => record.add(self, entry, is_newest),
                    Err(error) if is_newest => {
                        record.problem.get_or_insert_with(|| self.file.gap(&error));
                    }
                    Err(_) => {}
                }
            }
        }
        record
    }

    /// What the damage of the file was that another state of it helped over; not told twice.
    pub fn problems(&self) -> BTreeSet<Gap> {
        std::mem::take(&mut *self.file.problems.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn look<T>(
        &self,
        look: impl Fn(&bbolt_reader::Bucket) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Gap> {
        let error = match self.newest.as_ref().map(&look) {
            Some(Ok(found)) => return Ok(found),
            Some(Err(error)) => Some(error),
            None => None,
        };
        let older = self.older().as_ref().map(&look).transpose();
        let Some(error) = error.map(|error| self.file.gap(&error)) else {
            return older.map(Option::flatten).map_err(|error| self.file.gap(&error));
        };
        match older {
            Ok(Some(Some(found))) => {
                self.file.note(error);
                Ok(Some(found))
            }
            _ => Err(error),
        }
    }

    /// Its states, the newest first.
    fn states(&self) -> impl Iterator<Item = (bool, bbolt_reader::Bucket)> {
        let newest = self.newest.clone().map(|bucket| (true, bucket));
        let older = std::iter::once_with(|| self.older().map(|bucket| (false, bucket)));
        newest.into_iter().chain(older.flatten())
    }

    fn older(&self) -> Option<bbolt_reader::Bucket> {
        let path: Vec<&[u8]> = self.path.iter().map(Vec::as_slice).collect();
        self.file.older.as_ref()?.root().nested(&path).ok().flatten()
    }

    fn inner(&self, name: &str, newest: Option<bbolt_reader::Bucket>) -> Self {
        let path = self.path.iter().cloned().chain([name.as_bytes().to_vec()]).collect();
        Self { file: self.file.clone(), path, newest }
    }
}

impl Record {
    /// A field that the newest state has already is left as it is.
    fn add(&mut self, of: &Bucket, entry: Entry, is_newest: bool) {
        let Ok(name) = String::from_utf8(entry.key().to_vec()) else { return };
        match entry {
            Entry::Value { value, .. } => drop(self.values.entry(name).or_insert(value)),
            Entry::Bucket { bucket, .. } => {
                let inner = || of.inner(&name, is_newest.then_some(bucket));
                self.buckets.entry(name.clone()).or_insert_with(inner);
            }
        }
    }

    /// A value as it is; empty if there is none or it is no text.
    pub fn raw(&self, key: &str) -> &str {
        self.values.get(key).and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default()
    }

    /// A bucket in it, empty if there is none.
    pub fn inner(&self, name: &str) -> Self {
        self.buckets.get(name).map(Bucket::record).unwrap_or_default()
    }

    /// All values as texts that may be shown.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let shown = |(key, value): (&String, &Vec<u8>)| (values::shown(key), values::text(value));
        self.values.iter().map(shown).collect()
    }
}

impl File {
    fn too_many(&self) -> Gap {
        let detail = format!("a record of more than {MOST_FIELDS} fields");
        Gap::new(&self.place, GapReason::Limit, detail)
    }

    fn gap(&self, error: &Error) -> Gap {
        gap(&self.place, error)
    }

    fn note(&self, gap: Gap) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if problems.len() < MOST_PROBLEMS {
            let detail = format!("{}; the state before it is taken", gap.detail);
            problems.insert(Gap { detail, ..gap });
        }
    }
}

/// Adds a gap, unless there are too many of them.
fn push(gaps: &mut Vec<Gap>, gap: Gap) {
    if gaps.len() < 10 * MOST_PROBLEMS && gaps.last() != Some(&gap) {
        gaps.push(gap);
    }
}

fn gap(place: &str, error: &Error) -> Gap {
    Gap::new(place, reason(error), error)
}

fn reason(error: &Error) -> GapReason {
    match error {
        Error::Read { source, .. } => read_reason(source),
        Error::Unsupported { .. } => GapReason::Unsupported,
        Error::Corrupt { .. } => GapReason::Corrupt,
        Error::TooLarge { .. } | Error::Budget { .. } => GapReason::Limit,
    }
}
