//! The one place where the stages of a scan meet: devices, volumes, filesystems, host, packages.

mod discover;
mod disks;
mod progress;
mod warm;

pub use disks::{DeviceRead, Target, TargetError, parse_target};
pub use progress::{Counter, Progress, Reading, Stage};

use crate::block::BlockCache;
use crate::filesystem::Directory;
use crate::host::{self, Found, Host};
use crate::inventory;
use crate::model::{
    Asset, AssetKind, Gap, GapReason, HostContext, Mount, Receipt, SCHEMA_VERSION, ScanReport,
};
use disks::Disks;
use std::sync::Arc;
use std::time::Instant;

/// How a scan goes about its work.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Most bytes of disk blocks held in memory.
    pub cache_bytes: u64,
}

/// A finished scan.
pub struct Scan {
    /// What it found.
    pub report: ScanReport,
    /// The blocks that the answer was made from; empty for a directory.
    pub read: Vec<DeviceRead>,
}

/// Scans the disks of one host. Findings are left empty: matching comes after.
pub fn scan(
    targets: &[Target],
    options: Options,
    progress: &dyn Progress,
) -> Result<Scan, TargetError> {
    let started = Instant::now();
    let mut gaps = Vec::new();
    let cache = BlockCache::new(options.cache_bytes);
    progress.stage(Stage::Opening);
    let disks = Disks::open(targets, &cache)?;
    progress.count(disks.counter());
    progress.stage(Stage::Disks);
    let joined = match &disks {
        Disks::Root(path) => {
            let directory: Arc<_> = Directory::open(path)
                .map_err(|error| TargetError::new(path.display(), error))?
                .into();
            let mount = Mount {
                path: "/".to_owned(),
                device: path.display().to_string(),
                filesystem: "directory".to_owned(),
            };
            Some((host::Tree::new(directory), vec![mount]))
        }
        Disks::Devices(devices, _) => {
            let found = discover::filesystems(devices, &mut gaps);
            tracing::info!(filesystems = found.len(), "looked at the disks");
            progress.stage(Stage::Host);
            warm::start(&found);
            join(&found, &mut gaps)
        }
    };
    let mut asset = Asset {
        kind: AssetKind::Host,
        id: String::new(),
        name: String::new(),
        packages: Vec::new(),
        findings: Vec::new(),
    };
    let mut context = HostContext::default();
    if let Some((tree, mounts)) = joined {
        let (host, packages) = read_host(tree, &mut gaps, progress);
        asset.packages = packages;
        context = HostContext { mounts, ..host };
    }
    context.cloud = disks.cloud();
    asset.name = context.hostname.clone().unwrap_or_else(|| disks.name());
    asset.id = context.machine_id.clone().unwrap_or_else(|| asset.name.clone());
    gaps.sort();
    gaps.dedup();
    let report = ScanReport {
        schema_version: SCHEMA_VERSION,
        host: context,
        assets: vec![asset],
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

fn join(found: &[Found], gaps: &mut Vec<Gap>) -> Option<(host::Tree, Vec<Mount>)> {
    let joined = host::join(found, gaps);
    if joined.is_none() {
        let detail = "no filesystem on these disks looks like the root of a system";
        gaps.push(Gap::new("/", GapReason::Missing, detail));
    }
    joined
}

/// Identity and packages. Files on a joined filesystem are asked for while the identity is read;
/// those of the root are on their way since its filesystem was found.
fn read_host(
    tree: host::Tree,
    gaps: &mut Vec<Gap>,
    progress: &dyn Progress,
) -> (HostContext, Vec<crate::model::Package>) {
    progress.stage(Stage::Host);
    let context = std::thread::scope(|scope| {
        scope.spawn(|| inventory::paths().for_each(|path| tree.read_ahead(path.as_bytes())));
        host::identify(&tree, gaps)
    });
    tracing::info!(os = context.os.pretty_name, "read the host's identity");
    let host = Host { tree, context };
    progress.stage(Stage::Packages);
    let packages = inventory::inventory(&host).into_found(gaps);
    tracing::info!(packages = packages.len(), "listed the packages");
    (host.context, packages)
}

/// Peak resident memory as the kernel counts it; 0 where it does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
