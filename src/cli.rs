//! The command line.

use crate::commands::{self, progress::Progress};
use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use std::process::ExitCode;

const EXIT_CODES: &str = "Exit codes: 0 complete and under the threshold; 1 findings at or above it; \
2 could not run; 3 ran, with gaps; 130 stopped by Ctrl-C.";

/// Heading in the help of every command.
const EVERYWHERE: &str = "Options of every command";

/// Scans the disks of cloud hosts without an agent and without a mount.
#[derive(Debug, Parser)]
#[command(name = "sidelight", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// More log lines; given twice, with details
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = EVERYWHERE)]
    pub verbose: u8,
    /// No progress and no log lines but errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// How log lines are written, to standard error; json has an object a line
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, help_heading = EVERYWHERE)]
    pub log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[value(help = None::<&'static str>)]
    Text,
    /// A JSON object a line.
    #[value(help = None::<&'static str>)]
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Scan the disks of one host
    Scan(commands::scan::Args),
    /// Write the software bill of materials of one host
    Sbom(commands::sbom::Args),
    /// Show what the disks of one host hold, and where it is mounted
    Disks(commands::disks::Args),
    /// List a folder of a host
    Ls(commands::files::ListArgs),
    /// Write a file of a host to standard output
    Cat(commands::files::CatArgs),
    /// Scan all EC2 instances of an account and region
    #[cfg(feature = "cloud")]
    Sweep(commands::sweep::Args),
    /// Delete snapshots that sweeps left, found by their tags
    #[cfg(feature = "cloud")]
    Cleanup(commands::cleanup::Args),
    /// Try each permission that a sweep needs, and say which fails and why
    #[cfg(feature = "cloud")]
    Doctor(commands::doctor::Args),
    /// Print the roles that an account needs before it can be scanned
    #[cfg(feature = "cloud")]
    Onboard(commands::onboard::Args),
    /// Fetch, import and show the advisories that scans are matched with
    Feeds(commands::feeds::Args),
}

/// Runs the command and gives its exit code; an error means that it could not run.
pub fn run(cli: &Cli, progress: &Progress) -> anyhow::Result<ExitCode> {
    match &cli.command {
        Command::Scan(args) => commands::scan::run(args, progress),
        Command::Sbom(args) => commands::sbom::run(args, progress),
        Command::Disks(args) => commands::disks::run(args, progress),
        Command::Ls(args) => commands::files::list(args, progress),
        Command::Cat(args) => commands::files::cat(args, progress),
        #[cfg(feature = "cloud")]
        Command::Sweep(args) => commands::sweep::run(args, progress),
        #[cfg(feature = "cloud")]
        Command::Cleanup(args) => commands::cleanup::run(args),
        #[cfg(feature = "cloud")]
        Command::Doctor(args) => commands::doctor::run(args),
        #[cfg(feature = "cloud")]
        Command::Onboard(args) => commands::onboard::run(args),
        Command::Feeds(args) => commands::feeds::run(args, progress),
    }
}
