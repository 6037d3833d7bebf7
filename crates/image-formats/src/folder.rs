//! The files that an image names: backing files, external data files, extents.
//!
//! Whoever made an image chose these names, and may have made it to have files of the scanning
//! machine read. So they are opened through a capability to the folder of the image that the user
//! named, which neither `..` nor a link leads out of; only regular files are opened.

use crate::error::{Error, shown};
use crate::file::{FileId, non_blocking};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Images below one another. qemu has no bound, but no use of it needs more than some.
const MOST_IMAGES: usize = 32;

/// Names of files beside an image, as the image may mean them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Of the same folder only.
    Plain,
    /// Relative paths, and absolute ones that lie in the folder.
    Paths,
}

/// What an image may open, and through which images it was come to.
#[derive(Clone)]
pub struct Surroundings {
    folder: Option<Arc<Folder>>,
    /// Where below the folder the image is.
    below: PathBuf,
    above: Vec<FileId>,
}

struct Folder {
    dir: Dir,
    /// As named, and with all links followed.
    paths: [PathBuf; 2],
}

impl Surroundings {
    /// Those of the image at `path`.
    pub fn of(path: &Path, id: FileId) -> Result<Self, Error> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let dir = Dir::open_ambient_dir(parent, ambient_authority())?;
        let paths = [std::path::absolute(parent)?, parent.canonicalize()?];
        let folder = Some(Arc::new(Folder { dir, paths }));
        Ok(Self { folder, below: PathBuf::new(), above: vec![id] })
    }

    /// Those of an image in an archive or a packed file: none.
    pub fn none() -> Self {
        Self { folder: None, below: PathBuf::new(), above: Vec::new() }
    }

    /// Opens a file that the image names, and gives that file's own surroundings.
    pub fn open(
        &self,
        role: &'static str,
        name: &[u8],
        names: Names,
    ) -> Result<(File, Self), Error> {
        let refused = |why| Error::Refused { role, name: shown(name), why };
        let Some(folder) = &self.folder else {
            return Err(refused("an image in another file has no folder"));
        };
        let path = folder.inside(&self.below, name, names).map_err(refused)?;
        if self.above.len() >= MOST_IMAGES {
            return Err(refused("too many images below one another"));
        }
        let (file, id) = folder.open(&path).map_err(|error| match error {
            // What the capability says of a path that leaves the folder.
            Error::Read(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                refused("it is outside the folder of the image, or may not be read")
            }
            error => Error::Named { role, name: shown(name), source: Box::new(error) },
        })?;
        if self.above.contains(&id) {
            return Err(refused("the images name each other in a circle"));
        }
        let below = path.parent().unwrap_or(Path::new("")).to_owned();
        let above = self.above.iter().copied().chain([id]).collect();
        Ok((file, Self { folder: self.folder.clone(), below, above }))
    }
}

impl Folder {
    /// The path below the folder that an image means.
    fn inside(&self, below: &Path, name: &[u8], names: Names) -> Result<PathBuf, &'static str> {
        let path = Path::new(OsStr::from_bytes(name));
        if name.is_empty() || name.contains(&0) {
            return Err("this is no name of a file");
        }
        let plain = !name.iter().any(|byte| b"/\\".contains(byte)) && path.file_name().is_some();
        if names == Names::Plain {
            return plain.then(|| below.join(path)).ok_or("it is no plain name of a file");
        }
        if name.iter().find(|byte| b":/".contains(byte)) == Some(&b':') {
            return Err("it is no path but an address or an option");
        }
        if path.is_relative() {
            return Ok(below.join(path));
        }
        let inside = self.paths.iter().find_map(|folder| path.strip_prefix(folder).ok());
        inside.map(Path::to_owned).ok_or("it is outside the folder of the image")
    }

    fn open(&self, path: &Path) -> Result<(File, FileId), Error> {
        let special = || Err(Error::unsupported("what is no regular file"));
        // To open some devices is to change them.
        if !self.dir.metadata(path)?.is_file() {
            return special();
        }
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(non_blocking());
        let file = self.dir.open_with(path, &options)?.into_std();
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return special();
        }
        Ok((file, FileId::from(&metadata)))
    }
}
