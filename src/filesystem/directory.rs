//! A directory of the scanning machine as a filesystem, for `dir:PATH`.
//!
//! All access goes through a capability to that directory, so that a link swapped in while the
//! scan runs cannot lead out of it. Special files are never opened.

use super::{Entry, Error, FileSystem, Identity, Kind, Listing, Metadata, NodeId};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileTypeExt, MetadataExt, OpenOptions, OpenOptionsExt};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// `O_NONBLOCK`, so that a pipe put in a file's place cannot hang the scan.
const NON_BLOCKING: i32 = 0o4000;

/// Longest value of an extended attribute, as the kernel has it.
const LONGEST_XATTR: usize = 64 << 10;

/// The filesystem.
pub struct Directory {
    root: Dir,
    nodes: Mutex<Nodes>,
}

/// Paths by node; the tree gives no numbers of its own that hold over mounts.
#[derive(Default)]
struct Nodes {
    paths: Vec<PathBuf>,
    ids: HashMap<PathBuf, NodeId>,
}

impl Nodes {
    fn id(&mut self, path: PathBuf) -> NodeId {
        let next = NodeId(self.paths.len() as u64);
        *self.ids.entry(path).or_insert_with_key(|path| {
            self.paths.push(path.clone());
            next
        })
    }
}

impl Directory {
    /// Opens the directory at `path`.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let root = Dir::open_ambient_dir(path, ambient_authority())?;
        let directory = Self { root, nodes: Mutex::default() };
        directory.id(PathBuf::from("."));
        Ok(directory)
    }

    fn id(&self, path: PathBuf) -> NodeId {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).id(path)
    }

    fn path(&self, node: NodeId) -> Result<PathBuf, Error> {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let path = usize::try_from(node.0).ok().and_then(|index| nodes.paths.get(index));
        path.cloned().ok_or_else(|| Error::Corrupt { what: format!("no node {}", node.0) })
    }
}

impl FileSystem for Directory {
    fn kind(&self) -> &'static str {
        "directory"
    }

    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn root(&self) -> NodeId {
        NodeId(0)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let found = self.root.symlink_metadata(self.path(node)?)?;
        Ok(Metadata {
            kind: kind(found.file_type()),
            size: found.size(),
            mode: (found.mode() & 0o7777) as u16,
            uid: found.uid(),
            gid: found.gid(),
            modified: found.mtime(),
        })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let path = self.path(node)?;
        let mut entries = Vec::new();
        for entry in self.root.read_dir(&path)? {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type().ok().map(kind));
            let node = self.id(path.join(&name));
            entries.push(Entry { name: name.into_vec(), node, kind });
        }
        Ok(Listing { entries, damage: Vec::new() })
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let path = self.path(directory)?.join(OsStr::from_bytes(name));
        match self.root.symlink_metadata(&path) {
            Ok(_) => Ok(Some(self.id(path))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        Ok(self.root.read_link_contents(self.path(node)?)?.into_os_string().into_vec())
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(NON_BLOCKING);
        let file = self.root.open_with(self.path(node)?, &options)?;
        if !file.metadata()?.is_file() {
            return Err(Error::Unsupported { feature: "reading a special file".to_owned() });
        }
        let file = file.into_std();
        let mut done = 0;
        while done < out.len() {
            match file.read_at(&mut out[done..], offset + done as u64)? {
                0 => break,
                more => done += more,
            }
        }
        Ok(done)
    }

    /// Of a folder or a regular file; of anything else, which would have to be opened, none.
    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(node)?;
        let kind = self.root.symlink_metadata(&path)?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            return Ok(None);
        }
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(NON_BLOCKING);
        let file = self.root.open_with(path, &options)?;
        let mut value = vec![0; LONGEST_XATTR];
        match rustix::fs::fgetxattr(&file, OsStr::from_bytes(name), &mut value[..]) {
            Ok(length) => {
                value.truncate(length);
                Ok(Some(value))
            }
            Err(Errno::NODATA | Errno::NOTSUP) => Ok(None),
            Err(error) => Err(std::io::Error::from(error).into()),
        }
    }

    fn device_number(&self, node: NodeId) -> Result<Option<(u32, u32)>, Error> {
        let found = self.root.symlink_metadata(self.path(node)?)?;
        let is_device = found.file_type().is_char_device() || found.file_type().is_block_device();
        let number = found.rdev();
        Ok(is_device.then(|| (rustix::fs::major(number), rustix::fs::minor(number))))
    }

    fn ranges(&self, _node: NodeId, _offset: u64, _length: u64) -> Result<Vec<Range<u64>>, Error> {
        Ok(Vec::new())
    }
}

fn kind(found: cap_std::fs::FileType) -> Kind {
    match found {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_symlink() => Kind::Symlink,
        _ => Kind::Other,
    }
}
