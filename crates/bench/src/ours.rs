//! The readers of Sidelight, over the image as it is: no cache stands between.

use crate::reader::{Entry, Kind, Reader, drain};
use anyhow::{Result, bail};
use block_source::FileSource;
use ext4_reader::{Inode, InodeNumber};
use ntfs_reader::{File, FileReference};
use std::path::Path;
use std::sync::Arc;

pub struct Ext4(ext4_reader::Ext4);
pub struct Xfs(xfs_reader::Xfs);
pub struct Ntfs(ntfs_reader::Ntfs);

impl Ext4 {
    pub fn open(image: &Path) -> Result<Self> {
        Ok(Self(ext4_reader::Ext4::open(Arc::new(FileSource::open(image)?))?))
    }
}

impl Xfs {
    pub fn open(image: &Path) -> Result<Self> {
        Ok(Self(xfs_reader::Xfs::open(Arc::new(FileSource::open(image)?))?))
    }
}

impl Ntfs {
    pub fn open(image: &Path) -> Result<Self> {
        Ok(Self(ntfs_reader::Ntfs::open(Arc::new(FileSource::open(image)?))?))
    }
}

impl Reader for Ext4 {
    type Place = InodeNumber;
    type File = Inode;

    fn root(&self) -> InodeNumber {
        self.0.root()
    }

    fn open(&self, place: &InodeNumber) -> Result<Inode> {
        Ok(self.0.inode(*place)?)
    }

    fn kind(&self, file: &Inode) -> Kind {
        match file.kind {
            ext4_reader::Kind::Directory => Kind::Directory,
            ext4_reader::Kind::File => Kind::File,
            _ => Kind::Other,
        }
    }

    fn number(&self, place: &InodeNumber) -> u64 {
        place.0.into()
    }

    fn list(&self, _: &InodeNumber, directory: &Inode) -> Result<Vec<Entry<InodeNumber>>> {
        let listing = self.0.read_dir(directory)?;
        if !listing.damage.is_empty() {
            bail!("damaged: {:?}", listing.damage.reasons);
        }
        let entries = listing.entries.into_iter();
        Ok(entries.map(|it| Entry { name: it.name, place: it.inode }).collect())
    }

    fn read(&self, _: &InodeNumber, file: &Inode, buffer: &mut [u8]) -> Result<u64> {
        drain(|at| Ok(self.0.read_at(file, at, buffer)?))
    }
}

impl Reader for Xfs {
    type Place = xfs_reader::InodeNumber;
    type File = xfs_reader::Inode;

    fn root(&self) -> Self::Place {
        self.0.root()
    }

    fn open(&self, place: &Self::Place) -> Result<Self::File> {
        Ok(self.0.inode(*place)?)
    }

    fn kind(&self, file: &Self::File) -> Kind {
        match file.kind {
            xfs_reader::Kind::Directory => Kind::Directory,
            xfs_reader::Kind::File => Kind::File,
            _ => Kind::Other,
        }
    }

    fn number(&self, place: &Self::Place) -> u64 {
        place.0
    }

    fn list(&self, _: &Self::Place, directory: &Self::File) -> Result<Vec<Entry<Self::Place>>> {
        let listing = self.0.read_dir(directory)?;
        if !listing.damage.is_empty() {
            bail!("damaged: {:?}", listing.damage.reasons);
        }
        let entries = listing.entries.into_iter();
        Ok(entries.map(|it| Entry { name: it.name, place: it.inode }).collect())
    }

    fn read(&self, _: &Self::Place, file: &Self::File, buffer: &mut [u8]) -> Result<u64> {
        drain(|at| Ok(self.0.read_at(file, at, buffer)?))
    }
}

impl Reader for Ntfs {
    type Place = FileReference;
    type File = File;

    fn root(&self) -> FileReference {
        self.0.root()
    }

    fn open(&self, place: &FileReference) -> Result<File> {
        Ok(self.0.file(*place)?)
    }

    fn kind(&self, file: &File) -> Kind {
        match file.kind {
            ntfs_reader::Kind::Directory => Kind::Directory,
            ntfs_reader::Kind::File => Kind::File,
            _ => Kind::Other,
        }
    }

    fn number(&self, place: &FileReference) -> u64 {
        place.number()
    }

    fn list(&self, _: &FileReference, directory: &File) -> Result<Vec<Entry<FileReference>>> {
        let listing = self.0.read_dir(directory)?;
        if !listing.damage.is_empty() {
            bail!("damaged: {:?}", listing.damage.reasons);
        }
        let entries = listing.entries.into_iter();
        Ok(entries.map(|it| Entry { name: it.name, place: it.file }).collect())
    }

    fn read(&self, _: &FileReference, file: &File, buffer: &mut [u8]) -> Result<u64> {
        drain(|at| Ok(self.0.read_at(file, at, buffer)?))
    }
}
