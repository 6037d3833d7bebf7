//! What the command line names, opened: disks, or a directory taken as a root.

use crate::block::{BLOCK_SIZE, BlockCache, CachedSource, Device, ReadSet};
use crate::model::Receipt;
use crate::source::image_file;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Something to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A disk image or block device.
    Image(PathBuf),
    /// A directory as the root of a system.
    Directory(PathBuf),
    /// An EBS snapshot.
    Snapshot(String),
}

/// Why a scan could not start.
#[derive(Debug, thiserror::Error)]
#[error("{target}: {problem}")]
pub struct TargetError {
    target: String,
    problem: String,
}

impl TargetError {
    /// A problem with one target.
    pub fn new(target: impl Display, problem: impl Display) -> Self {
        Self { target: target.to_string(), problem: problem.to_string() }
    }
}

/// Reads what the user wrote: `dir:PATH`, `snap-…[,snap-…]`, or a path.
pub fn parse_target(text: &str) -> Result<Vec<Target>, TargetError> {
    if let Some(path) = text.strip_prefix("dir:") {
        return Ok(vec![Target::Directory(path.into())]);
    }
    if !text.starts_with("snap-") || Path::new(text).exists() {
        return Ok(vec![Target::Image(text.into())]);
    }
    text.split(',')
        .map(|id| {
            let digits = id.strip_prefix("snap-").unwrap_or_default();
            let valid =
                matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| b.is_ascii_hexdigit());
            if valid {
                Ok(Target::Snapshot(id.to_owned()))
            } else {
                Err(TargetError::new(
                    id,
                    "neither a file nor a snapshot id (snap- and 8 or 17 hex digits)",
                ))
            }
        })
        .collect()
}

/// The opened targets of one host.
pub enum Disks {
    /// A directory of this machine.
    Root(PathBuf),
    /// Block devices, in the order given.
    Devices(Vec<Disk>),
}

/// One opened disk.
pub struct Disk {
    /// Its bytes and name.
    pub device: Device,
    read_set: Arc<ReadSet>,
    allocated: Option<u64>,
}

impl Disks {
    /// Opens all targets; any that cannot be opened ends the scan, for its absence would make
    /// every answer incomplete.
    pub fn open(targets: &[Target], cache: &Arc<BlockCache>) -> Result<Self, TargetError> {
        if let [Target::Directory(path)] = targets {
            return Ok(Self::Root(path.clone()));
        }
        let disks = targets.iter().map(|target| match target {
            Target::Image(path) => open_image(path, cache),
            Target::Directory(path) => {
                Err(TargetError::new(path.display(), "a directory is a whole host; scan it alone"))
            }
            Target::Snapshot(id) => {
                Err(TargetError::new(id, "this build cannot read EBS snapshots"))
            }
        });
        Ok(Self::Devices(disks.collect::<Result<_, _>>()?))
    }

    /// A name for a host that has none.
    pub fn name(&self) -> String {
        match self {
            Self::Root(path) => path.display().to_string(),
            Self::Devices(disks) => disks.first().map_or(String::new(), |d| d.device.name.clone()),
        }
    }

    /// What reading cost so far.
    pub fn receipt(&self) -> Receipt {
        let Self::Devices(disks) = self else { return Receipt::default() };
        let blocks_read = disks.iter().map(|disk| disk.read_set.blocks().len() as u64).sum();
        Receipt {
            blocks_read,
            blocks_allocated: disks.iter().map(|disk| disk.allocated).sum(),
            bytes_read: blocks_read * BLOCK_SIZE,
            ..Receipt::default()
        }
    }
}

fn open_image(path: &Path, cache: &Arc<BlockCache>) -> Result<Disk, TargetError> {
    let image = image_file::open(path).map_err(|error| TargetError::new(path.display(), error))?;
    let source: CachedSource = cache.device(image.fetcher);
    let read_set = source.read_set();
    let name = path.file_name().unwrap_or(path.as_os_str()).as_encoded_bytes();
    let device = Device::new(crate::model::printable(name), Arc::new(source));
    Ok(Disk { device, read_set, allocated: image.allocated })
}
