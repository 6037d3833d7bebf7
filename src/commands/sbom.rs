//! `sidelight sbom`: what is installed on a host, as a software bill of materials. A scan that is not
//! matched.

#[cfg(feature = "cloud")]
use super::cloud_args::CloudArgs;
use super::inventory_args::InventoryArgs;
use super::progress::Progress;
use super::scan;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  sidelight sbom disk.img                                CycloneDX 1.5 on standard output
  sidelight sbom disk.img --format spdx --output host.spdx.json
  sidelight sbom dir:/mnt/root --only os --format cyclonedx-1.6
  sidelight sbom snap-0123456789abcdef0 | jq '.components | length'";

/// Write the software bill of materials of one host
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to list, as `sidelight scan` takes it
    #[arg(required = true, value_name = "PATH")]
    targets: Vec<String>,
    #[cfg(feature = "cloud")]
    #[command(flatten)]
    cloud: CloudArgs,
    /// AWS region [default: that of AWS_REGION or the AWS profile]
    #[cfg(not(feature = "cloud"))]
    #[arg(long)]
    region: Option<String>,
    /// CycloneDX 1.5 or 1.6, or SPDX 2.3, each in JSON
    #[arg(long, value_parser = ["cyclonedx", "cyclonedx-1.6", "spdx"], default_value = "cyclonedx")]
    format: String,
    /// Where it is written [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    inventory: InventoryArgs,
    /// MiB of disk blocks held in memory [default: 20, and 48 for snapshots]
    #[arg(long, value_name = "MIB")]
    cache_size: Option<u64>,
}

/// Writes it.
pub fn run(args: &Args, progress: &Progress) -> anyhow::Result<ExitCode> {
    let scan = scan::Args {
        targets: args.targets.clone(),
        #[cfg(feature = "cloud")]
        cloud: args.cloud.clone(),
        #[cfg(not(feature = "cloud"))]
        region: args.region.clone(),
        format: args.format.clone(),
        output: args.output.clone(),
        inventory: args.inventory.clone(),
        cache_size: args.cache_size,
        no_match: true,
        bom_vulnerabilities: false,
        read_set: None,
        advisories: None,
        fail_on: None,
        unpack_limit: None,
    };
    scan::run(&scan, progress)
}
