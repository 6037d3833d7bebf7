//! The reader as the conformance tests see it.

use conformance::{Answer, Kind, Metadata, Subject, Time, Xattrs};
use ntfs_reader::{Error, File, FileReference, Ntfs};
use std::path::Path;
use std::sync::Arc;

/// Whether this process can mount by ntfs-3g; says so if it cannot.
pub fn can_mount() -> bool {
    if !Path::new("/dev/fuse").exists() {
        test_material::skip("comparison with ntfs-3g, which needs /dev/fuse");
        return false;
    }
    conformance::can_mount()
}

/// A volume, and whether names that differ in case are other names, as its witness has it.
pub struct Reader {
    pub ntfs: Ntfs,
    pub folds_case: bool,
}

pub fn open(image: &Path) -> Ntfs {
    let device = block_source::FileSource::open(image).unwrap();
    Ntfs::open(Arc::new(device)).unwrap_or_else(|error| panic!("{error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err gives")]
fn text(error: Error) -> String {
    error.to_string()
}

impl Reader {
    fn file(&self, node: FileReference) -> Answer<File> {
        let file = self.ntfs.file(node).map_err(text)?;
        match file.damage.reasons.first() {
            Some(reason) => Err(reason.to_string()),
            None => Ok(file),
        }
    }
}

impl Subject for Reader {
    type Node = FileReference;

    /// With the sequence number that entries have.
    fn root(&self) -> FileReference {
        self.ntfs.file(self.ntfs.root()).unwrap().reference
    }

    fn metadata(&self, node: &FileReference) -> Answer<Metadata> {
        let file = self.file(*node)?;
        // ntfs-3g tells parts of seconds before 1970 wrongly (1969-12-31 23:59:59.5 as 1970).
        let time = |time: ntfs_reader::Time| {
            let told = time.seconds >= 0 || time.nanoseconds == 0;
            told.then_some(Time { seconds: time.seconds, nanoseconds: time.nanoseconds })
        };
        Ok(Metadata {
            kind: Some(kind(file.kind)),
            inode: Some(file.reference.number()),
            // ntfs-3g counts short names as links.
            links: (file.kind != ntfs_reader::Kind::Directory).then(|| file.names().len() as u64),
            size: (file.kind == ntfs_reader::Kind::File).then_some(file.size),
            accessed: time(file.accessed),
            modified: time(file.modified),
            changed: time(file.changed),
            ..Metadata::default()
        })
    }

    fn list(&self, directory: &FileReference) -> Answer<Vec<(Vec<u8>, FileReference)>> {
        let listing = self.ntfs.read_dir(&self.file(*directory)?).map_err(text)?;
        match listing.damage.reasons.first() {
            Some(reason) => Err(reason.to_string()),
            None => Ok(listing.entries.into_iter().map(|entry| (entry.name, entry.file)).collect()),
        }
    }

    fn lookup(&self, directory: &FileReference, name: &[u8]) -> Answer<Option<FileReference>> {
        let directory = self.file(*directory)?;
        if self.folds_case {
            self.ntfs.lookup(&directory, name).map_err(text)
        } else {
            self.ntfs.lookup_exact(&directory, name).map_err(text)
        }
    }

    fn read(&self, file: &FileReference, offset: u64, out: &mut [u8]) -> Answer<usize> {
        self.ntfs.read_at(&self.file(*file)?, offset, out).map_err(text)
    }

    fn read_link(&self, link: &FileReference) -> Answer<Vec<u8>> {
        self.ntfs.read_link(&self.file(*link)?).map_err(text)
    }

    /// ntfs-3g shows streams as attributes.
    fn xattrs(&self, node: &FileReference) -> Answer<Xattrs> {
        let file = self.file(*node)?;
        let mut attributes = Xattrs::new();
        for stream in file.streams() {
            let mut value = vec![0; stream.size.ok_or("stream of no known size")? as usize];
            let read = self.ntfs.read_stream_at(&file, &stream.name, 0, &mut value);
            assert_eq!(read.map_err(text)?, Some(value.len()));
            attributes.insert([b"user.", &stream.name[..]].concat(), value);
        }
        Ok(attributes)
    }
}

fn kind(kind: ntfs_reader::Kind) -> Kind {
    match kind {
        ntfs_reader::Kind::File => Kind::File,
        ntfs_reader::Kind::Directory => Kind::Directory,
        ntfs_reader::Kind::Symlink => Kind::Symlink,
        ntfs_reader::Kind::Fifo => Kind::Fifo,
        ntfs_reader::Kind::Socket => Kind::Socket,
        ntfs_reader::Kind::CharDevice => Kind::CharDevice,
        ntfs_reader::Kind::BlockDevice => Kind::BlockDevice,
    }
}
