//! Files in the image of a snap.

use crate::host::{Tree, read_reason};
use crate::model::{Gap, GapReason, printable};
use squashfs_reader::{Error, Kind, Squashfs};
use std::sync::Arc;

/// An open image.
pub(super) struct Image {
    place: String,
    squashfs: Squashfs,
}

impl Image {
    /// Opens the image at a path of the host.
    pub(super) fn open(tree: &Tree, path: &[u8]) -> Result<Self, Gap> {
        let place = printable(path);
        let file = tree.open_positioned(path);
        let file = file.map_err(|error| Gap::new(&place, error.reason(), error))?;
        let Some(file) = file else {
            return Err(Gap::new(place, GapReason::Missing, "not a regular file"));
        };
        let file = file.in_parts();
        match Squashfs::claims(&file).map_err(Error::from) {
            Ok(true) => {}
            Ok(false) => return Err(Gap::new(place, GapReason::Corrupt, "no squashfs image")),
            Err(error) => return Err(gap(&place, &error)),
        }
        match Squashfs::open(Arc::new(file)) {
            Ok(squashfs) => Ok(Self { place, squashfs }),
            Err(error) => Err(gap(&place, &error)),
        }
    }

    /// Path of the image, printable.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// A file of the image as text; `None` if there is no such file. Links are not followed.
    pub(super) fn read(&self, path: &str, most: u64) -> Result<Option<String>, Gap> {
        let place = format!("{}!{path}", self.place);
        let bytes = self.bytes(path, most).map_err(|error| match error {
            Refused::Damaged(error) => gap(&place, &error),
            Refused::TooLarge(size) => {
                let detail = format!("{size} bytes, more than the {most} that are read");
                Gap::new(&place, GapReason::Limit, detail)
            }
        })?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn bytes(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, Refused> {
        let mut inode = self.squashfs.inode(self.squashfs.root())?;
        for name in path.split('/') {
            if !matches!(inode.kind, Kind::Directory(_)) {
                return Ok(None);
            }
            match self.squashfs.lookup(&inode, name.as_bytes())? {
                Some(next) => inode = self.squashfs.inode(next)?,
                None => return Ok(None),
            }
        }
        if !matches!(inode.kind, Kind::File(_)) {
            return Ok(None);
        }
        if inode.size() > most {
            return Err(Refused::TooLarge(inode.size()));
        }
        let mut bytes = vec![0; inode.size() as usize];
        let length = self.squashfs.read_at(&inode, 0, &mut bytes)?;
        bytes.truncate(length);
        Ok(Some(bytes))
    }
}

/// Why a file was not read.
enum Refused {
    Damaged(Error),
    TooLarge(u64),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Damaged(error)
    }
}

fn gap(place: &str, error: &Error) -> Gap {
    let reason = match error {
        Error::Read(error) => read_reason(error),
        Error::Unsupported { .. } => GapReason::Unsupported,
        Error::Corrupt { .. } => GapReason::Corrupt,
    };
    Gap::new(place, reason, error)
}
