//! What the command line names, opened: disks, or a directory taken as a root.

use super::Request;
use super::archive::{Archive, PREFIXES};
use super::images::Images;
use super::progress::{Counter, Progress, Reading};
use crate::block::{BLOCK_SIZE, BlockCache, CachedSource, Device, ReadSet};
use crate::model::{CloudContext, Gap, GapReason, Receipt, printable_str};
#[cfg(feature = "ebs")]
use crate::source::ebs_snapshot;
use crate::source::image_file::Limits;
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
    /// Images of containers in a file or folder.
    Archive(Archive, PathBuf),
    /// An EBS snapshot.
    Snapshot {
        /// Its id.
        id: String,
        /// What reports call it.
        name: String,
    },
}

/// Why a scan could not start.
#[derive(Debug, thiserror::Error)]
#[error("{target}: {problem}")]
pub struct TargetError {
    target: String,
    problem: String,
    /// What kind of problem it is.
    pub kind: TargetProblem,
}

/// Kinds of problems with a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetProblem {
    /// Its key may not be used.
    Key,
    /// It may not be read.
    Denied,
    /// It is not there.
    Missing,
    /// AWS kept refusing calls for their rate.
    Throttled,
    /// AWS does not take the credentials.
    Credentials,
    /// It is an image that is not read.
    Image(GapReason),
    /// Anything else.
    Other,
}

impl TargetError {
    /// A problem with one target.
    pub fn new(target: impl Display, problem: impl Display) -> Self {
        let (target, problem) = (target.to_string(), problem.to_string());
        Self { target, problem, kind: TargetProblem::Other }
    }

    /// A snapshot that cannot be read.
    #[cfg(feature = "ebs")]
    pub fn snapshot(name: &str, error: &ebs_snapshot::Error) -> Self {
        use ebs_snapshot::Error;
        let kind = match error {
            Error::KeyDenied { .. } => TargetProblem::Key,
            Error::AccessDenied { .. } => TargetProblem::Denied,
            Error::UnknownSnapshot { .. } => TargetProblem::Missing,
            Error::Throttled { .. } => TargetProblem::Throttled,
            Error::RefusedCredentials(_) | Error::Connect(_) => TargetProblem::Credentials,
            _ => TargetProblem::Other,
        };
        Self { kind, ..Self::new(name, error) }
    }

    /// The gap that a target which cannot be opened leaves, by its name in the report.
    fn gap(self, name: &str) -> Gap {
        let reason = match self.kind {
            TargetProblem::Key => GapReason::Encrypted,
            TargetProblem::Missing => GapReason::Missing,
            TargetProblem::Image(reason) => reason,
            _ => GapReason::Unreadable,
        };
        Gap::new(name, reason, self.problem)
    }
}

/// Reads what the user wrote: `dir:PATH`, `docker-archive:FILE` and its like, `snap-…[,snap-…]`, or a path.
pub fn parse_target(text: &str) -> Result<Vec<Target>, TargetError> {
    if let Some(path) = text.strip_prefix("dir:") {
        return Ok(vec![Target::Directory(path.into())]);
    }
    for (prefix, kind) in PREFIXES {
        if let Some(path) = text.strip_prefix(prefix) {
            return Ok(vec![Target::Archive(*kind, path.into())]);
        }
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
                Ok(Target::Snapshot { id: id.to_owned(), name: id.to_owned() })
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
    /// Block devices, in the order given, and the gaps of those that could not be opened.
    Devices(Vec<Disk>, Cloud, Vec<Gap>),
}

/// What stands behind the devices that are EBS snapshots.
#[derive(Default)]
pub struct Cloud {
    ids: Vec<String>,
    #[cfg(feature = "ebs")]
    region: Option<String>,
    #[cfg(feature = "ebs")]
    account: Option<ebs_snapshot::Account>,
}

/// What was read of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRead {
    /// Its name in the report.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Indices of 512 KiB blocks, sorted.
    pub blocks: Vec<u64>,
}

/// How many blocks hold data, when the source knows; asked for when the scan is over.
pub type Allocated = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// One opened disk.
pub struct Disk {
    /// Its bytes and name.
    pub device: Device,
    read_set: Arc<ReadSet>,
    allocated: Allocated,
}

impl Disks {
    /// Opens all targets. A disk that cannot be opened is a gap, if another one can.
    pub fn open(
        request: &Request,
        cache: &Arc<BlockCache>,
        progress: &dyn Progress,
        gaps: &mut Vec<Gap>,
    ) -> Result<Self, TargetError> {
        if let [Target::Directory(path)] = request.targets {
            return Ok(Self::Root(path.clone()));
        }
        let mut cloud = Cloud::new(request);
        let limits = Limits { unpacked: request.unpack_bytes, temporary: None };
        refuse_repeated(request.targets)?;
        let images = Images { limits, cache, progress, targets: request.targets };
        let (mut disks, mut unopened, mut failed) = (Vec::new(), request.unopened.to_vec(), None);
        for target in request.targets {
            match open_target(target, &mut cloud, &images, (&mut unopened, gaps))? {
                (_, Ok(opened)) => disks.extend(opened),
                (name, Err(error)) => {
                    unopened.extend(failed.replace((name, error)).map(|(name, it)| it.gap(&name)));
                }
            }
        }
        if let Some((name, error)) = failed {
            if disks.is_empty() {
                return Err(error);
            }
            unopened.push(error.gap(&name));
        }
        gaps.extend(unopened.iter().cloned());
        Ok(Self::Devices(disks, cloud, unopened))
    }

    /// A name for a host that has none.
    pub fn name(&self) -> String {
        match self {
            Self::Root(path) => path.display().to_string(),
            Self::Devices(disks, ..) => {
                disks.first().map_or(String::new(), |d| d.device.name.clone())
            }
        }
    }

    /// Where the snapshots are, and which were read, in the order given.
    pub fn cloud(&self) -> CloudContext {
        let Self::Devices(_, cloud, _) = self else { return CloudContext::default() };
        CloudContext {
            region: cloud.region(),
            snapshots: cloud.ids.clone(),
            ..CloudContext::default()
        }
    }

    /// The blocks that were read so far, by device.
    pub fn read(&self) -> Vec<DeviceRead> {
        let Self::Devices(disks, ..) = self else { return Vec::new() };
        let read = disks.iter().map(|disk| DeviceRead {
            name: disk.device.name.clone(),
            size: disk.device.source.size(),
            blocks: disk.read_set.blocks(),
        });
        read.collect()
    }

    /// Counts what is read, while it is read.
    pub fn counter(&self) -> Counter {
        let Self::Devices(disks, ..) = self else { return Box::new(Reading::default) };
        let read: Vec<_> = disks.iter().map(|disk| disk.read_set.clone()).collect();
        Box::new(move || {
            let blocks = read.iter().map(|set| set.count()).sum();
            Reading { blocks: Some(blocks), bytes: blocks * BLOCK_SIZE, total: None }
        })
    }

    /// What reading cost so far.
    pub fn receipt(&self) -> Receipt {
        let Self::Devices(disks, cloud, _) = self else { return Receipt::default() };
        let blocks_read = disks.iter().map(|disk| disk.read_set.count()).sum();
        let receipt = Receipt {
            blocks_read,
            blocks_allocated: disks.iter().map(|disk| (disk.allocated)()).sum(),
            bytes_read: blocks_read * BLOCK_SIZE,
            ..Receipt::default()
        };
        cloud.add_to(receipt)
    }
}

#[cfg(feature = "ebs")]
impl Cloud {
    fn new(request: &Request) -> Self {
        Self {
            ids: Vec::new(),
            region: request.region.map(str::to_owned),
            account: request.account.map(ebs_snapshot::Account::share),
        }
    }

    /// Opens a snapshot, in the account that the scan brought, else in that of the environment.
    fn open(&mut self, id: &str, name: &str, cache: &Arc<BlockCache>) -> Result<Disk, TargetError> {
        let fail = |error: ebs_snapshot::Error| TargetError::snapshot(name, &error);
        if self.account.is_none() {
            self.account =
                Some(ebs_snapshot::Account::connect(self.region.as_deref()).map_err(fail)?);
        }
        let account = self.account.as_ref().expect("connected above");
        let snapshot = account.snapshot(id).map_err(fail)?;
        self.ids.push(id.to_owned());
        let counted = snapshot.clone();
        Ok(Disk::new(name, cache.device(snapshot), Box::new(move || counted.allocated_blocks())))
    }

    fn region(&self) -> Option<String> {
        self.account.as_ref().map(|account| account.region().to_owned())
    }

    fn add_to(&self, receipt: Receipt) -> Receipt {
        let Some(account) = &self.account else { return receipt };
        let usage = account.usage();
        Receipt {
            bytes_read: usage.bytes_read,
            api_calls: usage.api_calls,
            retries: usage.retries,
            usd: usage.usd,
            ..receipt
        }
    }
}

#[cfg(not(feature = "ebs"))]
impl Cloud {
    fn new(_: &Request) -> Self {
        Self::default()
    }

    #[expect(clippy::unused_self, reason = "the build with the feature needs it")]
    fn open(
        &mut self,
        id: &str,
        _name: &str,
        _cache: &Arc<BlockCache>,
    ) -> Result<Disk, TargetError> {
        Err(TargetError::new(id, "this build has no support for EBS snapshots (feature `ebs`)"))
    }

    #[expect(clippy::unused_self, reason = "the build with the feature needs it")]
    fn region(&self) -> Option<String> {
        None
    }

    #[expect(clippy::unused_self, reason = "the build with the feature needs it")]
    fn add_to(&self, receipt: Receipt) -> Receipt {
        receipt
    }
}

impl Disk {
    pub fn new(name: &str, source: CachedSource, allocated: Allocated) -> Self {
        let read_set = source.read_set();
        Self { device: Device::new(name, Arc::new(source)), read_set, allocated }
    }
}

/// A disk that is named twice would be two.
fn refuse_repeated(targets: &[Target]) -> Result<(), TargetError> {
    for (index, target) in targets.iter().enumerate() {
        if targets[..index].contains(target) {
            let name = match target {
                Target::Image(path) | Target::Directory(path) | Target::Archive(_, path) => {
                    path.display().to_string()
                }
                Target::Snapshot { name, .. } => name.clone(),
            };
            return Err(TargetError::new(printable_str(&name), "named twice"));
        }
    }
    Ok(())
}

/// The name of a target in the report, and its disks. What is no disk of a host is an error of its own.
fn open_target(
    target: &Target,
    cloud: &mut Cloud,
    images: &Images,
    (unopened, gaps): (&mut Vec<Gap>, &mut Vec<Gap>),
) -> Result<(String, Result<Vec<Disk>, TargetError>), TargetError> {
    match target {
        Target::Image(path) => Ok((images.name(path), images.open(path, unopened, gaps))),
        Target::Snapshot { id, name } => {
            let opened = cloud.open(id, name, images.cache).map(|disk| vec![disk]);
            Ok((name.clone(), opened))
        }
        Target::Archive(_, path) => Err(TargetError::new(
            path.display(),
            "an archive of images is no disk of a host; scan it alone",
        )),
        Target::Directory(path) => {
            Err(TargetError::new(path.display(), "a directory is a whole host; scan it alone"))
        }
    }
}
