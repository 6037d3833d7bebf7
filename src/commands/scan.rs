//! `sidelight scan`: one host, from its disks to a report.

use super::feeds;
use super::output::Output;
use super::progress::Progress;
use crate::advisory::store::Store;
use crate::matching;
use crate::model::{FeedState, Gap, GapReason, ScanReport, Severity};
use crate::pipeline::{self, Options, Progress as _, Stage};
use crate::report::{self, Vulnerabilities};
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  sidelight scan disk.img                        a raw or qcow2 image
  sidelight scan root.qcow2 data.img             two disks of one host
  sidelight scan snap-0123456789abcdef0          an EBS snapshot (AWS_REGION and credentials)
  sidelight scan dir:/mnt/root --no-match        a directory as the root, packages only
  sidelight scan disk.img --format json --output report.json --fail-on high";

/// Scan the disks of one host
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Disk images, block devices, `snap-…[,snap-…]` or `dir:PATH`; all are disks of one host
    #[arg(required = true, value_name = "PATH")]
    targets: Vec<String>,
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

fn severity(text: &str) -> Result<Severity, String> {
    let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
    known.ok_or_else(|| format!("one of {}", Severity::ALL.map(Severity::as_str).join(", ")))
}

/// Runs a scan.
pub fn run(args: &Args, progress: &Progress) -> anyhow::Result<ExitCode> {
    let vulnerabilities = vulnerabilities(args)?;
    let output = args.output.as_deref().map_or_else(|| Ok(Output::stdout()), Output::at)?;
    let mut targets = Vec::new();
    for text in &args.targets {
        targets.extend(pipeline::parse_target(text)?);
    }
    let scan_options = Options { cache_bytes: args.cache_size.clamp(2, 1 << 20) << 20 };
    let format = report::by_name(&args.format).context("no such report format")?;
    // A store that cannot be opened is told before hours of reading, not after.
    let store = if args.no_match { None } else { open_store(args.advisories.as_deref())? };
    let task = progress.task("starting");
    let mut report = pipeline::scan(&targets, scan_options, &task)?;
    if let Some(store) = store {
        task.stage(Stage::Matching);
        add_findings(&mut report, &store)?;
    } else if !args.no_match {
        let detail = "no advisory store, so nothing was matched: run sidelight feeds update";
        report.gaps.push(Gap::new("advisories", GapReason::NoVendorData, detail));
    }
    drop(task);
    let options = report::Options { vulnerabilities, screen: output.screen() };
    output.write(|out| format.write(&report, options, out))?;
    Ok(exit_code(&report, args.fail_on))
}

fn vulnerabilities(args: &Args) -> anyhow::Result<Vulnerabilities> {
    if !args.bom_vulnerabilities {
        return Ok(Vulnerabilities::Omit);
    }
    ensure!(args.format == "cyclonedx", "--bom-vulnerabilities goes with --format cyclonedx");
    Ok(Vulnerabilities::Include)
}

/// The store that was named, which must be there, or the usual one, if there is one.
fn open_store(named: Option<&Path>) -> anyhow::Result<Option<Store>> {
    let path = feeds::store_path(named)?;
    if named.is_none() && !path.exists() {
        return Ok(None);
    }
    Ok(Some(Store::open(&path)?))
}

fn add_findings(report: &mut ScanReport, store: &Store) -> anyhow::Result<()> {
    for asset in &mut report.assets {
        let matched = matching::match_packages(store, &report.host.os, &asset.packages)?;
        asset.findings = matched.into_found(&mut report.gaps);
    }
    let feeds = store.feeds();
    report.feeds = feeds
        .iter()
        .map(|feed| FeedState {
            name: feed.name.clone(),
            date: feed.date.clone(),
            sha256: feed.sha256.clone(),
        })
        .collect();
    report.gaps.sort();
    Ok(())
}

/// A finding over the threshold outweighs a gap: it will not go away when the gap is closed.
fn exit_code(report: &ScanReport, fail_on: Option<Severity>) -> ExitCode {
    let mut findings = report.assets.iter().flat_map(|asset| &asset.findings);
    if fail_on.is_some_and(|threshold| findings.any(|finding| finding.severity >= threshold)) {
        return ExitCode::from(1);
    }
    ExitCode::from(if report.gaps.is_empty() { 0 } else { 3 })
}
