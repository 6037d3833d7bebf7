//! The `sidelight` program.

use clap::Parser;
use sidelight::cli::{self, Cli, LogFormat};
use sidelight::commands::interrupt;
use sidelight::commands::output::colours_wanted;
use sidelight::commands::progress::{LOG_TARGET, Progress};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    // clap prints help and usage errors itself, and exits with 0 and 2.
    let cli = Cli::parse();
    let progress = Progress::new(&cli);
    start_log(&cli, &progress);
    if let Err(error) = interrupt::listen(&progress) {
        tracing::warn!(%error, "signals are not handled");
    }
    let code = cli::run(&cli, &progress).unwrap_or_else(|error| {
        let told = sidelight::model::printable_str(&told(&error));
        // Whoever read standard error may be gone; the exit code still tells.
        let _ = writeln!(io::stderr(), "sidelight: {told}");
        ExitCode::from(2)
    });
    interrupt::exit_code().map_or(code, ExitCode::from)
}

/// An error and its causes, without those that it ends with.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told {
        told if told.is_empty() => cause,
        told if told.ends_with(&cause) => told,
        told => format!("{told}: {cause}"),
    })
}

fn start_log(cli: &Cli, progress: &Progress) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => Level::ERROR,
        (_, 0) => Level::WARN,
        (_, 1) => Level::INFO,
        _ => Level::DEBUG,
    };
    let shown = Targets::new().with_default(level).with_target(LOG_TARGET, level.max(Level::INFO));
    // What the SDK warns of comes as an error too, if it is one.
    let sdk = if level < Level::DEBUG { Level::ERROR } else { level };
    let shown = shown.with_target("aws_config", sdk).with_target("aws_smithy_runtime", sdk);
    let colour = std::io::stderr().is_terminal() && colours_wanted();
    let progress = progress.clone();
    let log = tracing_subscriber::fmt::layer().with_writer(move || progress.log_writer());
    let log = match cli.log_format {
        LogFormat::Text => log.with_ansi(colour).with_target(false).boxed(),
        LogFormat::Json => log.json().boxed(),
    };
    tracing_subscriber::registry().with(log).with(shown).init();
}
