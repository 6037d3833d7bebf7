//! Images that are served already: snapshots of one unchanged file share its list of blocks and its
//! checksums, so that the second snapshot of a volume costs no look through the disk.

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use crate::{image::Image, sync::lock};

#[derive(Debug, Default)]
pub(crate) struct Images {
    by_path: Mutex<HashMap<PathBuf, (Stamp, Arc<Image>)>>,
}

/// What is different once a file was written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Images {
    /// Files are looked through one after the other, so that no file is looked through twice.
    pub(crate) fn open(&self, path: &Path) -> io::Result<Arc<Image>> {
        let mut by_path = lock(&self.by_path);
        let file = File::open(path)?;
        let stamp = Stamp::of(&file.metadata()?);
        if let Some((known, image)) = by_path.get(path)
            && *known == stamp
        {
            return Ok(Arc::clone(image));
        }
        let image = Arc::new(Image::from_file(file)?);
        by_path.insert(path.to_owned(), (stamp, Arc::clone(&image)));
        Ok(image)
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_through_again_only_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.img");
        std::fs::write(&path, [1]).unwrap();
        let images = Images::default();
        let first = images.open(&path).unwrap();
        assert!(Arc::ptr_eq(&first, &images.open(&path).unwrap()));
        std::fs::write(folder.path().join("new"), [0]).unwrap();
        std::fs::rename(folder.path().join("new"), &path).unwrap();
        let second = images.open(&path).unwrap();
        assert_eq!((first.allocated_from(0), second.allocated_from(0)), (&[0][..], &[][..]));
        assert!(images.open(&folder.path().join("missing")).is_err());
    }
}
