//! All keys and values of a hive, as lines that `list_and_make.py` writes too.

use block_source::BlockSource;
use regf_reader::{Hive, Key, Logs};
use std::fmt::Write;
use std::sync::Arc;

/// A walk over a whole hive.
#[derive(Default, Debug)]
pub struct Listing {
    pub lines: Vec<String>,
    pub problems: Vec<String>,
}

/// The listing of a hive; what hinders opening it is a problem.
pub fn listing(hive: Vec<u8>, logs: Logs) -> Listing {
    let mut listing = Listing::default();
    match Hive::open(Arc::new(hive), logs) {
        Ok(hive) => listing.hive(&hive),
        Err(problem) => listing.problems.push(problem.to_string()),
    }
    listing
}

/// Logs in memory; an empty one is as good as none.
pub fn logs(log1: &[u8], log2: &[u8]) -> Logs {
    let log = |bytes: &[u8]| Some(Arc::new(bytes.to_vec()) as Arc<dyn BlockSource>);
    Logs { log1: log(log1), log2: log(log2) }
}

impl Listing {
    pub fn hive(&mut self, hive: &Hive) {
        self.problems.extend(hive.problems().iter().map(ToString::to_string));
        match hive.root() {
            Ok(root) => self.keys(root),
            Err(problem) => self.problems.push(problem.to_string()),
        }
    }

    /// Key by key, for a hive may be deeper than the stack.
    fn keys(&mut self, root: Key) {
        let mut keys = vec![(String::new(), root)];
        while let Some((path, key)) = keys.pop() {
            self.key(&path, &key);
            let subkeys = key.subkeys();
            self.problems.extend(subkeys.damage.reasons.iter().map(ToString::to_string));
            for subkey in subkeys.keys.into_iter().rev() {
                keys.push((format!("{path}\\{}", escaped(subkey.name())), subkey));
            }
        }
    }

    fn key(&mut self, path: &str, key: &Key) {
        let class = key.class_name().unwrap_or_else(|problem| {
            self.problems.push(problem.to_string());
            None
        });
        let class = class.map(|class| escaped(&class.text)).unwrap_or_default();
        self.lines.push(format!("key {path} {} {class}", key.modified().0));
        let values = key.values();
        self.problems.extend(values.damage.reasons.iter().map(ToString::to_string));
        for value in values.values {
            let data = value.data().as_deref().map_or_else(
                |problem| {
                    self.problems.push(problem.to_string());
                    "?".to_owned()
                },
                hex,
            );
            let (name, kind) = (escaped(value.name()), value.kind().number());
            self.lines.push(format!("value {path} {name} {kind} {data}"));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// All but letters that any tool writes as they are by their numbers.
pub fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            '!'..='~' if letter != '\\' && letter != '{' => escaped.push(letter),
            _ => write!(escaped, "{{{:x}}}", u32::from(letter)).unwrap(),
        }
        escaped
    })
}
