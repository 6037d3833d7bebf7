//! `sidelight disks`: what the disks of one host hold, and what a scan would read of it.

use super::output::Output;
use super::progress::Progress;
use crate::pipeline::{self, Request, Scan};
use crate::report;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  sidelight disks disk.img                       its partitions, volumes and filesystems
  sidelight disks root.qcow2 data.img            two disks of one host, joined
  sidelight disks snap-0123456789abcdef0 --format json";

/// Show what the disks of one host hold, and where it is mounted
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Disk images, block devices, EBS snapshots (snap-…), all of one host
    #[arg(required = true, value_name = "PATH")]
    targets: Vec<String>,
    /// AWS region [default: that of AWS_REGION or the AWS profile]
    #[arg(long)]
    region: Option<String>,
    /// A tree for people, or JSON
    #[arg(long, value_parser = ["table", "json"], default_value = "table")]
    format: String,
    /// Where it is written [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// GiB that a packed disk (gz, xz, zst) may be unpacked to, holes counted too; the file for it
    /// is in the folder that TMPDIR names [default: 64, or 4096 times its size if that is more]
    #[arg(long, value_name = "GIB")]
    unpack_limit: Option<u64>,
}

/// Shows the disks.
pub fn run(args: &Args, progress: &Progress) -> anyhow::Result<ExitCode> {
    let mut targets = Vec::new();
    for text in &args.targets {
        targets.extend(pipeline::parse_target(text)?);
    }
    let output = args.output.as_deref().map_or_else(|| Ok(Output::stdout()), Output::at)?;
    let request = Request {
        unpack_bytes: args.unpack_limit.map(|gib| gib.saturating_mul(1 << 30)),
        region: args.region.as_deref(),
        ..Request::new(&targets, 32 << 20)
    };
    let task = progress.task("starting");
    let Scan { report, .. } = pipeline::scan_disks(&request, &task)?;
    drop(task);
    let screen = output.screen();
    output.write(|out| match args.format.as_str() {
        "json" => report::disks::write_json(&report, out),
        _ => report::disks::write_table(&report, screen, out),
    })?;
    Ok(ExitCode::from(if report.gaps.is_empty() { 0 } else { 3 }))
}
