//! Serves disk images as EBS snapshots until it is told to stop.

mod cli;

use std::{
    fs,
    io::{self, Write},
    process::ExitCode,
    thread,
};

use clap::Parser;
use ebs_standin::Standin;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
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
    let (ended, mut stdin_ended) = oneshot::channel();
    if args.stop_with_stdin {
        thread::spawn(|| wait_for_end_of_stdin(ended));
    }
    waiting.block_on(async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            Ok(()) = &mut stdin_ended => {}
        }
    });
    if args.stats {
        eprintln!("{}", serde_json::to_string_pretty(&server.stats()).map_err(io::Error::from)?);
    }
    Ok(())
}

/// In a thread: no runtime can wait for a file or a terminal and still be stopped.
fn wait_for_end_of_stdin(ended: oneshot::Sender<()>) {
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    // No one listens any more when a signal was faster.
    let _ = ended.send(());
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
