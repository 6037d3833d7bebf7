//! The files of a package.

use crate::error::{Error, corrupt};
use crate::header::{Header, Strings, tag};

/// Files of a package that are read.
const MOST_FILES: usize = 2_000_000;
/// Bytes of a path, as Linux allows.
const MOST_PATH: usize = 4096;

/// The files of a package, kept as compactly as in its header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileList {
    text: Vec<u8>,
    directories: Vec<Piece>,
    files: Vec<Record>,
}

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    start: u32,
    length: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    name: Piece,
    mode: u16,
    directory: u32,
    flags: u32,
    state: State,
}

/// What became of a file at installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Installed; also where the database does not say.
    Normal,
    /// Replaced by a file of another package.
    Replaced,
    /// Not installed.
    NotInstalled,
    /// On a folder that is shared over the network.
    NetShared,
    /// Of another architecture than the one that was installed.
    WrongColor,
    /// Something else.
    Other(u8),
}

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Its directory, which ends with a slash; nothing for a package of rpm 3.
    pub directory: &'a [u8],
    /// Its name in the directory.
    pub name: &'a [u8],
    /// What became of it.
    pub state: State,
    /// Type and permissions; zero where the header does not say.
    pub mode: u16,
    /// What the package says of it: 1 configuration, 2 documentation, 64 not in the package.
    pub flags: u32,
}

impl File<'_> {
    /// The whole path, as rpm gives it.
    pub fn path(&self) -> Vec<u8> {
        [self.directory, self.name].concat()
    }
}

impl FileList {
    /// The files of a header; what is wrong is added to `problems`, and what is whole is kept.
    pub fn read(header: &Header<'_>, problems: &mut Vec<Error>) -> Self {
        let mut list = Self::default();
        let names = list.names(header).and_then(|()| list.details(header));
        if let Err(error) = names {
            problems.push(error);
        }
        list
    }

    /// The files, in the order of the package.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = File<'_>> {
        self.files.iter().map(|record| File {
            directory: self
                .directories
                .get(record.directory as usize)
                .map_or(&[], |at| self.piece(*at)),
            name: self.piece(record.name),
            state: record.state,
            mode: record.mode,
            flags: record.flags,
        })
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether the package has no files.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn piece(&self, piece: Piece) -> &[u8] {
        let start = piece.start as usize;
        self.text.get(start..start + usize::from(piece.length)).unwrap_or_default()
    }

    fn keep(&mut self, text: &[u8]) -> Result<Piece, Error> {
        let length = u16::try_from(text.len()).ok().filter(|_| text.len() <= MOST_PATH);
        let start = u32::try_from(self.text.len()).ok();
        match (start, length) {
            (Some(start), Some(length)) => {
                self.text.extend_from_slice(text);
                Ok(Piece { start, length })
            }
            _ => Err(corrupt("length of a path", self.files.len() as u64)),
        }
    }

    fn names(&mut self, header: &Header<'_>) -> Result<(), Error> {
        // What was added at installation hides the names of rpm 3.
        let Some(names) = header.texts(tag::BASE_NAMES)? else {
            let old = header.texts(tag::OLD_FILENAMES)?;
            return old.map_or(Ok(()), |paths| self.add(paths, std::iter::repeat(u32::MAX)));
        };
        for directory in header.texts(tag::DIR_NAMES)?.into_iter().flatten().take(MOST_FILES) {
            let piece = self.keep(directory)?;
            self.directories.push(piece);
        }
        let directories = header.numbers(tag::DIR_INDEXES)?;
        let wrong = || corrupt("directories of the files of a header", 0);
        let indexes = directories.ok_or_else(wrong)?;
        let count = indexes.len();
        let known = self.directories.len() as u64;
        let indexes = indexes.take_while(|index| *index < known).map(|index| index as u32);
        self.add(names, indexes)?;
        if self.files.len() == count { Ok(()) } else { Err(wrong()) }
    }

    fn add(
        &mut self,
        names: Strings<'_>,
        directories: impl Iterator<Item = u32>,
    ) -> Result<(), Error> {
        let expected = names.expected();
        for (name, directory) in names.zip(directories) {
            if self.files.len() == MOST_FILES {
                return Err(corrupt("more files than are read", MOST_FILES as u64));
            }
            let name = self.keep(name)?;
            let state = State::Normal;
            self.files.push(Record { name, directory, mode: 0, flags: 0, state });
        }
        let all = self.files.len() == expected;
        if all { Ok(()) } else { Err(corrupt("names of the files of a header", 0)) }
    }

    /// States, modes and flags, which may be missing but not of another number.
    fn details(&mut self, header: &Header<'_>) -> Result<(), Error> {
        for tag in [tag::FILE_STATES, tag::FILE_MODES, tag::FILE_FLAGS] {
            let Some(values) = header.numbers(tag)? else { continue };
            if values.len() != self.files.len() {
                return Err(corrupt("number of details of the files of a header", u64::from(tag)));
            }
            for (record, value) in self.files.iter_mut().zip(values) {
                match tag {
                    tag::FILE_STATES => record.state = State::of(value as u8),
                    tag::FILE_MODES => record.mode = value as u16,
                    _ => record.flags = value as u32,
                }
            }
        }
        Ok(())
    }
}

impl State {
    fn of(value: u8) -> Self {
        match value {
            0 => Self::Normal,
            1 => Self::Replaced,
            2 => Self::NotInstalled,
            3 => Self::NetShared,
            4 => Self::WrongColor,
            other => Self::Other(other),
        }
    }
}
