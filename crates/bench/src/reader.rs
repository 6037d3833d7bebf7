//! What is asked of a reader.

use anyhow::Result;

/// Kind of a file, as far as reading goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Directory,
    File,
    Other,
}

/// A reader of an open filesystem.
pub trait Reader {
    /// What a directory gives a name to: a number or a path.
    type Place: Send;
    /// A file whose metadata was read.
    type File;

    fn root(&self) -> Self::Place;

    /// Reads a file's metadata.
    fn open(&self, place: &Self::Place) -> Result<Self::File>;

    fn kind(&self, file: &Self::File) -> Kind;

    /// Number by which the filesystem knows a file.
    fn number(&self, place: &Self::Place) -> u64;

    /// Names in a directory, without `.` and `..`.
    fn list(&self, place: &Self::Place, directory: &Self::File) -> Result<Vec<Entry<Self::Place>>>;

    /// Reads all of a file, a buffer at a time: its size.
    fn read(&self, place: &Self::Place, file: &Self::File, buffer: &mut [u8]) -> Result<u64>;
}

/// A name and what it leads to.
pub struct Entry<Place> {
    pub name: Vec<u8>,
    pub place: Place,
}

/// Reads on until nothing comes.
pub fn drain(mut read: impl FnMut(u64) -> Result<usize>) -> Result<u64> {
    let mut at = 0;
    loop {
        match read(at)? {
            0 => return Ok(at),
            count => at += count as u64,
        }
    }
}
