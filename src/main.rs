//! The `sidelight` program.

use clap::Parser;
use sidelight::cli::{self, Cli, LogFormat};
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing::Level;

fn main() -> ExitCode {
    // clap prints help and usage errors itself, and exits with 0 and 2.
    let cli = Cli::parse();
    start_log(&cli);
    cli::run(&cli).unwrap_or_else(|error| {
        eprintln!("sidelight: {}", sidelight::model::printable_str(&format!("{error:#}")));
        ExitCode::from(2)
    })
}

fn start_log(cli: &Cli) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => Level::ERROR,
        (_, 0) => Level::WARN,
        (_, 1) => Level::INFO,
        _ => Level::DEBUG,
    };
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    match cli.log_format {
        LogFormat::Text => log.with_ansi(colour).with_target(false).init(),
        LogFormat::Json => log.json().init(),
    }
}
