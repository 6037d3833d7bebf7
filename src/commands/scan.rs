//! `sidelight scan`: one host, from its disks to a report.

use super::feeds;
use super::output::Output;
use super::progress::Progress;
use super::read_set;
use crate::advisory::store::Store;
use crate::matching;
use crate::model::{FeedState, Gap, GapReason, ScanReport, Severity};
use crate::pipeline::{self, Options, Progress as _, Scan, Stage, Target};
use crate::report::{self, ReportFormat, Vulnerabilities};
use anyhow::{Context, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser};
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
    /// Disk images, block devices, EBS snapshots (snap-…), all of one host; or dir:PATH
    #[arg(required = true, value_name = "PATH")]
    targets: Vec<String>,
    /// How the report is written
    #[arg(long, value_parser = format_names(), default_value = "table")]
    format: String,
    /// With `--format cyclonedx`: put the findings into the document, as vulnerabilities
    #[arg(long, conflicts_with = "no_match")]
    bom_vulnerabilities: bool,
    /// Where the report is written [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also write which blocks of which device were read, as JSON
    #[arg(long, value_name = "FILE")]
    read_set: Option<PathBuf>,
    /// Advisory store to match with [default: the one that `sidelight feeds` keeps]
    #[arg(long, value_name = "FILE", conflicts_with = "no_match")]
    advisories: Option<PathBuf>,
    /// List packages only, without matching them with advisories
    #[arg(long)]
    no_match: bool,
    /// Exit with 1 if a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", value_parser = severities(), conflicts_with = "no_match")]
    fail_on: Option<Severity>,
    /// MiB of disk blocks held in memory
    #[arg(long, value_name = "MIB", default_value_t = 32)]
    cache_size: u64,
}

fn format_names() -> PossibleValuesParser {
    report::FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().into()
}

fn severities() -> impl TypedValueParser<Value = Severity> {
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
    let options = Options { cache_bytes: args.cache_size.clamp(2, 1 << 20) << 20 };
    let Scan { mut report, read } = pipeline::scan(&prepared.targets, options, &task)?;
    if let Some(store) = &prepared.store {
        task.stage(Stage::Matching);
        add_findings(&mut report, store)?;
    } else if !args.no_match {
        let detail = "no advisory store, so nothing was matched: run sidelight feeds update";
        report.gaps.push(Gap::new("advisories", GapReason::NoVendorData, detail));
    }
    report.gaps.sort();
    drop(task);
    if let Some(file) = &prepared.read_set {
        file.write(|out| read_set::write(&read, out))?;
    }
    let screen = prepared.output.screen();
    let options = report::Options { vulnerabilities: prepared.vulnerabilities, screen };
    prepared.output.write(|out| prepared.format.write(&report, options, out))?;
    Ok(exit_code(&report, args.fail_on))
}

/// What can be known to be wrong before anything is read, and is told then: a scan can take hours.
struct Prepared {
    targets: Vec<Target>,
    format: &'static dyn ReportFormat,
    vulnerabilities: Vulnerabilities,
    output: Output,
    read_set: Option<Output>,
    store: Option<Store>,
}

impl Prepared {
    fn from(args: &Args) -> anyhow::Result<Self> {
        let mut targets = Vec::new();
        for text in &args.targets {
            targets.extend(pipeline::parse_target(text)?);
        }
        let directory = targets.iter().any(|target| matches!(target, Target::Directory(_)));
        let blocks = args.read_set.is_none() || !directory;
        ensure!(blocks, "--read-set is for disks; a directory is not read by blocks");
        Ok(Self {
            targets,
            format: report::by_name(&args.format).context("no such report format")?,
            vulnerabilities: vulnerabilities(args)?,
            output: args.output.as_deref().map_or_else(|| Ok(Output::stdout()), Output::at)?,
            read_set: args.read_set.as_deref().map(Output::at).transpose()?,
            store: if args.no_match { None } else { open_store(args.advisories.as_deref())? },
        })
    }
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
    Ok(Some(Store::open(&path).context("cannot open the advisory store")?))
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
