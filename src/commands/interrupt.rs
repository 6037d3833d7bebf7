//! Ctrl-C and its like: the terminal is left clean, no half-written report stays, and the exit code
//! says which signal it was (130 for Ctrl-C).

use super::output;
use super::progress::Progress;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

/// A terminal that takes no output must not hold up the end.
const PATIENCE: Duration = Duration::from_millis(500);
/// After what had to be done first, the command has this long to tell what it came to.
const REPORT_PATIENCE: Duration = Duration::from_secs(20);

type Work = Box<dyn FnOnce() + Send>;

/// What has to be done before the process may end.
static FIRST: Mutex<Vec<Work>> = Mutex::new(Vec::new());
static LAST_WORDS: Mutex<String> = Mutex::new(String::new());
/// The exit code that a signal asks for; 0 while there is none.
static CAUGHT: AtomicU8 = AtomicU8::new(0);

/// Has this done before the process ends by a signal, however long it takes; a second signal ends
/// it at once.
pub fn before_end(work: impl FnOnce() + Send + 'static) {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(work));
}

/// The exit code of the signal that came, if one did.
pub fn exit_code() -> Option<u8> {
    Some(CAUGHT.load(Ordering::SeqCst)).filter(|code| *code != 0)
}

/// What is said when a second signal ends the process at once.
pub fn at_once(words: String) {
    *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = words;
}

/// Starts to listen. What this process was told to ignore (`nohup`) stays ignored.
pub fn listen(progress: &Progress) -> io::Result<()> {
    let ignored = ignored();
    let heard = [SIGHUP, SIGINT, SIGTERM];
    let heard = heard.into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = Signals::new(heard)?;
    let progress = progress.clone();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for (index, signal) in signals.forever().enumerate() {
            if index > 0 {
                let words = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner);
                if !words.is_empty() {
                    let _ = writeln!(io::stderr(), "sidelight: {words}");
                }
                std::process::exit(128 + signal);
            }
            let progress = progress.clone();
            std::thread::spawn(move || end(progress, signal));
        }
    })?;
    Ok(())
}

fn end(progress: Progress, signal: i32) {
    CAUGHT.store(u8::try_from(128 + signal).unwrap_or(u8::MAX), Ordering::SeqCst);
    let first = std::mem::take(&mut *FIRST.lock().unwrap_or_else(PoisonError::into_inner));
    if !first.is_empty() {
        // Whoever read standard error may be gone, and this must not end with them.
        let _ = writeln!(io::stderr(), "sidelight: ending; once more to end at once");
        for work in first {
            work();
        }
        std::thread::sleep(REPORT_PATIENCE);
    }
    clean_up(progress);
    std::process::exit(128 + signal);
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
