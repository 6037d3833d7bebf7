//! The crates that were tried, each as its documentation shows. None of them can be shared between
//! threads; what is opened is kept in cells, since they read through `&mut`.

use crate::reader::{Entry, Kind, Reader, drain};
use anyhow::{Context, Result};
use ext4_view::{DirEntry, FileType, PathBuf as ViewPath};
use lamxfs::{BlockRead, EntryKind, Path as LamPath};
use ntfs::indexes::NtfsFileNameIndex;
use ntfs::structured_values::{NtfsFileAttributeFlags, NtfsFileName, NtfsFileNamespace};
use ntfs::{NtfsFile, NtfsReadSeek};
use std::cell::RefCell;
use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// `ext4-view`, which knows files by their paths.
pub struct Ext4View(ext4_view::Ext4);

pub struct ViewPlace {
    path: ViewPath,
    kind: Kind,
}

impl Ext4View {
    pub fn open(image: &Path) -> Result<Self> {
        Ok(Self(ext4_view::Ext4::load_from_path(image)?))
    }
}

impl ViewPlace {
    /// With the inode that the entry leads to: the path alone would be walked for each.
    fn of(entry: &DirEntry) -> Result<Entry<Self>> {
        let kind = match entry.metadata()?.file_type() {
            FileType::Directory => Kind::Directory,
            FileType::Regular => Kind::File,
            _ => Kind::Other,
        };
        let name = AsRef::<[u8]>::as_ref(&entry.file_name()).to_vec();
        Ok(Entry { name, place: Self { path: entry.path(), kind } })
    }
}

impl Reader for Ext4View {
    type Place = ViewPlace;
    type File = Kind;

    fn root(&self) -> ViewPlace {
        ViewPlace { path: ViewPath::new("/"), kind: Kind::Directory }
    }

    fn open(&self, place: &ViewPlace) -> Result<Kind> {
        Ok(place.kind)
    }

    fn kind(&self, file: &Kind) -> Kind {
        *file
    }

    /// It does not tell.
    fn number(&self, _: &ViewPlace) -> u64 {
        0
    }

    fn list(&self, place: &ViewPlace, _: &Kind) -> Result<Vec<Entry<ViewPlace>>> {
        let mut entries = Vec::new();
        for entry in self.0.read_dir(&place.path)? {
            let entry = entry?;
            if entry.file_name() != "." && entry.file_name() != ".." {
                entries.push(ViewPlace::of(&entry)?);
            }
        }
        Ok(entries)
    }

    fn read(&self, place: &ViewPlace, _: &Kind, buffer: &mut [u8]) -> Result<u64> {
        let mut file = self.0.open(&place.path)?;
        drain(|_| Ok(file.read_bytes(buffer)?))
    }
}

/// `lamxfs`, which lists by path and reads by inode.
pub struct LamXfs(RefCell<lamxfs::Xfs<Image>>);

pub struct Image(File);

pub struct LamPlace {
    path: Vec<u8>,
    kind: Kind,
    number: u64,
}

impl BlockRead for Image {
    type Error = std::io::Error;

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read_exact_at(out, offset)
    }
}

impl LamXfs {
    pub fn open(image: &Path) -> Result<Self> {
        let file = File::open(image)?;
        let size = file.metadata()?.len();
        let opened = lamxfs::Xfs::open(Image(file), size);
        opened.map(|xfs| Self(RefCell::new(xfs))).map_err(told)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn told(error: lamxfs::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:?}")
}

impl Reader for LamXfs {
    type Place = LamPlace;
    type File = Kind;

    fn root(&self) -> LamPlace {
        LamPlace { path: Vec::new(), kind: Kind::Directory, number: 0 }
    }

    /// Reads the inode, as the others do.
    fn open(&self, place: &LamPlace) -> Result<Kind> {
        if place.number != 0 {
            let inode = lamxfs::Inode { ino: place.number };
            std::hint::black_box(self.0.borrow_mut().metadata(&inode).map_err(told)?);
        }
        Ok(place.kind)
    }

    fn kind(&self, file: &Kind) -> Kind {
        *file
    }

    fn number(&self, place: &LamPlace) -> u64 {
        place.number
    }

    fn list(&self, place: &LamPlace, _: &Kind) -> Result<Vec<Entry<LamPlace>>> {
        let path: &[u8] = if place.path.is_empty() { b"/" } else { &place.path };
        let entries = self.0.borrow_mut().read_dir(LamPath::new(path)).map_err(told)?;
        let named = entries.into_iter().filter(|it| it.name != b"." && it.name != b"..");
        let entry = |it: lamxfs::DirEntry| {
            let kind = match it.kind {
                EntryKind::Directory => Kind::Directory,
                EntryKind::Regular => Kind::File,
                _ => Kind::Other,
            };
            let path = [&place.path[..], b"/", &it.name].concat();
            Entry { name: it.name, place: LamPlace { path, kind, number: it.inode_number } }
        };
        Ok(named.map(entry).collect())
    }

    fn read(&self, place: &LamPlace, _: &Kind, buffer: &mut [u8]) -> Result<u64> {
        let inode = lamxfs::Inode { ino: place.number };
        let mut xfs = self.0.borrow_mut();
        drain(|at| xfs.read_file_at(&inode, at, buffer).map_err(told))
    }
}

/// `ntfs`.
pub struct NtfsCrate {
    ntfs: ntfs::Ntfs,
    image: RefCell<BufReader<File>>,
}

impl NtfsCrate {
    pub fn open(image: &Path) -> Result<Self> {
        let mut image = BufReader::new(File::open(image)?);
        let ntfs = ntfs::Ntfs::new(&mut image)?;
        Ok(Self { ntfs, image: RefCell::new(image) })
    }

    fn file(&self, number: u64) -> Result<NtfsFile<'_>> {
        Ok(self.ntfs.file(&mut *self.image.borrow_mut(), number)?)
    }
}

/// Records before this one are the system's own.
const FIRST_USER: u64 = 16;
const ROOT: u64 = 5;

impl Reader for NtfsCrate {
    type Place = u64;
    type File = Kind;

    fn root(&self) -> u64 {
        ROOT
    }

    /// It knows no links; those that ntfs-3g makes are system files that say where they lead.
    fn open(&self, place: &u64) -> Result<Kind> {
        let file = self.file(*place)?;
        let attributes = file.info()?.file_attributes();
        Ok(if file.is_directory() {
            Kind::Directory
        } else if attributes.contains(NtfsFileAttributeFlags::SYSTEM) {
            Kind::Other
        } else {
            Kind::File
        })
    }

    fn kind(&self, file: &Kind) -> Kind {
        *file
    }

    fn number(&self, place: &u64) -> u64 {
        *place
    }

    fn list(&self, place: &u64, _: &Kind) -> Result<Vec<Entry<u64>>> {
        let directory = self.file(*place)?;
        let image = &mut *self.image.borrow_mut();
        let index = directory.directory_index(image)?;
        let mut found = Vec::new();
        let mut entries = index.entries();
        while let Some(entry) = entries.next(image) {
            let entry: ntfs::NtfsIndexEntry<NtfsFileNameIndex> = entry?;
            let Some(key) = entry.key() else { continue };
            let (key, number): (NtfsFileName, u64) =
                (key?, entry.file_reference().file_record_number());
            let hidden = key.namespace() == NtfsFileNamespace::Dos;
            if hidden || number < FIRST_USER {
                continue;
            }
            found.push(Entry { name: key.name().to_string_lossy().into_bytes(), place: number });
        }
        Ok(found)
    }

    fn read(&self, place: &u64, _: &Kind, buffer: &mut [u8]) -> Result<u64> {
        let file = self.file(*place)?;
        let image = &mut *self.image.borrow_mut();
        let Some(data) = file.data(image, "") else { return Ok(0) };
        let data = data.context("data")?;
        let mut value = data.to_attribute()?.value(image)?;
        drain(|_| Ok(value.read(image, buffer)?))
    }
}
