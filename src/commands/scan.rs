//! `sidelight scan`: one host, from its disks to a report.

use super::feeds;
use super::inventory_args::InventoryArgs;
use super::output::Output;
use super::progress::{Progress, Task};
use super::read_set;
#[cfg(feature = "cloud")]
use super::{cloud_args::CloudArgs, cloud_target};
use crate::advisory::store::Store;
use crate::model::{ScanReport, Severity};
use crate::pipeline::{self, Advisories, Progress as _, Request, Scan, Stage, Target};
use crate::report::{self, ReportFormat, Vulnerabilities};
use anyhow::{Context, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  sidelight scan disk.img                        a raw or qcow2 image
  sidelight scan root.qcow2 data.img             two disks of one host
  sidelight scan snap-0123456789abcdef0          an EBS snapshot (AWS_REGION and credentials)
  sidelight scan i-0123456789abcdef0             an instance: snapshots are made, read, deleted
  sidelight scan dir:/mnt/root --no-match        a directory as the root, packages only
  sidelight scan docker-archive:app.tar          the images in a file of docker save
  sidelight scan disk.img --format json --output report.json --fail-on high";

/// Scan the disks of one host
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Disk images, block devices, EBS snapshots (snap-…), all of one host; or dir:PATH; or images
    /// of containers in docker-archive:FILE, oci-archive:FILE or oci-dir:PATH; or one instance (i-…),
    /// volume (vol-…) or image (ami-…)
    #[arg(required = true, value_name = "PATH")]
    pub(super) targets: Vec<String>,
    #[cfg(feature = "cloud")]
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
    /// AWS region [default: that of AWS_REGION or the AWS profile]
    #[cfg(not(feature = "cloud"))]
    #[arg(long)]
    pub(super) region: Option<String>,
    /// How the report is written
    #[arg(long, value_parser = format_names(), default_value = "table")]
    pub(super) format: String,
    /// With `--format cyclonedx`: put the findings into the document, as vulnerabilities
    #[arg(long, conflicts_with = "no_match")]
    pub(super) bom_vulnerabilities: bool,
    /// Where the report is written [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Also write which blocks of which device were read, as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) read_set: Option<PathBuf>,
    /// Advisory store to match with [default: the one that `sidelight feeds` keeps]
    #[arg(long, value_name = "FILE", conflicts_with = "no_match")]
    pub(super) advisories: Option<PathBuf>,
    /// List packages only, without matching them with advisories
    #[arg(long)]
    pub(super) no_match: bool,
    /// Exit with 1 if a finding is at least this severe, or known to be exploited, whatever its
    /// severity; one that its vendor has not rated is `unknown`, below `low`
    #[arg(long, value_name = "SEVERITY", value_parser = severities(), conflicts_with = "no_match")]
    pub(super) fail_on: Option<Severity>,
    #[command(flatten)]
    pub(super) inventory: InventoryArgs,
    /// MiB of disk blocks held in memory [default: 20, and 48 for snapshots, of which each block that is
    /// fetched again is a call more]
    #[arg(long, value_name = "MIB")]
    pub(super) cache_size: Option<u64>,
    /// GiB that a packed disk (gz, xz, zst) may be unpacked to, holes counted too; the file for it
    /// is in the folder that TMPDIR names [default: 64, or 4096 times its size if that is more]
    #[arg(long, value_name = "GIB")]
    pub(super) unpack_limit: Option<u64>,
}

fn format_names() -> PossibleValuesParser {
    report::FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().into()
}

pub(super) fn severities() -> impl TypedValueParser<Value = Severity> {
    let names = Severity::ALL.map(Severity::as_str);
    PossibleValuesParser::new(names).try_map(|text| {
        let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
        known.ok_or("no such severity")
    })
}

/// Runs a scan.
pub fn run(args: &Args, progress: &Progress) -> anyhow::Result<ExitCode> {
    let prepared = Prepared::from(args)?;
    let task = progress.task("starting");
    let (Scan { report, read }, left) = prepared.scan(args, &task)?;
    drop(task);
    if let Some(file) = &prepared.read_set {
        file.write(|out| read_set::write(&read, out))?;
    }
    let screen = prepared.output.screen();
    let options = report::Options { vulnerabilities: prepared.vulnerabilities, screen };
    prepared.output.write(|out| prepared.format.write(&report, options, out))?;
    for snapshot in &left {
        eprintln!("sidelight: {snapshot} is left over: run sidelight cleanup");
    }
    Ok(exit_code(&report, !left.is_empty(), args.fail_on))
}

/// What can be known to be wrong before anything is read, and is told then: a scan can take hours.
struct Prepared {
    targets: Targets,
    format: &'static dyn ReportFormat,
    vulnerabilities: Vulnerabilities,
    output: Output,
    read_set: Option<Output>,
    advisories: Advisories,
}

enum Targets {
    Disks(Vec<Target>),
    /// An instance, a volume or an image, by its id.
    #[cfg(feature = "cloud")]
    Cloud(String),
}

impl Targets {
    fn from(texts: &[String]) -> anyhow::Result<Self> {
        #[cfg(feature = "cloud")]
        if let [text] = texts
            && cloud_target::is_one(text)
        {
            return Ok(Self::Cloud(text.clone()));
        }
        let mut disks = Vec::new();
        for text in texts {
            disks.extend(pipeline::parse_target(text)?);
        }
        Ok(Self::Disks(disks))
    }

    fn cache_bytes(&self, wished: Option<u64>) -> u64 {
        let is_near = |it: &Target| !matches!(it, Target::Snapshot { .. });
        let are_near = matches!(self, Self::Disks(disks) if disks.iter().all(is_near));
        wished.unwrap_or(if are_near { 20 } else { 48 }).clamp(2, 1 << 20) << 20
    }

    fn is_directory(&self) -> bool {
        matches!(self, Self::Disks(disks) if disks.iter().any(|it| matches!(it, Target::Directory(_) | Target::Archive(..))))
    }
}

impl Prepared {
    fn from(args: &Args) -> anyhow::Result<Self> {
        let targets = Targets::from(&args.targets)?;
        let blocks = args.read_set.is_none() || !targets.is_directory();
        ensure!(blocks, "--read-set is for disks; a directory or an archive is not read by blocks");
        Ok(Self {
            targets,
            format: report::by_name(&args.format).context("no such report format")?,
            vulnerabilities: vulnerabilities(args)?,
            output: args.output.as_deref().map_or_else(|| Ok(Output::stdout()), Output::at)?,
            read_set: args.read_set.as_deref().map(Output::at).transpose()?,
            advisories: open_advisories(args.advisories.as_deref(), args.no_match)?,
        })
    }

    /// The scan, and the snapshots made for it that could not be deleted.
    fn scan(&self, args: &Args, task: &Task) -> anyhow::Result<(Scan, Vec<String>)> {
        let (region, cache_bytes) = (args.region(), self.targets.cache_bytes(args.cache_size));
        let inventory = args.inventory.options();
        match &self.targets {
            #[cfg(feature = "cloud")]
            Targets::Cloud(id) => {
                let how = (cache_bytes, inventory);
                cloud_target::scan(id, &args.cloud, how, &self.advisories, task)
            }
            Targets::Disks(disks) => {
                let unpack_bytes = args.unpack_limit.map(|gib| gib.saturating_mul(1 << 30));
                let request =
                    Request { unpack_bytes, region, inventory, ..Request::new(disks, cache_bytes) };
                let mut scan = pipeline::scan(&request, task)?;
                task.stage(Stage::Matching);
                pipeline::add_findings(&mut scan.report, &self.advisories)?;
                Ok((scan, Vec::new()))
            }
        }
    }
}

impl Args {
    fn region(&self) -> Option<&str> {
        #[cfg(feature = "cloud")]
        let region = &self.cloud.region;
        #[cfg(not(feature = "cloud"))]
        let region = &self.region;
        region.as_deref()
    }
}

fn vulnerabilities(args: &Args) -> anyhow::Result<Vulnerabilities> {
    if !args.bom_vulnerabilities {
        return Ok(Vulnerabilities::Omit);
    }
    let takes = args.format.starts_with("cyclonedx");
    ensure!(takes, "--bom-vulnerabilities goes with --format cyclonedx");
    Ok(Vulnerabilities::Include)
}

/// The store that was named, which must be there, or the usual one, if there is one.
pub(super) fn open_advisories(named: Option<&Path>, no_match: bool) -> anyhow::Result<Advisories> {
    if no_match {
        return Ok(Advisories::Unwanted);
    }
    let path = feeds::store_path(named)?;
    if named.is_none() && !path.exists() {
        return Ok(Advisories::Missing);
    }
    Ok(Advisories::Store(Store::open(&path).context("cannot open the advisory store")?))
}

/// A finding over the threshold outweighs a gap: it will not go away when the gap is closed.
fn exit_code(report: &ScanReport, left: bool, fail_on: Option<Severity>) -> ExitCode {
    let mut findings = report.assets.iter().flat_map(|asset| &asset.findings);
    if fail_on.is_some_and(|threshold| findings.any(|finding| finding.reaches(threshold))) {
        return ExitCode::from(1);
    }
    ExitCode::from(if report.gaps.is_empty() && !left { 0 } else { 3 })
}
