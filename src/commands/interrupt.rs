//! Ctrl-C and its like: the terminal is left clean, no half-written report stays, and the exit code
//! says which signal it was (130 for Ctrl-C).

use super::output;
use super::progress::Progress;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::mpsc;
use std::time::Duration;

/// A terminal that takes no output must not hold up the end.
const PATIENCE: Duration = Duration::from_millis(500);

/// Starts to listen.
pub fn listen(progress: &Progress) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let progress = progress.clone();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            clean_up(progress);
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}

fn clean_up(progress: Progress) {
    let (done, cleaned) = mpsc::channel();
    std::thread::spawn(move || {
        output::discard_unfinished();
        progress.end();
        let _ = done.send(());
    });
    let _ = cleaned.recv_timeout(PATIENCE);
}
