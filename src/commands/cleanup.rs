//! `sidelight cleanup`: snapshots that sweeps left, found by their tags alone.

use super::cloud_args::CloudArgs;
use crate::cloud::Tagged;
use crate::model::printable_str;
use crate::sweep;
use std::io::{self, Write};
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  sidelight cleanup --region eu-central-1             those whose time is over
  sidelight cleanup --sweep sweep-20260101T000000Z-0badcafe
  sidelight cleanup --all --dry-run                   all of ours, also of sweeps that still run";

/// Delete snapshots that sweeps left, found by their tags
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    cloud: CloudArgs,
    /// Only those of this sweep, whose time need not be over
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    sweep: Option<String>,
    /// All of ours; a sweep that still runs loses its snapshots
    #[arg(long)]
    all: bool,
    /// Only say which
    #[arg(long)]
    dry_run: bool,
}

/// Runs the clean-up.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let account = args.cloud.connect()?;
    let unwanted = |tagged: &Tagged| match &args.sweep {
        Some(sweep) => tagged.sweep == *sweep,
        None => args.all || sweep::is_expired(tagged),
    };
    let mut out = io::stdout().lock();
    if args.dry_run {
        for found in account.tagged_snapshots()?.iter().filter(|tagged| unwanted(tagged)) {
            let Tagged { snapshot, sweep, source, expires, .. } = found;
            let line = format!("{snapshot}  {source}  {sweep}  until {expires}");
            writeln!(out, "{}", printable_str(&line))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let done = sweep::clean_up(&account, unwanted)?;
    writeln!(out, "{} found, {} deleted", done.expired, done.deleted)?;
    for failure in &done.failed {
        writeln!(io::stderr(), "not deleted: {}", printable_str(failure))?;
    }
    Ok(ExitCode::from(if done.failed.is_empty() { 0 } else { 3 }))
}
