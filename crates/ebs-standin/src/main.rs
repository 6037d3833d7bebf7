//! Serves disk images as EBS snapshots until it is told to stop.

mod cli;

use std::{
    fs,
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use ebs_standin::Standin;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

use cli::{Args, CliError};

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ebs-standin: {}", with_sources(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), CliError> {
    let waiting = runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = waiting.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let server = args.builder()?.start()?;
    announce(args, &server)?;
    waiting.block_on(async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    });
    if args.stats {
        eprintln!("{}", serde_json::to_string_pretty(&server.stats()).map_err(io::Error::from)?);
    }
    Ok(())
}

/// Says in the ready file, and then on stdout, where the server listens.
fn announce(args: &Args, server: &Standin) -> io::Result<()> {
    if let Some(path) = &args.ready_file {
        // Renamed into place, so that no one reads half of it.
        let mut part = path.clone().into_os_string();
        part.push(".part");
        fs::write(&part, format!("{}\n", server.url()))?;
        fs::rename(part, path)?;
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on {}", server.url())?;
    stdout.flush()
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
