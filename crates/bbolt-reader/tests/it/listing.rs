//! What we read of a database, in the words of the witness.

use bbolt_reader::{Bucket, Database, Entry, Error, Limits};
use block_source::BlockSource;
use sha2::Digest;
use std::fmt::Write;
use std::sync::Arc;

pub const LIMITS: Limits = Limits { value: 2 << 20, read: 1 << 30 };

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub lines: Vec<String>,
    pub problems: Vec<String>,
}

pub fn open(bytes: impl BlockSource + 'static) -> Result<Database, Error> {
    Database::open(Arc::new(bytes), LIMITS)
}

pub fn listing(bytes: impl BlockSource + 'static) -> Listing {
    listing_of(&open(bytes).unwrap())
}

pub fn listing_of(database: &Database) -> Listing {
    let mut listing = Listing::default();
    listing.add(&database.root(), "");
    listing
}

impl Listing {
    pub fn add(&mut self, bucket: &Bucket, path: &str) {
        self.lines.push(format!("bucket {path} {}", bucket.sequence()));
        for entry in bucket.entries() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(problem) => {
                    self.problems.push(problem.to_string());
                    continue;
                }
            };
            let inner = format!("{path}/{}", hex(entry.key()));
            match entry {
                Entry::Bucket { bucket, .. } => self.add(&bucket, &inner),
                Entry::Value { value, .. } => {
                    let (length, hash) = (value.len(), hex(&sha2::Sha256::digest(&value)));
                    self.lines.push(format!("value {inner} {length} {hash}"));
                }
            }
        }
    }

    /// How many buckets, without the root, and values.
    pub fn counts(&self) -> (usize, usize) {
        let buckets = self.lines.iter().filter(|line| line.starts_with("bucket")).count();
        (buckets - 1, self.lines.len() - buckets)
    }
}

/// Without the lines themselves, which may be many.
pub fn assert_same(name: &str, found: &Listing, expected: &[String]) {
    assert_eq!(found.problems, [""; 0], "{name}");
    let differs = found.lines.iter().zip(expected).find(|(found, expected)| found != expected);
    assert_eq!(differs, None, "{name}");
    assert_eq!(found.lines.len(), expected.len(), "{name}");
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        write!(digits, "{byte:02x}").unwrap();
    }
    digits
}
