//! A folder as the kernel shows it: a mount of the image.

use crate::reader::{Entry, Kind, Reader};
use anyhow::Result;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

pub struct Folder(PathBuf);

/// A path, and the inode number that the directory told.
pub struct Place {
    path: PathBuf,
    number: u64,
}

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Reader for Folder {
    type Place = Place;
    type File = Metadata;

    fn root(&self) -> Place {
        let number = self.0.metadata().map_or(0, |it| it.ino());
        Place { path: self.0.clone(), number }
    }

    fn open(&self, place: &Place) -> Result<Metadata> {
        Ok(std::fs::symlink_metadata(&place.path)?)
    }

    fn kind(&self, file: &Metadata) -> Kind {
        if file.is_dir() {
            Kind::Directory
        } else if file.is_file() {
            Kind::File
        } else {
            Kind::Other
        }
    }

    fn number(&self, place: &Place) -> u64 {
        place.number
    }

    fn list(&self, place: &Place, _: &Metadata) -> Result<Vec<Entry<Place>>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&place.path)? {
            let entry = entry?;
            let name = entry.file_name().into_vec();
            let path = place.path.join(OsStr::from_bytes(&name));
            entries.push(Entry { name, place: Place { path, number: entry.ino() } });
        }
        Ok(entries)
    }

    fn read(&self, place: &Place, _: &Metadata, buffer: &mut [u8]) -> Result<u64> {
        let mut file = File::open(&place.path)?;
        crate::reader::drain(|_| Ok(file.read(buffer)?))
    }
}
