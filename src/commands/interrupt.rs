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

/// Starts to listen. What this process was told to ignore (`nohup`) stays ignored.
pub fn listen(progress: &Progress) -> io::Result<()> {
    let ignored = ignored();
    let heard = [SIGHUP, SIGINT, SIGTERM];
    let heard = heard.into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = Signals::new(heard)?;
    let progress = progress.clone();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            clean_up(progress);
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}

/// The ignored signals as the kernel counts them: a bit each, the first for signal 1.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
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
