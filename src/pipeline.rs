//! The one place where the stages of a scan meet: devices, volumes, filesystems, host, packages.

mod discover;
mod disks;
mod progress;
mod warm;

pub use disks::{Target, TargetError, TargetProblem, parse_target};
pub use progress::{Counter, Progress, Reading, Stage};

use crate::advisory::store::{Store, StoreError};
use crate::block::BlockCache;
use crate::filesystem::Directory;
use crate::host::{self, Found, Host};
use crate::inventory;
use crate::matching;
use crate::model::{
    Asset, AssetKind, FeedState, Gap, GapReason, HostContext, Mount, Receipt, SCHEMA_VERSION,
    ScanReport,
};
use disks::Disks;
use std::sync::Arc;
use std::time::Instant;

/// What a scan is to do.
pub struct Scan<'a> {
    /// The disks of one host.
    pub targets: &'a [Target],
    /// Most bytes of disk blocks held in memory.
    pub cache_bytes: u64,
    /// The region that snapshots are in, instead of that of the environment.
    pub region: Option<&'a str>,
    /// The account that snapshots are in, if it is open already.
    #[cfg(feature = "ebs")]
    pub account: Option<&'a crate::source::ebs_snapshot::Account>,
    /// A target that cannot be opened is a gap, if another can.
    pub lenient: bool,
}

impl<'a> Scan<'a> {
    /// A scan of all of these disks, or none.
    pub fn new(targets: &'a [Target], cache_bytes: u64) -> Self {
        Self {
            targets,
            cache_bytes,
            region: None,
            #[cfg(feature = "ebs")]
            account: None,
            lenient: false,
        }
    }
}

/// Scans the disks of one host. Findings are left empty: matching comes after.
pub fn scan(scan: &Scan, progress: &dyn Progress) -> Result<ScanReport, TargetError> {
    let started = Instant::now();
    let mut gaps = Vec::new();
    let cache = BlockCache::new(scan.cache_bytes);
    progress.stage(Stage::Opening);
    let disks = Disks::open(scan, &cache, &mut gaps)?;
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
    Ok(ScanReport {
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
    })
}

/// What a report's packages are matched with.
pub enum Advisories {
    /// Nothing: only packages are wanted.
    Unwanted,
    /// Nothing, though findings are wanted: no feed was stored yet.
    Missing,
    /// The advisories of a store.
    Store(Store),
}

/// Matches the packages of a report; that there is nothing to match them with is a gap.
pub fn add_findings(report: &mut ScanReport, advisories: &Advisories) -> Result<(), StoreError> {
    let store = match advisories {
        Advisories::Unwanted => return Ok(()),
        Advisories::Missing => {
            let detail = "no advisory store, so nothing was matched: run sidelight feeds update";
            report.gaps.push(Gap::new("advisories", GapReason::NoVendorData, detail));
            return Ok(());
        }
        Advisories::Store(store) => store,
    };
    for asset in &mut report.assets {
        let matched = matching::match_packages(store, &report.host.os, &asset.packages)?;
        asset.findings = matched.into_found(&mut report.gaps);
    }
    let feeds = store.feeds().into_iter();
    report.feeds = feeds
        .map(|feed| FeedState { name: feed.name, date: feed.date, sha256: feed.sha256 })
        .collect();
    report.gaps.sort();
    Ok(())
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
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
