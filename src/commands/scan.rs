//! `sidelight scan`: one host, from its disks to a report.

use super::feeds;
use super::output::Output;
use super::progress::{Progress, Task};
use crate::advisory::store::Store;
use crate::model::{ScanReport, Severity};
use crate::pipeline::{self, Advisories, Progress as _, Scan, Stage};
use crate::report::{self, Vulnerabilities};
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  sidelight scan disk.img                        a raw or qcow2 image
  sidelight scan root.qcow2 data.img             two disks of one host
  sidelight scan snap-0123456789abcdef0          an EBS snapshot (AWS_REGION and credentials)
  sidelight scan i-0123456789abcdef0             an instance: snapshots are made, read and deleted
  sidelight scan dir:/mnt/root --no-match        a directory as the root, packages only
  sidelight scan disk.img --format json --output report.json --fail-on high";

/// Scan the disks of one host
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Disk images, block devices, `snap-…[,snap-…]` or `dir:PATH`, all disks of one host; or one
    /// `i-…`, `vol-…` or `ami-…`
    #[arg(required = true, value_name = "PATH")]
    targets: Vec<String>,
    /// AWS region, instead of AWS_REGION or the profile's
    #[arg(long)]
    region: Option<String>,
    /// How the report is written
    #[arg(long, value_parser = format_names(), default_value = "table")]
    format: String,
    /// Put the findings into the CycloneDX document, as vulnerabilities
    #[arg(long, conflicts_with = "no_match")]
    bom_vulnerabilities: bool,
    /// Where the report is written, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Advisory store to match with, instead of the one that `sidelight feeds` keeps
    #[arg(long, value_name = "FILE", conflicts_with = "no_match")]
    advisories: Option<PathBuf>,
    /// List packages only
    #[arg(long)]
    no_match: bool,
    /// Exit with 1 if a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    fail_on: Option<Severity>,
    /// MiB of disk blocks held in memory
    #[arg(long, value_name = "MIB", default_value_t = 32)]
    cache_size: u64,
}

fn format_names() -> clap::builder::PossibleValuesParser {
    report::FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().into()
}

pub(super) fn severity(text: &str) -> Result<Severity, String> {
    let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
    known.ok_or_else(|| format!("one of {}", Severity::ALL.map(Severity::as_str).join(", ")))
}

/// Runs a scan.
pub fn run(args: &Args, progress: &Progress) -> anyhow::Result<ExitCode> {
    let options = report_options(args)?;
    let output = args.output.as_deref().map_or_else(|| Ok(Output::stdout()), Output::at)?;
    let cache_bytes = args.cache_size.clamp(2, 1 << 20) << 20;
    let format = report::by_name(&args.format).context("no such report format")?;
    // A store that cannot be opened is told before hours of reading, not after.
    let advisories = open_advisories(args.advisories.as_deref(), args.no_match)?;
    let task = progress.task("starting");
    let report = match &args.targets[..] {
        #[cfg(feature = "cloud")]
        [target] if super::cloud_target::is_one(target) => super::cloud_target::scan(
            target,
            args.region.as_deref(),
            cache_bytes,
            advisories,
            &task,
        )?,
        targets => scan_disks(targets, args, cache_bytes, &advisories, &task)?,
    };
    drop(task);
    output.write(|out| format.write(&report, options, out))?;
    Ok(exit_code(&report, args.fail_on))
}

fn report_options(args: &Args) -> anyhow::Result<report::Options> {
    if !args.bom_vulnerabilities {
        return Ok(report::Options::default());
    }
    ensure!(args.format == "cyclonedx", "--bom-vulnerabilities goes with --format cyclonedx");
    Ok(report::Options { vulnerabilities: Vulnerabilities::Include })
}

fn scan_disks(
    targets: &[String],
    args: &Args,
    cache_bytes: u64,
    advisories: &Advisories,
    task: &Task,
) -> anyhow::Result<ScanReport> {
    let mut disks = Vec::new();
    for text in targets {
        disks.extend(pipeline::parse_target(text)?);
    }
    let scan = Scan { region: args.region.as_deref(), ..Scan::new(&disks, cache_bytes) };
    let mut report = pipeline::scan(&scan, task)?;
    task.stage(Stage::Matching);
    pipeline::add_findings(&mut report, advisories)?;
    Ok(report)
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
    Ok(Advisories::Store(Store::open(&path)?))
}

/// A finding over the threshold outweighs a gap: it will not go away when the gap is closed.
fn exit_code(report: &ScanReport, fail_on: Option<Severity>) -> ExitCode {
    let mut findings = report.assets.iter().flat_map(|asset| &asset.findings);
    if fail_on.is_some_and(|threshold| findings.any(|finding| finding.severity >= threshold)) {
        return ExitCode::from(1);
    }
    ExitCode::from(if report.gaps.is_empty() { 0 } else { 3 })
}
