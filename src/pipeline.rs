//! The one place where the stages of a scan meet: devices, volumes, filesystems, host, packages.

mod archive;
mod containers;
mod coverage;
mod discover;
mod disks;
mod end_of_life;
mod findings;
mod images;
mod progress;
mod warm;

pub use archive::{Archive, Opened as OpenedArchive, open as open_archive};
pub use disks::{DeviceRead, Target, TargetError, TargetProblem, parse_target};
pub use findings::{Advisories, add_findings, add_findings_on};
pub use progress::{Counter, Progress, Reading, Stage};

use crate::block::BlockCache;
use crate::filesystem::{Directory, FileSystem};
use crate::host::{self, Found, Host, Joined};
use crate::inventory::{self, Containers, Inventory};
use crate::model::{
    Asset, AssetKind, Coverage, Gap, GapReason, HostContext, Mount, Package, Receipt,
    SCHEMA_VERSION, ScanReport, StoredImage,
};
use disks::Disks;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Files of a snapshot that are read at the same time.
const READERS_FROM_FAR: usize = 16;

/// What is to be scanned, and how.
pub struct Request<'a> {
    /// The disks of one host.
    pub targets: &'a [Target],
    /// Further disks of the host, by the gaps that tell why they cannot be read.
    pub unopened: &'a [Gap],
    /// Most bytes of disk blocks held in memory.
    pub cache_bytes: u64,
    /// Bytes that a packed disk may be unpacked to, instead of what its own size allows.
    pub unpack_bytes: Option<u64>,
    /// The region that snapshots are in, instead of that of the environment.
    pub region: Option<&'a str>,
    /// What of the host is listed.
    pub inventory: inventory::Options,
    /// The account that snapshots are in, if it is open already.
    #[cfg(feature = "ebs")]
    pub account: Option<&'a crate::source::ebs_snapshot::Account>,
}

impl<'a> Request<'a> {
    /// These disks, in the region and account of the environment.
    pub fn new(targets: &'a [Target], cache_bytes: u64) -> Self {
        Self {
            targets,
            unopened: &[],
            cache_bytes,
            unpack_bytes: None,
            region: None,
            inventory: inventory::Options::default(),
            #[cfg(feature = "ebs")]
            account: None,
        }
    }
}

/// A finished scan.
pub struct Scan {
    /// What it found.
    pub report: ScanReport,
    /// The blocks that the answer was made from; empty for a directory.
    pub read: Vec<DeviceRead>,
}

/// Scans the disks of one host. Findings are left empty: matching comes after.
pub fn scan(request: &Request, progress: &dyn Progress) -> Result<Scan, TargetError> {
    scan_as_far_as(request, progress, Extent::Packages)
}

/// As [`scan`], but only what the disks hold and where it is mounted: no package is looked for.
pub fn scan_disks(request: &Request, progress: &dyn Progress) -> Result<Scan, TargetError> {
    scan_as_far_as(request, progress, Extent::Disks)
}

/// A host to look around in.
pub struct Opened {
    /// Its tree, if the disks hold one.
    pub tree: Option<host::Tree>,
    /// All filesystems that can be read, each with the name of its device.
    pub filesystems: Vec<(String, Arc<dyn FileSystem>)>,
    /// What was not read on the way.
    pub gaps: Vec<Gap>,
    /// The disks, which can be read for as long as this is there.
    pub source: Source,
}

/// Keeps disks open.
pub struct Source(#[expect(dead_code, reason = "it is held for its end")] Disks);

/// Joins the disks of one host, and reads nothing of it yet.
pub fn open(request: &Request, progress: &dyn Progress) -> Result<Opened, TargetError> {
    let mut gaps = Vec::new();
    let cache = BlockCache::new(request.cache_bytes);
    progress.stage(Stage::Opening);
    let disks = Disks::open(request, &cache, progress, &mut gaps)?;
    progress.count(disks.counter());
    let Looked { tree, filesystems, .. } = look(&disks, &mut gaps, progress)?;
    Ok(Opened { tree, filesystems, gaps, source: Source(disks) })
}

/// How far a scan goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Disks,
    Packages,
}

fn scan_as_far_as(
    request: &Request,
    progress: &dyn Progress,
    extent: Extent,
) -> Result<Scan, TargetError> {
    if let [Target::Archive(kind, path)] = request.targets
        && extent == Extent::Packages
    {
        return archive::scan((*kind, path), request, progress);
    }
    let started = Instant::now();
    let mut gaps = Vec::new();
    let cache = BlockCache::new(request.cache_bytes);
    progress.stage(Stage::Opening);
    let disks = Disks::open(request, &cache, progress, &mut gaps)?;
    progress.count(disks.counter());
    let Looked { tree, mounts, coverage, .. } = look(&disks, &mut gaps, progress)?;
    let (mut host, mut inventory) = (HostContext::default(), Inventory::default());
    let (mut containers, mut images) = (Vec::<Asset>::new(), Vec::new());
    match tree {
        Some(tree) if extent == Extent::Packages => {
            let mut options = request.inventory.clone();
            if request.targets.iter().any(|it| matches!(it, Target::Snapshot { .. })) {
                options.readers = READERS_FROM_FAR;
            }
            let read = read_all(tree, options, &mut gaps, progress);
            (host, inventory) = (read.host.context, read.host.inventory);
            (containers, images) = (read.containers, read.images);
        }
        _ => {}
    }
    gaps.append(&mut inventory.gaps);
    (host.mounts, host.cloud) = (mounts, disks.cloud());
    host.services = std::mem::take(&mut inventory.services);
    gaps.sort();
    gaps.dedup();
    let report = ScanReport {
        schema_version: SCHEMA_VERSION,
        assets: {
            let mut assets = vec![asset(&host, &disks, inventory.packages)];
            assets.append(&mut containers);
            assets
        },
        images,
        walk: inventory.walk,
        host,
        coverage,
        gaps,
        feeds: Vec::new(),
        receipt: Receipt {
            peak_memory_bytes: peak_memory(),
            seconds: started.elapsed().as_secs_f64(),
            ..disks.receipt()
        },
    };
    Ok(Scan { report, read: disks.read() })
}

fn asset(host: &HostContext, disks: &Disks, packages: Vec<Package>) -> Asset {
    let name = host.hostname.clone().unwrap_or_else(|| disks.name());
    let id = host.machine_id.clone().unwrap_or_else(|| name.clone());
    let (kind, findings) = (AssetKind::Host, Vec::new());
    Asset { kind, id, name, container: None, packages, findings }
}

/// What is on the disks.
struct Looked {
    /// The host's tree, if there is one.
    tree: Option<host::Tree>,
    mounts: Vec<Mount>,
    coverage: Coverage,
    filesystems: Vec<(String, Arc<dyn FileSystem>)>,
}

/// Finds the host on the disks: its tree, and what is mounted in it.
fn look(
    disks: &Disks,
    gaps: &mut Vec<Gap>,
    progress: &dyn Progress,
) -> Result<Looked, TargetError> {
    progress.stage(Stage::Disks);
    let (devices, unopened) = match disks {
        Disks::Root(path) => return directory(path),
        Disks::Devices(devices, _, unopened) => (devices, unopened),
    };
    let mut discovery = discover::discover(devices, gaps);
    discovery.parts.extend(unopened.iter().map(coverage::of_unopened));
    tracing::info!(filesystems = discovery.found.len(), "looked at the disks");
    progress.stage(Stage::Host);
    warm::start(&discovery.found);
    let joined = join(&discovery.found, unopened, gaps);
    let readable = |it: &Found| Some((it.device.clone(), it.filesystem.clone()?));
    let filesystems = discovery.found.iter().filter_map(readable).collect();
    let coverage = coverage::coverage(discovery, &joined, gaps);
    let Joined { tree, mounts, .. } = joined;
    Ok(Looked { tree, mounts, coverage, filesystems })
}

fn directory(path: &Path) -> Result<Looked, TargetError> {
    let opened = Directory::open(path);
    let directory: Arc<_> = opened.map_err(|error| TargetError::new(path.display(), error))?.into();
    let mount = Mount {
        path: "/".to_owned(),
        device: path.display().to_string(),
        filesystem: "directory".to_owned(),
        root: None,
    };
    Ok(Looked {
        tree: Some(host::Tree::new(directory)),
        mounts: vec![mount],
        coverage: coverage::of_directory(path),
        filesystems: Vec::new(),
    })
}

fn join(found: &[Found], unopened: &[Gap], gaps: &mut Vec<Gap>) -> Joined {
    let joined = host::join(found, gaps);
    if !unopened.is_empty() {
        let absent = gaps.iter_mut().filter(|gap| gap.detail.ends_with(host::ON_NO_DISK));
        absent.for_each(|gap| gap.detail += ", but one of its disks could not be opened");
    }
    if joined.tree.is_none() {
        let detail = "no filesystem on these disks looks like the root of a system";
        gaps.push(Gap::new("/", GapReason::Missing, detail));
    }
    joined
}

/// Identity and packages. Files on a joined filesystem are asked for while the identity is read;
/// those of the root are on their way since its filesystem was found.
fn read_host(
    tree: host::Tree,
    options: &inventory::Options,
    gaps: &mut Vec<Gap>,
    progress: &dyn Progress,
) -> ReadHost {
    progress.stage(Stage::Host);
    let context = std::thread::scope(|scope| {
        scope.spawn(|| inventory::paths().for_each(|path| tree.read_ahead(path.as_bytes())));
        let is_all = options.extent == inventory::Extent::All;
        let kernels = is_all.then(|| scope.spawn(|| host::KernelsInUse::find(&tree)));
        let tells_archives = is_all || options.all_indexes;
        let archives = tells_archives.then(|| scope.spawn(|| host::Archives::find(&tree)));
        let settings = is_all.then(|| scope.spawn(|| host::Settings::find(&tree)));
        let mut context = host::identify(&tree, gaps);
        if let Some(settings) = settings {
            joined(settings).add_to(&mut context, gaps);
        }
        if let Some(archives) = archives {
            let indexes =
                if options.all_indexes { host::Indexes::All } else { host::Indexes::Some };
            joined(archives).add_to(&mut context, indexes, gaps);
        }
        if let Some(kernels) = kernels {
            joined(kernels).add_to(&mut context, gaps);
        }
        context
    });
    tracing::info!(os = context.os.pretty_name, "read the host's identity");
    let host = Host { tree, context };
    progress.stage(Stage::Packages);
    let inventory = inventory::inventory(&host, options);
    tracing::info!(packages = inventory.packages.len(), "listed the packages");
    let Host { tree, mut context } = host;
    host::count_esm(&mut context, &inventory.packages);
    ReadHost { tree, context, inventory }
}

/// A host and the containers on it, read.
struct ReadAll {
    host: ReadHost,
    containers: Vec<Asset>,
    images: Vec<StoredImage>,
}

fn read_all(
    tree: host::Tree,
    mut options: inventory::Options,
    gaps: &mut Vec<Gap>,
    progress: &dyn Progress,
) -> ReadAll {
    if options.containers == Containers::None {
        options.stores = crate::containers::folders(&tree, gaps);
        let host = read_host(tree, &options, gaps, progress);
        return ReadAll { host, containers: Vec::new(), images: Vec::new() };
    }
    let mut found = crate::containers::find(&tree);
    options.stores.clone_from(&found.folders);
    let host = read_host(tree, &options, gaps, progress);
    crate::containers::find_met(&host.tree, &host.inventory.stores, &mut found);
    gaps.append(&mut found.gaps);
    if !found.containers.is_empty() {
        progress.stage(Stage::Containers);
    }
    let (containers, images) = containers::scan(&host.tree, found, &options, gaps);
    ReadAll { host, containers, images }
}

/// A host, read.
struct ReadHost {
    tree: host::Tree,
    context: HostContext,
    inventory: Inventory,
}

/// What a thread found; its panic goes on here.
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Peak resident memory as the kernel counts it; 0 where it does not say.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
