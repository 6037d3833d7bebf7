//! A database of any kind, and its headers.

use crate::bdb::{self, Bdb};
use crate::error::{Error, corrupt, unsupported};
use crate::ndb::{self, Ndb};
use crate::sqlite::{self, Sqlite};
use block_source::BlockSource;
use std::sync::Arc;

/// Errors after which the rest of a database is left.
const MOST_ERRORS: usize = 1000;

/// The kinds of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A Berkeley DB file, `Packages`.
    BerkeleyDb,
    /// `Packages.db` of ndb.
    Ndb,
    /// `rpmdb.sqlite`.
    Sqlite,
}

impl Kind {
    /// The kind of a file by its first bytes, sixteen of which are enough.
    pub fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(sqlite::MAGIC) {
            Some(Self::Sqlite)
        } else if start.starts_with(ndb::MAGIC) {
            Some(Self::Ndb)
        } else {
            bdb::byte_order(start).map(|_| Self::BerkeleyDb)
        }
    }
}

/// Files that stand beside an SQLite database.
#[derive(Default, Clone)]
pub struct Beside {
    /// The file whose name ends in `-wal`.
    pub wal: Option<Arc<dyn BlockSource>>,
    /// The file whose name ends in `-journal`.
    pub journal: Option<Arc<dyn BlockSource>>,
}

/// A header as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// The number that rpm gave it.
    pub number: u32,
    /// Byte of the file at which it, or what points to it, begins.
    pub at: u64,
    /// Its bytes, for [`crate::Package::parse`].
    pub bytes: Vec<u8>,
}

/// An open database.
pub struct Database {
    opened: Opened,
    problems: Vec<Error>,
}

enum Opened {
    Bdb(Bdb),
    Ndb(Ndb),
    Sqlite(Sqlite),
}

impl Database {
    /// Opens a database, whose kind its first bytes tell.
    pub fn open(source: Arc<dyn BlockSource>, beside: Beside) -> Result<Self, Error> {
        let mut start = [0; 16];
        let length = source.size().min(start.len() as u64) as usize;
        source.read_exact_at(0, &mut start[..length])?;
        let mut problems = Vec::new();
        let opened = match Kind::of(&start[..length]) {
            Some(Kind::BerkeleyDb) => Opened::Bdb(Bdb::open(source, &mut problems)?),
            Some(Kind::Ndb) => Opened::Ndb(Ndb::open(source)?),
            Some(Kind::Sqlite) => Opened::Sqlite(Sqlite::open(source, beside, &mut problems)?),
            None if length == 0 => return Err(corrupt("empty file", 0)),
            None => return Err(unsupported("package database of an unknown kind")),
        };
        Ok(Self { opened, problems })
    }

    /// The kind of database.
    pub fn kind(&self) -> Kind {
        match self.opened {
            Opened::Bdb(_) => Kind::BerkeleyDb,
            Opened::Ndb(_) => Kind::Ndb,
            Opened::Sqlite(_) => Kind::Sqlite,
        }
    }

    /// What is wrong with the database as a whole, and did not hinder opening it.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }

    /// All headers, or what is wrong where one should be. A header that is given after an error
    /// of its own place is one whose checksum does not hold or whose pages another uses too.
    pub fn headers(&self) -> Headers<'_> {
        let headers: Box<dyn Iterator<Item = _> + Send> = match &self.opened {
            Opened::Bdb(bdb) => Box::new(bdb.headers()),
            Opened::Ndb(ndb) => Box::new(ndb.headers()),
            Opened::Sqlite(sqlite) => Box::new(sqlite.headers()),
        };
        Headers { headers: Some(headers), errors: 0 }
    }
}

/// The headers of a database.
pub struct Headers<'a> {
    headers: Option<Box<dyn Iterator<Item = Result<Blob, Error>> + Send + 'a>>,
    errors: usize,
}

impl Iterator for Headers<'_> {
    type Item = Result<Blob, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.headers.as_mut()?.next();
        if let Some(Err(_)) = item {
            self.errors += 1;
            if self.errors == MOST_ERRORS {
                self.headers = None;
                return Some(Err(corrupt("too many errors, the rest is left", 0)));
            }
        }
        item
    }
}
