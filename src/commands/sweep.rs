//! `sidelight sweep`: all instances of an account and region.

mod folder;
mod outcomes;

use super::cloud_args::CloudArgs;
use super::interrupt;
use super::inventory_args::InventoryArgs;
use super::output::Output;
use super::progress::Progress;
use super::scan::{open_advisories, severities};
use crate::cloud::{Account, PUT, USD_PER_PUT};
use crate::model::{Leftovers, SWEEP_SCHEMA_VERSION, Severity, SweepReceipt, SweepSummary};
use crate::pipeline::{self, Advisories};
use crate::source::ebs_snapshot;
use crate::sweep::{self, Ledger, Left, Scanner, Selection, Settings, TagFilter, Turns};
use anyhow::{Context, ensure};
pub use folder::Folder;
use outcomes::Outcomes;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const EXAMPLES: &str = "Examples:
  sidelight sweep --region eu-central-1                       all running instances
  sidelight sweep --stopped --exclude env=dev                 stopped ones too, but none of dev
  sidelight sweep --include team=payments --output reports    a report and an SBOM for each host

An instance or volume with the tag sidelight:scan=never is never scanned.
Snapshots are deleted when the sweep ends, also by Ctrl-C; sidelight cleanup finds what is left.";

/// Scan all EC2 instances of an account and region
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    cloud: CloudArgs,
    /// Scan stopped instances too
    #[arg(long)]
    stopped: bool,
    /// Scan only instances with this tag; may be repeated, one of them is enough
    #[arg(long, value_name = "KEY[=VALUE]")]
    include: Vec<TagFilter>,
    /// Scan no instance with this tag; may be repeated
    #[arg(long, value_name = "KEY[=VALUE]")]
    exclude: Vec<TagFilter>,
    /// How the report is written to standard output
    #[arg(long, value_parser = ["table", "json"], default_value = "table")]
    format: String,
    /// Write here, in a folder named by the sweep: started.json at once, for each host a folder with
    /// report.json and sbom.cdx.json, and sweep.json at the end; a folder, or s3://BUCKET/FOLDER
    #[arg(long, value_name = "DIR")]
    output: Option<String>,
    /// Advisory store to match with, instead of the one that `sidelight feeds` keeps
    #[arg(long, value_name = "FILE", conflicts_with = "no_match")]
    advisories: Option<PathBuf>,
    /// List packages only
    #[arg(long)]
    no_match: bool,
    /// Exit with 1 if a finding is at least this severe, or known to be exploited, whatever its
    /// severity
    #[arg(long, value_name = "SEVERITY", value_parser = severities(), conflicts_with = "no_match")]
    fail_on: Option<Severity>,
    /// Hosts scanned at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: u16,
    /// Of these, hosts whose disks are read at the same time, some 50 MiB of memory each; the others
    /// wait for their snapshots
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    reading: u16,
    /// MiB of disk blocks held in memory for each of those
    #[arg(long, value_name = "MIB", default_value_t = 12, value_parser = clap::value_parser!(u64).range(2..=65536))]
    cache_size: u64,
    #[command(flatten)]
    inventory: InventoryArgs,
    /// Wait while the account has so many snapshots on their way, its own backups among them
    #[arg(long, value_name = "N", default_value_t = 80, value_parser = clap::value_parser!(u16).range(1..))]
    most_pending: u16,
    /// Minutes that a snapshot may take; with 0, one that is not completed at once is not waited for
    #[arg(long, value_name = "MINUTES", default_value_t = 120, value_parser = clap::value_parser!(u64).range(..=10_000))]
    snapshot_timeout: u64,
    /// Hours after which a snapshot that is still there is a leftover; longer than it may take
    #[arg(long, value_name = "HOURS", default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=168))]
    lifetime: u64,
    /// Seconds for which snapshots are deleted after Ctrl-C or SIGTERM; the report may take 20 more
    #[arg(long, value_name = "SECONDS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    stop_timeout: u64,
}

/// Runs a sweep.
pub fn run(args: &Args, progress: &Progress) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let folder = args.output.as_deref().map(Folder::parse).transpose()?;
    let advisories = advisories(args)?;
    let snapshot_timeout = Duration::from_mins(args.snapshot_timeout);
    // Else the clean-up of another sweep takes snapshots away that this one still waits for.
    let lasting = snapshot_timeout < Duration::from_hours(args.lifetime);
    ensure!(lasting, "--lifetime must be longer than --snapshot-timeout");
    let settings = Settings {
        parallel: args.parallel.into(),
        cache_bytes: args.cache_size << 20,
        reading: args.reading.into(),
        inventory: args.inventory.options(),
        most_pending: args.most_pending.into(),
        snapshot_timeout,
        // No host waits longer for room than for its snapshots.
        room_timeout: Settings::default().room_timeout.min(snapshot_timeout),
        lifetime: Duration::from_hours(args.lifetime),
        patience: Duration::from_secs(args.stop_timeout),
        ..Settings::default()
    };
    let scanner = connect(&args.cloud, settings, &advisories)?;
    if let Some(error) = &scanner.account.alias_error {
        tracing::warn!(%error, "reports name the account by its id alone");
    }
    let mut outcomes = Outcomes::new(folder, &scanner)?;
    let mut leftovers = clean_up(&scanner.account);
    let task = progress.task("looking for instances");
    let instances = scanner.account.instances(&[]).context("no instance was scanned")?;
    let selection = Selection {
        stopped: args.stopped,
        include: args.include.clone(),
        exclude: args.exclude.clone(),
    };
    let total = instances.len();
    let show = || -> Box<dyn pipeline::Progress> { Box::new(progress.task("a host")) };
    let outcome = sweep::run(&scanner, &selection, instances, &show, |host| {
        outcomes.add(&host)?;
        task.now(&format!("{} of {total} instances", outcomes.totals.instances));
        Ok(())
    });
    drop(task);
    if let Err(error) = scanner.sweep_up() {
        tracing::warn!(%error, "snapshots of calls whose answers were lost were not looked for");
        leftovers.failed.push(error.to_string());
    }
    scanner.ledger.settle();
    outcome?;
    let summary = summary(&scanner, &outcomes, leftovers, started);
    outcomes.write(&summary, &args.format, &Output::stdout())?;
    Ok(exit_code(&summary, args.fail_on))
}

/// A store that is not there ends no sweep, for what is installed is worth knowing all the same; each
/// host has a gap that says so.
fn advisories(args: &Args) -> anyhow::Result<Advisories> {
    match args.advisories.as_deref() {
        Some(path) if !path.exists() => {
            tracing::warn!(store = %path.display(), "there is no such advisory store: nothing is matched");
            Ok(Advisories::Missing)
        }
        path => open_advisories(path, args.no_match),
    }
}

/// The account, for instances and for blocks; from here on a signal deletes the snapshots.
pub fn connect<'a>(
    cloud: &CloudArgs,
    settings: Settings,
    advisories: &'a Advisories,
) -> anyhow::Result<Scanner<'a>> {
    scanner(Arc::new(cloud.connect()?), settings, advisories)
}

/// What scans an account that is open.
pub fn scanner(
    account: Arc<Account>,
    settings: Settings,
    advisories: &Advisories,
) -> anyhow::Result<Scanner<'_>> {
    let ebs = ebs_snapshot::Account::over(account.reader.clone())?;
    let (sweep, (started, _)) = (sweep::new_id(), sweep::now(settings.lifetime));
    let ledger = Ledger::new(account.clone(), sweep.clone());
    let (closing, patience, id) = (ledger.clone(), settings.patience, sweep.clone());
    interrupt::before_end(move || tell_left(&id, &closing.close(patience)));
    interrupt::at_once(format!("sidelight cleanup --sweep {sweep} deletes what is left"));
    let (room, turns) = (Mutex::new(()), Turns::new(settings.reading));
    Ok(Scanner { account, ebs, ledger, advisories, settings, sweep, started, room, turns })
}

fn tell_left(sweep: &str, left: &Left) {
    for snapshot in &left.snapshots {
        tracing::error!(snapshot, "not deleted: run sidelight cleanup --sweep {sweep}");
    }
    if left.unanswered > 0 {
        tracing::error!(
            calls = left.unanswered,
            "AWS was asked for snapshots and has not answered: run sidelight cleanup --sweep {sweep}"
        );
    }
}

/// Snapshots of earlier sweeps whose time is over. That they cannot be deleted ends no sweep.
fn clean_up(account: &Account) -> Leftovers {
    sweep::clean_up(account, sweep::is_expired).unwrap_or_else(|error| {
        tracing::warn!(%error, "leftovers of earlier sweeps were not looked for");
        Leftovers { failed: vec![error.to_string()], ..Leftovers::default() }
    })
}

fn summary(
    scanner: &Scanner<'_>,
    outcomes: &Outcomes,
    leftovers: Leftovers,
    started: Instant,
) -> SweepSummary {
    let account = &scanner.account;
    SweepSummary {
        schema_version: SWEEP_SCHEMA_VERSION,
        sweep: scanner.sweep.clone(),
        started: scanner.started.clone(),
        account: account.id.clone(),
        account_alias: account.alias.clone(),
        region: account.region.clone(),
        totals: outcomes.totals.clone(),
        leftovers,
        undeleted_snapshots: scanner.ledger.undeleted(),
        receipt: receipt(scanner, outcomes, started),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
fn receipt(scanner: &Scanner<'_>, outcomes: &Outcomes, started: Instant) -> SweepReceipt {
    let (mut calls, blocks) = (scanner.account.calls(), scanner.ebs.usage());
    // The one that puts this receipt into the bucket is still to come.
    if let Some(count) = calls.get_mut(PUT) {
        *count += 1;
    }
    let puts = calls.get(PUT).copied().unwrap_or_default();
    calls.extend(blocks.by_action().map(|(action, count, _)| (action.to_owned(), count)));
    let mut usd_by_action = BTreeMap::from([(PUT.to_owned(), puts as f64 * USD_PER_PUT)]);
    usd_by_action.extend(blocks.by_action().map(|(action, _, usd)| (action.to_owned(), usd)));
    usd_by_action.retain(|action, _| calls.get(action).is_some_and(|count| *count > 0));
    SweepReceipt {
        usd: usd_by_action.values().sum(),
        calls,
        usd_by_action,
        retries: blocks.retries + scanner.account.retries(),
        bytes_read: blocks.bytes_read,
        blocks_read: outcomes.blocks_read,
        peak_memory_bytes: pipeline::peak_memory(),
        seconds: started.elapsed().as_secs_f64(),
    }
}

/// A finding over the threshold outweighs a gap; a host that failed, and a snapshot that is left,
/// is one.
fn exit_code(summary: &SweepSummary, fail_on: Option<Severity>) -> ExitCode {
    if fail_on.is_some_and(|threshold| summary.totals.reaches(threshold)) {
        return ExitCode::from(1);
    }
    let totals = &summary.totals;
    let left = !summary.undeleted_snapshots.is_empty() || !summary.leftovers.failed.is_empty();
    ExitCode::from(if totals.failed + totals.with_gaps > 0 || left { 3 } else { 0 })
}
