//! A registry hive of the scanned system, with its logs replayed. What of it cannot be read is a gap
//! of its file, with the key.

use super::find;
use crate::host::{PathError, PositionedFile, Tree, read_reason};
use crate::model::{Gap, GapReason, printable, printable_str};
use block_source::BlockSource;
use regf_reader::{Damage, Data, Error, Key, Logs, Value};
use std::sync::Arc;

/// Bytes of a text that is read; real ones have some hundred.
const MOST_TEXT: u32 = 64 << 10;

/// An open hive.
pub struct Hive {
    place: String,
    root: Key,
}

impl Hive {
    /// Opens the hive at a path with what its logs hold; `None` if it is not there, or, which is a gap,
    /// cannot be opened.
    pub fn open(tree: &Tree, path: &[u8], gaps: &mut Vec<Gap>) -> Option<Self> {
        let place = printable(path);
        let told = |error: PathError| Gap::new(&place, error.reason(), error);
        let file = tree.open_positioned(path).map_err(|error| gaps.push(told(error))).ok()??;
        let log = |ending: &str, gaps: &mut Vec<Gap>| log(tree, &format!("{place}{ending}"), gaps);
        // Until Windows Vista there was one log.
        let first = log(".LOG1", gaps).or_else(|| log(".LOG", gaps));
        let logs = Logs { log1: first, log2: log(".LOG2", gaps) };
        let opened = regf_reader::Hive::open(Arc::new(file), logs).and_then(|hive| {
            gaps.extend(hive.problems().iter().map(|problem| gap(&place, "", problem)));
            hive.root()
        });
        match opened {
            Ok(root) => Some(Self { place, root }),
            Err(error) => {
                gaps.push(gap(&place, "", &error));
                None
            }
        }
    }

    /// Path of its file, printable.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The key at a path, with `\` between the names.
    pub fn key(&self, path: &str, gaps: &mut Vec<Gap>) -> Option<Key> {
        self.root.path(path).unwrap_or_else(|error| {
            gaps.push(gap(&self.place, path, &error));
            None
        })
    }

    /// The subkeys of the key at a path.
    pub fn subkeys(&self, path: &str, gaps: &mut Vec<Gap>) -> Vec<Key> {
        let Some(key) = self.key(path, gaps) else { return Vec::new() };
        let found = key.subkeys();
        gaps.extend(damage(&self.place, path, &found.damage));
        found.keys
    }

    /// The values of a key, which is at this path.
    pub fn fields(&self, key: &Key, path: &str) -> Fields {
        let found = key.values();
        let gaps = damage(&self.place, path, &found.damage);
        Fields { place: self.place.clone(), path: path.to_owned(), values: found.values, gaps }
    }

    /// The values of the key at a path, if there is one.
    pub fn fields_at(&self, path: &str, gaps: &mut Vec<Gap>) -> Option<Fields> {
        Some(self.fields(&self.key(path, gaps)?, path))
    }
}

/// The values of one key, by their names, whose case does not matter. A value of another kind than is
/// asked for counts as none.
pub struct Fields {
    place: String,
    path: String,
    values: Vec<Value>,
    gaps: Vec<Gap>,
}

impl Fields {
    /// A text, made printable, if it is not empty.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.decode(name)? {
            Data::Text(text) => shown(&text.text),
            _ => None,
        }
    }

    /// A list of texts, or the one text that stands for it; empty ones are left out.
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        match self.decode(name) {
            Some(Data::List(list)) => list.iter().filter_map(|text| shown(&text.text)).collect(),
            Some(Data::Text(text)) => shown(&text.text).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// A number.
    pub fn number(&mut self, name: &str) -> Option<u64> {
        match self.decode(name)? {
            Data::Number(number) => Some(number),
            _ => None,
        }
    }

    /// What could not be read.
    pub fn into_gaps(self) -> Vec<Gap> {
        self.gaps
    }

    fn decode(&mut self, name: &str) -> Option<Data> {
        let value = self.values.iter().find(|value| value.name().eq_ignore_ascii_case(name))?;
        if value.length() > MOST_TEXT {
            let detail = format!("{}: {name} has {} bytes", shown_path(&self.path), value.length());
            self.gaps.push(Gap::new(&self.place, GapReason::Limit, detail));
            return None;
        }
        match value.decode() {
            Ok(data) => Some(data),
            Err(error) => {
                self.gaps.push(gap(&self.place, &self.path, &error));
                None
            }
        }
    }
}

fn shown(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| printable_str(text))
}

fn shown_path(path: &str) -> String {
    printable_str(path)
}

/// A log of a hive, if there is one.
fn log(tree: &Tree, path: &str, gaps: &mut Vec<Gap>) -> Option<Arc<dyn BlockSource>> {
    let stored = find(tree, path, gaps)?;
    match tree.open_positioned(&stored) {
        Ok(file) => file.map(|file: PositionedFile| Arc::new(file) as Arc<dyn BlockSource>),
        Err(error) => {
            gaps.push(Gap::new(path, error.reason(), error));
            None
        }
    }
}

fn damage(place: &str, path: &str, damage: &Damage) -> Vec<Gap> {
    let mut gaps: Vec<_> = damage.reasons.iter().map(|error| gap(place, path, error)).collect();
    let more = damage.count.saturating_sub(damage.reasons.len() as u64);
    if more > 0 {
        let detail = format!("{}: {more} more entries that could not be read", shown_path(path));
        gaps.push(Gap::new(place, GapReason::Corrupt, detail));
    }
    gaps
}

fn gap(place: &str, path: &str, error: &Error) -> Gap {
    let reason = match error {
        Error::Read(error) => read_reason(error),
        Error::Unsupported { .. } => GapReason::Unsupported,
        Error::Corrupt { .. } => GapReason::Corrupt,
    };
    let at = if path.is_empty() { String::new() } else { format!("{}: ", shown_path(path)) };
    Gap::new(place, reason, format!("{at}{error}"))
}
